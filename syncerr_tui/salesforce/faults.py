"""What went wrong with one request, read from whatever simple-salesforce, requests or the org threw.

An `ApiError` is a value: it holds no request, no header, no token, and no exception that does. What may be
done about it (try again, and when) and how it is told to a person are decided here, in one place.
Sources: reference figures of Salesforce's REST documentation on limits and status codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from syncerr_tui.errors import (
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.text import one_line

QUOTE_LIMIT = 300
"""Characters of what an org says that are quoted."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z", re.ASCII)


class WayBlockedError(RefusedError):
    """Refused whatever was asked: the calls are used up, or the answer pointed to another host.

    It says nothing about whether the thing that was asked for exists.
    """


class Kind(Enum):
    """What a fault says about the request: did it arrive, was it done, may it go again?"""

    NOT_SENT = auto()
    """No connection came about. Nothing arrived."""
    LOST = auto()
    """It left, and no whole answer came back."""
    BUSY = auto()
    """The org refused it unread because too much is going on. Nothing was done."""
    GATEWAY = auto()
    """Something between us and the org answered, or the org is in maintenance."""
    BROKEN = auto()
    """The org itself failed (500)."""
    NOT_JSON = auto()
    """An answer, but not in Salesforce's language."""
    SESSION = auto()
    """The token has expired; another one may help."""
    TOKEN = auto()
    """The token is no token; asking again with it is useless."""
    QUOTA = auto()
    """The day's API calls are used up."""
    FORBIDDEN = auto()
    MISSING = auto()
    """404: no such object, action or record, or it is hidden from us."""
    BAD_REQUEST = auto()
    ELSEWHERE = auto()
    """The server wants to send us to another host."""
    CERTIFICATE = auto()
    """The server's certificate is not trusted. Nothing was sent."""
    PROXY = auto()
    """The proxy did not let us through. Nothing arrived."""
    RENEWED = auto()
    """The token had expired, and a new one is at hand. The org refused the request unread."""


NOTHING_ARRIVED = frozenset({Kind.NOT_SENT, Kind.CERTIFICATE, Kind.PROXY, Kind.RENEWED})
OVERLOADED = frozenset({Kind.LOST, Kind.BUSY, Kind.GATEWAY})
"""Signs that fewer requests at once would be better."""
_MAY_READ_AGAIN = frozenset({Kind.NOT_SENT, Kind.LOST, Kind.BUSY, Kind.GATEWAY, Kind.NOT_JSON, Kind.BROKEN})
_DONE_OR_NOT = frozenset({Kind.LOST, Kind.GATEWAY, Kind.NOT_JSON, Kind.BROKEN, Kind.ELSEWHERE})


@dataclass(frozen=True, slots=True)
class ApiError:
    """One request that failed."""

    kind: Kind
    status: int | None = None
    code: str | None = None
    """Salesforce's errorCode, e.g. REQUEST_LIMIT_EXCEEDED."""
    words: str = ""
    """The org's message, harmless and short."""
    retry_after: float | None = None
    """Seconds that a proxy or the org asked for."""

    def error(self, *, host: str, writing: bool, custom: bool = False) -> SyncErrError:
        """The same in words a person can act on.

        Args:
            host: The org's host name.
            writing: The request changes something.
            custom: The org's own code answers at that address: what it refuses it may have done in part.
        """
        if writing and (self.kind in _DONE_OR_NOT or (custom and not self._unread)):
            return OutcomeUnknownError(
                f"The request was sent to {host}; whether it was carried out is not known ({self._short})"
            )
        if writing and self.kind in NOTHING_ARRIVED | {Kind.BUSY}:
            return NotSentError(f"Nothing was sent: {self._what(host)}", self._advice())
        return _TYPES.get(self.kind, UnreachableError)(self._what(host), self._advice())

    @property
    def _unread(self) -> bool:
        """Whether the platform refused the request before any code of the org ran."""
        return self.kind in NOTHING_ARRIVED or (self.status in {None, 401} and self.kind in _SESSIONS)

    @property
    def _short(self) -> str:
        if self.kind is Kind.LOST:
            return "no answer came back"
        return f"HTTP {self.status}" if self.status else "no answer came back"

    def _what(self, host: str) -> str:
        text = _WHAT[self.kind].format(host=host, status=self.status)
        return f"{text} ({self.code})" if self.code and self.kind in _CODES_HELP else text

    def _advice(self) -> str:
        advice = _ADVICE[self.kind]
        quoted = ""
        if self.words and self.kind in _WORDS_HELP:
            quoted = f"Salesforce says: {self.words.rstrip('.')}. "
        return f"{quoted}{advice}"


_TYPES: dict[Kind, type[SyncErrError]] = {
    Kind.SESSION: NotLoggedInError,
    Kind.TOKEN: NotLoggedInError,
    Kind.QUOTA: WayBlockedError,
    Kind.FORBIDDEN: RefusedError,
    Kind.MISSING: RefusedError,
    Kind.BAD_REQUEST: RefusedError,
    Kind.ELSEWHERE: WayBlockedError,
}
_SESSIONS = frozenset({Kind.SESSION, Kind.TOKEN})
_CODES_HELP = frozenset({Kind.FORBIDDEN, Kind.MISSING, Kind.BAD_REQUEST, Kind.BROKEN})
_WORDS_HELP = _CODES_HELP | {Kind.QUOTA, Kind.TOKEN}
_WHAT = {
    Kind.NOT_SENT: "{host} could not be reached",
    Kind.LOST: "{host} did not answer in time, or the line dropped",
    Kind.BUSY: "{host} is handling too many requests at once",
    Kind.GATEWAY: "{host} is not available right now (HTTP {status})",
    Kind.BROKEN: "{host} failed while it worked on the request",
    Kind.NOT_JSON: "{host} answered with something that is not Salesforce's",
    Kind.SESSION: "The Salesforce session has expired",
    Kind.TOKEN: "Salesforce does not accept the access token",
    Kind.QUOTA: "The org's API calls for today are used up",
    Kind.FORBIDDEN: "Salesforce does not allow this",
    Kind.MISSING: "Salesforce does not know what was asked for, or hides it from this user",
    Kind.BAD_REQUEST: "Salesforce could not carry out the request",
    Kind.ELSEWHERE: "{host} redirected to another address; the access token was not sent there",
    Kind.CERTIFICATE: "The certificate of {host} is not trusted by this machine",
    Kind.PROXY: "The proxy did not open the way to {host}",
    Kind.RENEWED: "The Salesforce session had expired, and has been renewed",
}
_ADVICE = {
    Kind.NOT_SENT: "Check the network and the org's address, then retry",
    Kind.LOST: "Check the line, then retry",
    Kind.BUSY: "Wait a minute, then retry; a lower concurrency in the profile helps too",
    Kind.GATEWAY: "Wait a few minutes and retry; status.salesforce.com shows maintenance",
    Kind.BROKEN: "Retry later; if it stays, Salesforce support can help",
    Kind.NOT_JSON: "A maintenance page or a proxy may be in between; retry later, or check the address",
    Kind.SESSION: "Log in again",
    Kind.TOKEN: "Log in again, and check where the token comes from",
    Kind.QUOTA: "They come back over the next 24 hours",
    Kind.FORBIDDEN: "Ask the org's admin for the permission",
    Kind.MISSING: "Check the names in the org profile, and the permissions of this user",
    Kind.BAD_REQUEST: "Check the names in the org profile ('syncerr-tui doctor' shows them)",
    Kind.ELSEWHERE: "Check the org's address: it should be the My Domain one, ending in .my.salesforce.com",
    Kind.CERTIFICATE: "With a company proxy, set REQUESTS_CA_BUNDLE to its certificate file",
    Kind.PROXY: "Check HTTPS_PROXY and NO_PROXY",
    Kind.RENEWED: "Retry",
}


@dataclass(frozen=True, slots=True)
class Retries:
    """When to try again, and for how long.

    Full jitter: a crowd that was refused together must not come back together.
    """

    tries: int = 5
    first: float = 1.0
    """Upper bound of the first delay in seconds; it doubles each time."""
    cap: float = 60.0
    budget: float = 90.0
    """Seconds after which a failing request is not begun again: a person is waiting."""

    def delay(
        self, fault: ApiError, *, writing: bool, tried: int, elapsed: float, jitter: Callable[[], float]
    ) -> float | None:
        """Seconds until the next try, or None: tell the person.

        Args:
            fault: What happened last.
            writing: The request changes something: whoever asked must look at the org again first.
            tried: How often it was sent so far, at least 1.
            elapsed: Seconds since the first try.
            jitter: Random numbers in [0, 1).
        """
        if writing or fault.kind not in _MAY_READ_AGAIN:
            return None
        most = {Kind.BROKEN: 2, Kind.NOT_JSON: 2, Kind.NOT_SENT: 3}.get(fault.kind, self.tries)
        if tried >= most or elapsed > self.budget:
            return None
        if fault.retry_after is not None:
            return min(fault.retry_after, self.cap)
        longest: float = min(self.cap, self.first * 2 ** (tried - 1))
        return jitter() * longest


def read_answer(status: int, content: object) -> ApiError:
    """The fault in an answer that is no success.

    Args:
        status: HTTP status.
        content: The parsed body: a list of `{errorCode, message}`, OAuth's dict, or text.
    """
    code, words = _code_and_words(content)
    return ApiError(_kind(status, code, words, html=isinstance(content, str)), status, code, words)


def _kind(status: int, code: str | None, words: str, *, html: bool) -> Kind:
    if code == "REQUEST_LIMIT_EXCEEDED":
        return Kind.QUOTA if "totalrequests" in words.lower().replace(" ", "") else Kind.BUSY
    if status == 401:
        return Kind.TOKEN if code == "INVALID_AUTH_HEADER" else Kind.SESSION
    if code == "INVALID_SESSION_ID":
        return Kind.SESSION
    if status == 429:
        return Kind.BUSY
    if status in {420, 502, 503, 504}:
        return Kind.GATEWAY
    if 300 <= status < 400:
        return Kind.ELSEWHERE if status != 300 else Kind.BAD_REQUEST
    if status >= 500:
        return Kind.BROKEN
    if status in {414, 431}:  # too long a request: no other address and no later time will help
        return Kind.BAD_REQUEST
    if html and status not in {403, 404}:
        return Kind.NOT_JSON
    return {403: Kind.FORBIDDEN, 404: Kind.MISSING}.get(status, Kind.BAD_REQUEST)


def _code_and_words(content: object) -> tuple[str | None, str]:
    """Code and words of an error body in any of its three shapes."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return None, ""
    code = first.get("errorCode") or first.get("statusCode") or first.get("error")
    words = first.get("message") or first.get("error_description") or ""
    safe = code if isinstance(code, str) and _CODE.match(code) else None
    return safe, quotable(words)


def quotable(words: object) -> str:
    """What an org said as one line that can be quoted; empty where it is no text."""
    return one_line(words)[:QUOTE_LIMIT] if isinstance(words, str) else ""


def read_exception(error: Exception) -> ApiError | None:
    """The fault behind an exception of simple-salesforce or requests; None where it is neither."""
    from requests import exceptions as wire
    from simple_salesforce.exceptions import SalesforceError

    from syncerr_tui.salesforce.transport import RedirectRefusedError, TooLargeError

    if isinstance(error, SalesforceError):
        return read_answer(error.status, error.content)
    if isinstance(error, wire.InvalidHeader | UnicodeEncodeError):
        return ApiError(Kind.TOKEN)  # a line feed or worse in the token: it cannot even be sent
    if isinstance(error, RedirectRefusedError | wire.TooManyRedirects):
        return ApiError(Kind.ELSEWHERE)
    if isinstance(error, TooLargeError | wire.InvalidJSONError | wire.ContentDecodingError):
        return ApiError(Kind.NOT_JSON)
    if isinstance(error, wire.ProxyError):
        return ApiError(Kind.PROXY)
    if isinstance(error, wire.SSLError):
        return ApiError(Kind.CERTIFICATE if _untrusted(error) else Kind.LOST)
    if isinstance(error, wire.ConnectTimeout) or _never_connected(error):
        return ApiError(Kind.NOT_SENT)
    if isinstance(error, wire.RequestException):
        return ApiError(Kind.LOST)
    if isinstance(error, ValueError | RecursionError):
        return ApiError(Kind.NOT_JSON)
    return None


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and what urllib3 wrapped in it, outermost first."""
    causes: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        one = queue.pop(0)
        if isinstance(one, BaseException) and not any(one is known for known in causes):
            causes.append(one)
            queue += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
    return causes


def _never_connected(error: BaseException) -> bool:
    from urllib3.exceptions import NewConnectionError

    return any(isinstance(one, NewConnectionError) for one in _causes(error))


def _untrusted(error: BaseException) -> bool:
    import ssl

    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _causes(error))
