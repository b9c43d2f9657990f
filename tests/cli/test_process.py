"""The real program as a process: what it imports, how it ends, and that no secret leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from syncerr_tui.cli._console import emit
from syncerr_tui.demo.server import DemoServer
from tests import forks
from tests.cli.conftest import Shell
from tests.pipes import small_pipe

HEAVY = {"textual", "rich", "simple_salesforce", "requests", "sqlite3", "jwt"}


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, io; sys.stdout = io.StringIO()\nfrom syncerr_tui.cli import COMMANDS, run\n"
        "for command in COMMANDS: run([command, '--help'])\nsys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) & HEAVY == set()


def test_a_command_that_reads_an_org_draws_no_screen(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom syncerr_tui.cli import run\ncode = run(['list', '--demo', '--errors', '5'])"
        "\nsys.stderr.write(' '.join(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stderr.split()) & {"textual", "rich"} == set()


CLOSED = """
import os, sys
for number, name in enumerate(("stdin", "stdout", "stderr")):
    os.close(number)
    setattr(sys, name, None)
    setattr(sys, f"__{name}__", None)
"""
"""What an interpreter does that finds its three streams closed."""


@pytest.mark.skipif(os.name != "posix", reason="streams are closed by a shell")
@pytest.mark.parametrize("stream", [">&-", "2>&-"])
def test_a_stream_that_was_closed_before_is_no_failure(stream: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m syncerr_tui explain -m x {stream}', sys.executable],
        env={**os.environ, "SYNCERR_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0


def test_sockets_that_take_the_place_of_closed_streams_are_no_failure(tmp_path: Path) -> None:
    words = ("list", "--demo", "--errors", "5")
    assert forks.run(*words, env={"SYNCERR_HOME": str(tmp_path)}, first=CLOSED).code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("command", ["list --demo --errors 5", "explain -m x", "--help"])
def test_output_that_finds_no_room_is_this_machines_failure(command: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = forks.start(*command.split(), env={"SYNCERR_HOME": str(tmp_path)}, stdout=full.fileno())
    assert done.wait() == 6
    assert done.err.splitlines()[-1].startswith("syncerr-tui: The output cannot be written (No space left")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_failure_that_cannot_be_told_keeps_its_exit_code() -> None:
    command = f'"{sys.executable}" -m syncerr_tui list --no-such-flag 2>/dev/full'
    assert subprocess.run(["/bin/sh", "-c", command], check=False).returncode == 2


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    words = ("list", "--demo", "--errors", "500", "--json")
    process = forks.start(*words, env={"SYNCERR_HOME": str(tmp_path)}, stdout=writing)
    os.close(writing)
    with os.fdopen(reading) as reader:
        assert reader.readline().startswith('{"id"')
    assert process.wait() == 0
    assert "Traceback" not in process.err


def test_ctrl_c_ends_a_command_whose_reader_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = small_pipe()
    stream = os.fdopen(writing, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    begun = threading.Event()

    def press() -> None:
        begun.wait()
        while signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    async def command() -> None:
        begun.set()
        emit("more than it takes" * 1000)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(command())
    os.close(reading)
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def test_a_command_whose_words_nobody_reads_does_its_work(
    org: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`setup acme --yes 2>&1 | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    env = {
        "SYNCERR_HOME": str(tmp_path),
        "SYNCERR_INSTANCE_URL": org.instance_url,
        "SYNCERR_ACCESS_TOKEN": org.access_token,
    }
    process = forks.start("setup", "acme", "--yes", "--way", "environment", env=env, stderr=writing)
    os.close(writing)
    assert process.wait() == 0
    assert (tmp_path / "config" / "orgs" / "acme.toml").exists()


@pytest.fixture
def silent_org(tmp_path: Path) -> Iterator[tuple[dict[str, str], threading.Event]]:
    """An org that takes a request and never answers it: what leads a program there, and when it was asked."""
    asked, enough = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            enough.wait()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield (
        {
            "SYNCERR_HOME": str(tmp_path),
            "SYNCERR_INSTANCE_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "SYNCERR_ACCESS_TOKEN": "00D5g000000abcd!AQ0123456789012345678901",
        },
        asked,
    )
    enough.set()
    server.shutdown()
    server.server_close()


def test_ctrl_c_ends_a_command_that_waits_for_the_org(
    silent_org: tuple[dict[str, str], threading.Event],
) -> None:
    env, asked = silent_org
    process = forks.start("list", env=env)
    assert asked.wait(60)
    process.kill(signal.SIGINT)
    assert (process.wait(), process.out) == (130, "")
    assert process.err.strip() == "syncerr-tui: Interrupted."


def test_an_org_that_is_silent_is_said_to_be_waited_for(
    silent_org: tuple[dict[str, str], threading.Event],
) -> None:
    env, asked = silent_org
    process = forks.start("list", env=env, first="from syncerr_tui.cli import _connect; _connect._LONG = 0")
    assert asked.wait(60)
    process.wait_for("Still waiting for the org")
    process.kill(signal.SIGINT)
    assert process.wait() == 130


def test_no_secret_leaves_the_program(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = org.credentials
    monkeypatch.setenv("CLIENT_SECRET", known.consumer_secret)
    refresh = tmp_path / "refresh"
    refresh.write_text(known.refresh_token, encoding="utf-8")
    refresh.chmod(0o600)
    printed = []

    def run(*words: str) -> None:
        output = shell(*words)
        printed.append(output.out + output.err)
        assert output.code == 0, output.err

    run("setup", "by-token", "--yes")
    app = ("--set", f"client_id={known.consumer_key}", "--set", f"login_url={org.instance_url}")
    run(
        "setup",
        "by-secret",
        "--yes",
        "--way",
        "client-credentials",
        *app,
        "--set",
        "secret=env:CLIENT_SECRET",
    )
    run(
        "setup",
        "by-refresh",
        "--yes",
        "--way",
        "refresh-token",
        *app,
        "--set",
        f"refresh_token=file:{refresh}",
    )
    for name in ("by-token", "by-secret", "by-refresh"):
        run("doctor", "--org", name)
        run("list", "--org", name, "--json")
    run("info")
    kept = [
        path.read_text(encoding="utf-8", errors="replace") for path in shell.home.rglob("*") if path.is_file()
    ]
    for secret in (org.access_token, known.consumer_secret, known.refresh_token):
        assert secret not in "".join(printed)
        assert secret not in "".join(kept)
