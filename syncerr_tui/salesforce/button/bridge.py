"""A Lightning session made from an access token, and one action at a time over it.

The token opens a session through `singleaccess` (the UI Bridge API), or through `frontdoor.jsp` by POST where
that is not offered; the Lightning page then gives context and token. Everything is kept in memory and thrown
away with the object. Redirects, by HTTP or by a page's script, are followed only within the org's own hosts.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from syncerr_tui.errors import NotSentError, RefusedError, SyncErrError
from syncerr_tui.salesforce.button.lightning import (
    PAGE,
    AuraAnswer,
    AuraOutcome,
    LightningPage,
    action_form,
    lightning_host,
    own_hosts,
    page_title,
    read_aura_answer,
    read_page,
    script_redirect,
)
from syncerr_tui.salesforce.button.template import Json
from syncerr_tui.stopwatch import Leaving

if TYPE_CHECKING:
    import requests

MOST_REDIRECTS = 8
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
_SETTINGS_HINT = (
    "This login cannot open a Lightning session: the scope 'web' may be missing, or the user is API-only. "
    "Log in with 'sf org login web', or use the guided method"
)
_BLOCKED_HINT = (
    "A login flow, a verification or the org's session settings stand in the way: open Salesforce in the "
    "browser as this user and see what it asks for, or use the guided method"
)
_REPEATS = 2
"""Most repeats of one call, and each only after an answer which proves that nothing ran."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A page as it came."""

    address: str
    status: int
    text: str
    cookies: Mapping[str, str]


class LightningBridge:
    """One Lightning session, opened with the first call. One call at a time; blocking.

    Args:
        instance_url: Scheme and host of the org.
        session: Makes the HTTP session: bounded in time and size, and to hosts that the check accepts.
    """

    def __init__(
        self, instance_url: str, session: Callable[[Callable[[str], bool]], requests.Session]
    ) -> None:
        self._instance_url = instance_url.rstrip("/")
        self._lightning = lightning_host(instance_url)
        self._make_session = session
        self._http: requests.Session | None = None
        self._page: LightningPage | None = None
        self._counter = 0

    def call(self, access_token: str, action: Mapping[str, Json], label: str, leaving: Leaving) -> AuraAnswer:
        """Send one action, and once more after each answer which proves that nothing ran.

        Args:
            access_token: A valid one; it opens the session.
            action: With an `id` of its own.
            label: What the request's address says about it, e.g. `aura.ApexAction.execute`.
            leaving: Called each time when it is sent: opening a session may take long.

        Raises:
            RefusedError: No Lightning session could be opened. Nothing was sent.
            NotSentError: The org could not be reached before anything was sent.
            Exception: Whatever the HTTP library raised for the call itself: it may have been carried out.
        """
        if self._page is None:
            self._before_sending(lambda: self._open(access_token))
        leaving()
        answer = self._send(action, label)
        handled: set[str] = set()
        while len(handled) < _REPEATS:
            if answer.outcome is AuraOutcome.OUT_OF_SYNC and "page" not in handled:
                handled.add("page")
                self._before_sending(self._load)
            elif (
                answer.outcome is AuraOutcome.INVALID_SESSION and answer.new_token and "token" not in handled
            ):
                handled.add("token")
                assert self._page is not None
                self._page = dataclasses.replace(self._page, token=answer.new_token)
            elif answer.outcome is AuraOutcome.INVALID_SESSION and "session" not in handled:
                handled.add("session")
                self._before_sending(lambda: self._open(access_token))
            else:
                break
            leaving()
            answer = self._send(action, label)
        if answer.outcome is not AuraOutcome.RETURNED:
            self._page = None  # whatever it was, the next call begins with a page of its own
        return answer

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = self._page = None

    def _before_sending(self, step: Callable[[], None]) -> None:
        """Do something that changes no record, however long it takes; a failure on the wire means that
        nothing was sent.
        """
        from requests.exceptions import RequestException

        from syncerr_tui.salesforce.transport import departure

        try:
            with departure(None):
                step()
        except RequestException:
            self.close()
        except SyncErrError:
            self.close()
            raise
        else:
            return
        raise NotSentError(
            "Nothing was sent: no Lightning session could be opened, the line dropped", "Retry later"
        )

    def _open(self, access_token: str) -> None:
        """Make a new session and load the page."""
        self.close()
        self._http = self._make_session(lambda address: own_hosts(self._instance_url, address))
        opened = self._by_single_access(access_token) or self._by_frontdoor(access_token)
        page = read_page(opened.text, opened.cookies)
        if page is None:
            self._load()
        else:
            self._page = page

    def _by_single_access(self, access_token: str) -> _Opened | None:
        """None where the org does not offer it, or refuses this login (it answers 403 for both)."""
        response = self._get(
            f"{self._instance_url}/services/oauth2/singleaccess", {"Authorization": f"Bearer {access_token}"}
        )
        if response.status != 200:
            return None
        try:
            answer = json.loads(response.text)
        except ValueError:
            return None
        address = answer.get("frontdoor_uri") if isinstance(answer, dict) else None
        if not isinstance(address, str):
            return None
        return self._follow(urljoin(self._instance_url + "/", address))

    def _by_frontdoor(self, access_token: str) -> _Opened:
        """The token in the body, never in an address that somebody may log."""
        body = {"sid": access_token, "retURL": PAGE}
        opened = self._request("POST", f"{self._instance_url}/secur/frontdoor.jsp", data=body)
        return self._follow_on(opened)

    def _load(self) -> None:
        """Load the Lightning page in the session that there is."""
        opened = self._follow(self._lightning + PAGE)
        page = read_page(opened.text, opened.cookies)
        if page is None:
            name = page_title(opened.text)
            login = not name or re.match(r"login(?! flow)", name, re.IGNORECASE)
            raise RefusedError(
                f"Salesforce showed another page than Lightning{f' ({name})' if name else ''}",
                _SETTINGS_HINT if login else _BLOCKED_HINT,
            )
        self._page = page

    def _follow(self, address: str) -> _Opened:
        if not own_hosts(self._instance_url, address):
            raise RefusedError(
                "Salesforce pointed to an address outside this org; the session was not sent there",
                "Check the org's address in the profile",
            )
        return self._follow_on(self._get(address))

    def _follow_on(self, opened: _Opened) -> _Opened:
        """Go where the answer points, by HTTP or by script, until it is a page that stays."""
        for _ in range(MOST_REDIRECTS):
            if 300 <= opened.status < 400:
                target: str | None = opened.text  # `_request` puts the Location here
            else:
                target = script_redirect(opened.text, opened.address)
            if not target:
                return opened
            if not own_hosts(self._instance_url, target):
                raise RefusedError(
                    "Salesforce pointed to an address outside this org; the session was not sent there",
                    "Check the org's address in the profile",
                )
            opened = self._get(target)
        raise RefusedError("Salesforce redirected from page to page without end", _SETTINGS_HINT)

    def _get(self, address: str, headers: Mapping[str, str] | None = None) -> _Opened:
        return self._request("GET", address, headers=headers)

    def _request(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> _Opened:
        assert self._http is not None
        response = self._http.request(
            method, address, headers=dict(headers or {}), data=data, allow_redirects=False
        )
        text = response.text
        if 300 <= response.status_code < 400:
            location = response.headers.get("Location", "")
            text = urljoin(address, location) if location else ""
        return _Opened(address, response.status_code, text, _set_cookies(response))

    def _send(self, action: Mapping[str, Json], label: str) -> AuraAnswer:
        assert self._http is not None
        assert self._page is not None
        self._counter += 1
        parts = urlsplit(self._lightning)
        origin = f"{parts.scheme}://{parts.netloc}"
        response = self._http.post(
            f"{self._lightning}/aura?r={self._counter}&{label}=1",
            data=action_form(action, self._page),
            headers={**_FORM, "Origin": origin, "Referer": origin + PAGE},
            allow_redirects=False,
        )
        return read_aura_answer(response.status_code, response.text, str(action["id"]))


def _set_cookies(response: requests.Response) -> dict[str, str]:
    """Cookies that this very answer set, by name. The one with the token lives a minute and is not kept."""
    from urllib3 import HTTPHeaderDict

    headers = response.raw.headers
    lines = headers.getlist("Set-Cookie") if isinstance(headers, HTTPHeaderDict) else []
    cookies: dict[str, str] = {}
    for line in lines:
        name, _, rest = line.partition("=")
        value = rest.partition(";")[0].strip()
        if _expired(line):
            continue
        cookies[name.strip()] = value.strip('"')
    return cookies


def _expired(line: str) -> bool:
    """Whether a Set-Cookie line deletes its cookie."""
    try:
        morsels = SimpleCookie(line)
    except CookieError:
        return False
    return any(morsel["max-age"].strip() in {"0", "-1"} for morsel in morsels.values())
