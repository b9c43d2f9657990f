"""A token that is at hand: out of the environment, or the demo org's in this process.

The environment is for a demo org on a port, a pipeline, or a login made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from syncerr_tui.diagnosis.links import safe_url
from syncerr_tui.errors import BadInputError, NotLoggedInError
from syncerr_tui.model import Environment
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.profiles import ButtonMethod, EnvironmentAuth, FixSettings, OrgProfile

URL = "SYNCERR_INSTANCE_URL"
TOKEN = "SYNCERR_ACCESS_TOKEN"  # noqa: S105 - the variable's name


def has_login(environ: Mapping[str, str]) -> bool:
    return bool(environ.get(URL, "").strip() and environ.get(TOKEN, "").strip())


def login(environ: Mapping[str, str]) -> Token:
    """The token that the environment holds.

    Raises:
        NotLoggedInError: A variable is missing.
        BadInputError: One of them cannot be what it should be.
    """
    url, token = environ.get(URL, "").strip(), environ.get(TOKEN, "").strip()
    if not url or not token:
        raise NotLoggedInError(
            f"The environment variable {TOKEN if url else URL} is not set", "Set it and retry"
        )
    return Token(instance_url(url, URL), access_token(token, TOKEN))


def instance_url(url: str, where: str) -> str:
    """An org's address, checked, without what stands behind the host.

    Raises:
        BadInputError: Not https (plain http is for this machine only), or not the API's host.
    """
    if "://" not in url:
        url = f"https://{url}"
    if not safe_url(url):
        raise BadInputError(
            f"{where} is not an address that a token may be sent to",
            "It must look like https://acme.my.salesforce.com (http only for 127.0.0.1)",
        )
    parts = urlsplit(url)
    if (parts.hostname or "").endswith((".lightning.force.com", ".salesforce-setup.com")):
        raise BadInputError(
            f"{where} is the address of the web pages, not of the API",
            "Use the My Domain address that ends in .my.salesforce.com",
        )
    return f"{parts.scheme}://{parts.netloc}"


def access_token(token: str, where: str) -> str:
    """A token that can stand in a header. The refusal never repeats it.

    Raises:
        BadInputError: It holds what no token holds, or is the placeholder of the `sf` CLI.
    """
    if token.startswith("[REDACTED]"):
        raise BadInputError(
            f"{where} holds the placeholder of the sf CLI instead of a token",
            "Get it with: sf org auth show-access-token",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise BadInputError(f"{where} does not hold a token", "Copy it again, without blanks or line ends")
    return token


DEMO_BUTTON = ButtonMethod(
    "SyncErrorUtilityController",
    "resyncChangeEvents",
    '{"changeEventIds": {"$ids": "list"}, "origin": "UtilityBar"}',
)
"""What `learn-button` reads out of the demo org's own recording (`syncerr-tui demo --har FILE`)."""

DEMO_FIXES = FixSettings(
    sync_user="sync@harbour-hearth.example", bypass_permission_sets=("Bypass_Validation",)
)
"""Who and what exemptions use in the demo org, where everything is allowed."""


def demo_profile(instance_url: str, access_token: str) -> tuple[OrgProfile, TokenProvider]:
    """How the demo org is treated. Its names are discovered like those of any other org."""
    token = Token(instance_url, access_token)
    profile = OrgProfile(
        "demo", EnvironmentAuth(), Environment.DEMO, method=DEMO_BUTTON, proof_timeout=60.0, api_reserve=0.0
    )
    return profile, TokenProvider(lambda: token, next_step="Start the demo again")
