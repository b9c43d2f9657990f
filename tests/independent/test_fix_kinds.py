"""Each kind of fix judged by an org of another make: shown, made exactly, proven, put back, and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.independent.guarded_org import GuardedOrg
from tests.independent.test_fixes import MESSAGE, Desk, desk, one_difference, rule_event
from tests.layers import layered

__all__ = ["desk"]

WHEN = datetime(2026, 11, 1, 3, 4, 5, tzinfo=UTC)
FLOW_WORDS = (
    "We can't save this record because the “Lager zuweisen” process failed. Give your Salesforce admin these "
    "details. An error occurred at element Zuweisen (FlowAssignment)."
)


def contact(org: GuardedOrg, **values: Any) -> str:
    key = org.create("Contact", org.now() - 90_000, "sync", Name="Käthe", **values)
    org.tables["Contact"].rows[key] |= {"IsEmailBounced": "EmailBouncedReason" in values}
    return key


def account(org: GuardedOrg, **values: Any) -> str:
    return org.create("Account", org.now() - 90_000, "sync", Name="Kaufhaus", **values)


def fixed(it: Desk, event: str) -> None:
    """The error goes away by a plain re-sync."""
    sent = it.home.run("resync", "--id", event, "--yes", "--json")
    assert [row["verdict"] for row in sent.rows if "verdict" in row] == ["FIXED"], (sent.out, sent.err)


def flow_event(org: GuardedOrg) -> str:
    row = org.tables["FlowDefinition"].rows[org.flow]
    return org.blocked_event(
        "Order", lambda: row["ActiveVersionId"] is not None,
        code="CANNOT_EXECUTE_FLOW_TRIGGER", message=FLOW_WORDS,
    ).id  # fmt: skip


def flow_off(it: Desk) -> tuple[str, dict[str, Any]]:
    option = it.key(event := flow_event(it.org), "flow-off")
    done = it.apply(event, option)
    assert (done.code, done.rows[-1]["verified"]) == (0, True), (done.out, done.err)
    return event, done.rows[-1]


def test_a_flow_gets_the_version_back_that_was_active_and_not_the_latest(desk: Callable[[], Desk]) -> None:
    it = desk()
    event, result = flow_off(it)
    assert result["before"] == {"activeVersionNumber": 7}
    assert one_difference(it.org.writes[0].before, it.org.writes[0].after) == {"activeVersionNumber": None}
    fixed(it, event)
    assert it.home.run("safeguards", "--restore", result["fix"], "--json").code == 0
    flow = it.org.json["FlowDefinition", it.org.flow]
    assert (flow["activeVersionNumber"], flow["description"], flow["neuerSchalter"]) == (
        7, "wichtig", [1, {"a": None}],
    )  # fmt: skip
    assert it.home.run("safeguards", "--json").rows == []


def test_another_version_that_a_colleague_put_live_is_left_alone(desk: Callable[[], Desk]) -> None:
    it = desk()
    _, result = flow_off(it)
    it.org.put_json("FlowDefinition", it.org.flow, {"activeVersionNumber": 9}, "person")
    (line,) = it.home.run("safeguards", "--json").rows
    assert line["state"] == "other-version"
    assert it.home.run("safeguards", "--restore-all", "--yes").code == 5
    assert it.org.json["FlowDefinition", it.org.flow]["activeVersionNumber"] == 9
    assert it.home.run("safeguards", "--accept", result["fix"]).code == 0
    assert it.home.run("safeguards", "--json").rows == []
    assert it.org.attempts == 1


def test_a_version_that_is_gone_is_not_replaced_by_another(desk: Callable[[], Desk]) -> None:
    it = desk()
    _, result = flow_off(it)
    del it.org.tables["Flow"].rows[it.org.flow_versions[7]]
    back = it.home.run("safeguards", "--restore", result["fix"], "--json")
    assert (back.code, back.rows[0]["state"]) == (5, "refused")
    assert it.org.attempts == 1
    assert [row["state"] for row in it.home.run("safeguards", "--json").rows] == ["off"]


def test_two_flows_of_one_label_are_both_offered(desk: Callable[[], Desk]) -> None:
    it = desk()
    view = dict(it.org.tables["FlowDefinitionView"].rows[it.org.flow])
    definition = it.org._ids.next("300")
    view |= {"DurableId": definition, "ApiName": "Lager_Zuweisung_Neu", "ActiveVersionId": None}
    row = {**it.org.tables["FlowDefinition"].rows[it.org.flow], "DeveloperName": "Lager_Zuweisung_Neu"}
    for table, values in (("FlowDefinitionView", view), ("FlowDefinition", row)):
        it.org._insert(
            table, definition, **{k: v for k, v in values.items() if k not in {"Id", "attributes"}}
        )
    it.org.tables["FlowDefinition"].rows[definition]["ActiveVersionId"] = None
    it.org.json["FlowDefinition", definition] = {"activeVersionNumber": None, "masterLabel": "Lager zuweisen"}
    options = [one for one in it.options(flow_event(it.org)) if one["key"].startswith("flow-off")]
    assert {one["target"]["name"]: one["before"]["activeVersionNumber"] for one in options} == {
        "Lager_Zuweisung": 7, "Lager_Zuweisung_Neu": 0,
    }  # fmt: skip


def duplicate_event(org: GuardedOrg) -> str:
    name = ("DuplicateRule", "Account.Kunden_Dublette")
    return org.blocked_event(
        "Account", lambda: "notEqual" not in org.xml[name],
        code="DUPLICATES_DETECTED", message="Use one of these records?",
    ).id  # fmt: skip


def test_the_sync_user_is_exempted_by_one_condition_and_it_goes_again(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = duplicate_event(it.org)
    option = it.key(event, "exempt-sync-user")
    assert (option["allowed"], option["scope"], option["undo"]) == (True, "exemption", "exact")
    done = it.apply(event, option)
    assert done.code == 0, (done.out, done.err)
    (write,) = it.org.writes
    assert [line for line in write.after if "Filter" not in line] == [
        line for line in write.before if "Filter" not in line
    ]
    assert "duplicateRuleFilter/duplicateRuleFilterItems/value=sync@kaufladen.example" in write.after
    assert "duplicateRuleFilter/duplicateRuleFilterItems/operation=notEqual" in write.after
    fixed(it, event)
    assert it.home.run("safeguards", "--restore", done.rows[-1]["fix"], "--json").code == 0
    assert it.org.writes[1].after == write.before


def test_a_rule_with_conditions_of_its_own_is_left_to_a_person(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = duplicate_event(it.org)
    key = ("DuplicateRule", "Account.Kunden_Dublette")
    item = (
        "<md:duplicateRuleFilter><md:booleanFilter>1</md:booleanFilter><md:duplicateRuleFilterItems>"
        "<md:field>Industry</md:field><md:operation>equals</md:operation><md:value>Bau</md:value>"
        "<md:sortOrder>1</md:sortOrder><md:table>Account</md:table></md:duplicateRuleFilterItems>"
        "</md:duplicateRuleFilter>"
    )
    it.org.xml[key] = it.org.xml[key].replace("<md:duplicateRuleFilter xsi:nil='true'/>", item)
    option = it.key(event, "exempt-sync-user")
    assert (option["verdict"], option["allowed"]) == ("guided", False)
    assert it.apply(event, option).code == 5
    assert it.org.attempts == 0


def test_a_duplicate_rule_that_could_not_go_on_again_is_not_switched_off(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = duplicate_event(it.org)
    it.org.tables["MatchingRule"].rows[it.org.matching]["RuleStatus"] = "Deactivating"
    option = it.key(event, "duplicate-rule-off")
    assert option["allowed"] is False
    assert "Kunden" in option["why_not"]
    assert it.apply(event, option).code == 5
    assert it.org.attempts == 0


def test_a_bypass_is_for_the_sync_user_ends_by_itself_and_can_be_taken_back(desk: Callable[[], Desk]) -> None:
    it = desk()
    rule = it.org.json["ValidationRule", it.org.rule]
    rule["errorConditionFormula"] = "NOT($Permission.Umgehung) && TotalAmount < 0"
    rows = it.org.tables["PermissionSetAssignment"].rows

    def mine() -> list[dict[str, Any]]:
        return [row for row in rows.values() if row.get("PermissionSetId") == it.org.bypass]

    event = it.org.blocked_event("Order", lambda: not mine(), message=MESSAGE).id
    option = it.key(event, "assign-bypass")
    assert " " not in option["key"]
    assert option["allowed"] is True
    done = it.apply(event, option)
    assert done.code == 0, (done.out, done.err)
    (row,) = mine()
    assert row["AssigneeId"] == it.org.users["sync"]
    assert row["ExpirationDate"]
    fixed(it, event)
    assert it.home.run("safeguards", "--restore", done.rows[-1]["fix"]).code == 0
    assert mine() == []
    event = it.org.blocked_event("Order", lambda: not mine(), message=MESSAGE).id
    old = f"assign-bypass:Umgehung for {option['key'].rpartition(':')[2]}"
    again = it.home.run("fix", "--id", event, "--apply", old, "--confirm", option["target"]["name"], "--json")
    assert again.code == 0, again.err


@pytest.mark.parametrize("person", [False, True], ids=["contact", "person account"])
def test_a_bounce_mark_is_cleared_and_written_back(desk: Callable[[], Desk], person: bool) -> None:
    it = desk()
    mark = {"EmailBouncedReason": "550 weg", "EmailBouncedDate": WHEN}
    key = contact(it.org, Email="k@example.com", **mark)
    table, fields = "Contact", ("EmailBouncedReason", "EmailBouncedDate")
    row = it.org.tables["Contact"].rows[key]
    row["IsPersonAccount"] = person
    if person:
        fields = ("PersonEmailBouncedReason", "PersonEmailBouncedDate")
        held = account(
            it.org,
            PersonEmail="k@example.com",
            IsPersonAccount=True,
            **dict(zip(fields, mark.values(), strict=True)),
        )
        row["AccountId"] = held
        table, row = "Account", it.org.tables["Account"].rows[held]
    before = {name: row[name] for name in fields}
    event = it.org.blocked_event(
        "Contact", lambda: row[fields[0]] is not None,
        code="EMAIL_ADDRESS_BOUNCED", message=f"Email address has bounced: {key}",
    ).id  # fmt: skip
    options = [one for one in it.options(event) if one["key"].startswith("clear-bounce")]
    assert [(one["target"]["type"], one["target"]["id"]) for one in options] == [(table, row["Id"])]
    done = it.apply(event, options[0])
    assert done.code == 0, (done.out, done.err)
    assert [row[name] for name in fields] == [None, None]
    fixed(it, event)
    assert it.home.run("safeguards", "--restore", done.rows[-1]["fix"]).code == 0
    assert str(row[fields[0]]) == before[fields[0]]
    assert str(row[fields[1]])[:10] == "2026-11-01"
    assert {write.kind for write in it.org.writes} == {table}


def test_an_active_owner_is_given_and_cannot_be_taken_back(desk: Callable[[], Desk]) -> None:
    it = desk()
    key = account(it.org)
    row = it.org.tables["Account"].rows[key]
    row["OwnerId"] = it.org.users["gone"]
    event = it.org.blocked_event(
        "Account", lambda: row["OwnerId"] == it.org.users["gone"],
        code="INACTIVE_OWNER_OR_USER", message=f"operation performed with inactive user as owner of {key}",
    ).id  # fmt: skip
    option = it.key(event, f"change-owner:{key}")
    assert (option["undo"], option["wants"]) == ("none", ["OwnerId"])
    assert it.apply(event, option).code == 2
    assert it.apply(event, option, "--value", "OwnerId=gone@kaufladen.example").code == 2
    done = it.apply(event, option, "--value", "OwnerId=person@kaufladen.example")
    assert done.code == 0, (done.out, done.err)
    assert row["OwnerId"] == it.org.users["person"]
    fixed(it, event)
    assert it.home.run("safeguards", "--restore", done.rows[-1]["fix"]).code == 5


def test_the_record_that_holds_a_unique_value_is_corrected(desk: Callable[[], Desk]) -> None:
    it = desk()
    key = contact(it.org, Kundennummer__c="77")
    row = it.org.tables["Contact"].rows[key]
    event = it.org.blocked_event(
        "Contact", lambda: row["Kundennummer__c"] == "77", code="DUPLICATE_VALUE",
        message=f"duplicate value found: Kundennummer__c duplicates value on record with id: {key}",
    ).id  # fmt: skip
    option = it.key(event, "correct-value")
    done = it.apply(event, option, "--value", "Kundennummer__c=77-alt")
    assert done.code == 0, (done.out, done.err)
    (write,) = it.org.writes
    assert write.after["Kundennummer__c"] == "77-alt"
    fixed(it, event)
    sc_key = it.org.naming.record_key
    never = it.org.blocked_event(
        "Contact", lambda: True, code="DUPLICATE_VALUE",
        message=f"duplicate value found: {sc_key} duplicates value on record with id: {key}",
    ).id  # fmt: skip
    for one in it.options(never):
        if one["scope"] == "record":
            assert (one["verdict"], one["allowed"]) == ("guided", False)
            assert it.apply(never, one, "--value", f"{sc_key}=x").code == 5
    assert len(it.org.writes) == 1


def test_two_fields_that_a_message_names_are_two_options(desk: Callable[..., Desk]) -> None:
    it = desk(tells_record=True)
    event = it.org.blocked_event(
        "Contact", lambda: True, kind="update", code="REQUIRED_FIELD_MISSING",
        message="Required fields are missing: [Kundennummer__c, Email]",
    )  # fmt: skip
    keys = [one["key"] for one in it.options(event.id) if one["key"].startswith("correct-value")]
    assert len(keys) == len(set(keys)) == 2


def lacks(org: GuardedOrg, value: str) -> Callable[[], bool]:
    return lambda: f">{value}<" not in org.xml["CustomField", "Order.Versandart__c"]


def test_two_values_that_a_cause_lacks_are_two_options(desk: Callable[[], Desk]) -> None:
    it = desk()
    events = [
        it.org.blocked_event(
            "Order", lacks(it.org, new),
            code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            message=f"Versandart: bad value for restricted picklist field: {new}",
        ).id
        for new in ("Drohne", "Rad & Bahn")
    ]  # fmt: skip
    for event, new in zip(events, ("Drohne", "Rad & Bahn"), strict=True):
        option = next(one for one in it.options(event) if new in one["title"])
        assert not set(option["key"]) & set(" &'\"$;|<>*?()")
        done = it.apply(event, option)
        assert done.code == 0, (done.out, done.err)
    values = it.org.xml["CustomField", "Order.Versandart__c"]
    assert values.index("Drohne") < values.index("Rad &amp; Bahn")
    assert values.index("Spedition") < values.index("Drohne")


def test_a_value_that_a_record_type_does_not_offer_is_left_to_a_person(desk: Callable[[], Desk]) -> None:
    it = desk()
    types = {name: it.org._ids.next("012") for name in ("Firma", "Privat", "Alt")}
    for name, key in types.items():
        kind = {"SobjectType": "Order", "IsActive": name != "Alt"}
        it.org._insert("RecordType", key, Name=name, DeveloperName=name, **kind)
    it.org.offers = {(types[name], "Versandart__c"): ("Bote",) for name in ("Firma", "Alt")}
    event = it.org.blocked_event(
        "Order", lambda: True, code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        message="Versandart: bad value for restricted picklist field: Post",
    ).id  # fmt: skip
    options = {one["target"]["name"]: one for one in it.options(event)}
    assert {name for name in options if name.startswith("Order.")} == {"Order.Versandart__c", "Order.Firma"}
    option = options["Order.Firma"]
    assert (option["verdict"], option["allowed"]) == ("guided", False)
    assert "record type Firma does not offer it" in option["why_not"]
    assert option["steps"]
    so_already = it.apply(event, options["Order.Versandart__c"])
    assert (so_already.code, so_already.rows[-1]["state"]) == (0, "already")
    assert it.apply(event, option).code == 5
    assert it.org.attempts == 0


ANSWERS: list[tuple[str, set[int], bool | None]] = [
    ("page before", {1}, False),
    ("busy page", {1}, False),
    ("odd shape", {5}, False),
    ("not saved", {5}, False),
    ("page though done", {0}, True),
    ("lost before", {1}, False),
    ("late", {0, 1}, None),
]
RULES = ("rule", "duplicate rule")
ASKED = [(answer, which) for answer in ANSWERS for which in RULES]


@pytest.mark.parametrize(
    ("answer", "which"),
    layered("answers to a change of a rule", list(zip(ANSWERS, RULES * 4, strict=False)), ASKED),
    ids=str,
)
def test_whatever_the_answer_looks_like_only_a_reading_counts(
    desk: Callable[[], Desk], answer: tuple[str, set[int], bool | None], which: str
) -> None:
    trouble, codes, off = answer
    it = desk()
    event = rule_event(it.org) if which == "rule" else duplicate_event(it.org)
    option = it.key(event, "validation-rule-off" if which == "rule" else "duplicate-rule-off")
    it.org.trouble = [trouble]
    done = it.apply(event, option)
    if which == "duplicate rule" and trouble in {"odd shape", "not saved"}:
        codes = {1, 5}  # a SOAP client cannot read JSON: it may be done or not
    assert done.code in codes, (done.out, done.err)
    assert "Traceback" not in done.err
    assert it.org.attempts == 1, "a write leaves once"
    lines = it.home.run("safeguards", "--json").rows
    if off is None:
        assert len(lines) == 1, "it may come late: it is not forgotten"
    elif off:
        assert [line["state"] for line in lines] == ["off"]
        assert it.home.run("safeguards", "--restore-all").code == 0
        assert it.home.run("safeguards", "--json").rows == []
    else:
        assert all(line["state"] == "on" for line in lines)


def test_a_colleagues_edit_between_reading_and_writing_is_kept(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")

    def edit() -> None:
        rule = it.org.json["ValidationRule", it.org.rule]
        it.org.put_json("ValidationRule", it.org.rule, {**rule, "description": "Von Petra"}, "person")

    it.org.on_read = [lambda: None] * 3 + [edit]
    done = it.apply(event, option)
    assert done.code in {0, 5}, (done.out, done.err)
    assert it.org.json["ValidationRule", it.org.rule]["description"] == "Von Petra"
    assert it.org.json["ValidationRule", it.org.rule]["active"] is (done.code == 5)


def test_a_rule_that_is_gone_is_refused_and_closes_its_line(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")
    assert it.apply(event, option).code == 0
    del it.org.tables["ValidationRule"].rows[it.org.rule]
    assert [line["state"] for line in it.home.run("safeguards", "--json").rows] == ["gone"]
    assert it.home.run("safeguards", "--json").rows == []


def test_a_session_that_the_metadata_api_does_not_take_is_told_first(desk: Callable[[], Desk]) -> None:
    it = desk()
    it.org.jwt_refused = True
    event = duplicate_event(it.org)
    option = it.key(event, "duplicate-rule-off")
    assert option["allowed"] is False
    assert it.apply(event, option).code == 5
    assert it.org.attempts == 0
    assert it.key(rule_event(it.org), "validation-rule-off")["allowed"] is True
