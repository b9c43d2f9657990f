"""Killed at any step of a fix, of a run with one, of putting it back: as before, or off and on the ledger.

The org runs here, so that it can kill the program while it holds its request: before it is carried out, and
before it is answered.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from syncerr_tui.demo.http import Request
from syncerr_tui.demo.http_server import ClientConnection
from syncerr_tui.demo.metadata import TYPES, MetadataCatalog
from syncerr_tui.demo.options import DemoOptions
from tests import forks
from tests.e2e.orgs import WatchedServer, write_profile
from tests.layers import layered

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes the POSIX way")

KILLS = layered("fixes killed at a chosen step", 3, 170)
"""For each of three commands."""
SEED = 20_261_128
TARGETS = (
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "validation-rule-off:Account"),
    ("DUPLICATES_DETECTED", "duplicate-rule-off:Contact"),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "flow-off:Cart_Reminder"),
)


class KillingOrg(WatchedServer):
    """A demo org that kills the program at its n-th request from now."""

    def __init__(self) -> None:
        self.victim: forks.Child | None = None
        self.left = 0
        self.when = ""
        self.setup_writes = 0
        super().__init__(DemoOptions(errors=140, processing_delay=0.1))
        self.before = lambda _arrival: self._meet("before")
        self.after = lambda _arrival: self._meet("after")

    def arm(self, victim: forks.Child, step: int, when: str) -> None:
        self.victim, self.left, self.when = victim, step, when

    def _meet(self, when: str) -> None:
        if self.victim is None or when != self.when:
            return
        self.left -= 1
        if self.left == 0:
            self.victim.kill(signal.SIGKILL)
            self.victim = None

    def exchange(self, request: Request, line: ClientConnection) -> bool:
        if request.method == "PATCH" or b"updateMetadata" in request.body:
            self.setup_writes += 1
        return super().exchange(request, line)


class World:
    """One org, one home, and the program started in it."""

    def __init__(self, org: KillingOrg, home: Path) -> None:
        self.org = org
        self.home = home
        write_profile(home)
        self.env = {
            "SYNCERR_HOME": str(home),
            "SYNCERR_INSTANCE_URL": org.instance_url,
            "SYNCERR_ACCESS_TOKEN": org.access_token,
        }

    def run(self, *words: str) -> forks.Child:
        return forks.run(words[0], "--org", "box", *words[1:], env=self.env)

    def killed(self, step: int, when: str, *words: str) -> forks.Child:
        """Run, and be killed while the org holds the request of this number; less steps are no kill."""
        child = forks.start(words[0], "--org", "box", *words[1:], env=self.env)
        self.org.arm(child, step, when)
        child.wait()
        self.org.victim = None
        return child

    def find(self, code: str, key: str) -> tuple[str, str]:
        """An error with this code, and its option whose key begins so."""
        causes = self.run("causes", "--json")
        assert causes.code == 0, causes.err
        for cause in causes.rows:
            if cause["code"] == code:
                options = self.run("fix", "--id", cause["roots"][0], "--json")
                assert options.code == 0, options.err
                for option in options.rows:
                    if option["key"].startswith(key):
                        return cause["roots"][0], option["key"]
        raise AssertionError(f"no error with {code} offers {key}")

    def components(self) -> dict[str, str]:
        """Every component of the org, whole."""
        catalog = MetadataCatalog(self.org.org.engine)
        return {
            f"{kind}:{name}": json.dumps(catalog.read(kind, name), sort_keys=True)
            for kind in TYPES
            for name in catalog.names(kind)
        }

    def intents(self) -> int:
        """Writes that the journal announced."""
        count = 0
        for path in (self.home / "state" / "journals").glob("*.db"):
            with closing(sqlite3.connect(path)) as sql:
                count += sql.execute("SELECT count(*) FROM fixes").fetchone()[0]
                count += sql.execute("SELECT count(*) FROM fix_events WHERE what = 'restoring'").fetchone()[0]
        return count

    def off(self) -> list[str]:
        """What the ledger says is off, re-read."""
        lines = self.run("safeguards", "--json").rows
        return [line["target"]["name"] for line in lines if line["state"] == "off"]

    def check(self, name: str, before: dict[str, str], kill: Kill) -> None:
        """As before, or off and on the ledger; nothing else changed; no write without its intent."""
        now = self.components()
        changed = [key for key in before if now[key] != before[key]]
        assert self.off() == [key.partition(":")[2] for key in changed], kill
        assert [key.partition(":")[2] for key in changed] in ([], [name])
        assert self.org.setup_writes <= self.intents(), kill

    def restore(self, before: dict[str, str]) -> None:
        """Put it back: the end is as before, and so is the ledger."""
        back = self.run("safeguards", "--restore-all")
        assert back.wait() == 0, back.err
        assert self.components() == before
        assert self.off() == []
        assert self.org.setup_writes <= self.intents()


@dataclass(frozen=True, slots=True)
class Kill:
    """When the program is killed: while the org holds the request of this number, for each command."""

    fix: int
    restore: int
    run: int
    when: str
    target: tuple[str, str]


def kills(count: int) -> list[Kill]:
    """Kills by chance, two of three of them about the write: the reading before it is the longer part."""
    random = Random(SEED)

    def step(about: int, last: int) -> int:
        return random.randint(about if random.random() < 2 / 3 else 1, last)

    return [
        Kill(step(16, 27), step(5, 14), step(20, 41), random.choice(("before", "after")), TARGETS[number % 3])
        for number in range(count)
    ]


@pytest.mark.timeout(3600)
def test_killed_while_it_fixes_and_while_it_puts_back(tmp_path: Path) -> None:
    with KillingOrg() as org:
        plain = World(org, tmp_path / "plain")
        known = {target: plain.find(*target) for target in TARGETS}
        for number, kill in enumerate(kills(KILLS)):
            world = World(org, tmp_path / str(number))
            org.setup_writes, before = 0, world.components()
            event, key = known[kill.target]
            name = key.partition(":")[2]
            fix = world.killed(kill.fix, kill.when, "fix", "--id", event, "--apply", key, "--yes", "--json")
            assert fix.code in {0, -signal.SIGKILL}, fix.err
            world.check(name, before, kill)
            world.run("fix", "--id", event, "--apply", key, "--yes")
            back = world.killed(kill.restore, kill.when, "safeguards", "--restore-all")
            assert back.code in {0, 1, -signal.SIGKILL}, back.err
            world.check(name, before, kill)
            world.restore(before)


@pytest.mark.timeout(3600)
def test_killed_while_it_re_syncs_with_a_fix(tmp_path: Path) -> None:
    for number, kill in enumerate(kills(KILLS)):
        with KillingOrg() as org:
            world = World(org, tmp_path / str(number))
            event, key = world.find(*kill.target)
            org.setup_writes, before = 0, world.components()
            name = key.partition(":")[2]
            asked = ("resync", "--id", event, "--yes", "--json", "--with-fix", key)
            run = world.killed(kill.run, kill.when, *asked)
            assert run.code in {0, 1, -signal.SIGKILL}, run.err
            world.check(name, before, kill)
            result = world.run("list")
            assert ("1 safeguard off since" in result.err) is (world.components() != before)
            world.restore(before)
            assert org.wrongly_fixed(run.rows) == {}
