"""What is listed for other programs, and what they hand back: `--format`, `--fields`, `--sort`, `--id -`."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from syncerr_tui.demo.server import DemoServer
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean
from tests.cli.conftest import Shell
from tests.cli.test_list import KEYS, lists

DEMO = ("--demo", "--errors", "30")
pytestmark = pytest.mark.usefixtures("listed")


def hostile(message: str, *, row: int = 1, storeconnect_id: str = "7ce42c82") -> SyncError:
    return SyncError(
        id=f"a0X00000000000{row}AAA",
        object=clean("Order"),
        event_type=EventType.CREATE,
        processed_at=datetime(2026, 7, row, tzinfo=UTC),
        salesforce_id=None,
        storeconnect_id=storeconnect_id,
        message=clean(message),
        code=None,
    )


def test_csv_has_every_row_and_field_and_nothing_cut(shell: Shell) -> None:
    rows = shell("list", "--json").lines
    table = list(csv.DictReader(io.StringIO(shell("list", "--format", "csv").out)))
    assert list(table[0]) == KEYS
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert [row["message"].lstrip("'") for row in table] == [" ".join(row["message"].split()) for row in rows]
    assert [row["salesforce_id"] for row in table] == [row["salesforce_id"] or "" for row in rows]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", '="x"', " \u00a0=1", "＝1", "\x07=cmd|' /C calc'!A0"],
)
def test_no_cell_of_a_csv_begins_a_formula(shell: Shell, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    lists(monkeypatch, hostile(text, storeconnect_id=text))
    row = list(csv.reader(io.StringIO(shell("list", "--format", "csv").out)))[1]
    for cell in row:
        assert cell.strip("\x00 \t")[:1] not in {"=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r"}


def test_markdown_keeps_its_columns_whatever_a_message_says(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(monkeypatch, hostile("a | b\n| c | <script> [x](http://x) `y`"))
    heading, rule, row = shell("list", "--format", "markdown", "--fields", "id,message").out.splitlines()
    assert heading == r"| id | message |"
    assert rule == "|---|---|"
    assert row.replace(r"\|", "").count("|") == 3
    assert r"\<script\> \[x\](http://x) \`y\`" in row


def test_json_is_one_array_and_json_lines_are_what_json_always_was(shell: Shell) -> None:
    lines = shell("list", "--json")
    assert json.loads(shell("list", *DEMO, "--page-size", "7", "--format", "json").out) == lines.lines
    assert shell("list", "--format", "jsonl").out == lines.out
    assert json.loads(shell("list", "--demo", "--errors", "0", "--format", "json").out) == []


def test_fields_are_given_in_the_order_that_was_asked_for(shell: Shell) -> None:
    output = shell("list", "--format", "jsonl", "--fields", "code,ID")
    assert {tuple(line) for line in output.lines} == {("code", "id")}
    plain = shell("list", "--fields", "storeconnect_id,message,object")
    assert plain.out.splitlines()[0].split() == ["STORECONNECT", "ID", "MESSAGE", "OBJECT"]
    assert "…" not in plain.out
    text = shell("list", "--format", "csv", "--fields", "id,waits_for").out
    assert any(row["waits_for"] for row in csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", [*KEYS])
def test_every_field_can_be_sorted_by_in_both_orders(shell: Shell, name: str) -> None:
    up = shell("list", "--json", "--sort", name).lines
    down = shell("list", "--json", "--sort", f"-{name}").lines
    for rows, order in ((up, 1), (down, -1)):
        fold = str.casefold if name in {"object", "message"} else str
        known = [fold(row[name]) for row in rows if row[name]]
        assert all(row[name] for row in rows[: len(known)]), "what has none stands last"
        assert known == sorted(known)[::order]
    assert len(up) == len(down) == 30
    assert shell("list", "--json", "--sort", name, "--limit", "3").lines == up[:3]


def test_a_heading_stands_once_however_many_pages_there_are(shell: Shell) -> None:
    output = shell("list", *DEMO, "--page-size", "4", "--format", "csv", "--filter", "object:Order")
    assert output.out.count('"processed_at"') == 1
    nothing = shell("list", "--format", "csv", "--filter", "nothing-like-this")
    assert len(nothing.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--json", "--format", "csv"), "--json and --format csv cannot be combined"),
        (("--fields", "id,colour\x1b[2J"), "No field is called"),
        (("--fields", " , "), "--fields names no field"),
        (("--fields", "id,id"), "--fields names a field twice"),
        (("--sort", "-colour"), "The list cannot be sorted by 'colour'. Fields to sort by are"),
        (("--format", "xlsx"), "xlsx"),
    ],
)
def test_what_cannot_be_done_is_one_line(shell: Shell, words: tuple[str, ...], line: str) -> None:
    output = shell("list", *words)
    assert (output.code, output.out) == (2, "")
    assert line in output.err
    assert output.err.count("\n") == 1
    assert "\x1b" not in output.err


# -- ids from stdin --------------------------------------------------------------------------------------


def feed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


FORMATS = [
    (),
    ("--causes",),
    ("--json",),
    ("--format", "json"),
    ("--format", "csv"),
    ("--format", "markdown"),
    ("--fields", "id"),
]


@pytest.mark.parametrize("words", FORMATS)
def test_what_is_listed_can_be_planned(
    shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    text = shell("list", "--filter", "object:Order", *words).out
    ids = {row["id"] for row in shell("list", "--filter", "object:Order", "--json").lines}
    assert ids
    feed(monkeypatch, text)
    output = shell("plan", "--id", "-", "--only", "--json")
    assert output.code == 0, output.err
    assert {row["id"] for row in output.lines} == ids


def test_what_is_listed_can_be_sent_and_verified(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (row["id"] for row in shell("list", *DEMO, "--json", "--limit", "2").lines)
    feed(monkeypatch, f"{first[:15]}\n\n{first}\n")
    output = shell("resync", *DEMO, "--processing-delay", "0", "--id", "-", "--only", "--yes", "--json")
    assert [row["id"] for row in output.lines] == [first]
    feed(monkeypatch, f"{second}\n")
    output = shell("verify", *DEMO, "--id", "-")
    assert (output.code, output.out) == (2, "")
    assert "The journal has no request for some of these ids" in output.err


def test_several_can_be_explained(shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, shell("list", "--json", "--limit", "3").out + "a0X000000000001\n")
    output = shell("explain", "--id", "-", "--json")
    assert [row["id"] for row in output.lines] == [
        row["id"] for row in shell("list", "--json", "--limit", "3").lines
    ]
    assert output.code == 2
    assert "The org has no sync error a0X000000000001" in output.err


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "stdin has no id. Nothing was done"),
        ("id\n\n", "stdin has no id. Nothing was done"),
        ("a0X000000000001AAA\nsomething \x1b[2J else\n", "Row 2 on stdin does not begin with the id"),
        ('{"id": 5}\n', "Row 1 on stdin does not begin with the id"),
        ('{"id": "../../x"}\n', "Row 1 on stdin does not begin with the id"),
        ("[1, 2", "stdin is not JSON. Nothing was done"),
        ("[" * 100_000, "stdin is not JSON. Nothing was done"),
        ("a0X000000000001AAA\n", "No unresolved sync error has the id"),
    ],
)
def test_a_list_that_is_not_understood_sends_nothing(
    shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch, text: str, line: str
) -> None:
    feed(monkeypatch, text)
    output = shell("resync", "--id", "-", "--yes")
    assert (output.code, output.out) == (2, "")
    assert line in output.err
    assert output.err.count("\n") == 1
    assert "\x1b" not in output.err


# -- causes ----------------------------------------------------------------------------------------------


def test_causes_can_be_filtered_and_limited(shell: Shell) -> None:
    every = shell("causes", "--json").lines
    rows = {row["id"]: row for row in shell("list", "--json").lines}
    orders = [
        cause
        for cause in every
        if any(rows[i]["object"] == "Order" for i in (*cause["roots"], *(v["id"] for v in cause["victims"])))
    ]
    output = shell("causes", "--json", "--filter", "object:Order")
    assert [cause["key"] for cause in output.lines] == [cause["key"] for cause in orders]
    assert output.err == f"30 sync errors, {len(orders)} of {len(every)} causes.\n"
    assert shell("causes", "--json", "--limit", "2").lines == every[:2]
    assert shell("causes", "--filter", "colour:red").code == 2
