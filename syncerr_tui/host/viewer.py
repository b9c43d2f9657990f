"""Showing a text in the person's own pager or editor: by a file of nobody else's, which is gone after."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import create_file
from syncerr_tui.text import one_line

_PAGERS = ("less", "more")
_EDITORS = ("nano", "vi", "vim")


def pager(environ: Mapping[str, str]) -> list[str]:
    """The program that PAGER names, else one that is there.

    Raises:
        BadInputError: The variable cannot be read.
        MachineError: There is none.
    """
    return _program(environ, ("PAGER",), _PAGERS)


def editor(environ: Mapping[str, str]) -> list[str]:
    """The program that VISUAL or EDITOR names, else one that is there. Raises as `pager`."""
    return _program(environ, ("VISUAL", "EDITOR"), _EDITORS)


def _program(environ: Mapping[str, str], names: Sequence[str], usual: Sequence[str]) -> list[str]:
    for name in names:
        if not environ.get(name, "").strip():
            continue
        try:
            return shlex.split(environ[name])
        except ValueError:
            raise BadInputError(
                f"{name} cannot be read: {one_line(environ[name])[:60]!r}", "Close its quotes"
            ) from None
    found = next((program for program in usual if shutil.which(program, path=environ.get("PATH"))), None)
    if found is None:
        raise MachineError(f"Neither {' nor '.join(usual)} is here", f"Let {names[0]} name a program")
    return [found]


async def view(text: str, name: str, program: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Run a program on a text, and wait for its end. Whoever cancels this ends the program.

    Args:
        text: What it gets, as a file of its own in a folder of its own.
        name: The name of that file.
        program: The program with its arguments.
        environ: Its environment.

    Returns:
        Whether the text was changed in it.

    Raises:
        MachineError: The program cannot be started, or there is no room for the file.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="syncerr-"))  # 0700
    except OSError as problem:
        raise MachineError("There is no room for the file", f"{problem.strerror}") from None
    try:
        path = folder / name
        await asyncio.to_thread(create_file, path, text)
        process = await asyncio.create_subprocess_exec(*program, str(path), env=dict(environ))
        try:
            await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await asyncio.shield(process.wait())
            raise
        return await asyncio.to_thread(_read, path) not in {text, None}
    except OSError as problem:
        shown = one_line(program[0])[:60]
        why = "there is no such program" if isinstance(problem, FileNotFoundError) else problem.strerror
        raise MachineError(f"{shown!r} cannot run: {why}", "See PAGER, VISUAL and EDITOR") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
