"""Whoever adds one more of a kind is told what is missing where the type checker does not say it."""

from __future__ import annotations

import contextlib
import inspect
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from syncerr_tui.diagnosis.codes import MANUAL_CODES
from syncerr_tui.errors import BadInputError
from syncerr_tui.host.config import PALETTE
from syncerr_tui.journal import filter as journal_filter
from syncerr_tui.journal.database import APPEND_ONLY, MIGRATIONS
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.resync import proof
from syncerr_tui.resync.events import Counts
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.profiles import (
    AUTH_METHODS,
    METHODS,
    ButtonMethod,
    FieldMapping,
    FieldRole,
    questions,
)
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.scoring import ROLES
from syncerr_tui.triage import filter as triage_filter, terms
from syncerr_tui.triage.actions import BY_ID
from syncerr_tui.triage.columns import FIELDS, ORDER, SORTABLE, ordered
from syncerr_tui.ui import app
from syncerr_tui.ui.fix_words import FIXES
from syncerr_tui.ui.journal_words import _COUNTED, ROWS, RUNS
from syncerr_tui.ui.widgets import themed
from syncerr_tui.ui.widgets.themed import _GROUNDS, LOOKS
from tests.contracts.package import ROOT
from tests.factories import NOW, salesforce_id, sync_error

TEXTS = {"string", "picklist", "combobox", "textarea", "encryptedstring"}
"""Types of a field whose values are compared as text."""


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_counted_listed_filtered_and_explained(verdict: Verdict) -> None:
    assert f"Verdict.{verdict.name}" in inspect.getsource(proof), "nothing ends so"
    assert verdict.count_name in {field.name for field in fields(Counts)}
    assert verdict.column in _COUNTED or verdict is Verdict.TWIN, "counts of a run must add up"
    assert journal_filter.parse(f"verdict:{verdict.term}").row.values == (verdict.value,)
    with pytest.raises(BadInputError) as refused:
        journal_filter.parse("verdict:fine")
    assert f" {verdict.term}," in refused.value.hint
    assert f"\n| {verdict.value} | " in (ROOT.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [*AUTH_METHODS.values(), *METHODS.values()], ids=lambda kind: kind.kind)
def test_setup_has_a_question_for_every_setting_of_a_login_and_a_method(kind: type[Any]) -> None:
    if kind is not ButtonMethod:  # what the button needs is read from a recording
        needed = {field.name for field in fields(kind) if field.default is MISSING}
        assert needed <= questions(kind).keys()


def test_a_column_can_be_sorted_and_exported() -> None:
    assert set(SORTABLE) == set(ORDER)
    assert {column.name for column in ORDER} == set(FIELDS) == set(sync_error(1).payload())
    for key in ORDER:
        assert ordered([sync_error(1)], key)


def test_the_first_frame_knows_the_keys_that_the_table_has_for_suspend() -> None:
    assert BY_ID["suspend"].keys == app._USUAL_SLEEP


@pytest.mark.parametrize("field", journal_filter.FIELDS)
def test_a_filter_term_of_the_journal_is_read(field: str) -> None:
    value = {"verdict": "fixed", "event": "update"}.get(field, "x")
    assert journal_filter.parse(f"{field}:{value}")


@pytest.mark.parametrize("field", triage_filter.FIELDS)
def test_a_filter_term_is_read_and_explained(field: str) -> None:
    example = terms.example(field).replace("…", "x")
    with contextlib.suppress(BadInputError):  # a name or a cause that is not there is refused in words
        all(term(sync_error(1), datetime.now(UTC)) for term in triage_filter.parse(example).terms)
    assert f"`{field}:" in str(triage_filter.__doc__), f"{field}: has no line in the filter's own table"


def test_a_filter_term_that_is_explained_is_read() -> None:
    assert set(re.findall(r"`(\w+):", str(triage_filter.__doc__))) - {"field"} == set(triage_filter.FIELDS)


def test_guidance_in_a_file_of_its_own_is_read() -> None:
    files = {path.stem for path in (ROOT / "diagnosis" / "catalog").glob("*.toml")}
    assert files == {*MANUAL_CODES, "kinds"}


def test_every_column_of_the_journals_history_is_written() -> None:
    tables = sqlite3.connect(":memory:")
    grows = set()
    for statement in chain.from_iterable(MIGRATIONS):
        if statement.startswith(APPEND_ONLY):
            grows.add(statement.removeprefix(APPEND_ONLY))
        else:
            tables.execute(statement)
    sources = [*(ROOT / "journal").glob("*.py"), ROOT / "fixes" / "ledger.py"]
    source = re.sub(r'"\s+"', "", "".join(path.read_text(encoding="utf-8") for path in sources))
    written = dict(re.findall(r"INSERT INTO (\w+) \(([^)]*)\)", source))
    for table in grows:
        columns = {row[1] for row in tables.execute(f"PRAGMA table_info({table})")}
        assert set(written[table].split(", ")) | {"n"} == columns | {"n"}, table


def test_a_field_of_an_error_survives_its_json() -> None:
    whole = sync_error(1, salesforce_id=salesforce_id(2), created_at=NOW)
    assert all(getattr(whole, field.name) is not None for field in fields(SyncError)), "give it a value here"
    assert SyncError.of_payload(whole.stored()) == whole


def test_a_role_of_a_field_has_its_types() -> None:
    assert set(ROLES) == set(FieldRole)


@pytest.mark.parametrize("kind", sorted(ROLES[FieldRole.STATUS].types - TEXTS))
def test_a_status_that_is_no_text_is_kept_and_compared_as_what_it_is(kind: str) -> None:
    value = "true" if kind == "boolean" else "1"
    assert kind in soql.NOT_TEXT
    assert soql.one_of("Status__c", [value], kind) != soql.one_of("Status__c", [value])


@pytest.mark.parametrize("role", [role for role in FieldRole if role is not FieldRole.STATUS])
def test_what_a_field_of_the_org_holds_is_read(role: FieldRole) -> None:
    names: dict[str, Any] = {each.value: f"{each.value}__c" for each in FieldRole}
    read = EventReader(FieldMapping(object_name="Event__c", failed=("FAILED",), **names)).error
    values = {
        FieldRole.EVENT_TYPE: "Create",
        FieldRole.PROCESSED_AT: NOW.isoformat(),
        FieldRole.SALESFORCE_ID: salesforce_id(2),
        FieldRole.CODE: "DUPLICATE_VALUE",
    }
    without = read({"Id": salesforce_id(1)})
    held = read({"Id": salesforce_id(1), names[role.value]: values.get(role, "x")})
    assert getattr(held, role.value) != getattr(without, role.value)


def test_the_look_of_a_column_is_one() -> None:
    assert {column.look for column in (*ORDER, *RUNS, *ROWS, *FIXES)} <= set(LOOKS)


@pytest.mark.parametrize("theme", [themed._DARK, themed._LIGHT, themed._ANSI_DARK, themed._ANSI_LIGHT])
def test_a_look_has_its_colour_in_every_theme(theme: Mapping[str, str]) -> None:
    assert {colour for colour, _ in LOOKS.values()} <= set(theme)
    assert set(_GROUNDS.values()) <= set(theme)
    assert set(theme) == set(PALETTE), "config.toml cannot change each colour"
    assert set(_GROUNDS) <= set(LOOKS)
