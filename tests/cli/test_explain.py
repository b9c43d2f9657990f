"""`syncerr-tui explain`: the contract of its output, and what it does with bad input."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, strategies as st

from syncerr_tui.cli import explain as module, run
from syncerr_tui.diagnosis.explanation import OrgContext
from syncerr_tui.errors import ExitCode
from syncerr_tui.text import cells
from tests.cli.conftest import Shell

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "messages.jsonl"
KEYS = {
    "id",
    "code",
    "message",
    "codes",
    "root_code",
    "automation",
    "objects",
    "fields",
    "values",
    "record_ids",
    "external_ids",
    "error_id",
    "limit",
    "transient",
    "inferred",
    "guidance",
    "cut",
    "failures",
}
GUIDANCE_KEYS = {
    "headline",
    "why",
    "retry",
    "authority",
    "steps",
    "checks",
    "afterwards",
    "put_back",
    "article",
    "notes",
}
FLOW = "We can't save this record because the “Order Builder” process failed."


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCERR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SYNCERR_NOTES", raising=False)


def explain(*args: str, stdin: bytes | str = b"") -> Result:
    """One call as a terminal makes it, error line and exit code included."""

    def whole(argv: list[str]) -> None:
        sys.exit(run(["explain", *argv]))

    import click

    command = click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})(
        click.argument("argv", nargs=-1, type=click.UNPROCESSED)(lambda argv: whole(list(argv)))
    )
    return CliRunner().invoke(command, ["--", *args], input=stdin)


def answers(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_exactly_the_promised_keys() -> None:
    result = explain("--message", FLOW, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer.keys() == KEYS
    assert answer["guidance"].keys() == GUIDANCE_KEYS
    assert answer["guidance"]["steps"][0].keys() == {"text", "address"}
    assert answer["message"] == FLOW
    assert answer["automation"] == [{"kind": "flow", "name": "Order Builder", "namespace": None}]
    assert "**" not in json.dumps(answer["guidance"])
    assert answer["guidance"]["steps"][0]["text"] == "Open the Flow Order Builder."


def test_a_code_is_explained_in_any_spelling() -> None:
    shown = explain("duplicates_detected").stdout
    assert shown == explain("DUPLICATES_DETECTED").stdout == explain("duplicates detected").stdout
    assert shown.startswith("DUPLICATES_DETECTED\n")
    assert "How to fix it" in shown and "Put back" in shown


def test_plain_text_fits_80_columns_but_for_addresses() -> None:
    shown = explain("--message", FLOW, "--instance-url", "https://acme.my.salesforce.com").stdout
    lines = shown.splitlines()
    assert all(cells(line) <= 80 for line in lines if "https://" not in line)
    assert "  https://acme.lightning.force.com/lightning/setup/Flows/home" in lines
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("REQUIRED_FEILD_MISSING", "REQUIRED_FIELD_MISSING"), ("lock_row", "UNABLE_TO_LOCK_ROW")],
)
def test_a_typo_gets_a_suggestion(typo: str, meant: str) -> None:
    result = explain(typo)
    assert result.exit_code == ExitCode.BAD_INPUT
    assert meant in result.stderr and len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_an_unheard_of_code_gets_an_honest_answer() -> None:
    result = explain("QXZ_BRAND_NEW_THING")
    assert result.exit_code == 0
    assert "does not know that code" in result.stdout


@pytest.mark.parametrize(
    "args", [(), ("--message", "a", "--jsonl", "-"), ("what is this?",), ("--notes", "gone", "X")]
)
def test_bad_calls_end_with_one_line(args: tuple[str, ...]) -> None:
    result = explain(*args)
    assert result.exit_code == ExitCode.BAD_INPUT
    assert result.stdout == ""
    assert result.stderr.startswith("syncerr-tui: ") and len(result.stderr.splitlines()) == 1


def test_an_empty_message_is_called_that() -> None:
    for result in (
        explain("--message", ""),
        explain("--message", "-", stdin=b""),
        explain("--message", " \n"),
    ):
        assert result.exit_code == 0
        assert "The message is empty" in result.stdout


def test_a_message_from_stdin() -> None:
    assert "Order Builder" in explain("--message", "-", stdin=FLOW.encode()).stdout
    assert "Order Builder" in explain("--message", "-", stdin=b"\xef\xbb\xbf" + FLOW.encode()).stdout
    assert "Order Builder" in explain("--message", "-", stdin=FLOW.encode("utf-16")).stdout


@pytest.mark.parametrize("rubbish", [b"\x00\x01\x02", b"\xff\xfe\xff", bytes(range(256)) * 40, b"abc\x81"])
def test_binary_rubbish_on_stdin(rubbish: bytes) -> None:
    result = explain("--message", "-", stdin=rubbish)
    assert result.exit_code == ExitCode.BAD_INPUT
    assert "not text" in result.stderr
    lines = explain("--jsonl", "-", stdin=rubbish)
    assert lines.exit_code == ExitCode.BAD_INPUT
    assert all(answer["id"] is None and "error" in answer for answer in answers(lines))


def test_markdown() -> None:
    result = explain("--message", FLOW, "--markdown")
    assert result.exit_code == 0
    assert "**Order Builder**" in result.stdout and "## How to fix it" in result.stdout


def test_json_lines_answer_in_order_and_hand_the_id_through() -> None:
    rows = [
        {"id": "a", "message": "duplicate value found: X__c duplicates value on record with id: 1"},
        {"id": 7, "message": FLOW, "code": None},
        {"id": {"nested": [1]}, "message": "x", "code": "duplicates_detected"},
        {"message": "", "extra": True},
    ]
    result = explain("--jsonl", "-", stdin="\n\n".join(json.dumps(row) for row in rows))
    assert result.exit_code == 0
    got = answers(result)
    assert [answer["id"] for answer in got] == ["a", 7, {"nested": [1]}, None]
    assert [answer["root_code"] for answer in got][1:3] == [
        "CANNOT_EXECUTE_FLOW_TRIGGER",
        "DUPLICATES_DETECTED",
    ]
    assert all(answer.keys() == KEYS for answer in got)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"id":"k"}',
        b'{"id":"k","message":5}',
        b'{"id":"k","message":null}',
        b'{"id":"k","message":"x","code":5}',
        b"\xff\xfe{}",
        b"\x00",
        b"1" * 6000,
    ],
)
def test_a_bad_line_gets_its_answer_and_stops_nothing(line: bytes) -> None:
    result = explain("--jsonl", "-", stdin=line + b'\n{"id":2,"message":"x"}\n')
    assert result.exit_code == ExitCode.BAD_INPUT
    bad, good = answers(result)
    assert bad.keys() == {"id", "error"} and str(bad["error"]).startswith("line 1: ")
    assert bad["id"] == ("k" if b'"k"' in line else None)
    assert good["id"] == 2
    assert result.stderr == ""


def test_a_line_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 50)
    result = explain("--jsonl", "-", stdin=b'{"message":"' + b"x" * 200 + b'"}\n{"id":1,"message":"x"}\n')
    bad, good = answers(result)
    assert "longer than" in str(bad["error"])
    assert good["id"] == 1


@given(st.binary(max_size=300))
def test_no_bytes_break_the_line_reader(raw: bytes) -> None:
    setting = module.Setting(OrgContext())
    for number, line in module._lines(io.BytesIO(raw)):
        answer, fine = module._answer(number, line, setting)
        assert fine or answer.keys() == {"id", "error"}
        json.dumps(answer)


def test_lone_surrogates_and_controls_survive_the_round() -> None:
    message = "\ud800 \x1b[2J \u202e x"
    (answer,) = answers(explain("--jsonl", "-", stdin=json.dumps({"message": message})))
    assert answer["message"] == message
    assert "\x1b" not in explain("--message", "bad \x1b[2J", "--code", "UNKNOWN_EXCEPTION").stdout


def test_org_notes_are_read_and_shown_above_the_general_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "n.toml"
    notes.write_text('[[note]]\ncode = "DUPLICATES_DETECTED"\ntext = "Call Priya."\n', encoding="utf-8")
    shown = explain("DUPLICATES_DETECTED", "--notes", str(notes)).stdout
    assert shown.index("What happened") < shown.index("| Call Priya.") < shown.index("\nWhy\n")
    usual = tmp_path / "home" / "config" / "notes.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text(notes.read_text(encoding="utf-8"), encoding="utf-8")
    assert explain("DUPLICATES_DETECTED").stdout == shown
    usual.write_text("[[note]]\nx = 1\n", encoding="utf-8")
    broken = explain("DUPLICATES_DETECTED")
    assert broken.exit_code == ExitCode.BAD_INPUT and "notes.toml:2: note.x" in broken.stderr


def test_an_id_that_is_none_is_refused_before_any_org_is_asked() -> None:
    result = explain("--id", "../x", "--org", "nobody")
    assert result.exit_code == ExitCode.BAD_INPUT
    assert "not a Salesforce id" in result.stderr


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="the labelled messages are not beside the project")
def test_the_labelled_messages_keep_their_keys_and_roots() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    asked = [{key: row[key] for key in ("id", "message", "code")} for row in rows]
    result = explain("--jsonl", "-", stdin="\n".join(map(json.dumps, asked)))
    assert result.exit_code == 0
    for row, answer in zip(rows, answers(result), strict=True):
        assert row.keys() - {"source", "kind"} <= answer.keys()
        assert answer["id"] == row["id"] and answer["message"] == row["message"]


def test_it_starts_without_the_screen_and_without_the_org_client() -> None:
    program = (
        "import sys\n"
        "from syncerr_tui.cli import run\n"
        "code = run(['explain', '--message', 'x', '--code', 'INVALID_FIELD'])\n"
        "heavy = {'textual', 'rich', 'simple_salesforce', 'requests', 'asyncio'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=_environ(), check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_ascii_terminal_gets_question_marks_not_a_failure() -> None:
    environ = {**_environ(), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    argv = [sys.executable, "-m", "syncerr_tui", "explain", "--message", FLOW]
    done = subprocess.run(argv, capture_output=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Order Builder" in done.stdout


def test_lines_are_answered_as_they_come() -> None:
    argv = [sys.executable, "-m", "syncerr_tui", "explain", "--jsonl", "-"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environ()) as process:
        assert process.stdin is not None and process.stdout is not None
        for number in range(3):
            process.stdin.write(b'{"id":%d,"message":"x"}\n' % number)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait() == 0


def _environ() -> Mapping[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def test_a_sync_error_of_the_demo_org_is_explained_with_what_the_org_knows() -> None:
    from syncerr_tui.cli._connect import open_org
    from syncerr_tui.cli._options import choice_of
    from syncerr_tui.model import SyncError

    async def first() -> SyncError:
        async with open_org(choice_of(org=None, demo=True, read_only=True, errors=40)) as org:
            connection = org.session
            async for page in connection.errors():
                for error in page:
                    if error.code == "DUPLICATES_DETECTED" or "duplicate Account" in error.message:
                        return error
        raise AssertionError("the demo org has a duplicate")

    error = asyncio.run(first())
    shown = explain("--demo", "--errors", "40", "--id", error.id, "--json")
    assert shown.exit_code == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert answer.keys() == KEYS
    assert (answer["id"], answer["message"]) == (error.id, error.message)
    first_step = answer["guidance"]["steps"][0]
    assert "DuplicateRules/page?address=%2F0Bm" in first_step["address"], "the rule itself, not the list"
    assert any("was last changed on" in check for check in answer["guidance"]["checks"])

    missing = explain("--demo", "--errors", "40", "--id", f"{error.id[:3]}De00000009zz")
    assert missing.exit_code == ExitCode.BAD_INPUT
    assert "no sync error" in missing.stderr


def of_the_demo(message: str, *more: str) -> str:
    shown = explain("--demo", "--errors", "40", "--message", message, *more)
    assert shown.exit_code == 0, shown.stderr
    return " ".join(shown.stdout.split())


def test_a_message_from_elsewhere_is_told_in_the_orgs_own_names() -> None:
    shown = of_the_demo(
        "Delivery Method: bad value for restricted picklist field: Pickup", "--object", "Order"
    )
    assert "Delivery Method (Delivery_Method__c) does not have Pickup. Closest: Pick-up." in shown
    assert "- Field: Delivery_Method__c" in shown and "ObjectManager/Order/Fields" in shown

    no_field = of_the_demo(
        "Delivery Method: bad value for restricted picklist field: X", "--object", "Contact"
    )
    assert "Field:" not in no_field


def test_a_validation_rule_is_found_by_its_words_alone() -> None:
    shown = of_the_demo(
        "Preferred Channel is Phone but Mobile Phone is blank. Fill it in or choose another channel."
    )
    assert shown.startswith("FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert "It is Phone_Channel_Needs_Number." in shown
    assert "Contact/ValidationRules/03d" in shown


def test_rows_of_a_file_are_told_in_the_orgs_own_names(tmp_path: Path) -> None:
    rows = tmp_path / "error.csv"
    rows.write_text('ID,ERROR\n"","Delivery Method: bad value for restricted picklist field: Pickup"\n')
    shown = explain("--demo", "--errors", "40", "--csv", str(rows), "--object", "Order", "--json")
    assert json.loads(shown.stdout)["fields"] == ["Delivery_Method__c"]


def test_the_event_type_and_the_object_are_taken_into_account() -> None:
    shown = explain("INVALID_CROSS_REFERENCE_KEY", "--event", "delete", "--object", "Order").stdout
    assert "gone already" in shown
    assert "/lightning/o/Order/list" in shown


def test_the_examples_of_the_help_keep_their_lines() -> None:
    shown = explain("--help").stdout
    assert "\n  syncerr-tui explain --jsonl - < errors.jsonl\n" in shown


def test_where_nothing_is_known_the_advice_does_not_contradict_itself(shell: Shell) -> None:
    text = " ".join(shell("explain", "--message", "foo bar").out.split())
    assert "A re-sync alone may fail again" in text
    assert "worth a try" not in text
    assert "Re-sync this error once. " not in text
