"""Whether a person is at the other end of a line: what is opened or copied here reaches the wrong machine."""

from __future__ import annotations

from collections.abc import Mapping

_SIGNS = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_CONNECTION")


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the environment tells of SSH or mosh."""
    return any(environ.get(name) for name in _SIGNS)
