"""Logins that ask the org: OAuth 2.0 as an app, with a key or a refresh token; user and password over SOAP.

No redirects, and refusals in plain words. simple-salesforce can do these logins too, but without a timeout: a
login that hangs, hangs for ever. Salesforce retires SOAP login() with Summer '27 (1 June 2027); API versions
from 65.0 on do not have it, and new orgs have it switched off.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape as xml_escape

from syncerr_tui.errors import BadInputError, NotLoggedInError, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.salesforce.auth.environment import instance_url
from syncerr_tui.salesforce.auth.secrets import Secrets, private_text
from syncerr_tui.salesforce.concurrency import Token
from syncerr_tui.salesforce.profiles import (
    ClientCredentialsAuth,
    JwtBearerAuth,
    PasswordAuth,
    RefreshTokenAuth,
)
from syncerr_tui.text import one_line

_log = logging.getLogger(__name__)
"""What it warns of stands on stderr, or in the app's last line."""
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
ANSWER_TIMEOUT = 60.0
"""Seconds. A login host answers within two; these leave room for slow proxies."""
LARGEST = 1_000_000
"""Bytes. A token answer has about 2 kB, a SOAP login about 3 kB."""
_SECRETS = ("client_secret", "refresh_token", "assertion")
"""Fields of a token request that no message may repeat."""

_NEXT_STEPS: Mapping[str, str] = {
    "hasn't approved this consumer": "Let an admin pre-authorise the app for this user (its policies, "
    "'Admin approved users')",
    "audience is invalid": "Set login_url to https://login.salesforce.com (https://test.salesforce.com for a "
    "sandbox) and token_url to the My Domain address",
    "invalid assertion": "Check that the certificate of the app belongs to the key file, and this clock",
    "client identifier invalid": "Check client_id: the consumer key of the app",
    "invalid client credentials": "Check the client secret",
    "no client credentials user enabled": "Let an admin name a run-as user in the app's client credentials "
    "policies",
    "request not supported on this domain": "Set login_url to the My Domain address",
    "expired access/refresh token": "Log in on the web again and keep the new refresh token",
    "inactive user": "Ask the admin to activate the user",
    "ip restricted": "Ask the admin to allow this network for the user or the app",
    "authentication failure": "Check user, password and security token",
}
_CODES: Mapping[str, str] = {
    "invalid_client_id": "Check client_id: the consumer key of the app",
    "invalid_client": "Check client_id and the client secret",
    "invalid_app_access": "Let an admin allow the user to use the app",
    "unsupported_grant_type": "This org does not offer that login: choose another with 'syncerr-tui setup'",
    "inactive_user": "Ask the admin to activate the user",
    "inactive_org": "The org is closed or locked: ask its admin",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and text of an HTTP answer. Its text may hold a token and never shows in a repr."""

    status: int
    text: str

    def __repr__(self) -> str:
        return f"Answer({self.status})"


def ask_for_token(login_url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Token:
    """POST a form to the token endpoint of a login host.

    Raises:
        NotLoggedInError: The org says no, with the next step for its reason.
        RefusedError: Too many logins.
        UnreachableError: No answer, or not one of Salesforce's.
    """
    hidden = [form[key] for key in _SECRETS if key in form]
    basic = (headers or {}).get("Authorization", "").removeprefix("Basic ")
    if basic:
        hidden += [basic, b64decode(basic).decode().partition(":")[2]]
    return token_of(answer_of(login_url, form, headers), login_url, hidden)


def answer_of(login_url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
    """The login host's raw answer to a token request."""
    return post(f"{login_url.rstrip('/')}/services/oauth2/token", dict(form), dict(headers or {}))


def token_of(answer: Answer, login_url: str, hidden: Sequence[str]) -> Token:
    """Read the token out of an answer, or raise what it says instead, without the secrets that were sent."""
    fields = fields_of(answer)
    token = fields.get("access_token")
    if answer.status == 200 and isinstance(token, str) and token:
        url = fields.get("instance_url")
        return Token(
            instance_url(url if isinstance(url, str) and url else login_url, "The login's answer"), token
        )
    if "error" not in fields:
        raise unreadable(answer, login_url)
    code, why = (
        one_line(without_secrets(str(fields.get(key, "")), hidden)) for key in ("error", "error_description")
    )
    known = next((step for words, step in _NEXT_STEPS.items() if words in why.casefold()), "")
    raise _refusal(code[:60], why[:200], known or _CODES.get(code.casefold(), ""))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A server's words without secrets that it quotes, plain or as they were sent over the wire."""
    for secret in secrets:
        for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), escape(secret)}:
            if form:
                text = text.replace(form, "(secret)")
    return text


def fields_of(answer: Answer) -> Mapping[str, Any]:
    """The answer's JSON object; empty where it is anything else."""
    try:
        fields = json.loads(answer.text)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def unreadable(answer: Answer, login_url: str) -> UnreachableError:
    """What is said of an answer that no Salesforce login gives."""
    return UnreachableError(
        f"{_host(login_url)} answered a login with HTTP {answer.status} and not in Salesforce's language",
        "Check the address, or a proxy in between; at maintenance times try again later",
    )


def post(url: str, body: dict[str, str] | bytes, headers: dict[str, str]) -> Answer:
    """POST to a login host, bounded in time and size. Redirects are refused: the secret stays with its host.

    Raises:
        UnreachableError: No answer; in words for each reason.
    """
    import requests

    from syncerr_tui.salesforce.transport import HttpLimits, open_session

    bounds = HttpLimits(CONNECT_TIMEOUT, READ_TIMEOUT, ANSWER_TIMEOUT, LARGEST)
    try:
        with open_session(url, bounds) as session:
            answer = session.post(url, data=body, headers=headers)
            return Answer(answer.status_code, answer.content.decode("utf-8", "replace"))
    except (requests.RequestException, OSError) as problem:
        raise _unreachable(problem, _host(url)) from None


def _unreachable(problem: Exception, host: str) -> SyncErrError:
    from syncerr_tui.salesforce.faults import ApiError, Kind, read_exception

    fault = read_exception(problem) or ApiError(Kind.NOT_SENT)
    if fault.kind is Kind.ELSEWHERE:
        return UnreachableError(
            f"{host} sent the login on to another address, and the secret was not sent there",
            "Use the address that the org's My Domain page names",
        )
    return fault.error(host=host, writing=False)


def _refusal(code: str, why: str, step: str) -> SyncErrError:
    if "rate exceeded" in why.casefold():
        return RefusedError("Too many logins of this user within the hour", "Wait an hour, then try again")
    return NotLoggedInError(
        f"Salesforce refused the login: {(why or code).rstrip('.')}",
        step or "Check the settings with 'syncerr-tui doctor'",
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc


def log_in_as_app(auth: ClientCredentialsAuth, secrets: Secrets) -> Token:
    """OAuth 2.0 client credentials: the app itself logs in, as the run-as user that the admin chose.

    Raises:
        BadInputError: The address is the common login host, which does not offer this way.
        NotLoggedInError, UnreachableError: As the login host answers.
    """
    if urlsplit(auth.login_url).hostname in {"login.salesforce.com", "test.salesforce.com"}:
        raise BadInputError(
            "Client credentials work on the org's own address only",
            "Set login_url to the My Domain address, such as https://acme.my.salesforce.com",
        )
    secret = secrets.get(auth.secret, "client secret")
    basic = b64encode(f"{auth.client_id}:{secret}".encode()).decode()
    return ask_for_token(
        auth.login_url, {"grant_type": "client_credentials"}, {"Authorization": f"Basic {basic}"}
    )


class RefreshToken:
    """OAuth 2.0 refresh token: goes on with a web login; keeps the next token where the org rotates them."""

    def __init__(self, auth: RefreshTokenAuth, secrets: Secrets) -> None:
        self._auth = auth
        self._secrets = secrets
        self._rotated: str | None = None

    def login(self) -> Token:
        """Trade the refresh token for an access token.

        Raises:
            NotLoggedInError, UnreachableError: As the login host answers.
        """
        auth = self._auth
        refresh = self._rotated or self._secrets.get(auth.refresh_token, "refresh token")
        form = {"grant_type": "refresh_token", "client_id": auth.client_id, "refresh_token": refresh}
        if auth.secret is not None:
            form["client_secret"] = self._secrets.get(auth.secret, "client secret")
        answer = answer_of(auth.login_url, form)
        token = token_of(answer, auth.login_url, (refresh, form.get("client_secret", "")))
        following = fields_of(answer).get("refresh_token")
        if isinstance(following, str) and following and following != refresh:
            self._rotated = following  # the one we used is void from now on
            if not self._secrets.put(auth.refresh_token, following):
                _log.warning(
                    "The org replaced the refresh token, and the new one cannot be kept in %s: "
                    "this session goes on, the next login needs a new web login",
                    one_line(str(auth.refresh_token)),
                )
        return token


JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFETIME = 180
"""Seconds. Salesforce takes no assertion that lives longer than three minutes."""


def log_in_with_key(auth: JwtBearerAuth) -> Token:
    """OAuth 2.0 JWT bearer: a signed assertion is traded for a token.

    The audience is the login host while the request goes to the org's own: with the My Domain as audience,
    orgs answer "audience is invalid".

    Raises:
        BadInputError: The key file cannot be used.
        NotLoggedInError, UnreachableError: As the login host answers.
    """
    return ask_for_token(
        auth.token_url or auth.login_url, {"grant_type": JWT_GRANT, "assertion": assertion(auth, time())}
    )


def assertion(auth: JwtBearerAuth, now: float) -> str:
    """The signed statement, valid for three minutes from `now` (seconds since 1970)."""
    import jwt

    key = private_text(Path(auth.key_file), "private key")
    claims = {
        "iss": auth.client_id,
        "sub": auth.username,
        "aud": auth.login_url.rstrip("/"),
        "exp": int(now) + JWT_LIFETIME,
    }
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise BadInputError(
            f"{auth.key_file} does not hold an RSA private key in PEM form without a passphrase",
            "Name the key file that belongs to the app's certificate",
        ) from None


SOAP_VERSION = "59.0"
"""An API version that still has login(), whatever version the work is done with afterwards."""
SOAP_LOGIN_NOTE = (
    "SOAP login() is retired by Salesforce on 1 June 2027: choose another way to log in before that"
)

_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    '<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com">'
    "<n1:username>{username}</n1:username><n1:password>{password}</n1:password>"
    "</n1:login></env:Body></env:Envelope>"
)
_SOAP_NEXT_STEPS: Mapping[str, str] = {
    "LOGIN_MUST_USE_SECURITY_TOKEN": "Add the user's security token, or ask the admin to trust this network",
    "INVALID_LOGIN": "Check user, password and security token; the user may be locked",
    "INVALID_OPERATION": "SOAP login() is switched off in this org: choose another way to log in with "
    "'syncerr-tui setup'",
    "PASSWORD_LOCKOUT": "The user is locked: ask the admin",
    "LOGIN_DURING_RESTRICTED_TIME": "The user may not log in at this hour: ask the admin",
    "LOGIN_DURING_RESTRICTED_DOMAIN": "The user may not log in from this network: ask the admin",
    "API_DISABLED_FOR_ORG": "The user or the org has no API access: ask the admin",
    "UNSUPPORTED_API_VERSION": SOAP_LOGIN_NOTE,
}


def log_in_with_password(auth: PasswordAuth, secrets: Secrets) -> Token:
    """Log in by SOAP.

    Raises:
        NotLoggedInError, RefusedError, UnreachableError: As the login host answers.
    """
    hidden = [password := secrets.get(auth.password, "password")]
    if auth.security_token is not None:
        hidden.append(security := secrets.get(auth.security_token, "security token"))
        password += security
    body = _ENVELOPE.format(username=xml_escape(auth.username), password=xml_escape(password)).encode()
    answer = post(
        f"{auth.login_url.rstrip('/')}/services/Soap/u/{SOAP_VERSION}",
        body,
        {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
    )
    return _token_of(answer, auth.login_url, hidden)


def _token_of(answer: Answer, login_url: str, hidden: Sequence[str]) -> Token:
    if "<!DOCTYPE" in answer.text:  # entities are nothing a login answers with
        raise unreadable(answer, login_url)
    try:
        tree = ET.fromstring(answer.text)  # noqa: S314 - no document type, at most 1 MB
    except ET.ParseError:
        raise unreadable(answer, login_url) from None
    fields = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in tree.iter()}
    if fields.get("sessionId") and fields.get("serverUrl"):
        if fields.get("passwordExpired") == "true":
            raise NotLoggedInError("The password of this user has expired", "Set a new one on the web")
        return Token(instance_url(fields["serverUrl"], "The login's answer"), fields["sessionId"])
    fields = {name: without_secrets(words, hidden) for name, words in fields.items()}
    code = one_line(fields.get("exceptionCode") or fields.get("faultcode", "")).rpartition(":")[2][:60]
    if not code:
        raise unreadable(answer, login_url)
    why = one_line(fields.get("exceptionMessage") or fields.get("faultstring", ""))[:200]
    raise _refusal(code, why, _SOAP_NEXT_STEPS.get(code, ""))
