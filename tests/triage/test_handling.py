"""Notes, assignment, tickets and snoozes: what holds of what was said, and when a snooze is over."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis import causes
from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.fingerprint import former_keys
from syncerr_tui.errors import BadInputError
from syncerr_tui.text import clean
from syncerr_tui.triage.filter import parse
from syncerr_tui.triage.handling import (
    NOTHING_SAID,
    PARENT,
    HandlingKind,
    HandlingLine,
    handlings,
    snooze_value,
    waits_for_parent,
)
from tests.factories import NOW, sync_error

KIND = HandlingKind
PARENT_ROW = sync_error(1)
VICTIM = sync_error(
    2,
    code="INVALID_FIELD",
    object=clean("OrderItem"),
    message=clean(
        "Foreign key external ID: "
        + PARENT_ROW.storeconnect_id
        + " not found for field s_c__sC_Id__c in entity Order"
    ),
)


def graph_of(*errors: object) -> CauseGraph:
    graph = CauseGraph()
    graph.add(errors)  # type: ignore[arg-type]
    return graph


def line(target: str, kind: HandlingKind, value: str = "", text: str = "", minutes: int = 0) -> HandlingLine:
    return HandlingLine(NOW + timedelta(minutes=minutes), "ana", target, kind, value, text)


def key_of(graph: CauseGraph, row: str) -> str:
    cause = graph.cause_of(row)
    assert cause is not None
    return cause.key


def test_the_last_word_of_each_kind_counts_and_notes_add_up() -> None:
    graph = graph_of(PARENT_ROW)
    lines = [
        line(PARENT_ROW.id, KIND.NOTE, text="first"),
        line(PARENT_ROW.id, KIND.ASSIGN, "tom", minutes=1),
        line(PARENT_ROW.id, KIND.ASSIGN, "", text="he is ill", minutes=2),
        line(PARENT_ROW.id, KIND.SUPPORT, "T-1", minutes=3),
    ]
    handled = handlings(graph, lines, NOW).of(PARENT_ROW.id)
    assert (handled.assignee, handled.ticket) == ("", "T-1")
    assert [note.text for note in handled.notes] == ["first", "he is ill"]


def test_what_is_said_of_a_cause_holds_for_the_errors_of_tomorrow_and_a_rows_own_counts_first() -> None:
    graph = graph_of(PARENT_ROW)
    key = key_of(graph, PARENT_ROW.id)
    lines = [line(key, KIND.ASSIGN, "tom"), line(PARENT_ROW.id, KIND.ASSIGN, "ana")]
    tomorrow = sync_error(9)
    graph.add([tomorrow])
    for in_order in (lines, lines[::-1]):
        known = handlings(graph, in_order, NOW)
        assert (known.of(PARENT_ROW.id).assignee, known.of(tomorrow.id).assignee) == ("ana", "tom")


@pytest.mark.parametrize(
    ("code", "message", "former"),
    [
        (
            None,
            "unable to obtain exclusive access to this record",
            "v1 code=none | object=Order | text=unable to obtain exclusive access to this record",
        ),
        (
            None,
            "Fax: data value too large: 0123 (max length=3): [Fax]",
            "v1 code=none | object=Order | text=fax: data value too large: # (max length=#",
        ),
        (
            "STRING_TOO_LONG",
            "Fax: data value too large: 0123 (max length=3): [Fax]",
            "v1 code=STRING_TOO_LONG | object=Order | text=fax: data value too large: # (max length=#",
        ),
        (
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "insufficient access rights on cross-reference id: 0015g00000Lm2XyAAJ",
            (
                "v1 code=INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY | object=Order "
                "| text=insufficient access rights on cross-reference id: #"
            ),
        ),
        (
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:No!:Fax --FIELD_CUSTOM_VALIDATION_EXCEPTION:No name:Name --",
            (
                "v1 code=FIELD_CUSTOM_VALIDATION_EXCEPTION | object=Order | text=no! "
                "| code=FIELD_CUSTOM_VALIDATION_EXCEPTION | object=Order | text=no name"
            ),
        ),
    ],
)
def test_what_was_said_of_a_cause_follows_it_when_the_rule_that_makes_its_key_has_changed(
    code: str | None, message: str, former: str
) -> None:
    row = sync_error(1, code=code, message=clean(message))
    graph = graph_of(row, sync_error(2))
    assert former != key_of(graph, row.id)
    history = [
        line(former, KIND.SNOOZE, snooze_value("8h", NOW, 1, waits=False)),
        line(former, KIND.NOTE, text="it"),
    ]
    known = handlings(graph, history, NOW)
    assert set(known.rows) == {row.id}
    assert known.asleep == {row.id}
    woken = handlings(graph, [*history, line(key_of(graph, row.id), KIND.SNOOZE, minutes=1)], NOW)
    assert [note.text for note in woken.of(row.id).notes] == ["it"]
    assert woken.asleep == frozenset()


def test_what_was_said_of_causes_that_are_gone_reads_each_cause_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 5,000 causes and a hundred such notes the list would wait for minutes."""
    reading = Mock(wraps=former_keys)
    monkeypatch.setattr(causes, "former_keys", reading)
    graph = graph_of(PARENT_ROW, sync_error(3, code="STRING_TOO_LONG", message=clean("Too long")))
    gone = [line(f"v1 code=GONE | text={number}", KIND.NOTE, text="it") for number in range(3)]
    for _ in range(2):
        assert handlings(graph, gone, NOW).rows == {}
    assert reading.call_count == len(graph.causes()) == 2


def test_what_is_said_of_rows_that_are_gone_is_nothing_and_comes_back_with_them() -> None:
    graph = graph_of(VICTIM)
    lines = [line(PARENT_ROW.id, KIND.NOTE, text="odd"), line("v1 no such cause", KIND.ASSIGN, "tom")]
    assert handlings(graph, lines, NOW).rows == {}
    graph.add([PARENT_ROW])
    assert handlings(graph, lines, NOW).of(PARENT_ROW.id).notes[0].text == "odd"


@given(minutes=st.integers(1, 5000), later=st.integers(0, 6000))
def test_a_snooze_until_a_time_ends_by_itself(minutes: int, later: int) -> None:
    graph = graph_of(PARENT_ROW)
    value = snooze_value((NOW + timedelta(minutes=minutes)).isoformat(), NOW, 1, waits=True)
    handled = handlings(graph, [line(PARENT_ROW.id, KIND.SNOOZE, value)], NOW + timedelta(minutes=later))
    assert (handled.of(PARENT_ROW.id).snooze is not None) == (later < minutes)


def test_a_snooze_until_there_are_more_ends_when_there_are() -> None:
    graph = graph_of(PARENT_ROW)
    lines = [line(key_of(graph, PARENT_ROW.id), KIND.SNOOZE, snooze_value("+2", NOW, 1, waits=True))]
    graph.add([sync_error(10)])
    assert handlings(graph, lines, NOW).asleep == {PARENT_ROW.id, sync_error(10).id}
    graph.add([sync_error(11)])
    assert handlings(graph, lines, NOW).asleep == frozenset()


def test_a_snooze_until_the_parent_is_fixed_ends_with_it() -> None:
    graph = graph_of(PARENT_ROW, VICTIM)
    lines = [line(VICTIM.id, KIND.SNOOZE, snooze_value(PARENT, NOW, 1, waits=True))]
    assert graph.links_of(VICTIM.id)
    assert handlings(graph, lines, NOW).asleep == {VICTIM.id}
    graph.discard([PARENT_ROW.id])
    assert handlings(graph, lines, NOW).asleep == frozenset()


def test_who_is_woken_is_awake() -> None:
    graph = graph_of(PARENT_ROW)
    lines = [
        line(PARENT_ROW.id, KIND.SNOOZE, snooze_value("8h", NOW, 1, waits=True)),
        line(PARENT_ROW.id, KIND.SNOOZE, ""),
    ]
    assert handlings(graph, lines, NOW).of(PARENT_ROW.id) == NOTHING_SAID


@pytest.mark.parametrize("value", ["x", "+1", "+1:x", "+:", "2026-11-30", "9999", "until"])
def test_a_snooze_that_cannot_be_read_hides_nothing(value: str) -> None:
    graph = graph_of(PARENT_ROW)
    assert handlings(graph, [line(PARENT_ROW.id, KIND.SNOOZE, value)], NOW).asleep == frozenset()


@pytest.mark.parametrize(
    "text", ["", "8", "+", "+-1", "yesterday", "2020-01-01T00:00", "0h", "99999h", "parents"]
)
def test_a_time_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        snooze_value(text, NOW, 1, waits=True)


def test_what_waits_for_no_parent_cannot_be_snoozed_until_it_is_fixed() -> None:
    graph = graph_of(PARENT_ROW, VICTIM)
    assert waits_for_parent(graph, [PARENT_ROW.id, VICTIM.id])
    assert not waits_for_parent(graph, [PARENT_ROW.id])
    with pytest.raises(BadInputError, match="It waits for no parent"):
        snooze_value(PARENT, NOW, 1, waits=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("note:carrier", True),
        ("note:t-77", True),
        ("note:any", True),
        ("note:none", False),
        ("note:nothing", False),
        ("-note:any", False),
        ("assigned:TOM", True),
        ("assigned:to", False),
        ("assigned:none", False),
        ("snoozed:yes", True),
        ("snoozed:no", False),
    ],
)
def test_filters_know_what_was_said(text: str, found: bool) -> None:
    graph = graph_of(PARENT_ROW, sync_error(5, message=clean("other"), code="UNKNOWN_EXCEPTION"))
    lines = [
        line(PARENT_ROW.id, KIND.NOTE, text="Ask the carrier"),
        line(PARENT_ROW.id, KIND.SUPPORT, "T-77"),
        line(PARENT_ROW.id, KIND.ASSIGN, "Tom"),
        line(PARENT_ROW.id, KIND.SNOOZE, snooze_value("1h", NOW, 1, waits=True)),
    ]
    only = parse(text, handled=handlings(graph, lines, NOW).of)
    assert only.matches(PARENT_ROW, NOW) is found


def test_snoozed_is_yes_or_no() -> None:
    with pytest.raises(BadInputError, match="yes or no"):
        parse("snoozed:maybe")
    assert not parse("snoozed:y", typing=True).terms
