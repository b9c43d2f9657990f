"""`syncerr-tui demo --serve` as another program sees it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from syncerr_tui.cli.demo import command
from tests import forks


@contextmanager
def serving(*options: str) -> Iterator[tuple[forks.Child, str]]:
    """The running program and the first line of its stdout."""
    program = forks.start("demo", "--serve", *options, env={})
    try:
        while "\n" not in program.out:
            assert program.alive, program.err
            time.sleep(0.005)
        yield program, program.out
    finally:
        program.kill()
        program.wait()


def get(url: str, path: str, token: str) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_stopped(number: signal.Signals) -> None:
    with serving("--json", "--port", "0", "--errors", "12") as (program, line):
        payload = json.loads(line)
        assert sorted(payload) == ["access_token", "instance_url"]
        assert get(payload["instance_url"], "/services/data/v59.0/limits", payload["access_token"]) == 200
        program.kill(number)
        assert (program.wait(), program.out, program.err) == (0, line, "")


def test_the_state_is_kept(tmp_path: Path) -> None:
    options = ("--json", "--errors", "3", "--db", str(tmp_path / "demo.db"))
    tokens = []
    for _ in range(2):
        with serving(*options) as (program, line):
            tokens.append(json.loads(line)["access_token"])
            program.kill(signal.SIGTERM)
            assert program.wait() == 0
    assert tokens[0] != tokens[1]


def test_credentials_are_shown_when_asked_for() -> None:
    with serving("--show-credentials", "--errors", "0") as (program, line):
        assert line.startswith("The demo org runs at http://127.0.0.1:")
        program.kill(signal.SIGTERM)
        program.wait()
        shown = json.loads(program.err.splitlines()[0])
        assert shown["username"] == "ana@harbour-hearth.example"
        assert shown["jwt_private_key"].startswith("-----BEGIN PRIVATE KEY-----")


def refused(*options: str) -> str:
    done = forks.run("demo", *options, env={})
    assert (done.wait(), done.out) == (2, ""), done.err
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith('{"error": ' if "--json" in options else "syncerr-tui: ")
    return done.err


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (("--serve", "--errors", "-1"), "--errors"),
        (("--serve", "--port", "70000"), "--port"),
        (("--serve", "--fault", "nope"), "There is no fault 'nope'"),
        (("--serve", "--fault", "latency:soon"), "cannot be read at 'soon'"),
        (("--serve", "--naming", "nope"), "nope"),
        (("--serve", "--jwt-certificate", "/nowhere.pem"), "cannot be read"),
        (("--json",), "--json belongs to --serve"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_bad_options(options: tuple[str, ...], refusal: str) -> None:
    assert refusal in refused(*options)


def test_a_port_in_use_and_a_broken_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 cannot be used" in refused("--serve", "--port", str(port))
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"broken" * 1_000)
    assert "not a demo database" in refused("--serve", "--db", str(broken))
    assert broken.read_bytes() == b"broken" * 1_000


def test_every_option_is_documented_and_faults_are_listed() -> None:
    runner = CliRunner()
    for option in command.params:
        assert getattr(option, "help", None), option.name
    listed = runner.invoke(command, ["--fault", "help"])
    assert listed.exit_code == 0
    assert "drop-after" in listed.output
    assert "vanish" in listed.output
