"""Killed at any moment, the program goes on where it was: the same end as without a kill, nothing sent twice.

The org runs in a process of its own for the kills by chance. For the kills at chosen moments it runs here, so
that it can kill the program while it holds its request: before it is carried out, and before it is answered.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import pytest

from syncerr_tui.demo.event_queue import ground_truth
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.journal.history import History
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import Verdict
from syncerr_tui.resync.plan_file import recorded_plan
from syncerr_tui.stopwatch import utc_now
from tests import forks
from tests.e2e.orgs import EVENT, Arrival, asked_again_unread, served, write_profile
from tests.layers import layered

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes the POSIX way")

RUNS = layered("programs killed by chance", 3, 300)
ROWS = 24
DELAY, LATENCY, PATIENCE = 1.1, 0.005, 6.0
"""Seconds. Stamps are whole seconds: what the org writes in the second of the wave before proves nothing."""
STARTS = 30
"""More starts than any of these runs needs."""
LANES = 5
SEED = 3
"""The world of the chosen moments."""

T = TypeVar("T")


@dataclass(slots=True)
class RemoteOrg:
    """A demo org as a client of its HTTP sees it."""

    url: str
    token: str
    listed: list[str] = field(default_factory=list)

    def ask(self, path: str, method: str = "GET") -> Any:
        """JSON from the org."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (path, answer.status, body)
            return json.loads(body)
        finally:
            connection.close()

    def rows(self, query: str) -> list[dict[str, Any]]:
        """All rows of a query that fits into one page."""
        answer = self.ask(f"/services/data/v59.0/query?q={quote(query)}")
        assert answer["done"]
        rows: list[dict[str, Any]] = answer["records"]
        return rows

    def look(self) -> None:
        """Remember what is listed."""
        where = "s_c__Status__c = 'FAILED'"
        self.listed = [row["Id"] for row in self.rows(f"SELECT Id FROM {EVENT} WHERE {where}")]

    def counts(self) -> dict[str, dict[str, int]]:
        """Event id -> how often it was asked for and worked on."""
        counts: dict[str, dict[str, int]] = self.ask("/services/apexrest/demo/counts")
        return counts

    def final_state(self) -> dict[str, Any]:
        """Where every event and every record stands, without what depends on the moment."""
        fields = "Id, s_c__Status__c, s_c__Status_Code__c, s_c__Object__c"
        events = self.rows(f"SELECT {fields} FROM {EVENT}")
        truth = self.ask("/services/apexrest/demo/truth")
        records: dict[str, list[str]] = {}
        for name in {event["s_c__Object__c"] for event in events}:
            rows = self.rows(f"SELECT s_c__sC_Id__c FROM {name} WHERE s_c__sC_Id__c != null")
            records[name] = sorted(row["s_c__sC_Id__c"] for row in rows)
        return {
            "events": {e["Id"]: (e["s_c__Status__c"], e["s_c__Status_Code__c"]) for e in events},
            "links": sorted((link["victim"], link["cause"]) for link in truth["links"]),
            "causes": sorted(tuple(cause["events"]) for cause in truth["causes"]),
            "records": records,
        }


@dataclass(slots=True)
class Lanes:
    """Several worlds at once: most of their time is waiting."""

    folder: Path

    def all(self, job: Callable[[Path, T], None], cases: Iterable[T]) -> None:
        """Do one job for every case; the failures are told together, each with its case."""

        def one(case: T) -> str | None:
            try:
                job(Path(tempfile.mkdtemp(dir=self.folder)), case)
            except AssertionError as problem:
                return f"{case}: {problem}"
            return None

        with ThreadPoolExecutor(LANES) as pool:
            failures = [failure for failure in pool.map(one, cases) if failure is not None]
        assert not failures, "\n".join(failures)


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Lanes:
    return Lanes(tmp_path_factory.mktemp("worlds"))


def repair_some(org: DemoOrg) -> None:
    """Do away with every second cause."""
    causes = cast("list[dict[str, list[str]]]", ground_truth(org.engine.queue)["causes"])
    for cause in causes[::2]:
        org.colleague.repair(cause["events"][0])


@contextmanager
def org_process(seed: int) -> Iterator[RemoteOrg]:
    """A demo org in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.db"
        with DemoServer(DemoOptions(errors=ROWS, seed=seed, processing_delay=DELAY, db=path)) as server:
            repair_some(server.org)
        with _served_apart(seed, path) as org:
            yield org


@contextmanager
def _served_apart(seed: int, path: Path) -> Iterator[RemoteOrg]:
    words = ("--serve", "--json", "--errors", str(ROWS), "--seed", str(seed), "--db", str(path))
    speed = ("--processing-delay", str(DELAY), "--latency", str(LATENCY))
    child = forks.start("demo", *words, *speed, env={})
    try:
        while not child.out.endswith("\n"):
            time.sleep(0.005)
        payload = json.loads(child.out)
        org = RemoteOrg(payload["instance_url"], payload["access_token"])
        org.look()
        yield org
    finally:
        child.kill(signal.SIGTERM)
        assert child.wait() == 0, child.err


@dataclass(slots=True)
class Person:
    """Who starts the program, and starts it again after it died."""

    home: Path
    org: RemoteOrg
    first: tuple[str, ...]
    """The command that begins."""

    @property
    def env(self) -> dict[str, str]:
        """What the program finds around it."""
        return {
            "SYNCERR_HOME": str(self.home),
            "SYNCERR_INSTANCE_URL": self.org.url,
            "SYNCERR_ACCESS_TOKEN": self.org.token,
        }

    def start(self) -> forks.Child:
        """Begin, or go on where a run was begun."""
        with self.journal() as history:
            begun = bool(history.runs())
        words = ("resume", "--continue", "--yes", "--again", "--json") if begun else self.first
        return forks.start(*words, "--org", "box", env=self.env)

    @contextmanager
    def journal(self) -> Iterator[History]:
        """The journal, as another process reads it."""
        folder = self.home / "state" / "journals"
        files = list(folder.glob("journal-*.db"))
        org_id = files[0].stem.removeprefix("journal-") if files else "00D000000000000AAA"
        where = folder if files else self.home / "empty"
        with Journal.open(where, org_id, clock=utc_now) as journal:
            yield History(journal)

    def over(self) -> bool:
        """The run has been ended."""
        with self.journal() as history:
            runs = history.runs()
            return bool(runs) and runs[0].how == "finished"


def commands(person_home: Path, seed: int, org: RemoteOrg) -> Person:
    """`resync`, or for every third world `plan` and `apply`."""
    write_profile(person_home, batch_size=3, concurrency=2, proof_timeout=PATIENCE)
    first: tuple[str, ...] = ("resync", "--all", "--yes", "--json")
    person = Person(person_home, org, first)
    if seed % 3 == 2:
        file = person_home / "plan.json"
        person.first = ("apply", str(file), "--yes", "--json")
        done = forks.run("plan", "--all", "-o", str(file), "--org", "box", env=person.env)
        assert done.code == 0, done.err
    return person


def verdicts(person: Person) -> dict[str, Verdict | None]:
    """What the journal says of every row, and that it accounts for all of them."""
    with person.journal() as history:
        (run,) = history.runs()
        assert (run.how, run.alive) == ("finished", False)
        assert history.unfinished() == ()
        rows = history.rows_of(run.id)
        plan = recorded_plan(history, run.id)
        counts = person.org.counts()
        intents = attempts(history, rows)
    assert {row.error.id for row in rows} | {out.id for out in plan.left_out} == set(person.org.listed)
    assert all(row.ended and row.reason for row in rows), "a row ended without an outcome"
    for event, count in counts.items():
        assert count["requested"] <= intents.get(event, 0), f"{event} was sent without an intent"
        assert count["processed"] <= count["requested"], f"{event} was worked on unasked"
        assert count["requested"] <= 1, f"{event} was sent {count['requested']} times"
    return {row.error.id: row.verdict for row in rows}


def attempts(history: History, rows: tuple[Attempt, ...]) -> dict[str, int]:
    """Event id -> intents that the journal holds."""
    return {row.error.id: row.attempts for row in rows if row.intent is not None}


def check_fixed(found: dict[str, Verdict | None], state: dict[str, Any]) -> None:
    """FIXED is never wrong."""
    for event, verdict in found.items():
        if verdict is Verdict.FIXED:
            assert state["events"].get(event, ("gone",))[0] not in {"FAILED", "PENDING"}, (
                f"{event}: FIXED is wrong"
            )


Usual = tuple[dict[str, Verdict | None], dict[str, Any], float]


def undisturbed(folder: Path, seed: int) -> Usual:
    """A run in peace: its verdicts, the org afterwards, and the seconds it took."""
    with org_process(seed) as org:
        person = commands(folder / "undisturbed", seed, org)
        began = time.monotonic()
        child = person.start()
        assert child.wait() == 1, child.err
        seconds = time.monotonic() - began
        return verdicts(person), org.final_state(), seconds


def by_chance(folder: Path, seed: int) -> None:
    """One world, run once in peace and once with kills at random moments."""
    random = Random(seed)
    expected, final, seconds = undisturbed(folder, seed)
    with org_process(seed) as org:
        person = commands(folder / "killed", seed, org)
        kills = random.randint(1, 4)
        for start in range(STARTS):
            child = person.start()
            if start < kills:
                time.sleep(random.random() * seconds)
                child.kill()
            assert child.wait() in {-signal.SIGKILL, 0, 1}, child.err
            if person.over():
                break
        ends = verdicts(person)
        state = org.final_state()
    check_fixed(ends, state)
    assert ends == expected
    assert state == final
    shutil.rmtree(folder)


@pytest.mark.timeout(3_600)
def test_killed_again_and_again_by_chance(lanes: Lanes) -> None:
    lanes.all(by_chance, range(RUNS))


MOMENTS = [("ask", n, when) for n in range(1, 9) for when in ("before", "after", "never")] + [
    ("read", n, when) for n in range(1, 15) for when in ("before", "after")
]
CHOSEN = layered(
    "programs killed at a chosen moment",
    [("ask", 1, "after"), ("ask", 2, "never"), ("ask", 3, "before"), ("read", 4, "after")],
    MOMENTS,
)


@dataclass(slots=True)
class Killer:
    """Kills the program while the org holds its n-th request of a kind."""

    kind: str
    number: int
    when: str
    """`before` it is carried out, `after` it has been, or `never`: it is lost with the program."""
    child: forks.Child | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    done: bool = False
    _met: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def meet(self, arrival: Arrival) -> None:
        """A request is here."""
        if arrival.kind != self.kind:
            return
        with self._lock:
            self._met += 1
            now = self._met == self.number
        if now:
            self.ready.wait(30)
            assert self.child is not None
            self.child.kill()
            self.done = True
            if self.when == "never":
                raise ConnectionAbortedError


def at_moment(folder: Path, moment: tuple[str, int, str], usual: Usual) -> None:
    """One world, with a kill while the org holds a request."""
    kind, number, when = moment
    expected, final, _ = usual
    with served(DemoOptions(errors=ROWS, seed=SEED, processing_delay=DELAY)) as server:
        org = RemoteOrg(server.instance_url, server.access_token)
        repair_some(server.org)
        org.look()
        person = commands(folder / "killed", SEED, org)
        killer = Killer(kind, number, when)
        setattr(server, "after" if when == "after" else "before", killer.meet)
        killer.child = person.start()
        killer.ready.set()
        code = killer.child.wait()
        assert killer.done, f"it never came: {killer.child.err}"
        assert code == -signal.SIGKILL
        while not person.over():
            child = person.start()
            assert child.wait() in {0, 1}, child.err
        ends = verdicts(person)
        state = org.final_state()
        assert asked_again_unread(server) == []
    check_fixed(ends, state)
    assert ends == expected
    assert state == final


@pytest.mark.timeout(3_600)
def test_killed_while_the_org_holds_its_request(lanes: Lanes) -> None:
    usual = undisturbed(lanes.folder, SEED)
    lanes.all(partial(at_moment, usual=usual), CHOSEN)
