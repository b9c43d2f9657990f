"""The palette and the help: every action by its key, its name, or a word of another tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from syncerr_tui.diagnosis.text_layout import Role, TextLayout, TextLine
from syncerr_tui.triage.actions import Action
from syncerr_tui.triage.keymap import key_label
from syncerr_tui.ui.screens.dialog import PanelReading
from syncerr_tui.ui.screens.menus import Menu

_ALSO: Mapping[str, str] = {
    "resync": "retry sync button send again object checkbox",
    "fix": (
        "resolution resolve recommended remove disable deactivate duplicate rule validation flow apex "
        "trigger required field default value picklist owner inactive locked merge email bounced template"
    ),
    "errors": "sync error tool utility bar app launcher list unresolved records failed",
    "causes": "root cause first listed error related dependency parent reason",
    "info": "information icon details suggestions message fields object event type processed at",
    "guide": "documentation manual status code description sync errors",
    "watch": "notification notify alert bell poll new detected",
    "filter": "search find look for query regex",
    "count_by": "statistics frequency histogram group number how many total",
    "only_like": "search same value narrow object code",
    "save_filter": "remember bookmark favourite",
    "raw": "record fields json api everything whole describe",
    "pager": "less raw record json",
    "editor": "vim nano raw record json edit",
    "copy": "clipboard yank salesforce id storeconnect id",
    "copy_error": "clipboard support ticket whole",
    "export": "save file csv markdown json spreadsheet",
    "browse": "link url web setup page",
    "panel": "maximise maximize full screen side split hide",
    "columns_right": "scroll horizontal",
    "columns_left": "scroll horizontal",
    "report": "handover shift",
    "note": "assign owner colleague comment",
    "refresh": "reload update",
    "cancel": "abort cancel halt",
    "quit": "exit leave close",
    "journal": "history log runs audit past",
    "verify": "prove proof",
    "sort": "order processed at",
    "toggle": "mark tick checkbox object",
    "select_all": "mark tick everything checkbox",
    "range": "mark several",
    "restore_selection": "undo unselect",
    "safeguards": "switch on again",
    "choose_columns": "salesforce id storeconnect id hide show width",
    "login": "session expired password",
    "setup": "connect org account",
    "help": "keys shortcuts",
    "alike": "related related errors group",
    "go_to_cause": "parent previous failed change",
}
"""Id of an action -> more words that it is found by."""
_OWN_NAME, _OTHER_NAME, _IN_ITS_SENTENCE, _NOWHERE = 0, 1, 3, 1000
"""How far off a word is. One in the name and one in the sentence are nearer than two in the sentence."""


def matching_actions(actions: Sequence[Action], text: str) -> list[Action]:
    """The actions that have these words, or as many of them as any has, the nearest first.

    A word in an action's name is nearest, then another word for it, then one in its sentence; of what is
    equally near, that which only moves the cursor comes last.
    """
    words = text.casefold().split()
    distances = {action.id: sum(_distance(action, word) for word in words) for action in actions}
    lacking = min((distance // _NOWHERE for distance in distances.values()), default=0)
    if words and lacking == len(words):
        return []
    near = [action for action in actions if distances[action.id] // _NOWHERE == lacking]
    return sorted(near, key=lambda action: (distances[action.id], action.group == "Move"))


def _distance(action: Action, word: str) -> int:
    """How far one word is from an action; its plural is the same word."""
    stem = word.removesuffix("s") or word
    name = f" {action.label} {action.id.replace('_', ' ')}".casefold()
    if f" {stem}" in name or f"-{stem}" in name:
        return _OWN_NAME
    if f" {stem}" in f" {_ALSO.get(action.id, '')}":
        return _OTHER_NAME
    return _IN_ITS_SENTENCE if stem in f"{name} {action.help} {action.group}".casefold() else _NOWHERE


class Palette(Menu[str]):
    """What is typed finds; what cannot run now says why."""

    _heading = "Find an action"
    _keys = (("enter", "chooses"), ("esc", "cancels"))
    SHAPE = "-tall"
    NARROWS = "part of its name, or a word for it: retry, link, notification ..."
    TYPED_INTO = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+p", "leave", show=False)]

    def __init__(self, actions: Sequence[tuple[Action, str | None]], *, unicode: bool = True) -> None:
        super().__init__()
        self._reasons = {action.id: reason for action, reason in actions}
        self._actions = [action for action, _ in actions]
        self._unicode = unicode

    def body(self) -> Sequence[Widget]:
        """The actions that match; what only moves the cursor stands last."""
        return (OptionList(*self.matching(""), markup=False),)

    def begin(self) -> None:
        self.action_narrow()
        self.action_move(1)

    def matching(self, text: str) -> Sequence[Option]:
        return [self._option(action) for action in matching_actions(self._actions, text)]

    def _option(self, action: Action) -> Option:
        reason = self._reasons[action.id]
        key = key_label(action.keys[0], unicode=self._unicode) if action.keys else ""
        line = f"{action.label:<16} {key:<11} {f'({reason})' if reason else action.help}"
        return Option(Content(line), id=action.id, disabled=reason is not None)

    def action_leave(self) -> None:
        """Back, at once: the line to type in is always there."""
        self.dismiss(None)

    def choose(self) -> None:
        self.dismiss(self.chosen_id)


_KEYS = 20


class HelpScreen(PanelReading):
    """Keys by group, each with one sentence; what cannot run now says why."""

    _keys = (("j k", "scroll"), ("/", "narrows"), ("esc", "closes"))
    NARROWS = "part of a key's name or of what it does"

    def __init__(self, place: str, actions: Sequence[tuple[Action, str | None]], *, unicode: bool) -> None:
        heading = f"Keys in {place}.  Small letters look, capital letters act."
        super().__init__(heading)
        self._actions = actions
        self._unicode = unicode

    def lines(self, width: int) -> list[TextLine]:
        page = TextLayout(width)
        group = ""
        for action, reason in self._actions:
            names = "  ".join(key_label(key, unicode=self._unicode) for key in action.keys)
            if not self.has_words(f"{names} {action.label} {action.help} {action.group}"):
                continue
            if action.group != group:
                group = action.group
                page.heading(group)
            pieces: list[tuple[str, Role]] = [(action.help, Role.TEXT)]
            if reason:
                pieces.append((f" Not now: {reason}.", Role.MUTED))
            first = f"  {names:<{_KEYS}} "
            page.pieces(*pieces, first=first, rest=" " * len(first))
        if not group:
            page.text("No key and no sentence has these words.")
        hint = "To select text with the mouse, hold shift (option on a Mac)."
        page.blank()
        page.text(hint, Role.MUTED)
        return page.lines
