"""The way to and from a real terminal, which may send anything: keys, pastes, line noise.

Textual 8.2.8 reads standard input as strict UTF-8 in a thread: one byte of a Latin-1 keyboard ends the app.
An escape sequence inside a bracketed paste breaks it open: the rest of what was pasted acts as keys. And of
escape with enter right behind it, as a slow line delivers them, it gives enter alone: no longer the way out
of a question, but its answer. `TerminalInput` reads the same bytes without these three faults,
`TerminalDriver` uses it.
"""

from __future__ import annotations

import os
import select
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from queue import Full

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import (
    BRACKETED_PASTE_END as PASTE_END,
    BRACKETED_PASTE_START as PASTE_START,
    XTermParser,
)
from textual.drivers._writer_thread import MAX_QUEUED_WRITES
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from syncerr_tui.text import clean

_LONGEST_PASTE = 1_000_000
"""Characters of a paste that are kept: the longest text anybody types here is a reason of 200."""
_MOST_CELLS = 4_000_000
"""A window larger than this is noise: drawing it would take the memory of the machine."""
_CTRL_C = "\x03"
_ESCAPE = "\x1b"
_BEGIN_SEQUENCES = "[]_^\\"
"""Signs that begin or end a longer control sequence behind an escape; so do some letters."""
_READ = 4096
_STOP_SECONDS = 0.5
"""How long the stop is waited for, where it may be that no shell takes over."""
_MOST_WAITING = 4
"""Frames that wait for the terminal before it counts as behind."""
_LAST_SECONDS = 10.0
"""How long the end waits for a terminal that takes nothing: a thin line needs seconds for a screen."""
_SECONDS = 0.1
"""How often the thread looks whether it is to end, and whether an escape was a key of its own."""


class TerminalInput:
    """Bytes in, Textual's events out. Whatever the bytes are, it raises nothing and goes on."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = XTermParser()
        self._after_escape = False
        """Whether the last character was an escape that may yet begin a sequence."""
        self._before = ""
        """The end of what was read, where it may be the beginning of a paste's mark."""
        self._unparsed = ""
        """The part of `_before` that the parser has not seen."""
        self._pasted: str | None = None
        """What has been pasted so far; None outside of a paste."""

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes mean. A sequence may be spread over several calls."""
        text = self._decode(data)
        while text:
            if self._pasted is None:
                text = yield from self._keys(text)
            else:
                text = yield from self._paste(text)

    def tick(self) -> Iterator[Message]:
        """An escape that nothing has followed for a while is a key."""
        for message in _harmless(self._parser.tick()):
            self._after_escape = False
            yield message

    def _keys(self, text: str) -> Generator[Message, None, str]:
        """Read keys until a paste begins, and give what follows its mark."""
        joined = self._before + text
        start = joined.find(PASTE_START)
        if start < 0:
            unseen = self._unparsed + text
            self._before = _partial(joined, PASTE_START)
            # Three characters of the mark are no key: they wait for the rest, however slow the line is.
            self._unparsed = self._before if len(self._before) > len("\x1b[") else ""
            yield from self._parsed(unseen.removesuffix(self._unparsed))
            return ""
        parsed = len(self._before) - len(self._unparsed)
        yield from self._parsed(joined[parsed:start])
        if start < parsed:
            # The parser waits for the end of a sequence that was the beginning of the mark.
            self._parser = XTermParser()
        self._before = self._unparsed = ""
        self._pasted = ""
        return joined[start + len(PASTE_START) :]

    def _paste(self, text: str) -> Generator[Message, None, str]:
        """Keep what is pasted until its end, and give what follows the mark."""
        if text == _CTRL_C:
            # The mark of the end got lost: without this no key would ever be a key again.
            self._pasted = None
            return ""
        pasted = f"{self._pasted}{text}"
        text, mark, rest = pasted.partition(PASTE_END)
        if not mark:
            tail = _partial(pasted, PASTE_END)
            self._pasted = pasted.removesuffix(tail)[:_LONGEST_PASTE] + tail
            return ""
        self._pasted = None
        yield events.Paste(clean(text.replace("\x00", "")[:_LONGEST_PASTE]))
        return rest

    def _parsed(self, text: str) -> Iterator[Message]:
        # Letter by letter, so that noise costs no more than the sequence it stands in.
        for letter in text:
            if self._after_escape and _is_key_of_its_own(letter):
                self._parser = XTermParser()
                yield events.Key("escape", _ESCAPE)
            self._after_escape = letter == _ESCAPE
            try:
                parsed = list(self._parser.feed(letter))
            except Exception:  # noqa: BLE001 - the parser's own: chr() of no character, a window of 0 pixels
                self._parser = XTermParser()
            else:
                yield from _harmless(parsed)


def _harmless(messages: Iterable[Message]) -> Iterator[Message]:
    """Without windows that no screen has."""
    for message in messages:
        if isinstance(message, events.Resize) and not 0 < message.size.area <= _MOST_CELLS:
            continue
        yield message


def _is_key_of_its_own(letter: str) -> bool:
    """Whether this is no part of what an escape begins. A letter behind one is alt and that letter."""
    sequence = _ESCAPE + letter in ANSI_SEQUENCES_KEYS or letter in _BEGIN_SEQUENCES
    return not sequence and not letter.isalnum()


def _partial(text: str, mark: str) -> str:
    """The longest end of `text` that begins `mark`."""
    return next((mark[:size] for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), "")


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals, with an input thread that no byte ends."""

    _continued: bool | None = None
    """Whether the shell has continued us; None where we have not stopped ourselves."""
    _closed = False
    _given_away = False
    """Whether another program, or the shell, has the terminal."""
    _retakes = False
    """Whether it is taken anew and nobody else had it."""

    def disable_input(self) -> None:
        """Stop reading. What was typed is thrown away, as Textual does, where somebody else reads next."""
        if not self._retakes:
            super().disable_input()
        elif not self.exit_event.is_set():
            signal.signal(signal.SIGWINCH, signal.SIG_DFL)
            self._disable_mouse_support()
            self.exit_event.set()
            if self._key_thread is not None:
                self._key_thread.join()
            self.exit_event.clear()

    def suspend_application_mode(self) -> None:
        """Give the terminal away as it was found; what is drawn meanwhile goes nowhere."""
        super().suspend_application_mode()
        self._given_away = True

    def resume_application_mode(self) -> None:
        self._closed = self._given_away = False
        super().resume_application_mode()

    def run_input_thread(self) -> None:
        """Read until the app ends. A defect in here ends it as any other does, with its line and its log."""
        try:
            self._read_input()
        except Exception as error:  # noqa: BLE001 - raised again where the app handles it
            defect = error

            def raise_again() -> None:
                raise defect

            self._app.call_later(raise_again)

    def _read_input(self) -> None:
        source = TerminalInput()
        while not self.exit_event.is_set():
            ready, _, _ = select.select([self.fileno], [], [], _SECONDS)
            data = os.read(self.fileno, _READ) if ready else b""
            if ready and not data:
                # The terminal is gone; the signal that says so is on its way.
                self.exit_event.wait(_SECONDS)
            for message in source.feed(data):
                self.process_message(message)
            for message in source.tick():
                self.process_message(message)

    def stop_until_continued(self) -> bool:
        """Stop this program, and the wrapper that started it, as a shell expects at ctrl+z.

        Called while the terminal is given away. What stops is the usual action of the signal: the kernel
        leaves it out where no shell is there to continue anybody (an orphaned process group).

        Returns:
            False where nobody stopped us.
        """
        self._continued = False
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            os.kill(0, signal.SIGTSTP)
            # With several threads the stop may come some instructions after the call.
            end = time.monotonic() + _STOP_SECONDS
            while not self._continued and time.monotonic() < end:
                time.sleep(_STOP_SECONDS / 50)
            return self._continued
        finally:
            signal.signal(signal.SIGTSTP, before)
            self._continued = None

    def _sigcont_application(self, *_: object) -> None:
        if self._continued is None:
            self._loop.call_soon_threadsafe(self._go_on)
        else:
            # Who stopped us takes the terminal again. Taking it twice would lose what is typed in between.
            self._continued = True

    def _go_on(self) -> None:
        """Take the terminal again after a stop, in the loop and not in the middle of whatever it is at.

        Textual starts its two threads anew at every SIGCONT. Where none has stopped, as with SIGSTOP or with
        a terminal that goes away (the kernel sends SIGCONT behind SIGHUP), it would forget those that run,
        and the program would never end.
        """
        if not self._auto_restart or not self._app.is_running:
            return
        if not self._given_away:
            self._retakes = True
            try:
                self.suspend_application_mode()
            finally:
                self._retakes = False
            self._must_signal_resume = True
        self.resume_application_mode()

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken the last frames: its line is slow, or stands still."""
        return self._waiting >= _MOST_WAITING

    @property
    def stalled(self) -> bool:
        """Whether the terminal took nothing to the end: Python would wait for it for ever."""
        return self._closed and self._thread_writes

    def write(self, data: str) -> None:
        """Write to the terminal, without Textual's thread where that has ended: its queue would block.

        Where the queue is full, nobody reads, and whoever waits for that never sees the terminal go away.
        """
        if self._given_away:
            return
        if not self._thread_writes:
            if self._file is not None:
                with suppress(OSError):
                    self._file.write(data)
                    self._file.flush()
        elif self._waiting < MAX_QUEUED_WRITES:
            super().write(data)

    def close(self) -> None:
        """Wait until the terminal has taken everything, but not for one that takes nothing any more."""
        if (thread := self._writer_thread) is None or not self._thread_writes:
            return
        self._closed, left = True, MAX_QUEUED_WRITES + 1
        with suppress(Full):
            thread._queue.put(None, timeout=_LAST_SECONDS)  # noqa: SLF001 - as its stop(), which has no end
        while thread.is_alive() and self._waiting < left:
            left = self._waiting
            thread.join(_LAST_SECONDS)

    @property
    def _thread_writes(self) -> bool:
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def _waiting(self) -> int:
        return self._writer_thread._queue.qsize() if self._writer_thread is not None else 0  # noqa: SLF001
