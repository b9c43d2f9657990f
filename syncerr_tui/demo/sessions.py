"""Who may talk to the demo org: its credentials, and the sessions that they opened."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
