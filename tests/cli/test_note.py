"""`note`: said once, shown wherever the row is, shared with whoever has the journal, over by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell

DEMO = ("--demo", "--errors", "30", "--processing-delay", "0")


def locked(shell: Shell, *demo: str) -> str:
    rows = shell("list", *demo, "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json").lines
    return str(rows[0]["id"])


def test_what_is_said_is_shown_filtered_and_outlives_a_resync(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    rows = shell("list", *demo, "--filter", "code:REQUIRED_FIELD_MISSING", "--json").lines
    row = rows[0]["id"]
    assert (
        shell("note", *demo, "--id", row, "ask \x1b[31mTom", "--assign", "me", "--support", "T-1").code == 0
    )
    (output,) = shell("note", *demo, "--json").lines
    assert output["notes"][0]["text"] == "ask ␛[31mTom"
    assert output["ticket"] == "T-1"
    assert shell("resync", *demo, "--id", row, "--yes").code == 1
    listed = shell("list", *demo, "--filter", "note:tom", "--fields", "id,ticket,notes", "--json").lines
    assert [(line["id"], line["ticket"]) for line in listed] == [(row, "T-1")]
    assert shell("note", *demo, "--id", row, "--support", "none", "--assign", "none").code == 0
    assert shell("note", *demo, "--json").lines[0]["assigned"] is None


def test_what_is_snoozed_stays_out_of_plans_but_for_who_names_it(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    row = locked(shell, *demo)
    assert shell("note", *demo, "--id", row, "--snooze", "8h").code == 0
    for choice in (("--all",), ("--filter", f"id:{row}"), ("--cause", row)):
        planned = {line["id"]: line for line in shell("plan", *demo, *choice, "--json").lines}
        assert planned[row]["planned"] is False
        assert "snoozed until" in planned[row]["reason"]
    named = shell("plan", *demo, "--id", row, "--json")
    assert named.lines[0]["planned"] is True
    assert "is snoozed until" in named.err
    assert shell("note", *demo, "--id", row, "--wake").code == 0
    assert shell("plan", *demo, "--filter", f"id:{row}", "--json").lines[0]["planned"] is True


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("a note",), "No error and no cause is named"),
        (("--id", "a0XDe0000000001MAA", "--cause", "x", "t"), "cannot be combined"),
        (("--id", "a0XDe0000000001MAA", "--snooze", "8h", "--wake"), "cannot be combined"),
        (("--id", "a0XDe0000000001MAA", "--snooze", "later"), "cannot be snoozed until 'later'"),
        (("--id", "a0XDe0000099999MAA", "t"), "No unresolved sync error"),
        (("--cause", "no such", "t"), "No such cause"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(shell: Shell, words: tuple[str, ...], refusal: str) -> None:
    output = shell("note", *DEMO, *words)
    assert (output.code, output.out) == (2, "")
    assert refusal in output.err
