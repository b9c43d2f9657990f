"""Requests beside each other: their threads, how many may be under way at once, and the token they share.

Fewer when the org is in trouble, slowly more when it is well.

An org's long-running requests are shared with the whole business (10 Apex transactions over 5 s, 5 to 25
requests over 20 s), so the first sign of crowding halves our share; it grows back by one for every
`_GOOD_FOR_MORE` good answers per lane.

The threads are daemons: a request that hangs does not keep the program alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from syncerr_tui.errors import NotLoggedInError, SyncErrError, UnreachableError

_GOOD_FOR_MORE = 8


class AdaptiveLimiter:
    """A limit on requests under way, for one event loop."""

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError("a pace needs at least one lane")
        self._most = most
        self._limit = most
        self._good = 0
        self._era = 0
        self._under_way = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be under way now."""
        return self._limit

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[int]:
        """Wait for a place, first come first served, and hold it. Gives what `on_error` is told."""
        if self._under_way >= self._limit or self._queue:
            await self._turn()
        else:
            self._under_way += 1
        try:
            yield self._era
        finally:
            self._under_way -= 1
            self._admit()

    async def _turn(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._under_way -= 1
                self._admit()
            raise

    def _admit(self) -> None:
        while self._queue and self._under_way < self._limit:
            place = self._queue.popleft()
            if not place.done():
                self._under_way += 1
                place.set_result(None)

    def on_error(self, era: int) -> None:
        """The org was too busy, or did not answer: halve, once for all requests that were under way together.
        Five refusals are one piece of news.
        """
        if era == self._era:
            self._era += 1
            self._good = 0
            self._limit = max(1, self._limit // 2)

    def on_success(self) -> None:
        """The org answered."""
        if self._limit == self._most:
            return
        self._good += 1
        if self._good >= _GOOD_FOR_MORE * self._limit:
            self._good = 0
            self._limit += 1
            self._admit()


T = TypeVar("T")


class ClosedError(UnreachableError):
    """The connection was closed while, or before, something was asked."""

    def __init__(self) -> None:
        super().__init__("The connection to the org has been closed", "Open it again")


_Job = tuple[asyncio.Future[Any], Callable[[], Any]]


class ThreadPool:
    """At most `size` threads, started when there is work for them.

    Not a `ThreadPoolExecutor`: the interpreter joins that one's threads at exit, which can be two minutes
    for a request that nobody waits for any more.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = 0
        self._waiting: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, job: Callable[[], T]) -> T:
        """Do one job in a thread. A job whose caller was cancelled before it began is never begun.

        Raises:
            ClosedError: `close` came first.
        """
        if self._closed:
            raise ClosedError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        if self._threads < min(self._size, len(self._waiting)):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"org-{self._threads}", daemon=True).start()
        self._jobs.put((future, job))
        return await future

    def close(self) -> None:
        """Stop at once: whoever waits gets a `ClosedError`, threads end when their request does."""
        self._closed = True
        for future in tuple(self._waiting):
            if not future.done():
                future.set_exception(ClosedError())
        for _ in range(self._threads):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (next_one := self._jobs.get()) is not None:
            future, job = next_one
            if future.done():
                continue
            result, failure = None, None
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - carried over to whoever waits, whatever it is
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                future.get_loop().call_soon_threadsafe(_deliver, future, result, failure)


def _deliver(future: asyncio.Future[Any], result: object, failure: BaseException | None) -> None:
    # Not asked for beforehand: Python's handler of ctrl-c cancels whoever waits between any two steps.
    with contextlib.suppress(asyncio.InvalidStateError):
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)


_ORG_ID = re.compile(r"00D[0-9A-Za-z]{12}!", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the door. Its text never shows in a repr."""

    instance_url: str
    """Scheme and host (and port, on loopback), no trailing slash."""
    access_token: str = field(repr=False)
    generation: int = 0
    """Counts the logins of one provider; says which token a request was made with."""


class TokenProvider:
    """Where threads get their token from: who finds it expired renews it, all others wait.

    simple-salesforce refreshes in every thread by itself: eight threads with one expired token log in eight
    times, and an org that answers "expired" for ever is asked until the recursion limit. Here a login happens
    once for a token that ran out, and a login that failed is not tried again: a person opens a new session.

    Args:
        login: Logs in and gives a fresh token; its generation is ignored. Called by one thread at a time.
        next_step: What a person can do when the session cannot be renewed, one sentence.
    """

    def __init__(self, login: Callable[[], Token], *, next_step: str) -> None:
        self._login = login
        self.next_step = next_step
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._generation = 0
        self._dead: SyncErrError | None = None
        self._doubted: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} generation {self._generation}>"

    def current(self) -> Token:
        """The token as it is known; the first call logs in.

        Raises:
            NotLoggedInError: The login was refused.
            UnreachableError: Nobody answered.
        """
        with self._lock:
            if self._token is not None:
                return self._token
            if self._dead is not None:
                raise self._dead
            return self._renewed()

    def renew(self, stale: Token) -> Token:
        """What to try instead of `stale`, which the org refused: a newer token, or the same once more.

        Whoever comes first logs in; the others get what that login gave.

        Raises:
            NotLoggedInError: There is no newer token. A person has to log in again.
            UnreachableError: Nobody answered.
        """
        with self._lock:
            if self._token is not None and self._token.generation > stale.generation:
                return self._token
            if self._dead is not None:
                raise self._dead
            return self._renewed(refused=stale.access_token)

    def _renewed(self, refused: str | None = None) -> Token:
        try:
            fresh = self._login()
        except NotLoggedInError as error:
            self._dead = error
            raise
        known = self._token
        if known is not None and not _same_org(known, fresh):
            # An alias was pointed to another org: every id on screen and in a run would mean nothing there.
            self._dead = NotLoggedInError(
                "The login now leads to another address than before",
                f"Log in to {known.instance_url} again, or quit and start anew for the other org",
            )
            raise self._dead
        if fresh.access_token == refused:
            # Some ways can only give the same token again. One refusal may be the org's hiccup, two are none.
            if self._doubted == refused:
                self._dead = NotLoggedInError("The Salesforce session has expired", self.next_step)
                raise self._dead
            self._doubted = refused
        self._generation += 1
        self._token = Token(fresh.instance_url, fresh.access_token, self._generation)
        return self._token


def _same_org(known: Token, fresh: Token) -> bool:
    """Whether two logins lead to one org. One that moved shows it: tokens begin with the org's id and `!`."""
    if known.instance_url.rstrip("/").casefold() == fresh.instance_url.rstrip("/").casefold():
        return True
    org = _ORG_ID.match(known.access_token)
    return org is not None and fresh.access_token.startswith(org[0])
