"""Which org this is, who we are, which API version is spoken, and what the org says about parents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncerr_tui.diagnosis.evidence import ParentRef
from syncerr_tui.errors import NotLoggedInError, RefusedError, UnreachableError
from syncerr_tui.model import Environment
from syncerr_tui.salesforce.connect import mapping_for
from syncerr_tui.salesforce.identity import choose_version, identify
from syncerr_tui.salesforce.parent_lookup import parents_in_org
from syncerr_tui.salesforce.profiles import OrgProfile
from tests.factories import salesforce_id, storeconnect_id, sync_error
from tests.salesforce.scripted import Asked, Reply, ScriptedServer, client, query_page, refusal
from tests.salesforce.test_methods import MAPPING

ORG, USER = salesforce_id(1, "00D"), salesforce_id(1, "005")
ABSENT = refusal(404, "NOT_FOUND", "no such resource")
Answers = dict[str, Reply | Callable[[Asked], Reply]]
USERINFO = Reply(
    {"organization_id": ORG[:15], "user_id": USER, "preferred_username": "ana@acme.example\x1b[2J"}
)


def organization(**fields: Any) -> Reply:
    return query_page([{"Id": ORG, "Name": "Acme", "IsSandbox": False, **fields}])


class Org:
    """Answers by the end of the path, a query by its object."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def __call__(self, asked: Asked) -> Reply:
        for key, answer in self.answers.items():
            if asked.path.endswith(key) or f" FROM {key}" in asked.query.get("q", ""):
                return answer(asked) if callable(answer) else answer
        return ABSENT


PLAIN: Answers = {"/userinfo": USERINFO, "Organization": organization()}


async def test_the_org_says_who_it_is_and_who_we_are() -> None:
    with ScriptedServer(Org(PLAIN)) as server:
        org = client(server)
        identity = await identify(org, "acme-prod")
        assert (identity.name, identity.org_id) == ("acme-prod", ORG)
        assert identity.username == "ana@acme.example␛[2J"
        assert identity.instance_url == server.url
        await org.close()


@pytest.mark.parametrize(
    ("answer", "environment"),
    [
        (organization(IsSandbox=True), Environment.SANDBOX),
        (organization(IsSandbox=False), Environment.PRODUCTION),
        (organization(IsSandbox=None), Environment.PRODUCTION),
        (organization(IsSandbox="true"), Environment.PRODUCTION),
        (query_page([]), Environment.PRODUCTION),
        (refusal(403, "INSUFFICIENT_ACCESS"), Environment.PRODUCTION),
    ],
)
async def test_production_wins_over_every_doubt(answer: Reply, environment: Environment) -> None:
    with ScriptedServer(Org({**PLAIN, "Organization": answer})) as server:
        org = client(server)
        assert (await identify(org, "x")).environment is environment
        await org.close()


async def test_only_an_org_on_this_machine_is_asked_whether_it_is_the_demo() -> None:
    with ScriptedServer(Org({**PLAIN, "/demo/about": Reply({"demo": True})})) as server:
        org = client(server)
        assert (await identify(org, "x")).environment is Environment.DEMO
        org.instance_url = "https://acme.my.salesforce.com"
        before = len(server.asked)
        assert (await identify(org, "x")).environment is Environment.PRODUCTION
        assert not any("demo" in asked.path for asked in server.asked[before:])
        await org.close()


@pytest.mark.parametrize("about", [Reply([]), Reply({"other": 1}), Reply("yes")])
async def test_something_else_on_this_machine_is_not_taken_for_the_demo(about: Reply) -> None:
    with ScriptedServer(Org({**PLAIN, "/demo/about": about})) as server:
        org = client(server)
        assert (await identify(org, "x")).environment is Environment.PRODUCTION
        await org.close()


async def test_a_token_that_userinfo_refuses_still_tells_who_we_are() -> None:
    answers: Answers = {
        "/userinfo": Reply(b"Missing_OAuth_Token", 403),
        "Organization": refusal(403, "INSUFFICIENT_ACCESS"),
        "/v66.0/": Reply({"identity": f"https://login.salesforce.com/id/{ORG}/{USER}"}),
        "User": query_page([{"Username": "ana@acme.example"}]),
    }
    with ScriptedServer(Org(answers)) as server:
        org = client(server)
        identity = await identify(org, "x")
        assert (identity.org_id, identity.username) == (ORG, "ana@acme.example")
        await org.close()


async def test_an_org_that_does_not_say_which_one_it_is_is_not_worked_with() -> None:
    with ScriptedServer(Org({"/userinfo": Reply({"x": 1}), "Organization": query_page([])})) as server:
        org = client(server)
        with pytest.raises(UnreachableError, match="did not say which one"):
            await identify(org, "x")
        await org.close()


async def test_an_expired_login_is_told_as_such() -> None:
    with ScriptedServer(lambda _: refusal(401, "INVALID_SESSION_ID")) as server:
        org = client(server)
        with pytest.raises(NotLoggedInError):
            await identify(org, "x")
        await org.close()


@pytest.mark.parametrize(
    ("served", "spoken"),
    [
        (["31.0", "65.0", "66.0", "67.0"], "66.0"),
        (["31.0", "59.0", "64.0"], "64.0"),
        (["70.0", "71.0"], "70.0"),
        (["9.0", "10.0"], "10.0"),
    ],
)
async def test_the_newest_version_that_both_sides_know(served: list[str], spoken: str) -> None:
    listed = Reply([{"version": version, "label": "x", "url": "x"} for version in served])
    with ScriptedServer(Org({"/services/data/": listed, **PLAIN})) as server:
        org = client(server)
        await choose_version(org)
        assert org.api_version == spoken
        await identify(org, "x")
        assert any(f"/v{spoken}/" in asked.path for asked in server.asked)
        assert "Authorization" not in server.asked[0].headers
        await org.close()


# -- the mapping at connect ---------------------------------------------------------------------------------


def described(*missing: str, **status: Any) -> Reply:
    fields = [{"name": name} for name in MAPPING.fields if name not in (MAPPING.status, *missing)]
    return Reply({"name": MAPPING.object_name, "fields": [*fields, {"name": MAPPING.status, **status}]})


PICKLIST = {"restrictedPicklist": True, "picklistValues": [{"value": "BROKEN"}]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (described("s_c__Message__c"), "no longer has s_c__Message__c"),
        (described(**PICKLIST), "no longer has the value FAILED"),
        (refusal(404, "NOT_FOUND"), "is gone"),
    ],
)
async def test_an_upgrade_that_renames_is_told_at_connect(answer: Reply, words: str) -> None:
    with ScriptedServer(Org({"/describe": answer})) as server:
        org = client(server)
        with pytest.raises(RefusedError, match=words) as caught:
            await mapping_for(org, OrgProfile("x", mapping=MAPPING))
        assert "setup" in caught.value.hint
        await org.close()


async def test_a_mapping_that_still_fits_is_used_as_it_is() -> None:
    with ScriptedServer(Org({"/describe": described()})) as server:
        org = client(server)
        assert await mapping_for(org, OrgProfile("x", mapping=MAPPING)) is MAPPING
        await org.close()


# -- parents ------------------------------------------------------------------------------------------------

ORDER = Reply(
    {
        "fields": [
            {"name": "AccountId", "relationshipName": "Account", "referenceTo": ["Account"]},
            {"name": "OwnerId", "relationshipName": "Owner", "referenceTo": ["User", "Group"]},
            {
                "name": "s_c__Store_Id__c",
                "relationshipName": "s_c__Store_Id__r",
                "referenceTo": ["s_c__Store__c"],
            },
            {"name": "Name", "relationshipName": None, "referenceTo": []},
        ]
    }
)


async def test_parents_that_fail_too_are_read_in_one_query() -> None:
    rows = [sync_error(number, salesforce_id=salesforce_id(number, "801")) for number in (1, 2, 3)]
    rows.append(sync_error(4))
    key = "s_c__sC_Id__c"
    answer = query_page(
        [
            {"Id": rows[0].salesforce_id, "Account": {"attributes": {}, key: storeconnect_id(77)}},
            {"Id": rows[1].salesforce_id, "Account": None},
            {"Id": rows[2].salesforce_id, "Account": {key: None}},
        ]
    )
    with ScriptedServer(Org({"/Order/describe": ORDER, "Order": answer})) as server:
        org = client(server)
        parents = await parents_in_org(org, rows, failing=["Order", "Account", "User"], record_key=key)
        assert parents == {rows[0].id: (ParentRef("Account", storeconnect_id(77), "AccountId"),)}
        query = server.asked[-1].query["q"]
        assert query.startswith("SELECT Id, Account.s_c__sC_Id__c FROM Order WHERE Id IN (")
        assert len(server.asked) == 2
        await org.close()


@pytest.mark.parametrize("failing", [[], ["Order"], ["s_c__Shipment__c"]])
async def test_where_no_parent_can_have_failed_nothing_is_asked(failing: list[str]) -> None:
    rows = [sync_error(1, salesforce_id=salesforce_id(1, "801"))]
    with ScriptedServer(Org({"/Order/describe": ORDER})) as server:
        org = client(server)
        assert await parents_in_org(org, rows, failing=failing, record_key="s_c__sC_Id__c") == {}
        assert len(server.asked) == 1
        await org.close()


async def test_what_the_org_does_not_show_is_left_out() -> None:
    rows = [sync_error(1, salesforce_id=salesforce_id(1, "801"))]
    for answers in ({}, {"/Order/describe": ORDER, "Order": refusal(400, "INVALID_FIELD")}):
        with ScriptedServer(Org(dict(answers))) as server:
            org = client(server)
            assert await parents_in_org(org, rows, failing=["Account"], record_key="s_c__sC_Id__c") == {}
            await org.close()
