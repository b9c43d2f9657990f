"""The way into the demo org in this process: its own token, and the call of its own Re-sync button."""

from __future__ import annotations

from syncerr_tui.model import Environment
from syncerr_tui.salesforce.profiles import ButtonMethod, EnvironmentAuth, FixSettings, Method, OrgProfile
from syncerr_tui.salesforce.tokens import SingleFlightTokens, Token, TokenProvider

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


def demo_profile(
    instance_url: str, access_token: str, *, method: Method = DEMO_BUTTON
) -> tuple[OrgProfile, TokenProvider]:
    """How the demo org is treated. Its names are discovered like those of any other org."""
    token = Token(instance_url, access_token)
    profile = OrgProfile(
        "demo", EnvironmentAuth(), Environment.DEMO, method=method, proof_timeout=60.0, api_reserve=0.0
    )
    return profile, SingleFlightTokens(lambda: token, next_step="Start the demo again")
