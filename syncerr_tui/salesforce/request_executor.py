"""One request, carried safely: worker threads, the token, the pace, and what to do when it fails.

Each worker thread has its own `Salesforce` object and session, made from the one token provider. Only the
branch of simple-salesforce that holds a ready token is used, so that the library never logs in by itself.
Reads are tried again. A write goes out once: after any pause whoever asked must look at the org again.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from syncerr_tui.errors import (
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.model import ApiUsage
from syncerr_tui.salesforce.concurrency import AdaptiveLimiter, ClosedError, ThreadPool, Token, TokenProvider
from syncerr_tui.salesforce.faults import OVERLOADED, ApiError, Kind, Retries, WayBlockedError, read_exception
from syncerr_tui.stopwatch import Leaving, Stopwatch

if TYPE_CHECKING:
    import requests
    from simple_salesforce.api import Salesforce

    from syncerr_tui.salesforce.transport import HttpLimits

T = TypeVar("T")

_UNAUTHORIZED = 401
_USAGE_AGE = 300.0
"""Seconds for which the org's last word about its API use is taken as true."""

API_VERSION = "66.0"
"""The newest version whose answers this program was written for (Spring '26)."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How an org is treated. The defaults are the polite ones."""

    concurrency: int = 4
    """Most requests under way at once."""
    api_reserve: float = 0.1
    """Share of the daily API calls that is left for the business."""
    api_version: str = API_VERSION
    wire: HttpLimits | None = None
    retries: Retries = field(default_factory=Retries)
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class _OfThread(threading.local):
    """What a thread has of its own."""

    library: Salesforce | None = None
    generation = 0
    """Of the token that the library was made with."""
    session: requests.Session | None = None
    address = ""
    """Where the session leads to."""
    retry_after: float | None = None
    """Seconds that the latest answer asked to wait."""


class RequestExecutor:
    """Runs jobs that make one request each. A job gets this thread's `Salesforce`."""

    def __init__(self, tokens: TokenProvider, options: ClientOptions) -> None:
        self._tokens = tokens
        self._options = options
        self._version = options.api_version
        # One thread more than requests: a page is read while all others wait for the org.
        self._workers = ThreadPool(options.concurrency + 1)
        self._pace = AdaptiveLimiter(options.concurrency)
        self._thread = _OfThread()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()
        self._expired: NotLoggedInError | None = None
        self._closed = False
        self._stopwatch = Stopwatch.of_this_machine()
        self._untried: int | None = None
        """Generation of a token that was got because a write was refused, until a write has gone through."""
        self._answered_at = options.clock()
        self.usage: ApiUsage | None = None
        """Daily API calls as the org's last answer told; None before the first."""
        self.instance_url = ""
        """Scheme and host of the org, without a trailing slash; empty until the first call has been made."""

    @property
    def concurrency(self) -> int:
        """Requests that may be under way at once right now."""
        return self._pace.limit

    @property
    def api_version(self) -> str:
        """The REST API version that is spoken, e.g. `64.0`."""
        return self._version

    def use_version(self, version: str) -> None:
        """Speak another one from the next request on."""
        self._version = version
        self._thread = _OfThread()

    async def read(self, job: Callable[[Salesforce], T], *, essential: bool = False) -> T:
        """Make a request that changes nothing. Tried again where that can help.

        Args:
            job: Makes the request and checks the answer's shape.
            essential: Made even when the daily reserve is reached: to find out what a write has done.
        """
        return await self._send(job, essential=essential)

    def at_once(self) -> Leaving:
        """Lets a request leave only within a short time from now."""
        asked_at = self._stopwatch.now()
        return lambda: self._stopwatch.check_fresh(asked_at)

    async def write(
        self, job: Callable[[Salesforce], T], *, leaving: Leaving | None = None, custom: bool = False
    ) -> T:
        """Make a request that changes something, at once or not at all.

        Args:
            job: Makes the request and checks the answer's shape.
            leaving: Called when the request leaves; None: `at_once`.
            custom: The org's own code answers (Apex REST): only a 401, or a connection that did not come
                about, proves that nothing was done.

        Raises:
            NotSentError: It did not reach the org, or only after a pause it could have.
            OutcomeUnknownError: It may have been carried out.
            SyncErrError: Any other one means that it was not.
        """
        if self._closed:
            raise ClosedError
        refusal: SyncErrError
        try:
            return await self._send(job, leaving=leaving or self.at_once(), custom=custom)
        except ClosedError:
            refusal = OutcomeUnknownError("The connection was closed while a request was under way")
        except _NoLoginHostError as error:
            refusal = NotSentError(f"Nothing was sent: {error.title}", error.hint)
        raise refusal

    async def in_thread(self, job: Callable[[], T]) -> T:
        """Run something heavy but quiet (no request) beside the event loop."""
        return await self._workers.run(job)

    async def close(self) -> None:
        """Let go at once. Whoever waits for an answer gets an error; a write's outcome is then unknown."""
        self._closed = True
        self._workers.close()
        with self._lock:
            for session in self._sessions:
                session.close()

    async def _send(
        self,
        job: Callable[[Salesforce], T],
        *,
        leaving: Leaving | None = None,
        essential: bool = False,
        custom: bool = False,
    ) -> T:
        """`leaving`: of a write; None for a read."""
        options, writing = self._options, leaving is not None
        if not essential:
            self._check_api_reserve()
        tried, started = 0, options.clock()
        while True:
            if self._expired is not None:
                raise NotLoggedInError(self._expired.title, self._expired.hint)
            async with self._pace.permit() as era:
                outcome = await self._workers.run(lambda: self._attempt(job, leaving, custom=custom))
            self._answered_at = options.clock()
            if not isinstance(outcome, ApiError):
                self._pace.on_success()
                return outcome
            tried += 1
            if outcome.kind in OVERLOADED:
                self._pace.on_error(era)
            wait = options.retries.delay(
                outcome,
                writing=writing,
                tried=tried,
                elapsed=options.clock() - started,
                jitter=options.jitter,
            )
            if wait is None:
                raise self._failure(outcome, writing=writing, custom=custom)
            await options.sleep(wait)

    def _failure(self, outcome: ApiError, *, writing: bool, custom: bool) -> SyncErrError:
        dead = self._expired
        if dead is not None and outcome.kind is Kind.SESSION and outcome.status in {None, 401}:
            return NotLoggedInError(dead.title, dead.hint)
        return outcome.error(host=self._host, writing=writing, custom=custom)

    def _attempt(
        self, job: Callable[[Salesforce], T], leaving: Leaving | None, *, custom: bool
    ) -> T | ApiError:
        """In a worker thread: one request, and a read once more where the org refused the token.

        A write is handed back with the new token at hand: its rows are looked at before it goes again.
        Faults come back as values: a raised one would drag the library's exception along as its context,
        and that one holds the request with its Authorization header.
        """
        if self._closed:
            raise ClosedError
        token = _token(self._tokens.current)
        outcome = self._try(job, token, leaving)
        if not isinstance(outcome, ApiError) and leaving is not None:
            self._untried = None
        if (
            isinstance(outcome, ApiError)
            and outcome.kind is Kind.SESSION
            and token.generation != self._untried
        ):
            if custom and outcome.status != _UNAUTHORIZED:  # the org's own code may have said so
                return outcome
            try:
                stale = token
                token = _token(lambda: self._tokens.renew(stale))
            except NotLoggedInError as error:
                self._expired = error
                raise
            if leaving is not None:
                self._untried = token.generation
                return ApiError(Kind.RENEWED)
            outcome = self._try(job, token)
        if isinstance(outcome, ApiError) and outcome.kind in {Kind.SESSION, Kind.TOKEN}:
            self._expired = NotLoggedInError(
                "The Salesforce session has expired"
                if outcome.kind is Kind.SESSION
                else "Salesforce does not accept the access token",
                f"{self._tokens.next_step}; the org may also have withdrawn this user's API access",
            )
        return outcome

    def _try(
        self, job: Callable[[Salesforce], T], token: Token, leaving: Leaving | None = None
    ) -> T | ApiError:
        try:
            library = self._library(token)
            from syncerr_tui.salesforce.transport import departure

            with departure(leaving):
                return job(library)
        except SyncErrError:
            raise
        except Exception as error:  # sorted just below; what is unknown goes on as it is
            fault = read_exception(error)
            if fault is None:
                raise
            # An org, or whoever answers in its place, may quote the header that it did not like.
            words = fault.words.replace(token.access_token, "(token)") if token.access_token else fault.words
            return dataclasses.replace(fault, words=words, retry_after=self._thread.retry_after)

    def _library(self, token: Token) -> Salesforce:
        """This thread's simple-salesforce, rebuilt when the token is another one."""
        thread = self._thread
        if thread.library is not None and thread.generation == token.generation:
            return thread.library
        library = import_library()
        from syncerr_tui.salesforce.transport import open_session

        self.instance_url = token.instance_url.rstrip("/")
        if thread.session is None or thread.address != token.instance_url:
            if thread.session is not None:
                thread.session.close()
            thread.session = open_session(token.instance_url, self._options.wire, self._saw)
            thread.address = token.instance_url
            with self._lock:
                self._sessions.append(thread.session)
        thread.library = library(
            instance_url=token.instance_url,
            session_id=token.access_token,
            version=self._version,
            session=thread.session,
            object_pairs_hook=dict,
        )
        thread.library.headers |= {"X-PrettyPrint": "0", "Sforce-Call-Options": "client=syncerr-tui"}
        thread.generation = token.generation
        return thread.library

    def _saw(self, headers: Mapping[str, str]) -> None:
        """What an answer, good or bad, tells on the side."""
        from syncerr_tui.salesforce.transport import api_usage, retry_after

        self._thread.retry_after = retry_after(headers)
        self.usage = api_usage(headers) or self.usage

    def _check_api_reserve(self) -> None:
        usage = self.usage
        if usage is None or usage.total <= 0 or self._options.api_reserve <= 0:
            return
        if self._options.clock() - self._answered_at > _USAGE_AGE:
            return  # calls may have come back since: one request finds out
        if usage.used >= usage.total * (1 - self._options.api_reserve):
            raise WayBlockedError(
                f"The org has used {usage.used:,} of its {usage.total:,} API calls for today; "
                f"the last {self._options.api_reserve:.0%} are left for the business",
                "Wait until calls come back, or lower api_reserve in the org profile",
            )

    @property
    def _host(self) -> str:
        return urlsplit(self.instance_url).hostname or "The org"


class _NoLoginHostError(UnreachableError):
    """There was no token to be had: the request was never made."""


def _token(get: Callable[[], Token]) -> Token:
    try:
        return get()
    except UnreachableError as error:
        title, hint = error.title, error.hint
    raise _NoLoginHostError(title, hint)


_import_lock = threading.Lock()


def import_library() -> type[Salesforce]:
    """simple-salesforce, imported when a connection is made: it costs about as much as Textual itself.

    Its warnings would be written across the screen.
    """
    with _import_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from simple_salesforce.api import Salesforce
    return Salesforce
