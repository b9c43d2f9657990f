"""Terminals that have no UTF-8: no crash, our own signs in ASCII, what is not ours escaped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from syncerr_tui.cli._console import table
from syncerr_tui.host.terminal import terminal_profile
from tests.layers import layered

PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}


def said(home: Path, *words: str, **environ: str) -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-m", "syncerr_tui", *words]
    environment = {**os.environ, "SYNCERR_HOME": str(home), **PLAIN, **environ}
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "encoding", layered("encodings of guidance", ["cp1252"], ["ascii", "latin-1", "cp1252"])
)
def test_guidance_has_plain_quotes(tmp_path: Path, encoding: str) -> None:
    code, out, err = said(tmp_path, "explain", "DUPLICATES_DETECTED", PYTHONIOENCODING=encoding)
    assert (code, err) == (0, b"")
    assert "Save anyway" in out.decode(encoding)
    assert b"\\u201c" not in out
    assert "'Save anyway'" in out.decode(encoding) or "“Save anyway”" in out.decode(encoding)


def test_what_is_not_ours_is_escaped_and_nothing_breaks(tmp_path: Path) -> None:
    message = "Pflichtfelder fehlen: [Straße 漢字 “x” …]"
    code, out, err = said(tmp_path, "explain", "--message", message)
    assert (code, err) == (0, b"")
    assert out.isascii()
    assert "Traceback" not in out.decode()


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({"LC_ALL": "C"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LC_ALL": "C", "SYNCERR_ASCII": "0"}, True),
        ({"LC_ALL": "C.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, True),
        ({}, True),
    ],
)
def test_who_asks_for_the_c_locale_gets_plain_characters(environ: dict[str, str], unicode: bool) -> None:
    profile = terminal_profile({"TERM": "xterm-256color", **environ})
    assert profile.unicode is unicode
    assert unicode or any("plain characters" in reason for reason in profile.reasons)


def test_a_table_of_questions_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    name, why = (
        "s_c__A_Name_That_Is_Wider_Than_Its_Column__c",
        "a reason of many words, more than one line has room for",
    )
    table([(" 1", name, why), (" 2", "short", why)], [2, 28])
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) < 80 for line in lines)
    assert " ".join(" ".join(lines).split()) == f"1 {name} {why} 2 short {why}"
