"""HTTP as this program wants it: bounded in time and size, to one host only, with nothing left to defaults.

requests knows no timeout unless told, takes `~/.netrc` for a better token than ours, follows a redirect
wherever it leads, and waits for ever on a server that sends one byte a minute. All of it is decided here,
beneath simple-salesforce, so that calls which take no settings (and logins) are covered too.
Proxies and private certificate authorities come from the environment, as everywhere
(`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`).
"""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response

from syncerr_tui import __version__
from syncerr_tui.diagnosis.links import safe_url
from syncerr_tui.errors import BadInputError
from syncerr_tui.model import ApiUsage
from syncerr_tui.stopwatch import Leaving

CLIENT_NAME = "syncerr-tui"
"""How the org's own logs name our calls."""

_REDIRECTS = 3
_IDLE_LIMIT = 50.0
"""Seconds. Load balancers drop idle connections without a word after a minute or more; a write on such a
connection would end with an unknown outcome for no reason."""
_USAGE = re.compile(r"(?:^|[;\s])api-usage=(\d{1,12})/(\d{1,12})")


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of one request. Seconds and bytes."""

    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    """Longest silence of the server. A REST call may run ten minutes there; ours are short ones."""
    answer_timeout: float = 300.0
    """Longest time for one whole answer, head and body, however steadily it drips."""
    max_bytes: int = 64 * 1024 * 1024
    """Largest answer after unzipping. A page of 2,000 errors with long messages is about 4 MB."""
    connections: int = 1
    """Connections kept to the host. A session here serves one thread."""


@dataclass(frozen=True, slots=True)
class AllowedOrigin:
    """The one host that may be talked to."""

    host: str
    port: int
    plain: bool
    """True: http, which only loopback may use."""

    @classmethod
    def of(cls, address: str) -> AllowedOrigin:
        """Read an instance URL.

        Raises:
            BadInputError: It is no https address (or http on loopback).
        """
        if not safe_url(address):
            raise BadInputError(
                "The org's address is not one that a token may be sent to",
                "It must look like https://acme.my.salesforce.com (http only for 127.0.0.1)",
            )
        parts = urlsplit(address)
        plain = parts.scheme == "http"
        return cls(parts.hostname or "", parts.port or (80 if plain else 443), plain)

    def holds(self, address: str) -> bool:
        """Whether an address lies here.

        simple-salesforce writes https everywhere, so the scheme does not count for a plain origin.
        """
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not self.plain):
            return False
        usual = 80 if self.plain else 443
        return (parts.hostname or "").lower() == self.host and self.port == (port or usual)


class RedirectRefusedError(requests.exceptions.RequestException):
    """The server pointed somewhere the token must not go."""


class TooLargeError(requests.exceptions.RequestException):
    """The answer is larger than anything an org sends."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait. Its date form is not worth a clock: the usual back-off does."""
    wait = headers.get("Retry-After", "").strip()
    return float(wait) if re.fullmatch("[0-9]{1,6}", wait) else None


def api_usage(headers: Mapping[str, str]) -> ApiUsage | None:
    """Daily API calls; None where an answer does not tell."""
    match = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
    return ApiUsage(int(match[1]), int(match[2])) if match else None


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock when it answered, to the second; None where the header is missing or broken, or
    where the answer says that it comes out of a cache.
    """
    age = headers.get("Age", "0").strip()
    if age != "0" or headers.get("Warning", "").startswith(("110", "113")):
        return None
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def open_session(
    address: str,
    wire: HttpLimits | None = None,
    saw: Callable[[Mapping[str, str]], None] = lambda _headers: None,
) -> requests.Session:
    """A session that talks to this address' host only. One for each thread.

    `saw` gets the headers of every answer, good or bad.

    Raises:
        BadInputError: The address is not https, nor http on loopback.
    """
    session = _OneHostSession()
    origin = AllowedOrigin.of(address)
    session.origin = origin
    session.max_redirects = _REDIRECTS
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Proxies and certificates of the environment, read once: requests searches it again for every request.
    settings = session.merge_environment_settings(address, {}, None, None, None)
    session.proxies, session.verify = settings["proxies"], settings["verify"]
    session.trust_env = False
    _bind(session, origin.holds, wire or HttpLimits(), plain=origin.plain)
    session.hooks["response"].append(lambda response, *_, **__: saw(response.headers))
    return session


def open_org_session(address: str, accepts: Callable[[str], bool]) -> requests.Session:
    """A session with cookies, for the several hosts of one org. Redirects are for the caller to follow.

    Args:
        address: The org's; http is for loopback only.
        accepts: Whether an address lies in the org. No other one is ever asked.
    """
    home = AllowedOrigin.of(address)
    session = requests.Session()
    if home.plain:
        session.cookies.set_policy(DefaultCookiePolicy(secure_protocols=("https", "http")))
    _bind(session, accepts, HttpLimits(), plain=home.plain)
    return session


def _bind(
    session: requests.Session, accepts: Callable[[str], bool], wire: HttpLimits, *, plain: bool
) -> None:
    session.auth = _keep_token
    session.headers["User-Agent"] = f"{CLIENT_NAME}/{__version__}"
    session.adapters.clear()
    adapter = BoundedAdapter(accepts, wire, plain=plain)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


def _keep_token(request: PreparedRequest) -> PreparedRequest:
    """An `auth` that changes nothing: its presence keeps `~/.netrc` from replacing the token."""
    return request


class _OneHostSession(requests.Session):
    origin: AllowedOrigin

    def get_redirect_target(self, resp: Response) -> str | None:
        target: str | None = super().get_redirect_target(resp)
        if target is None:
            return None
        moves_on = resp.request.method in {"GET", "HEAD"} and self.origin.holds(urljoin(resp.url, target))
        if not moves_on:
            raise RedirectRefusedError(response=resp)
        return target

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Nothing to rebuild on the same host; requests would ask `~/.netrc` here once more."""


class BoundedAdapter(HTTPAdapter):
    """Sends where it may, with every bound of `HttpLimits`, whatever the caller forgot."""

    def __init__(
        self,
        accepts: Callable[[str], bool],
        wire: HttpLimits,
        *,
        plain: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accepts = accepts
        self._plain = plain
        self._wire = wire
        self._clock = clock
        self._last_used = clock()
        super().__init__(pool_connections=2, pool_maxsize=wire.connections, max_retries=0)

    def get_connection_with_tls_context(self, *args: Any, **settings: Any) -> Any:  # noqa: ANN401
        """The pool of a host or proxy, its connections bound to `HttpLimits.answer_timeout`."""
        pool: Any = super().get_connection_with_tls_context(*args, **settings)
        pool.ConnectionCls = _timed(pool.ConnectionCls, self._wire.answer_timeout)
        return pool

    def send(  # type: ignore[override]  # the stubs name each setting; all of them but two are handed on
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        proxies: Mapping[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Response:
        """Send one request; its answer is bounded while it is read."""
        if not self._accepts(request.url or ""):
            raise RedirectRefusedError(request=request)
        if self._plain:
            request.url = re.sub("^https", "http", request.url or "")
            proxies = None
        now = self._clock()
        if now - self._last_used > _IDLE_LIMIT:
            self.close()
        self._last_used = now
        bounds = (self._wire.connect_timeout, self._wire.read_timeout)
        response = super().send(request, stream=True, timeout=bounds, proxies=proxies, **kwargs)
        response.raw = _BoundedBody(response.raw, self._wire.max_bytes)
        return response


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a deadline, however often a byte arrives.

    A socket's own timeout starts anew with every byte: a head that drips would be waited for without end.
    """

    def __init__(self, raw: io.RawIOBase, sock: Any, limit: float) -> None:  # noqa: ANN401 - plain or TLS
        self._raw = raw
        self._sock = sock
        self._silence = sock.gettimeout()
        self._deadline = time.monotonic() + limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - anything that bytes can be put into
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left if self._silence is None else min(left, self._silence))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """An answer of http.client with a deadline."""

    def __init__(self, sock: Any, *args: Any, limit: float, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(_Readable(sock, limit), *args, **settings)  # type: ignore[arg-type]


class _Readable:
    """The one thing that http.client does with a socket that it reads from."""

    def __init__(self, sock: Any, limit: float) -> None:  # noqa: ANN401
        self._sock = sock
        self._limit = limit

    def makefile(self, mode: str) -> io.BufferedReader:
        raw = self._sock.makefile(mode, buffering=0)
        return io.BufferedReader(_TimedReader(raw, self._sock, self._limit))


class _OfThread(threading.local):
    leaving: Leaving | None = None


_thread = _OfThread()


@contextmanager
def departure(leaving: Leaving | None) -> Iterator[None]:
    """What this thread sends meanwhile may leave only if this allows it: it is asked now, and again after
    each new connection, as looking up a host's name may take long. None: anything may leave.
    """
    before = _thread.leaving
    _thread.leaving = leaving
    try:
        if leaving is not None:
            leaving()
        yield
    finally:
        _thread.leaving = before


class _Timed:
    """Connections whose answers have a deadline."""

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # of the connection that it is mixed into
        if _thread.leaving is not None:
            _thread.leaving()


def _timed(connection: type[Any], limit: float) -> type[Any]:
    """The same kind of connection with a deadline for its answers, those to a proxy's CONNECT included."""
    if issubclass(connection, _Timed):
        return connection
    response = staticmethod(partial(_TimedResponse, limit=limit))
    return type(connection.__name__, (_Timed, connection), {"response_class": response})


class _BoundedBody:
    """An answer's body that gives up when it grows too large."""

    def __init__(self, raw: Any, max_bytes: int) -> None:  # noqa: ANN401 - urllib3's response
        self._raw = raw
        self._max_bytes = max_bytes

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - stands in for urllib3's response
        return getattr(self._raw, attribute)

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """What requests reads a body with, a piece at a time."""
        size = 0
        while piece := self._raw.read1(max(amt, 65536), decode_content=decode_content):
            size += len(piece)
            if size > self._max_bytes:
                self._raw.close()
                raise TooLargeError
            yield piece
        self._raw.release_conn()
