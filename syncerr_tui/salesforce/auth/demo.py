"""The way into the demo org in this process: its own token, and the re-sync action it ships."""

from __future__ import annotations

from syncerr_tui.model import Environment
from syncerr_tui.salesforce.profiles import ApexMethod, EnvironmentAuth, OrgProfile
from syncerr_tui.salesforce.tokens import SingleFlightTokens, Token, TokenProvider

RESYNC_ACTION = "SyncErrResync"
RESYNC_INPUT = "changeEventId"


def demo_profile(instance_url: str, access_token: str) -> tuple[OrgProfile, TokenProvider]:
    """How the demo org is treated. Its names are discovered like those of any other org."""
    token = Token(instance_url, access_token)
    profile = OrgProfile(
        "demo",
        EnvironmentAuth(),
        Environment.DEMO,
        method=ApexMethod(RESYNC_ACTION, RESYNC_INPUT),
        patience=60.0,
        api_reserve=0.0,
    )
    return profile, SingleFlightTokens(lambda: token, next_step="Start the demo again")
