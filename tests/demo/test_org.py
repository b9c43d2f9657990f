from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import pytest

from syncerr_tui.demo.event_queue import root_entry
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.save_errors import SaveFault
from syncerr_tui.demo.schema import SC_ID
from tests.demo.worlds import causes, failed, fix, links, make_org, records, resync

EVENT = "s_c__Change_Event__c"


@pytest.fixture
def org() -> DemoOrg:
    return make_org()


def ask(org: DemoOrg, method: str, path: str, body: object = None) -> tuple[int, Mapping[str, object]]:
    status, answer = org.apexrest(method, path, {}, body)
    return status, cast("Mapping[str, object]", answer[0] if isinstance(answer, list) else answer)


@pytest.mark.parametrize(("kind", "name"), [("apex", "SyncErrResync"), ("flow", "syncerr_resync")])
def test_an_action_queues_failed_events_and_refuses_others_row_by_row(
    org: DemoOrg,
    kind: str,
    name: str,
) -> None:
    first, second = list(failed(org))[:2]
    inputs = [{"changeEventId": each} for each in (first, "nonsense", second)]
    results = org.invoke(kind, name, inputs)
    assert [not isinstance(result, SaveFault) for result in results] == [True, False, True]
    assert isinstance(results[1], SaveFault)
    assert results[1].code == "INVALID_CROSS_REFERENCE_KEY"
    assert set(org.engine.queue.counts()) == {first, second}


def test_actions_say_that_they_are_assumptions(org: DemoOrg) -> None:
    for kind in ("apex", "flow"):
        (action,) = org.actions(kind)
        assert "assumption" in action.description
        assert [each.name for each in action.inputs if each.required] == ["changeEventId"]
    assert org.describe_action("apex", "s_c__SyncRecordChangesInvocable") is None


def test_the_rest_resource_answers_row_by_row(org: DemoOrg) -> None:
    first = next(iter(failed(org)))
    status, answer = ask(org, "POST", "/syncerr/resync/", {"ids": [first, first]})
    assert status == 200
    rows = cast("list[dict[str, object]]", answer["results"])
    assert [row["accepted"] for row in rows] == [True, False]
    assert [row["id"] for row in rows] == [first, first]
    assert ask(org, "POST", "syncerr/resync", {"ids": "a"})[0] == 400


def test_the_field_method_queues_an_event_and_nothing_else_may_be_written(org: DemoOrg) -> None:
    first = next(iter(failed(org)))
    assert org.save(EVENT, "update", {"s_c__Status__c": "PROCESSED"}, first)[0].fields == ("s_c__Status__c",)
    assert org.save(EVENT, "update", {"s_c__Status__c": "NEW"}, first) == []
    assert first not in failed(org)
    assert org.save(EVENT, "update", {"s_c__Status__c": "NEW"}, first)[0].code == "INVALID_STATUS"
    assert org.save(EVENT, "create", {}, "a0XDe0000000000IAA")


def test_a_deleted_event_still_holds_its_record_up(org: DemoOrg) -> None:
    victim, root = next(
        (v, c)
        for v, c in links(org).items()
        if failed(org)[v]["storeconnect_id"] == failed(org)[c]["storeconnect_id"]
    )
    assert org.save(EVENT, "delete", {}, root) == []
    resync(org, [victim])
    assert failed(org)[victim]["code"] == "INVALID_CHANGE_EVENT"
    entry = org.engine.queue.get(victim)
    assert entry is not None
    assert root_entry(org.engine.queue, entry).cause.startswith("lost change:")


def test_a_persons_save_meets_the_same_safeguards(org: DemoOrg) -> None:
    new = org.store.new_id("Lead")
    lead: dict[str, object] = {"FirstName": "A", "LastName": "B", "Email": "a@b.example"}
    assert org.save("Lead", "create", lead, new) == []
    assert org.store.get("Lead", new)["Name"] == "A B"  # type: ignore[index]
    again = org.save("Lead", "create", lead, org.store.new_id("Lead"))
    assert again[0].code == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    missing = org.save("Lead", "create", {"FirstName": "A"}, org.store.new_id("Lead"))
    assert (missing[0].code, missing[0].fields) == ("REQUIRED_FIELD_MISSING", ("LastName",))
    assert org.save("Lead", "update", {"LastName": ""}, new)[0].code == "REQUIRED_FIELD_MISSING"
    assert org.save("Lead", "delete", {}, new) == []
    assert org.store.get("Lead", new) is None


def test_an_alert_passes_when_it_is_confirmed_a_block_does_not(org: DemoOrg) -> None:
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    contact: dict[str, object] = {"LastName": "B", "Email": "twice@b.example"}
    assert org.save("Contact", "create", contact, org.store.new_id("Contact")) == []
    assert org.save("Contact", "create", contact, org.store.new_id("Contact"))
    assert org.save("Contact", "create", contact, org.store.new_id("Contact"), headers=allow) == []
    account: dict[str, object] = {"Name": "B", "BillingPostalCode": "1"}
    assert org.save("Account", "create", account, org.store.new_id("Account")) == []
    assert org.save("Account", "create", account, org.store.new_id("Account"), headers=allow)


def test_clearing_a_bounce_by_hand_is_as_good_as_the_fix(org: DemoOrg) -> None:
    root = causes(org)["FlowDefinitionView:Order_Confirmation_Mail"][0]
    contact = org.engine.queue.get(root).record_id  # type: ignore[union-attr]
    cleared = {"EmailBouncedReason": None, "EmailBouncedDate": None}
    assert org.save("Contact", "update", cleared, contact) == []
    resync(org, [root])
    assert root not in failed(org)


def test_a_victims_fix_is_its_root_causes(org: DemoOrg) -> None:
    root = causes(org)["DuplicateRule:Accounts_by_Name_and_Postcode"][0]
    deep = next(v for v, cause in links(org).items() if links(org).get(cause) == root)
    assert fix(org, deep) is True
    assert (
        org.store.find("DuplicateRule", DeveloperName="Accounts_by_Name_and_Postcode")[0]["IsActive"] is False
    )
    resync(org, [root])
    assert root not in failed(org)


def test_a_fix_shows_in_describe_and_in_the_set_up_with_its_time(org: DemoOrg) -> None:
    before = org.store.find("FieldDefinition", QualifiedApiName="Cost_Centre__c")[0]["LastModifiedDate"]
    fix(org, causes(org)["required:OrderItem.Cost_Centre__c"][0])
    fix(org, causes(org)["value:Order.Delivery_Method__c=Click & Collect"][0])
    field = org.schema["OrderItem"].field("Cost_Centre__c")
    assert field is not None
    assert field.nillable is True
    method = org.schema["Order"].field("Delivery_Method__c")
    assert method is not None
    assert ("Click & Collect", "Click & Collect", True) in method.picklist
    after = org.store.find("FieldDefinition", QualifiedApiName="Cost_Centre__c")[0]["LastModifiedDate"]
    assert str(after) > str(before)


def test_a_missing_parent_can_be_sent_again(org: DemoOrg) -> None:
    key = next(key for key in causes(org) if key.startswith("missing:Account:"))
    root = causes(org)[key][0]
    event = failed(org)[root]
    assert not links(org).get(root)
    fix(org, root)
    resync(org, [root])
    order = records(org, event)[0]
    assert org.store.get("Account", str(order["AccountId"]))[SC_ID] == key.split(":")[2]  # type: ignore[index]


def test_a_deleted_parent_holds_its_children_up_until_it_is_restored(org: DemoOrg) -> None:
    root = causes(org)["required:OrderItem.Cost_Centre__c"][0]
    item = failed(org)[root]
    order_sc_id = json.loads(str(item["payload"]))["Order"][SC_ID]
    order = org.store.find("Order", **{SC_ID: order_sc_id})[0]["Id"]
    fix(org, root)
    assert org.save("Order", "delete", {}, str(order)) == []
    resync(org, [root])
    assert failed(org)[root]["code"] == "INVALID_FIELD"
    assert order_sc_id in str(failed(org)[root]["message"])
    fix(org, root)
    resync(org, [root])
    assert records(org, item)[0]["OrderId"] == order


def test_fixing_what_is_not_there(org: DemoOrg) -> None:
    assert fix(org, "a0XDe0000zzzzzzIAA") is False


def test_nothing_but_the_apis_of_salesforce_fixes_anything(org: DemoOrg) -> None:
    root = next(iter(failed(org)))
    for method in ("GET", "POST"):
        assert ask(org, method, f"demo/fix/{root}")[0] == 404


def test_about_says_that_names_are_assumptions(org: DemoOrg) -> None:
    answer = ask(org, "GET", "demo/about")[1]
    assert "assumptions" in str(answer["says"])
    assert (answer["seed"], answer["naming"]) == (1, "assumed")


def test_time_moves_only_by_hand_and_only_by_a_number(org: DemoOrg) -> None:
    first = next(iter(failed(org)))
    org.engine.request([first])
    assert ask(org, "POST", "demo/advance", {"seconds": 2})[1]["processed"] == 1
    assert ask(org, "POST", "demo/advance", {"seconds": "2"})[0] == 400
    assert ask(org, "GET", "demo/nothing")[0] == 404
