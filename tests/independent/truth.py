"""What really happened in the org: who asked for what, when, and what became of it. Nobody tells a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Reply(StrEnum):
    """How a request for a re-sync was answered."""

    WHOLE = "whole"
    """With what the org did."""
    EXPIRED = "expired"
    """With 401: nothing was done, and a new token may help at once."""
    BUSY = "busy"
    """Refused unread for too many requests at once: nothing was done, and it takes time."""
    UNCLEAR = "unclear"
    """Not at all, or with what proves nothing."""


@dataclass(slots=True)
class Request:
    """One request for a re-sync that reached the org."""

    number: int
    at: float
    token: str
    """Who asked: every start of the program has a token of its own."""
    events: tuple[str, ...]
    reply: Reply = Reply.UNCLEAR
    queued: set[str] = field(default_factory=set)
    """Events that will be worked on because of it."""
    refused: set[str] = field(default_factory=set)
    """Events that the org refused one by one, and said so."""
    heard: bool = True
    """False: whoever asked was killed before the answer could reach it."""

    @property
    def none_ran(self) -> bool:
        """The answer proves that nothing was done."""
        return self.reply in {Reply.EXPIRED, Reply.BUSY}

    @property
    def clear(self) -> bool:
        """The answer told all that was done."""
        return self.reply is Reply.WHOLE and self.heard


@dataclass(frozen=True, slots=True)
class Application:
    """The sync engine has worked on an event."""

    event: str
    asked_at: float
    at: float
    request: int | None
    """None: somebody in Salesforce had pressed the button."""
    outcome: str
    record: str | None
    """The record that it wrote or deleted; None where it wrote nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody read events."""

    at: float
    token: str
    events: frozenset[str]


@dataclass(slots=True)
class Truth:
    """The org's own ledger."""

    requests: list[Request] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    statuses: dict[str, list[tuple[float, str | None]]] = field(default_factory=dict)
    """Each event's status and since when; None: it is gone."""

    def applied(self, event: str) -> list[Application]:
        """Every time this event was worked on."""
        return [one for one in self.applications if one.event == event]

    def status_at(self, event: str, at: float) -> str | None:
        """What the event's status was at a moment."""
        known = [status for since, status in self.statuses[event] if since <= at]
        return known[-1] if known else None

    def asked(self, event: str) -> list[Request]:
        """Every request that named this event and reached the org."""
        return [one for one in self.requests if event in one.events]
