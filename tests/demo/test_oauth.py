"""Every way in: the OAuth grants, SOAP login(), and what is said to the wrong people."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from syncerr_tui.demo.oauth import JWT_GRANT, Credentials, check_certificate
from syncerr_tui.demo.server import ManualClock
from syncerr_tui.errors import BadInputError
from tests.demo.tiny import Answer, Client, tiny

OURS = Credentials()
KEY = {"client_id": OURS.consumer_key, "client_secret": OURS.consumer_secret}


@pytest.fixture(scope="module")
def org() -> Iterator[Client]:
    with tiny(credentials=OURS) as client:
        yield client


def token(org: Client, *, basic: str = "", **form: str) -> Answer:
    return org.ask(
        "/services/oauth2/token",
        "POST",
        raw=urlencode(form),
        Content_Type="application/x-www-form-urlencoded",
        Authorization=f"Basic {basic}" if basic else "",
    )


def works(org: Client, answer: Answer) -> None:
    assert answer.status == 200, answer.raw
    assert answer.json["instance_url"] == org.server.instance_url
    organization, user = answer.json["id"].split("/")[-2:]
    assert (organization[:3], user[:3]) == ("00D", "005")
    assert org.ask("limits", token=answer.json["access_token"]).status == 200


def test_client_credentials_in_header_and_body(org: Client) -> None:
    basic = base64.b64encode(f"{OURS.consumer_key}:{OURS.consumer_secret}".encode()).decode()
    works(org, token(org, basic=basic, grant_type="client_credentials"))
    works(org, token(org, grant_type="client_credentials", **KEY))


def test_password(org: Client) -> None:
    login = {"grant_type": "password", "username": OURS.username, **KEY}
    answer = token(org, password=OURS.password + OURS.security_token, **login)
    works(org, answer)
    assert answer.json["refresh_token"] == OURS.refresh_token
    works(org, token(org, password=OURS.password, **login))
    refused = token(org, password="wrong", **login)
    assert (refused.status, refused.json) == (
        400,
        {"error": "invalid_grant", "error_description": "authentication failure"},
    )


def test_refresh_token(org: Client) -> None:
    works(org, token(org, grant_type="refresh_token", refresh_token=OURS.refresh_token, **KEY))
    works(
        org,
        token(org, grant_type="refresh_token", refresh_token=OURS.refresh_token, client_id=OURS.consumer_key),
    )
    refused = token(org, grant_type="refresh_token", refresh_token="old", **KEY)
    assert refused.json["error_description"] == "expired access/refresh token"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", **KEY, "client_id": "x"}, 400, "invalid_client_id"),
        ({"grant_type": "client_credentials", **KEY, "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": JWT_GRANT, "assertion": "rubbish"}, 400, "invalid_grant"),
    ],
)  # fmt: skip
def test_refused(org: Client, form: dict[str, str], status: int, error: str) -> None:
    answer = token(org, **form)
    assert (answer.status, answer.json["error"]) == (status, error)


def assertion(org: Client, key: object = None, **changes: object) -> str:
    claims = {
        "iss": OURS.consumer_key,
        "sub": OURS.username,
        "aud": "https://login.salesforce.com",
        "exp": str((datetime.now(UTC) + timedelta(minutes=3)).timestamp()),
        **changes,
    }
    # PyJWT insists on a number; simple-salesforce gets its string past it in the same way.
    return jwt.api_jws.encode(
        json.dumps(claims).encode(), str(key or org.server.oauth.jwt_pair()[0]), "RS256"
    )


def test_jwt_bearer(org: Client) -> None:
    works(org, token(org, grant_type=JWT_GRANT, assertion=assertion(org)))
    works(org, token(org, grant_type=JWT_GRANT, assertion=assertion(org, aud=org.server.instance_url)))


def test_jwt_signed_by_another_key_is_refused(org: Client) -> None:
    stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = stranger.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    answer = token(org, grant_type=JWT_GRANT, assertion=assertion(org, pem))
    assert answer.json == {"error": "invalid_grant", "error_description": "invalid assertion"}
    unsigned = jwt.encode({"iss": OURS.consumer_key, "sub": OURS.username}, "", algorithm="none")
    assert token(org, grant_type=JWT_GRANT, assertion=unsigned).status == 400


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"iss": "x"}, "client identifier invalid"),
        ({"sub": "somebody@else.example"}, "user hasn't approved this consumer"),
        ({"aud": "https://acme.my.salesforce.com"}, "audience is invalid"),
        ({"exp": "1"}, "expired authorization code"),
        ({"exp": "soon"}, "expired authorization code"),
    ],
)
def test_jwt_claims(org: Client, changes: dict[str, object], refusal: str) -> None:
    answer = token(org, grant_type=JWT_GRANT, assertion=assertion(org, **changes))
    assert (answer.status, answer.json["error_description"]) == (400, refusal)


def test_a_registered_certificate() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "demo")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    check_certificate(pem, "demo.crt")
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with tiny(credentials=replace(OURS, jwt_certificate=pem)) as org:
        works(org, token(org, grant_type=JWT_GRANT, assertion=assertion(org, private)))
    with pytest.raises(BadInputError, match="neither a certificate nor a public key"):
        check_certificate("rubbish", "demo.crt")


def test_tokens_expire_and_are_revoked() -> None:
    clock = ManualClock()
    with tiny(clock=clock, token_lifetime=60, credentials=OURS) as org:
        fresh = token(org, grant_type="client_credentials", **KEY).json["access_token"]
        assert org.ask("limits", token=fresh).status == 200
        clock.advance(61)
        assert (org.ask("limits", token=fresh).status, org.ask("limits").status) == (401, 200)
        another = token(org, grant_type="client_credentials", **KEY).json["access_token"]
        assert org.ask("/services/oauth2/revoke", "POST", raw=urlencode({"token": another})).status == 200
        assert org.ask("limits", token=another).code == "INVALID_SESSION_ID"
        assert org.ask("/services/oauth2/revoke", "POST", raw="token=x").status == 400


LOGIN = (
    '<?xml version="1.0" encoding="utf-8"?>{doctype}<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/">'
    '<se:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{user}</n1:username>'
    "<n1:password>{password}</n1:password></n1:login></se:Body></se:Envelope>"
)


def soap(
    org: Client,
    version: str = "59.0",
    user: str = OURS.username,
    password: str = OURS.password,
    doctype: str = "",
) -> Answer:
    text = LOGIN.format(user=user, password=password, doctype=doctype)
    return org.ask(
        f"/services/Soap/u/{version}",
        "POST",
        raw=text,
        Authorization="",
        Content_Type="text/xml",
        SOAPAction='""',
    )


def test_soap_login(org: Client) -> None:
    answer = soap(org, password=OURS.password + OURS.security_token)
    assert answer.headers["content-type"].startswith("text/xml")
    text = answer.raw.decode()
    session = text.partition("<sessionId>")[2].partition("</sessionId>")[0]
    assert org.ask("limits", token=session).status == 200
    assert f"<serverUrl>{org.server.instance_url}/services/Soap/u/59.0/00D" in text
    assert "<organizationId>00D" in text


def test_soap_refusals(org: Client) -> None:
    wrong = soap(org, password="wrong")
    assert wrong.status == 500
    assert b"<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in wrong.raw
    assert b"LoginFault" in wrong.raw
    assert b"UNSUPPORTED_API_VERSION" in soap(org, "66.0").raw
    entity = '<!DOCTYPE a [<!ENTITY b "c">]>'
    assert b"only login() is spoken here" in soap(org, doctype=entity).raw
    assert b"only login() is spoken here" in org.ask("/services/Soap/u/59.0", "POST", raw="<a>").raw
