"""From a record to a sync error: whatever stands in it, it comes out harmless or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.model import EventStanding, EventType
from syncerr_tui.salesforce.reading import EventReader, ReadUpTo, datetime_of
from syncerr_tui.text import clean
from tests.factories import salesforce_id, storeconnect_id
from tests.salesforce.test_methods import MAPPING

READER = EventReader(MAPPING)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "attributes": {"type": MAPPING.object_name},
        "Id": salesforce_id(7),
        "CreatedDate": "2026-11-22T01:00:00.000+0000",
        "SystemModstamp": "2026-11-23T02:14:07.000+0000",
        "s_c__Object__c": "Order",
        "s_c__Event_Type__c": "Create",
        "s_c__Processed_At__c": "2026-11-23T02:14:07.000Z",
        "s_c__Salesforce_Id__c": "801xx000003DGb2",
        "s_c__StoreConnect_Id__c": storeconnect_id(7),
        "s_c__Message__c": "Required fields are missing: [Name]",
        "s_c__Status__c": "FAILED",
        "s_c__Code__c": "REQUIRED_FIELD_MISSING",
        **changes,
    }


def test_all_six_fields_and_the_code_are_read() -> None:
    error = READER.error(row())
    assert error is not None
    assert (error.id, error.object, error.event_type) == (salesforce_id(7), "Order", EventType.CREATE)
    assert error.processed_at == datetime(2026, 11, 23, 2, 14, 7, tzinfo=UTC)
    assert error.created_at == datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    assert error.salesforce_id is not None
    assert error.salesforce_id.startswith("801xx000003DGb2")
    assert len(error.salesforce_id) == 18
    assert (error.storeconnect_id, error.code) == (storeconnect_id(7), "REQUIRED_FIELD_MISSING")
    assert error.message == "Required fields are missing: [Name]"


@pytest.mark.parametrize("blank", [None, "", "  ", "not a code!", 5])
def test_without_a_code_field_value_the_first_code_of_the_message_counts(blank: object) -> None:
    text = "UPSERT failed: CANNOT_EXECUTE_FLOW_TRIGGER, DUPLICATES_DETECTED: [x]"
    error = READER.error(row(s_c__Code__c=blank, s_c__Message__c=text))
    assert error is not None
    assert error.code == "CANNOT_EXECUTE_FLOW_TRIGGER"


def test_an_org_without_code_and_salesforce_id_fields_is_read_too() -> None:
    reader = EventReader(replace(MAPPING, code=None, salesforce_id=None))
    error = reader.error(row(s_c__Message__c="no code here"))
    assert error is not None
    assert (error.code, error.salesforce_id) == (None, None)
    assert "s_c__Code__c" not in reader.query()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("Create", EventType.CREATE),
        ("update", EventType.UPDATE),
        (" DELETE ", EventType.DELETE),
        ("Upsert", EventType.OTHER),
        (None, EventType.OTHER),
    ],
)
def test_event_types(value: str | None, kind: EventType) -> None:
    error = READER.error(row(s_c__Event_Type__c=value))
    assert error is not None
    assert error.event_type is kind


def test_the_orgs_own_words_for_event_types() -> None:
    reader = EventReader(replace(MAPPING, event_types={"Anlegen": EventType.CREATE}))
    error = reader.error(row(s_c__Event_Type__c="anlegen"))
    assert error is not None
    assert error.event_type is EventType.CREATE


def test_hostile_text_is_harmless_afterwards() -> None:
    evil = "\x1b]52;c;cm0gLXJm\x07[bold]\u202eabc\r\nnext\x9b2J"
    error = READER.error(row(s_c__Message__c=evil, s_c__Object__c=evil, s_c__StoreConnect_Id__c=evil))
    assert error is not None
    for text in (error.message, error.object, error.storeconnect_id):
        assert text == clean(text)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\n" not in error.object


def test_a_salesforce_id_that_is_none_is_not_handed_on() -> None:
    error = READER.error(row(s_c__Salesforce_Id__c="https://evil.example/"))
    assert error is not None
    assert error.salesforce_id is None


def test_a_row_without_an_identity_is_not_a_row() -> None:
    assert READER.errors([row(), row(Id=None), row(Id="x"), {}]) == (READER.error(row()),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(row())), JSON))
def test_no_record_breaks_the_reading(changes: dict[str, Any]) -> None:
    record = row(**changes)
    error = READER.error(record)
    READER.place(record)
    assert error is None or (error.message == clean(error.message) and len(error.id) == 18)
    seen = READER.seen(salesforce_id(7), record)
    assert seen.status is None or "\n" not in seen.status


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("FAILED", EventStanding.FAILED),
        ("failed", EventStanding.FAILED),
        ("PENDING", EventStanding.PENDING),
        ("PROCESSED", EventStanding.DONE),
        ("", EventStanding.PENDING),
    ],
)
def test_standing(status: str, standing: EventStanding) -> None:
    assert READER.standing(status) is standing


@pytest.mark.parametrize("word", ["Queued", "Pending", "In Progress", "Retrying"])
def test_where_setup_saw_no_pending_value_an_unfinished_word_is_not_taken_for_done(word: str) -> None:
    assert EventReader(replace(MAPPING, pending=())).standing(word) is EventStanding.PENDING


def test_a_checkbox_as_status_is_asked_for_and_read_as_one() -> None:
    mapping = replace(MAPPING, status_type="boolean", failed=("true",), pending=(), done=("false",))
    reader = EventReader(mapping)
    assert "WHERE s_c__Status__c = true ORDER BY" in reader.query()
    assert reader.standing(True) is EventStanding.FAILED
    assert reader.standing(False) is EventStanding.DONE
    assert reader.standing(None) is EventStanding.PENDING


def test_of_several_values_at_once_the_worst_counts() -> None:
    reader = EventReader(replace(MAPPING, status_type="multipicklist", done=("PROCESSED", "SEEN")))
    assert "s_c__Status__c INCLUDES ('FAILED')" in reader.query()
    assert reader.standing("PROCESSED;SEEN") is EventStanding.DONE
    assert reader.standing("PROCESSED;FAILED") is EventStanding.FAILED
    assert reader.standing("PROCESSED;PENDING") is EventStanding.PENDING
    assert reader.standing("PROCESSED;ARCHIVED") is EventStanding.UNCLEAR


def test_a_status_that_takes_no_condition_is_sorted_here() -> None:
    reader = EventReader(replace(MAPPING, status_filterable=False))
    assert "WHERE" not in reader.query()
    assert "WHERE (CreatedDate >" in reader.query(reader.place(row()))
    assert [error.id for error in reader.errors([row(), row(s_c__Status__c="PROCESSED")])] == [
        salesforce_id(7)
    ]


def test_an_event_that_is_gone() -> None:
    seen = READER.seen(salesforce_id(7), None)
    assert (seen.standing, seen.status, seen.error, seen.modified_at) == (
        EventStanding.GONE,
        None,
        None,
        None,
    )


def test_the_query_is_ordered_by_keys_that_never_change_and_goes_on_behind_a_place() -> None:
    assert READER.query().endswith("WHERE s_c__Status__c IN ('FAILED') ORDER BY CreatedDate, Id")
    place = READER.place(row())
    assert place == ReadUpTo("2026-11-22T01:00:00.000+0000", salesforce_id(7))
    behind = (
        "AND (CreatedDate > 2026-11-22T01:00:00.000Z OR "
        f"(CreatedDate = 2026-11-22T01:00:00.000Z AND Id > '{salesforce_id(7)}')) ORDER BY"
    )
    assert behind in READER.query(place)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T02:14:07.000+0000", "2026-11-23T02:14:07+00:00"),
        ("2026-11-23T02:14:07.000Z", "2026-11-23T02:14:07+00:00"),
        ("2026-11-23T04:14:07.5+02:00", "2026-11-23T02:14:07.500000+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (12345678, None),
    ],
)
def test_moments(value: object, expected: str | None) -> None:
    moment = datetime_of(value)
    assert (moment.isoformat() if moment else None) == expected
