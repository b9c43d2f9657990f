"""Short words for what the tests of this folder do and ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.forks import Child
from tests.independent.home import Home
from tests.independent.org import Event, Org
from tests.independent.wire import Server

Serve = Callable[..., Server]
MakeHome = Callable[..., Home]


def orders(org: Org, number: int, **destined: Any) -> list[Event]:
    """Orders that the website could not create."""
    return [org.add_event("Order", "create", **destined) for _ in range(number)]


def doubled(org: Org) -> list[str]:
    """Events that the org worked on, or will, more than once because of requests."""
    assert org.truth.requests, "nothing was ever sent"
    if (until := org.busy_until) is not None:
        org.clock.skip(until - org.now() + 1)
    org.catch_up()
    queued = [event for request in org.truth.requests for event in request.queued]
    return sorted({event for event in queued if queued.count(event) > 1})


def verdicts(process: Child) -> dict[str, str]:
    """What a run said of each row."""
    return {row["id"]: row["verdict"] for row in process.rows}


def resync(home: Home, *options: str) -> Child:
    """Everything, without asking."""
    return home.run("resync", "--all", "--yes", "--json", *options)
