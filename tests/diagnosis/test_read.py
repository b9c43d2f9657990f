"""Single rules of the reading, each where a line of it could go wrong."""

from __future__ import annotations

import pytest

from syncerr_tui.diagnosis.model import Automation
from syncerr_tui.diagnosis.read import diagnose, diagnose_cached
from syncerr_tui.text import clean

LOCK = "unable to obtain exclusive access to this record"


def test_nothing_is_read_out_of_nothing() -> None:
    diagnosis = diagnose("")
    assert (diagnosis.codes, diagnosis.root_code, diagnosis.inferred, diagnosis.spans) == (
        (),
        None,
        False,
        (),
    )


@pytest.mark.parametrize(
    ("message", "code", "root"),
    [
        (f"CANNOT_EXECUTE_FLOW_TRIGGER: UNABLE_TO_LOCK_ROW: {LOCK}", None, "UNABLE_TO_LOCK_ROW"),
        ("UNABLE_TO_LOCK_ROW inside CANNOT_EXECUTE_FLOW_TRIGGER", None, "UNABLE_TO_LOCK_ROW"),
        (
            "UNKNOWN_EXCEPTION, CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            None,
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        ),
        ("FIELD_INTEGRITY_EXCEPTION: DUPLICATE_VALUE: x", "DUPLICATES_DETECTED", "DUPLICATE_VALUE"),
        ("no code here", "DUPLICATE_VALUE", "DUPLICATE_VALUE"),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "DUPLICATE_VALUE", "DUPLICATE_VALUE"),
        ("DUPLICATES_DETECTED", "CANNOT_EXECUTE_FLOW_TRIGGER", "DUPLICATES_DETECTED"),
    ],
)
def test_the_root_is_the_innermost_code_that_says_why(message: str, code: str | None, root: str) -> None:
    diagnosis = diagnose(message, code)
    assert diagnosis.root_code == root
    assert not diagnosis.inferred


def test_a_code_from_wording_is_marked_as_inferred() -> None:
    diagnosis = diagnose("The target object email address is currently marked as bounced.")
    assert (diagnosis.root_code, diagnosis.inferred, diagnosis.codes) == ("EMAIL_ADDRESS_BOUNCED", True, ())


def test_a_given_code_is_never_called_inferred() -> None:
    assert not diagnose("currently marked as bounced", "EMAIL_ADDRESS_BOUNCED").inferred


def test_free_words_of_a_rule_give_no_code_away() -> None:
    assert diagnose("Orders above 5,000 need a second signature").root_code is None


def test_words_in_capitals_are_no_codes() -> None:
    assert diagnose("NOT_A_CODE_OF_SALESFORCE, GONE, CONFLICT, TDTM_CONTACT").codes == ()


def test_a_lock_inside_a_wrapper_may_be_tried_again() -> None:
    assert diagnose(f"boom: {LOCK}", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY").transient
    assert not diagnose("boom", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY").transient


def test_a_used_up_day_is_not_tried_again() -> None:
    assert not diagnose("TotalRequests Limit exceeded.", "REQUEST_LIMIT_EXCEEDED").transient
    assert diagnose("ConcurrentRequests Limit exceeded.", "REQUEST_LIMIT_EXCEEDED").transient


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Class.alpha.Beta.run: line 1, column 1", [("Beta", "alpha")]),
        ("Class.Beta.Inner.run: line 1, column 1", [("Beta", None)]),
        ("Class.GAMMA.Beta.run: line 1, column 1", [("Beta", "GAMMA")]),
        ("Class.Acme.Beta.run: line 1, column 1 (Acme)", [("Beta", "Acme")]),
        ("Class.Acme.Beta.Inner.run: line 1, column 1", [("Beta", "Acme")]),
        ("Class.System.Assert.fail: line 1, column 1", []),
    ],
)
def test_a_stack_line_names_the_class_and_its_package(text: str, names: list[tuple[str, str | None]]) -> None:
    assert diagnose(text).automation == tuple(Automation("class", name, package) for name, package in names)


def test_a_trace_is_turned_around_behind_its_trigger() -> None:
    text = (
        "Outer: execution of AfterInsert caused by: Inner: execution of BeforeUpdate\n"
        "Class.Deep.run: line 1\nClass.Shallow.run: line 2\nTrigger.Inner: line 3: []\n"
        "Class.Top.run: line 4\nTrigger.Outer: line 5"
    )
    names = [item.name for item in diagnose(text).automation]
    assert names == ["Outer", "Top", "Inner", "Shallow", "Deep"]


def test_who_made_the_call_stands_in_front() -> None:
    text = "first error: DUPLICATE_VALUE, T_Order: execution of AfterInsert: [] Class.OrderTest.one: line 4"
    assert [item.name for item in diagnose(text).automation] == ["OrderTest", "T_Order"]


def test_a_name_inside_another_name_is_no_object_and_no_field() -> None:
    diagnosis = diagnose(
        'We can\'t save this record because the "Order Close Date" process failed.',
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    )
    assert (diagnosis.objects, diagnosis.fields) == ((), ())


def test_an_object_is_named_once_in_whatever_case() -> None:
    assert diagnose("Entity type 'Contact': the CONTACT is no contact. Contact!").objects == ("Contact",)


def test_contacting_somebody_is_no_contact() -> None:
    assert (
        diagnose(
            "Please contact your administrator. Contact support. In case of doubt please contact sales"
        ).objects
        == ()
    )


def test_spans_point_into_the_message_as_given() -> None:
    message = (
        '{"message":"Sk\\u00e4rm: bad value for restricted picklist field: a&amp;b","fields":["Size__c"]}'
    )
    diagnosis = diagnose(message)
    assert diagnosis.values == ("a&b",)
    marked = {(span.kind, clean(message)[span.start : span.end]) for span in diagnosis.spans}
    assert ("field", "Size__c") in marked
    assert ("value", "a&amp;b") in marked


def test_line_ends_are_those_of_the_cleaned_message() -> None:
    message = "\r\n\r\nREQUIRED_FIELD_MISSING\r\nRequired fields are missing: [Name]"
    marked = [clean(message)[span.start : span.end] for span in diagnose(message).spans]
    assert marked == ["REQUIRED_FIELD_MISSING", "Name"]


def test_what_html_hides_is_not_shown_as_control_codes() -> None:
    diagnosis = diagnose("Name: bad value for restricted picklist field: a&#27;[31mb&#x202e;c")
    assert all(clean(value) == value for value in diagnosis.values)


def test_the_contract_has_these_names() -> None:
    message = "REQUIRED_FIELD_MISSING, Required fields are missing: [Name]: [Name] Trigger.acme.T: line 1"
    answer = diagnose(message).payload()
    assert list(answer) == [
        "code",
        "codes",
        "root_code",
        "inferred",
        "automation",
        "objects",
        "fields",
        "values",
        "record_ids",
        "external_ids",
        "error_id",
        "limit",
        "transient",
    ]
    assert answer["automation"] == [{"kind": "trigger", "name": "T", "namespace": "acme"}]


def test_the_same_text_is_read_once() -> None:
    assert diagnose_cached("a text", "DUPLICATE_VALUE") is diagnose_cached("a text", "DUPLICATE_VALUE")


def test_an_object_keeps_the_case_it_was_written_in_first() -> None:
    assert diagnose("entity Contact, Entity type 'CONTACT'").objects == ("Contact",)


def test_of_plain_words_only_the_first_is_an_object() -> None:
    assert diagnose("this contact has no account").objects == ("contact",)


def test_names_are_read_from_the_first_page_and_codes_from_all() -> None:
    diagnosis = diagnose("- " * 10_000 + "UNABLE_TO_LOCK_ROW, Required fields are missing: [Name]")
    assert (diagnosis.codes, diagnosis.fields) == (("UNABLE_TO_LOCK_ROW",), ())


def test_escapes_of_json_bring_no_control_codes_in() -> None:
    diagnosis = diagnose('{"message":"Name: bad value for restricted picklist field: a\\u001b\\u202eb"}')
    assert len(diagnosis.values) == 1
    assert clean(diagnosis.values[0]) == diagnosis.values[0]


def test_a_place_inside_a_replacement_stays_before_what_follows() -> None:
    message = "<b>Name</b>: bad value for restricted picklist field: &lt;&lt;x"
    diagnosis = diagnose(message)
    marked = {span.kind: message[span.start : span.end] for span in diagnosis.spans}
    assert marked == {"field": "Name", "value": "&lt;&lt;x"}


@pytest.mark.parametrize(
    ("message", "values"),
    [
        ("Size: bad value for restricted picklist field: Inc.: [Size__c]", ("Inc.",)),
        ("Size: bad value for restricted picklist field: Large.", ("Large",)),
        ("Email: invalid email address: a.example: Email", ("a.example",)),
        ("Email: invalid email address: a@b.: [Email]", ("a@b.",)),
        ("Invalid to address : x: [toAddresses, a@b]", ("a@b",)),
    ],
)
def test_where_a_value_ends(message: str, values: tuple[str, ...]) -> None:
    assert diagnose(message).values == values


def test_ids_of_the_bulk_api_are_no_fields() -> None:
    assert diagnose("UNABLE_TO_LOCK_ROW:locked:a0X5g000001CdEf,a0X5g000001CdEg --").fields == ()


def test_a_rule_may_name_fields_and_other_texts_may_not() -> None:
    text = "The Course Start Date lies before the Course Booking Date"
    assert diagnose(text, "FIELD_CUSTOM_VALIDATION_EXCEPTION").fields == (
        "Course Start Date",
        "Course Booking Date",
    )
    assert diagnose(text, "UNKNOWN_EXCEPTION").fields == ()


def test_a_custom_field_inside_a_longer_name_is_not_named_twice() -> None:
    message = "Unable to create/update fields: Order.Total__c, Id. Please ask."
    assert diagnose(message).fields == ("Order.Total__c", "Id")


def test_the_innermost_limit_counts() -> None:
    diagnosis = diagnose("API_TASK_LIMIT_REACHED STORAGE_LIMIT_EXCEEDED SINGLE_EMAIL_LIMIT_EXCEEDED")
    assert diagnosis.limit == "single email"
