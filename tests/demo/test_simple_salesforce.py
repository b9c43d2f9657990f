"""The whole demo org through simple-salesforce, as people use it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from syncerr_tui.demo.oauth import Credentials
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema_variants import variant_named
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.demo.store import DEMO_USER_ID

OURS = Credentials()
EVENT = variant_named("assumed").event[0]


class Loopback(requests.adapters.HTTPAdapter):
    """simple-salesforce insists on https and on *.salesforce.com: every request goes to the demo server."""

    def __init__(self, server: DemoServer) -> None:
        super().__init__()
        self._address = server.instance_url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url
        request.url = self._address + "/" + request.url.split("/", 3)[3]
        return super().send(request, *args, **more)


def session(server: DemoServer) -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", Loopback(server))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=40, page_size=25), credentials=OURS) as running:
        yield running
        assert running.crashes == []


@pytest.fixture
def sf(server: DemoServer) -> Any:
    """Any, because the library's own annotations say less than it can do."""
    return Salesforce(
        instance_url=server.instance_url,
        session_id=server.access_token,
        session=session(server),
        object_pairs_hook=dict,
    )


def first(raised: pytest.ExceptionInfo[Any]) -> Any:
    """The first error of a refused call."""
    return raised.value.content[0]


def test_query_and_pages(sf: Any) -> None:
    page = sf.query(f"SELECT Id FROM {EVENT} ORDER BY Id")
    assert (len(page["records"]), page["done"]) == (25, False)
    more = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    everything = sf.query_all(f"SELECT Id FROM {EVENT} ORDER BY Id")
    assert everything["totalSize"] == page["totalSize"] == len(everything["records"])
    assert [r["Id"] for r in everything["records"]][:50] == [
        r["Id"] for r in page["records"] + more["records"]
    ][:50]
    assert sf.query(f"SELECT COUNT() FROM {EVENT}")["totalSize"] == page["totalSize"]
    assert sf.api_usage["api-usage"].total == 15_000
    assert sf.query("SELECT Id FROM Account", include_deleted=True)["totalSize"] > 0


def test_describe_limits_and_versions(sf: Any) -> None:
    described = sf.describe()
    assert described is not None
    assert EVENT in {each["name"] for each in described["sobjects"]}
    assert {field["name"] for field in sf.Account.describe()["fields"]} >= {"Id", "Name"}
    assert sf.Account.metadata()["objectDescribe"]["name"] == "Account"
    assert sf.limits()["DailyApiRequests"]["Max"] == 15_000
    assert sf.is_sandbox() in {True, False}
    assert sf.restful("sobjects/Account/describe/", method="GET")["name"] == "Account"


def test_a_record(sf: Any) -> None:
    made = sf.Account.create({"Name": "Through the library", "s_c__sC_Id__c": "lib-1"})
    assert made["success"] is True
    assert sf.Account.get(made["id"])["Name"] == "Through the library"
    assert sf.Account.get_by_custom_id("s_c__sC_Id__c", "lib-1")["Id"] == made["id"]
    assert sf.Account.update(made["id"], {"Phone": "1"}) == 204
    assert sf.Account.upsert("s_c__sC_Id__c/lib-1", {"Phone": "2"}) == 200
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        sf.Account.get(made["id"])
    assert first(gone)["errorCode"] == "ENTITY_IS_DELETED"


def test_collections(sf: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": f"Bulk {n}"} for n in range(3)]
    rows = sf.restful("composite/sobjects", method="POST", json={"records": records})
    ids = [row["id"] for row in rows]
    changes = [{"attributes": {"type": "Account"}, "id": each, "Phone": "5"} for each in ids]
    assert all(
        row["success"] for row in sf.restful("composite/sobjects/", method="PATCH", json={"records": changes})
    )
    read = sf.restful("composite/sobjects/Account", method="POST", json={"ids": ids, "fields": ["Phone"]})
    assert [row["Phone"] for row in read] == ["5"] * 3
    gone = sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(ids)})
    assert all(row["success"] for row in gone)


def test_actions_apex_rest_and_tooling(sf: Any) -> None:
    for kind in ("apex", "flow"):
        (action,) = sf.restful(f"actions/custom/{kind}")["actions"]
        described = sf.restful(f"actions/custom/{kind}/{action['name']}")
        (input_name,) = (each["name"] for each in described["inputs"])
        with pytest.raises(SalesforceMalformedRequest) as partial:
            sf.restful(
                f"actions/custom/{kind}/{action['name']}",
                method="POST",
                json={"inputs": [{input_name: "a0X000000000000"}]},
            )
        assert first(partial)["isSuccess"] is False
    assert "seed" in str(sf.apexecute("demo/about", method="GET"))
    assert sf.toolingexecute("query/?q=SELECT+Id+FROM+ValidationRule")["done"] is True


def test_refusals_are_the_librarys_exceptions(sf: Any, server: DemoServer) -> None:
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        sf.query("SELECT Nope FROM Account")
    assert first(malformed)["errorCode"] == "INVALID_FIELD"
    server.faults.add("forbid-permission:query:1")
    with pytest.raises(SalesforceRefusedRequest):
        sf.query("SELECT Id FROM Account")
    with pytest.raises(SalesforceGeneralError) as unchanged:
        sf.restful("sobjects", headers={"If-Modified-Since": "Sun, 22 Nov 2099 00:00:00 GMT"})
    assert unchanged.value.status == 304
    stranger = Salesforce(
        instance_url=server.instance_url, session_id=server.access_token[:-1], session=session(server)
    )
    with pytest.raises(SalesforceExpiredSession):
        stranger.query("SELECT Id FROM Account")
    twins = [{"Name": "Twin", "s_c__sC_Id__c": "twin"}] * 2
    server.store.insert_many("Account", twins)
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Account.get("s_c__sC_Id__c/twin")


WAYS: dict[str, dict[str, str]] = {
    "soap": {"username": OURS.username, "password": OURS.password, "security_token": OURS.security_token},
    "soap-ip": {"username": OURS.username, "password": OURS.password, "organizationId": "x"},
    "password": {
        "username": OURS.username,
        "password": OURS.password,
        "consumer_key": OURS.consumer_key,
        "consumer_secret": OURS.consumer_secret,
    },
    "client-credentials": {
        "consumer_key": OURS.consumer_key,
        "consumer_secret": OURS.consumer_secret,
        "domain": "demo.my",
    },
    "jwt": {"username": OURS.username, "consumer_key": OURS.consumer_key},
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_in(server: DemoServer, way: str) -> None:
    arguments: dict[str, Any] = dict(WAYS[way])
    if way == "jwt":
        arguments["privatekey"] = server.oauth.jwt_pair()[0]
    sf: Any = Salesforce(**arguments, session=session(server))
    assert sf.query("SELECT Username FROM User LIMIT 1")["totalSize"] == 1
    assert sf.restful("limits")["DailyApiRequests"]["Max"] == 15_000


@pytest.mark.parametrize("way", ["soap", "password", "client-credentials", "jwt"])
def test_wrong_people_stay_out(server: DemoServer, way: str) -> None:
    arguments: dict[str, Any] = dict(WAYS[way])
    wrong = "consumer_secret" if way == "client-credentials" else "username" if way == "jwt" else "password"
    arguments[wrong] = "wrong"
    if way == "jwt":
        arguments["privatekey"] = server.oauth.jwt_pair()[0]
    with pytest.raises(SalesforceAuthenticationFailed), pytest.warns() if way == "jwt" else _nothing():
        Salesforce(**arguments, session=session(server))


class _nothing:  # noqa: N801 - stands where pytest.warns() does
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_users_and_organization_are_in_the_world(sf: Any, server: DemoServer) -> None:
    (user,) = sf.query(f"SELECT Id, Username FROM User WHERE Id = '{DEMO_USER_ID}'")["records"]
    assert user["Username"] == server.credentials.username
    (organization,) = sf.query("SELECT Id, Name, IsSandbox, OrganizationType FROM Organization")["records"]
    assert organization["Id"][:15] == server.access_token.partition("!")[0]


def test_every_object_can_be_queried_whole(sf: Any, server: DemoServer) -> None:
    for name in itertools.islice((o.name for o in server.org.schema.values() if o.rest), 40):
        fields = [field["name"] for field in getattr(sf, name).describe()["fields"]]
        sf.query(f"SELECT {', '.join(fields)} FROM {name} LIMIT 3")
