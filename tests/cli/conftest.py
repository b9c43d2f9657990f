"""The command line in this process, with a home of its own and a demo org on a port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.cli import run
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer


@dataclass
class CommandResult:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """Runs commands as `syncerr_tui.cli.run` does."""

    home: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> CommandResult:
        self.capture.readouterr()
        code = run(list(words))
        out, err = self.capture.readouterr()
        return CommandResult(code, out, err)

    @property
    def profiles(self) -> Path:
        return self.home / "config" / "orgs"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    home = tmp_path / "home"
    monkeypatch.setenv("SYNCERR_HOME", str(home))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SYNCERR_INSTANCE_URL", raising=False)
    monkeypatch.delenv("SYNCERR_ACCESS_TOKEN", raising=False)
    return Shell(home, capsys)


@pytest.fixture(scope="session")
def server() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=30, processing_delay=0.1)) as server:
        yield server


@pytest.fixture
def org(server: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The demo org, as an org that the environment names."""
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
    return server


@pytest.fixture(scope="session")
def unchanged() -> Iterator[DemoServer]:
    """A demo org in which no test changes anything."""
    with DemoServer(DemoOptions(errors=30)) as server:
        yield server


@pytest.fixture
def listed(unchanged: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """An org that the environment names, and that a test may only read."""
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", unchanged.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", unchanged.access_token)
    return unchanged
