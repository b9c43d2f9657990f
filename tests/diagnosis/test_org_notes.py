from __future__ import annotations

import time
from pathlib import Path

import pytest

from syncerr_tui.diagnosis.explanation import OrgContext, explain_message
from syncerr_tui.diagnosis.org_notes import OrgNotes, affordable, load_notes, parse_notes
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.errors import BadInputError, ExitCode

FLOW = "CANNOT_EXECUTE_FLOW_TRIGGER: We can't save this: the “Order Builder” process failed. ERP-17"


def shown(toml: str, message: str = FLOW, code: str | None = None) -> list[tuple[str, str]]:
    notes = parse_notes(toml, "notes.toml").matching(diagnose(message, code))
    return [(note.text, note.matched) for note in notes]


@pytest.mark.parametrize(
    ("condition", "matched"),
    [
        ('code = "CANNOT_EXECUTE_FLOW_TRIGGER"', "code CANNOT_EXECUTE_FLOW_TRIGGER"),
        ('code = "cannot_execute_flow_trigger"', "code CANNOT_EXECUTE_FLOW_TRIGGER"),
        ('code = ["X_Y", "CANNOT_EXECUTE_FLOW_TRIGGER"]', "code CANNOT_EXECUTE_FLOW_TRIGGER"),
        ('automation = "order builder"', "flow Order Builder"),
        ('automation = "Order*"', "flow Order Builder"),
        ('contains = "can\'t SAVE"', "message contains “can't SAVE”"),
        ("pattern = 'erp-\\d+'", "message pattern erp-\\d+"),
        (
            'code = "CANNOT_EXECUTE_FLOW_TRIGGER"\ncontains = "ERP"',
            "code CANNOT_EXECUTE_FLOW_TRIGGER, message contains “ERP”",
        ),
        ('code = "DUPLICATE_VALUE"', None),
        ('automation = "Builder"', None),
        ('contains = "SAP"', None),
        ("pattern = '^ERP'", None),
        ('code = "CANNOT_EXECUTE_FLOW_TRIGGER"\ncontains = "SAP"', None),
    ],
)
def test_a_note_is_shown_where_all_its_conditions_hold(condition: str, matched: str | None) -> None:
    assert shown(f'[[note]]\n{condition}\ntext = "Call Priya."') == (
        [("Call Priya.", matched)] if matched else []
    )


def test_notes_come_with_the_guidance_and_apart_from_it() -> None:
    notes = parse_notes('[[note]]\ncode = "DUPLICATE_VALUE"\ntext = """Ours:\n  \\u001b[2Jmerge"""', "n")
    guidance = explain_message("x", "DUPLICATE_VALUE", org=OrgContext(notes)).guidance
    assert [note.text for note in guidance.notes] == ["Ours:\n  ␛[2Jmerge"]
    assert "Ours" not in guidance.headline
    assert explain_message("x", "DUPLICATES_DETECTED", org=OrgContext(notes)).guidance.notes == ()
    assert OrgNotes().matching(diagnose("x")) == ()


@pytest.mark.parametrize(
    ("toml", "where", "what"),
    [
        ('[[note]]\ncode = "A"\ntext = "x"\n\n[[note]]\ncode = 3\ntext = "y"', ":6: note.code", "text"),
        ('[[note]]\ncode = "A_B"\n', ":1: note.text", "is needed"),
        ('[[note]]\ntext = "everywhere"\n', ":2: note.text", "condition"),
        ('[[note]]\ntext = "x"\ncodes = "A"', ":3: note.codes", "Did you mean code?"),
        ("[[note]]\ntext = \"x\"\npattern = '('", ":3: note.pattern", "regular expression"),
        ("[[note]]\ntext = \"x\"\npattern = '(a+)+b'", ":3: note.pattern", "very long"),
        ("# hello\nnotes = 1", ":2: notes", "is not a setting"),
        ("note = 1", ":1: note", "list of tables"),
        ('[[note]]\ntext = "x\n', ":2:", "TOML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(toml: str, where: str, what: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_notes(toml, "team/notes.toml")
    assert "team/notes.toml" in caught.value.title
    assert where in caught.value.line
    assert what in caught.value.line
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "notes.toml"
    good.write_bytes(b'\xef\xbb\xbf[[note]]\r\ncontains = "x"\r\ntext = "y"\r\n')
    assert len(load_notes(good).notes) == 1
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("missing.toml", "bad.toml", "."):
        with pytest.raises(BadInputError):
            load_notes(tmp_path / name)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a*)*",
        r"(\w+)\1",
        ".*.*x",
        "a?" * 25 + "a" * 25,
        "(?:a{1,30}){1,30}b",
        "(?=.*.*x)y",
        ".+e.+",
    ],
)
def test_a_pattern_that_could_hang_is_refused(pattern: str) -> None:
    assert not affordable(pattern, 1000)


@pytest.mark.parametrize(
    "pattern", ["ERP-\\d+", "locked.*by", "^a", "(?:A|B)-[0-9]{2,6}", "x?y", "(?i)erp", ""]
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    assert affordable(pattern, 1000)


def test_the_dearest_pattern_that_is_taken_is_still_quick() -> None:
    notes = parse_notes("[[note]]\npattern = 'a+b'\ntext = 'x'", "n")
    message = "a" * 30_000
    diagnosis = diagnose(message)
    begin = time.process_time()
    assert notes.matching(diagnosis) == ()
    assert time.process_time() - begin < 5, "seconds, on the slowest of machines"
