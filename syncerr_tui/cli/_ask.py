"""Questions in the terminal, each with a safe default; and the same flow with nobody there to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncerr_tui.cli._console import ask, confirm, say, table
from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line

Options = Sequence[tuple[str, str]]
"""What can be chosen: the answer, and what it means."""


class Asker(Protocol):
    """Whoever answers the questions of a set-up."""

    def choose(self, question: str, options: Options, default: str | None, flag: str) -> str:
        """One of the options; `flag` says how to answer without being asked."""
        ...

    def choose_some(
        self, question: str, options: Options, default: Sequence[str] | None, flag: str
    ) -> tuple[str, ...]:
        """Any number of the options, in their order; an empty default means none of them."""
        ...

    def text(self, question: str, default: str | None, flag: str) -> str: ...

    def agree(self, question: str, *, default: bool) -> bool: ...


class Person:
    """Somebody at the terminal. Enter takes the default; ctrl-c leaves, and nothing has been changed."""

    def choose(self, question: str, options: Options, default: str | None, flag: str) -> str:
        keys = _show_options(question, options)
        usual = str(keys.index(default) + 1) if default in keys else None
        given = ask("Number or name", usual, flag)
        while True:
            if given.isdigit() and 1 <= int(given) <= len(keys):
                return keys[int(given) - 1]
            if given in keys:
                return given
            say(f"'{one_line(given)[:40]}' is none of them.")
            given = ask("Number or name", usual, flag)

    def choose_some(
        self, question: str, options: Options, default: Sequence[str] | None, flag: str
    ) -> tuple[str, ...]:
        """Numbers with commas between them, or - for none."""
        keys = _show_options(question, options)
        usual = None
        if default is not None:
            usual = ",".join(str(keys.index(one) + 1) for one in default if one in keys) or "-"
        while True:
            given = ask("Numbers, such as 1,3 (- for none)", usual, flag)
            numbers = [part.strip() for part in given.split(",")]
            if given == "-":
                return ()
            if all(part.isdigit() and 1 <= int(part) <= len(keys) for part in numbers):
                return tuple(keys[number] for number in sorted({int(part) - 1 for part in numbers}))
            say(f"'{one_line(given)[:40]}' does not name any of them.")

    def text(self, question: str, default: str | None, flag: str) -> str:
        return ask(question, default, flag)

    def agree(self, question: str, *, default: bool) -> bool:
        return confirm(question, default=default)


class Nobody:
    """Takes every default, and refuses where a question has none: nothing is guessed."""

    def choose(self, question: str, options: Options, default: str | None, flag: str) -> str:
        """The default.

        Raises:
            BadInputError: There is none.
        """
        if default is None:
            listed = ", ".join(one_line(answer) for answer, _ in options[:5])
            raise BadInputError(f"{question.rstrip(':?')}: {listed}", f"Answer with {flag}")
        return default

    def choose_some(
        self, question: str, options: Options, default: Sequence[str] | None, flag: str
    ) -> tuple[str, ...]:
        """The default.

        Raises:
            BadInputError: There is none.
        """
        return (self.choose(question, options, None, flag),) if default is None else tuple(default)

    def text(self, question: str, default: str | None, flag: str) -> str:
        """The default.

        Raises:
            BadInputError: There is none.
        """
        if default is None:
            raise BadInputError(f"{question} is not given", f"Answer with {flag}")
        return default

    def agree(self, question: str, *, default: bool) -> bool:
        return default


def _show_options(question: str, options: Options) -> list[str]:
    """Print a question with its numbered answers; gives the answers."""
    say("", question)
    table(
        [(f"{at:3}", f" {one_line(answer)}", meaning) for at, (answer, meaning) in enumerate(options, 1)],
        [4, 26],
    )
    return [answer for answer, _ in options]
