"""Username, password and security token through SOAP login(): the way that is going away.

Salesforce retires login() with Summer '27 (1 June 2027); API versions from 65.0 on do not have it, and new
orgs have it switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from syncerr_tui.errors import NotLoggedInError, RefusedError, SyncErrError
from syncerr_tui.salesforce.auth.environment import instance_url
from syncerr_tui.salesforce.auth.oauth import Answer, post, unreadable, without_secrets
from syncerr_tui.salesforce.auth.secrets import Secrets
from syncerr_tui.salesforce.profiles import PasswordAuth
from syncerr_tui.salesforce.tokens import Token
from syncerr_tui.text import one_line

VERSION = "59.0"
"""An API version that still has login(), whatever version the work is done with afterwards."""
NOTE = "SOAP login() is retired by Salesforce on 1 June 2027: choose another way to log in before that"

_ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    '<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com">'
    "<n1:username>{username}</n1:username><n1:password>{password}</n1:password>"
    "</n1:login></env:Body></env:Envelope>"
)
_NEXT_STEPS: Mapping[str, str] = {
    "LOGIN_MUST_USE_SECURITY_TOKEN": "Add the user's security token, or ask the admin to trust this network",
    "INVALID_LOGIN": "Check user, password and security token; the user may be locked",
    "INVALID_OPERATION": "SOAP login() is switched off in this org: choose another way to log in with "
    "'syncerr-tui setup'",
    "PASSWORD_LOCKOUT": "The user is locked: ask the admin",
    "LOGIN_DURING_RESTRICTED_TIME": "The user may not log in at this hour: ask the admin",
    "LOGIN_DURING_RESTRICTED_DOMAIN": "The user may not log in from this network: ask the admin",
    "API_DISABLED_FOR_ORG": "The user or the org has no API access: ask the admin",
    "UNSUPPORTED_API_VERSION": NOTE,
}


def login(way: PasswordAuth, secrets: Secrets) -> Token:
    """Log in by SOAP.

    Raises:
        NotLoggedInError, RefusedError, UnreachableError: As the login host answers.
    """
    hidden = [password := secrets.get(way.password, "password")]
    if way.security_token is not None:
        hidden.append(security := secrets.get(way.security_token, "security token"))
        password += security
    body = _ENVELOPE.format(username=escape(way.username), password=escape(password)).encode()
    answer = post(
        f"{way.login_url.rstrip('/')}/services/Soap/u/{VERSION}",
        body,
        {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
    )
    return _token_of(answer, way.login_url, hidden)


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
    raise _refusal(code, one_line(fields.get("exceptionMessage") or fields.get("faultstring", ""))[:200])


def _refusal(code: str, why: str) -> SyncErrError:
    if "rate exceeded" in why.casefold():
        return RefusedError("Too many logins of this user within the hour", "Wait an hour, then try again")
    step = _NEXT_STEPS.get(code, "Check the settings with 'syncerr-tui doctor'")
    return NotLoggedInError(f"Salesforce refused the login: {(why or code).rstrip('.')}", step)
