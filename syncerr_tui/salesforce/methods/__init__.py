"""How re-sync is asked for in an org. Nobody outside knows what StoreConnect's own button does, so the
org's admin names an entry point, and until then a person presses the button (`guided`).

No method is ever chosen by this program. Each checks by describe that it can work (`Check`, which `doctor`
speaks as well), and sends one request at a time, whose results are matched to rows: by identity where a
result names its row, else by position and count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from syncerr_tui.errors import NotSentError, RefusedError, UnreachableError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.responses import rows_do_not_match
from syncerr_tui.salesforce.soql import to_18
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import one_line


class ResyncMethod(Protocol):
    """One way of asking for a re-sync, bound to one org."""

    @property
    def info(self) -> MethodInfo: ...

    async def check(self) -> list[Check]:
        """Look, by describe, at everything this method needs. Changes nothing."""
        ...

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview | None:
        """What `request` would send for these rows; None where it would send nothing. Changes nothing.

        Raises:
            RefusedError: A precondition does not hold.
        """
        ...

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        """Ask for these rows, in this order, in one request; one receipt each. `leaving`: as in `resync.org`.

        Raises:
            RefusedError: A precondition does not hold; nothing was sent.
            NotSentError, OutcomeUnknownError: as in `resync.org`.
        """
        ...


class CheckedMethod:
    """A method that is checked once before its first request."""

    _good = False
    """It was checked, and can work."""

    async def check(self) -> list[Check]:
        """See `ResyncMethod.check`."""
        raise NotImplementedError

    async def _make_sure(self) -> None:
        """Raises:
        RefusedError: It cannot work; the reason of the first check that failed.
        NotSentError: The org could not be asked. Nothing has left yet, so nothing is in doubt.
        """
        if self._good:
            return
        try:
            checks = await self.check()
        except UnreachableError as error:
            raise NotSentError(f"Nothing was sent: {error.title}", error.hint) from None
        for check in checks:
            if check.state is CheckState.FAILED:
                raise RefusedError(f"Re-sync is not possible: {check.reason}", check.advice)
        self._good = True


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

    @classmethod
    def ok(cls, name: str, reason: str, advice: str = "") -> Self:
        return cls(name, CheckState.OK, reason, advice)

    @classmethod
    def warning(cls, name: str, reason: str, advice: str) -> Self:
        return cls(name, CheckState.WARNING, reason, advice)

    @classmethod
    def failed(cls, name: str, reason: str, advice: str = "") -> Self:
        return cls(name, CheckState.FAILED, reason, advice)


_REASON_LIMIT = 500
VERDICT_NAMES = ("issuccess", "success", "accepted")
_REASON_NAMES = ("message", "errormessage", "error", "reason")
_PROBLEM_NAMES = ("errors", "error", "errorcode")
_CODE_NAMES = ("statuscode", "errorcode", "code")


def receipts(errors: Sequence[SyncError], results: Sequence[Row]) -> list[Receipt]:
    """What the results say about the rows, in the order of these.

    Raises:
        OutcomeUnknownError: There are more or fewer results than rows, two of them name one row, or one names
            a row that was not sent.
    """
    return list(map(_receipt, errors, _match(errors, results)))


def _match(errors: Sequence[SyncError], results: Sequence[Row]) -> list[Row]:
    """Results in the order of the rows."""
    if len(results) != len(errors):
        raise rows_do_not_match()
    places = {error.id: place for place, error in enumerate(errors)}
    ordered: list[Row | None] = [None] * len(errors)
    nameless: list[tuple[int, Row]] = []
    for position, result in enumerate(results):
        named = {key for key in _ids(result) if key in places}
        own = to_18(result.get("id"))
        if len(named) > 1 or (own is not None and own not in places):
            raise rows_do_not_match()
        if not named:
            nameless.append((position, result))
            continue
        place = places[named.pop()]
        if ordered[place] is not None:
            raise rows_do_not_match()
        ordered[place] = result
    for position, result in nameless:
        if ordered[position] is not None:
            raise rows_do_not_match()
        ordered[position] = result
    return [result for result in ordered if result is not None]


def named_results(answer: object, sent: set[str]) -> list[Row] | None:
    """The list of results in an answer, wherever it lies; None where there is none that names our rows."""
    candidates = [answer, *(answer.values() if isinstance(answer, dict) else ())]
    for candidate in candidates:
        if not isinstance(candidate, list) or not candidate:
            continue
        rows = [one for one in candidate if isinstance(one, dict)]
        if len(rows) == len(candidate) and any(
            to_18(value) in sent for row in rows for value in row.values()
        ):
            return rows
    return None


def _receipt(error: SyncError, result: Row) -> Receipt:
    """What one result says about its row. Accepted only where nothing in it says otherwise."""
    words = _flat(result)
    refused = next((word for key, word in words if key in VERDICT_NAMES and word is False), None)
    problems = result.get("errors")
    if refused is None and not problems:
        return Receipt(error.id, accepted=True)
    code = next((word for key, word in words if key in _CODE_NAMES and isinstance(word, str) and word), None)
    text = next((word for key, word in words if key in _REASON_NAMES and isinstance(word, str) and word), "")
    reason = one_line(text)[:_REASON_LIMIT] or "the org gave no reason"
    return Receipt(error.id, accepted=False, reason=reason, code=one_line(code)[:80] if code else None)


def _ids(result: Row) -> Iterator[str]:
    """Record ids that a result carries: its own, and those among its outputs."""
    for holder in (result, result.get("outputValues")):
        if isinstance(holder, Mapping):
            for value in holder.values():
                key = to_18(value)
                if key is not None:
                    yield key


def _flat(result: Row) -> list[tuple[str, object]]:
    """Names (lower case) and values of a result, of its errors, and of its outputs, in this order."""
    problems = result.get("errors")
    holders = [result, *(problems if isinstance(problems, list) else []), result.get("outputValues")]
    return [
        (str(key).lower(), value)
        for holder in holders
        if isinstance(holder, Mapping)
        for key, value in holder.items()
    ]


def refuses(answer: object) -> bool:
    """Whether an answer that names no row says no to something: then nobody knows what ran."""
    if answer is False:
        return True
    waiting = [answer]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            fields = {str(key).casefold(): value for key, value in one.items()}
            if any(fields.get(name) is False for name in VERDICT_NAMES) or any(
                map(fields.get, _PROBLEM_NAMES)
            ):
                return True
            waiting += [value for value in one.values() if isinstance(value, list | dict)]
    return False


DOWNSTREAM = "syncrecordchangesinvocable"
"""StoreConnect's own action of this name pushes Salesforce's version to the website: the other direction.
For a failed website record it could overwrite what the shopper entered."""
TRIES_AGAIN = re.compile(r"re-?_?sync|retry|requeue|re_?process|resend|replay|resubmit", re.IGNORECASE)
"""Names of what could re-sync."""


async def likely_entry_points(client: ApiClient) -> list[tuple[str, str]]:
    """(kind, name) of actions whose names say that they re-sync; kind is `apex` or `flow`.

    Never StoreConnect's SyncRecordChangesInvocable: it sends Salesforce's version to the website. An org that
    does not let this user list its actions offers none.
    """
    entry_points = []
    for kind in ("apex", "flow"):
        try:
            rows = await client.actions(kind)
        except RefusedError:
            continue
        names = [name for row in rows if isinstance(name := row.get("name"), str)]
        entry_points += [
            (kind, name)
            for name in names
            if TRIES_AGAIN.search(name) and name.lower().rpartition("__")[2] != DOWNSTREAM
        ]
    return entry_points
