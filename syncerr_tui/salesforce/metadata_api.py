"""The Metadata API over SOAP: a component read, and written back as it was read with one thing changed.

Salesforce's WSDL and zeep are left out of it: zeep drops elements that its WSDL does not know and cannot
write nil ones (`metadata_xml`). Sources: Metadata API Developer Guide, readMetadata() and updateMetadata().
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.faults import QUOTE_LIMIT, quotable
from syncerr_tui.salesforce.metadata_xml import (
    METADATA,
    SOAP,
    Component,
    MetadataXmlError,
    XmlElement,
    components,
    parse_xml,
    update_element,
)
from syncerr_tui.salesforce.responses import NotJsonError
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

TYPES = frozenset({"CustomField", "DuplicateRule", "GlobalValueSet", "StandardValueSet"})
"""What is read and written here. Nothing else is, whoever asks."""
_FULL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}(?:\.[A-Za-z][A-Za-z0-9_%]{0,159})?\Z", re.ASCII)
_BUSY = frozenset({"ALREADY_IN_PROCESS", "UNABLE_TO_LOCK_ROW", "INVALID_OPERATION"})


class MetadataTokenError(RefusedError):
    """The Metadata API does not take this login's token, although REST does."""

    def __init__(self) -> None:
        super().__init__(
            "The Metadata API does not take the access token of this login",
            "Tokens in JSON Web Token form are refused there: log in with the sf CLI, or have the admin "
            "switch off 'Issue JSON Web Token (JWT)-based access tokens' for the connected app",
        )


def check_name(kind: str, full_name: str) -> None:
    """Make sure that a component may be asked for by this name.

    Raises:
        BadInputError: It is no full name, or the type is none that is read here.
    """
    if kind not in TYPES or not _FULL_NAME.match(full_name):
        raise BadInputError(
            f"'{one_line(kind)[:40]} {one_line(full_name)[:80]}' is not the full name of a component",
            "Full names look like Order.Delivery_Method__c",
        )


class MetadataApi:
    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def read(self, kind: str, full_name: str) -> Component | None:
        """A component as it is now; None where the org has none of that name.

        Raises:
            MetadataTokenError: The login's token is not taken.
            RefusedError: The org refuses to show it.
        """
        check_name(kind, full_name)
        body = (
            f"<m:readMetadata><m:type>{kind}</m:type>"
            f"<m:fullNames>{escape(full_name)}</m:fullNames></m:readMetadata>"
        ).encode()
        try:
            there = await self._client.read(lambda sf: components(_call(sf, body)), essential=True)
        except MetadataTokenError:
            # A session that has expired is refused in the same words: REST gets a new one, if that is it.
            await self._client.limits()
            there = await self._client.read(lambda sf: components(_call(sf, body)), essential=True)
        return next((one for one in there if one.full_name == full_name and one.type == kind), None)

    async def update(self, component: Component, leaving: Leaving | None = None) -> None:
        """Write a whole component, once. `leaving`: called when the request leaves.

        Raises:
            RefusedError: The org refused it.
            NotSentError, OutcomeUnknownError: as for every write.
        """
        check_name(component.type, component.full_name)
        body = b"<m:updateMetadata>" + update_element(component) + b"</m:updateMetadata>"
        await self._client.write(lambda sf: _saved(_call(sf, body), component), leaving=leaving)


def jwt_shaped(token: str) -> bool:
    """Whether a token is a JSON Web Token, which the SOAP APIs do not take."""
    return token.startswith("eyJ") and token.count(".") == 2


def _call(sf: Salesforce, body: bytes) -> bytes:
    """One SOAP call. The answer's body; a fault is raised."""
    token = str(sf.session_id)
    if jwt_shaped(token):
        raise MetadataTokenError
    envelope = (
        (
            f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{SOAP}" xmlns:m="{METADATA}">'
            f"<e:Header><m:SessionHeader><m:sessionId>{escape(token)}</m:sessionId></m:SessionHeader></e:Header>"
            "<e:Body>"
        ).encode()
        + body
        + b"</e:Body></e:Envelope>"
    )
    url = f"https://{sf.sf_instance}/services/Soap/m/{sf.sf_version}"
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
    response = sf.session.request("POST", url, data=envelope, headers=headers)
    content: bytes = response.content
    if response.status_code == 200:
        return content
    fault = _fault(content)
    if fault is None:
        from simple_salesforce.exceptions import SalesforceGeneralError

        raise SalesforceGeneralError(url, response.status_code, "metadata", content[:QUOTE_LIMIT])
    raise _refusal(*fault, token)


def _fault(content: bytes) -> tuple[str, str] | None:
    """Code and words of a SOAP fault; None where it is none."""
    try:
        root, _ = parse_xml(content)
    except MetadataXmlError:
        return None
    body = root.first("Body")
    fault = body.first("Fault") if body else None
    if fault is None:
        return None
    code = (fault.value("faultcode") or "").rpartition(":")[2]
    return code, fault.value("faultstring") or ""


def _refusal(code: str, words: str, token: str) -> RefusedError:
    if code in {"INVALID_SESSION_ID", "INVALID_AUTH_HEADER"}:
        return MetadataTokenError()
    reason = quotable(words.replace(token, "(token)")).rstrip(".")
    if code in _BUSY or "in progress" in reason or "ALREADY_IN_PROCESS" in reason:
        return RefusedError(
            f"The org's set-up is locked ({code})",
            f"Salesforce says: {reason}. Wait a few minutes and try again",
        )
    hint = f"Salesforce says: {reason}" if reason else "Ask the org's admin for the permission"
    return RefusedError(f"The Metadata API refused it ({one_line(code)[:80]})", hint)


def _saved(answer: bytes, component: Component) -> None:
    """Raises: RefusedError: The component was not saved; NotJsonError: the answer does not say."""
    try:
        root, _ = parse_xml(answer)
    except MetadataXmlError:
        raise NotJsonError from None
    body = root.first("Body")
    response = body.first("updateMetadataResponse") if body else None
    results = response.all("result") if response else []
    mine = [one for one in results if one.value("fullName") in {component.full_name, None}]
    if len(results) != 1 or len(mine) != 1:
        raise NotJsonError
    if mine[0].value("success") == "true":
        return
    raise _refusal(*_error(mine[0]), token="")


def _error(result: XmlElement) -> tuple[str, str]:
    error = result.first("errors")
    if error is None:
        raise NotJsonError
    return error.value("statusCode") or "", error.value("message") or ""
