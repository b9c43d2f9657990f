"""`button`: the call of the org's own Re-sync button, made again for other rows.

First over `/lwr/apex`, which takes the access token. Only after an answer that proves that nothing ran (403,
404, a redirect, an HTML page, all below 500) the same method over Lightning's own endpoint. Whatever may have
run is never repeated: the rows are read again. Nobody supports this call; a person has confirmed it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from syncerr_tui.errors import NotSentError, OutcomeUnknownError, RefusedError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.button.bridge import LightningBridge
from syncerr_tui.salesforce.button.lightning import AuraAnswer, AuraOutcome
from syncerr_tui.salesforce.button.template import Json, filled, takes_one
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.faults import QUOTE_LIMIT, quotable
from syncerr_tui.salesforce.identity import package_version
from syncerr_tui.salesforce.methods import Check, named_results, receipts, refuses
from syncerr_tui.salesforce.profiles import ButtonMethod
from syncerr_tui.stopwatch import Leaving

if TYPE_CHECKING:
    import requests
    from simple_salesforce.api import Salesforce

MOST_ROWS = 10
"""Rows in a call. Synchronous Apex over five seconds counts towards a limit that all users share."""
RECORD_AGAIN = "Record the button again: 'syncerr-tui learn-button' says how"


class CallChangedError(RefusedError):
    """The method is gone, or takes other parameters now; nothing ran."""


class ButtonResync:
    """Makes the button's call for up to `MOST_ROWS` rows, one call at a time."""

    def __init__(self, client: ApiClient, method: ButtonMethod, *, batch_size: int) -> None:
        self._client = client
        self._method = method
        self._template = cast("Json", json.loads(method.params))
        self._bridge: LightningBridge | None = None
        self._direct = True
        """Whether the org offers `/lwr/apex` for this method, as far as is known."""
        self.info = MethodInfo(
            name="button",
            label=f"The org's Re-sync button: {method.full_name} (private call, unsupported)",
            batch_size=1 if takes_one(self._template) else min(batch_size, MOST_ROWS),
            concurrency=1,
            first_alone=True,
        )

    async def check(self) -> list[Check]:
        """Nothing can be tried without running it; says what is called, and that nobody supports it."""
        method = self._method
        since = f", recorded {method.recorded}" if method.recorded else ""
        private = Check.warning(
            "button",
            f"Calls {method.full_name}{since}: a private call of the package that nobody supports",
            "Ask StoreConnect for a public re-sync action; after a package upgrade record it again",
        )
        installed = await package_version(self._client, method.namespace)
        if not (installed and method.package) or installed == method.package:
            return [private]
        upgraded = (
            f"Recorded with version {method.package} of {method.namespace}, {installed} is installed now"
        )
        return [private, Check.warning("package", upgraded, RECORD_AGAIN)]

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview | None:
        """The call for those of these rows that have the id it takes."""
        sendable = [error for error in errors if self._id(error)]
        return RequestPreview("POST", self._path, self._params(sendable)) if sendable else None

    async def request(self, errors: Sequence[SyncError], leaving: Leaving | None = None) -> list[Receipt]:
        sendable = [error for error in errors if self._id(error)]
        lacking = [error for error in errors if not self._id(error)]
        receipts = [
            Receipt(error.id, accepted=False, reason="It has no ID of the kind that the button's call takes")
            for error in lacking
        ]
        if sendable:
            params, leaves = self._params(sendable), leaving or self._client.at_once()
            try:
                value = await self._client.write(lambda sf: self._press(sf, params, leaves), leaving=leaves)
            except CallChangedError as error:
                versions = await self._versions()
                raise RefusedError(f"{error.title}{versions}", error.hint) from None
            receipts += _receipts(sendable, value)
        return receipts

    async def _versions(self) -> str:
        """` (recorded with version 21.4.0, now 22.0.0)`, as far as it is known."""
        if not self._method.package:
            return ""
        now = await package_version(self._client, self._method.namespace)
        return f" (recorded with version {self._method.package}{f', now {now}' if now else ''})"

    def _id(self, error: SyncError) -> str:
        """The id of a row that the call takes; empty where the row has none."""
        known = {"record": error.salesforce_id or "", "storeconnect": error.storeconnect_id}
        return known.get(self._method.ids, error.id)[: self._method.length]

    def _params(self, errors: Sequence[SyncError]) -> Json:
        return filled(self._template, [self._id(error) for error in errors])

    @property
    def _path(self) -> str:
        method = self._method
        name = f"{method.namespace}__{method.class_name}" if method.namespace else method.class_name
        return f"/lwr/apex/v{self._client.api_version}/{name}/{method.method}"

    # -- in a worker thread ----------------------------------------------------------------------------

    def _press(self, sf: Salesforce, params: Json, leaving: Leaving) -> Json:
        """The call, over the one way or the other, and what it returned."""
        if self._direct:
            response = self._post(sf, params)
            if response is not None:
                return self._read(response)
            self._direct = False
        return self._over_lightning(str(sf.session_id), params, leaving)

    def _post(self, sf: Salesforce, params: Json) -> requests.Response | None:
        """The answer of `/lwr/apex`; None where it proves that nothing ran and that the other way may work.

        Raises:
            SalesforceError: The session has expired (nothing ran), or there are too many requests.
        """
        from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceGeneralError

        from syncerr_tui.salesforce.transport import RedirectRefusedError

        url = f"{self._client.instance_url}{self._path}"
        continuation = "true" if self._method.continuation else "false"
        headers = {
            "Authorization": f"Bearer {sf.session_id}",
            "Content-Type": "application/json",
            "X-SFDC-Allow-Continuation": continuation,
        }
        try:
            response = sf.session.post(url, json=params, headers=headers, allow_redirects=False)
        except RedirectRefusedError:
            return None
        status = response.status_code
        if status == 401:
            raise SalesforceExpiredSession(url, status, "lwr", _body(response))
        if (status in {403, 429} and "REQUEST_LIMIT_EXCEEDED" in response.text[:2000]) or status == 429:
            raise SalesforceGeneralError(url, status, "lwr", _body(response))
        page = response.text.lstrip()[:1] == "<"
        if status in {403, 404} or 300 <= status < 400 or (page and status < 500):
            return None
        return response

    def _read(self, response: requests.Response) -> Json:
        """What `/lwr/apex` returned.

        Raises:
            RefusedError: The parameters are not those of the method any more. Nothing ran.
            OutcomeUnknownError: The Apex code failed, or the answer is none.
        """
        status, words = response.status_code, _words(_body(response))
        if status == 400:
            raise CallChangedError(
                f"The org does not take this call of {self._method.full_name} any more{_quoted(words)}",
                f"StoreConnect may have changed it. {RECORD_AGAIN}",
            )
        if not 200 <= status < 300:
            raise OutcomeUnknownError(
                f"{self._method.full_name} failed in the org (HTTP {status}){_quoted(words)}; "
                "whether it did something is not known"
            )
        if not response.text.strip():
            return None
        try:
            return cast("Json", json.loads(response.text))
        except (ValueError, RecursionError):
            raise OutcomeUnknownError("The org's answer to the button's call was cut short") from None

    def _over_lightning(self, access_token: str, params: Json, leaving: Leaving) -> Json:
        """The same method as one Lightning action."""
        from syncerr_tui.salesforce.transport import open_org_session

        if self._bridge is None:
            instance = self._client.instance_url
            self._bridge = LightningBridge(instance, lambda accepts: open_org_session(instance, accepts))
        label = "aura.ApexAction.execute"
        if self._method.style == "aura":
            label = "other." + self._method.class_name + "." + self._method.method
        answer = self._bridge.call(access_token, self._action(params), label, leaving)
        if answer.outcome is AuraOutcome.RETURNED:
            inner = answer.value
            if self._method.style != "aura" and isinstance(inner, Mapping):
                return inner.get("returnValue")
            return inner
        raise self._failure(answer)

    def _action(self, params: Json) -> Mapping[str, Json]:
        method = self._method
        if method.style == "aura":
            full = f"{method.namespace}.{method.class_name}" if method.namespace else method.class_name
            return {
                "id": "1;a",
                "descriptor": f"apex://{full}/ACTION${method.method}",
                "callingDescriptor": method.calling or "UNKNOWN",
                "params": params,
                "version": None,
            }
        call: dict[str, Json] = {
            "namespace": method.namespace,
            "classname": method.class_name,
            "method": method.method,
            "cacheable": False,
            "isContinuation": method.continuation,
        }
        if params:
            call["params"] = params
        return {
            "id": "1;a",
            "descriptor": "aura://ApexActionController/ACTION$execute",
            "callingDescriptor": "UNKNOWN",
            "params": call,
        }

    def _failure(self, answer: AuraAnswer) -> RefusedError | NotSentError | OutcomeUnknownError:
        name, words = self._method.full_name, _quoted(answer.words)
        match answer.outcome:
            case AuraOutcome.NO_ACCESS:
                return RefusedError(
                    f"This user has no permission to run {name}{words}",
                    "Ask the admin for StoreConnect's permission set",
                )
            case AuraOutcome.NO_SUCH_ACTION | AuraOutcome.MALFORMED:
                return CallChangedError(f"The org does not know {name} any more{words}", RECORD_AGAIN)
            case AuraOutcome.OUT_OF_SYNC:
                return NotSentError(
                    "Salesforce is being updated: nothing was sent", "Try again in some minutes"
                )
            case AuraOutcome.INVALID_SESSION | AuraOutcome.LOGIN_PAGE:
                return RefusedError(
                    f"Salesforce does not accept the Lightning session{words}",
                    "Check the session settings of the org and this user's login, or use the guided method",
                )
        return OutcomeUnknownError(
            f"{name} gave no clear answer{words}; whether it did something is not known"
        )


def _receipts(errors: Sequence[SyncError], value: Json) -> list[Receipt]:
    """What a returned value says about each row; accepted where it says nothing.

    Raises:
        OutcomeUnknownError: It names other rows than were sent, or says that the call as a whole failed.
    """
    if isinstance(value, str):
        try:
            value = cast("Json", json.loads(value))
        except (ValueError, RecursionError):
            value = None
    sent = {key for error in errors for key in (error.id, error.salesforce_id, error.storeconnect_id) if key}
    results = named_results(value, sent)
    if results is not None:
        return receipts(errors, results)
    if refuses(value):
        words = _quoted(_words(cast("Any", value)))
        raise OutcomeUnknownError(f"The button's call returned a failure{words}")
    return [Receipt(error.id, accepted=True) for error in errors]


def _body(response: requests.Response) -> Any:  # noqa: ANN401 - any JSON
    try:
        return response.json()
    except (ValueError, RecursionError):
        return response.text[:QUOTE_LIMIT]


def _words(body: Any) -> str:  # noqa: ANN401 - any JSON
    """The sentence in an error body; never a stack trace."""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return ""
    for key in ("errorMessage", "message", "error"):
        if isinstance(first.get(key), str):
            return quotable(first[key])
    return ""


def _quoted(words: str) -> str:
    return f' ("{words.rstrip(".")}")' if words else ""
