"""One REST call under way, and the org as the REST resources see it: its API use, its query locators."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from syncerr_tui.demo.faults import Faults
from syncerr_tui.demo.http import Refused, Request, error, refused
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.schema import SObject, long_id, object_named
from syncerr_tui.demo.soql import CompiledQuery
from syncerr_tui.demo.store import Store

_MOST_ROWS = 8_000_000
"""Rows behind all open locators (64 MB); beyond, the oldest locator is forgotten."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """One query with more than one page."""

    key: str
    plan: CompiledQuery
    rows: array[int]
    page_size: int
    tooling: bool

    def locator(self, offset: int) -> str:
        """`01g...-2000`: where the next page begins."""
        return f"{self.key}-{offset}"


@dataclass(slots=True)
class Cursors:
    """All open locators. A real org keeps them for two days, this one as long as memory allows."""

    _open: OrderedDict[str, Cursor] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _held: int = 0

    def keep(self, plan: CompiledQuery, rows: array[int], page_size: int, *, tooling: bool) -> Cursor:
        """Open a locator."""
        with self._lock:
            key = long_id(f"01gDe{next(self._numbers):010d}")
            cursor = Cursor(key, plan, rows, page_size, tooling)
            self._open[key] = cursor
            self._held += len(rows)
            while self._held > _MOST_ROWS and len(self._open) > 1:
                self._held -= len(self._open.popitem(last=False)[1].rows)
            return cursor

    def find(self, locator: str) -> tuple[Cursor, int] | None:
        """The query behind a locator and the offset in it; None where there is none."""
        key, _, offset = locator.rpartition("-")
        with self._lock:
            cursor = self._open.get(key)
            if cursor is None or not offset.isascii() or not offset.isdigit():
                return None
            self._open.move_to_end(key)
        place = int(offset)
        return (cursor, place) if 0 < place < len(cursor.rows) else None


@dataclass(slots=True)
class ServerContext:
    """Everything that outlives a call."""

    org: DemoOrg
    store: Store
    faults: Faults
    clock: Callable[[], datetime]
    page_size: int
    address: str
    """`http://127.0.0.1:PORT`."""
    organization_id: str
    user_id: str
    started_at: datetime
    """By the org's clock."""
    cursors: Cursors = field(default_factory=Cursors)
    used: int = 0
    """Calls of today, as `Sforce-Limit-Info` counts them."""
    total: int = 15_000
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _described: tuple[Sequence[int], datetime] | None = None

    def count(self) -> None:
        """One more API call."""
        with self._lock:
            self.used += 1

    def described_at(self) -> datetime:
        """When what describe tells last changed, in whole seconds, as HTTP dates are.

        A change counts from the second after it: whoever read earlier in the same second has old news.
        """
        now = [id(each) for each in self.org.schema.values()]
        with self._lock:
            if self._described is None:
                self._described = (now, self.started_at.replace(microsecond=0))
            elif self._described[0] != now:
                self._described = (now, (self.clock() + timedelta(seconds=1)).replace(microsecond=0))
            return self._described[1]


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known."""

    context: ServerContext
    request: Request
    version: str
    """Of the path, e.g. `59.0`."""
    parts: tuple[str, ...]
    """The path behind the version."""

    @property
    def method(self) -> str:
        """GET for HEAD; `_HttpMethod` of a POST stands for the real one."""
        if self.request.method == "POST" and "_HttpMethod" in self.request.query:
            return self.request.query["_HttpMethod"].upper()
        return "GET" if self.request.method == "HEAD" else self.request.method

    @property
    def base(self) -> str:
        """`/services/data/v59.0`."""
        return f"/services/data/v{self.version}"

    def url_of(self, sobject: SObject, record_id: str) -> str:
        """Where a record is read."""
        return f"{self.base}/sobjects/{sobject.name}/{record_id}"

    def sobject(self, name: str) -> SObject:
        """An object by name, in any case of letters.

        Raises:
            Refused: 404 NOT_FOUND.
        """
        known = object_named(self.context.org.schema, name)
        if known is None or not known.rest:
            raise refused(404, "NOT_FOUND", "The requested resource does not exist")
        return known

    def at(self, method: str, *parts: str, body: bytes | None = None) -> Call:
        """The same call for another resource."""
        request = replace(self.request, method=method, body=self.request.body if body is None else body)
        return replace(self, request=request, parts=parts)


class _Undo(Exception):  # noqa: N818 - a signal, not an error
    """Leaves the transaction of a call of which nothing is to be left."""


def done_or_undone(call: Call, work: Callable[[], bool]) -> bool:
    """Do some work while nobody else does any; where it gives False, nothing is left of it."""
    done = False
    with suppress(_Undo), call.context.org.alone():
        done = work()
        if not done:
            raise _Undo
    return done


def allow(call: Call, *methods: str) -> None:
    """Refuse every other method with 405.

    Raises:
        Refused: 405 METHOD_NOT_ALLOWED.
    """
    if call.method not in methods:
        raise not_allowed(call.method, methods)


def not_allowed(method: str, methods: Sequence[str]) -> Refused:
    """405, naming what is allowed."""
    allowed = ", ".join([*methods, "HEAD"] if "GET" in methods else methods)
    response = error(
        405,
        "METHOD_NOT_ALLOWED",
        f"HTTP Method '{method}' not allowed. Allowed are {allowed.replace(', ', ',')}",
    )
    response.headers["Allow"] = allowed
    return Refused(response)


def missing() -> Refused:
    """404 as for every path that leads nowhere."""
    return refused(404, "NOT_FOUND", "The requested resource does not exist")


def body_object(call: Call) -> dict[str, object]:
    """The body, which must be a JSON object.

    Raises:
        Refused: 400 JSON_PARSER_ERROR.
    """
    body = call.request.json()
    if not isinstance(body, dict):
        raise refused(400, "JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object")
    return body
