"""Messages against the org's own names: labels become API names, what is no field goes."""

from __future__ import annotations

from datetime import UTC, datetime

from syncerr_tui.diagnosis.explanation import OrgContext, explain_message
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.identifiers import check_characters
from syncerr_tui.diagnosis.org_metadata import Described, FieldEntry, ObjectEntry, OrgMetadata, checked
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.diagnosis.render import explanation_lines

READ_AT = datetime(2026, 11, 20, tzinfo=UTC)
ORG = OrgMetadata(
    objects=(
        ObjectEntry("Account", "Account", "Accounts", "001"),
        ObjectEntry("Lead", "Interessent", "Interessenten", "00Q"),
        ObjectEntry("Parcel__c", "Parcel", "Parcels", "a0P"),
    ),
    read_at=READ_AT,
    described={
        "Account": Described(
            (
                FieldEntry("Name", "Account Name"),
                FieldEntry("Delivery__c", "Lieferart", ("Courier", "Pick-up", "Locker", "Post")),
                FieldEntry("Tier__c", "Customer Tier", ("Gold", "Silver")),
            ),
            READ_AT,
        ),
        "Parcel__c": Described((FieldEntry("Weight__c", "Weight"),), READ_AT),
    },
)


def fields(message: str, object_name: str | None = "Account", code: str | None = None) -> tuple[str, ...]:
    return checked(diagnose(message, code), ORG, object_name)[0].fields


def test_a_label_in_the_users_language_becomes_the_api_name() -> None:
    message = "Lieferart: ungültiger Wert für eingeschränktes Auswahllistenfeld: Taube: [Delivery__c]"
    assert fields(message) == ("Delivery__c",)
    assert fields("Customer Tier is required", code="FIELD_CUSTOM_VALIDATION_EXCEPTION") == ("Tier__c",)


def test_what_the_object_does_not_have_is_no_field_of_it() -> None:
    message = "FIELD_CUSTOM_VALIDATION_EXCEPTION, Ask Shipping Office for a Quarantine Code: [Tier__c]"
    assert diagnose(message).fields == ("Quarantine Code", "Tier__c")
    assert fields(message) == ("Tier__c",)


def test_a_field_that_is_missing_stays_where_that_is_the_failure() -> None:
    assert fields("INVALID_FIELD: No such column 'Gone__c' on sobject of type Account") == ("Gone__c",)


def test_nothing_goes_where_another_record_may_be_meant() -> None:
    message = "T: execution of AfterInsert caused by: REQUIRED_FIELD_MISSING, Missing: [Colour__c]"
    assert fields(message) == ("Colour__c",)
    assert fields("Required fields are missing: [Colour__c]", "Unknown__c") == ("Colour__c",)


def test_an_id_tells_whose_field_is_meant() -> None:
    parcel = "a0P5g00000Qr7Tb"
    message = (
        "T: execution of AfterInsert caused by: Update failed. First exception on row 0 with id "
        f"{parcel + check_characters(parcel)}; first error: STRING_TOO_LONG, Weight: data value too large: 12"
    )
    assert fields(message) == ("Weight__c",)


def test_a_label_of_an_object_becomes_its_api_name() -> None:
    message = "Entitätstyp 'Interessent': CRM ErrorCode: ENTITY_IS_LOCKED"
    assert checked(diagnose(message), ORG, "Account")[0].objects == ("Lead",)


def remarks(value: str, *, field: str = "Delivery__c") -> str:
    message = f"bad value for restricted picklist field: {value}: [{field}]"
    explanation = explain_message(message, object_name="Account", org=OrgContext(metadata=ORG))
    return plain(" ".join(explanation.remarks))


def test_a_refused_value_is_told_against_the_values_that_there_are() -> None:
    assert remarks("Couriers") == "Lieferart (Delivery__c) does not have Couriers. Closest: Courier."
    assert remarks("pick up").endswith("Closest: Pick-up.")
    assert remarks("Zeppelin", field="Tier__c").endswith("does not have Zeppelin. It has: Gold, Silver.")
    assert "has the value Gold by now: a re-sync is worth a try" in remarks("Gold", field="Tier__c")


def test_the_guidance_speaks_in_the_orgs_names() -> None:
    message = "Lieferart: ungültiger Wert für eingeschränktes Auswahllistenfeld: Taube"
    headline = explain_message(message, object_name="Account", org=OrgContext(metadata=ORG)).headline
    assert headline == "The picklist Delivery__c does not have the value Taube."


def test_without_a_dictionary_nothing_changes() -> None:
    for message in ("Required fields are missing: [X]; duplicate value found: Y", "", "anything"):
        assert checked(diagnose(message), OrgMetadata(), "Account")[0] == diagnose(message)


def test_hostile_names_of_an_org_are_names_and_nothing_else() -> None:
    evil = "**[[{flow}|x]]**\x1b]0;pwned\x07"
    org = OrgMetadata(
        objects=(ObjectEntry("Account", evil, "Accounts", "001"),),
        read_at=READ_AT,
        described={
            "Account": Described((FieldEntry("Evil__c", evil, (evil, "Drone {code} ]]")),), READ_AT),
        },
    )
    message = "Evil__c: bad value for restricted picklist field: Drones: [Evil__c]"
    explanation = explain_message(message, object_name="Account", org=OrgContext(metadata=org))
    shown = "\n".join(line.text for line in explanation_lines(explanation, 80))
    assert "\x1b" not in shown and "\x07" not in shown
    assert "Drone {code} ]]" in " ".join(shown.split())
    assert "INVALID_OR_NULL" not in "".join(explanation.remarks)
