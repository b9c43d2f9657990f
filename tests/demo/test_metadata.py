"""Metadata written by the Tooling and the Metadata API: whole components, and what the next save meets."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer, ManualClock
from syncerr_tui.demo.store import DEMO_USER_ID, stamp
from tests.demo.tiny import Answer, Client
from tests.demo.worlds import causes, resync

M = "http://soap.sforce.com/2006/04/metadata"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TAX = "Account.Tax_Number_Has_Eleven_Digits"
DUPLICATE = "Account.Accounts_by_Name_and_Postcode"
OPTIONS = DemoOptions(errors=140, manual_clock=True)
LARGE = replace(OPTIONS, errors=900)
"""Several errors of each cause."""


@contextmanager
def serving(*faults: str, options: DemoOptions = OPTIONS) -> Iterator[Client]:
    with DemoServer(replace(options, faults=faults)) as server:
        yield Client(server)
        assert server.crashes == []


def root_of(org: Client, cause: str) -> str:
    return causes(org.org)[cause][0]


def is_done(org: Client, event_id: str) -> bool:
    """Try an event again; whether it succeeded."""
    assert resync(org.org, [event_id]) == [None]
    names = org.org.naming
    record = org.store.get(names.event[0], event_id)
    assert record is not None
    return record[names.status[0]] == names.done[0]


# -- the Tooling API


def component(org: Client, kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """Id and Metadata of a component."""
    page = org.query(f"SELECT Id, FullName, Metadata FROM {kind} WHERE FullName = '{name}'", "tooling/query")
    (row,) = page["records"]
    return row["Id"], row["Metadata"]


def patch(org: Client, kind: str, record_id: str, metadata: object, **more: object) -> Answer:
    return org.ask(f"tooling/sobjects/{kind}/{record_id}", "PATCH", {"Metadata": metadata, **more})


def test_a_validation_rule_off_and_on_again() -> None:
    with serving(options=LARGE) as org:
        event, other = causes(org.org)["ValidationRule:Tax_Number_Has_Eleven_Digits"][:2]
        assert is_done(org, event) is False
        record_id, before = component(org, "ValidationRule", TAX)
        assert before["active"] is True
        assert patch(org, "ValidationRule", record_id, {**before, "active": False}).status == 204
        row = org.ask(f"tooling/sobjects/ValidationRule/{record_id}?fields=Active,Metadata").json
        assert (row["Active"], row["Metadata"]) == (False, {**before, "active": False})
        assert is_done(org, event) is True
        assert patch(org, "ValidationRule", record_id, before).status == 204
        assert component(org, "ValidationRule", TAX)[1] == before
        assert is_done(org, other) is False


def test_what_a_write_leaves_out_is_lost_and_what_it_must_have_is_asked_for() -> None:
    with serving() as org:
        record_id, before = component(org, "ValidationRule", TAX)
        short = {key: before[key] for key in ("active", "errorConditionFormula", "errorMessage")}
        assert patch(org, "ValidationRule", record_id, short).status == 204
        after = component(org, "ValidationRule", TAX)[1]
        assert (before["errorDisplayField"], after["errorDisplayField"]) == ("Tax_Number__c", None)
        assert (bool(before["description"]), after["description"]) == (True, None)
        for wrong in ({}, {"active": True}, {**before, "nope": 1}, {**before, "errorMessage": "x" * 256}):
            assert patch(org, "ValidationRule", record_id, wrong).status == 400
        assert patch(org, "ValidationRule", record_id, "active").code == "JSON_PARSER_ERROR"
        assert patch(org, "ValidationRule", record_id, before, Active=False).status == 400
        assert patch(org, "ValidationRule", record_id, before, FullName="Account.Other").status == 400
        assert patch(org, "ValidationRule", record_id, before, FullName=TAX).status == 204


def test_metadata_is_given_for_one_row_only() -> None:
    with serving() as org:
        refused = org.ask("tooling/query?q=SELECT+Metadata+FROM+ValidationRule")
        assert (refused.status, refused.code) == (400, "MALFORMED_QUERY")
        assert "no more than one row" in refused.json[0]["message"]


@pytest.mark.parametrize("off", [0, None])
def test_a_flow_off_and_back_to_the_version_that_was_active(off: int | None) -> None:
    with serving() as org:
        event = root_of(org, "FlowDefinitionView:Cart_Reminder")
        record_id, before = component(org, "FlowDefinition", "Cart_Reminder")
        row = org.query(
            "SELECT ActiveVersionId, ActiveVersion.VersionNumber, LatestVersion.VersionNumber "
            "FROM FlowDefinition WHERE DeveloperName = 'Cart_Reminder'",
            "tooling/query",
        )["records"][0]
        versions = [row[name]["VersionNumber"] for name in ("ActiveVersion", "LatestVersion")]
        assert versions == [3, 4], "the latest version is a draft"
        assert patch(org, "FlowDefinition", record_id, {"activeVersionNumber": off}).status == 204
        view = "SELECT ActiveVersionId, IsActive FROM FlowDefinitionView WHERE ApiName = 'Cart_Reminder'"
        assert org.query(view)["records"][0]["ActiveVersionId"] is None
        assert is_done(org, event) is True
        assert patch(org, "FlowDefinition", record_id, {"activeVersionNumber": 9}).status == 400
        assert patch(org, "FlowDefinition", record_id, before).status == 204
        shown = org.query(view)["records"][0]
        assert (shown["ActiveVersionId"], shown["IsActive"]) == (row["ActiveVersionId"], False)
        after = component(org, "FlowDefinition", "Cart_Reminder")[1]
        assert after == before


def test_a_workflow_rule_off() -> None:
    with serving() as org:
        event = root_of(org, "EmailTemplate:Dispatch_Notice")
        record_id, before = component(org, "WorkflowRule", "s_c__Shipment__c.Shipment_Dispatch_Notice")
        assert patch(org, "WorkflowRule", record_id, {**before, "active": False}).status == 204
        assert is_done(org, event) is True


def test_a_flow_runs_through_once_the_validation_that_it_met_is_off() -> None:
    with serving() as org:
        event = root_of(org, "FlowDefinitionView:Order_Route_to_Warehouse")
        record_id, before = component(org, "ValidationRule", "s_c__Stock_Location__c.Weekend_Warehouse")
        assert patch(org, "ValidationRule", record_id, {**before, "active": False}).status == 204
        assert is_done(org, event) is True


def test_a_global_set_by_the_tooling_api() -> None:
    with serving() as org:
        event = root_of(org, "value:Order.Delivery_Method__c=Click & Collect")
        record_id, before = component(org, "GlobalValueSet", "Delivery_Methods__gvs")
        values = [*before["customValue"], {"fullName": "Click & Collect", "label": "Click & Collect"}]
        assert patch(org, "GlobalValueSet", record_id, {**before, "customValue": values}).status == 204
        field = next(
            f for f in org.ask("sobjects/Order/describe").json["fields"] if f["name"] == "Delivery_Method__c"
        )
        assert [v["value"] for v in field["picklistValues"]][-1] == "Click & Collect"
        assert is_done(org, event) is True


def test_what_the_tooling_api_does_not_write() -> None:
    with serving() as org:
        record_id, before = component(org, "CustomField", "OrderItem.Cost_Centre__c")
        banned = patch(org, "CustomField", record_id, {**before, "required": False})
        assert "active organizations" in banned.json[0]["message"]
        trigger = org.query("SELECT Id FROM ApexTrigger LIMIT 1", "tooling/query")["records"][0]["Id"]
        assert patch(org, "ApexTrigger", trigger, {"status": "Inactive"}).status == 400
        assert component(org, "CustomField", "Account.s_c__sC_Id__c")[1] is None, "a package's"
        assert org.ask("tooling/sobjects/ValidationRule/03dDe0000009999AAA").status == 404
        assert org.ask(f"tooling/sobjects/ValidationRule/{record_id}", "DELETE").status in {404, 405}


# -- the Metadata API


def envelope(body: str, token: str, header: str = "") -> bytes:
    return (
        f'<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{M}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><env:Header><m:SessionHeader><m:sessionId>'
        f"{token}</m:sessionId></m:SessionHeader>{header}</env:Header><env:Body>{body}</env:Body></env:Envelope>"
    ).encode()


def call(org: Client, body: str, *, token: str | None = None, header: str = "") -> tuple[int, ET.Element]:
    answer = org.ask(
        "/services/Soap/m/67.0",
        "POST",
        raw=envelope(body, token or org.server.access_token, header),
        Content_Type="text/xml; charset=UTF-8",
        SOAPAction='""',
        Authorization="",
    )
    return answer.status, ET.fromstring(answer.raw)


def read(org: Client, kind: str, name: str) -> ET.Element:
    names = f"<m:type>{kind}</m:type><m:fullNames>{name}</m:fullNames>"
    status, root = call(org, f"<m:readMetadata>{names}</m:readMetadata>")
    assert status == 200, ET.tostring(root)
    (record,) = root.iter(f"{{{M}}}records")
    return record


def update(org: Client, *records: ET.Element, kind: str = "", header: str = "") -> list[tuple[bool, str]]:
    """Send components back; for each whether it was saved, and the code where not."""
    body = ""
    for record in records:
        written = kind or f"m:{record.get(f'{XSI}type')}"
        inner = b"".join(ET.tostring(child) for child in record).decode()
        body += f'<m:metadata xsi:type="{written}">{inner}</m:metadata>'
    status, root = call(org, f"<m:updateMetadata>{body}</m:updateMetadata>", header=header)
    assert status == 200, ET.tostring(root)
    results = list(root.iter(f"{{{M}}}result"))
    return [
        (r.findtext(f"{{{M}}}success") == "true", r.findtext(f".//{{{M}}}statusCode") or "") for r in results
    ]


def put(record: ET.Element, path: str, text: str) -> ET.Element:
    node = record.find("/".join(f"{{{M}}}{part}" for part in path.split("/")))
    assert node is not None
    node.attrib.pop(f"{XSI}nil", None)
    node.text = text
    return record


def same(one: ET.Element, other: ET.Element) -> bool:
    return ET.canonicalize(ET.tostring(one)) == ET.canonicalize(ET.tostring(other))


def test_a_duplicate_rule_off_and_on_again() -> None:
    with serving() as org:
        event = root_of(org, "DuplicateRule:Accounts_by_Name_and_Postcode")
        before = read(org, "DuplicateRule", DUPLICATE)
        nil = before.find(f"{{{M}}}duplicateRuleFilter")
        assert nil is not None
        assert nil.get(f"{XSI}nil") == "true"
        assert update(org, put(read(org, "DuplicateRule", DUPLICATE), "isActive", "false")) == [(True, "")]
        active = "SELECT IsActive FROM DuplicateRule WHERE DeveloperName = 'Accounts_by_Name_and_Postcode'"
        assert org.query(active)["records"][0]["IsActive"] is False
        assert is_done(org, event) is True
        assert update(org, before) == [(True, "")]
        assert same(read(org, "DuplicateRule", DUPLICATE), before)
        assert org.query(active)["records"][0]["IsActive"] is True


def test_the_sync_user_is_left_out_by_a_condition_and_nobody_else() -> None:
    with serving() as org:
        event = root_of(org, "DuplicateRule:Accounts_by_Name_and_Postcode")
        record = read(org, "DuplicateRule", DUPLICATE)
        conditions = record.find(f"{{{M}}}duplicateRuleFilter")
        assert conditions is not None
        conditions.attrib.clear()
        sync = org.query("SELECT Username FROM User WHERE UserType = 'CloudIntegrationUser'")["records"][0]
        inner = (
            f'<f xmlns="{M}"><booleanFilter xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:nil="true"/><duplicateRuleFilterItems><field>Username</field><operation>notEqual</operation>'
            f"<value>{sync['Username']}</value><sortOrder>1</sortOrder><table>User</table>"
            "</duplicateRuleFilterItems></f>"
        )
        conditions.extend(list(ET.fromstring(inner)))
        assert update(org, record) == [(True, "")]
        assert is_done(org, event) is True
        names = org.org.naming
        synced = org.store.get(names.event[0], event)
        assert synced is not None
        account = org.store.find("Account", s_c__sC_Id__c=synced[names.storeconnect_id[0]])[0]
        again = {name: account[name] for name in ("Name", "BillingPostalCode")}
        assert org.ask("sobjects/Account", "POST", again).code == "DUPLICATES_DETECTED"


def test_a_field_requirement_lifted_and_put_back() -> None:
    with serving(options=LARGE) as org:
        event, other = causes(org.org)["required:OrderItem.Cost_Centre__c"][:2]
        before = read(org, "CustomField", "OrderItem.Cost_Centre__c")
        lifted = put(read(org, "CustomField", "OrderItem.Cost_Centre__c"), "required", "false")
        assert update(org, lifted) == [(True, "")]
        fields = org.ask("sobjects/OrderItem/describe").json["fields"]
        assert next(f["nillable"] for f in fields if f["name"] == "Cost_Centre__c") is True
        assert is_done(org, event) is True
        assert update(org, before) == [(True, "")]
        assert same(read(org, "CustomField", "OrderItem.Cost_Centre__c"), before)
        assert is_done(org, other) is False


@pytest.mark.parametrize(
    ("cause", "kind", "name", "values", "value"),
    [
        (
            "value:Account.Customer_Tier__c=Staff",
            "CustomField",
            "Account.Customer_Tier__c",
            "valueSet/valueSetDefinition",
            "value",
        ),
        ("value:Lead.LeadSource=Marketplace", "StandardValueSet", "LeadSource", "", "standardValue"),
        (
            "value:Order.Delivery_Method__c=Click & Collect",
            "GlobalValueSet",
            "Delivery_Methods__gvs",
            "",
            "customValue",
        ),
    ],
)
def test_a_value_added_to_each_kind_of_list(
    cause: str, kind: str, name: str, values: str, value: str
) -> None:
    with serving() as org:
        event = root_of(org, cause)
        record = read(org, kind, name)
        place = record.find("/".join(f"{{{M}}}{part}" for part in values.split("/"))) if values else record
        assert place is not None
        new_value = cause.partition("=")[2]
        added = ET.SubElement(place, f"{{{M}}}{value}")
        for key, text in (
            ("fullName", new_value),
            ("default", "false"),
            ("isActive", "true"),
            ("label", new_value),
        ):
            ET.SubElement(added, f"{{{M}}}{key}").text = text
        assert update(org, record) == [(True, "")]
        assert is_done(org, event) is True
        short = read(org, kind, name)
        place = short.find("/".join(f"{{{M}}}{part}" for part in values.split("/"))) if values else short
        assert place is not None
        place.remove(place.findall(f"{{{M}}}{value}")[0])
        assert update(org, short) == [(True, "")]
        after = read(org, kind, name).findall(f".//{{{M}}}{value}")
        states = {each.findtext(f"{{{M}}}fullName"): each.findtext(f"{{{M}}}isActive") for each in after}
        assert "false" in states.values(), "a value that is left out is deactivated"
        assert states[new_value] == "true"


def test_refusals_of_the_metadata_api() -> None:
    with serving() as org:
        rule = read(org, "DuplicateRule", DUPLICATE)
        assert update(org, put(rule, "sortOrder", "7")) == [(False, "FIELD_INTEGRITY_EXCEPTION")]
        managed = read(org, "CustomField", "s_c__Payment__c.s_c__Method__c")
        assert update(org, managed) == [(False, "CANNOT_MODIFY_MANAGED_OBJECT")]
        gone = put(read(org, "DuplicateRule", DUPLICATE), "fullName", "Account.Nope")
        assert update(org, gone) == [(False, "INVALID_CROSS_REFERENCE_KEY")]
        assert read(org, "DuplicateRule", "Account.Nope").get(f"{XSI}nil") == "true"
        rule = read(org, "DuplicateRule", DUPLICATE)
        for type_name, code in (("DuplicateRule", "INVALID_TYPE"), ("x:DuplicateRule", "UNKNOWN_EXCEPTION")):
            body = f'<m:updateMetadata><m:metadata xsi:type="{type_name}"/></m:updateMetadata>'
            status, root = call(org, body)
            assert status == 500
            assert code in (root.findtext(".//faultcode") or "")
        for body in (
            "<m:deleteMetadata/>",
            "",
            "<m:readMetadata><m:type>ApexClass</m:type></m:readMetadata>",
        ):
            assert call(org, body)[0] == 500
        for token in ("wrong", "eyJhbGciOiJSUzI1NiJ9.x.y"):
            status, root = call(org, "<m:readMetadata/>", token=token)
            assert (status, "INVALID_SESSION_ID" in (root.findtext(".//faultcode") or "")) == (500, True)


def test_a_rule_is_not_switched_on_while_its_matching_rule_is_off() -> None:
    with serving() as org:
        assert update(org, put(read(org, "DuplicateRule", DUPLICATE), "isActive", "false")) == [(True, "")]
        match = org.query("SELECT Id, RuleStatus FROM MatchingRule WHERE SobjectType = 'Account'")["records"][
            0
        ]
        org.store.update("MatchingRule", match["Id"], {"RuleStatus": "Inactive"})
        on = put(read(org, "DuplicateRule", DUPLICATE), "isActive", "true")
        assert update(org, on) == [(False, "FIELD_INTEGRITY_EXCEPTION")]


def test_some_are_saved_and_some_are_not_unless_all_or_none_is_asked_for() -> None:
    with serving("setup-half-done") as org:
        names = (DUPLICATE, "Contact.Contacts_by_Email")

        def switched(state: str) -> list[ET.Element]:
            return [put(read(org, "DuplicateRule", name), "isActive", state) for name in names]

        def active() -> list[str | None]:
            return [read(org, "DuplicateRule", name).findtext(f"{{{M}}}isActive") for name in names]

        assert [saved for saved, _ in update(org, *switched("false"))] == [True, False]
        assert active() == ["false", "true"]
        header = "<m:AllOrNoneHeader><m:allOrNone>true</m:allOrNone></m:AllOrNoneHeader>"
        assert [saved for saved, _ in update(org, *switched("true"), header=header)] == [True, False]
        assert active() == ["false", "true"]


# -- what happens around it


@pytest.mark.parametrize("kind", ["ValidationRule", "DuplicateRule"])
@pytest.mark.parametrize(
    ("fault", "changed", "saved"),
    [
        ("setup-locked", False, False),
        ("no-setup-permission", False, False),
        ("setup-error-though-done", True, False),
        ("colleague-switches-back", False, True),
    ],
)
def test_trouble_around_a_write(kind: str, fault: str, changed: bool, saved: bool) -> None:
    with serving(fault) as org:
        if kind == "ValidationRule":
            record_id, before = component(org, kind, TAX)
            answer = patch(org, kind, record_id, {**before, "active": False})
            assert (answer.status == 204) is saved
            assert component(org, kind, TAX)[1]["active"] is not changed
        else:
            outcome = update(org, put(read(org, kind, DUPLICATE), "isActive", "false"))
            assert outcome[0][0] is saved
            assert read(org, kind, DUPLICATE).findtext(f"{{{M}}}isActive") == str(not changed).lower()


def test_a_colleague_edits_between_two_readings_and_the_rows_say_who() -> None:
    with serving("colleague-edits") as org:
        _, first = component(org, "ValidationRule", TAX)
        _, second = component(org, "ValidationRule", TAX)
        assert first["description"] != second["description"]
        assert {**first, "description": None} == {**second, "description": None}
        row = org.query(
            f"SELECT LastModifiedBy.Name FROM ValidationRule WHERE FullName = '{TAX}'", "tooling/query"
        )["records"][0]
        assert row["LastModifiedBy"]["Name"] == "Tom Okafor"


def test_a_lost_reply_has_written() -> None:
    with serving("lost-reply:PATCH:1") as org:
        record_id, before = component(org, "ValidationRule", TAX)
        org.connection.close()  # the next connection has the shorter patience
        org.connection.timeout = 0.5
        with pytest.raises((TimeoutError, http.client.RemoteDisconnected)):
            patch(org, "ValidationRule", record_id, {**before, "active": False})
        org.connection.close()
        org.connection.timeout = 20
        assert component(org, "ValidationRule", TAX)[1]["active"] is False


def test_the_audit_trail_says_who_and_what() -> None:
    with serving() as org:
        record_id, before = component(org, "ValidationRule", TAX)
        patch(org, "ValidationRule", record_id, {**before, "active": False})
        flow_id, flow = component(org, "FlowDefinition", "Cart_Reminder")
        patch(org, "FlowDefinition", flow_id, {**flow, "activeVersionNumber": 0})
        update(org, put(read(org, "DuplicateRule", DUPLICATE), "isActive", "false"))
        trail = org.query(
            "SELECT Action, Display, CreatedBy.Name FROM SetupAuditTrail WHERE CreatedDate = LAST_N_DAYS:7"
        )["records"]
        assert [row["Action"] for row in trail] == [
            "changedValidationActive",
            "deactivatedinteractiondefinition",
            "changedDuplicateRule",
        ]
        assert "from 1 to 0" in trail[0]["Display"]
        assert {row["CreatedBy"]["Name"] for row in trail} == {"Ana Kovač"}


def test_a_permission_set_with_an_end_lets_the_sync_user_pass_until_then() -> None:
    with serving(options=LARGE) as org:
        events = causes(org.org)["ValidationRule:Tax_Number_Has_Eleven_Digits"]
        sync = org.query("SELECT Id FROM User WHERE UserType = 'CloudIntegrationUser'")["records"][0]["Id"]
        bypass = org.query("SELECT Id FROM PermissionSet WHERE Name = 'Bypass_Validation'")["records"][0][
            "Id"
        ]
        clock = cast("ManualClock", org.org.clock)
        body = {
            "AssigneeId": sync,
            "PermissionSetId": bypass,
            "ExpirationDate": stamp(clock() + timedelta(seconds=60)),
        }
        made = org.ask("sobjects/PermissionSetAssignment", "POST", body)
        assert made.status == 201
        assert org.ask("sobjects/PermissionSetAssignment", "POST", body).code == "DUPLICATE_VALUE"
        assert is_done(org, events[0]) is True
        clock.advance(60)
        assert is_done(org, events[1]) is False
        forever = {"ExpirationDate": None}
        assert org.ask(f"sobjects/PermissionSetAssignment/{made.json['id']}", "PATCH", forever).status == 204
        assert is_done(org, events[1]) is True
        assert org.ask(f"sobjects/PermissionSetAssignment/{made.json['id']}", "DELETE").status == 204
        tax = {"Name": "x", "Tax_Number__c": "1"}
        assert org.ask("sobjects/Account", "POST", tax).code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_a_bounce_is_cleared_and_an_owner_changed_by_plain_record_updates() -> None:
    with serving() as org:
        event = root_of(org, "FlowDefinitionView:Order_Confirmation_Mail")
        entry = org.org.engine.queue.get(event)
        assert entry is not None
        bounced = f"SELECT Id, IsEmailBounced FROM Contact WHERE Id = '{entry.record_id}'"
        assert org.query(bounced)["records"][0]["IsEmailBounced"] is True
        cleared = {"EmailBouncedReason": None, "EmailBouncedDate": None}
        assert org.ask(f"sobjects/Contact/{entry.record_id}", "PATCH", cleared).status == 204
        assert org.query(bounced)["records"][0]["IsEmailBounced"] is False
        assert is_done(org, event) is True
        moved = root_of(org, "inactive owner")
        account = org.query("SELECT Id FROM Account WHERE Owner.IsActive = false")["records"][0]["Id"]
        assert org.ask(f"sobjects/Account/{account}", "PATCH", {"OwnerId": DEMO_USER_ID}).status == 204
        assert is_done(org, moved) is True


def test_what_the_user_may_do_can_be_asked() -> None:
    with serving() as org:
        asked = "SELECT PermissionsModifyMetadata, PermissionsViewSetup FROM UserPermissionAccess"
        (row,) = org.query(asked)["records"]
        assert (row["PermissionsModifyMetadata"], row["PermissionsViewSetup"]) == (True, True)
        access = (
            "SELECT IsUpdatable FROM UserEntityAccess "
            f"WHERE UserId = '{DEMO_USER_ID}' AND EntityDefinition.QualifiedApiName = 'Order'"
        )
        assert org.query(access)["records"][0]["IsUpdatable"] is True
    with serving("no-setup-permission") as org:
        (row,) = org.query(asked)["records"]
        assert (row["PermissionsModifyMetadata"], row["PermissionsViewSetup"]) == (False, True)


def test_changes_outlive_a_restart(tmp_path: Any) -> None:
    options = replace(OPTIONS, db=tmp_path / "demo.db")
    with serving(options=options) as org:
        event = root_of(org, "ValidationRule:Tax_Number_Has_Eleven_Digits")
        record_id, before = component(org, "ValidationRule", TAX)
        patch(org, "ValidationRule", record_id, {**before, "active": False})
        update(org, put(read(org, "CustomField", "OrderItem.Cost_Centre__c"), "required", "false"))
    with serving(options=options) as org:
        assert component(org, "ValidationRule", TAX)[1]["active"] is False
        assert read(org, "CustomField", "OrderItem.Cost_Centre__c").findtext(f"{{{M}}}required") == "false"
        assert is_done(org, event) is True
        assert is_done(org, root_of(org, "required:OrderItem.Cost_Centre__c")) is True


def test_what_a_person_does_in_setup_is_a_change_of_metadata_too() -> None:
    with serving() as org:
        event = root_of(org, "ValidationRule:Tax_Number_Has_Eleven_Digits")
        assert org.org.colleague.repair(event) is True
        assert component(org, "ValidationRule", TAX)[1]["active"] is False
        assert is_done(org, event) is True


def test_what_a_record_type_offers_and_who_waits_for_an_approval() -> None:
    with serving() as org:
        path = "ui-api/object-info/Account/picklist-values/012000000000000AAA/Customer_Tier__c"
        assert [each["value"] for each in org.ask(path).json["values"]] == ["Retail", "Trade", "Wholesale"]
        assert org.ask(path.replace("Customer_Tier__c", "Name")).status == 404
        event = root_of(org, "approval lock")
        entry = org.org.engine.queue.get(event)
        assert entry is not None
        waiting = (
            "SELECT Status, ProcessDefinition.Name, SubmittedBy.Name FROM ProcessInstance "
            f"WHERE TargetObjectId = '{entry.record_id}' AND Status = 'Pending'"
        )
        (row,) = org.query(waiting)["records"]
        assert row["ProcessDefinition"]["Name"] == "Account changes"


def test_the_queries_that_look_a_safeguard_up() -> None:
    """Those of the published descriptions of each object, as a client would write them."""
    with serving() as org:
        for soql, path in (
            (
                (
                    "SELECT ApiName, Label, DurableId, ActiveVersionId, LatestVersionId, IsActive, "
                    "IsOutOfDate, ProcessType, TriggerType, TriggerObjectOrEvent.QualifiedApiName, "
                    "TriggerOrder, NamespacePrefix, ManageableState, IsOverridable, LastModifiedDate, "
                    "LastModifiedBy FROM FlowDefinitionView WHERE ApiName = 'Cart_Reminder'"
                ),
                "query",
            ),
            (
                (
                    "SELECT Id, DeveloperName, MasterLabel, SobjectType, SobjectSubtype, IsActive, "
                    "NamespacePrefix, LastModifiedDate, LastModifiedBy.Name FROM DuplicateRule "
                    "WHERE SobjectType = 'Account'"
                ),
                "query",
            ),
            (
                (
                    "SELECT Id, ValidationName, Active, ErrorMessage, ErrorDisplayField, "
                    "EntityDefinition.QualifiedApiName, NamespacePrefix, ManageableState, LastModifiedDate, "
                    "LastModifiedBy.Name FROM ValidationRule "
                    "WHERE EntityDefinition.QualifiedApiName = 'Account'"
                ),
                "tooling/query",
            ),
            (
                (
                    "SELECT Id, DeveloperName, NamespacePrefix, ManageableState FROM CustomField "
                    "WHERE EntityDefinition.QualifiedApiName = 'OrderItem' AND DeveloperName = 'Cost_Centre'"
                ),
                "tooling/query",
            ),
            ("SELECT Id, OwnerId, Owner.Name, Owner.IsActive, Owner.Type FROM Account LIMIT 1", "query"),
            ("SELECT Id, Name, Email, EmailBouncedReason, EmailBouncedDate FROM Lead LIMIT 1", "query"),
        ):
            assert len(org.query(soql, path)["records"]) == 1, soql


def test_a_unique_value_is_given_free_on_the_record_that_holds_it() -> None:
    with serving() as org:
        event = root_of(org, "unique:Contact.Loyalty_Number__c")
        entry = org.org.engine.queue.get(event)
        assert entry is not None
        path = f"sobjects/Contact/{entry.record_id}"
        held = org.ask(f"{path}?fields=Id,Loyalty_Number__c").json["Loyalty_Number__c"]
        assert held.startswith("HH-")
        assert org.ask(path, "PATCH", {"Loyalty_Number__c": None}).status == 204
        assert is_done(org, event) is True
        taken = org.ask(path, "PATCH", {"Loyalty_Number__c": held})
        assert taken.code == "DUPLICATE_VALUE"


@pytest.mark.parametrize(
    ("kind", "name", "element"),
    [
        ("FlowDefinition", "lgrx__Ledger_Posting", "activeVersionNumber"),
        ("ValidationRule", "s_c__Shipment__c.lgrx__Quotation_Needs_Carrier", "active"),
    ],
)
def test_what_a_package_owns_shows_no_metadata_and_takes_no_write(kind: str, name: str, element: str) -> None:
    with serving() as org:
        record_id, metadata = component(org, kind, name)
        assert not metadata
        row = org.ask(f"tooling/sobjects/{kind}/{record_id}?fields=NamespacePrefix,ManageableState").json
        assert (row["NamespacePrefix"], row["ManageableState"]) == ("lgrx", "installed")
        whole = {element: 0} if kind == "FlowDefinition" else {**component(org, kind, TAX)[1], element: False}
        assert patch(org, kind, record_id, whole).code == "CANNOT_MODIFY_MANAGED_OBJECT"


def test_a_country_is_switched_on_and_never_off_again_and_none_is_made() -> None:
    with serving() as org:
        address = read(org, "AddressSettings", "Address")
        countries = list(address.iter(f"{{{M}}}countries"))
        (portugal,) = [one for one in countries if one.findtext(f"{{{M}}}isoCode") == "PT"]
        assert portugal.findtext(f"{{{M}}}active") == "false"
        event = root_of(org, "value:Order.ShippingCountryCode=PT")
        for element in ("active", "visible"):
            put(portugal, element, "true")
        assert update(org, address)[0][0] is True
        assert is_done(org, event) is True
        put(put(portugal, "visible", "false"), "active", "false")
        assert update(org, address) == [(False, "FIELD_INTEGRITY_EXCEPTION")]
        put(put(portugal, "active", "true"), "isoCode", "XX")
        assert update(org, address) == [(False, "FIELD_INTEGRITY_EXCEPTION")]


def test_a_record_type_keeps_its_own_choice_of_values() -> None:
    with serving() as org:
        asked = "SELECT Id, DeveloperName FROM RecordType WHERE SobjectType = 'Lead'"
        (row,) = org.query(asked)["records"]
        values = read(org, "StandardValueSet", "LeadSource")
        new = ET.SubElement(values, f"{{{M}}}standardValue")
        for name, text in (("fullName", "Marketplace"), ("default", "false"), ("label", "Marketplace")):
            ET.SubElement(new, f"{{{M}}}{name}").text = text
        assert update(org, values)[0][0] is True
        path = "ui-api/object-info/Lead/picklist-values/{}/LeadSource"
        master = [each["value"] for each in org.ask(path.format("012000000000000AAA")).json["values"]]
        assert master[-1] == "Marketplace"
        offered = [each["value"] for each in org.ask(path.format(row["Id"])).json["values"]]
        assert offered == [value for value in master[:-1] if value != "Trade Fair"]


def test_the_versions_of_a_flow_and_what_the_user_may_do_with_a_record() -> None:
    with serving("no-record-edit:PATCH:1") as org:
        flow, before = component(org, "FlowDefinition", "Cart_Reminder")
        durable = org.query("SELECT DurableId FROM FlowDefinitionView WHERE ApiName = 'Cart_Reminder'")
        view = (
            "SELECT VersionNumber, Status FROM FlowVersionView WHERE FlowDefinitionViewId = "
            f"'{durable['records'][0]['DurableId']}' ORDER BY VersionNumber"
        )
        shown = [(row["VersionNumber"], row["Status"]) for row in org.query(view)["records"]]
        assert shown == [(2, "Obsolete"), (3, "Active"), (4, "Draft")]
        patch(org, "FlowDefinition", flow, {**before, "activeVersionNumber": 0})
        assert [row["Status"] for row in org.query(view)["records"]] == ["Obsolete", "Obsolete", "Draft"]
        account = org.query("SELECT Id FROM Account LIMIT 1")["records"][0]["Id"]
        asked = (
            "SELECT HasEditAccess FROM UserRecordAccess "
            f"WHERE UserId = '{DEMO_USER_ID}' AND RecordId = '{account}'"
        )
        assert org.query(asked)["records"][0]["HasEditAccess"] is True
        refused = org.ask(f"sobjects/Account/{account}", "PATCH", {"Phone": "1"})
        assert refused.code == "INSUFFICIENT_ACCESS_OR_READONLY"
        org.server.faults.add("no-record-edit")
        assert org.query(asked)["records"][0]["HasEditAccess"] is False


def test_a_write_that_was_answered_with_an_error_is_carried_out_later() -> None:
    with serving("setup-late") as org:
        record_id, before = component(org, "ValidationRule", TAX)
        assert patch(org, "ValidationRule", record_id, {**before, "active": False}).status == 500
        assert component(org, "ValidationRule", TAX)[1]["active"] is True
        until = time.monotonic() + 20
        while component(org, "ValidationRule", TAX)[1]["active"] and time.monotonic() < until:
            time.sleep(0.05)
        assert component(org, "ValidationRule", TAX)[1]["active"] is False
