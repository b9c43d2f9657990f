"""Several failures in one message: each is read and answered by itself, in order."""

from __future__ import annotations

import json

import pytest

from syncerr_tui.diagnosis.explanation import explain_message
from syncerr_tui.diagnosis.fingerprint import fingerprint
from syncerr_tui.diagnosis.model import Retry
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.diagnosis.render import explanation_lines, markdown
from syncerr_tui.diagnosis.summary import summarize

ACCOUNT = "0015g00000Qr7TbAAJ"
SIDE_BY_SIDE = {
    "a semicolon": (
        (
            "Required fields are missing: [LastName]; duplicate value found: Shop_Id__c duplicates value on "
            f"record with id: {ACCOUNT}"
        ),
        ("REQUIRED_FIELD_MISSING", "DUPLICATE_VALUE"),
    ),
    "the Bulk API's column": (
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [Email]:Email --"
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:Pick a store first:Store__c --"
        ),
        ("REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ),
    "a REST answer": (
        json.dumps(
            [
                {
                    "message": "Colour: data value too large: xyz (max length=2)",
                    "errorCode": "STRING_TOO_LONG",
                },
                {"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []},
            ]
        ),
        ("STRING_TOO_LONG", "ENTITY_IS_DELETED"),
    ),
    "a composite answer": (
        json.dumps(
            {
                "compositeResponse": [
                    {"body": [{"message": "Use one of these records?", "errorCode": "DUPLICATES_DETECTED"}]},
                    {
                        "body": [
                            {"message": "The transaction was rolled back", "errorCode": "PROCESSING_HALTED"}
                        ]
                    },
                    {
                        "body": [
                            {
                                "message": "insufficient access rights on object id",
                                "errorCode": "INSUFFICIENT_ACCESS_OR_READONLY",
                            }
                        ]
                    },
                ]
            }
        ),
        ("DUPLICATES_DETECTED", "INSUFFICIENT_ACCESS_OR_READONLY"),
    ),
    "a list of DML errors": (
        (
            "Database.Error[getFields=(Name);getMessage=Required fields are missing: [Name];"
            "getStatusCode=REQUIRED_FIELD_MISSING;], Database.Error[getFields=();getMessage=No price;"
            "getStatusCode=FIELD_INTEGRITY_EXCEPTION;]"
        ),
        ("REQUIRED_FIELD_MISSING", "FIELD_INTEGRITY_EXCEPTION"),
    ),
    "SOAP": (
        (
            "<errors><fields>Name</fields><message>Required fields are missing: [Name]</message>"
            "<statusCode>REQUIRED_FIELD_MISSING</statusCode></errors><errors><message>Too late</message>"
            "<statusCode>FIELD_CUSTOM_VALIDATION_EXCEPTION</statusCode></errors>"
        ),
        ("REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ),
    "lines of another language": (
        (
            "Pflichtfelder fehlen: [LastName]\n"
            "Farbe: ungültiger Wert für eingeschränktes Auswahllistenfeld: Mauve"
        ),
        ("REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    ),
}


@pytest.mark.parametrize("shape", SIDE_BY_SIDE)
def test_failures_side_by_side_are_told_apart(shape: str) -> None:
    message, roots = SIDE_BY_SIDE[shape]
    assert tuple(failure.root_code for failure in diagnose(message).failures) == roots


@pytest.mark.parametrize(
    "message",
    [
        (
            "CANNOT_EXECUTE_FLOW_TRIGGER, We can't save this record because the “A” process failed. "
            "The flow tried to create records:\nREQUIRED_FIELD_MISSING: Required fields are missing: [X]."
        ),
        (
            "T: execution of AfterInsert caused by: System.DmlException: Update failed; first error: "
            "DUPLICATE_VALUE, duplicate value found: A__c duplicates value on record with id: 0015g00000Qr7Tb"
        ),
        "duplicate value found: Name\nduplicates value on record with id: 0015g00000Qr7Tb",
        "T: execution of BeforeInsert\n\nSystem.NullPointerException: Attempt to de-reference a null object",
        json.dumps(
            {
                "message": "An error occurred while trying to update the record.",
                "output": {"errors": [{"errorCode": "FIELD_INTEGRITY_EXCEPTION", "message": "No price"}]},
            }
        ),
        json.dumps([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}] * 3),
        "FIELD_CUSTOM_VALIDATION_EXCEPTION, First save; then submit -- not both: []",
    ],
)
def test_one_chain_is_one_failure(message: str) -> None:
    assert len(diagnose(message).failures) == 1


def test_each_failure_has_its_own_names_and_all_of_them_stand_together() -> None:
    diagnosis = diagnose(SIDE_BY_SIDE["a semicolon"][0])
    first, second = diagnosis.failures
    assert (first.fields, first.record_ids) == (("LastName",), ())
    assert (second.fields, second.record_ids) == (("Shop_Id__c",), (ACCOUNT,))
    assert diagnosis.fields == ("LastName", "Shop_Id__c")
    assert diagnosis.root_code == "REQUIRED_FIELD_MISSING"


def test_the_records_own_code_goes_to_the_failure_that_it_belongs_to() -> None:
    message = (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [A]:A --"
        "STRING_TOO_LONG:B: data value too large: c:B --"
    )
    assert [failure.code for failure in diagnose(message, "STRING_TOO_LONG").failures] == [
        None,
        "STRING_TOO_LONG",
    ]


def test_everything_that_is_said_speaks_of_each_failure_in_order() -> None:
    message, roots = SIDE_BY_SIDE["a semicolon"]
    explanation = explain_message(message, object_name="Contact")
    shown = "\n".join(line.text for line in explanation_lines(explanation, 80))
    assert "2 failures\nAll of them have to be fixed" in shown
    assert shown.index(f"Failure 1 of 2: {roots[0]}") < shown.index(f"Failure 2 of 2: {roots[1]}")
    assert [item.failure.root_code for item in explanation.failures] == list(roots)
    assert json.loads(json.dumps(explanation.payload()))["failures"][1]["root_code"] == roots[1]
    assert explanation.headline.startswith("2 failures: ")
    assert summarize(message, None).startswith("2 failures: empty: LastName; ")
    assert "**2 failures.**" in markdown(explanation)
    assert all(f"# `{root}`" in markdown(explanation) for root in roots)


def test_the_hardest_failure_decides_what_has_to_happen_first() -> None:
    message = (
        "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
        "ENTITY_IS_LOCKED:Unable to modify activated or superseded Order:--"
    )
    explanation = explain_message(message)
    assert (explanation.retry, explanation.support_only) == (Retry.SUPPORT_ONLY, True)
    assert diagnose(message).transient is False


def test_errors_with_one_failure_in_common_are_not_one_cause() -> None:
    both, roots = SIDE_BY_SIDE["a semicolon"]
    one = both.partition(";")[0]
    assert len(roots) == 2
    assert fingerprint(diagnose(both), "Contact").key != fingerprint(diagnose(one), "Contact").key
    other = both.replace(ACCOUNT, "0015g00000Lm2XyAAJ")
    assert fingerprint(diagnose(both), "Contact").key == fingerprint(diagnose(other), "Contact").key


@pytest.mark.parametrize(
    ("code", "one", "another", "other"),
    [
        (
            "STRING_TOO_LONG",
            "Fax: data value too large: 0123 (max length=3): [Fax]",
            "Fax: data value too large: none of ours (max length=3): [Fax]",
            "Shelf: data value too large: 0123 (max length=3): [Shelf__c]",
        ),
        (
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: Fax, Tax__c. Please check the security settings of this field",
            "Unable to create/update fields: Tax__c, Fax. Please check the security settings of this field",
            "Unable to create/update fields: Tax__c. Please check the security settings of this field",
        ),
        (
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Tax__c is frozen while an invoice is open: [Tax__c]",
            "INVALID_FIELD_FOR_INSERT_UPDATE:Tax__c is frozen while an invoice is open:Tax__c --",
            "Tax__c is set by the night's run: [Tax__c]",
        ),
        (
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id: 0015g00000Lm2XyAAJ",
            "insufficient access rights on cross-reference id",
            "insufficient access rights on object id",
        ),
        (
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:No!:Fax --FIELD_CUSTOM_VALIDATION_EXCEPTION:No name:Name --",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:No name:Name --FIELD_CUSTOM_VALIDATION_EXCEPTION:No!:Fax --",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:No name:Name --",
        ),
    ],
)
def test_what_differs_from_row_to_row_makes_no_cause_of_its_own(
    code: str, one: str, another: str, other: str
) -> None:
    keys = [fingerprint(diagnose(message, code), "Contact").key for message in (one, another, other)]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
