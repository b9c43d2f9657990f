"""Worlds by chance: an org with names and vices of its own, and impatient operators with kills and accidents.

The same seed gives the same world and the same script; what the machine's speed adds is little. After the
script everything is given time, looked at once more, and handed to the `Oracle`.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from random import Random

from tests.forks import Child
from tests.independent.clock import Clock
from tests.independent.home import Home, knows, profile_takes
from tests.independent.naming import naming_of
from tests.independent.oracle import KILLS, Oracle, Ran, secrets_kept
from tests.independent.org import Event, Fate, Manners, Org, Reaction
from tests.independent.truth import Request
from tests.independent.wire import Fault, Manner, Server, token

_OBJECTS = ("Account", "Contact", "Order", "OrderItem", "s_c__Payment__c")
_PARENT = {"Contact": "Account", "Order": "Account", "OrderItem": "Order", "s_c__Payment__c": "Order"}
_FATES = (
    *[Fate.WRITES] * 12,
    *[Fate.FAILS] * 3,
    Fate.FAILS_ANEW,
    Fate.REJECTED,
    Fate.STRANGE,
    Fate.FLAPS,
    Fate.NOTHING,
    Fate.NOTHING,
    Fate.VANISHES,
    Fate.TWINS,
    Fate.NEVER,
)
_DELAYS = ((1, 8), (8, 60), (60, 180), (180, 600))
_CODES = (
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Pickup_Date__c]"),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "The total must be the sum of its parts"),
    (
        "DUPLICATE_VALUE",
        "duplicate value found: Shop_Number__c duplicates value on record with id: <unknown>",
    ),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because the “Order Builder” process failed."),
)


@dataclass(frozen=True, slots=True)
class Kill:
    """A signal at a chosen moment of a command."""

    number: int
    moment: str
    """`before` or `after` a request for a re-sync is done, or `reading` events."""
    count: int
    """At the how manieth of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an operator does next."""

    argv: tuple[str, ...] = ()
    kill: Kill | None = None
    wait: float = 0.0
    """Seconds before it."""
    damage: str = ""
    """What happens to the journal before it."""
    beside: tuple[str, ...] = ()
    """Another command, started at the same time in the same home."""
    home: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of one world."""

    seed: int
    wrongs: list[str]
    errors: int
    commands: int
    requests: int
    kills: int
    faults: int
    verdicts: Counter[str]
    sent_again: int
    """Rows that the org got more than once: they had failed again, or a person had said so."""


@dataclass
class World:
    """One seed's world. `run` it once."""

    seed: int
    folder: Path
    fresh: bool = False
    """Every command is a fresh interpreter instead of a fork."""
    rng: Random = field(init=False)
    ran: list[Ran] = field(default_factory=list)
    _copy: Path | None = None
    _target: Child | None = None
    """The process that is to be killed."""

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = Clock.create(self.folder / "clock")

    # -- by chance

    @cached_property
    def org(self) -> Org:
        """The org with its change events."""
        rng = self.rng
        manners = Manners(
            reaction=rng.choice(tuple(Reaction)),
            sees_all=rng.random() < 0.6,
            tells_permissions=rng.random() < 0.7,
            skew=rng.choice((0.0, 0.0, -40.0, 7.0, 3600.0)),
        )
        org = Org(self.clock, naming_of(rng), rng, manners)
        low, high = rng.choice(_DELAYS)
        made: list[Event] = []
        for _ in range(rng.randint(2, 16)):
            name = rng.choice(_OBJECTS)
            kind = rng.choice(("create", "create", "update", "delete"))
            above = [one for one in made if one.object == _PARENT.get(name) and one.kind == "create"]
            code, message = rng.choice(_CODES)
            fate = rng.choice(_FATES)
            chain = [one for one in made if one.object == name and one.kind != "delete"]
            earlier = rng.choice(chain) if chain and kind != "create" and rng.random() < 0.3 else None
            if kind == "delete" and fate is Fate.TWINS:
                fate = Fate.WRITES
            event = org.add_event(
                name,
                kind,
                code=code,
                message=message,
                age=rng.uniform(600, 900_000),
                parent=rng.choice(above) if above and kind == "create" and rng.random() < 0.6 else None,
                earlier=earlier,
                fate=fate,
                delay=rng.uniform(low, high),
                hidden=rng.random() < (0.4 if kind == "delete" else 0.1),
                echo=rng.uniform(0.5, 20) if rng.random() < 0.2 else 0.0,
            )
            made.append(event)
        self._plan_other_people(org, made)
        return org

    def _plan_other_people(self, org: Org, events: Sequence[Event]) -> None:
        """Persons and automation that work in the org meanwhile."""
        rng, now = self.rng, org.now()
        for event in events:
            at = now + rng.uniform(1, 700)
            chance = rng.random()
            if chance < 0.12:
                by = rng.choice(("person", "automation", "client"))
                org.later(at, partial(org.touch_record, event.id, by=by))
            elif chance < 0.2:
                org.later(at, partial(org.touch_event, event.id))
            elif chance < 0.26 and org.manners.reaction is not Reaction.SILENT:
                org.later(at, partial(self._press, org, event.id))

    @staticmethod
    def _press(org: Org, event: str, at: float) -> None:
        org.press([event], at)

    def _manner(self) -> Manner:
        rng = self.rng
        manner = Manner(
            rng,
            chance=rng.choice((0.0, 0.2, 0.5)),
            kinds=[one for one in Fault if one not in {Fault.NONE, Fault.EXPIRED}],
            read_chance=rng.choice((0.0, 0.0, 0.02)),
            page_size=rng.choice((3, 200, 2000)),
            refusal=rng.choice((400, 403, 404, 409, 412, 422)),
            name_rows=rng.random() < 0.7,
        )
        kind, frozen = rng.random(), self.org.now()
        if kind < 0.1:
            manner.date = lambda _: (frozen, "")
        elif kind < 0.2:
            behind = rng.choice((5.0, 300.0, 86_400.0))
            manner.date = lambda now: (now - behind, str(int(behind)))
        elif kind < 0.3:
            wrong = rng.choice((-86_400.0, -30.0, -5.0, 5.0, 60.0))
            manner.date = lambda now: (now + wrong, "")
        elif kind < 0.35:
            manner.date = lambda now: (now + rng.choice((0.0, 0.0, -3600.0, 120.0)), "")
        manner.writes = [Fault.EXPIRED] if rng.random() < 0.03 else []
        return manner

    def _homes(self, server: Server) -> list[Home]:
        rng, n = self.rng, self.org.naming
        home = Home(
            self.folder / "ana",
            server,
            self.clock,
            method=rng.choice(("apex", "flow", "apexrest", "apexrest", "field")),
            proof_timeout=rng.choice((0.0, 5.0, 30.0, 180.0, 180.0, 400.0)),
            batch_size=rng.choice((1, 3, 50)),
            more_failed=(n.rejected,) if rng.random() < 0.4 else (),
            knows_done=rng.random() < 0.85,
            jumps=((rng.uniform(0, 60), rng.choice((-86_400.0, -30.0, 5.0, 59.0, 3600.0))),)
            if rng.random() < 0.25
            else (),
        )
        shared = Random(-self.seed).random() < 0.15 and profile_takes("journal")
        home.fresh = self.fresh
        home.journal = self.folder / "shared.db" if shared else None
        home.write_profile()
        if not shared and (rng.random() > 0.15 or self.org.manners.reaction is not Reaction.STATUS):
            return [home]
        # Without a common journal two homes can only keep out of each other's way where the org shows what
        # it is working on, and where they do not act in the same moment.
        other = replace(home, folder=self.folder / "bob", started=[])
        return [home, other]

    def _script(self, homes: int, *, together: bool) -> list[Step]:
        rng = self.rng
        steps: list[Step] = []
        for _ in range(rng.randint(1, 4)):
            kill = None
            if rng.random() < 0.35:
                kill = Kill(rng.choice(KILLS), rng.choice(("before", "after", "reading")), rng.randint(1, 3))
            damage = ""
            if steps and rng.random() < 0.12:
                damage = rng.choice(("truncate", "garbage", "wal gone", "wal flipped", "roll back", "copy"))
            beside: tuple[str, ...] = ()
            if together and rng.random() < 0.08:
                beside = rng.choice(
                    (self._resync(), ("verify", "--json"), ("resume", "--continue", "--yes", "--json"))
                )
            wait = rng.choice((0.0, 0.0, 1.0, 60.0, 170.0, 185.0, 700.0))
            command = self._command(first=not steps)
            steps.append(Step(command, kill, wait, damage, beside, rng.randrange(homes)))
        return steps

    def _command(self, *, first: bool) -> tuple[str, ...]:
        rng = self.rng
        chance = rng.random()
        if first or chance < 0.55:
            return self._resync(may_consent=not first)
        if chance < 0.75:
            how = rng.choice(("--continue", "--continue", "--check", "--drop"))
            return ("resume", how, "--json", *(("--yes",) if how == "--continue" else ()))
        if chance < 0.82:
            return ("apply", "PLAN", "--yes", "--json")
        if chance < 0.93:
            proof_timeout = rng.choice(((), ("--patience", "0"), ("--patience", "200")))
            return ("verify", "--json", *proof_timeout)
        return rng.choice(
            (("list", "--json"), ("plan", "--all", "--json"), ("doctor",), ("journal", "--json"))
        )

    def _resync(self, *, may_consent: bool = False) -> tuple[str, ...]:
        rng = self.rng
        argv = ["resync", "--all", "--yes", "--json"]
        if rng.random() < 0.4:
            argv += ["--patience", rng.choice(("0", "1", "30", "185", "650"))]
        if rng.random() < 0.15:
            argv.append("--canary")
        if rng.random() < 0.2:
            argv += ["--batch-size", rng.choice(("1", "2", "7"))]
        if may_consent and rng.random() < 0.2 and knows("resync", "--again"):
            argv.append("--again")
        return tuple(argv)

    # -- what happens

    def run(self) -> Outcome:
        """Live through it."""
        with Server(self.org, self._manner()) as server:
            homes = self._homes(server)
            steps = self._script(len(homes), together=len(homes) == 1 or homes[0].journal is not None)
            for step in steps:
                self.clock.skip(step.wait)
                home = homes[step.home]
                self._damage(home, step.damage)
                argv = self._with_plan(home, step.argv)
                with self._killing(server, step.kill):
                    began = self.org.now()
                    self._target = home.start(*argv)
                    started = [(home, step.argv, self._target, step.kill)]
                    if step.beside:
                        other = homes[-1]
                        started.append((other, step.beside, other.start(*step.beside), None))
                    for one in started:
                        self._note(*one, began)
            self._settle(server, homes)
        wrongs = Oracle(self.org, self.ran).wrongs()
        for home in homes:
            wrongs += secrets_kept(home.folder)
        return self._outcome(wrongs, server.manner, steps)

    def _with_plan(self, home: Home, argv: tuple[str, ...]) -> tuple[str, ...]:
        """For `apply PLAN`: the plan, written down a while before."""
        if "PLAN" not in argv:
            return argv
        plan = self.folder / f"{len(self.ran)}.plan"
        home.run("plan", "--all", "-o", str(plan))
        self.clock.skip(self.rng.choice((0.0, 20.0, 300.0)))
        return tuple(str(plan) if word == "PLAN" else word for word in argv)

    def _note(
        self, home: Home, argv: tuple[str, ...], process: Child, kill: Kill | None, began: float
    ) -> None:
        """Wait for a command, and keep what it said and how it ended."""
        code = process.wait()
        number = next(number for number, _, one in home.started if one is process)
        rows = [
            (row["id"], row["verdict"], row.get("reason", ""))
            for row in (process.rows if argv[0] in {"resync", "resume", "verify", "apply"} else ())
            if "verdict" in row
        ]
        self.ran.append(
            Ran(
                str(home.journal or home.folder),
                argv,
                token(number),
                code,
                began,
                self.org.now(),
                rows,
                process.out,
                process.err,
                kill.number if kill else None,
            )
        )

    @contextlib.contextmanager
    def _killing(self, server: Server, kill: Kill | None) -> Iterator[None]:
        """While this lasts, the target gets its signal at its moment."""
        manner = server.manner
        if kill is None:
            yield
            return
        left = [kill.count]

        def strike(request: Request | None = None) -> None:
            left[0] -= 1
            if left[0] == 0 and self._target is not None:
                self._target.kill(kill.number)
                if request is not None and kill.number in {signal.SIGKILL, signal.SIGHUP}:
                    request.heard = False

        if kill.moment == "reading":
            manner.on_read = strike
        else:
            setattr(manner, kill.moment, strike)
        try:
            yield
        finally:
            manner.on_read = lambda: None
            manner.before = manner.after = lambda request: None

    def _damage(self, home: Home, kind: str) -> None:
        """An accident with the journal, while nobody uses it."""
        databases = [one for one in home.journals if one.suffix == ".db"]
        if not kind or not databases:
            return
        journal = databases[0]
        wal = journal.with_name(journal.name + "-wal")
        data = journal.read_bytes()
        match kind:
            case "copy":
                self._copy = Path(shutil.copy(journal, self.folder / "backup.db"))
            case "roll back":
                if self._copy is None:  # a backup from before anything was sent
                    self._empty(journal)
                else:
                    shutil.copy(self._copy, journal)
                wal.unlink(missing_ok=True)
            case "truncate":
                journal.write_bytes(data[: self.rng.randrange(len(data))])
            case "garbage":
                at = self.rng.choice((0, 0, len(data) // 2))
                journal.write_bytes(data[:at] + self.rng.randbytes(600) + data[at + 600 :])
            case "wal gone":
                wal.unlink(missing_ok=True)
            case "wal flipped" if wal.exists() and wal.stat().st_size > 100:
                content = bytearray(wal.read_bytes())
                content[self.rng.randrange(40, len(content))] ^= 0xFF
                wal.write_bytes(content)

    @staticmethod
    def _empty(journal: Path) -> None:
        journal.unlink()
        sqlite3.connect(journal).close()

    def _settle(self, server: Server, homes: Sequence[Home]) -> None:
        """Calm: no more faults, time for everything, then everything is looked at, and sent once more."""
        server.manner.chance, server.manner.read_chance, server.manner.writes = 0.0, 0.0, []
        self.org.catch_up()
        if (until := self.org.busy_until) is not None:
            self.clock.skip(max(until - self.org.now(), 0) + 1)
        for home in homes:
            for argv in (
                ("resume", "--check", "--json"),
                ("resume", "--check", "--json"),
                ("verify", "--json"),
                ("resync", "--all", "--yes", "--json"),
                ("verify", "--json"),
            ):
                began = self.org.now()
                self._note(home, argv, home.start(*argv), None, began)

    def _outcome(self, wrongs: list[str], manner: Manner, steps: Sequence[Step]) -> Outcome:
        queued = Counter(event for one in self.org.truth.requests for event in one.queued)
        return Outcome(
            self.seed,
            wrongs,
            len(self.org.events),
            len(self.ran),
            len(self.org.truth.requests),
            sum(step.kill is not None for step in steps),
            sum(one.reply.value != "whole" for one in self.org.truth.requests),
            Counter(verdict for one in self.ran for _, verdict, _ in one.rows),
            sum(times > 1 for times in queued.values()),
        )
