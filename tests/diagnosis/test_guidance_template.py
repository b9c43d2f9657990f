from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.guidance_template import LONGEST_NAME, fill, marked_name, names, plain


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Nothing to fill.", "Nothing to fill."),
        ("Open {flow}.", "Open **A**."),
        ("Open {unknown}.", None),
        ("Open [[the Flow {flow}|a Flow]].", "Open the Flow **A**."),
        ("Open [[the rule {unknown}|a rule]].", "Open a rule."),
        ("Open it[[ at {unknown}]].", "Open it."),
        ("[[{unknown}|{flow}|x]]", "**A**"),
        ("[[{flow} and {unknown}|only {flow}]]", "only **A**"),
        ("{many}", "**x**, **y** and **z**"),
        ("the {fields_word}", "the fields"),
        ("[[a]] {unknown}", None),
    ],
)
def test_fill(template: str, filled: str | None) -> None:
    blanks = {"flow": ("A",), "many": ("x", "y", "z"), "empty": (), "fields_word": ("fields",)}
    assert fill(template, blanks) == filled


def test_an_empty_value_is_an_unknown_one() -> None:
    assert fill("[[{empty}|nothing]]", {"empty": ()}) == "nothing"


@given(st.text(max_size=400))
def test_a_name_survives_its_marks(value: str) -> None:
    filled = fill("x {it} y [[z {it}|w]]", {"it": (value,)})
    assert filled is not None
    pieces = list(names(filled))
    marked = [piece for piece, named in pieces if named]
    shown = marked_name(value)[2:-2]
    assert len(shown) <= LONGEST_NAME
    assert "\n" not in filled
    if shown:
        assert marked == [shown, shown]
        assert plain(filled) == f"x {shown} y z {shown}"


def test_stars_in_a_name_do_not_end_it() -> None:
    filled = fill("{it}", {"it": ("**a** * b*",)})
    assert filled is not None
    assert list(names(filled)) == [("∗∗a∗∗ * b∗", True)]


def test_a_sentence_may_be_for_what_is_not_known() -> None:
    template = "{!flow}Find the Flow.[[ It is {flow}.| The message names {!flow}none.]]"
    assert fill(template, {}) == "Find the Flow. The message names none."
    assert fill(template, {"flow": ("Order Builder",)}) is None
