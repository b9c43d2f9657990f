"""A person's own commands: a key runs a program on rows, which it gets as JSON lines on its standard input.

No shell reads the command unless the person says so, and nothing of a row becomes a part of it. The program
inherits the environment without the variables that hold secrets of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from syncerr_tui.text import one_line, shortened
from syncerr_tui.triage.actions import Action, ActionFacts
from syncerr_tui.triage.state import Place

_KEPT = 16_384
"""Bytes of a program's output that are looked at; the rest is read and dropped."""
_LONGEST_LINE = 160
_GRACE_SECONDS = 2.0
"""How long a program that is told to end has before it is killed, and one that has ended is still read."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Hook:
    """One command of the person's."""

    name: str
    command: tuple[str, ...]
    """A program with its arguments; one text where a shell reads it."""
    keys: tuple[str, ...] = ()
    label: str = ""
    shell: bool = False
    foreground: bool = False
    """It gets the terminal; the app comes back when it has ended."""
    timeout: float = 30.0
    """Seconds; 0 for as long as it takes."""
    places: frozenset[Place] = frozenset({Place.ERRORS, Place.CAUSES})
    changes_org: bool = False
    """Not there where the app is read-only."""

    @property
    def action(self) -> Action:
        """What asks for it: in the help and the palette like any other action."""
        where = "with the terminal to itself" if self.foreground else "in the background"
        return Action(
            f"hook.{self.name}",
            self.keys,
            self.label or self.name,
            f"Your command '{self.name}', on the row or on all selected, {where}.",
            self.places,
            "Your commands",
            changes_org=self.changes_org,
            why_disabled=_row,
        )


def _row(facts: ActionFacts) -> str | None:
    return None if facts.current else "there is no row under the cursor"


@dataclass(frozen=True, slots=True)
class HookResult:
    """What became of a command."""

    fine: bool
    line: str
    """In one line, for the screen."""


async def run_to_end(hook: Hook, rows: str, environ: Mapping[str, str]) -> HookResult:
    """Run the command on these rows, and wait for its end. Whoever cancels this ends the command.

    Args:
        hook: The command.
        rows: A line of JSON for each.
        environ: The environment, as far as it may see it.
    """
    try:
        process = await _start(hook, environ)
    except OSError as problem:
        return HookResult(fine=False, line=f"{hook.name} cannot run: {_why(problem, hook)}.")
    try:
        async with asyncio.timeout(hook.timeout or None):
            output, errors = await _exchange(process, rows)
    except TimeoutError:
        await _end(process)
        return HookResult(fine=False, line=f"{hook.name} took longer than {hook.timeout:g} s and was ended.")
    except asyncio.CancelledError:
        await asyncio.shield(_end(process))
        raise
    code = process.returncode or 0
    if code == 0:
        return HookResult(fine=True, line=f"{hook.name}: {_last_line(output) or 'done'}")
    how = f"ended with code {code}" if code > 0 else f"was ended by {_signal_name(-code)}"
    last_line = _last_line(errors) or _last_line(output)
    return HookResult(fine=False, line=f"{hook.name} {how}{f': {last_line}' if last_line else ''}")


async def _start(hook: Hook, environ: Mapping[str, str]) -> Process:
    # A foreground program writes to the terminal; without one of its own session it gets its keys too.
    stream = None if hook.foreground else PIPE
    settings: dict[str, Any] = {"env": dict(environ), "stdin": PIPE, "stdout": stream, "stderr": stream}
    settings["start_new_session"] = not hook.foreground
    program, *arguments = hook.command
    if hook.shell:
        return await asyncio.create_subprocess_shell(program, **settings)
    # `~` of the program alone: what follows it is the program's business.
    program = os.path.expanduser(program)  # noqa: PTH111, ASYNC240 - pathlib's own raises for an unknown user
    return await asyncio.create_subprocess_exec(program, *arguments, **settings)


async def _exchange(process: Process, rows: str) -> tuple[bytes, bytes]:
    """Give the rows, take what is written, and wait for the end."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        # A program that does not want the rows may close its end.
        process.stdin.write(rows.encode("utf-8", "replace"))
        await process.stdin.drain()
    process.stdin.close()
    output, errors = bytearray(), bytearray()
    reading = asyncio.gather(_read(process.stdout, output), _read(process.stderr, errors))
    try:
        # Before Python 3.13 `process.wait` waits for these streams too, and something that the program has
        # left running may keep them open: https://github.com/python/cpython/issues/119710
        while process.returncode is None:
            await asyncio.wait([reading], timeout=_POLL_SECONDS)
            if reading.done():
                await process.wait()
        await asyncio.wait([reading], timeout=_GRACE_SECONDS)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    if process.stdout is not None:  # else Python complains about an open one at its end
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way
    return bytes(output), bytes(errors)


async def _read(stream: asyncio.StreamReader | None, tail: bytearray) -> None:
    """Keep the last of what a program writes; all of it is read, so that it never waits for us."""
    while stream is not None and (data := await stream.read(_KEPT)):
        tail += data
        del tail[:-_KEPT]


async def _end(process: Process) -> None:
    """End it, and what it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
            return


def _last_line(output: bytes) -> str:
    lines = [one_line(line) for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return shortened(lines[-1], _LONGEST_LINE) if lines else ""


def _why(problem: OSError, hook: Hook) -> str:
    program = one_line(hook.command[0])[:60]
    if isinstance(problem, FileNotFoundError):
        return f"there is no program '{program}'"
    return f"'{program}': {one_line(problem.strerror or type(problem).__name__)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
