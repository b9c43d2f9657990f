"""HTTP/1.1 itself: framing, keeping connections, sizes, compression."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError
from tests.demo.tiny import Client, TinyOrg, tiny


@pytest.fixture(scope="module")
def org() -> Iterator[Client]:
    with tiny() as client:
        yield client


def head(org: Client, line: str, *more: str) -> bytes:
    lines = [line, "Host: 127.0.0.1", f"Authorization: Bearer {org.server.access_token}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(org: Client, *more: str) -> bytes:
    return head(org, "POST /services/apexrest/echo HTTP/1.1", *more)


def body_of(reply: bytes) -> object:
    return json.loads(reply.partition(b"\r\n\r\n")[2])["body"]


def test_a_chunked_body(org: Client) -> None:
    chunks = b'5;ext=1\r\n{"a":\r\n3\r\n1 }\r\n0\r\nTrailer: x\r\n\r\n'
    reply = org.raw(post(org, "Transfer-Encoding: chunked", "Connection: close") + chunks)
    assert body_of(reply) == {"a": 1}


def test_after_a_chunked_body_the_next_request_is_in_step(org: Client) -> None:
    chunked = post(org, "Transfer-Encoding: chunked") + b"2\r\n[]\r\n0\r\n\r\n"
    reply = org.raw(chunked + head(org, "GET /services/data HTTP/1.1", "Connection: close"))
    assert reply.count(b"HTTP/1.1 200 OK") == 2
    assert b"Winter '27" in reply


def test_pipelined_requests_are_answered_in_order(org: Client) -> None:
    paths = ["/services/data/v59.0/limits", "/nothing", "/services/data"]
    data = b"".join(head(org, f"GET {path} HTTP/1.1") for path in paths)
    reply = org.raw(data)
    first, second, third = (reply.find(mark) for mark in (b"DailyApiRequests", b"NOT_FOUND", b"Winter '27"))
    assert 0 < first < second < third


def test_a_connection_is_kept(org: Client) -> None:
    org.ask("limits")
    line = org.connection.sock
    assert line is not None
    for path in ("limits", "nothing", "/services/data/v59.0/limits"):
        org.ask(path)
        assert org.connection.sock is line


def test_a_connection_is_closed_when_asked(org: Client) -> None:
    reply = org.raw(head(org, "GET /services/data/v59.0/limits HTTP/1.0"))
    assert b"Connection: close" in reply
    reply = org.raw(head(org, "GET /services/data HTTP/1.1", "Connection: close") * 2)
    assert reply.count(b"HTTP/1.1 200") == 1


def test_100_continue(org: Client) -> None:
    data = post(org, "Content-Length: 2", "Expect: 100-continue", "Connection: close") + b"[]"
    reply = org.raw(data)
    assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 17_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: cut", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc", 400),
    ],
)
def test_what_cannot_be_read_ends_the_connection(org: Client, data: bytes, status: int) -> None:
    reply = org.raw(data)
    assert reply.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in reply
    assert json.loads(reply.partition(b"\r\n\r\n")[2])[0]["errorCode"]


def test_just_under_the_limit_is_fine(org: Client) -> None:
    ids = ",".join(["001De0000000001IAA"] * 800)
    answer = org.ask(f"composite/sobjects/Account?fields=Id&ids={ids}")
    assert (answer.status, len(answer.json)) == (200, 800)


def test_gzip_both_ways(org: Client) -> None:
    plain = org.ask("sobjects/Account/describe", Accept_Encoding="identity")
    packed = org.ask("sobjects/Account/describe", Accept_Encoding="gzip, deflate")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.raw) == plain.raw
    echo = org.ask("/services/apexrest/x", "POST", raw=gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    assert echo.json["body"] == {"a": 1}


def test_an_answer_leaves_in_one_piece(org: Client) -> None:
    """Head and body apart would cost 40 ms: Nagle's algorithm against the delayed acknowledgement."""
    with socket.create_connection(org.address, 20) as line:
        line.sendall(head(org, "GET /services/data/v59.0/limits HTTP/1.1"))
        first = line.recv(65_536)
    top, _, body = first.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in top
    assert body.endswith(b"}")


def test_close_does_not_wait_for_what_is_under_way() -> None:
    with tiny(DemoOptions(latency=600)) as org:
        org.connection.request("GET", "/services/data")
        org.server.close()
        org.server.close()


def test_a_port_in_use_is_said() -> None:
    with tiny() as org, pytest.raises(BadInputError, match="cannot be used"):
        DemoServer(DemoOptions(port=org.address[1]), make_org=TinyOrg)
