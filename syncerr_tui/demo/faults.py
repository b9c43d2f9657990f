"""Faults on purpose: `--fault NAME[:VALUE][:WHERE][:COUNT]`, so that a client can be tried against trouble.

NAME is one of `faults.txt`. VALUE is that fault's own (seconds, an address, a number). WHERE limits it to
some requests: `read`, `write`, `query`, `dml`, `action`, `describe`, `apexrest`, `login`, `metadata`, `all`,
a method (`PATCH`) or a path (`/limits`, found anywhere in the request's path). COUNT says how many times it
happens; `every=N` lets it happen to each N-th request only. The parts after NAME may come in any order.
The demo's own control endpoints (`/services/apexrest/demo/`) never fail.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from syncerr_tui.demo import resource
from syncerr_tui.demo.http import Request
from syncerr_tui.errors import BadInputError


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault that can be asked for: a line of `faults.txt`."""

    name: str
    value: str | None
    """Its value where none is given; None: it takes no value."""
    where: str
    count: int | None
    """How often it happens where no count is given; None: always."""
    help: str

    @classmethod
    def of_line(cls, line: str) -> Self:
        name, value, where, count, meaning = re.split(" {2,}", line)
        argument = None if value == "-" else value
        return cls(name, argument, where, None if count == "-" else int(count), meaning)


def _kinds() -> Iterator[Mapping[str, FaultKind]]:
    written = resource("faults.txt")
    for part in re.split("^= .*$", written, flags=re.MULTILINE)[1:]:
        yield {kind.name: kind for kind in map(FaultKind.of_line, part.strip().splitlines())}


_WIRE_FAULTS, BUTTON_FAULTS, SETUP_FAULTS, ENGINE_FAULTS = _kinds()
FAULTS = {**_WIRE_FAULTS, **BUTTON_FAULTS, **SETUP_FAULTS}
"""What happens to requests, by name."""

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

    def happens(self) -> bool:
        """Count one more request, or row, that it could happen to; whether it does."""
        self.met += 1
        every = max(1, int(self.number)) if self.name in _ROW_FAULTS else self.every
        if (self.count is not None and self.fired >= self.count) or self.met % every:
            return False
        self.fired += 1
        return True


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
        fault = parse_fault(spec)
        self.switch_on([fault])
        return fault

    def switch_on(self, faults: Iterable[WireFault]) -> None:
        """Switch on faults that were read before."""
        with self._lock:
            self._on.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self._on.clear()

    def fires(self, name: str, request: Request) -> WireFault | None:
        """The fault of this name that happens to this request, counted; None where none does."""
        with self._lock:
            for fault in self._on:
                if fault.name == name and fault.meets(request) and not _control(request) and fault.happens():
                    return fault
        return None

    def rows(self, name: str, request: Request, many: int) -> frozenset[int]:
        """Which of `many` rows of this request fail (`lock-errors`, `partial-actions`)."""
        with self._lock:
            on = [fault for fault in self._on if fault.name == name and fault.meets(request)]
            return frozenset(row for fault in on for row in range(many) if fault.happens())

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


def parse_fault(spec: str) -> WireFault:
    """Read `NAME[:VALUE][:WHERE][:COUNT]`.

    Raises:
        BadInputError: No such fault, or a part of it cannot be read.
    """
    name, _, rest = spec.partition(":")
    kind = FAULTS.get(name)
    if kind is None:
        known = ", ".join([*FAULTS, *ENGINE_FAULTS])
        raise BadInputError(f"There is no fault '{name}'", f"Known faults: {known}")
    fault = WireFault(name, kind.value or "", kind.where, kind.count)
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
    return [parse_fault(spec) for spec in every if spec.partition(":")[0] not in ENGINE_FAULTS]


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
    on: dict[str, Any] = {}
    for fault in faults:
        name, _colon, argument = fault.partition(":")
        kind = ENGINE_FAULTS.get(name)
        if kind is not None:
            on[name.replace("-", "_")] = True if kind.value is None else _number(kind, argument or kind.value)
    return EngineFaults(**on)


def _number(kind: FaultKind, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e9:
        raise BadInputError(
            f"The fault {kind.name} cannot take {text!r}",
            f"Give a number above zero, for example {kind.name}:{kind.value}",
        )
    return number if kind.name == "late-visibility" else int(number)
