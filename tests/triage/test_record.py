"""The raw record as JSON: exactly what the org sent, and nothing that a terminal or an editor obeys."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.text import HOSTILE
from syncerr_tui.triage.export import record_fields, record_json

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES))
def test_json_says_what_was_sent_and_holds_nothing_hostile(record: dict[str, object]) -> None:
    text = record_json(record)
    assert json.loads(text) == record
    assert HOSTILE.search(text) is None
    assert not {"\u2028", "\u2029"} & set(text)


@pytest.mark.parametrize(
    "value",
    [
        "vim: set ft=x:",
        " vi:foldexpr=x",
        "ex: x",
        "# vim600: set x:",
        "-*- eval: (x) -*-",
        "Local Variables:",
        "Vim>700: x",
    ],
)
def test_no_editor_takes_a_value_for_its_settings(value: str) -> None:
    text = record_json({"a": value})
    assert json.loads(text) == {"a": value}
    assert value.strip() not in text


def test_fields_stand_in_the_orgs_order_and_what_describes_them_last() -> None:
    record = {"attributes": {"type": "X"}, "Id": "1", "B": None, "C": "a\x1b[2J", "D": {"e": 1}}
    assert record_fields(record) == [
        ("Id", "1"),
        ("B", "null"),
        ("C", "a␛[2J"),
        ("D", '{"e": 1}'),
        ("attributes", '{"type": "X"}'),
    ]
