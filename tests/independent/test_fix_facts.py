"""What the references say of targets that look like others: nothing else is changed, nothing else is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.independent.guarded_org import GuardedOrg, KnownField
from tests.independent.test_fix_kinds import account, contact, duplicate_event, flow_off
from tests.independent.test_fixes import MESSAGE, Desk, desk, rule_event

__all__ = ["desk"]

Makes = Callable[..., Desk]
VALUES = ("CustomField", "Order.Versandart__c")


def refused_value(org: GuardedOrg, value: str, label: str = "Versandart", object_name: str = "Order") -> str:
    return org.blocked_event(
        object_name, lambda: True, code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        message=f"{label}: bad value for restricted picklist field: {value}",
    ).id  # fmt: skip


def missing(org: GuardedOrg, object_name: str, field: str, kind: str = "create") -> str:
    message = f"Required fields are missing: [{field}]"
    return org.blocked_event(
        object_name, lambda: True, kind=kind, code="REQUIRED_FIELD_MISSING", message=message
    ).id


def test_another_version_with_the_number_of_the_one_that_was_active_is_not_put_live(desk: Makes) -> None:
    it = desk()
    _, result = flow_off(it)
    rows = it.org.tables["Flow"].rows
    draft = {**rows.pop(it.org.flow_versions[7]), "Id": it.org._ids.next("301"), "Status": "Draft"}
    rows[draft["Id"]] = draft
    back = it.home.run("safeguards", "--restore", result["fix"], "--json")
    assert (back.code, back.rows[0]["state"]) == (5, "refused")
    assert it.org.json["FlowDefinition", it.org.flow]["activeVersionNumber"] is None


@pytest.mark.parametrize("own_is_active", [True, False])
def test_a_matching_rule_is_one_of_its_object(desk: Makes, own_is_active: bool) -> None:
    it = desk()
    status = {True: "Active", False: "Inactive"}
    it.org.tables["MatchingRule"].rows[it.org.matching]["RuleStatus"] = status[own_is_active]
    other = {"DeveloperName": "Kunden", "MasterLabel": "Kunden", "SobjectType": "Lead"}
    key = it.org._ids.next("0JD")
    it.org._insert("MatchingRule", key, **other, RuleStatus=status[not own_is_active], NamespacePrefix=None)
    option = it.key(duplicate_event(it.org), "duplicate-rule-off")
    assert option["allowed"] is own_is_active, option["why_not"]


def test_nobody_is_exempted_from_a_rule_that_is_off(desk: Makes) -> None:
    it = desk()
    name = ("DuplicateRule", "Account.Kunden_Dublette")
    it.org.xml[name] = it.org.xml[name].replace("isActive>true", "isActive>false")
    option = it.key(duplicate_event(it.org), "exempt-sync-user")
    assert (option["allowed"], "is off" in option["why_not"]) == (False, True)


def test_a_field_of_a_person_account_is_one_of_its_contact(desk: Makes) -> None:
    it = desk()
    more = {"nillable": False, "custom": True}
    it.org.tables["Account"].fields["Steuer__pc"] = KnownField("Steuer__pc", more=more)
    it.org.xml["CustomField", "Contact.Steuer__c"] = it.org.xml["CustomField", "OrderItem.Kostenstelle__c"]
    event = missing(it.org, "Account", "Steuer__pc")
    option = it.key(event, "not-required")
    assert (option["target"]["name"], option["allowed"]) == ("Contact.Steuer__c", True)
    assert it.apply(event, option).code == 0
    (write,) = it.org.writes
    assert (write.kind, write.name) == ("CustomField", "Contact.Steuer__c")
    assert set(write.before) ^ set(write.after) == {"required=true", "required=false"}


def test_a_records_master_is_not_called_optional_already(desk: Makes) -> None:
    it = desk()
    master = "<md:type>MasterDetail</md:type><md:referenceTo>Order</md:referenceTo>"
    it.org.xml["CustomField", "OrderItem.Kostenstelle__c"] = master
    option = it.key(missing(it.org, "OrderItem", "Kostenstelle__c"), "not-required")
    assert (option["verdict"], option["settled"]) == ("guided", None)
    assert "master" in option["why_not"]


def unrestricted(org: GuardedOrg) -> str:
    org.xml[VALUES] = org.xml[VALUES].replace("restricted>true", "restricted>false")
    return refused_value(org, "Drohne")


def shown_as_another(org: GuardedOrg) -> str:
    return refused_value(org, "Brief & Paket")


def shared_by_a_package(org: GuardedOrg) -> str:
    field = ("CustomField", "Order.Lieferweg__c")
    org.xml[field] = org.xml[field].replace("Lieferwege__gvs", "zoll__Wege")
    org.xml["GlobalValueSet", "zoll__Wege"] = org.xml["GlobalValueSet", "Lieferwege__gvs"]
    return refused_value(org, "See", "Lieferweg")


def several_at_once(org: GuardedOrg) -> str:
    fields = org.tables["Order"].fields
    more = {"restrictedPicklist": True, "custom": True}
    fields["Versandart__c"] = KnownField("Versandart__c", "multipicklist", "Versandart", more=more)
    return refused_value(org, "Drohne;Post")


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (unrestricted, "takes any value"),
        (shown_as_another, "It shows Post as Brief & Paket"),
        (several_at_once, "several values at once"),
        (shared_by_a_package, "list of values belongs to a package"),
    ],
)
def test_a_value_is_not_added_where_that_is_not_what_lacks(
    desk: Makes, prepare: Callable[[GuardedOrg], str], why: str
) -> None:
    it = desk()
    event = prepare(it.org)
    option = it.key(event, "add-value")
    assert (option["verdict"], option["allowed"]) == ("guided", False)
    assert why in option["why_not"]
    assert it.apply(event, option).code == 5
    assert it.org.attempts == 0


def test_where_an_account_came_from_is_on_the_list_of_leads(desk: Makes) -> None:
    it = desk()
    more = {"restrictedPicklist": True}
    it.org.tables["Account"].fields["AccountSource"] = KnownField(
        "AccountSource", "picklist", "Herkunft", more=more
    )
    it.org.xml["StandardValueSet", "LeadSource"] = it.org.xml["StandardValueSet", "Industry"]
    option = it.key(refused_value(it.org, "Messe", "Herkunft", "Account"), "add-value")
    assert (option["target"]["name"], option["allowed"]) == ("LeadSource", True)


def test_a_value_that_was_removed_by_hand_is_as_before(desk: Makes) -> None:
    it = desk()
    before = it.org.xml[VALUES]
    event = refused_value(it.org, "Drohne")
    done = it.apply(event, it.key(event, "add-value"))
    it.org.xml[VALUES] = before
    back = it.home.run("safeguards", "--restore", done.rows[-1]["fix"], "--json")
    assert (back.code, back.rows[0]["state"]) == (0, "already"), back.out


def test_a_queue_is_no_inactive_owner(desk: Makes) -> None:
    it = desk()
    queue = it.org._ids.next("00G")
    it.org._insert("User", queue, Name="Warteschlange", Username="", IsActive=False)
    key = account(it.org)
    it.org.tables["Account"].rows[key]["OwnerId"] = queue
    event = it.org.blocked_event(
        "Account", lambda: True, code="INACTIVE_OWNER_OR_USER",
        message=f"operation performed with inactive user as owner of {key}",
    ).id  # fmt: skip
    assert [one["key"] for one in it.options(event) if one["key"].startswith("change-owner")] == []


def test_a_record_without_a_name_is_corrected_too(desk: Makes) -> None:
    it = desk(tells_record=True)
    fields = it.org.tables["OrderItem"].fields
    del fields["Name"]
    fields["OrderItemNumber"] = KnownField("OrderItemNumber", more={"nameField": True})
    event = missing(it.org, "OrderItem", "Menge_Neu, Kostenstelle__c", "update")
    option = it.key(event, "correct-value")
    assert option["wants"] == ["Kostenstelle__c"]
    done = it.apply(event, option, "--value", "Kostenstelle__c= 4711 ")
    assert (done.code, done.rows[-1]["verified"]) == (0, True), (done.out, done.err)


def test_a_lookup_takes_an_id_of_either_length(desk: Makes) -> None:
    it = desk(tells_record=True)
    event = missing(it.org, "Contact", "AccountId", "update")
    option, key = it.key(event, "correct-value"), account(it.org)
    assert it.apply(event, option, "--value", "AccountId=Kaufhaus").code == 2
    assert it.org.attempts == 0
    done = it.apply(event, option, "--value", f"AccountId={key[:15]}")
    assert (done.code, done.rows[-1]["verified"]) == (0, True), (done.out, done.err)


def bypassed(org: GuardedOrg) -> str:
    org.json["ValidationRule", org.rule]["errorConditionFormula"] = "NOT($Permission.Umgehung)"
    return org.blocked_event("Order", lambda: True, message=MESSAGE).id


def test_a_bypass_that_has_ended_is_given_again(desk: Makes) -> None:
    it = desk()
    event = bypassed(it.org)
    ended: dict[str, Any] = {"AssigneeId": it.org.users["sync"], "PermissionSetId": it.org.bypass}
    key = it.org._ids.next("0Pa")
    it.org._insert("PermissionSetAssignment", key, **ended, ExpirationDate="2020-01-01T00:00:00.000+0000")
    option = it.key(event, "assign-bypass")
    assert (option["settled"], option["before"]["assigned"]) == (None, False)
    done = it.apply(event, option)
    assert (done.code, done.rows[-1]["verified"]) == (0, True), (done.out, done.err)
    (write,) = it.org.writes
    assert write.name == key
    assert write.after["ExpirationDate"] > "2026"


def test_of_two_permission_sets_of_one_name_none_is_given(desk: Makes) -> None:
    it = desk()
    event = bypassed(it.org)
    more = {"Name": "Umgehung", "NamespacePrefix": "zoll", "IsOwnedByProfile": False}
    it.org._insert("PermissionSet", it.org._ids.next("0PS"), **more)
    option = it.key(event, "assign-bypass")
    assert (option["verdict"], option["allowed"]) == ("guided", False)


def test_a_safeguard_is_recorded_by_its_whole_name(desk: Makes) -> None:
    it = desk()
    rules = {table: it.org._ids.next("01Q") for table in ("Contact", "Order")}
    for table, key in rules.items():
        own = {"NamespacePrefix": None, "ManageableState": "unmanaged", **it.org._stamps("person")}
        it.org._insert("WorkflowRule", key, Name="Mail v1.2 an a@b", TableEnumOrId=table, **own)
        it.org.json["WorkflowRule", key] = {"active": False, "triggerType": "onCreateOnly"}
    done = it.home.run("safeguards", "--record", "WorkflowRule:Order.Mail v1.2 an a@b", "--json")
    assert done.code == 0, done.err
    (line,) = it.home.run("safeguards", "--json").rows
    assert line["target"]["id"] == rules["Order"]
    nameless = it.home.run("safeguards", "--record", "CustomField:Order.Versandart__c@neu", "--json")
    assert (nameless.code, "Traceback" in nameless.err) == (2, False), nameless.err


def test_the_rule_of_a_person_account_is_recorded(desk: Makes) -> None:
    it = desk()
    it.org.tables["DuplicateRule"].rows[it.org.duplicate]["SobjectSubtype"] = "PersonAccount"
    inner = it.org.xml["DuplicateRule", "Account.Kunden_Dublette"]
    person = inner.replace("isActive>true", "isActive>false")
    it.org.xml["DuplicateRule", "PersonAccount.Kunden_Dublette"] = person
    done = it.home.run("safeguards", "--record", "DuplicateRule:PersonAccount.Kunden_Dublette", "--json")
    assert done.code == 0, done.err


def person(it: Desk, **values: Any) -> tuple[str, str]:
    """A person account and its contact."""
    held = account(it.org, IsPersonAccount=True, **values)
    key = contact(it.org, AccountId=held, **values)
    it.org.tables["Contact"].rows[key]["IsPersonAccount"] = True
    return held, key


def taken(org: GuardedOrg, key: str) -> str:
    message = f"duplicate value found: Kundennummer__c duplicates value on record with id: {key}"
    return org.blocked_event("Contact", lambda: True, code="DUPLICATE_VALUE", message=message).id


def test_a_persons_contact_is_corrected_on_the_person_account(desk: Makes) -> None:
    it = desk()
    it.org.tables["Account"].fields["Kundennummer__pc"] = KnownField("Kundennummer__pc")
    held, key = person(it)
    it.org.tables["Account"].rows[held]["Kundennummer__pc"] = "77"
    event = taken(it.org, key)
    option = it.key(event, "correct-value")
    assert (option["target"]["id"], option["before"]) == (held, {"Kundennummer__pc": "77"})
    assert it.apply(event, option, "--value", "Kundennummer__pc=78").code == 0
    assert [(write.kind, write.name) for write in it.org.writes] == [("Account", held)]


def test_an_accounts_own_field_is_not_taken_for_its_persons(desk: Makes) -> None:
    it = desk()
    it.org.tables["Account"].fields["Kundennummer__c"] = KnownField("Kundennummer__c")
    option = it.key(taken(it.org, person(it)[1]), "correct-value")
    assert (option["verdict"], option["target"]["type"]) == ("guided", "Contact")


def test_a_person_gets_an_owner_on_the_account_alone(desk: Makes) -> None:
    it = desk()
    held, key = person(it)
    for table, one in (("Account", held), ("Contact", key)):
        it.org.tables[table].rows[one]["OwnerId"] = it.org.users["gone"]
    event = it.org.blocked_event(
        "Contact", lambda: True, code="INACTIVE_OWNER_OR_USER",
        message=f"operation performed with inactive user as owner of {key}",
    ).id  # fmt: skip
    options = [one["target"]["id"] for one in it.options(event) if one["key"].startswith("change-owner")]
    assert options == [held]


def test_a_good_answer_that_says_that_nothing_was_saved_is_a_refusal(desk: Makes) -> None:
    it = desk()
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")
    it.org.trouble = ["not saved"]
    done = it.apply(event, option)
    assert (done.code, done.rows[-1]["state"], "nein" in done.rows[-1]["detail"]) == (5, "refused", True)
    assert it.home.run("safeguards", "--json").rows == []
