"""The whole program in this process: real commands, real HTTP, and a clock that waits for nobody."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.cli import run
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import ManualClock
from syncerr_tui.resync import runner as running
from syncerr_tui.salesforce import connect as connecting
from syncerr_tui.salesforce.client import ClientOptions
from syncerr_tui.salesforce.concurrency import TokenProvider
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.salesforce.transport import HttpLimits
from syncerr_tui.stopwatch import Machine
from tests.e2e.orgs import WatchedServer, served, write_profile


@pytest.fixture
def org() -> Iterator[WatchedServer]:
    with served(DemoOptions(errors=30, seed=4, processing_delay=0.05)) as server:
        server.fix_some()
        yield server


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What stdout said, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The last line on stderr."""
        return self.err.splitlines()[-1] if self.err else ""


@dataclass(slots=True)
class Desk:
    """A person at a terminal, whose time and the org's pass only where the program waits."""

    home: Path
    server: WatchedServer
    clock: ManualClock
    capture: pytest.CaptureFixture[str]
    slept: float = 0.0

    def __call__(self, *words: str) -> CommandResult:
        """Run a command as the shell does."""
        self.capture.readouterr()
        code = run([*words, "--org", "box"])
        result = CommandResult(code, *self.capture.readouterr())
        assert self.server.access_token not in result.out + result.err
        return result

    async def sleep(self, seconds: float) -> None:
        """Wait: the org gets this time."""
        self.slept += seconds
        self.clock.advance(max(seconds, 0.01))
        self.server.org.engine.run_due()

    def assert_no_secret_on_disk(self) -> None:
        """Profiles, journals, logs: the token is in none of them."""
        kept = [path for path in self.home.rglob("*") if path.is_file()]
        assert kept
        for path in kept:
            assert self.server.access_token.encode() not in path.read_bytes(), path


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> MakeDesk:
    """Sit a person down before an org with a manual clock."""
    real_connect, real_runner = connecting.connect, running.Runner
    homes = itertools.count()

    def make(server: WatchedServer, clock: ManualClock, **profile: float) -> Desk:
        home = tmp_path / f"home-{next(homes)}"
        write_profile(home, **profile)  # type: ignore[arg-type]  # lanes and batch size are whole numbers
        monkeypatch.setenv("SYNCERR_HOME", str(home))
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        desk = Desk(home, server, clock, capsys)

        async def connect(profile: OrgProfile, tokens: TokenProvider) -> OrgSession:
            wire = HttpLimits(connect_timeout=5, read_timeout=0.25, answer_timeout=5)
            options = ClientOptions(
                wire=wire, sleep=desk.sleep, clock=lambda: clock().timestamp(), jitter=lambda: 0.5
            )
            return await real_connect(profile, tokens, options)

        def runner(*given: Any) -> Any:
            return real_runner(*given, machine=Machine(clock, desk.sleep))

        monkeypatch.setattr(connecting, "connect", connect)
        monkeypatch.setattr(running, "Runner", runner)
        return desk

    return make
