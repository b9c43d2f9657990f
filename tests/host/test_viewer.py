"""A text in the person's pager or editor: in a file of nobody else's, which is gone after."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.host.viewer import editor, pager, view

SEEN = """
import os, sys
path = sys.argv[1]
print(oct(os.stat(path).st_mode)[-3:], oct(os.stat(os.path.dirname(path)).st_mode)[-3:], file=open(OUT, 'w'))
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def appears(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


async def test_the_file_is_for_nobody_else_and_is_gone_after(temporary: Path, tmp_path: Path) -> None:
    out = tmp_path / "seen"
    program = python(SEEN.replace("OUT", repr(str(out))))
    assert await view("text", "x.json", program, dict(os.environ)) is False
    assert await asyncio.to_thread(out.read_text) == "600 700\n"
    assert left_in(temporary) == []


async def test_a_change_is_noticed_and_a_file_that_the_program_removes_is_none(temporary: Path) -> None:
    edits = python("import sys; open(sys.argv[1], 'a').write('more')")
    assert await view("text", "x.json", edits, dict(os.environ)) is True
    removes = python("import os, sys; os.remove(sys.argv[1])")
    assert await view("text", "x.json", removes, dict(os.environ)) is False
    assert left_in(temporary) == []


async def test_a_program_that_is_not_there_is_told(temporary: Path) -> None:
    with pytest.raises(MachineError, match="'/no/such' cannot run: there is no such program"):
        await view("text", "x.json", ["/no/such"], {})
    assert left_in(temporary) == []


async def test_who_cancels_it_ends_the_program(temporary: Path) -> None:
    began = temporary.parent / "began"
    program = python(f"import time; open({str(began)!r}, 'w').close(); time.sleep(600)")
    viewing = asyncio.create_task(view("text", "x.json", program, dict(os.environ)))
    await asyncio.wait_for(asyncio.to_thread(appears, began), 30)
    viewing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(viewing, 20)
    assert left_in(temporary) == []


def test_the_variables_name_the_program_with_its_arguments() -> None:
    assert pager({"PAGER": "less -R 'a b'"}) == ["less", "-R", "a b"]
    assert editor({"VISUAL": "emacs -nw", "EDITOR": "vi"}) == ["emacs", "-nw"]
    assert editor({"VISUAL": " ", "EDITOR": "vi"}) == ["vi"]
    with pytest.raises(BadInputError, match="PAGER cannot be read"):
        pager({"PAGER": "less 'x"})
    with pytest.raises(MachineError, match="Let PAGER name a program"):
        pager({"PATH": "/nowhere"})
