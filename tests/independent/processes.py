"""Starts the program on the shared clock: forked from a process that imported it after replacing its clocks.

`SYNCERR_INDEPENDENT_PRODUCT` names the root of another checkout to test, for instance an older one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests import forks
from tests.forks import ROOT, Child

FORKER = "tests.independent.processes"
"""This module, which is another one where it is run."""
PRODUCT = "SYNCERR_INDEPENDENT_PRODUCT"
Jumps = Sequence[tuple[float, float]]


def product_root() -> Path:
    """The checkout under test."""
    return Path(os.environ.get(PRODUCT) or ROOT)


def start(
    argv: Sequence[str], env: Mapping[str, str], *, clock: Path, jumps: Jumps = (), fresh: bool = False
) -> Child:
    """Start the program with these arguments, on this clock; `fresh`: in an interpreter of its own."""
    first = _attached(clock, jumps)
    if fresh:
        program = ["-m", "tests.independent.warp", json.dumps([str(clock), list(jumps)]), *argv]
        first = f"import os, sys; os.execv(sys.executable, [sys.executable, *{program!r}])"
    return forks.start(*argv, env=env, first=first, usual=None, forker=FORKER)


def at_terminal(
    argv: Sequence[str], env: Mapping[str, str], terminal: int, *, clock: Path, jumps: Jumps = ()
) -> Child:
    """Start the program in a session of its own, with a terminal as its three streams."""
    first = _attached(clock, jumps)
    return forks.at_terminal(argv, {**os.environ, **env}, terminal, first=first, forker=FORKER)


def _attached(clock: Path, jumps: Jumps) -> str:
    return f"from tests.independent import warp; warp.attach({str(clock)!r}, {tuple(jumps)!r})"


if __name__ == "__main__":
    from tests.independent import warp

    sys.path.insert(0, str(product_root()))
    warp.install()
    forks.fork_all()
