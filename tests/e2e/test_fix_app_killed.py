"""The real app in a pseudo-terminal, killed while a safeguard is off for a re-sync: nothing is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from syncerr_tui.demo.options import DemoOptions
from tests import forks
from tests.bench.pty_program import PtyProgram
from tests.e2e.orgs import WatchedServer, served, write_profile
from tests.terminal.test_program import environ, restored

pytestmark = pytest.mark.terminal

NAME = "Account.Tax_Number_Has_Eleven_Digits"
OFF = "1 safeguard off since"


class Desk:
    """An operator with a profile, beside an org."""

    def __init__(self, org: WatchedServer, home: Path) -> None:
        write_profile(home)
        self.org = org
        access = {"SYNCERR_INSTANCE_URL": org.instance_url, "SYNCERR_ACCESS_TOKEN": org.access_token}
        self.environ = environ(home, **access)

    def is_on(self) -> bool:
        """Whether the rule is active in the org."""
        component = self.org.org.metadata.read("ValidationRule", NAME)
        assert component is not None
        return component["active"] is True

    @contextmanager
    def app(self) -> Iterator[PtyProgram]:
        start = forks.at_terminal
        with PtyProgram(
            ("--org", "box"), columns=100, lines=30, environ=self.environ, start=start
        ) as program:
            yield program

    def run(self, *words: str) -> forks.Child:
        return forks.run(words[0], "--org", "box", *words[1:], env=self.environ)

    def start_run_with_it_off(self, program: PtyProgram) -> None:
        """The rule is off, and a re-sync under way."""
        program.wait_for("refreshed just now")
        program.press("/", "digits", "enter")
        program.wait_for("filter: digits")
        program.press("R")
        program.answer("f with the safeguard off", "f")
        program.answer("off meanwhile")
        self.until(program, lambda: not self.is_on())

    def until(self, program: PtyProgram, met: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not met():
            assert time.monotonic() < end, "\n".join(program.text)
            program.read(0.05)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with served(DemoOptions(errors=140, processing_delay=20.0)) as org:
        yield Desk(org, tmp_path)


@pytest.mark.timeout(300)
def test_killed_while_it_is_off_every_command_says_so_and_the_next_start_puts_it_back(desk: Desk) -> None:
    with desk.app() as program:
        desk.start_run_with_it_off(program)
        program.signal(SIGKILL)
        assert program.wait() == -SIGKILL
    assert not desk.is_on()
    for words in (("list", "--json"), ("causes",), ("plan", "--all"), ("journal",), ("resume",)):
        output = desk.run(*words)
        assert OFF in output.err, (words, output)
        assert "safeguards --restore" in output.err, words
    assert OFF in desk.run("doctor").out
    (line,) = desk.run("safeguards", "--json").out.splitlines()
    assert '"state": "off"' in line
    assert not desk.is_on()
    with desk.app() as program:
        assert any(NAME in row for row in program.wait_for("enter puts it back"))
        program.answer("enter puts it back")
        program.wait_for("a re-read shows it")
        assert desk.is_on()
        program.press("escape")
        program.wait_for(lambda rows: not any("safeguard off" in row for row in rows))
        program.signal(SIGTERM)
        assert program.wait() == 143
    assert OFF not in desk.run("list").err


@pytest.mark.timeout(300)
def test_told_to_end_it_puts_it_back_first(desk: Desk) -> None:
    with desk.app() as program:
        desk.start_run_with_it_off(program)
        program.signal(SIGTERM)
        assert program.wait() == 143
        assert restored(program)
    assert desk.is_on()
    assert OFF not in desk.run("list").err


@pytest.mark.timeout(300)
def test_a_terminal_that_goes_away_leaves_it_on(desk: Desk) -> None:
    with desk.app() as program:
        desk.start_run_with_it_off(program)
        program.hang_up()
        end = time.monotonic() + 60
        while not program.exited():
            assert time.monotonic() < end
            time.sleep(0.05)
    assert desk.is_on()
