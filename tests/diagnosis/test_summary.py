from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.summary import summarize

FLOW = (
    "We can't save this record because the “Order Builder” process failed. "
    "Give your Salesforce admin these details. "
)
PARENT = (
    '{"statusCode":"INVALID_FIELD","message":"Foreign key external ID: 7ce42c82-1807-4e8c-b5bf-992dc9e9c616 '
    'not found for field s_c__sC_Id__c in entity Account","fields":[]}'
)
PICKLIST = (
    "Insert failed. First exception on row 0; first error: INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST, "
    "Action: bad value for restricted picklist field: Delete: [Action__c]"
)
NESTED = (
    f"{FLOW}This error occurred when the flow tried to update records: FIELD_CUSTOM_VALIDATION_EXCEPTION: "
    "Close the case first.. You can look up ExceptionCode values in the SOAP API Developer Guide."
)


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("INVALID_FIELD", PARENT, "needs Account 7ce42c82…"),
        ("INVALID_CHANGE_EVENT", "A previous change failed", "needs an earlier change of this record"),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name, Site__c]", "empty: Name, Site__c"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", PICKLIST, "Action__c = Delete"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", NESTED, "Flow Order Builder: Close the case first"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", FLOW, "Flow Order Builder"),
        ("DUPLICATES_DETECTED", "Use one of these records?", "Use one of these records?"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "line one\nline two", "line one line two"),
        ("DUPLICATES_DETECTED", "You're creating a duplicate record.", "You're creating a duplicate record"),
        (None, "something odd", "something odd"),
    ],
)
def test_the_telling_part_comes_first(code: str | None, message: str, expected: str) -> None:
    assert summarize(message, code) == expected


@given(st.text(max_size=200), st.sampled_from([None, "INVALID_FIELD", "UNKNOWN_EXCEPTION", "?"]))
def test_any_message_has_one_line(message: str, code: str | None) -> None:
    line = summarize(message, code)
    assert "\n" not in line
    assert "\x1b" not in line
