"""Ids and queries: no value becomes syntax, and nothing that is no id goes into an address."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.soql import checked_ids, to_18


def test_an_id_gets_its_checksum_and_a_wrong_one_is_none() -> None:
    assert to_18("001xx000003DGb2") == "001xx000003DGb2AAG"
    assert to_18("001xx000003DGb2AAG") == "001xx000003DGb2AAG"
    assert to_18("001xx000003DGb2AAA") is None
    assert to_18("001XX000003DGB2AAG") is None


@pytest.mark.parametrize(
    "value",
    ["", "001", "https://evil.example/x", "../../limits", "/services/x", "001xx000003DGb2AAG\n", None, 7],
)
def test_what_is_no_id_is_refused(value: object) -> None:
    assert to_18(value) is None
    with pytest.raises(BadInputError):
        checked_ids([value])  # type: ignore[list-item]


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_an_id_is_ascii_letters_and_digits(value: str) -> None:
    whole = to_18(value)
    assert whole is None or re.fullmatch("[0-9A-Za-z]{18}", whole)


@given(st.text())
def test_a_quoted_value_cannot_end_its_literal(value: str) -> None:
    inner = soql.quote(value)[1:-1]
    assert re.fullmatch(r"(?:[^'\\]|\\.)*", inner, re.DOTALL)


@pytest.mark.parametrize("value", ["a b", "x'--", "", "1a", "a.b", "Id FROM User", "ä", "a" * 81, "a\n"])
def test_a_name_is_a_name(value: str) -> None:
    with pytest.raises(BadInputError):
        soql.name(value)


def test_an_empty_in_is_a_mistake_and_never_a_query() -> None:
    with pytest.raises(ValueError, match="at least one"):
        soql.one_of("Id", [])


def test_in_holds_each_value_once() -> None:
    assert soql.one_of("Name", ["a", "b'", "a"]) == r"Name IN ('a','b\'')"


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 23, 2, 14, 7, 123999, tzinfo=timezone(timedelta(hours=2)))
    assert soql.datetime_literal(moment) == "2026-11-23T00:14:07.123Z"
    assert soql.datetime_literal(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


def test_400_ids_fit_into_an_address() -> None:
    from urllib.parse import quote_plus

    query = "SELECT Id FROM s_c__Change_Event__c WHERE " + soql.one_of(
        "Id", (f"a0X5g0000{number:09d}" for number in range(soql.IDS_PER_QUERY))
    )
    assert len(quote_plus(query)) < 14_000


def test_200_storeconnect_ids_fit_into_an_address() -> None:
    from urllib.parse import quote_plus

    some = (f"{number:08d}-0000-4000-8000-000000000000" for number in range(soql.VALUES_PER_QUERY))
    assert len(quote_plus(soql.one_of("s_c__sC_Id__c", some))) < 14_000


def test_literals_are_written_by_the_type_of_their_field() -> None:
    assert soql.one_of("A__c", ["x", "y"]) == "A__c IN ('x','y')"
    assert soql.one_of("A__c", ["TRUE"], "boolean") == "A__c = true"
    assert soql.one_of("A__c", ["true", "false"], "boolean") == "(A__c = true OR A__c = false)"
    assert soql.one_of("A__c", ["9", "-1.5"], "double") == "A__c IN (9,-1.5)"
    assert soql.one_of("A__c", ["x"], "multipicklist") == "A__c INCLUDES ('x')"
    for value, kind in (("yes", "boolean"), ("1 OR 1=1", "int"), ("1e9", "double"), ("", "boolean")):
        with pytest.raises(BadInputError):
            soql.one_of("A__c", [value], kind)
