"""`watch`: the command over HTTP against the demo org, through fixes, outages and expired sessions."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.cli import watch
from syncerr_tui.cli._options import OrgChoice
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from tests.cli.conftest import Shell
from tests.e2e.orgs import write_profile

BOX = ("--org", "box")


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=30, processing_delay=0)) as server:
        yield server


@pytest.fixture
def box(demo: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
    write_profile(shell.home)
    return demo


class Watching:
    """A watch that goes on in this process, beside the commands of a test."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = lines

    async def until(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                for line in self.lines:
                    if found(line):
                        return line
                await asyncio.sleep(0.02)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(watch, "as_json", lambda: True)
    monkeypatch.setattr(watch, "emit_json", lambda *values: seen.extend(values))
    return seen


def wishes(**changes: Any) -> Any:
    made = watch._wishes("60s", (), (), None, "0s", None)
    return replace(made, interval=0.05, **changes)


def counted(metrics: Path) -> int:
    text = metrics.read_text(encoding="utf-8") if metrics.exists() else ""
    return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith("syncerr_errors{"))


async def watching(
    monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, Any]], made: Any, test: Any
) -> None:
    task = asyncio.create_task(watch._watch(OrgChoice("box", None, read_only=False), made))
    started = asyncio.Event()
    monkeypatch.setattr(watch, "say", lambda _line: started.set())
    try:
        await asyncio.wait({task, asyncio.create_task(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await test(Watching(lines))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("box")
def test_what_a_run_fixes_is_gone_with_the_proof_and_the_cause_is_cleared(
    shell: Shell, lines: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(r for r in shell("list", *BOX, "--json").lines if r["code"] == "UNABLE_TO_LOCK_ROW")
    metrics = tmp_path / "syncerr.prom"

    async def fixes(watched: Watching) -> None:
        done = await asyncio.to_thread(shell, "resync", *BOX, "--id", row["id"], "--yes")
        assert done.code == 0
        gone = await watched.until(lambda line: line["event"] == "gone")
        assert gone["id"] == row["id"]
        # The watch may see it before the run has read it back.
        assert gone["reason"].startswith(("FIXED by ", "sent by "))
        cleared = await watched.until(lambda line: line["event"] == "cleared")
        assert cleared["code"] == "UNABLE_TO_LOCK_ROW"
        async with asyncio.timeout(60):  # the figures are written after the lines
            while counted(metrics) != 29:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)

    asyncio.run(watching(monkeypatch, lines, wishes(metrics=metrics), fixes))
    assert len(shell("list", *BOX, "--json").lines) == 29
    assert [line["event"] for line in lines if line["event"] in {"new", "trouble"}] == []


@pytest.mark.usefixtures("box")
def test_an_outage_is_told_once_and_its_end_too(
    lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncerr_tui.errors import UnreachableError
    from syncerr_tui.salesforce.session import OrgSession

    real = OrgSession.changed_since
    away = True

    async def changed(self: OrgSession, at: Any) -> Any:
        if away:
            raise UnreachableError("The org is down for maintenance", "Wait")
        return await real(self, at)

    monkeypatch.setattr(OrgSession, "changed_since", changed)

    async def outage(watched: Watching) -> None:
        nonlocal away
        await watched.until(lambda line: line["event"] == "trouble")
        await asyncio.sleep(0.3)
        away = False
        await watched.until(lambda line: line["event"] == "back")

    asyncio.run(watching(monkeypatch, lines, wishes(), outage))
    assert [line["event"] for line in lines] == ["trouble", "back"]
    assert lines[0]["detail"] == "The org is down for maintenance. Wait."


@pytest.mark.usefixtures("box")
def test_an_expired_session_is_opened_anew(
    lines: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncerr_tui.errors import NotLoggedInError
    from syncerr_tui.salesforce.session import OrgSession

    real, expired = OrgSession.changed_since, [True]
    connected = []
    connect = watch._connect

    async def counted(*args: Any) -> Any:
        connected.append(1)
        return await connect(*args)

    async def changed(self: OrgSession, at: Any) -> Any:
        if expired:
            expired.pop()
            raise NotLoggedInError("The session has expired", "Log in again")
        return await real(self, at)

    monkeypatch.setattr(OrgSession, "changed_since", changed)
    monkeypatch.setattr(watch, "_connect", counted)

    async def back(watched: Watching) -> None:
        await watched.until(lambda line: line["event"] == "back")

    asyncio.run(watching(monkeypatch, lines, wishes(), back))
    assert len(connected) == 2


@pytest.mark.usefixtures("box")
def test_a_refused_login_is_not_tried_for_ever(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", "wrong")
    monkeypatch.setattr(watch, "_LOGIN_WAIT", 0.01)
    output = shell("watch", *BOX, "--json")
    assert output.code == 4
    assert [line["event"] for line in output.lines] == ["trouble"]


@pytest.mark.usefixtures("box")
@pytest.mark.parametrize(
    ("options", "code", "begins"),
    [
        ((), 0, "OK - 30 sync errors"),
        (("--fail-on", "age:<1m code:NO_SUCH"), 2, ""),
        (("--fail-on", "age:>9000d"), 0, "OK - "),
        (("--fail-on", "event:create"), 2, "CRITICAL - "),
        (
            ("--fail-on", "code:UNABLE_TO_LOCK_ROW"),
            2,
            "CRITICAL - 1 sync error matches code:UNABLE_TO_LOCK_ROW; ",
        ),
        (("--warn-on", "event:create"), 1, "WARNING - "),
        (("--warn-on", "event:create", "--fail-on", "age:>9000d"), 1, "WARNING - "),
    ],
)
def test_once_ends_as_monitoring_systems_expect(
    shell: Shell, options: tuple[str, ...], code: int, begins: str
) -> None:
    output = shell("watch", *BOX, "--once", *options)
    assert (output.code, output.out.startswith(begins)) == (code, True)
    if begins:
        assert output.out.count("\n") == 1
        assert " | errors=30 causes=" in output.out


def test_once_is_unknown_where_the_org_cannot_be_read(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", "any")
    output = shell("watch", *BOX, "--once", "--fail-on", "age:>2h")
    assert (output.code, output.out.startswith("UNKNOWN - ")) == (3, True)


@pytest.mark.usefixtures("box")
def test_cron_tells_only_what_is_new_since_it_looked_last(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "told"
    script = tmp_path / "hook.py"
    script.write_text(f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read())")
    hook = ("--hook", f"{sys.executable} {script}")
    row = next(r for r in shell("list", *BOX, "--json").lines if r["code"] == "UNABLE_TO_LOCK_ROW")
    assert shell("watch", *BOX, "--once", *hook).code == 0
    assert not out.exists()
    assert shell("resync", *BOX, "--id", row["id"], "--yes").code == 0
    shell("watch", *BOX, "--once", *hook)
    shell("watch", *BOX, "--once", *hook)
    (line,) = out.read_text(encoding="utf-8").splitlines()
    assert len(json.loads(line)["cleared"]) == 1


@pytest.mark.usefixtures("box")
def test_a_hook_that_fails_or_hangs_is_one_line_and_is_due_again(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watch._hook
    monkeypatch.setattr(watch, "_hook", lambda command: replace(made(command), timeout=1.0))
    script, out = tmp_path / "hook.py", tmp_path / "told"
    hook = ("--hook", f"{sys.executable} {script}")
    script.write_text("")
    row = next(r for r in shell("list", *BOX, "--json").lines if r["code"] == "UNABLE_TO_LOCK_ROW")
    assert shell("watch", *BOX, "--once", *hook).code == 0
    assert shell("resync", *BOX, "--id", row["id"], "--yes").code == 0
    for text, words in (("raise SystemExit(3)", "3"), ("import time; time.sleep(60)", "longer than 1 s")):
        script.write_text(text)
        output = shell("watch", *BOX, "--once", *hook)
        assert output.code == 0
        (line,) = [line for line in output.err.splitlines() if "tried again" in line]
        assert words in line
    script.write_text(f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read())")
    shell("watch", *BOX, "--once", *hook)
    assert len(json.loads(out.read_text(encoding="utf-8"))["cleared"]) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--notify", "mailto://me:s3cret@example.com"), "--notify takes no address"),
        (("--notify", "env:NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE is not set"),
        (("--hook", ""), "--hook is not a command"),
        (("--interval", "1s"), "The shortest is 10s"),
        (("--digest", "soon"), "--digest cannot be"),
        (("--quiet", "night"), "--quiet cannot be"),
        (("--fail-on", "age:>2h"), "belong to --once"),
        (("--once", "--fail-on", "age:>"), "age"),
    ],
)
def test_what_cannot_be_understood_is_refused_before_anything_is_read(
    shell: Shell, options: tuple[str, ...], words: str
) -> None:
    output = shell("watch", "--demo", "--errors", "1", *options)
    assert output.code in {2, 4}
    assert words in output.err
    assert "s3cret" not in output.err
    assert output.out == ""
