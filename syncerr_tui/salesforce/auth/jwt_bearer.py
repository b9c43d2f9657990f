"""OAuth 2.0 JWT bearer: a signed statement instead of a password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time

from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.auth._oauth import ask_for_token
from syncerr_tui.salesforce.auth.secrets import private_text
from syncerr_tui.salesforce.profiles import JwtBearerAuth
from syncerr_tui.salesforce.tokens import Token

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 180
"""Seconds. Salesforce takes no assertion that lives longer than three minutes."""


def login(way: JwtBearerAuth, clock: Callable[[], float] = time) -> Token:
    """Sign an assertion and trade it for a token.

    The audience is the login host while the request goes to the org's own: with the My Domain as audience,
    orgs answer "audience is invalid".

    Raises:
        BadInputError: The key file cannot be used.
        NotLoggedInError, UnreachableError: As the login host answers.
    """
    return ask_for_token(
        way.token_url or way.login_url, {"grant_type": GRANT, "assertion": assertion(way, clock())}
    )


def assertion(way: JwtBearerAuth, now: float) -> str:
    """The signed statement, valid for three minutes from `now` (seconds since 1970)."""
    import jwt

    key = private_text(Path(way.key_file), "private key")
    claims = {
        "iss": way.client_id,
        "sub": way.username,
        "aud": way.login_url.rstrip("/"),
        "exp": int(now) + LIFETIME,
    }
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        raise BadInputError(
            f"{way.key_file} does not hold an RSA private key in PEM form without a passphrase",
            "Name the key file that belongs to the app's certificate",
        ) from None
