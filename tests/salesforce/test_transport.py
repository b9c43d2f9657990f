"""HTTP: one host, bounded, and nothing taken from where it should not be."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError
from syncerr_tui.model import ApiUsage
from syncerr_tui.salesforce.transport import (
    AllowedOrigin,
    BoundedAdapter,
    HttpLimits,
    RedirectRefusedError,
    TooLargeError,
    api_usage,
    open_session,
    retry_after,
    server_date,
)
from tests.salesforce.scripted import SECRET, Reply, ScriptedServer

HERE = Path(__file__).parent
CERT, KEY = str(HERE / "tls" / "loopback-cert.pem"), str(HERE / "tls" / "loopback-key.pem")
BEARER = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "acme.my.salesforce.com",
        "http://acme.my.salesforce.com",
        "ftp://127.0.0.1",
        "https://user:pw@acme.my.salesforce.com",
        "https://",
        "https://acme.my.salesforce.com:port",
        "http://127.0.0.1.evil.example",
    ],
)
def test_an_address_that_would_carry_the_token_in_the_open_is_refused(address: str) -> None:
    with pytest.raises(BadInputError):
        open_session(address)


@pytest.mark.parametrize(
    ("origin", "address", "held"),
    [
        ("http://127.0.0.1", "https://127.0.0.1/x", True),
        ("http://127.0.0.1:8901", "https://127.0.0.1:8901/x", True),
        ("http://[::1]:8901", "https://[::1]:8901/x", True),
        ("http://127.0.0.1:8901", "https://127.0.0.1/x", False),
        ("http://127.0.0.1:8901", "https://localhost:8901/x", False),
        ("https://acme.my.salesforce.com", "https://ACME.my.salesforce.com:443/x", True),
        ("https://acme.my.salesforce.com", "http://acme.my.salesforce.com/x", False),
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com.evil.example/x", False),
        ("https://acme.my.salesforce.com", "https://evil.example/acme.my.salesforce.com", False),
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com:99999/x", False),
        ("https://acme.my.salesforce.com", "", False),
    ],
)
def test_what_lies_at_an_origin(origin: str, address: str, held: bool) -> None:
    assert AllowedOrigin.of(origin).holds(address) is held


def test_the_library_writes_https_and_loopback_gets_http() -> None:
    with ScriptedServer(lambda _: Reply({"ok": True})) as server:
        session = open_session(server.url)
        answer = session.get(server.url.replace("http", "https") + "/x", headers=BEARER)
        assert answer.json() == {"ok": True}
        assert server.asked[0].headers["Authorization"] == BEARER["Authorization"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "https://127.0.0.1:8901@evil.example/",
        "https://localhost/",
    ],
)
def test_no_other_host_is_ever_asked(elsewhere: str) -> None:
    with ScriptedServer(lambda _: Reply({})) as server:
        session = open_session(server.url)
        with pytest.raises(RedirectRefusedError):
            session.get(elsewhere, headers=BEARER)
        assert server.asked == []


def test_a_redirect_to_another_host_is_refused_and_never_sees_the_token() -> None:
    with ScriptedServer(lambda _: Reply({})) as thief:
        target = thief.url.replace("127.0.0.1", "localhost") + "/steal"
        with (
            ScriptedServer(lambda _: Reply(status=302, headers={"Location": target})) as server,
            pytest.raises(RedirectRefusedError),
        ):
            open_session(server.url).get(server.url + "/x", headers=BEARER)
        assert thief.asked == []


def test_a_redirect_on_the_same_host_is_followed_for_reading_only() -> None:
    def script(asked: object) -> Reply:
        path = getattr(asked, "path", "")
        return Reply({}, 302, {"Location": "/there"}) if path == "/here" else Reply({"at": path})

    with ScriptedServer(script) as server:
        session = open_session(server.url)
        assert session.get(server.url + "/here", headers=BEARER).json() == {"at": "/there"}
        with pytest.raises(RedirectRefusedError):
            session.post(server.url + "/here", json={}, headers=BEARER)
        assert [asked.method for asked in server.asked] == ["GET", "GET", "POST"]


def test_a_ring_of_redirects_ends() -> None:
    with ScriptedServer(lambda _: Reply({}, 302, {"Location": "/again"})) as server:
        with pytest.raises(requests.TooManyRedirects):
            open_session(server.url).get(server.url + "/again")
        assert len(server.asked) == 4


def test_netrc_does_not_replace_the_token(tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login thief password pw\n")
    with ScriptedServer(
        lambda asked: Reply({}, 302, {"Location": "/b"}) if asked.path == "/a" else Reply({})
    ) as s:
        open_session(s.url).get(s.url + "/a", headers=BEARER)
        assert [asked.headers["Authorization"] for asked in s.asked] == [BEARER["Authorization"]] * 2


def test_cookies_are_not_kept() -> None:
    with ScriptedServer(lambda _: Reply({}, headers={"Set-Cookie": "sid=1; Path=/"})) as server:
        session = open_session(server.url)
        session.get(server.url + "/a")
        session.get(server.url + "/b")
        assert "Cookie" not in server.asked[1].headers


def test_an_answer_may_not_grow_without_bound() -> None:
    with ScriptedServer(lambda _: Reply(b"x" * 5000)) as server, pytest.raises(TooLargeError):
        open_session(server.url, HttpLimits(max_bytes=4000)).get(server.url)


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    with ScriptedServer(lambda _: Reply(b"x" * 5000)) as server, pytest.raises(requests.Timeout):
        open_session(server.url, HttpLimits(answer_timeout=-1)).get(server.url)


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_drips_a_byte_at_a_time_is_bounded_as_a_whole(part: str) -> None:
    """A socket's timeout starts anew with every byte, so that it alone would never end this."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nX-Long: "
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as ended:
        over = threading.Event()
        ended.callback(over.set)

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(head + (b"x\r\n\r\n" if part == "body" else b""))
                while not over.wait(0.02):
                    connection.sendall(b"x")

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        before = time.monotonic()
        with pytest.raises(requests.RequestException):
            open_session(url, HttpLimits(read_timeout=5, answer_timeout=0.3)).get(url)
        assert time.monotonic() - before < 4


def test_a_silent_server_is_given_up_although_nobody_passed_a_timeout() -> None:
    with ScriptedServer(lambda _: server.hang()) as server, pytest.raises(requests.Timeout):
        open_session(server.url, HttpLimits(read_timeout=0.05)).get(server.url)


def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    now = [0.0]
    with ScriptedServer(lambda _: Reply({})) as server:
        session = open_session(server.url)
        session.mount(
            "http://",
            BoundedAdapter(
                AllowedOrigin.of(server.url).holds, HttpLimits(), plain=True, clock=lambda: now[0]
            ),
        )
        for at in (0.0, 10.0, 20.0, 200.0, 210.0):
            now[0] = at
            assert session.get(server.url).status_code == 200
        assert server.connections == 2


def test_a_certificate_of_a_private_authority_counts_only_when_the_environment_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(lambda _: Reply({"ok": 1}), tls=(CERT, KEY)) as server:
        with pytest.raises(requests.exceptions.SSLError):
            open_session(server.url).get(server.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", CERT)
        assert open_session(server.url).get(server.url).json() == {"ok": 1}


def test_a_broken_bundle_in_the_environment_does_not_touch_plain_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with ScriptedServer(lambda _: Reply({"ok": 1})) as server:
        assert open_session(server.url).get(server.url.replace("http", "https")).json() == {"ok": 1}


def test_a_proxy_of_the_environment_is_used_for_an_org_and_not_for_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(lambda _: Reply(b"", 407)) as proxy, ScriptedServer(lambda _: Reply({})) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        org = "https://acme.my.salesforce.com"
        with pytest.raises(requests.exceptions.ProxyError):
            open_session(org).get(org + "/x", headers=BEARER)
        assert [(asked.method, asked.path) for asked in proxy.asked] == [
            ("CONNECT", "acme.my.salesforce.com:443")
        ]
        assert all(SECRET not in value for value in proxy.asked[0].headers.values())
        assert open_session(server.url).get(server.url.replace("http", "https")).status_code == 200
        assert len(proxy.asked) == 1


def test_our_name_is_told() -> None:
    with ScriptedServer(lambda _: Reply({})) as server:
        open_session(server.url).get(server.url)
        assert server.asked[0].headers["User-Agent"].startswith("syncerr-tui/")


@pytest.mark.parametrize(
    ("header", "usage"),
    [
        ("api-usage=18/5000", ApiUsage(18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", ApiUsage(25, 5000)),
        ("per-app-api-usage=17/250(appName=api-usage=1/2)", None),
        ("per-app-api-usage=17/250(appName=x); api-usage=3/4", ApiUsage(3, 4)),
        ("", None),
        ("api-usage=x/y", None),
    ],
)
def test_the_api_use_is_read(header: str, usage: ApiUsage | None) -> None:
    assert api_usage({"Sforce-Limit-Info": header}) == usage


@given(st.text())
def test_no_header_breaks_what_reads_it(text: str) -> None:
    api_usage({"Sforce-Limit-Info": text})
    retry_after({"Retry-After": text})
    server_date({"Date": text})


def test_the_clock_of_the_server_is_read() -> None:
    moment = server_date({"Date": "Mon, 23 Nov 2026 02:14:07 GMT"})
    assert moment is not None
    assert moment.isoformat() == "2026-11-23T02:14:07+00:00"
    assert server_date({}) is None


def test_tls_is_on_by_default() -> None:
    assert ssl.create_default_context().check_hostname
    assert open_session("https://acme.my.salesforce.com").verify is True
