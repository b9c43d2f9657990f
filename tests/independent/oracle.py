"""Holds what the program did and said against what really happened in the org.

Every rule gives lines that name the seed's event and moment; no lines: nothing was wrong.
"""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.independent.org import Fate, Org, Reaction
from tests.independent.truth import Reply, Request
from tests.independent.wire import TOKEN

EXIT_CODES = frozenset({0, 1, 2, 3, 4, 5, 6, 129, 130, 143})
VERDICTS = frozenset(
    {"FIXED", "STILL FAILING", "NEW CAUSE", "UNKNOWN", "TWIN", "RESOLVED ELSEWHERE", "NOT SENT", "NOT TRIED"}
)
USUAL_TIME = 180.0
"""Seconds that a row of unknown outcome keeps before even a person's word sends it again."""
NO_TRACE = "no answer, and no trace"
_LOOK_LASTS = 30.0
"""Seconds for which a look before a request is worth something."""
_WROTE = frozenset({Fate.WRITES.value, Fate.VANISHES.value, Fate.TWINS.value})
_SLACK = 2.0
"""Seconds: the org's stamps are whole ones."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that has ended."""

    home: str
    argv: tuple[str, ...]
    token: str
    code: int
    began: float
    ended: float
    """By the org's clock."""
    rows: Sequence[tuple[str, str, str]]
    """Event, verdict, reason: as told on stdout."""
    out: str
    err: str
    killed: int | None = None
    """The signal that it was sent."""

    @property
    def consents(self) -> bool:
        """A person said that rows of unknown outcome may go again."""
        return "--again" in self.argv

    @property
    def sends(self) -> bool:
        """It is a command that may ask for a re-sync."""
        return self.argv[0] in {"resync", "apply"} or "--continue" in self.argv


class Oracle:
    """What is wrong with these commands, given this org."""

    def __init__(self, org: Org, ran: Sequence[Ran]) -> None:
        self.org, self.truth, self.ran = org, org.truth, ran
        self._by_token = {one.token: one for one in ran}

    def wrongs(self) -> list[str]:
        """Everything that is wrong, each in a line that begins with its kind."""
        return [
            *self._sent_twice(),
            *self._sent_blindly(),
            *self._victims_before_causes(),
            *(line for one in self.ran for line in self._told_wrongly(one)),
            *(line for one in self.ran for line in self._ended_badly(one)),
        ]

    # -- what was sent

    def _sent_twice(self) -> Iterator[str]:
        for event in self.org.events:
            asked = [one for one in self.truth.asked(event) if not one.none_ran]
            for number, again in enumerate(asked):
                consent = self._by_token[again.token].consents
                for before in asked[:number]:
                    if event in before.refused and before.clear:
                        continue
                    ours = self._by_token[again.token].home == self._by_token[before.token].home
                    gap = again.at - before.at
                    where = (
                        f"{event} ({self.org.events[event].fate}), {gap:.1f} s after request {before.number}"
                    )
                    kind = self._twice(event, before, again)
                    if kind and (ours or kind != NO_TRACE):
                        if not consent:
                            yield f"double: {kind}: {where}, request {again.number}"
                        elif gap < USUAL_TIME - _SLACK:
                            yield f"too soon: {kind}: {where}, request {again.number}"

    def _twice(self, event: str, before: Request, again: Request) -> str:
        """How a request came too much after another one; empty where it did not."""
        if event not in before.queued:
            freed = any(
                before.at < one.at <= again.at and one.outcome not in _WROTE
                for one in self.truth.applied(event)
            )
            touched = any(before.at < at <= again.at for at, _ in self.truth.statuses[event])
            return "" if before.clear or freed or touched else NO_TRACE
        done = [one for one in self.truth.applied(event) if one.request == before.number]
        if not done or done[0].at > again.at:
            return "" if self._lost_in_the_org(event, again.at - before.at) else "still under way"
        return "done already" if done[0].outcome in _WROTE and event in again.queued else ""

    def _lost_in_the_org(self, event: str, seconds: float) -> bool:
        """The org touched the event, has had more than its usual time, and will never work on it.

        To a client that looks like an event that was worked on and failed as before.
        """
        lost = self.org.events[event].fate is Fate.NEVER
        return lost and self.org.manners.reaction is Reaction.TOUCH and seconds > USUAL_TIME

    def _sent_blindly(self) -> Iterator[str]:
        for request in self.truth.requests:
            for event in request.events:
                looks = [
                    one.at
                    for one in self.truth.looks
                    if one.token == request.token and event in one.events and one.at <= request.at
                ]
                turned_away = [
                    one.at
                    for one in self.truth.asked(event)
                    if one.token == request.token and one.reply is Reply.BUSY and one.number < request.number
                ]
                last = max(looks, default=float("-inf"))
                if max(turned_away, default=float("-inf")) > last:
                    yield f"blind: {event}: request {request.number} was made again without a look"
                elif request.at - last > _LOOK_LASTS:
                    ago = request.at - last
                    yield f"blind: {event}: request {request.number} came {ago:.0f} s after the look"

    def _victims_before_causes(self) -> Iterator[str]:
        n = self.org.naming
        for request in self.truth.requests:
            began = self._by_token[request.token].began
            for event in request.events:
                cause = self.org.events[event].parent
                if not cause or self.truth.status_at(cause, began) != n.failed:
                    continue
                written = any(
                    one.outcome in _WROTE and one.at <= request.at for one in self.truth.applied(cause)
                )
                if not written:
                    yield f"victim first: {event}: request {request.number}, its cause {cause} is not there"

    # -- what was told

    def _told_wrongly(self, ran: Ran) -> Iterator[str]:
        for event, verdict, reason in ran.rows:
            what = f"{event} ({self.org.events[event].fate}): '{reason}' by {' '.join(ran.argv[:2])}"
            if verdict not in VERDICTS:
                yield f"odd verdict: {verdict}: {what}"
            if verdict == "FIXED":
                yield from (f"false FIXED: {why}: {what}" for why in self._not_fixed(event, ran))
            if verdict == "RESOLVED ELSEWHERE" and not self._wrote(event, ran.ended):
                yield f"false ELSEWHERE: {what}"
            if verdict in {"STILL FAILING", "NEW CAUSE"} and self._under_way(event, ran):
                yield f"early {verdict}: {what}"
        counts = Counter(event for event, _, _ in ran.rows)
        yield from (f"told twice: {event} by {ran.argv}" for event, times in counts.items() if times > 1)

    def _not_fixed(self, event: str, ran: Ran) -> Iterator[str]:
        asked = [one.at for one in self.truth.asked(event) if one.at <= ran.ended]
        since = max(asked, default=float("-inf")) - _SLACK
        wrote = [one.at for one in self.truth.applied(event) if one.outcome in _WROTE and one.at <= ran.ended]
        if not wrote:
            yield "nothing was written"
        elif max(wrote) < min(asked, default=float("-inf")) - _SLACK:
            yield f"written {since - max(wrote):.0f} s before it was asked for"
        one = self.org.events[event]
        first = min((at for at in wrote if at >= since), default=0.0)
        made = [key for at, key in self.org.made.get(one.key, ()) if at <= first]
        if one.kind == "create" and not one.hidden and len(made) > 1:
            yield f"{len(made)} records carry the ID"

    def _wrote(self, event: str, by: float) -> bool:
        return any(one.outcome in _WROTE and one.at <= by for one in self.truth.applied(event))

    def _failed_throughout(self, event: str, ran: Ran) -> bool:
        """It was in the list all the time; one that was not may have been left out when the list was read."""
        during = {status for at, status in self.truth.statuses[event] if ran.began < at <= ran.ended}
        return during | {self.truth.status_at(event, ran.began)} == {self.org.naming.failed}

    def _under_way(self, event: str, ran: Ran) -> bool:
        """The org was still at a request when a command told of it; what others sent meanwhile aside."""
        at = ran.ended
        done = self.truth.applied(event)
        for request in self.truth.asked(event):
            known = request.at <= ran.began or request.token == ran.token
            if event in request.queued and known and request.at <= at:
                answered = any(one.request == request.number and one.at <= at for one in done)
                failed = any(request.at <= one.at <= at and one.outcome not in _WROTE for one in done)
                if not answered and not failed and not self._lost_in_the_org(event, at - request.at):
                    return True
        return False

    # -- how it ended

    def _ended_badly(self, ran: Ran) -> Iterator[str]:
        what = " ".join(ran.argv)
        died = ran.code < 0 and ran.killed is not None and ran.code == -ran.killed
        if ran.code not in EXIT_CODES and not died:
            yield f"exit code {ran.code}: {what}: {ran.err[-300:]}"
        if "Traceback" in ran.err + ran.out:
            yield f"traceback: {what}: {ran.err[-300:]}"
        if "secret" in ran.out + ran.err or TOKEN in ran.out + ran.err:
            yield f"secret on screen: {what}"
        if ran.code == 0 and ran.sends:
            yield from (
                f"exit code 0: {what}: {event} is {verdict}"
                for event, verdict, _ in ran.rows
                if verdict not in {"FIXED", "RESOLVED ELSEWHERE"}
            )
        if ran.sends and ran.code in {0, 1} and ran.killed is None and "--all" in ran.argv:
            listed = {event for event, _, _ in ran.rows} | set(re.findall(r"Left out: (\w+):", ran.err))
            for event in self.org.events:
                if event not in listed and self._failed_throughout(event, ran):
                    yield f"without an end: {event}: {what}"


def secrets_kept(folder: Path) -> Iterator[str]:
    """Files below a folder in which an access token stands."""
    for file in folder.rglob("*"):
        if file.is_file() and TOKEN.encode() in file.read_bytes():
            yield f"secret on disk: {file.relative_to(folder)}"


def kinds(wrongs: Iterable[str]) -> Counter[str]:
    """How often each kind of wrong occurred."""
    return Counter(line.partition(":")[0] for line in wrongs)


KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
