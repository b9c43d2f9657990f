"""OAuth 2.0 client credentials: the app itself logs in, as the run-as user that the admin chose."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlsplit

from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.auth._oauth import ask_for_token
from syncerr_tui.salesforce.auth.secrets import Secrets
from syncerr_tui.salesforce.profiles import ClientCredentialsAuth
from syncerr_tui.salesforce.tokens import Token


def login(way: ClientCredentialsAuth, secrets: Secrets) -> Token:
    """Trade the app's key and secret for a token.

    Raises:
        BadInputError: The address is the common login host, which does not offer this way.
        NotLoggedInError, UnreachableError: As the login host answers.
    """
    if urlsplit(way.login_url).hostname in {"login.salesforce.com", "test.salesforce.com"}:
        raise BadInputError(
            "Client credentials work on the org's own address only",
            "Set login_url to the My Domain address, such as https://acme.my.salesforce.com",
        )
    secret = secrets.get(way.secret, "client secret")
    basic = b64encode(f"{way.client_id}:{secret}".encode()).decode()
    return ask_for_token(
        way.login_url, {"grant_type": "client_credentials"}, {"Authorization": f"Basic {basic}"}
    )
