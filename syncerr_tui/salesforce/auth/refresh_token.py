"""OAuth 2.0 refresh token: goes on with a web login that was made earlier."""

from __future__ import annotations

from syncerr_tui.salesforce.auth._oauth import answer_of, fields_of, token_of
from syncerr_tui.salesforce.auth.secrets import Secrets
from syncerr_tui.salesforce.profiles import RefreshTokenAuth
from syncerr_tui.salesforce.tokens import Token


class RefreshToken:
    """Logs in with a refresh token, and keeps the next one where the org rotates them."""

    def __init__(self, way: RefreshTokenAuth, secrets: Secrets) -> None:
        self._way = way
        self._secrets = secrets
        self._rotated: str | None = None

    def login(self) -> Token:
        """Trade the refresh token for an access token.

        Raises:
            NotLoggedInError, UnreachableError: As the login host answers.
        """
        way = self._way
        refresh = self._rotated or self._secrets.get(way.refresh_token, "refresh token")
        form = {"grant_type": "refresh_token", "client_id": way.client_id, "refresh_token": refresh}
        if way.secret is not None:
            form["client_secret"] = self._secrets.get(way.secret, "client secret")
        answer = answer_of(way.login_url, form)
        token = token_of(answer, way.login_url, (refresh, form.get("client_secret", "")))
        following = fields_of(answer).get("refresh_token")
        if isinstance(following, str) and following and following != refresh:
            self._rotated = following  # the one we used is void from now on
            self._secrets.put(way.refresh_token, following)
        return token
