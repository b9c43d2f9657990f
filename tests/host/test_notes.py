from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.errors import BadInputError
from syncerr_tui.host.paths import org_notes

NOTE = '[[note]]\ncode = "INVALID_FIELD"\ntext = "Call Priya."\n'


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    assert org_notes({"SYNCERR_HOME": str(tmp_path)}) is None


def test_the_usual_place_is_beside_the_profiles(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "notes.toml").write_text(NOTE)
    notes = org_notes({"SYNCERR_HOME": str(tmp_path)})
    assert notes is not None
    assert [note.text for note in notes.notes] == ["Call Priya."]


def test_the_environment_names_another_file_and_a_person_a_third(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(NOTE)
    (tmp_path / "b.toml").write_text(NOTE.replace("Priya", "Ana"))
    environ = {"SYNCERR_HOME": str(tmp_path), "SYNCERR_NOTES": str(tmp_path / "a.toml")}
    first, second = org_notes(environ), org_notes(environ, tmp_path / "b.toml")
    assert first is not None and first.notes[0].text == "Call Priya."
    assert second is not None and second.notes[0].text == "Call Ana."


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"gone\.toml"):
        org_notes({"SYNCERR_HOME": str(tmp_path), "SYNCERR_NOTES": str(tmp_path / "gone.toml")})
