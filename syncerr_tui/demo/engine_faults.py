"""Ways in which the org's sync may do something else than what it says.

Each is a name in `DemoOptions.faults`, with an argument after a colon where it takes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from syncerr_tui.errors import BadInputError

ENGINE_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "late-visibility": "the record appears this many seconds after its event left the list (default 20)",
        "twin": "every n-th create makes two records with one StoreConnect ID (default 1: each)",
        "vanish": "every n-th event disappears, and no record is made (default 1: each)",
        "second-operator": "with each request somebody else fixes and re-syncs another event",
        "partial-batch": "the second half of every request is refused",
        "stuck-pending": "every n-th event stays pending for ever (default 1: each)",
    },
)
"""Name -> what it does."""


@dataclass(frozen=True, slots=True)
class EngineFaults:
    """What the engine does wrong; zero and False mean nothing."""

    late_visibility: float = 0.0
    twin: int = 0
    vanish: int = 0
    second_operator: bool = False
    partial_batch: bool = False
    stuck_pending: int = 0


def engine_faults_in(faults: Iterable[str]) -> EngineFaults:
    """The engine's part of the faults; names it does not know are somebody else's.

    Raises:
        BadInputError: An argument is not a positive number.
    """
    given = {}
    for fault in faults:
        name, _colon, argument = fault.partition(":")
        if name in ENGINE_FAULTS:
            given[name] = argument
    return EngineFaults(
        late_visibility=_number(given, "late-visibility", 20.0),
        twin=int(_number(given, "twin", 1)),
        vanish=int(_number(given, "vanish", 1)),
        second_operator="second-operator" in given,
        partial_batch="partial-batch" in given,
        stuck_pending=int(_number(given, "stuck-pending", 1)),
    )


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    if name not in given:
        return 0.0
    try:
        value = float(given[name] or default)
    except ValueError:
        value = 0.0
    if value <= 0 or value != value or value > 1e9:  # noqa: PLR0124 - NaN is not itself
        raise BadInputError(
            f"The fault {name} cannot take {given[name]!r}",
            f"Give a number above zero, for example {name}:{default:g}",
        )
    return value
