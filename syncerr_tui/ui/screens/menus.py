"""Choosing one of several: a column, an address, what to copy, how to write it down, what to say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import SortKey
from syncerr_tui.triage.export import Copyable, Format
from syncerr_tui.triage.handling import NOBODY, PARENT, HandlingKind
from syncerr_tui.ui.screens.dialog import Dialog
from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.words import plural

Answer = TypeVar("Answer")


class Menu(Dialog[Answer]):
    """A list to choose from. Enter chooses."""

    _keys: Sequence[tuple[str, str]] = (("enter", "chooses"), ("/", "narrows"), ("esc", "cancels"))
    NARROWS = "part of a line"
    BINDINGS: ClassVar[list[BindingType]] = [
        # The arrows come here only while something is typed.
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
    ]

    def on_mount(self) -> None:
        self.learn_options()
        self.begin()

    def learn_options(self) -> None:
        """What the list shows now is what narrowing begins with."""
        self._all = tuple(self.query_one(OptionList).options)

    def begin(self) -> None:
        """The list takes the keys."""
        self.query_one(OptionList).focus()

    def action_move(self, rows: int) -> None:
        options = self.query_one(OptionList)
        if rows > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def matching(self, text: str) -> Sequence[Option]:
        """The lines that have all words of this text."""
        words = text.casefold().split()
        return [
            option for option in self._all if all(word in str(option.prompt).casefold() for word in words)
        ]

    def show_matching(self, text: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            self.matching(text) or [Option(Content("Nothing has these words."), disabled=True)]
        )
        options.action_first()

    @on(Input.Submitted, ".-narrowing")
    def submitted(self) -> None:
        """Enter in the line to type in: choose the highlighted line."""
        self.query_one(OptionList).action_select()


class SortMenu(Menu[SortKey]):
    """Which column to sort by."""

    _heading = "Sort by (the column in use again reverses the order)"

    def __init__(self, current: SortKey, *, reverse: bool) -> None:
        super().__init__()
        self._current = current
        self._reverse = reverse

    def body(self) -> Sequence[Widget]:
        options = []
        for key in SortKey:
            now = f"   now {key.words(reverse=self._reverse)}" if key is self._current else ""
            options.append(Option(Content(key.value + now), id=key.name))
        listed = OptionList(*options, markup=False)
        listed.highlighted = list(SortKey).index(self._current)
        return (listed,)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(SortKey[str(event.option.id)])


_WIDTH = 70


class AddressMenu(Menu[str]):
    """The steps that lead somewhere; the next one first."""

    _heading = "Open which address?"
    _keys = (
        ("enter", "opens or copies it"),
        ("/", "narrows"),
        ("esc", "cancels"),
    )

    def __init__(self, addresses: Sequence[tuple[str, str]], *, ellipsis: str = "…") -> None:
        super().__init__()
        self._addresses = addresses
        self._ellipsis = ellipsis

    def body(self) -> Sequence[Widget]:
        options = []
        for told, address in self._addresses:
            step = cell(told, _WIDTH, self._ellipsis).rstrip()
            path = cell(address.partition("://")[2], _WIDTH - 2, self._ellipsis).rstrip()
            options.append(Option(Content(f"{step}\n  {path}"), id=address))
        listed = OptionList(*options, markup=False)
        listed.highlighted = 0
        return (listed,)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class CopyMenu(Menu[Copyable]):
    """What to copy; each has a letter."""

    _keys = (("enter", "or its letter copies"), ("/", "narrows"), ("esc", "cancels"))

    def __init__(self, heading: str, things: Sequence[Copyable], *, ellipsis: str = "…") -> None:
        super().__init__()
        self._heading = heading
        self._things = things
        self._ellipsis = ellipsis

    def body(self) -> Sequence[Widget]:
        options = []
        for thing in self._things:
            beginning = cell(one_line(thing.text) or "-", _WIDTH - 22, self._ellipsis).rstrip()
            line = Content(f"{thing.key}  {thing.name:<16} {beginning}")
            options.append(Option(line, id=thing.key, disabled=not thing.text))
        listed = OptionList(*options, markup=False)
        listed.highlighted = next((at for at, thing in enumerate(self._things) if thing.text), None)
        return (listed,)

    def on_key(self, event: events.Key) -> None:
        thing = next((thing for thing in self._things if thing.key == event.character), None)
        if thing is not None and thing.text:
            event.stop()
            self.dismiss(thing)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(next(thing for thing in self._things if thing.key == event.option.id))


class ExportMenu(Menu[Format]):
    """How to write down what the list shows."""

    KINDS: ClassVar[Sequence[tuple[Format, str]]] = (
        (Format.CSV, "CSV, for a spreadsheet"),
        (Format.JSONL, "JSON lines, for a program"),
        (Format.MARKDOWN, "Markdown, for a ticket"),
    )

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._heading = f"Write {plural(rows, 'row')} to a file in this folder"

    def body(self) -> Sequence[Widget]:
        listed = OptionList(*(Option(Content(name), id=form.name) for form, name in self.KINDS), markup=False)
        listed.highlighted = 0
        return (listed,)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Format[str(event.option.id)])


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say."""

    kind: HandlingKind
    label: str
    value: str | None = None
    """None: to be asked for."""


ASKED: Mapping[HandlingKind, tuple[str, str]] = {
    HandlingKind.NOTE: ("A note on", "for example: the carrier answers on Monday"),
    HandlingKind.ASSIGN: ("Who works on", f"a name, me, or {NOBODY}"),
    HandlingKind.SUPPORT: ("The ticket of", f"its number, or {NOBODY}"),
    HandlingKind.SNOOZE: ("Until when to snooze", f"8h, 2d, 2026-11-30T06:00, +5 for five more, or {PARENT}"),
}
"""Kind -> what is asked, and how an answer looks."""

_WISHES = (
    Wish(HandlingKind.NOTE, "Note ..."),
    Wish(HandlingKind.ASSIGN, "Assign to me", "me"),
    Wish(HandlingKind.ASSIGN, "Assign to somebody ..."),
    Wish(HandlingKind.ASSIGN, "Assign to nobody", NOBODY),
    Wish(HandlingKind.SUPPORT, "With support: ticket ..."),
    Wish(HandlingKind.SUPPORT, "Not with support any more", NOBODY),
    Wish(HandlingKind.SNOOZE, "Snooze for 8 hours", "8h"),
    Wish(HandlingKind.SNOOZE, "Snooze until its parent is fixed", PARENT),
    Wish(HandlingKind.SNOOZE, "Snooze until ..."),
    Wish(HandlingKind.SNOOZE, "Wake it", ""),
    Wish(HandlingKind.MERGED, "The two records of the TWIN are merged", ""),
)


class HandlingMenu(Menu[Wish]):
    """What can be said; of what is asleep first how it wakes.

    Args:
        about: Of what, in words.
        asleep: It is snoozed.
        twin: It was left as a TWIN.
    """

    def __init__(self, about: str, *, asleep: bool, twin: bool) -> None:
        super().__init__()
        hidden = {"Wake it"} if not asleep else set()
        hidden |= {"The two records of the TWIN are merged"} if not twin else set()
        self._wishes = [wish for wish in _WISHES if wish.label not in hidden]
        self._heading = f"About {about}"

    def body(self) -> Sequence[Widget]:
        options = (Option(Content(wish.label), id=str(number)) for number, wish in enumerate(self._wishes))
        listed = OptionList(*options, markup=False)
        listed.highlighted = 0
        return (listed,)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._wishes[int(str(event.option.id))])
