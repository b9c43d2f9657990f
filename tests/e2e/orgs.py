"""A demo org that keeps a log of what reached it, and what is true in its store."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from syncerr_tui.demo.http import Request, Response
from syncerr_tui.demo.http_server import ClientConnection
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.demo.store import stamp

EVENT = "s_c__Change_Event__c"
ACTION = "SyncErrResync"
MAPPING = """\
[mapping]
object_name = "s_c__Change_Event__c"
object = "s_c__Object__c"
event_type = "s_c__Event_Type__c"
processed_at = "s_c__Processed_At__c"
storeconnect_id = "s_c__StoreConnect_Id__c"
message = "s_c__Message__c"
status = "s_c__Status__c"
failed = ["FAILED"]"""
"""What every profile of the demo org says of its change events at least."""
PROFILE = f"""\
environment = "DEMO"
api_reserve = {{reserve}}
batch_size = {{batch_size}}
concurrency = {{concurrency}}
proof_timeout = {{proof_timeout}}

[way]
kind = "environment"

[method]
kind = "apex"
name = "SyncErrResync"
id_input = "changeEventId"

{MAPPING}
pending = ["NEW", "PENDING"]
done = ["PROCESSED"]
salesforce_id = "s_c__Salesforce_Id__c"
pointer = "text"
code = "s_c__Status_Code__c"
"""


def write_profile(
    home: Path,
    *,
    batch_size: int = 5,
    concurrency: int = 2,
    proof_timeout: float = 60,
    reserve: float = 0.0,
    name: str = "box",
) -> None:
    """The profile of the org that the environment names."""
    folder = home / "config" / "orgs"
    folder.mkdir(parents=True, exist_ok=True)
    text = PROFILE.format(
        batch_size=batch_size, concurrency=concurrency, proof_timeout=proof_timeout, reserve=reserve
    )
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


@dataclass(slots=True)
class Arrival:
    """One request as the server met it."""

    kind: str
    """`ask` for a re-sync, `read` change events by id, a further `page` of a query, a step of the `bridge` to
    Lightning, or `other`."""
    ids: tuple[str, ...]
    at: datetime
    """The org's clock when it came."""
    done: bool = False
    """It was carried out."""
    refused: int | None = None
    """The status of an answer that says in so many words that nothing was carried out (401, 403)."""


Hook = Callable[[Arrival], None]


class WatchedServer(DemoServer):
    """A demo org that writes down every request before it is processed, and whether it was.

    Args:
        options: What the org is like.
        before: Called when a request has arrived and nothing has been done.
        after: Called when it has been carried out and nothing has been answered.
    """

    def __init__(self, options: DemoOptions, **more: Any) -> None:
        self.log: list[Arrival] = []
        self.before: Hook = lambda _arrival: None
        self.after: Hook = lambda _arrival: None
        self._at_hand = threading.local()
        self._writing = threading.Lock()
        super().__init__(options, **more)

    def exchange(self, request: Request, line: ClientConnection) -> bool:
        if request.segments[:3] == ("services", "apexrest", "demo"):
            return super().exchange(request, line)
        arrival = Arrival(*_what(request), self.clock())
        self._at_hand.arrival = arrival
        with self._writing:
            self.log.append(arrival)
        self.before(arrival)
        return super().exchange(request, line)

    def response_of_org(self, request: Request) -> Response:
        response = super().response_of_org(request)
        arrival: Arrival | None = getattr(self._at_hand, "arrival", None)
        if arrival is not None and request.segments[:3] != ("services", "apexrest", "demo"):
            arrival.done = response.status < 300 or (response.status == 400 and arrival.kind == "ask")
            self.after(arrival)
        return response

    def response_of_fault(self, request: Request) -> Response | None:
        response = super().response_of_fault(request)
        if response is not None and response.status in {401, 403}:
            self._at_hand.arrival.refused = response.status
        return response

    @property
    def asks(self) -> list[Arrival]:
        """Requests for a re-sync, carried out or not."""
        with self._writing:
            return [arrival for arrival in self.log if arrival.kind == "ask"]

    def counts(self) -> dict[str, dict[str, int]]:
        """Event id -> how often it was asked for and worked on."""
        return self.org.engine.queue.counts()

    def failed(self) -> list[str]:
        """Ids of the events that are listed as failed."""
        return [str(row["Id"]) for row in self.store.find(EVENT, s_c__Status__c="FAILED")]

    def fix_some(self, every: int = 2) -> None:
        """Do away with what blocks: each n-th event's cause."""
        for event in self.failed()[::every]:
            self.org.colleague.repair(event)

    def wrongly_fixed(self, rows: Iterable[dict[str, Any]]) -> dict[str, str]:
        """The events among these that were called FIXED and are not -> why."""
        fixed = [row for row in rows if row["verdict"] == "FIXED"]
        deleted = {row["storeconnect_id"] for row in fixed if row["event_type"] == "Delete"}
        judged = {
            row["id"]: self._why_not_fixed(row)
            for row in fixed
            # What was made and then deleted in one run has no record left to show.
            if row["event_type"] == "Delete" or row["storeconnect_id"] not in deleted
        }
        return {event: why for event, why in judged.items() if why is not None}

    def _why_not_fixed(self, row: dict[str, Any]) -> str | None:
        entry = self.org.engine.queue.get(row["id"])
        if entry is not None:
            return f"its event is still {entry.state}"
        first = next((ask.at for ask in self.asks if row["id"] in ask.ids), None)
        if first is None:
            return "it was never asked for"
        records = self.store.find(row["object"], **{SC_ID: row["storeconnect_id"]})
        if row["event_type"] == "Delete":
            return "the record is still there" if records else None
        if len(records) != 1:
            return f"{len(records)} records carry its StoreConnect ID"
        old = str(records[0]["SystemModstamp"]) < stamp(first)
        return "its record was written before the request" if old else None


def _what(request: Request) -> tuple[str, tuple[str, ...]]:
    """Kind of a request, and the events it names."""
    match request.segments:
        case (*_, "actions", "custom", _, name) if request.method == "POST" and name == ACTION:
            return "ask", tuple(row["changeEventId"] for row in json.loads(request.body)["inputs"])
        case ("lwr", "apex", *_):
            return "ask", tuple(json.loads(request.body)["changeEventIds"])
        case ("aura",):
            (action,) = json.loads(request.form()["message"])["actions"]
            return "ask", tuple(action["params"]["params"]["changeEventIds"])
        case ("services", "oauth2", "singleaccess") | ("secur", *_) | ("lightning", *_):
            return "bridge", ()
        case (*_, "composite", "sobjects", name) if request.method == "POST" and name == EVENT:
            return "read", tuple(json.loads(request.body)["ids"])
        case (*_, "query", locator) if locator:
            return "page", ()
        case _:
            return "other", ()


def asked_again_unread(server: WatchedServer) -> list[str]:
    """Events that were asked for a second time although nobody had looked at them since the first.

    A request that the org refused unread (401, 403) does not count: it says that nothing was done.
    """
    in_doubt: set[str] = set()
    asked = []
    for arrival in server.log:
        if arrival.kind == "read" and arrival.done:
            in_doubt.difference_update(arrival.ids)
        elif arrival.kind == "ask" and arrival.refused is None:
            asked += [event for event in arrival.ids if event in in_doubt]
            in_doubt.update(arrival.ids)
    return asked


def asked_twice(server: WatchedServer) -> dict[str, int]:
    """Events that the org took up more than once -> how often."""
    return {event: n["requested"] for event, n in server.counts().items() if n["requested"] > 1}


def final_state(server: DemoServer) -> dict[str, Any]:
    """Where every event and every record of the org stands, without what depends on the moment."""
    queue = server.org.engine.queue
    events = {
        str(row["Id"]): (row["s_c__Status__c"], row["s_c__Status_Code__c"])
        for row in server.store.find(EVENT)
    }
    unresolved = {e.event_id: (e.state, e.code, e.kind, e.needs) for e in queue.all()}
    objects = {str(row["s_c__Object__c"]) for row in server.store.find(EVENT)}
    records = {
        name: Counter(str(row[SC_ID]) for row in server.store.find(name) if row.get(SC_ID))
        for name in objects
    }
    return {"events": events, "unresolved": unresolved, "records": records}


@contextmanager
def served(options: DemoOptions, **more: Any) -> Iterator[WatchedServer]:
    """A watched demo org for the time of a block."""
    with WatchedServer(options, **more) as server:
        yield server
        assert not server.crashes, server.crashes


class Gate:
    """Holds the org's n-th request of a kind until a test lets it go. Hand `meet` to a `WatchedServer`.

    Args:
        kind: Of the requests that count.
        number: Which of them is held.
        only: The ones after it pass; else they are held too.
    """

    def __init__(self, kind: str, number: int = 1, *, only: bool = False) -> None:
        self.met = threading.Event()
        """It is here."""
        self.open = threading.Event()
        """Set it to let everything through."""
        self._kind = kind
        self._left = number
        self._only = only
        self._lock = threading.Lock()

    def meet(self, arrival: Arrival) -> None:
        """A request is here."""
        if arrival.kind != self._kind:
            return
        with self._lock:
            self._left -= 1
            held = self._left == 0 or (self._left < 0 and not self._only)
        if held:
            self.met.set()
            assert self.open.wait(60)
