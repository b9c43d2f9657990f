"""Who may talk to the demo org: its credentials, the sessions they open, OAuth's endpoints and SOAP login().

Errors of OAuth are objects here, not lists. SOAP is text/xml in and out, and as in a real org login() is gone
from v65.0 on.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape

from syncerr_tui.demo.http import Request, Response
from syncerr_tui.demo.rest import about
from syncerr_tui.demo.rest.call import ServerContext
from syncerr_tui.errors import BadInputError

_TOKEN = re.compile(r"00D\w{12,15}![.\w]{20,}", re.ASCII)


def _secret() -> str:
    return secrets.token_urlsafe(18)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the demo org's user and connected app log in with: new each time, but for the user name."""

    username: str = "ana@harbour-hearth.example"
    password: str = field(default_factory=_secret)
    security_token: str = field(default_factory=_secret)
    consumer_key: str = field(default_factory=lambda: f"3MVG9{_secret()}")
    consumer_secret: str = field(default_factory=_secret)
    refresh_token: str = field(default_factory=lambda: f"5Aep861{_secret()}")
    jwt_certificate: str | None = None
    """PEM of the certificate or public key that the connected app trusts; None: one is made at need."""


@dataclass(slots=True)
class Sessions:
    """Access tokens and until when they are good."""

    organization_id: str
    clock: Callable[[], datetime]
    lifetime: float | None = None
    """Seconds a new token is good for; None: until revoked. Changes hold for tokens made afterwards."""
    _until: dict[str, datetime | None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, *, lasting: bool = False) -> str:
        """A new access token; `lasting` ones know no lifetime."""
        token = f"{self.organization_id[:15]}!AQ{secrets.token_hex(24)}"
        until = None
        if self.lifetime is not None and not lasting:
            until = self.clock() + timedelta(seconds=self.lifetime)
        with self._lock:
            self._until[token] = until
        return token

    def knows(self, token: str) -> bool:
        """Whether the token is good now."""
        with self._lock:
            if token not in self._until:
                return False
            until = self._until[token]
        return until is None or self.clock() < until

    def revoke(self, token: str) -> bool:
        """End a session; False where there was none."""
        with self._lock:
            return self._until.pop(token, self) is not self


def well_formed(token: str) -> bool:
    """Whether this could be a token at all: `00D...!...` or a JSON Web Token."""
    return bool(_TOKEN.fullmatch(token)) or token.startswith("eyJ")


JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


@dataclass(slots=True)
class OAuth:
    """The authorization server of the demo org."""

    context: ServerContext
    sessions: Sessions
    credentials: Credentials
    _made: tuple[str, str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Response:
        """Answer a request below `/services/oauth2/`, userinfo aside."""
        match request.segments[2:]:
            case ("token",) if request.method == "POST":
                return self._token(request)
            case ("token",):
                return oauth_error("invalid_request", "must use HTTP POST", 405)
            case ("revoke",):
                return self._revoke(request)
            case _:
                return oauth_error("invalid_request", "no such endpoint", 404)

    def _revoke(self, request: Request) -> Response:
        token = request.form().get("token", "")
        if token == self.credentials.refresh_token or self.sessions.revoke(token):
            return Response(200)
        return oauth_error("unsupported_token_type", "this token type is not supported")

    def _token(self, request: Request) -> Response:
        form = request.form()
        grant = form.get("grant_type", "")
        if not grant:
            return oauth_error("invalid_request", "missing required parameter: grant_type")
        grants = {
            "client_credentials": self._client,
            "password": self._password,
            "refresh_token": self._refresh,
            JWT_GRANT: self._jwt,
        }
        if grant not in grants:
            return oauth_error("unsupported_grant_type", "grant type not supported")
        refused = grants[grant](request, form)
        return refused if refused is not None else self._granted(grant)

    def _granted(self, grant: str) -> Response:
        body: dict[str, object] = {
            "access_token": self.sessions.open(),
            "instance_url": self.context.address,
            "id": about.identity_url(self.context),
            "token_type": "Bearer",
            "issued_at": str(int(self.context.clock().timestamp() * 1000)),
            "scope": "api web refresh_token",
        }
        if grant == "password":
            body["refresh_token"] = self.credentials.refresh_token
        return Response(200, body)

    def _client(self, request: Request, form: dict[str, str]) -> Response | None:
        """Check the connected app: Basic header (simple-salesforce) or body (jsforce)."""
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                key, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except ValueError:
                return oauth_error("invalid_client", "invalid client credentials", 401)
        if not _same(key, self.credentials.consumer_key):
            return oauth_error("invalid_client_id", "client identifier invalid")
        if not _same(secret, self.credentials.consumer_secret):
            return oauth_error("invalid_client", "invalid client credentials", 401)
        return None

    def _password(self, request: Request, form: dict[str, str]) -> Response | None:
        refused = self._client(request, form)
        if refused is not None:
            return refused
        return None if self.may_log_in(form.get("username", ""), form.get("password", "")) else _not_you()

    def may_log_in(self, username: str, password: str) -> bool:
        """Whether user name and password fit; the security token may follow the password."""
        ours = self.credentials
        return _same(username.lower(), ours.username.lower()) and (
            _same(password, ours.password) or _same(password, ours.password + ours.security_token)
        )

    def _refresh(self, request: Request, form: dict[str, str]) -> Response | None:
        # A client without a secret (a login in the browser with PKCE) refreshes with its key alone.
        if "client_secret" in form or "authorization" in request.headers:
            refused = self._client(request, form)
            if refused is not None:
                return refused
        elif not _same(form.get("client_id", ""), self.credentials.consumer_key):
            return oauth_error("invalid_client_id", "client identifier invalid")
        if not _same(form.get("refresh_token", ""), self.credentials.refresh_token):
            return oauth_error("invalid_grant", "expired access/refresh token")
        return None

    def _jwt(self, request: Request, form: dict[str, str]) -> Response | None:
        """Check a signed assertion against the certificate that the connected app trusts."""
        import jwt

        assertion = form.get("assertion", "")
        try:
            claims = jwt.decode(
                assertion,
                _public_pem(self.credentials.jwt_certificate or self.jwt_pair()[1]),
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_iss": False},
            )
        except jwt.InvalidTokenError:
            return oauth_error("invalid_grant", "invalid assertion")
        if claims.get("iss") != self.credentials.consumer_key:
            return oauth_error("invalid_client_id", "client identifier invalid")
        audience = str(claims.get("aud", "")).rstrip("/")
        if audience not in {*AUDIENCES, self.context.address}:
            return oauth_error("invalid_grant", "audience is invalid")
        if str(claims.get("sub", "")).lower() != self.credentials.username.lower():
            return oauth_error("invalid_grant", "user hasn't approved this consumer")
        # simple-salesforce sends `exp` as a string; Salesforce takes it, PyJWT would not.
        expires = str(claims.get("exp", ""))
        seconds = float(expires) if expires.replace(".", "", 1).isdigit() else 0.0
        if seconds < self.context.clock().timestamp():
            return oauth_error("invalid_grant", "expired authorization code")
        return None

    def jwt_pair(self) -> tuple[str, str]:
        """A private key and its public key as PEM, made once for this server."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        with self._lock:
            if self._made is None:
                key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
                private = key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                public = key.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                )
                self._made = (private.decode(), public.decode())
            return self._made


def oauth_error(code: str, description: str, status: int = 400) -> Response:
    """An OAuth error."""
    return Response(status, {"error": code, "error_description": description})


def _not_you() -> Response:
    return oauth_error("invalid_grant", "authentication failure")


def _same(sent: str, ours: str) -> bool:
    return hmac.compare_digest(sent.encode(), ours.encode())


def check_certificate(pem: str, name: str) -> None:
    """Refuse what is neither a certificate nor a public key.

    Raises:
        BadInputError: It cannot be read as PEM.
    """
    try:
        _public_pem(pem)
    except ValueError as problem:
        raise BadInputError(
            f"{name} holds neither a certificate nor a public key",
            "Give a PEM file that begins with -----BEGIN CERTIFICATE----- or -----BEGIN PUBLIC KEY-----",
        ) from problem


def _public_pem(pem: str) -> bytes:
    """The public key in a certificate or key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    data = pem.encode()
    key = (
        x509.load_pem_x509_certificate(data).public_key()
        if "BEGIN CERTIFICATE" in pem
        else serialization.load_pem_public_key(data)
    )
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


LAST_VERSION = 64
_TYPE = "text/xml;charset=UTF-8"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns="urn:partner.soap.sforce.com" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
_BAD_LOGIN = "Invalid username, password, security token; or user locked out."


def answer_soap(oauth: OAuth, request: Request) -> Response:
    """Answer a POST to `/services/Soap/u/NN.0[/...]`."""
    if request.method != "POST":
        return _fault("UNKNOWN_EXCEPTION", "must use HTTP POST", 405)
    version = re.fullmatch(r"/services/Soap/[uc]/(\d\d)\.0(?:/\w*)?/?", request.path)
    if version is None or not about.FIRST_VERSION <= int(version[1]) <= about.LAST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    if int(version[1]) > LAST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION", "SOAP API login() is not available in this API version")
    login = _login(request.body)
    if login is None:
        return _fault("UNKNOWN_EXCEPTION", "only login() is spoken here")
    if not oauth.may_log_in(*login):
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
    texts = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
    if "login" not in texts:
        return None
    return texts.get("username", ""), texts.get("password", "")


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
