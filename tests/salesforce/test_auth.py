"""Logins over HTTP against a small login host: what is sent, what is understood, and what never shows."""

from __future__ import annotations

import base64
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from syncerr_tui.errors import (
    BadInputError,
    MachineError,
    NotLoggedInError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.salesforce.auth import ENVIRONMENT, open_profile, tokens_for
from syncerr_tui.salesforce.auth.secrets import Secrets
from syncerr_tui.salesforce.concurrency import Token
from syncerr_tui.salesforce.profiles import (
    AuthMethod,
    ClientCredentialsAuth,
    EnvironmentAuth,
    JwtBearerAuth,
    PasswordAuth,
    RefreshTokenAuth,
    SecretRef,
    SfCliAuth,
)

SECRET = "s3cr3t-and-never-shown"
TOKEN = "00D5g000000abcd!AQEAQfreshtoken"


class LoginHost:
    """Answers every POST with the same thing, and remembers what came."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        self.body = ""
        self.requests: list[tuple[str, dict[str, str], str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.requests.append((self.path, dict(self.headers), body))
                answer = outer.body.encode()
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def gives(self, **said: str) -> None:
        self.body = json.dumps({"access_token": TOKEN, "instance_url": self.url, **said})

    def refuses(self, error: str, why: str) -> None:
        self.status, self.body = 400, json.dumps({"error": error, "error_description": why})

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.requests[-1][2]).items()}


@pytest.fixture
def host() -> Iterator[LoginHost]:
    login_host = LoginHost()
    yield login_host
    login_host.server.shutdown()
    login_host.server.server_close()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(tmp_path: Path, key: rsa.RSAPrivateKey) -> Path:
    path = tmp_path / "server.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    return path


def log_in(way: AuthMethod, **environ: str) -> Token:
    return tokens_for(way, {"SECRET": SECRET, **environ}).current()


def credentials(host: LoginHost) -> ClientCredentialsAuth:
    return ClientCredentialsAuth("3MVG9", SecretRef("env", "SECRET"), host.url)


def test_the_environment_gives_a_token_for_this_machine_too() -> None:
    token = log_in(EnvironmentAuth(), SYNCERR_INSTANCE_URL="http://127.0.0.1:9/", SYNCERR_ACCESS_TOKEN=TOKEN)
    assert (token.instance_url, token.access_token) == ("http://127.0.0.1:9", TOKEN)


def test_a_host_without_a_scheme_is_taken_as_https() -> None:
    token = log_in(
        EnvironmentAuth(), SYNCERR_INSTANCE_URL="acme.my.salesforce.com", SYNCERR_ACCESS_TOKEN="eyJ.a.b"
    )
    assert token.instance_url == "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("url", "token", "title"),
    [
        ("", TOKEN, "SYNCERR_INSTANCE_URL is not set"),
        ("https://acme.my.salesforce.com", "", "SYNCERR_ACCESS_TOKEN is not set"),
        ("http://acme.my.salesforce.com", TOKEN, "not an address that a token may be sent to"),
        ("https://acme.lightning.force.com", TOKEN, "address of the web pages"),
        ("https://acme.my.salesforce.com", "[REDACTED] Use 'sf org auth", "placeholder of the sf CLI"),
        ("https://acme.my.salesforce.com", f"{SECRET}\nX: y", "does not hold a token"),
    ],
)
def test_a_wrong_environment_is_named(url: str, token: str, title: str) -> None:
    with pytest.raises(SyncErrError) as caught:
        log_in(EnvironmentAuth(), SYNCERR_INSTANCE_URL=url, SYNCERR_ACCESS_TOKEN=token)
    assert title in caught.value.title
    assert SECRET not in caught.value.line


def test_client_credentials_send_key_and_secret_in_the_header(host: LoginHost) -> None:
    host.gives()
    assert log_in(credentials(host)).access_token == TOKEN
    path, headers, _ = host.requests[0]
    assert path == "/services/oauth2/token"
    assert host.form() == {"grant_type": "client_credentials"}
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == f"3MVG9:{SECRET}"


def test_client_credentials_need_the_orgs_own_address() -> None:
    way = ClientCredentialsAuth("3MVG9", SecretRef("env", "SECRET"), "https://login.salesforce.com")
    with pytest.raises(BadInputError, match="own address only"):
        log_in(way)


def test_a_jwt_is_made_out_to_the_login_host_and_sent_to_the_orgs_own(
    host: LoginHost, key_file: Path, key: rsa.RSAPrivateKey
) -> None:
    host.gives()
    way = JwtBearerAuth("3MVG9", "ana@acme.example", str(key_file), token_url=host.url)
    assert log_in(way).access_token == TOKEN
    form = host.form()
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        form["assertion"], key.public_key(), algorithms=["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("3MVG9", "ana@acme.example")


def test_a_key_that_others_can_read_is_refused(key_file: Path) -> None:
    key_file.chmod(0o644)
    with pytest.raises(BadInputError, match=r"can be read by others \(mode 0644\)") as caught:
        log_in(JwtBearerAuth("3MVG9", "ana@acme.example", str(key_file)))
    assert caught.value.hint == f"Run 'chmod 600 {key_file}'."


def test_a_key_file_without_a_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    path.write_text(SECRET, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(BadInputError, match="does not hold an RSA private key") as caught:
        log_in(JwtBearerAuth("3MVG9", "ana@acme.example", str(path)))
    assert SECRET not in caught.value.line
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        log_in(JwtBearerAuth("3MVG9", "ana@acme.example", str(tmp_path / "nowhere")))


def test_a_refresh_token_that_rotates_is_kept(host: LoginHost, tmp_path: Path) -> None:
    path = tmp_path / "refresh"
    path.write_text("first\n", encoding="utf-8")
    path.chmod(0o600)
    host.gives(refresh_token="second")
    tokens = tokens_for(RefreshTokenAuth("PlatformCLI", SecretRef("file", str(path)), host.url), {})
    first = tokens.current()
    assert host.form() == {
        "grant_type": "refresh_token",
        "client_id": "PlatformCLI",
        "refresh_token": "first",
    }
    assert path.read_text(encoding="utf-8") == "second\n"
    assert path.stat().st_mode & 0o777 == 0o600
    host.gives(access_token="another", refresh_token="second")
    assert tokens.renew(first).access_token == "another"
    assert host.form()["refresh_token"] == "second"


def soap(**said: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return (
        f'<?xml version="1.0"?><e:Envelope xmlns:e="x"><e:Body><result>{inner}</result></e:Body></e:Envelope>'
    )


def password_way(host: LoginHost) -> PasswordAuth:
    return PasswordAuth(
        "ana&co@acme.example", SecretRef("env", "SECRET"), SecretRef("env", "EXTRA"), host.url
    )


def test_a_password_goes_through_soap_with_a_version_that_still_has_it(host: LoginHost) -> None:
    host.body = soap(sessionId=TOKEN, serverUrl=f"{host.url}/services/Soap/u/59.0/00D5g000000abcd")
    token = log_in(password_way(host), EXTRA="<tok>")
    assert (token.instance_url, token.access_token) == (host.url, TOKEN)
    path, headers, body = host.requests[0]
    assert path == "/services/Soap/u/59.0"
    assert headers["SOAPAction"] == "login"
    assert "<n1:username>ana&amp;co@acme.example</n1:username>" in body
    assert f"<n1:password>{SECRET}&lt;tok&gt;</n1:password>" in body


@pytest.mark.parametrize(
    ("code", "why", "hint"),
    [
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "Invalid username, password, security token", "security token"),
        ("INVALID_OPERATION", "SOAP API login() is disabled by default in this org.", "way to log in"),
        ("UNHEARD_OF", "Something new", "doctor"),
    ],
)
def test_a_refused_soap_login_names_the_next_step(host: LoginHost, code: str, why: str, hint: str) -> None:
    host.status = 500
    host.body = soap(faultcode=f"sf:{code}", exceptionCode=code, exceptionMessage=why)
    with pytest.raises(NotLoggedInError) as caught:
        log_in(password_way(host), EXTRA="x")
    assert why.rstrip(".") in caught.value.title
    assert hint in caught.value.hint
    assert SECRET not in caught.value.line


@pytest.mark.parametrize("form", [lambda secret: secret, quote_plus, lambda secret: f"'{secret}'!"])
def test_a_secret_that_a_login_host_repeats_is_not_told_on(
    host: LoginHost, form: Callable[[str], str]
) -> None:
    secret = "p@ss w/ord+&" + "x" * 180  # as long as a message is cut: a part of it must not be left over
    host.refuses("invalid_client", f"The secret {form(secret)} is not ours, {form(secret)}")
    with pytest.raises(NotLoggedInError) as caught:
        log_in(credentials(host), SECRET=secret)
    assert "p@ss" not in caught.value.line
    assert "p%40ss" not in caught.value.line
    assert "(secret)" in caught.value.line
    host.body = json.dumps({"error": base64.b64encode(f"3MVG9:{secret}".encode()).decode()})
    with pytest.raises(NotLoggedInError) as caught:
        log_in(credentials(host), SECRET=secret)
    assert "M01WRzk6" not in caught.value.line
    refresh = RefreshTokenAuth("3MVG9", SecretRef("env", "SECRET"), host.url)
    host.refuses("invalid_grant", f"unknown token {form(secret)}")
    with pytest.raises(NotLoggedInError, match="secret"):
        log_in(refresh, SECRET=secret)
    host.status, host.body = 500, soap(faultcode="sf:X", faultstring=escape(f"no {secret}token"))
    with pytest.raises(NotLoggedInError) as caught:
        log_in(password_way(host), SECRET=secret, EXTRA="token")
    assert "x" * 9 not in caught.value.line


def test_an_entity_bomb_is_not_read(host: LoginHost) -> None:
    host.body = (
        f'<!DOCTYPE x [<!ENTITY a "{TOKEN}">]><x><sessionId>&a;</sessionId>'
        f"<serverUrl>{host.url}/services</serverUrl></x>"
    )
    with pytest.raises(UnreachableError, match="not in Salesforce's language"):
        log_in(password_way(host), EXTRA="x")


@pytest.mark.parametrize(
    ("error", "why", "kind", "hint"),
    [
        ("invalid_grant", "user hasn't approved this consumer", NotLoggedInError, "pre-authorise"),
        ("invalid_grant", "audience is invalid", NotLoggedInError, "login_url"),
        ("invalid_client", "invalid client credentials", NotLoggedInError, "client secret"),
        ("invalid_grant", "no client credentials user enabled", NotLoggedInError, "run-as user"),
        ("invalid_grant", "expired access/refresh token", NotLoggedInError, "Log in on the web"),
        ("invalid_grant", "ip restricted", NotLoggedInError, "network"),
        ("unsupported_grant_type", "grant type not supported", NotLoggedInError, "choose another"),
        ("invalid_grant", "login rate exceeded", RefusedError, "Wait an hour"),
        ("new_code", "\x1b]0;x\x07 odd", NotLoggedInError, "doctor"),
    ],
)
def test_a_refusal_names_the_next_step(
    host: LoginHost, error: str, why: str, kind: type[SyncErrError], hint: str
) -> None:
    host.refuses(error, why)
    with pytest.raises(kind) as caught:
        log_in(credentials(host))
    assert hint in caught.value.hint
    assert "\x1b" not in caught.value.line
    assert SECRET not in caught.value.line


def test_a_redirect_does_not_take_the_secret_along(host: LoginHost) -> None:
    other = LoginHost()
    host.status, host.headers = 307, {"Location": f"{other.url}/services/oauth2/token"}
    with pytest.raises(UnreachableError, match="not sent there"):
        log_in(credentials(host))
    assert other.requests == []
    other.server.shutdown()
    other.server.server_close()


def test_a_maintenance_page_is_not_taken_for_an_answer(host: LoginHost) -> None:
    host.status, host.body = 503, "<html>We are down for maintenance</html>"
    with pytest.raises(UnreachableError, match="HTTP 503"):
        log_in(credentials(host))


def test_an_answer_that_leads_the_token_elsewhere_is_refused(host: LoginHost) -> None:
    host.gives(instance_url="http://evil.example")
    with pytest.raises(BadInputError, match="may be sent to"):
        log_in(credentials(host))


def test_nobody_listening_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    way = ClientCredentialsAuth("3MVG9", SecretRef("env", "SECRET"), f"http://127.0.0.1:{port}")
    with pytest.raises(UnreachableError, match="could not be reached") as caught:
        log_in(way)
    assert caught.value.__suppress_context__, "the library's error holds the request with its secret"


def test_a_netrc_does_not_replace_our_header(
    host: LoginHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password other\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    host.gives()
    log_in(credentials(host))
    sent = host.requests[0][1]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode().startswith("3MVG9:")


@pytest.mark.parametrize(
    ("place", "title"),
    [
        (SecretRef("env", "ABSENT"), "environment variable ABSENT is not set"),
        (SecretRef("file", "/nowhere/at/all"), "cannot be read: No such file"),
        (SecretRef("file", "/"), "cannot be read: it is a folder"),
    ],
)
def test_a_secret_that_is_not_there_says_where_it_looked(place: SecretRef, title: str) -> None:
    with pytest.raises(SyncErrError) as caught:
        Secrets({}).get(place, "client secret")
    assert title in caught.value.title


def test_secrets_show_nothing() -> None:
    assert SECRET not in repr(Secrets({"SECRET": SECRET}))
    assert not re.search("s3cr3t", repr(tokens_for(EnvironmentAuth(), {"SYNCERR_ACCESS_TOKEN": SECRET})))


def test_a_name_without_a_file_is_one_of_the_sf_cli(tmp_path: Path) -> None:
    profile, _ = open_profile("acme", tmp_path, {})
    assert (profile.name, profile.way, profile.mapping) == ("acme", SfCliAuth("acme"), None)
    profile, _ = open_profile(ENVIRONMENT, tmp_path, {})
    assert profile.way == EnvironmentAuth()


def test_a_name_that_is_neither_says_so_and_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "acme-prod.toml").write_text("", encoding="utf-8")
    _, tokens = open_profile("acme-prd", tmp_path, {"PATH": str(tmp_path)})
    with pytest.raises(NotLoggedInError, match="There is no profile 'acme-prd'") as caught:
        tokens.current()
    assert caught.value.hint.startswith("Did you mean the profile acme-prod?")


class FakeKeyring(ModuleType):
    """As much of the optional extra as is used."""

    def __init__(self, kept: dict[tuple[str, str], str]) -> None:
        super().__init__("keyring")
        self.kept = kept
        self.errors = ModuleType("keyring.errors")
        self.errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]

    def get_password(self, service: str, user: str) -> str | None:
        if service == "locked":
            raise self.errors.KeyringError(SECRET)
        return self.kept.get((service, user))

    def set_password(self, service: str, user: str, secret: str) -> None:
        self.kept[service, user] = secret


def test_the_systems_keyring_keeps_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = FakeKeyring({("syncerr", "acme/client"): SECRET})
    monkeypatch.setitem(sys.modules, "keyring", ring)
    monkeypatch.setitem(sys.modules, "keyring.errors", ring.errors)
    secrets, place = Secrets({}), SecretRef("keyring", "syncerr/acme/client")
    assert secrets.get(place, "client secret") == SECRET
    assert secrets.put(place, "next")
    assert secrets.get(place, "client secret") == "next"
    with pytest.raises(NotLoggedInError, match="nothing under syncerr/other"):
        secrets.get(SecretRef("keyring", "syncerr/other"), "client secret")
    with pytest.raises(MachineError, match="cannot be opened") as caught:
        secrets.get(SecretRef("keyring", "locked/x"), "client secret")
    assert SECRET not in caught.value.line


def test_a_refresh_token_that_the_keyring_does_not_take_serves_until_the_end(
    host: LoginHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ring = FakeKeyring({("syncerr", "acme"): "first"})
    monkeypatch.setitem(sys.modules, "keyring", ring)
    monkeypatch.setitem(sys.modules, "keyring.errors", ring.errors)
    host.gives(refresh_token="second")
    way = RefreshTokenAuth("PlatformCLI", SecretRef("keyring", "syncerr/acme"), host.url)
    tokens = tokens_for(way, {})
    monkeypatch.setattr(ring, "set_password", lambda *_: ring.get_password("locked", ""))
    first = tokens.current()
    (warning,) = caplog.messages
    assert "cannot be kept in keyring:syncerr/acme" in warning
    assert "second" not in warning
    host.gives(access_token="another")
    assert tokens.renew(first).access_token == "another"
    assert host.form()["refresh_token"] == "second"


def test_a_keyring_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(BadInputError, match="is not installed") as caught:
        Secrets({}).get(SecretRef("keyring", "syncerr/acme"), "client secret")
    assert "syncerr-tui[keyring]" in caught.value.hint
