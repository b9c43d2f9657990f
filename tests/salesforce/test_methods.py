"""The five methods of re-sync: what they check, would send, do send, and make of the answer."""

from __future__ import annotations

from typing import Any, cast

import pytest

from syncerr_tui.errors import NotSentError, OutcomeUnknownError, RefusedError
from syncerr_tui.model import Environment, OrgIdentity, SyncError
from syncerr_tui.resync.org import Receipt
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.connect import method_for
from syncerr_tui.salesforce.methods import CheckState, ResyncMethod, likely_entry_points
from syncerr_tui.salesforce.methods.published import VENDOR_WARNING, GuidedResync
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    FieldMapping,
    FieldMethod,
    FlowMethod,
    GuidedMethod,
    Method,
    OrgProfile,
)
from tests.factories import salesforce_id, sync_error
from tests.salesforce.scripted import Asked, Reply, ScriptedServer, client, refusal

IDENTITY = OrgIdentity(
    "acme", salesforce_id(1, "00D"), Environment.PRODUCTION, "ana@acme.example", "https://acme"
)
MAPPING = FieldMapping(
    object_name="s_c__Change_Event__c",
    object="s_c__Object__c",
    event_type="s_c__Event_Type__c",
    processed_at="s_c__Processed_At__c",
    storeconnect_id="s_c__StoreConnect_Id__c",
    message="s_c__Message__c",
    status="s_c__Status__c",
    failed=("FAILED",),
    pending=("PENDING",),
    done=("PROCESSED",),
    salesforce_id="s_c__Salesforce_Id__c",
    code="s_c__Code__c",
)
ROWS = [sync_error(number) for number in (1, 2, 3)]
IDS = [row.id for row in ROWS]
APEX = ApexMethod("s_c__Resync", "eventId")
FIELD = FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True)
STATUS = {
    "name": "s_c__Status__c",
    "updateable": True,
    "picklistValues": [{"value": "NEW", "active": True}, {"value": "OLD", "active": False}],
}


def bind(org: ApiClient, method: Method, **settings: Any) -> ResyncMethod:
    return method_for(OrgProfile("acme", method=method, **settings), org, MAPPING)


def guided(org: ApiClient) -> GuidedResync:
    method = bind(org, GuidedMethod())
    assert isinstance(method, GuidedResync)
    return method


def describe_action(*inputs: dict[str, Any]) -> Reply:
    return Reply({"name": "s_c__Resync", "inputs": list(inputs), "outputs": []})


def an_input(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, "type": "STRING", "required": True, "maxOccurs": 1, **more}


def success(**outputs: Any) -> dict[str, Any]:
    return {"actionName": "x", "isSuccess": True, "errors": None, "outputValues": outputs or None}


def failure(code: str = "UNABLE_TO_LOCK_ROW", message: str = "locked") -> dict[str, Any]:
    return {
        "actionName": "x",
        "isSuccess": False,
        "errors": [{"statusCode": code, "message": message, "fields": []}],
        "outputValues": None,
    }


class AnOrg:
    """Describes one action and one object; answers writes as told."""

    def __init__(
        self, answer: Reply, *inputs: dict[str, Any], fields: list[dict[str, Any]] | None = None
    ) -> None:
        self.answer = answer
        self.inputs = inputs or (an_input("eventId"),)
        self.fields = [STATUS] if fields is None else fields

    def __call__(self, asked: Asked) -> Reply:
        if asked.method == "GET" and "/actions/" in asked.path:
            return describe_action(*self.inputs)
        if asked.path.endswith("/describe"):
            return Reply({"name": MAPPING.object_name, "fields": self.fields})
        return self.answer


async def ask(
    script: AnOrg, method: Method, rows: list[SyncError] = ROWS
) -> tuple[list[Receipt], list[Asked]]:
    with ScriptedServer(script) as server:
        org = client(server)
        try:
            receipts = await bind(org, method).request(rows)
        finally:
            await org.close()
        assert [receipt.id for receipt in receipts] == [row.id for row in rows]
        return receipts, [asked for asked in server.asked if asked.method != "GET"]


# -- apex and flow -------------------------------------------------------------------------------------


async def test_an_action_gets_one_input_for_each_row_in_order_and_one_request() -> None:
    receipts, sent = await ask(AnOrg(Reply([success(), success(), success()])), APEX)
    assert [receipt.accepted for receipt in receipts] == [True, True, True]
    assert len(sent) == 1
    assert sent[0].path == "/services/data/v66.0/actions/custom/apex/s_c__Resync"
    assert sent[0].body == {"inputs": [{"eventId": key} for key in IDS]}


async def test_a_flow_with_a_list_variable_gets_lists() -> None:
    script = AnOrg(Reply([success()] * 3), an_input("ids", maxOccurs=2000))
    _, sent = await ask(script, FlowMethod("Resync_Events", "ids"))
    assert sent[0].path.endswith("/actions/custom/flow/Resync_Events")
    assert sent[0].body == {"inputs": [{"ids": [key]} for key in IDS]}


async def test_a_partial_answer_is_read_row_by_row() -> None:
    receipts, _ = await ask(AnOrg(Reply([success(), failure(), success()], 400)), APEX)
    assert [receipt.accepted for receipt in receipts] == [True, False, True]
    assert receipts[1].code == "UNABLE_TO_LOCK_ROW"
    assert receipts[1].reason == "locked"


async def test_results_that_name_their_rows_are_matched_by_name_not_by_position() -> None:
    results = [
        success(changeEventId=IDS[2]),
        {**failure(), "outputValues": {"changeEventId": IDS[0]}},
        success(changeEventId=IDS[1]),
    ]
    receipts, _ = await ask(AnOrg(Reply(results, 400)), APEX)
    assert [receipt.accepted for receipt in receipts] == [False, True, True]


@pytest.mark.parametrize(
    "results",
    [
        [success()],
        [success()] * 4,
        [success(changeEventId=IDS[0]), success(changeEventId=IDS[0]), success()],
        [success(a=IDS[0], b=IDS[1]), success(), success()],
    ],
    ids=["too few", "too many", "one row twice", "two rows in one"],
)
async def test_results_that_fit_no_row_leave_the_outcome_unknown(results: list[Any]) -> None:
    with pytest.raises(OutcomeUnknownError):
        await ask(AnOrg(Reply(results)), APEX)


async def test_an_action_that_ran_and_said_no_is_no_acceptance() -> None:
    said_no = success(success=False, errorMessage="not your\x1b[2J turn")
    receipts, _ = await ask(AnOrg(Reply([said_no, success(success=True), success()])), APEX)
    assert [receipt.accepted for receipt in receipts] == [False, True, True]
    assert receipts[0].reason == "not your␛[2J turn"


@pytest.mark.parametrize(
    ("method", "script", "words"),
    [
        (ApexMethod("s_c__Resync", "id"), AnOrg(Reply([])), "has no input id; it has: eventId"),
        (APEX, AnOrg(Reply([]), an_input("eventId"), an_input("mode")), "also requires mode"),
        (
            ApexMethod("s_c__SyncRecordChangesInvocable", "eventId"),
            AnOrg(Reply([])),
            "the other direction",
        ),
    ],
)
async def test_an_action_that_cannot_work_is_never_called(method: Method, script: AnOrg, words: str) -> None:
    with ScriptedServer(script) as server:
        org = client(server)
        bound = bind(org, method)
        checks = await bound.check()
        assert any(check.state is CheckState.FAILED for check in checks)
        assert any(words in check.reason and check.advice for check in checks)
        with pytest.raises(RefusedError, match="Re-sync is not possible"):
            await bound.request(ROWS)
        assert all(asked.method == "GET" for asked in server.asked)
        await org.close()


async def test_an_action_that_does_not_exist_is_said_to_be_missing() -> None:
    with ScriptedServer(lambda _: refusal(404, "NOT_FOUND", "no")) as server:
        org = client(server)
        for method in (APEX, FlowMethod("Nope", "x")):
            checks = await bind(org, method).check()
            assert checks[0].state is CheckState.FAILED
            assert "does not exist" in checks[0].reason
        await org.close()


@pytest.mark.parametrize("method", [APEX, FIELD, ApexRestMethod("acme/resync", "ids")], ids=repr)
async def test_nothing_leaves_before_it_may_and_nothing_that_takes_time_comes_between(
    method: Method,
) -> None:
    with ScriptedServer(AnOrg(Reply([success()] * 3))) as server:
        org = client(server)

        def too_late() -> None:
            asked.append(len(server.asked))
            raise NotSentError("Too late")

        asked: list[int] = []
        bound = bind(org, method)
        with pytest.raises(NotSentError, match="Too late"):
            await bound.request(ROWS, too_late)
        assert asked == [len(server.asked)]
        assert all(one.method == "GET" for one in server.asked)
        asked.clear()
        await bound.request(ROWS, lambda: asked.append(len(server.asked)))
        assert set(asked) == {len(server.asked) - 1}
        await org.close()


async def test_a_good_check_is_made_once() -> None:
    with ScriptedServer(AnOrg(Reply([success()] * 3))) as server:
        org = client(server)
        bound = bind(org, APEX)
        assert all(check.state is not CheckState.FAILED for check in await bound.check())
        for _ in range(3):
            await bound.request(ROWS)
        assert [asked.method for asked in server.asked] == ["GET", "GET", "POST", "POST", "POST"]
        await org.close()


# -- field ------------------------------------------------------------------------------------------------


def saved(*ids: str | None) -> Reply:
    return Reply([{**({"id": key} if key else {}), "success": True, "errors": []} for key in ids])


async def test_a_field_is_written_for_all_rows_in_one_request_each_on_its_own() -> None:
    receipts, sent = await ask(AnOrg(saved(*IDS)), FIELD)
    assert all(receipt.accepted for receipt in receipts)
    assert [asked.method for asked in sent] == ["PATCH"]
    assert sent[0].path == "/services/data/v66.0/composite/sobjects"
    assert sent[0].body["allOrNone"] is False
    assert sent[0].body["records"][0] == {
        "attributes": {"type": "s_c__Change_Event__c"},
        "id": IDS[0],
        "s_c__Status__c": "NEW",
    }


async def test_failed_rows_without_an_id_are_matched_by_position() -> None:
    locked = {
        "success": False,
        "errors": [{"statusCode": "ENTITY_IS_LOCKED", "message": "locked", "fields": []}],
    }
    good = [{"id": key, "success": True, "errors": []} for key in (IDS[0], IDS[2])]
    receipts, _ = await ask(AnOrg(Reply([good[0], locked, good[1]])), FIELD)
    assert [receipt.accepted for receipt in receipts] == [True, False, True]
    assert receipts[1].code == "ENTITY_IS_LOCKED"


async def test_a_result_for_a_row_that_was_not_sent_leaves_the_outcome_unknown() -> None:
    with pytest.raises(OutcomeUnknownError):
        await ask(AnOrg(saved(IDS[0], salesforce_id(99), IDS[2])), FIELD)


@pytest.mark.parametrize(
    ("method", "fields", "words"),
    [
        (FieldMethod("s_c__Status__c", "NEW"), [STATUS], "must never be written"),
        (FIELD, [], "has no field"),
        (FIELD, [{**STATUS, "updateable": False}], "may not be written"),
        (FieldMethod("s_c__Status__c", "OLD", accept_vendor_warning=True), [STATUS], "has no value OLD"),
    ],
    ids=["not accepted", "no field", "not updateable", "not a value"],
)
async def test_a_field_is_not_written_without_leave(
    method: FieldMethod, fields: list[Any], words: str
) -> None:
    with ScriptedServer(AnOrg(saved(*IDS), fields=fields)) as server:
        org = client(server)
        bound = bind(org, method)
        assert any(words in check.reason for check in await bound.check() if check.state is CheckState.FAILED)
        with pytest.raises(RefusedError):
            await bound.request(ROWS)
        assert all(asked.method == "GET" for asked in server.asked)
        await org.close()


async def test_the_vendors_warning_is_shown_every_time() -> None:
    with ScriptedServer(AnOrg(saved(*IDS))) as server:
        org = client(server)
        bound = bind(org, FIELD)
        warned = [check for check in await bound.check() if check.reason == VENDOR_WARNING]
        assert [check.state for check in warned] == [CheckState.WARNING]
        assert VENDOR_WARNING in bound.info.label
        await org.close()


# -- apexrest ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ({"ok": True}, [True, True, True]),
        (None, [True, True, True]),
        ([{"id": IDS[1], "success": False}, {"id": IDS[0]}, {"id": IDS[2]}], [True, False, True]),
        (
            {"results": [{"id": IDS[0]}, {"id": IDS[1]}, {"id": IDS[2], "success": False}]},
            [True, True, False],
        ),
    ],
)
async def test_an_apex_rest_answer_is_read_where_it_names_rows(answer: Any, accepted: list[bool]) -> None:
    receipts, sent = await ask(AnOrg(Reply(answer)), ApexRestMethod("acme/resync", "eventIds"))
    assert [receipt.accepted for receipt in receipts] == accepted
    assert sent[0].path == "/services/apexrest/acme/resync"
    assert sent[0].body == {"eventIds": IDS}


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "message": "queue is full"},
        [{"success": True}, {"success": False}, {"success": True}],
        {"results": [{"isSuccess": False}]},
        {"errors": ["no"]},
        [{"errorCode": "X", "message": "no"}],
    ],
)
async def test_a_refusal_that_names_no_row_is_no_acceptance(answer: Any) -> None:
    with pytest.raises(OutcomeUnknownError):
        await ask(AnOrg(Reply(answer)), ApexRestMethod("acme/resync", "eventIds"))


async def test_an_apex_exception_leaves_the_outcome_unknown() -> None:
    with pytest.raises(OutcomeUnknownError):
        await ask(AnOrg(refusal(500, "APEX_ERROR", "System.X: y")), ApexRestMethod("acme/resync"))


# -- guided -----------------------------------------------------------------------------------------------


async def test_guided_sends_nothing() -> None:
    with ScriptedServer(lambda _: Reply([])) as server:
        org = client(server)
        bound = guided(org)
        assert bound.info.guided
        assert all(check.state is not CheckState.FAILED for check in await bound.check())
        assert [receipt.accepted for receipt in await bound.request(ROWS)] == [True, True, True]
        assert server.asked == []
        await org.close()


def test_guided_knows_the_address_that_the_profile_names() -> None:
    org = client("http://127.0.0.1:1")
    named = bind(org, GuidedMethod("https://acme.lightning.force.com/lightning/n/Sync_Errors"))
    assert named.info.address == "https://acme.lightning.force.com/lightning/n/Sync_Errors"


# -- all --------------------------------------------------------------------------------------------------


def test_a_field_batch_never_exceeds_what_a_request_holds() -> None:
    assert bind(client("http://127.0.0.1:1"), FIELD, batch_size=1000).info.batch_size == 200


async def test_an_entry_point_of_the_org_is_found_and_the_other_direction_never() -> None:
    class Offers:
        async def actions(self, kind: str) -> list[dict[str, str]]:
            if kind == "flow":
                raise RefusedError("no", "no")
            names = [
                "s_c__SyncRecordChangesInvocable",
                "Acme_Resync_Orders",
                "SendMail",
                "s_c__RetryEvents",
            ]
            return [{"name": name} for name in names]

    found = await likely_entry_points(cast("ApiClient", Offers()))
    assert found == [("apex", "Acme_Resync_Orders"), ("apex", "s_c__RetryEvents")]
