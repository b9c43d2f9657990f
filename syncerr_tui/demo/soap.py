"""SOAP login(), text/xml in and out: the oldest way in, and all of SOAP that is spoken here.

As in a real org it is gone from v65.0 on.
"""

from __future__ import annotations

import re
from html import escape

from syncerr_tui.demo.http import Request, Response
from syncerr_tui.demo.oauth import OAuth
from syncerr_tui.demo.rest import about

LAST_VERSION = 64
_TYPE = "text/xml;charset=UTF-8"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns="urn:partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
_BAD_LOGIN = "Invalid username, password, security token; or user locked out."


def answer(oauth: OAuth, request: Request) -> Response:
    """Answer a POST to `/services/Soap/u/NN.0[/...]`."""
    if request.method != "POST":
        return _fault("UNKNOWN_EXCEPTION", "must use HTTP POST", 405)
    version = re.fullmatch(r"/services/Soap/[uc]/(\d\d)\.0(?:/\w*)?/?", request.path)
    if version is None or not about.FIRST_VERSION <= int(version[1]) <= about.LAST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    if int(version[1]) > LAST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION", "SOAP API login() is not available in this API version")
    given = _login(request.body)
    if given is None:
        return _fault("UNKNOWN_EXCEPTION", "only login() is spoken here")
    if not oauth.may_log_in(*given):
        return _fault("INVALID_LOGIN", _BAD_LOGIN, login=True)
    return _opened(oauth, version[1])


def _login(body: bytes) -> tuple[str, str] | None:
    """User name and password of a login() call; None where it is none."""
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        return None
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(body)  # noqa: S314 - document types were refused above
    except ET.ParseError:
        return None
    found = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
    if "login" not in found:
        return None
    return found.get("username", ""), found.get("password", "")


def _opened(oauth: OAuth, version: str) -> Response:
    context = oauth.context
    who = about.user(context)
    short = context.organization_id[:15]
    address = escape(context.address)
    info = "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in (
            ("organizationId", context.organization_id),
            ("organizationMultiCurrency", "false"),
            ("organizationName", "Demo"),
            ("userDefaultCurrencyIsoCode", ""),
            ("userEmail", who.get("Email") or ""),
            ("userFullName", who.get("Name") or ""),
            ("userId", context.user_id),
            ("userLanguage", "en_US"),
            ("userLocale", "en_US"),
            ("userName", who.get("Username") or oauth.credentials.username),
            ("userTimeZone", "UTC"),
            ("userType", "Standard"),
        )
    )
    inner = (
        f"<loginResponse><result><metadataServerUrl>{address}/services/Soap/m/{version}.0/{short}</metadataServerUrl>"
        f"<passwordExpired>false</passwordExpired><sandbox>false</sandbox>"
        f"<serverUrl>{address}/services/Soap/u/{version}.0/{short}</serverUrl>"
        f"<sessionId>{oauth.sessions.open()}</sessionId><userId>{context.user_id}</userId>"
        f"<userInfo>{info}</userInfo></result></loginResponse>"
    )
    return Response(200, _ENVELOPE.format(inner).encode(), content_type=_TYPE)


def _fault(code: str, message: str, status: int = 500, *, login: bool = False) -> Response:
    kind = "LoginFault" if login else "ApiFault"
    inner = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{escape(message)}</sf:exceptionMessage></sf:{kind}></detail></soapenv:Fault>"
    )
    return Response(status, _ENVELOPE.format(inner).encode(), content_type=_TYPE)
