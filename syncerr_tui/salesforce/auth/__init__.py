"""The auth methods: each turns a profile's settings into a token, and says what to do when it cannot."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from syncerr_tui.errors import NotLoggedInError
from syncerr_tui.salesforce.auth import environment
from syncerr_tui.salesforce.auth.secrets import Secrets
from syncerr_tui.salesforce.concurrency import Token, TokenProvider
from syncerr_tui.salesforce.profile_files import profile_names, read_profile, valid_name
from syncerr_tui.salesforce.profiles import (
    AuthMethod,
    ClientCredentialsAuth,
    EnvironmentAuth,
    JwtBearerAuth,
    OrgProfile,
    PasswordAuth,
    RefreshTokenAuth,
    SfCliAuth,
)
from syncerr_tui.text import one_line

ENVIRONMENT = "environment"
"""The org name that stands for SYNCERR_INSTANCE_URL and SYNCERR_ACCESS_TOKEN without any profile."""


def open_profile(
    name: str, folder: Path, environ: Mapping[str, str] = os.environ
) -> tuple[OrgProfile, TokenProvider]:
    """The profile of that name and its tokens; without a file, the name is one that the `sf` CLI knows.

    Nothing is asked of any network yet.

    Raises:
        BadInputError: The profile's file cannot be used.
    """
    profile = read_profile(folder, name) if valid_name(name) else None
    if profile is not None:
        return profile, tokens_for(profile.way, environ)
    if name == ENVIRONMENT:
        return OrgProfile(name, EnvironmentAuth()), tokens_for(EnvironmentAuth(), environ)
    login, next_step = _login(SfCliAuth(name), environ)
    known = profile_names(folder)

    def alias_login() -> Token:
        try:
            return login()
        except NotLoggedInError as error:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean the profile {near[0]}? {error.hint}" if near else error.hint
            raise NotLoggedInError(f"There is no profile '{one_line(name)}'. {error.title}", hint) from None

    return OrgProfile(name, SfCliAuth(name)), TokenProvider(alias_login, next_step=next_step)


def tokens_for(auth: AuthMethod, environ: Mapping[str, str] = os.environ) -> TokenProvider:
    """One token provider for all threads that work with an org reached that way."""
    login, next_step = _login(auth, environ)
    return TokenProvider(login, next_step=next_step)


def _login(auth: AuthMethod, environ: Mapping[str, str]) -> tuple[Callable[[], Token], str]:
    secrets = Secrets(environ)
    match auth:
        case SfCliAuth():
            from syncerr_tui.salesforce.auth.sf_cli import SfCli, login_command

            return SfCli(auth.org, environ).login, f"Run '{login_command(auth.org)}', then log in again here"
        case EnvironmentAuth():
            return (
                lambda: environment.login(environ),
                f"Put a fresh token into {environment.TOKEN} and start again",
            )
        case JwtBearerAuth():
            from syncerr_tui.salesforce.auth.oauth import log_in_with_key

            return (
                lambda: log_in_with_key(auth),
                "Ask the admin whether the app and the user are still allowed in",
            )
        case ClientCredentialsAuth():
            from syncerr_tui.salesforce.auth.oauth import log_in_as_app

            return (
                lambda: log_in_as_app(auth, secrets),
                "Ask the admin whether the app and its run-as user are still allowed in",
            )
        case RefreshTokenAuth():
            from syncerr_tui.salesforce.auth.oauth import RefreshToken

            return RefreshToken(auth, secrets).login, "Log in on the web again and keep the new refresh token"
        case PasswordAuth():
            from syncerr_tui.salesforce.auth.oauth import log_in_with_password

            return (
                lambda: log_in_with_password(auth, secrets),
                "Check the user's password and security token with the admin",
            )
