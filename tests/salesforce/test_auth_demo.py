"""Every way in against the demo org's own login endpoints, which check what is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import NotLoggedInError
from syncerr_tui.salesforce.auth import tokens_for
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.profiles import (
    AuthMethod,
    ClientCredentialsAuth,
    JwtBearerAuth,
    PasswordAuth,
    RefreshTokenAuth,
    SecretRef,
)


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=5)) as server:
        yield server


@pytest.fixture
def environ(server: DemoServer) -> dict[str, str]:
    known = server.credentials
    return {
        "SECRET": known.consumer_secret,
        "REFRESH": known.refresh_token,
        "PASSWORD": known.password,
        "EXTRA": known.security_token,
        "WRONG": "wrong",
    }


def env(name: str) -> SecretRef:
    return SecretRef("env", name)


def ways(server: DemoServer, folder: Path) -> dict[str, AuthMethod]:
    known, url = server.credentials, server.instance_url
    key_file = folder / "server.key"
    key_file.write_text(server.oauth.jwt_pair()[0], encoding="ascii")
    key_file.chmod(0o600)
    return {
        "jwt": JwtBearerAuth(known.consumer_key, known.username, str(key_file), token_url=url),
        "client credentials": ClientCredentialsAuth(known.consumer_key, env("SECRET"), url),
        "refresh token": RefreshTokenAuth(known.consumer_key, env("REFRESH"), url),
        "refresh token and secret": RefreshTokenAuth(known.consumer_key, env("REFRESH"), url, env("SECRET")),
        "password": PasswordAuth(known.username, env("PASSWORD"), env("EXTRA"), url),
    }


KINDS = ("jwt", "client credentials", "refresh token", "refresh token and secret", "password")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_login_opens_the_org(
    server: DemoServer, environ: dict[str, str], tmp_path: Path, kind: str
) -> None:
    client = ApiClient(tokens_for(ways(server, tmp_path)[kind], environ))
    try:
        assert (await client.userinfo())["organization_id"].startswith("00D")
    finally:
        await client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_credentials_are_refused_in_plain_words(
    server: DemoServer, environ: dict[str, str], tmp_path: Path, kind: str
) -> None:
    way = ways(server, tmp_path)[kind]
    match way:
        case JwtBearerAuth():
            way = replace(way, username="mallory@demo.example")
        case ClientCredentialsAuth():
            way = replace(way, secret=env("WRONG"))
        case RefreshTokenAuth():
            way = replace(way, refresh_token=env("WRONG"))
        case PasswordAuth():
            way = replace(way, password=env("WRONG"))
    with pytest.raises(NotLoggedInError) as caught:
        tokens_for(way, environ).current()
    assert caught.value.title.startswith("Salesforce refused the login")
    assert caught.value.hint


async def test_an_ended_session_is_renewed_without_a_word(
    server: DemoServer, environ: dict[str, str], tmp_path: Path
) -> None:
    tokens = tokens_for(ways(server, tmp_path)["client credentials"], environ)
    client = ApiClient(tokens)
    try:
        await client.userinfo()
        server.sessions.revoke(tokens.current().access_token)
        assert (await client.query_all("SELECT Id FROM Organization LIMIT 1"))[0]["Id"]
    finally:
        await client.close()
