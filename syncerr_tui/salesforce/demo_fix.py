"""Fixing things in the demo org, so that the whole loop can be lived through: read, fix, re-sync, proven.

Only the demo org has these addresses, and they are only offered where the org is the demo on this machine.
A fix changes the safeguard or the record that blocks, never the change event.
"""

from __future__ import annotations

from dataclasses import dataclass

from syncerr_tui.errors import RefusedError, UnreachableError
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.ids import checked
from syncerr_tui.text import one_line


@dataclass(frozen=True, slots=True)
class DemoFix:
    """What would be changed in the demo org for one error."""

    available: bool
    title: str
    """e.g. `Switch off the duplicate rule Standard Account Duplicates`."""
    why: str
    steps: tuple[str, ...] = ()


class DemoFixes:
    """Looks up and applies fixes through the demo org's Apex REST resource."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def look(self, event_id: str) -> DemoFix:
        """What would fix this error; for a victim, what would fix its root cause."""
        answer = await self._client.apexrest("GET", _path(event_id))
        return _fix(answer)

    async def apply(self, event_id: str) -> str:
        """Apply it.

        Returns:
            One line: what has been changed.
        """
        answer = await self._client.apexrest("POST", _path(event_id), {})
        return _changed(_object(answer))


async def is_demo(client: ApiClient) -> bool:
    """Whether the org says of itself that it is the demo.

    Asked on loopback only, and the address alone proves nothing: it may be a tunnel to a production org.
    """
    try:
        answer = await client.apexrest("GET", "demo/about")
    except (RefusedError, UnreachableError):
        return False
    return isinstance(answer, dict) and answer.get("demo") is True


def _path(event_id: str) -> str:
    return f"demo/fix/{checked([event_id])[0]}"


def _object(answer: object) -> Row:
    if not isinstance(answer, dict):
        raise UnreachableError("The demo org's answer cannot be read", "Start the demo org again")
    return answer


def _fix(answer: object) -> DemoFix:
    told = _object(answer)
    steps = told.get("steps")
    return DemoFix(
        available=told.get("available") is True,
        title=one_line(str(told.get("title") or "")),
        why=one_line(str(told.get("why") or "")),
        steps=tuple(one_line(str(step)) for step in steps) if isinstance(steps, list) else (),
    )


def _changed(told: Row) -> str:
    for key in ("changed", "message", "title"):
        said = told.get(key)
        if isinstance(said, list) and said:
            return one_line("; ".join(map(str, said)))
        if isinstance(said, str) and said:
            return one_line(said)
    return "Fixed in the demo org"
