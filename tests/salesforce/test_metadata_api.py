"""The Metadata API's answers, good, bad and odd, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from simple_salesforce.exceptions import SalesforceGeneralError

from syncerr_tui.errors import RefusedError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.metadata_api import MetadataApi, MetadataTokenError
from syncerr_tui.salesforce.metadata_xml import METADATA, SOAP, XSI, Component
from syncerr_tui.salesforce.responses import NotJsonError

TOKEN = "00D5g000000abcd!AQ0AQ<&"
NAME = "Account.My_Rule"


def envelope(inner: str) -> str:
    head = f'<s:Envelope xmlns:s="{SOAP}" xmlns="{METADATA}" xmlns:xsi="{XSI}">'
    return f"{head}<s:Body>{inner}</s:Body></s:Envelope>"


def fault(code: str, words: str) -> tuple[int, str]:
    inner = f"<s:Fault><faultcode>sf:{code}</faultcode><faultstring>{words}</faultstring></s:Fault>"
    return 500, envelope(inner)


def saved(inner: str) -> tuple[int, str]:
    return 200, envelope(f"<updateMetadataResponse>{inner}</updateMetadataResponse>")


@dataclass
class CannedOrg:
    """Answers each SOAP call with the next of its answers, and keeps what was sent."""

    answers: list[tuple[int, str]]
    token: str = TOKEN
    sent: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    renewals: int = 0

    def request(self, method: str, url: str, *, data: bytes, headers: dict[str, str]) -> SimpleNamespace:
        assert method == "POST"
        self.sent.append((url, data, headers))
        status, text = self.answers.pop(0)
        return SimpleNamespace(status_code=status, content=text.encode(), text=text)

    def run(self, job: Callable[[Any], Any]) -> Any:
        library = SimpleNamespace(
            session_id=self.token, sf_instance="acme.my.salesforce.com", sf_version="66.0", session=self
        )
        return job(library)

    async def read(self, job: Callable[[Any], Any], *, essential: bool = False) -> Any:
        assert essential
        return self.run(job)

    async def write(self, job: Callable[[Any], Any], *, leaving: object = None) -> Any:
        return self.run(job)

    async def limits(self) -> dict[str, Any]:
        self.renewals += 1
        return {}


def api(*answers: tuple[int, str], token: str = TOKEN) -> tuple[MetadataApi, CannedOrg]:
    org = CannedOrg(list(answers), token)
    return MetadataApi(cast("ApiClient", org)), org


RULE = Component(
    "DuplicateRule", NAME, f"<fullName>{NAME}</fullName><isActive>true</isActive>".encode(), {"": METADATA}
)
READ = (
    200,
    envelope(
        '<readMetadataResponse><result><records xsi:type="DuplicateRule">'
        f"<fullName>{NAME}</fullName><isActive>true</isActive></records></result></readMetadataResponse>"
    ),
)
NONE = (
    200,
    envelope('<readMetadataResponse><result><records xsi:nil="true"/></result></readMetadataResponse>'),
)
DONE = saved(f"<result><fullName>{NAME}</fullName><success>true</success></result>")


async def test_a_component_is_read_and_written_at_the_versioned_address() -> None:
    metadata, org = api(READ, DONE)
    component = await metadata.read("DuplicateRule", NAME)
    assert component is not None
    await metadata.update(component.with_value(["isActive"], "false"))
    (url, read, headers), (_, written, _) = org.sent
    assert url == "https://acme.my.salesforce.com/services/Soap/m/66.0"
    assert headers["SOAPAction"] == '""'
    assert b"00D5g000000abcd!AQ0AQ&lt;&amp;" in read
    assert b"<isActive>false</isActive>" in written
    assert b'xsi:type="DuplicateRule"' in written


async def test_what_the_org_does_not_have_is_none() -> None:
    assert await api(NONE)[0].read("DuplicateRule", NAME) is None


async def test_a_token_in_json_web_token_form_is_not_even_sent() -> None:
    metadata, org = api(token="eyJhbGciOi.eyJzdWIi.c2ln")
    with pytest.raises(MetadataTokenError):
        await metadata.update(RULE)
    assert org.sent == []


async def test_an_expired_session_is_renewed_once_by_way_of_rest() -> None:
    expired = fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader")
    metadata, org = api(expired, READ)
    assert await metadata.read("DuplicateRule", NAME) is not None
    assert org.renewals == 1
    metadata, org = api(expired, expired)
    with pytest.raises(MetadataTokenError, match="does not take the access token"):
        await metadata.read("DuplicateRule", NAME)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (fault("ALREADY_IN_PROCESS", "a deployment is running"), "locked"),
        (fault("INSUFFICIENT_ACCESS", "no rights"), "INSUFFICIENT_ACCESS"),
        (
            saved(
                f"<result><errors><message>no</message><statusCode>FIELD_INTEGRITY_EXCEPTION</statusCode></errors>"
                f"<fullName>{NAME}</fullName><success>false</success></result>"
            ),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
    ],
    ids=["locked", "no rights", "not saved"],
)
async def test_a_refusal_is_told_in_words(answer: tuple[int, str], title: str) -> None:
    with pytest.raises(RefusedError, match=title):
        await api(answer)[0].update(RULE)


async def test_a_fault_that_quotes_the_token_does_not_show_it() -> None:
    quoted = TOKEN.replace("<&", "&lt;&amp;")
    with pytest.raises(RefusedError) as raised:
        await api(fault("UNKNOWN", f"no {quoted}"))[0].update(RULE)
    assert TOKEN not in raised.value.line


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>maintenance</html>"),
        (200, "not xml"),
        (200, envelope("<other/>")),
        saved(""),
        saved("<result><fullName>Account.Other</fullName><success>true</success></result>"),
        saved(f"<result><fullName>{NAME}</fullName><success>true</success></result>" * 2),
        saved(f"<result><fullName>{NAME}</fullName><success>false</success></result>"),
    ],
)
async def test_an_answer_that_does_not_say_is_no_success(answer: tuple[int, str]) -> None:
    with pytest.raises(NotJsonError):
        await api(answer)[0].update(RULE)


@pytest.mark.parametrize("answer", [(503, "<html>maintenance</html>"), (500, ""), (500, "<a><b></a>")])
async def test_an_error_that_is_no_fault_is_sorted_by_its_status(answer: tuple[int, str]) -> None:
    with pytest.raises(SalesforceGeneralError):
        await api(answer)[0].update(RULE)


async def test_an_answer_with_entities_is_not_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "y">]>' + READ[1].replace(NAME, "&x;")
    with pytest.raises(ValueError, match="document type"):
        await api((200, bomb))[0].read("DuplicateRule", NAME)
