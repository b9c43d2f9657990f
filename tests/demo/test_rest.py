"""The REST resources: paths, status codes, bodies, as the client libraries expect them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema import long_id
from syncerr_tui.demo.schema_variants import field_named
from syncerr_tui.demo.store import DEMO_ORGANIZATION_ID, DEMO_USER_ID
from tests.demo.tiny import ACTION, Client, TinyOrg, tiny
from tests.layers import layered

ACCOUNTS = 7
NOBODY = long_id("001000000000ABC")


@pytest.fixture
def org() -> Iterator[Client]:
    with tiny(DemoOptions(page_size=3)) as client:
        rows = [{"Name": f"Shop {n}", "s_c__sC_Id__c": f"sc-{n}"} for n in range(ACCOUNTS)]
        client.store.insert_many("Account", rows)
        yield client


def account(org: Client, number: int = 0) -> str:
    return str(org.store.find("Account", s_c__sC_Id__c=f"sc-{number}")[0]["Id"])


def record(name: str, kind: str = "Account", **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, "Name": name, **values}


def test_versions_need_no_login(org: Client) -> None:
    for path in ("/services/data", "/services/data/"):
        answer = org.ask(path, Authorization="")
        assert answer.json[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
        assert answer.json[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}


@pytest.mark.parametrize("path", ["v59.0", "v59.0/", "v31.0", "v68.0"])
def test_every_version_and_both_spellings(org: Client, path: str) -> None:
    answer = org.ask(f"/services/data/{path}")
    assert answer.status == 200
    assert answer.json["identity"].endswith(f"/id/{DEMO_ORGANIZATION_ID}/{DEMO_USER_ID}")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "sobjects",
        "sobjects/Account",
        "sobjects/Account/describe",
        "limits",
        "actions",
        "actions/custom/apex",
    ],
)
def test_both_spellings_of_a_path(org: Client, path: str) -> None:
    whole = f"/services/data/v59.0/{path}".rstrip("/")
    plain, slashed = org.ask(whole), org.ask(f"{whole}/")
    assert (plain.status, slashed.status) == (200, 200)
    if path != "limits":
        assert plain.raw == slashed.raw
    soql = "q=SELECT%20Id%20FROM%20Account%20LIMIT%201"
    assert org.ask(f"query?{soql}").raw == org.ask(f"query/?{soql.replace('%20', '+')}").raw


@pytest.mark.parametrize(
    "path",
    ["v30.0", "v69.0", "59.0", "v59", "v59.0/nothing", "v59.0/sobjects/Nope", "v59.0/sobjects/Account/a/b/c"],
)
def test_what_does_not_exist(org: Client, path: str) -> None:
    answer = org.ask(f"/services/data/{path}")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_methods(org: Client) -> None:
    answer = org.ask("limits", "POST")
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, HEAD"
    head = org.ask("limits", "HEAD")
    assert (head.status, head.raw) == (200, b"")
    assert int(head.headers["content-length"]) > 0
    options = org.ask("sobjects", "OPTIONS")
    assert options.status == 204
    assert "PATCH" in options.headers["allow"]


def test_tokens(org: Client) -> None:
    token = org.server.access_token
    assert org.ask("limits", Authorization="").code == "INVALID_SESSION_ID"
    assert org.ask("limits", Authorization=f"Bearer {token[:-1]}0x").code == "INVALID_SESSION_ID"
    redacted = "Bearer [REDACTED] Use 'sf org auth show-access-token' to view"
    assert org.ask("limits", Authorization=redacted).code == "INVALID_AUTH_HEADER"
    assert org.ask("limits", Authorization=f"OAuth {token}").status == 200
    assert org.ask("/services/oauth2/userinfo", Authorization="").status == 401


@pytest.mark.parametrize("name", ["oauth_token", "access_token", "sid"])
def test_a_token_in_the_address_opens_nothing(org: Client, name: str) -> None:
    token = org.server.access_token
    for path in ("/services/data/v50.0/limits", f"/id/{DEMO_ORGANIZATION_ID}/{DEMO_USER_ID}"):
        assert org.ask(f"{path}?{name}={token}", Authorization="").code == "INVALID_SESSION_ID"


def test_who_am_i(org: Client) -> None:
    info = org.ask("/services/oauth2/userinfo").json
    assert (info["user_id"], info["organization_id"]) == (DEMO_USER_ID, DEMO_ORGANIZATION_ID)
    path = org.ask("/services/data/v50.0").json["identity"].removeprefix(org.server.instance_url)
    identity = org.ask(f"{path}?format=json").json
    assert identity["username"] == "admin@demo.example"
    assert identity["urls"]["rest"].startswith(org.server.instance_url)
    assert org.ask(path.replace(DEMO_USER_ID, DEMO_ORGANIZATION_ID)).status == 404


def test_api_use_is_counted(org: Client) -> None:
    first = org.ask("limits")
    used = int(first.headers["sforce-limit-info"].removeprefix("api-usage=").partition("/")[0])
    assert first.json["DailyApiRequests"] == {"Max": 15_000, "Remaining": 15_000 - used}
    assert org.ask("nothing").headers["sforce-limit-info"] == f"api-usage={used + 1}/15000"
    assert org.ask("/services/data").headers["sforce-limit-info"] == f"api-usage={used + 1}/15000"


def test_describe(org: Client) -> None:
    objects = {each["name"]: each for each in org.ask("sobjects/").json["sobjects"]}
    assert objects["Account"]["keyPrefix"] == "001"
    assert objects["Account"]["urls"]["describe"] == "/services/data/v59.0/sobjects/Account/describe"
    answer = org.ask("sobjects/account/describe")
    body = answer.json
    fields = {each["name"]: each for each in body["fields"]}
    assert fields["Id"]["type"] == "id"
    assert fields["s_c__sC_Id__c"]["externalId"]
    assert fields["s_c__sC_Id__c"]["unique"]
    assert not fields["CreatedDate"]["updateable"]
    assert b'"?"' not in answer.raw, "it stands in describe.json where the object or the field has to say it"
    assert body["urls"]["uiDetailTemplate"] == f"{org.server.instance_url}/{{ID}}"
    assert body["recordTypeInfos"][0]["master"]
    children = {(each["childSObject"], each["field"]) for each in body["childRelationships"]}
    assert ("Contact", "AccountId") in children
    later = "Sun, 22 Nov 2099 00:00:00 GMT"
    unchanged = org.ask("sobjects/Account/describe", If_Modified_Since=later)
    assert (unchanged.status, unchanged.raw) == (304, b"")
    assert org.ask("sobjects", If_Modified_Since=answer.headers["last-modified"]).status == 304
    assert org.ask("sobjects", If_Modified_Since="Tue, 23 Mar 2015 00:00:00 GMT").status == 200


def test_a_changed_schema_is_described_anew(org: Client) -> None:
    before = org.ask("sobjects/Account/describe").headers["last-modified"]
    changed = org.org.schema["Account"].with_field(
        replace(field_named(org.org.schema["Account"], "Name"), label="Shop")
    )
    org.org.schema = {**org.org.schema, "Account": changed}
    after = org.ask("sobjects/Account/describe", If_Modified_Since=before)
    assert after.status == 200
    assert {f["label"] for f in after.json["fields"]} >= {"Shop"}
    assert org.ask("sobjects", If_Modified_Since=after.headers["last-modified"]).status == 304


def test_long_text_is_described_as_the_query_treats_it(org: Client) -> None:
    schema = org.org.schema
    filterable = [
        (o.name, f.name)
        for o in schema.values()
        for f in o.fields
        if f.type == "textarea" and f.length > 255 and o.rest
    ]
    name, field = filterable[0]
    described = {f["name"]: f for f in org.ask(f"sobjects/{name}/describe").json["fields"]}
    assert not described[field]["filterable"]
    assert not described[field]["sortable"]
    code, message = org.refused(f"SELECT Id FROM {name} WHERE {field} = 'x'")
    assert code == "INVALID_FIELD"
    assert "can not be filtered in a query call" in message
    assert "can not be sorted" in org.refused(f"SELECT Id FROM {name} ORDER BY {field}")[1]


def test_pages(org: Client) -> None:
    page = org.query("SELECT Id, Name FROM Account ORDER BY Name")
    assert (page["totalSize"], page["done"], len(page["records"])) == (ACCOUNTS, False, 3)
    names = [row["Name"] for row in page["records"]]
    while not page["done"]:
        assert "/services/data/v59.0/query/01g" in page["nextRecordsUrl"]
        page = org.ask(page["nextRecordsUrl"]).json
        names += [row["Name"] for row in page["records"]]
    assert names == [f"Shop {n}" for n in range(ACCOUNTS)]
    assert org.ask("query/01gDe0000000009AAA-3").code == "INVALID_QUERY_LOCATOR"


def test_a_page_is_read_again_and_by_any_version(org: Client) -> None:
    locator = org.query("SELECT Id FROM Account")["nextRecordsUrl"].rpartition("/")[2]
    first = org.ask(f"query/{locator}").json["records"]
    again = org.ask(f"/services/data/v50.0/query/{locator}/").json["records"]
    assert [row["Id"] for row in first] == [row["Id"] for row in again]
    assert org.ask(f"tooling/query/{locator}").code == "INVALID_QUERY_LOCATOR"
    assert org.ask(f"query/{locator.partition('-')[0]}-99").code == "INVALID_QUERY_LOCATOR"


def test_many_records_page_by_page() -> None:
    many = layered("records read page by page", 2_500, 100_000)
    with tiny() as org:
        org.store.insert_many("Account", ({"Name": f"{n:06}"} for n in range(many)))
        page = org.query("SELECT Name FROM Account ORDER BY Name DESC")
        seen = [row["Name"] for row in page["records"]]
        while not page["done"]:
            page = org.ask(page["nextRecordsUrl"]).json
            seen += [row["Name"] for row in page["records"]]
        assert page["totalSize"] == many
    assert seen == [f"{n:06}" for n in reversed(range(many))]


def test_calls_are_counted_from_every_thread(org: Client) -> None:
    before = org.server.calls
    threads = [
        threading.Thread(target=lambda: [Client(org.server).ask("limits") for _ in range(25)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert org.server.calls == before + 100


def test_batch_size_is_a_hint_between_200_and_2000() -> None:
    with tiny() as org:
        org.store.insert_many("Account", [{"Name": "x"}] * 450)
        sizes = {
            hint: len(
                org.query("SELECT Id FROM Account", Sforce_Query_Options=f"batchSize={hint}")["records"]
            )
            for hint in (1, 200, 300, 9_999)
        }
    assert sizes == {1: 200, 200: 200, 300: 300, 9_999: 450}


def test_query_all_shows_the_recycle_bin(org: Client) -> None:
    org.store.delete("Account", account(org))
    assert org.query("SELECT COUNT() FROM Account")["totalSize"] == ACCOUNTS - 1
    assert org.query("SELECT COUNT() FROM Account", "queryAll")["totalSize"] == ACCOUNTS
    gone = org.query("SELECT Id FROM Account WHERE IsDeleted = true", "queryAll/")["records"]
    assert len(gone) == 1


def test_columns(org: Client) -> None:
    answer = org.ask("query?q=SELECT%20Id,Account.Name,Account.Owner.Name%20FROM%20Contact&columns=true").json
    assert answer["entityName"] == "Contact"
    one, parent = answer["columnMetadata"]
    assert (one["columnName"], one["joinColumns"]) == ("Id", [])
    name, owner = parent["joinColumns"]
    assert (parent["columnName"], name["columnName"]) == ("Account", "Name")
    assert owner["joinColumns"][0]["columnName"] == "Name"
    groups = org.ask("query?q=SELECT+COUNT(Id)+n+FROM+Account&columns=true").json
    assert groups["columnMetadata"][0]["aggregate"]


def test_tooling(org: Client) -> None:
    code = org.ask("tooling/query/?q=SELECT+Id+FROM+Account").code
    assert code == "INVALID_TYPE"
    names = [o.name for o in org.org.schema.values() if o.tooling]
    assert org.query(f"SELECT Id FROM {names[0]}", "tooling/query")["done"] is True


def test_one_record_from_birth_to_grave(org: Client) -> None:
    made = org.ask("sobjects/Account/", "POST", {"Name": "New", "s_c__sC_Id__c": "new"})
    assert made.status == 201
    assert made.json == {"id": made.json["id"], "success": True, "errors": []}
    path = f"sobjects/Account/{made.json['id']}"
    assert org.ask(f"{path}?fields=Name").json == {
        "attributes": {"type": "Account", "url": f"/services/data/v59.0/{path}"},
        "Id": made.json["id"],
        "Name": "New",
    }
    changed = org.ask(path, "PATCH", {"Name": "Newer"})
    assert (changed.status, changed.raw) == (204, b"")
    assert org.ask(f"sobjects/Account/{made.json['id'][:15]}").json["Name"] == "Newer"
    assert org.ask(path, "DELETE").status == 204
    assert (org.ask(path).status, org.ask(path).code) == (404, "ENTITY_IS_DELETED")
    assert org.ask(path, "DELETE").code == "ENTITY_IS_DELETED"
    assert org.ask(path, "PATCH", {"Name": "x"}).code == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "sobjects/Account", {"Name": "bad"}, 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        ("POST", "sobjects/Account", {"Nope": 1}, 400, "INVALID_FIELD"),
        ("POST", "sobjects/Account", {"CreatedById": None}, 400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ("POST", "sobjects/Account", {"Name": "x" * 256}, 400, "STRING_TOO_LONG"),
        ("POST", "sobjects/Contact", {"LastName": "x", "AccountId": "zzz"}, 400, "MALFORMED_ID"),
        ("POST", "sobjects/Contact", {"Account": {"s_c__sC_Id__c": "zz"}}, 400, "INVALID_FIELD"),
        ("POST", "sobjects/Account", [1], 400, "JSON_PARSER_ERROR"),
        ("GET", "sobjects/Account/xyz", None, 404, "NOT_FOUND"),
        ("GET", f"sobjects/Account/{NOBODY}", None, 404, "NOT_FOUND"),
        ("GET", f"sobjects/Account/{long_id('003000000000ABC')}", None, 400, "MALFORMED_ID"),
        ("PATCH", f"sobjects/Account/{NOBODY}", {"Name": "x"}, 404, "INVALID_CROSS_REFERENCE_KEY"),
        ("PATCH", "sobjects/Account/Name/x", {"Phone": "1"}, 404, "NOT_FOUND"),
        ("GET", "sobjects/Account/s_c__sC_Id__c/none", None, 404, "NOT_FOUND"),
        ("GET", "query", None, 400, "MALFORMED_QUERY"),
    ],
)  # fmt: skip
def test_refused_records(org: Client, method: str, path: str, body: object, status: int, code: str) -> None:
    answer = org.ask(path, method, body)
    assert (answer.status, answer.code) == (status, code)
    assert org.store.count("Account") == ACCOUNTS
    assert org.store.count("Contact") == 0


def test_what_is_no_json(org: Client) -> None:
    assert org.ask("sobjects/Account", "POST", raw=b"{").code == "JSON_PARSER_ERROR"
    assert org.ask("sobjects/Account", "POST", raw=b"[" * 100_000).code == "JSON_PARSER_ERROR"
    unknown = org.ask(f"sobjects/Account/{account(org)}?fields=Nope")
    assert (unknown.status, unknown.code) == (400, "INVALID_FIELD")


def test_a_parent_is_named_by_its_external_id(org: Client) -> None:
    made = org.ask("sobjects/Contact", "POST", {"LastName": "x", "Account": {"s_c__sC_Id__c": "sc-2"}})
    assert org.ask(f"sobjects/Contact/{made.json['id']}").json["AccountId"] == account(org, 2)


def test_upsert(org: Client) -> None:
    path = "sobjects/Account/s_c__sC_Id__c/a%2Fb%20c%2Bd"
    made = org.ask(path, "PATCH", {"Name": "Up"})
    assert (made.status, made.json["created"]) == (201, True)
    again = org.ask(path, "PATCH", {"Name": "Up again"})
    assert (again.status, again.json) == (200, {**made.json, "created": False})
    assert org.ask(path).json["s_c__sC_Id__c"] == "a/b c+d"
    assert org.ask(f"/services/data/v45.0/{path}", "PATCH", {"Name": "Old way"}).status == 204
    assert org.ask(f"{path}?_HttpMethod=PATCH", "POST", {"Name": "By POST"}).status == 200
    org.store.insert("Account", {"Name": "Twin", "s_c__sC_Id__c": "a/b c+d"})
    several = org.ask(path, "PATCH", {"Name": "Which"})
    assert (several.status, len(several.json)) == (300, 2)


def test_collections_write_row_by_row(org: Client) -> None:
    rows = org.ask(
        "composite/sobjects/",
        "POST",
        {"allOrNone": False, "records": [record("a"), record("bad"), record("c")]},
    )
    assert rows.status == 200
    good, bad, last = rows.json
    assert good == {"id": good["id"], "success": True, "errors": []}
    fault = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "No bad names", "fields": ["Name"]}
    assert bad == {"success": False, "errors": [fault]}
    changes = [
        {"id": good["id"], **record("a2")},
        {"Id": good["id"], **record("a3")},
        {"id": "xyz", **record("x")},
        record("no id"),
        {"id": last["id"], **record("c2")},
    ]
    answers = org.ask("composite/sobjects", "PATCH", {"records": changes}).json
    assert [row["errors"][0]["statusCode"] if row["errors"] else "" for row in answers] == [
        "", "DUPLICATE_VALUE", "MALFORMED_ID", "MISSING_ARGUMENT", "",
    ]  # fmt: skip
    deleted = org.ask(f"composite/sobjects?ids={good['id']},{last['id'][:15]},zzz", "DELETE").json
    assert [row["success"] for row in deleted] == [True, True, False]
    assert org.store.count("Account") == ACCOUNTS


def test_all_or_none(org: Client) -> None:
    answers = org.ask(
        "composite/sobjects",
        "POST",
        {"allOrNone": True, "records": [record("a"), record("bad"), record("c")]},
    ).json
    codes = [row["errors"][0]["statusCode"] for row in answers]
    undone = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert codes == [undone, "FIELD_CUSTOM_VALIDATION_EXCEPTION", undone]
    assert org.store.count("Account") == ACCOUNTS
    ids = f"{account(org)},{NOBODY}"
    answers = org.ask(f"composite/sobjects?ids={ids}&allOrNone=true", "DELETE").json
    assert [row["success"] for row in answers] == [False, False]
    assert org.store.count("Account") == ACCOUNTS


def test_limits_of_collections(org: Client) -> None:
    many = {"records": [record("x")] * 201}
    answer = org.ask("composite/sobjects", "POST", many)
    assert (answer.status, answer.code) == (400, "EXCEEDED_ID_LIMIT")
    assert "cannot submit more than 200 records into this call" in answer.json[0]["message"]
    mixed = [
        record("x") if n % 2 else {"attributes": {"type": "Contact"}, "LastName": "x"} for n in range(11)
    ]
    assert org.ask("composite/sobjects", "POST", {"records": mixed}).code == "LIMIT_EXCEEDED"
    assert org.ask("composite/sobjects", "POST", {"records": [{"Name": "x"}]}).code == "INVALID_TYPE"
    assert org.ask("composite/sobjects", "POST", {"records": "x"}).code == "JSON_PARSER_ERROR"
    ids = [account(org)] * 2_001
    read = org.ask("composite/sobjects/Account", "POST", {"ids": ids, "fields": ["Id"]})
    assert read.code == "EXCEEDED_ID_LIMIT"
    assert org.store.count("Account") == ACCOUNTS


def test_collections_read(org: Client) -> None:
    ids = [account(org, 1), "nope", account(org, 0)[:15], NOBODY]
    for answer in (
        org.ask("composite/sobjects/Account", "POST", {"ids": ids, "fields": ["Name"]}),
        org.ask(f"composite/sobjects/Account?ids={','.join(ids)}&fields=Name"),
    ):
        assert [row and row["Name"] for row in answer.json] == ["Shop 1", None, "Shop 0", None]
    assert org.ask(f"composite/sobjects/Account?ids={ids[0]}&fields=Nope").code == "INVALID_FIELD"


def test_collections_upsert(org: Client) -> None:
    records = [record("U", s_c__sC_Id__c="sc-1"), record("N", s_c__sC_Id__c="n-1"), record("Without")]
    rows = org.ask("composite/sobjects/Account/s_c__sC_Id__c", "PATCH", {"records": records}).json
    assert [(row["success"], row.get("created")) for row in rows] == [
        (True, False),
        (True, True),
        (False, None),
    ]


def test_composite(org: Client) -> None:
    base = "/services/data/v59.0"
    parts: list[dict[str, Any]] = [
        {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "a", "body": {"Name": "Parent"}},
        {
            "method": "POST",
            "url": f"{base}/sobjects/Contact",
            "referenceId": "c",
            "body": {"LastName": "x", "AccountId": "@{a.id}"},
        },
        {"method": "GET", "url": f"{base}/sobjects/Contact/@{{c.id}}?fields=AccountId", "referenceId": "r"},
    ]
    a, c, r = org.ask("composite", "POST", {"compositeRequest": parts}).json["compositeResponse"]
    assert (a["httpStatusCode"], c["httpStatusCode"]) == (201, 201)
    assert r["body"]["AccountId"] == a["body"]["id"]
    parts[1]["body"] = {"LastName": "x", "AccountId": "@{a.nope}"}
    rolled = org.ask("composite", "POST", {"allOrNone": True, "compositeRequest": parts}).json[
        "compositeResponse"
    ]
    assert [part["httpStatusCode"] for part in rolled] == [400, 400, 400]
    assert org.store.count("Account") == ACCOUNTS + 1
    assert org.ask("composite", "POST", {"compositeRequest": parts[:1] * 26}).code == "LIMIT_EXCEEDED"


def test_batch(org: Client) -> None:
    parts = [{"method": "GET", "url": "v59.0/limits"}, {"method": "GET", "url": "v59.0/sobjects/Account/zzz"}]
    answer = org.ask("composite/batch/", "POST", {"batchRequests": parts}).json
    assert answer["hasErrors"] is True
    assert [part["statusCode"] for part in answer["results"]] == [200, 404]


def test_actions(org: Client) -> None:
    base = "actions/custom/apex"
    assert org.ask("actions").json["custom"].endswith("/actions/custom")
    assert org.ask("actions/custom").json["flow"].endswith("/actions/custom/flow")
    assert [each["name"] for each in org.ask(base).json["actions"]] == [ACTION.name]
    assert org.ask("actions/custom/flow/").json == {"actions": []}
    described = org.ask(f"{base}/{ACTION.name}").json
    assert [(each["name"], each["required"]) for each in described["inputs"]] == [("eventId", True)]
    good = org.ask(f"{base}/{ACTION.name}", "POST", {"inputs": [{"eventId": "1"}, {"eventId": "2"}]})
    assert good.status == 200
    assert [each["outputValues"] for each in good.json] == [{"ok": "1"}, {"ok": "2"}]
    partial = org.ask(f"{base}/{ACTION.name}/", "POST", {"inputs": [{"eventId": "3"}, {"eventId": "bad"}]})
    assert partial.status == 400
    assert [each["isSuccess"] for each in partial.json] == [True, False]
    assert partial.json[1]["errors"][0]["statusCode"] == "INVALID_ID_FIELD"
    assert org.ask(f"{base}/Nope").status == 404
    assert org.ask(f"{base}/{ACTION.name}", "POST", {"inputs": [{"nope": 1}]}).code == "INVALID_API_INPUT"
    assert org.ask(f"{base}/{ACTION.name}", "POST", {"inputs": [{}]}).code == "REQUIRED_FIELD_MISSING"
    assert isinstance(org.org, TinyOrg)
    assert org.org.invoked == ["1", "2", "3", "bad"]


def test_apex_rest(org: Client) -> None:
    answer = org.ask("/services/apexrest/ns/thing/?a=1", "POST", {"x": 1})
    assert answer.json == {"method": "POST", "path": "ns/thing", "query": {"a": "1"}, "body": {"x": 1}}


def test_a_defect_of_the_demo_is_a_500_that_tests_see() -> None:
    with tiny() as org:
        answer = org.ask("/services/apexrest/crash")
        assert (answer.status, answer.code) == (500, "UNKNOWN_EXCEPTION")
        assert [str(each) for each in org.server.crashes] == ["a defect"]
        org.server.crashes.clear()
