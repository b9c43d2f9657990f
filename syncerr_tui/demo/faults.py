"""Faults on purpose: `--fault NAME[:VALUE][:WHERE][:COUNT]`, so that a client can be tried against trouble.

NAME is one of `FAULTS`. VALUE is that fault's own (seconds, an address, a number). WHERE limits it to some
requests: `read`, `write`, `query`, `dml`, `action`, `describe`, `apexrest`, `login`, `metadata`, `all`, a
method (`PATCH`) or a path (`/limits`, found anywhere in the request's path). COUNT says how many times it
happens; `every=N` lets it happen to each N-th request only. The parts after NAME may come in any order.
The demo's own control endpoints (`/services/apexrest/demo/`) never fail. The names of
`ENGINE_FAULTS` are ways in which the sync engine does something else than what it says.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from syncerr_tui.demo.http import Request
from syncerr_tui.errors import BadInputError

SETUP_FAULTS: Mapping[str, tuple[str, int | None]] = {
    "setup-locked": ("a deployment is running: metadata writes are refused, and nothing changes", None),
    "setup-error-though-done": ("a metadata write is done and answered with an error", None),
    "setup-half-done": ("of several components in one updateMetadata every second one is refused", None),
    "no-setup-permission": ("the user may not change metadata", None),
    "no-record-edit": ("the user may read records and not change them", None),
    "setup-late": ("a metadata write is answered with an error, and carried out two seconds later", 1),
    "soap-refuses-token": ("the Metadata API answers INVALID_SESSION_ID, as to some kinds of token", None),
    "colleague-edits": ("behind each reading of a component somebody edits its description", 1),
    "colleague-switches-back": ("behind each switch-off somebody switches the component on again", 1),
    "metadata-unreadable": ("Metadata is null, as that of packages is", None),
}
"""Name -> what happens, and how often where no count is given (None: always)."""


BUTTON_FAULTS: Mapping[str, tuple[str, int | None]] = {
    "lwr-absent": ("/lwr/apex is not offered: 404 with an HTML page", None),
    "lwr-no-access": ("/lwr/apex: 404 without a body, as for a class that the user may not run", None),
    "lwr-bad-params": ("/lwr/apex: 400, the method's parameters have other names now", None),
    "lwr-forbidden": ("/lwr/apex: 403", None),
    "lwr-redirect": ("/lwr/apex: 302 to the login page", None),
    "apex-throws": ("the button's Apex throws, after the press was counted; nothing is queued", None),
    "button-refuses": ("the button answers success, and in its value success: false", None),
    "returns-void": ("the button's method returns nothing", None),
    "returns-json": ("the button's method returns its value as a JSON string", None),
    "no-class-access": ("the user may not run the button's Apex class", None),
    "no-web-scope": ("no Lightning session for this token: 403 Bad_OAuth_Token, and the login page", None),
    "singleaccess-absent": ("singleaccess: 404", None),
    "frontdoor-post-only": ("frontdoor.jsp takes no session id in an address", None),
    "bridge-http": ("from frontdoor to Lightning by HTTP redirects alone", None),
    "bridge-href": ("from frontdoor to Lightning by window.location.href", None),
    "bridge-escaped": ("from frontdoor to Lightning by an address full of escapes", None),
    "bridge-loop": ("from frontdoor in a circle", None),
    "bridge-foreign": ("from frontdoor to a foreign host", None),
    "login-flow": ("a login flow's page instead of Lightning", None),
    "mfa-page": ("200 with the page that verifies the identity, instead of Lightning", None),
    "page-old-token": ("the page holds the token itself, as it was until 2023", None),
    "page-no-token": ("the page has no token at all, as for a guest", None),
    "page-context-in-urls": ("the page's context stands in the addresses of its scripts alone", None),
    "page-stale-cookie": ("the token in the page's cookie is too old already", None),
    "out-of-sync": ("/aura: the framework was updated since the page was loaded", 1),
    "out-of-sync-inside": ("/aura: the same, told inside the action", 1),
    "framework-error-bare": ("/aura: framework errors come as JSON without */", None),
    "csrf-new-token": ("/aura: the token is refused and a new one given", 1),
    "csrf-invalid": ("/aura: the token is refused; 'invalid_csrf' instead of a new one", 1),
    "csrf-refused": ("/aura: the token is refused, and no new one given", 1),
    "session-gone": ("/aura: 401, the Lightning session has ended", 1),
    "aura-empty": ("/aura: 200 without a body, and nothing runs", None),
    "action-missing": ("/aura: the action is not run and not in the answer", None),
    "no-apex-action": ("/aura: 'No apex action available', and nothing runs", None),
    "foreign-answers": ("/aura: answers in another order, behind one to nobody's action", None),
    "while-prefix": ("/aura: while(1); in front of the JSON", None),
}
"""Name -> what happens, and how often where no count is given (None: always)."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be asked for."""

    help: str
    value: str | None = None
    """Its value where none is given; None: it takes no value."""
    where: str = "all"
    count: int | None = None
    """How often it happens where no count is given; None: always."""
    every: int = 1


FAULTS: Mapping[str, FaultKind] = {
    "latency": FaultKind("wait VALUE seconds before each answer", "0.5"),
    "jitter": FaultKind("wait up to VALUE seconds, by chance", "0.5"),
    "drop-before": FaultKind("close the connection before the request is processed"),
    "drop-after": FaultKind("process the request, then close the connection without an answer"),
    "lost-reply": FaultKind("process the request, never answer, keep the connection open"),
    "duplicate-reply": FaultKind("send the answer twice on the connection"),
    "expire-once": FaultKind("401 INVALID_SESSION_ID, once; the token stays good", count=1),
    "expire-forever": FaultKind("401 INVALID_SESSION_ID, whatever token is sent"),
    "forbid-limit": FaultKind("403 REQUEST_LIMIT_EXCEEDED, the daily limit"),
    "forbid-concurrent": FaultKind("403 REQUEST_LIMIT_EXCEEDED, over VALUE requests under way", "0"),
    "forbid-permission": FaultKind("403 INSUFFICIENT_ACCESS"),
    "maintenance": FaultKind("503 with an HTML page"),
    "server-error": FaultKind("500 UNKNOWN_EXCEPTION"),
    "html-200": FaultKind("200 with an HTML page instead of JSON"),
    "slow-drip": FaultKind("send the answer 64 bytes at a time, VALUE seconds apart", "0.2"),
    "truncated-json": FaultKind("cut the JSON of the answer in half"),
    "redirect": FaultKind("302 to the same path at the address VALUE", "http://127.0.0.1:1"),
    "repeated-locator": FaultKind(
        "every page of a query is the same page, with the same locator", where="query"
    ),
    "expired-locator": FaultKind("400 INVALID_QUERY_LOCATOR on a query's second page", where="query"),
    "lock-errors": FaultKind(
        "UNABLE_TO_LOCK_ROW on each VALUE-th row of an action or collection", "3", "write"
    ),
    "partial-actions": FaultKind("each VALUE-th input of an action is refused (HTTP 400)", "2", "action"),
    "clock-skew": FaultKind("the org's clock is VALUE seconds ahead (negative: behind)", "300"),
    **{name: FaultKind(meaning, count=count) for name, (meaning, count) in BUTTON_FAULTS.items()},
    **{name: FaultKind(meaning, count=count) for name, (meaning, count) in SETUP_FAULTS.items()},
}

_PLACES = frozenset(
    {"read", "write", "query", "dml", "action", "describe", "apexrest", "login", "metadata", "all"}
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"})
_SOAP_LOGINS = {("services", "Soap", "u"), ("services", "Soap", "c")}
_ROW_FAULTS = frozenset({"lock-errors", "partial-actions"})


@dataclass(slots=True)
class WireFault:
    """One fault that is switched on."""

    name: str
    value: str = ""
    where: str = "all"
    count: int | None = None
    every: int = 1
    fired: int = 0
    """How often it has happened."""
    met: int = 0
    """How many requests it could have happened to."""

    @property
    def number(self) -> float:
        """The value as a number."""
        return float(self.value)

    def meets(self, request: Request) -> bool:
        """Whether this is a request that it is limited to."""
        if self.where == "all":
            return True
        if self.where in _METHODS:
            return request.method == self.where
        if self.where.startswith("/"):
            return self.where in request.path
        return self.where in places(request)


def places(request: Request) -> frozenset[str]:
    """The words of WHERE that name this request."""
    segments = request.segments
    kinds = {"read" if request.method in {"GET", "HEAD"} else "write"}
    if segments[:2] == ("services", "oauth2") or segments[:3] in _SOAP_LOGINS:
        return frozenset({"login"})
    if segments[:3] == ("services", "Soap", "m"):
        return frozenset({"write", "metadata"})
    if "query" in segments or "queryAll" in segments:
        kinds.add("query")
    elif "actions" in segments:
        kinds.add("action")
    elif segments[:2] == ("services", "apexrest"):
        kinds.add("apexrest")
    elif "tooling" in segments:
        kinds.add("metadata")
    elif segments[-1:] == ("describe",) or (segments[-1:] == ("sobjects",) and "composite" not in segments):
        kinds.add("describe")
    elif "write" in kinds and ({"sobjects", "composite"} & set(segments)):
        kinds.add("dml")
    return frozenset(kinds)


@dataclass(slots=True)
class Faults:
    """The faults that are switched on; may be changed while the server runs, from any thread."""

    _on: list[WireFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, spec: str) -> WireFault:
        """Switch one on; returns it, so that `fired` can be read.

        Raises:
            BadInputError: No such fault, or a part of it cannot be read.
        """
        fault = parse(spec)
        self.switch_on([fault])
        return fault

    def switch_on(self, faults: Iterable[WireFault]) -> None:
        """Switch on faults that were read before."""
        with self._lock:
            self._on.extend(faults)

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._on.clear()

    def fires(self, name: str, request: Request) -> WireFault | None:
        """The fault of this name that happens to this request, counted; None where none does."""
        with self._lock:
            for fault in self._on:
                if fault.name == name and fault.meets(request) and not _control(request):
                    fault.met += 1
                    spent = fault.count is not None and fault.fired >= fault.count
                    if not spent and fault.met % fault.every == 0:
                        fault.fired += 1
                        return fault
        return None

    def rows(self, name: str, request: Request, many: int) -> frozenset[int]:
        """Which of `many` rows of this request fail (`lock-errors`, `partial-actions`)."""
        hit: set[int] = set()
        with self._lock:
            for fault in self._on:
                if fault.name != name or not fault.meets(request):
                    continue
                every = max(1, int(fault.number))
                for row in range(many):
                    fault.met += 1
                    spent = fault.count is not None and fault.fired >= fault.count
                    if not spent and fault.met % every == 0:
                        fault.fired += 1
                        hit.add(row)
        return frozenset(hit)

    def value(self, name: str) -> float | None:
        """The value of the first fault of this name; None where it is off."""
        with self._lock:
            return next((fault.number for fault in self._on if fault.name == name), None)

    @property
    def skew(self) -> float:
        """Seconds that the org's clock is ahead."""
        with self._lock:
            return sum(fault.number for fault in self._on if fault.name == "clock-skew")


def _control(request: Request) -> bool:
    return request.segments[:3] == ("services", "apexrest", "demo")


def parse(spec: str) -> WireFault:
    """Read `NAME[:VALUE][:WHERE][:COUNT]`.

    Raises:
        BadInputError: No such fault, or a part of it cannot be read.
    """
    name, _, rest = spec.partition(":")
    kind = FAULTS.get(name)
    if kind is None:
        known = ", ".join([*FAULTS, *ENGINE_FAULTS])
        raise BadInputError(f"There is no fault '{name}'", f"Known faults: {known}")
    fault = WireFault(name, kind.value or "", kind.where, kind.count, kind.every)
    if name == "redirect" and rest:
        address = re.match(r"https?://[^/:]+(?::\d+)?", rest)
        if address is None:
            raise _unreadable(spec, rest, "an address such as https://evil.example")
        fault.value = address[0]
        rest = rest[address.end() :].lstrip(":")
    valued = kind.value is None or name == "redirect"
    rest = re.sub(r"every[ =:]+(?=\d)", "every=", rest)
    for part in filter(None, re.split(r":|\s+", rest)):
        valued = _take(fault, spec, part, valued=valued)
    return fault


def transport_faults(specs: Iterable[str]) -> list[WireFault]:
    """The faults among these that are this module's, all of them checked, also the engine's.

    Raises:
        BadInputError: One of them is unknown or cannot be read.
    """
    every = list(specs)
    engine_faults_in(every)
    return [parse(spec) for spec in every if spec.partition(":")[0] not in ENGINE_FAULTS]


def _take(fault: WireFault, spec: str, part: str, *, valued: bool) -> bool:
    """Put one part where it belongs; returns whether the value is known by now."""
    every = re.fullmatch(r"every=?(\d+)", part)
    if every and int(every[1]) > 0:
        if fault.name in _ROW_FAULTS:
            fault.value = every[1]
            return True
        fault.every = int(every[1])
    elif part.lower() in _PLACES or part.startswith("/"):
        fault.where = part if part.startswith("/") else part.lower()
    elif part.upper() in _METHODS:
        fault.where = part.upper()
    elif not valued and re.fullmatch(r"[+-]?\d+(\.\d+)?", part):
        if part.startswith("-") and fault.name != "clock-skew":
            raise _unreadable(spec, part, "a number that is not negative")
        fault.value = part
        return True
    elif part.isascii() and part.isdigit():
        fault.count = int(part)
    else:
        raise _unreadable(
            spec, part, f"a number, every=N, a method, a path, or one of {', '.join(sorted(_PLACES))}"
        )
    return valued


def _unreadable(spec: str, part: str, expected: str) -> BadInputError:
    return BadInputError(f"The fault '{spec}' cannot be read at '{part}'", f"Expected {expected}")


ENGINE_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "late-visibility": "the record appears this many seconds after its event left the list (default 20)",
        "twin": "every n-th create makes two records with one StoreConnect ID (default 1: each)",
        "vanish": "every n-th event disappears, and no record is made (default 1: each)",
        "second-operator": "with each request somebody else fixes and re-syncs another event",
        "partial-batch": "the second half of every request is refused",
        "stuck-pending": "every n-th event stays pending for ever (default 1: each)",
    },
)
"""Name -> what it does."""


@dataclass(frozen=True, slots=True)
class EngineFaults:
    """What the engine does wrong; zero and False mean nothing."""

    late_visibility: float = 0.0
    twin: int = 0
    vanish: int = 0
    second_operator: bool = False
    partial_batch: bool = False
    stuck_pending: int = 0


def engine_faults_in(faults: Iterable[str]) -> EngineFaults:
    """The engine's part of the faults; names it does not know are somebody else's.

    Raises:
        BadInputError: An argument is not a positive number.
    """
    arguments = {}
    for fault in faults:
        name, _colon, argument = fault.partition(":")
        if name in ENGINE_FAULTS:
            arguments[name] = argument
    return EngineFaults(
        late_visibility=_number(arguments, "late-visibility", 20.0),
        twin=int(_number(arguments, "twin", 1)),
        vanish=int(_number(arguments, "vanish", 1)),
        second_operator="second-operator" in arguments,
        partial_batch="partial-batch" in arguments,
        stuck_pending=int(_number(arguments, "stuck-pending", 1)),
    )


def _number(arguments: Mapping[str, str], name: str, default: float) -> float:
    if name not in arguments:
        return 0.0
    try:
        value = float(arguments[name] or default)
    except ValueError:
        value = 0.0
    if value <= 0 or value != value or value > 1e9:  # noqa: PLR0124 - NaN is not itself
        raise BadInputError(
            f"The fault {name} cannot take {arguments[name]!r}",
            f"Give a number above zero, for example {name}:{default:g}",
        )
    return value
