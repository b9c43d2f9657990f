"""One access token for all threads: whoever finds it expired renews it, everybody else waits for that one.

simple-salesforce refreshes in every thread by itself: eight threads with one expired token log in eight
times, and an org that answers "expired" for ever is asked until the recursion limit. Here a login happens
once for a token that ran out, and a login that failed is not tried again: a person opens a new session.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from syncerr_tui.errors import NotLoggedInError, SyncErrError

_ORG_ID = re.compile(r"00D[0-9A-Za-z]{12}!", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What opens the door. Its text never shows in a repr."""

    instance_url: str
    """Scheme and host (and port, on loopback), no trailing slash."""
    access_token: str = field(repr=False)
    generation: int = 0
    """Counts the logins of one provider; says which token a request was made with."""


class TokenProvider(Protocol):
    """Where threads get their token from. Calls may block on the network; any thread may call."""

    @property
    def next_step(self) -> str:
        """What a person can do when the session is dead, one sentence."""
        ...

    def current(self) -> Token:
        """The token as it is known; the first call logs in.

        Raises:
            NotLoggedInError: The login was refused.
            UnreachableError: Nobody answered.
        """
        ...

    def renew(self, stale: Token) -> Token:
        """What to try instead of `stale`, which the org refused: a newer token, or the same once more.

        Whoever comes first logs in; the others get what that login gave.

        Raises:
            NotLoggedInError: There is no newer token. A person has to log in again.
            UnreachableError: Nobody answered.
        """
        ...


class SingleFlightTokens:
    """A `TokenProvider` over any way of logging in.

    Args:
        login: Logs in and gives a fresh token; its generation is ignored. Called by one thread at a time.
        next_step: What a person can do when the session cannot be renewed, one sentence.
    """

    def __init__(self, login: Callable[[], Token], *, next_step: str) -> None:
        self._login = login
        self.next_step = next_step
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._generation = 0
        self._dead: SyncErrError | None = None
        self._doubted: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} generation {self._generation}>"

    def current(self) -> Token:
        """See `TokenProvider.current`."""
        with self._lock:
            if self._token is not None:
                return self._token
            if self._dead is not None:
                raise self._dead
            return self._renewed()

    def renew(self, stale: Token) -> Token:
        """See `TokenProvider.renew`."""
        with self._lock:
            if self._token is not None and self._token.generation > stale.generation:
                return self._token
            if self._dead is not None:
                raise self._dead
            return self._renewed(refused=stale.access_token)

    def _renewed(self, refused: str | None = None) -> Token:
        try:
            fresh = self._login()
        except NotLoggedInError as error:
            self._dead = error
            raise
        known = self._token
        if known is not None and not _same_org(known, fresh):
            # An alias was pointed to another org: every id on screen and in a run would mean nothing there.
            self._dead = NotLoggedInError(
                "The login now leads to another address than before",
                f"Log in to {known.instance_url} again, or quit and start anew for the other org",
            )
            raise self._dead
        if fresh.access_token == refused:
            # Some ways can only give the same token again. One refusal may be the org's hiccup, two are none.
            if self._doubted == refused:
                self._dead = NotLoggedInError("The Salesforce session has expired", self.next_step)
                raise self._dead
            self._doubted = refused
        self._generation += 1
        self._token = Token(fresh.instance_url, fresh.access_token, self._generation)
        return self._token


def _same_org(known: Token, fresh: Token) -> bool:
    """Whether two logins lead to one org. One that moved shows it: tokens begin with the org's id and `!`."""
    if known.instance_url.rstrip("/").casefold() == fresh.instance_url.rstrip("/").casefold():
        return True
    org = _ORG_ID.match(known.access_token)
    return org is not None and fresh.access_token.startswith(org[0])
