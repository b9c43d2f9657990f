"""One line of a check-up: what was looked at, how it is, why, what to do. `doctor` and methods speak it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How it is. The words are part of `--json`."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of looking at one thing."""

    name: str
    """What was looked at, e.g. `Apex action`."""
    state: CheckState
    reason: str
    """What was found, one harmless line."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def usable(checks: Iterable[Check]) -> bool:
    """Whether nothing failed. A warning does not stop anybody."""
    return all(check.state is not CheckState.FAILED for check in checks)
