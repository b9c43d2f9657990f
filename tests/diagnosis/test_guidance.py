"""What is said about a failure: complete, filled, and about the right thing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, strategies as st

from syncerr_tui.diagnosis.codes import MANUAL_CODES, known_codes
from syncerr_tui.diagnosis.guidance import diagnosis_of_code, guide
from syncerr_tui.diagnosis.guidance_catalog import (
    Entry,
    entry_for,
    general_codes,
    general_entry,
    unknown_entry,
    variants,
)
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Authority, Automation, Diagnosis, Guidance, Retry
from syncerr_tui.diagnosis.read import diagnose

ORG = "https://acme.my.salesforce.com"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "messages.jsonl"
SWITCHES_OFF = (
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "DUPLICATE_VALUE",
    "DUPLICATES_DETECTED",
    "ENTITY_IS_LOCKED",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "INVALID_EMAIL_ADDRESS",
    "REQUIRED_FIELD_MISSING",
    "UNKNOWN_EXCEPTION",
)
"""Codes whose repair switches off, removes or alters something for a while."""

ARTICLES = {
    "CANNOT_EXECUTE_FLOW_TRIGGER": "resolve-flow-trigger-sync-errors",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "resolve-flow-trigger-sync-errors",
    "DUPLICATE_VALUE": "resolve-duplicate-account-sync-errors",
    "DUPLICATES_DETECTED": "resolve-duplicate-account-sync-errors",
    "EMAIL_ADDRESS_BOUNCED": "resolve-email-bounce-sync-errors",
    "EMAIL_TEMPLATE_MERGEFIELD_ERROR": "resolve-email-template-sync-errors",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "resolve-custom-validation-sync-errors",
}


def explained(
    message: str,
    code: str | None = None,
    *,
    object_name: str | None = None,
    event_type: str | None = None,
    instance_url: str | None = None,
) -> Guidance:
    return guide(
        diagnose(message, code),
        object_name=object_name,
        event_type=event_type,
        instance_url=instance_url,
    )


def texts(guidance: Guidance) -> list[str]:
    return [
        guidance.headline,
        guidance.why,
        guidance.afterwards,
        *guidance.checks,
        *guidance.put_back,
        *(step.text for step in guidance.steps),
    ]


def steps(guidance: Guidance) -> str:
    return "\n".join(plain(step.text) for step in guidance.steps)


def well_formed(address: str) -> bool:
    parts = urlsplit(address)
    return (
        (address.startswith("/") or (parts.scheme == "https" and parts.hostname is not None))
        and re.fullmatch(r"[A-Za-z0-9/._~:?=&%\[\]-]+", address) is not None
        and "000000000000000" not in address
        and "//" not in parts.path
    )


def assert_complete(guidance: Guidance) -> None:
    assert guidance.headline.endswith((".", "?")) and guidance.why.endswith(".")
    assert guidance.steps
    for text in texts(guidance):
        assert not re.search(r"\{[a-z_]+\}|\[\[|\]\]", text), text
        assert not re.search(r"\(\)|  | \.|\*\*\*\*|\. \.|\.\.", plain(text)), text
    assert any("e-sync" in step.text or "support" in step.text for step in guidance.steps)
    for step in guidance.steps:
        assert step.address is None or well_formed(step.address), step


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_every_code_of_the_manual_has_all_its_parts_without_a_message(code: str) -> None:
    guidance = guide(diagnosis_of_code(code))
    assert_complete(guidance)
    assert guidance.code == code
    assert guidance.authority is Authority.STORECONNECT
    assert guidance.checks and guidance.afterwards
    if code in ARTICLES:
        assert guidance.article == f"https://support.storeconnect.com/article/{ARTICLES[code]}"


@pytest.mark.parametrize("code", SWITCHES_OFF)
def test_what_was_switched_off_is_to_be_put_back(code: str) -> None:
    assert guide(diagnosis_of_code(code)).put_back


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("System.LimitException: Apex CPU time limit exceeded", "Apex CPU time"),
        ("Too many DML statements: 151", "DML statements: 151"),
        ("Maximum stack depth reached: 1001", "stack depth: 1001"),
    ],
)
def test_a_limit_without_a_code_is_not_called_unknown(message: str, limit: str) -> None:
    guidance = guide(diagnose(message))
    assert limit in guidance.why
    assert guidance.authority is Authority.SALESFORCE
    assert "alone" in guidance.steps[0].text or "alone" in guidance.steps[1].text


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_every_case_of_a_code_is_complete(code: str) -> None:
    for entry in variants(code):
        assert entry.headline and entry.nested and entry.why and entry.steps and entry.checks, entry.variant
        assert entry.afterwards
        switches_off = any("eactivate" in step.text or "witch" in step.text for step in entry.steps)
        assert switches_off <= bool(entry.put_back), entry.variant


def test_the_catalogue_uses_no_blank_that_nobody_fills() -> None:
    known = {
        "flow flow_version element trigger class namespace dlrs validation_rule duplicate_rule field fields",
        "field_word values value_id place_word failing object object_said other_object parent record contact",
        "standard_field standard_fields custom_field user fields_word values_word records",
        "external_id id_word limit error_id said code other_record",
    }
    blanks = {blank for line in known for blank in line.split()}
    entries: list[Entry] = [entry for code in MANUAL_CODES for entry in variants(code)]
    entries += [unknown_entry(section) for section in ("unknown_code", "no_code", "empty")]
    for code in general_codes():
        entry = general_entry(code)
        assert entry is not None
        entries.append(entry)
    for entry in entries:
        whole = (entry.headline, entry.nested, entry.why, entry.afterwards, *entry.checks, *entry.put_back)
        for text in (*whole, *(step.text for step in entry.steps)):
            assert set(re.findall(r"\{!?([a-z_]+)\}", text)) <= blanks, text
            assert text.count("[[") == text.count("]]"), text


def test_each_known_code_gets_an_answer() -> None:
    assert set(MANUAL_CODES) | general_codes().keys() == known_codes()
    assert not set(MANUAL_CODES) & general_codes().keys()
    everything = [guide(diagnosis_of_code(code)) for code in (*MANUAL_CODES, *sorted(general_codes()))]
    assert len(everything) == len(known_codes()) == 667
    for guidance in everything:
        assert_complete(guidance)
    general = everything[len(MANUAL_CODES) :]
    assert {guidance.authority for guidance in general} == {Authority.SALESFORCE}
    assert len({guidance.headline for guidance in general}) > 630, "meanings are told apart"


def test_a_code_that_passes_by_itself_says_just_retry() -> None:
    passing = {code for code in known_codes() if diagnosis_of_code(code).transient}
    assert passing
    assert {code for code in passing if guide(diagnosis_of_code(code)).retry is not Retry.JUST_RETRY} == set()


def test_a_bare_code_is_what_the_reader_makes_of_it() -> None:
    for code in known_codes():
        assert diagnosis_of_code(code) == diagnose("", code)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="the labelled messages are not beside the project")
def test_no_labelled_message_leaves_a_gap_or_a_bad_address() -> None:
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for object_name in (None, "Order", "s_c__Payment__c"):
            guidance = explained(row["message"], row["code"], object_name=object_name, instance_url=ORG)
            assert_complete(guidance)
            assert guidance.code == row["root_code"], row["id"]
            for step in guidance.steps:
                assert step.address is None or step.address.startswith("https://acme."), row["id"]


@given(
    name=st.text(min_size=1, max_size=60),
    message=st.text(max_size=200),
    code=st.sampled_from([*MANUAL_CODES, "STRING_TOO_LONG", "NEVER_HEARD_OF", None]),
)
@example(name="\n", message="", code="INVALID_FIELD")
@example(name="**", message="", code="INVALID_FIELD")
def test_any_names_are_data(name: str, message: str, code: str | None) -> None:
    diagnosis = Diagnosis(
        code=code,
        codes=("CANNOT_EXECUTE_FLOW_TRIGGER",),
        root_code=code,
        inferred=False,
        automation=(Automation("flow", name), Automation("trigger", name, "ns")),
        objects=(name,),
        fields=(name,),
        values=(name, "{flow} [[x]] **"),
        record_ids=(name,),
        external_ids=(name,),
        error_id=name,
        limit=name,
    )
    guidance = guide(diagnosis, object_name=name, instance_url=ORG)
    for step in guidance.steps:
        assert step.address is None or well_formed(step.address)
    for text in texts(guidance):
        assert text.count("**") % 2 == 0
        assert "\n" not in text


def test_a_template_in_a_name_is_not_filled() -> None:
    guidance = explained("We can't save this record because the “{said} [[x|y]] **b**” process failed.")
    assert "{said} [[x|y]]" in plain(guidance.headline)


# -- the right words for the case ----------------------------------------------------------------------


def test_a_nested_validation_is_told_as_such() -> None:
    guidance = explained(
        "CANNOT_EXECUTE_FLOW_TRIGGER, We can't save this record because the “Account - Create or "
        "Edit” process "
        "failed. FIELD_CUSTOM_VALIDATION_EXCEPTION: Phone is needed.. You can look up ExceptionCode values",
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        object_name="Order",
    )
    assert guidance.code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert (
        guidance.headline
        == "The Flow **Account - Create or Edit** was stopped by a validation: “**Phone is needed**”."
    )
    assert any("other way out" in check for check in guidance.checks)
    assert "the validation rules of Order" not in steps(guidance), "the Flow wrote another record, perhaps"


def test_a_chain_of_automation_is_named_from_the_outside_in() -> None:
    guidance = explained(
        "dlrs_RecallTrigger: execution of AfterInsert caused by: System.DmlException: Update "
        "failed. First exception "
        "on row 0; first error: CANNOT_EXECUTE_FLOW_TRIGGER, We can't save this record because the "
        "“Recall” process "
        "failed. This error occurred when the flow tried to update records: "
        "FIELD_CUSTOM_VALIDATION_EXCEPTION: No."
    )
    chain = next(check for check in guidance.checks if "outside in" in check)
    assert chain.index("dlrs_RecallTrigger") < chain.index("Recall**")


def test_the_flow_to_open_is_named() -> None:
    guidance = explained("We can't save this record because the “Order Builder” process failed.")
    assert guidance.steps[0].text == "Open the Flow **Order Builder**."
    assert "**Order Builder**" in guidance.put_back[0]


def test_a_flow_version_is_linked_directly() -> None:
    message = (
        "A flow trigger failed to execute the flow with version ID 3015g0000004LyvAAE. Flow error messages: x"
    )
    guidance = explained(message, "CANNOT_EXECUTE_FLOW_TRIGGER", instance_url=ORG)
    assert guidance.steps[0].address is not None
    assert guidance.steps[0].address.endswith("flowBuilder.app?flowId=3015g0000004LyvAAE")


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [("BillingStateCode", "EP", "state"), ("ShippingCountryCode", "LK", "country")],
)
def test_a_missing_state_or_country_is_to_be_added(field: str, value: str, word: str) -> None:
    kind = "state" if word == "state" else "country/territory"
    guidance = explained(
        f"The {field} field contains {value}, which isn't an available {kind}.", object_name="Order"
    )
    assert f"Add **{value}** to the {word} list of **{field}**" in guidance.steps[1].text
    assert guidance.steps[1].address == "/lightning/setup/AddressCleanerOverview/home"
    assert guidance.article is not None and "state-country" in guidance.article


def test_other_wrong_values_do_not_send_anyone_to_the_state_list() -> None:
    guidance = explained(
        "Owner ID: id value of incorrect type: 00G5g000002TuVwEAK", "FIELD_INTEGRITY_EXCEPTION"
    )
    assert "state" not in plain(guidance.headline)
    assert "00G5g000002TuVwEAK" in plain(guidance.headline)


def test_an_activated_order_is_for_support_only() -> None:
    guidance = explained(
        "Unable to modify activated or superseded Order: cannot add Order Products", "ENTITY_IS_LOCKED"
    )
    assert guidance.retry is Retry.SUPPORT_ONLY
    assert "StoreConnect support" in guidance.steps[0].text


def test_an_approval_lock_is_not() -> None:
    guidance = explained("entity is locked for approval", "ENTITY_IS_LOCKED", object_name="Order")
    assert guidance.retry is Retry.FIX_FIRST
    assert "Approval History" in steps(guidance)


def test_a_missing_parent_is_the_cause_and_is_named() -> None:
    uuid = "66f8b672-5d8e-40b2-af6b-0659f7d97659"
    guidance = explained(
        f"INVALID_FIELD: Foreign key external ID: {uuid} not found for field s_c__sC_Id__c in entity Contact",
        object_name="Order",
    )
    assert guidance.retry is Retry.CAUSE_FIRST
    assert guidance.headline == (
        f"The parent of this **Order** is not in Salesforce yet: "
        f"**Contact** with the StoreConnect ID **{uuid}**."
    )
    assert [step.address for step in guidance.steps if step.address] == ["/lightning/o/Contact/list"]


def test_a_wrong_field_name_is_no_missing_parent() -> None:
    guidance = explained(
        "No such column 'Foo__c' on sobject of type Order", "INVALID_FIELD", object_name="Order"
    )
    assert guidance.retry is Retry.FIX_FIRST
    assert guidance.authority is Authority.SALESFORCE
    assert "parent" not in plain(guidance.headline)


def test_a_duplicate_lead_in_apex_is_a_matter_of_duplicate_rules() -> None:
    guidance = explained(
        "LeadTrigger: execution of BeforeInsert caused by: duplicate lead found",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    )
    assert "duplicate" in guidance.headline
    assert guidance.steps[0].address == "/lightning/setup/DuplicateRules/home"
    assert any("duplicate rule" in text for text in guidance.put_back)


def test_a_lock_inside_a_flow_is_still_just_retried() -> None:
    guidance = explained(
        "CANNOT_EXECUTE_FLOW_TRIGGER: We can't save this record because the “Roll-up” process failed. "
        "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record or 1 records: "
        "0015g00000Qr7TbAAJ"
    )
    assert guidance.retry is Retry.JUST_RETRY
    assert "**Roll-up**" in guidance.headline and "**0015g00000Qr7TbAAJ**" in guidance.headline
    assert not guidance.put_back


def test_a_duplicate_value_may_mean_that_the_write_landed() -> None:
    assert any("may have landed" in check for check in guide(diagnosis_of_code("DUPLICATE_VALUE")).checks)
    guidance = explained(
        "duplicate value found: s_c__sC_Id__c duplicates value on record with id: 0015g00000Qr7TbAAJ"
    )
    assert "most likely arrived" in guidance.headline
    assert "Do not change the StoreConnect ID" in steps(guidance)


def test_an_e_mail_code_says_which_record_to_repair() -> None:
    for code in ("EMAIL_ADDRESS_BOUNCED", "INVALID_EMAIL_ADDRESS", "EMAIL_TEMPLATE_MERGEFIELD_ERROR"):
        guidance = guide(diagnosis_of_code(code), object_name="Order")
        assert "not the Order that failed" in plain(guidance.why)
    bounced = guide(diagnosis_of_code("EMAIL_ADDRESS_BOUNCED"), object_name="Order")
    assert "EmailBouncedReason" in steps(bounced)
    assert bounced.steps[0].address == "/lightning/o/Contact/list"


def test_a_required_field_is_linked_where_its_name_can_stand_in_an_address() -> None:
    standard = explained("Required fields are missing: [Pricebook2Id]", object_name="Order")
    assert standard.steps[0].address == (
        "/lightning/setup/ObjectManager/Order/FieldsAndRelationships/Pricebook2Id/view"
    )
    custom = explained("Required fields are missing: [Foo__c]", object_name="Order")
    assert custom.steps[0].address == "/lightning/setup/ObjectManager/Order/FieldsAndRelationships/view"


def test_the_object_in_the_message_beats_the_row_that_failed() -> None:
    message = "It looks like you are creating a duplicate Contact. We recommend you use an existing one."
    assert "this **Contact** looks like" in explained(message, object_name="Order").headline


def test_a_delete_of_what_is_gone_is_not_repaired_by_restoring_it() -> None:
    message = "invalid cross reference id"
    gone = explained(message, "INVALID_CROSS_REFERENCE_KEY", object_name="Order", event_type="Delete")
    there = explained(message, "INVALID_CROSS_REFERENCE_KEY", object_name="Order", event_type="Update")
    assert "gone already" in gone.headline
    assert "gone already" not in there.headline


def test_an_internal_error_is_retried_and_keeps_its_id() -> None:
    guidance = explained(
        "An unexpected error occurred. Please include this ErrorId if you contact support: "
        "23454-13561 (-711010934)",
        "UNKNOWN_EXCEPTION",
    )
    assert guidance.retry is Retry.JUST_RETRY
    assert "23454-13561 (-711010934)" in steps(guidance)


def test_nothing_known_is_said_honestly() -> None:
    unknown = guide(diagnosis_of_code("BRAND_NEW_CODE"))
    nothing = explained("Something happened.")
    empty = explained("")
    assert {unknown.authority, nothing.authority, empty.authority} == {Authority.NONE}
    assert "**BRAND_NEW_CODE**" in unknown.headline
    assert "empty" in empty.headline and "empty" not in nothing.headline
    for guidance in (unknown, nothing, empty):
        assert_complete(guidance)


def test_a_label_and_its_api_name_are_one_field() -> None:
    guidance = explained(
        "Action: bad value for restricted picklist field: Delete: [Action__c]", object_name="Order"
    )
    assert "**Action (Action__c)**" in guidance.headline
    assert "Add **Delete** to the values of **Action (Action__c)**" in guidance.steps[1].text


def test_an_entry_for_a_code_outside_of_the_manual_is_none() -> None:
    assert entry_for("../../etc/passwd", diagnosis_of_code("X"), "") is None
    assert general_entry("../../etc/passwd") is None


def test_the_row_s_own_record_is_opened_where_it_exists() -> None:
    diagnosis = diagnose("owner is inactive, cannot reparent record", "CANNOT_REPARENT_RECORD")
    guidance = guide(
        diagnosis, object_name="s_c__Payment__c", salesforce_id="a0X5g000001CdEfEAK", instance_url=ORG
    )
    assert guidance.steps[0].address == (
        "https://acme.lightning.force.com/lightning/r/s_c__Payment__c/a0X5g000001CdEfEAK/view"
    )
    wrong = guide(diagnosis, object_name="Order", salesforce_id="../x", instance_url=ORG)
    assert wrong.steps[0].address == "https://acme.lightning.force.com/lightning/o/Order/list"


def test_a_record_in_the_message_is_not_taken_for_the_row_s_object() -> None:
    guidance = explained(
        "Update failed. CANNOT_REPARENT_RECORD, owner: 0035g00000Lm2XyAAJ", object_name="Order"
    )
    assert guidance.steps[0].address == "/lightning/r/Contact/0035g00000Lm2XyAAJ/view"


def test_a_flow_around_the_root_is_put_back_too() -> None:
    around = "We can't save this record because the “Order Builder” process failed. "
    guidance = explained(f"{around}REQUIRED_FIELD_MISSING: Required fields are missing: [Name]")
    assert "Activate the Flow **Order Builder** again, if you switched it off." in guidance.put_back
    alone = explained("REQUIRED_FIELD_MISSING: Required fields are missing: [Name]")
    assert not any("Flow" in text for text in alone.put_back)


def test_a_limit_of_one_save_is_tried_alone_first() -> None:
    guidance = explained(
        "We can't save this record because the “Points” process failed. LIMIT_EXCEEDED: SOQL queries: 101"
    )
    assert guidance.code == "LIMIT_EXCEEDED"
    assert "alone" in guidance.steps[0].text
    assert "Open the Flow **Points**" in guidance.steps[1].text


def test_the_record_behind_the_code_is_meant_not_the_row_of_the_caller() -> None:
    guidance = explained(
        "X: execution of AfterUpdate caused by: Upsert failed. First exception on row 0 with id "
        "0035g00000Lm2XyAAJ; first error: DUPLICATE_VALUE, duplicate value found: K__c "
        "duplicates value on record with id: "
        "0015g00000Qr7TbAAJ: []"
    )
    assert "**0015g00000Qr7TbAAJ**" in guidance.headline
    assert "0035g00000Lm2XyAAJ" not in guidance.headline


def test_what_may_pass_by_itself_is_tried_before_anything_is_repaired() -> None:
    message = (
        "We can't save this record because the “Order Builder” process failed. An unexpected error occurred. "
        "Please include this ErrorId if you contact support: 23454-13561 (-711010934)"
    )
    diagnosis = replace(diagnose(message, "CANNOT_EXECUTE_FLOW_TRIGGER"), transient=True)
    guidance = guide(diagnosis)
    assert guidance.retry is Retry.JUST_RETRY
    assert "once" in guidance.steps[0].text
    assert "Order Builder" in guidance.steps[1].text


def test_a_missing_parent_stays_one_even_where_fields_are_spoken_of() -> None:
    message = "Foreign key external ID: 0116 not found for field name X__c in entity Contact"
    assert explained(message, "INVALID_FIELD").retry is Retry.CAUSE_FIRST


def test_what_a_rule_says_ends_before_the_fields_and_not_before_its_own_dashes() -> None:
    for words in ("Call us before you ship", "Call us -- now"):
        message = f"FIELD_CUSTOM_VALIDATION_EXCEPTION:{words}:Ship_Date__c --"
        guidance = guide(diagnose(message))
        assert f"**{words.partition(' --')[0]}**" in guidance.headline


_CHANGES = re.compile(r"[Dd]eactivate|[Ss]witch|[Cc]hange or merge|recall|relax|[Aa]ctivate it|optional")


def test_no_code_of_salesforce_gets_a_ritual() -> None:
    """Nothing is put back that no step changed, and an admin is not sent to an admin."""
    for code in general_codes():
        guidance = guide(diagnosis_of_code(code))
        steps = plain(" ".join(step.text for step in guidance.steps))
        assert not guidance.put_back or _CHANGES.search(steps), code
        assert not re.search(r"an admin of this org|looks after that", steps), code
        assert guidance.headline.rstrip(".").casefold() != code.replace("_", " ").casefold(), code


def test_a_login_elsewhere_is_not_the_sync_users() -> None:
    for code in ("IAS_INVALID_AUTH", "NO_ACCESS_TOKEN"):
        guidance = guide(diagnosis_of_code(code))
        assert "users" not in " ".join(step.address or "" for step in guidance.steps).casefold()
        assert "Named Credentials" in guidance.steps[1].text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("DUPLICATES_DETECTED", "Use one of these records?"),
        ("DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>"),
        ("DUPLICATE_EXTERNAL_ID", "Key: more than one record found for external id field"),
        ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access rights on cross-reference id"),
        ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"),
    ],
)
def test_the_record_itself_is_not_told_to_be_the_other_one(code: str, message: str) -> None:
    own, other = "0035g00000Lm2XyAAJ", "0035g00000Lm2XzAAJ"
    guided = partial(guide, object_name="Contact", event_type="Update", salesforce_id=own)
    alone = guided(diagnose(message, code))
    assert own not in repr(alone)
    named = guided(diagnose(f"{message} {other}", code))
    assert other in repr(named)
    assert own not in repr(named)
