"""What a web page or another user of this machine can do to the demo's port: little, and not for long."""

from __future__ import annotations

import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from syncerr_tui.demo import http_server
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError
from tests.demo.tiny import Client, TinyOrg, tiny

HALF = b"GET /services/data HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


def calls() -> int:
    """Threads that serve a connection."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[", "localhost@x"]
)
def test_another_host_name_is_refused_whatever_token_comes_with_it(host: str) -> None:
    with tiny() as org:
        refused = org.ask("limits", Host=host)
        assert (refused.status, refused.code) == (421, "MISDIRECTED_REQUEST")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:8443"])
def test_the_names_of_this_machine_are_fine(host: str) -> None:
    with tiny() as org:
        assert org.ask("limits", Host=host).status == 200


def test_every_start_has_credentials_of_its_own() -> None:
    with tiny() as one, tiny() as other:
        ours, theirs = one.server.credentials, other.server.credentials
        for name in ("password", "security_token", "consumer_key", "consumer_secret", "refresh_token"):
            assert getattr(ours, name) != getattr(theirs, name)


def test_half_requests_hold_few_threads_and_keep_nobody_out() -> None:
    with tiny() as org, ExitStack() as lines:
        before = calls()
        for _ in range(400):
            lines.enter_context(socket.create_connection(org.address, 20)).sendall(HALF)
        eventually(lambda: calls() - before <= http_server.MAX_CONNECTIONS)
        assert org.ask("limits").status == 200


@pytest.mark.parametrize(
    "sent", [b"", HALF, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nab"]
)
def test_a_half_request_is_given_up(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "READ_SECONDS", 0.2)
    with tiny() as org, socket.create_connection(org.address, 20) as line:
        line.sendall(sent)
        while line.recv(4_096):
            pass


def test_a_request_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "READ_SECONDS", 0.3)
    with tiny() as org, socket.create_connection(org.address, 20) as line:
        line.sendall(HALF)
        line.settimeout(0.05)
        until = time.monotonic() + 20
        gone = False
        while not gone:
            assert time.monotonic() < until
            try:
                line.sendall(b"x")
                gone = not line.recv(4_096)
            except TimeoutError:
                continue
            except OSError:
                gone = True


def test_a_kept_connection_may_rest_longer_than_a_request_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "READ_SECONDS", 0.1)
    with tiny() as org:
        org.ask("limits")
        line = org.connection.sock
        time.sleep(0.5)
        assert org.ask("limits").status == 200
        assert org.connection.sock is line


def test_a_stranger_cannot_make_it_hold_a_large_body() -> None:
    with tiny() as org, ExitStack() as lines:
        head = b"POST /services/data/v59.0/composite HTTP/1.1\r\nContent-Length: 52000000\r\n\r\n"
        tracemalloc.start()
        answers = []
        for _ in range(8):
            line = lines.enter_context(socket.create_connection(org.address, 20))
            line.sendall(head)
            answers.append(line.recv(4_096).split(b" ")[1])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert answers == [b"413"] * 8
        assert peak < 5_000_000


def test_the_owner_of_a_token_may_send_a_large_body() -> None:
    with tiny() as org:
        body = json.dumps({"a": "x" * 200_000})
        assert org.ask("/services/apexrest/x", "POST", raw=body).status == 200
        assert org.ask("/services/apexrest/x", "POST", raw=body, Authorization="").status == 413


def test_two_orgs_on_one_file_are_refused(tmp_path: Path) -> None:
    options = DemoOptions(db=tmp_path / "demo.db")
    with DemoServer(options, make_org=TinyOrg) as first:
        with pytest.raises(BadInputError, match="in use by another demo org"):
            DemoServer(options, make_org=TinyOrg)
        assert Client(first).ask("limits").status == 200
    with DemoServer(options, make_org=TinyOrg) as again:
        assert Client(again).ask("limits").status == 200
