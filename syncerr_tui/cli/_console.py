"""The one way out to the terminal, and the one way in from it.

Everything that a command shows goes through here: data on stdout (`emit`, `emit_json`), narration on stderr
(`say`, `complain`), questions (`ask`, `confirm`). Here the text of an org, a profile, an argument or an error
loses whatever could act on a terminal; callers pass it as it is. No other module may print (a rule of ruff
and a test hold that).

A stream that cannot write a character, because the locale is not UTF-8, gets it in ASCII or escaped. JSON
stays JSON.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncerr_tui.cli._outlet import Outlet, is_pipe, outlets
from syncerr_tui.errors import BadInputError, MachineError, SyncErrError
from syncerr_tui.text import HOSTILE, cell_width, cells, clean, one_line, shortened

if TYPE_CHECKING:
    import asyncio

Command = TypeVar("Command", bound=Callable[..., Any])
LONGEST_NARRATION = 2_000
"""Characters. A line on stderr is for a person: what an argument of 100 kB adds to it is left out."""
_NARROWEST_COLUMN = 20
"""Places that the last column of a table needs at least."""
_YES, _NO = {"y", "yes"}, {"n", "no"}
StyledSpan = tuple[str, str | None]
"""A piece of a line, and the address it links to."""


class _Form:
    """How one call of the program writes."""

    failures = False
    """Failures are JSON."""
    data = False
    """`--json` was given."""


_form = _Form()


def choose_form_of_failures(argv: Sequence[str]) -> None:
    """Whether `complain` writes JSON. Read off the words given: they may be what cannot be parsed."""
    _form.data = False
    words = argv[: argv.index("--")] if "--" in argv else argv
    forms = {word.removeprefix("--format=") for word in words if word.startswith("--format=")}
    forms |= {value for word, value in pairwise(words) if word == "--format"}
    _form.failures = "--json" in words or bool(forms & {"json", "jsonl"})


def json_option(shown: str) -> Callable[[Command], Command]:
    """`--json`, of which `as_json` tells whether it was given. `shown`: its line in the help."""

    def choose(_context: click.Context, _parameter: click.Parameter, chosen: bool) -> None:
        _form.data = chosen

    return click.option("--json", is_flag=True, expose_value=False, callback=choose, help=shown)


def as_json() -> bool:
    """Whether data is to be JSON, a value a line."""
    return _form.data


_PLAIN = "syncerr-plain"
# No double quote: it would mean something in CSV.
_ASCII = {"“": "'", "”": "'", "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-", "·": "-", "→": "->"}


def _in_plain_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    """What the stream cannot write: our own signs in ASCII, all else escaped."""
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    return "".join(_ASCII.get(sign) or ascii(sign)[1:-1] for sign in signs), error.end


def prepare_streams() -> None:
    """Make the standard streams ready: none of them is closed, and none fails because of a character."""
    codecs.register_error(_PLAIN, _in_plain_characters)
    for name, mode, errors in (("stdin", "r", "replace"), ("stdout", "w", _PLAIN), ("stderr", "w", _PLAIN)):
        stream = getattr(sys, name)
        if stream is None:
            # It was closed before we began (`>&-`): what is opened next would take its number.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def emit(*lines: str) -> None:
    _write(sys.stdout, *map(_line, lines))


def emit_linked(lines: Sequence[Sequence[StyledSpan]]) -> None:
    """Lines on stdout with addresses that the terminal opens (OSC 8)."""
    _write(sys.stdout, *("".join(_linked(*span) for span in line) for line in lines))


def emit_json(*values: object) -> None:
    """Data: one JSON value a line on stdout."""
    _write(sys.stdout, *map(_json, values))


def tell(payload: object, *lines: str) -> None:
    """One thing on stdout: its JSON where `--json` was given, else its lines."""
    if _form.data:
        emit_json(payload)
    else:
        emit(*lines)


def say(*lines: str) -> None:
    """Narration: lines on stderr, so that stdout stays data. Where nobody can read them, the work goes on."""
    _narrate(*(shortened(_line(line), LONGEST_NARRATION) for line in lines))


def say_json(value: object) -> None:
    _narrate(_json(value))


def _narrate(*lines: str) -> None:
    try:
        _write(sys.stderr, *lines)
    except OSError:
        drop(2)


def complain(error: SyncErrError, code: int | None = None) -> None:
    """A failure: one line on stderr, JSON where `--json` was given; unread, the exit code alone tells it.

    Args:
        error: What failed, and what to do.
        code: The exit code, where it is not the error's own.
    """
    number = int(error.exit_code if code is None else code)
    if _form.failures:
        say_json({"error": one_line(error.title), "hint": one_line(error.hint), "exit_code": number})
    else:
        say(f"syncerr-tui: {error.line}")


def heading(text: str) -> None:
    """A line that begins a part of a dialogue."""
    _narrate("", f"\x1b[1m{_line(text)}\x1b[0m" if sys.stderr.isatty() else _line(text))


def table(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Rows in columns on stderr. Nothing is cut: what has no room in the last column goes on below it."""
    for one in rows:
        columns = zip(one[:-1], widths, strict=True)
        lead = "".join(f"{cell}{' ' * (wide - cells(cell))} " for cell, wide in columns)
        if cells(lead) > width() - _NARROWEST_COLUMN:
            say(lead.rstrip())
            lead = " " * widths[0] + " "
        say(*wrapped(one[-1], lead))


def width() -> int:
    """Places in a line of narration."""
    return max(60, min(shutil.get_terminal_size().columns, 120) - 1)


def wrapped(text: str, lead: str) -> list[str]:
    """A text in lines that fit; `lead` stands before the first, and blanks before the others."""
    from syncerr_tui.diagnosis.text_layout import Role, wrap

    lines = wrap([(text, Role.TEXT)], width(), first=lead, rest=" " * cells(lead))
    return ["".join(piece for piece, _ in line) for line in lines]


def drop(stream: int) -> None:
    """Write nothing more to stdout (1) or stderr (2), nor what its buffer holds when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def ask(question: str, default: str | None, flag: str) -> str:
    """Ask for a line of text; Enter gives the default, and without one the question is asked again.

    Args:
        question: Without a colon.
        default: What Enter means; None where there is no default.
        flag: How to answer without being asked, for where nobody is.

    Raises:
        KeyboardInterrupt: Ctrl-c.
        click.Abort: The person ended the input.
        MachineError: Input has ended, and no person was there to end it.
    """
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        answer = _answer(shown, flag)
        if answer or default is not None:
            return answer or default or ""


def confirm(question: str, *, default: bool = False, flag: str = "--yes") -> bool:
    """Ask yes or no; Enter gives the default. Raises as `ask`."""
    shown = f"{question} [{'Y/n' if default else 'y/N'}]: "
    while (answer := _yes_or_no(_answer(shown, flag), default)) is None:
        say("Answer y or n.")
    return answer


async def line_while_running(stopped: asyncio.Event) -> str | None:
    """Wait for a line while other tasks go on. None: stopped, or the input ended, before one was typed."""
    import asyncio  # late: 'explain' starts without it

    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[str] = asyncio.Queue()
    read = sys.stdin.fileno()
    try:
        # The descriptor and not sys.stdin: a thread that waits in its buffer could not be called off.
        loop.add_reader(read, lambda: typed.put_nowait(os.read(read, 4096).decode(errors="replace")))
    except NotImplementedError:  # Windows
        return await asyncio.to_thread(sys.stdin.readline) or None
    waits = [asyncio.ensure_future(typed.get()), asyncio.ensure_future(stopped.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        line = waits[0].result() if waits[0].done() else ""
        if not line:
            say("")
        return str(line) or None
    finally:
        for wait in waits:
            wait.cancel()
        loop.remove_reader(read)


def _yes_or_no(answer: str, default: bool) -> bool | None:
    word = answer.strip().casefold()
    return default if not word else True if word in _YES else False if word in _NO else None


def _answer(shown: str, flag: str) -> str:
    prompt(shown)
    try:
        with _interruptible():
            line = sys.stdin.readline()
    except KeyboardInterrupt:
        say("")
        raise
    if line:
        return line.strip()
    say("")
    if sys.stdin.isatty():
        raise click.Abort
    raise MachineError(
        "Nobody can answer: this is not a terminal",
        f"Run it at a terminal, or answer with {flag} (--yes takes every default)",
    )


def at_terminal() -> bool:
    """Whether somebody sits there who can be asked and sees the question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def prompt(shown: str) -> None:
    sys.stderr.write(shown if shown == "\n" else shortened(_line(shown), LONGEST_NARRATION))
    sys.stderr.flush()


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let ctrl-c end what waits for a person or a reader: asyncio's own handler only cancels the task."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


def _line(text: str) -> str:
    return clean(text).replace("\n", " ")


def _linked(text: str, address: str | None) -> str:
    shown = _line(text)
    return f"\x1b]8;;{_line(address)}\x1b\\{shown}\x1b]8;;\x1b\\" if address else shown


def _json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "surrogatepass")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(value)
    return HOSTILE.sub(_json_escape, text)


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


_outlets: dict[Any, Outlet] = {}


@contextlib.contextmanager
def without_waiting_for_readers() -> Iterator[Collection[Outlet]]:
    """For the time of a run: a reader of our pipes that stands still holds nothing up."""
    with outlets(sys.stdout, sys.stderr) as new:
        _outlets.update(new)
        try:
            yield new.values()
        finally:
            _outlets.clear()


def _write(stream: Any, *lines: str) -> None:  # noqa: ANN401 - whatever stands in for a stream
    if not lines:
        return
    text = "\n".join((*lines, ""))
    if outlet := _outlets.get(stream):
        outlet.write(text.encode(stream.encoding, stream.errors))
        return
    with _interruptible() if is_pipe(stream) else contextlib.nullcontext():
        stream.write(text)
        stream.flush()


UNCUT = 100_000
"""Width of a line that nobody looks at: a pipe or a file gets everything."""


def line_width() -> int:
    """How many places a line on stdout may take."""
    if not sys.stdout.isatty():
        return UNCUT
    return max(40, shutil.get_terminal_size().columns)


def padded(text: str, width: int) -> str:
    """A text in exactly `width` places: filled up with blanks, or cut with an ellipsis."""
    used = cells(text)
    if used <= width:
        return text + " " * (width - used)
    letters, room = [], width - 1
    for letter in text:
        room -= cell_width(letter)
        if room < 0:
            break
        letters.append(letter)
    cut = "".join(letters) + "…"
    return cut + " " * (width - cells(cut))


def row(values: Sequence[str], widths: Sequence[int], total: int) -> str:
    """Cells side by side; the last one gets what is left of `total` places, and is not filled up."""
    if total >= UNCUT:
        widths = [max(width, cells(cell)) for cell, width in zip(values, widths, strict=False)]
    head = "".join(f"{padded(cell, width)} " for cell, width in zip(values, widths, strict=False))
    last, room = values[-1], total - cells(head)
    return (head + (last if cells(last) <= room else padded(last, max(room, 1)))).rstrip()


Options = Sequence[tuple[str, str]]
"""What can be chosen: the answer, and what it means."""


class Asker:
    """Asks the questions of a set-up; ctrl-c leaves, and nothing has been changed.

    Args:
        asks: False: nobody is there. Every default is taken, and a question without one is refused
            (`BadInputError`): nothing is guessed.
    """

    def __init__(self, *, asks: bool = True) -> None:
        self.asks = asks

    def choose(self, question: str, options: Options, default: str | None, flag: str) -> str:
        """One of the options; `flag` says how to answer without being asked."""
        if not self.asks:
            listed = ", ".join(one_line(answer) for answer, _ in options[:5])
            return _default_or_refuse(default, f"{question.rstrip(':?')}: {listed}", flag)
        keys = _show_options(question, options)
        usual = str(keys.index(default) + 1) if default in keys else None
        while (answer := ask("Number or name", usual, flag)) not in keys:
            if answer.isdigit() and 1 <= int(answer) <= len(keys):
                return keys[int(answer) - 1]
            say(f"'{one_line(answer)[:40]}' is none of them.")
        return answer

    def choose_some(
        self, question: str, options: Options, default: Sequence[str] | None, flag: str
    ) -> tuple[str, ...]:
        """Any number of the options, in their order; an empty default means none of them."""
        if not self.asks:
            return (self.choose(question, options, None, flag),) if default is None else tuple(default)
        keys = _show_options(question, options)
        usual = None
        if default is not None:
            usual = ",".join(str(keys.index(one) + 1) for one in default if one in keys) or "-"
        while (answer := ask("Numbers, such as 1,3 (- for none)", usual, flag)) != "-":
            numbers = [part.strip() for part in answer.split(",")]
            if all(part.isdigit() and 1 <= int(part) <= len(keys) for part in numbers):
                return tuple(keys[number] for number in sorted({int(part) - 1 for part in numbers}))
            say(f"'{one_line(answer)[:40]}' does not name any of them.")
        return ()

    def text(self, question: str, default: str | None, flag: str) -> str:
        if self.asks:
            return ask(question, default, flag)
        return _default_or_refuse(default, f"{question} is not given", flag)

    def agree(self, question: str, *, default: bool) -> bool:
        return confirm(question, default=default) if self.asks else default


def _default_or_refuse(default: str | None, trouble: str, flag: str) -> str:
    if default is None:
        raise BadInputError(trouble, f"Answer with {flag}")
    return default


def _show_options(question: str, options: Options) -> list[str]:
    """Print a question with its numbered answers; gives the answers."""
    say("", question)
    table(
        [(f"{at:3}", f" {one_line(answer)}", meaning) for at, (answer, meaning) in enumerate(options, 1)],
        [4, 26],
    )
    return [answer for answer, _ in options]
