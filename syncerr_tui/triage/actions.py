"""Every action, once: what it is called, which keys ask for it, what it does, and why it cannot run now.

The key bindings, the footer, the help screen, the palette and the README's table of keys are made from
this table. Small letters look, capital letters act. Long because it is one table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncerr_tui.model import Environment
from syncerr_tui.triage.state import Place

if TYPE_CHECKING:
    from syncerr_tui.triage.state import UiState


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What decides whether an action can run: the state of the screen, and what is known beside it."""

    state: UiState
    environment: Environment = Environment.PRODUCTION
    connected: bool = False
    interrupted: int = 0
    """Re-syncs of earlier starts that wait for somebody to go on with them."""
    commands: bool = False
    """A command of the person's own is running."""
    key: Callable[[str], str] = lambda action_id: BY_ID[action_id].keys[0]
    """The key that asks for an action, for reasons that name one."""
    # What the pane in front adds.
    chosen: int = 0
    """Rows an action would act on."""
    total: int = 0
    current: bool = False
    """There is a row under the cursor."""
    fix: bool = False
    """It is a fix, of the journal."""
    linking: bool = False
    """The place shows causes, and they are being worked out."""
    to_press: int = 0
    """Rows that the person is to press in Salesforce, as far as they are shown."""
    not_tickable: str = ""
    """Why the row under the cursor cannot be ticked off."""


_COUNTED = frozenset({
    "down", "up", "page_down", "page_up", "half_down", "half_up", "first", "last", "toggle", "extend_down",
    "extend_up", "next_error", "previous_error", "next_cause", "previous_cause",
})  # fmt: skip
TABS = (Place.ERRORS, Place.CAUSES, Place.JOURNAL, Place.GUIDED)
"""In the order in which they stand on screen."""

Reason = Callable[[ActionFacts], str | None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can ask for."""

    id: str
    """Stable name: the keymap in the configuration refers to it."""
    keys: tuple[str, ...]
    """Textual's key names; the first one is shown."""
    label: str
    """Two or three words, for the footer and the palette."""
    help: str
    """One sentence, for the help screen and the README."""
    places: frozenset[Place] = frozenset({Place.EVERYWHERE})
    group: str = ""
    """Under which heading of the help it stands."""
    changes_org: bool = False
    """Absent where the app is read-only."""
    on_snapshot: bool = False
    """On a snapshot it makes a list, and changes nothing."""
    why_disabled: Reason = lambda _facts: None
    """None while it can run, else the reason in words."""
    footer: int = 0
    """Rank in the footer, 1 first; 0 keeps it out."""

    def works_in(self, place: Place) -> bool:
        """Whether its keys work in this part of the app."""
        return Place.EVERYWHERE in self.places or place in self.places

    @property
    def counted(self) -> bool:
        """Whether digits before its key say how often, or to which row."""
        return self.id in _COUNTED


def _connected(facts: ActionFacts) -> str | None:
    if facts.connected:
        return None
    return (
        "still connecting to the org"
        if facts.state.reading.active
        else f"not connected: {facts.key('refresh')} tries again"
    )


def _row(facts: ActionFacts) -> str | None:
    if facts.current:
        return None
    return "the causes are still being worked out" if facts.linking else "there is no row under the cursor"


def _rows(facts: ActionFacts) -> str | None:
    return None if facts.total else "the list is empty"


def _busy(facts: ActionFacts) -> str | None:
    if not facts.state.run.busy:
        return None
    return f"a re-sync is under way: wait for it, or {facts.key('cancel')} stops it"


def _change(facts: ActionFacts) -> str | None:
    return None if facts.state.news.marks else "no row is new or changed since you looked"


def _since(facts: ActionFacts) -> str | None:
    return None if facts.state.news.marks or facts.state.news.gone else "nothing has changed since you looked"


def _resync(facts: ActionFacts) -> str | None:
    if facts.state.reading.expired:
        return f"the session has expired: {facts.key('login')} logs in again"
    if not facts.connected:
        return _connected(facts)
    if facts.chosen:
        return None
    if facts.state.listing.hidden_selected:
        return f"the filter hides everything selected: {facts.key('back')} shows it"
    return _row(facts)


def _queue(facts: ActionFacts) -> str | None:
    if facts.state.queue.runs or facts.state.queue.ended:
        return None
    return f"nothing is queued: {facts.key('resync')} queues, while a re-sync is under way"


def _interrupted(facts: ActionFacts) -> str | None:
    return _busy(facts) or (None if facts.interrupted else "no re-sync was interrupted")


def _verify(facts: ActionFacts) -> str | None:
    if facts.state.run.busy:
        return "a re-sync is under way, and checks its rows itself"
    if facts.fix:
        return f"this is a fix, and no run: {facts.key('fixes')} goes back to the runs"
    return _connected(facts) or _row(facts)


def _fix(facts: ActionFacts) -> str | None:
    if facts.state.reading.expired or not facts.connected:
        return _resync(facts)
    return _busy(facts) or _row(facts)


def _run(facts: ActionFacts) -> str | None:
    return None if facts.state.run.busy else "no re-sync is under way"


def _stop(facts: ActionFacts) -> str | None:
    if facts.state.doing or facts.commands or facts.state.run.busy:
        return None
    # Whoever presses ctrl+c with nothing to stop wants out.
    return f"no re-sync is under way; {facts.key('quit')} quits"


def _setup(facts: ActionFacts) -> str | None:
    if facts.environment is not Environment.DEMO:
        return "this org is connected; 'syncerr-tui setup' adds another"
    return _busy(facts)


def _login(facts: ActionFacts) -> str | None:
    return None if facts.state.reading.expired or not facts.connected else "the session has not expired"


_LIST = frozenset({Place.ERRORS})
_JOURNAL = frozenset({Place.JOURNAL})
_GUIDED = frozenset({Place.GUIDED})
_TABLES = frozenset({Place.ERRORS, Place.CAUSES, Place.JOURNAL, Place.GUIDED})
_CAUSES = frozenset({Place.CAUSES})
_ERRORS_AND_CAUSES = frozenset({Place.ERRORS, Place.CAUSES})


def _group(name: str, actions: tuple[Action, ...]) -> Iterator[Action]:
    """Actions that stand under one heading of the help, except those that have one of their own."""
    return (replace(action, group=action.group or name) for action in actions)


_MOVE = (
    Action("down", ("down", "j"), "down", "Move down; the view jumps half a page at its edge.", _TABLES),
    Action("up", ("up", "k"), "up", "Move up.", _TABLES),
    Action("page_down", ("pagedown", "ctrl+f"), "page down", "Move down a page.", _TABLES),
    Action("page_up", ("pageup", "ctrl+b"), "page up", "Move up a page.", _TABLES),
    Action("half_down", ("ctrl+d",), "half page down", "Move down half a page.", _TABLES),
    Action("half_up", ("ctrl+u",), "half page up", "Move up half a page.", _TABLES),
    Action("first", ("g", "home"), "first row", "Go to the first row.", _TABLES),
    Action("last", ("G", "end"), "last row", "Go to the last row.", _TABLES),
    Action(
        "count",
        ("0", "5", "6", "7", "8", "9"),
        "count",
        "Digits before a move or a selection repeat it: 10j, 5 space, 50G. 1 to 4 alone are tabs.",
        _TABLES,
    ),
)
_SELECT = (
    Action(
        "toggle",
        ("space",),
        "select",
        "Select or unselect the row, or the cause and all it holds, and move on to the next.",
        _ERRORS_AND_CAUSES,
        why_disabled=_row,
        footer=1,
    ),
    Action("extend_down", ("shift+down", "J"), "extend down", "Select while moving down.", _LIST),
    Action("extend_up", ("shift+up", "K"), "extend up", "Select while moving up.", _LIST),
    Action(
        "range",
        ("v",),
        "range",
        "Begin a range: every movement extends it; the same key keeps it, back cancels it.",
        _LIST,
        why_disabled=_row,
        footer=2,
    ),
    Action(
        "select_all",
        ("a",),
        "all",
        "Select every row that the filter shows.",
        _LIST,
        why_disabled=_rows,
        footer=3,
    ),
    Action(
        "invert",
        ("i",),
        "invert",
        "Swap selected and unselected among the rows shown.",
        _LIST,
        why_disabled=_rows,
    ),
    Action(
        "select_alike",
        ("comma",),
        "select alike",
        "Select every row shown that has this row's code.",
        _LIST,
        why_disabled=_row,
    ),
    Action(
        "restore_selection",
        ("backspace",),
        "selection back",
        "Bring back the selection that was lost last, as far as its rows are in the list; again swaps.",
        _ERRORS_AND_CAUSES,
        why_disabled=lambda facts: None if facts.state.listing.restorable else "no selection was lost",
    ),
    Action(
        "back",
        ("escape",),
        "back",
        "One step back: close what is open, end the range, show everything, unselect.",
    ),
)
_LOOK = (
    Action(
        "filter",
        ("slash",),
        "filter",
        'Show only what matches: text, /regex/, object:Order code:INVALID* age:>2d day: -not "two words".',
        _TABLES,
        footer=4,
    ),
    Action(
        "only_like",
        ("equals_sign",),
        "only like this",
        "Only rows with this row's object, code, day, cause or message; a capital letter leaves them out.",
        _ERRORS_AND_CAUSES,
        why_disabled=_row,
    ),
    Action(
        "count_by",
        ("number_sign",),
        "count by",
        "Count the rows shown by object, event, code, day or cause; enter filters by one, escape comes back.",
        _ERRORS_AND_CAUSES,
        why_disabled=_rows,
    ),
    Action(
        "save_filter",
        ("ctrl+s",),
        "save filter",
        "Keep the filter in force under a name, in config.toml; saved:NAME filters by it, in commands too.",
        _ERRORS_AND_CAUSES,
        why_disabled=lambda facts: None if facts.state.listing.filter else "no filter is in force",
    ),
    Action(
        "raw",
        ("ctrl+r",),
        "raw record",
        "Show the change event with every field that the org returns; its text can be searched and copied.",
        _ERRORS_AND_CAUSES,
        why_disabled=lambda facts: _connected(facts) or _row(facts),
    ),
    Action(
        "pager",
        ("f3", "vertical_line"),
        "in pager",
        "Show the change event with all its fields, as JSON, in the program that PAGER names.",
        _ERRORS_AND_CAUSES,
        why_disabled=lambda facts: _connected(facts) or _row(facts),
    ),
    Action(
        "editor",
        ("f4",),
        "in editor",
        "The same in the program that VISUAL or EDITOR names; what is changed there is sent nowhere.",
        _ERRORS_AND_CAUSES,
        why_disabled=lambda facts: _connected(facts) or _row(facts),
    ),
    Action(
        "sort", ("o",), "sort", "Choose the column to sort by; the same one again reverses the order.", _LIST
    ),
    Action(
        "info",
        ("enter",),
        "info",
        "What happened and what to do; at the side of a wide window, else in place of the list.",
        _TABLES,
        footer=5,
    ),
    Action(
        "next_error",
        ("right", "n"),
        "next error",
        "The next error, also while the info panel is open.",
        _LIST,
        why_disabled=_row,
    ),
    Action(
        "previous_error",
        ("left", "p"),
        "previous error",
        "The error before, also while the info panel is open.",
        _LIST,
        why_disabled=_row,
    ),
    Action(
        "open",
        ("right", "l"),
        "open",
        "Open the cause: its errors, below each what waits for it, and why that is believed.",
        _CAUSES,
        why_disabled=_row,
        footer=2,
    ),
    Action("close", ("left", "h"), "close", "Close the cause; from an error, up to its cause.", _CAUSES),
    Action("next_cause", ("n",), "next cause", "The next cause.", _CAUSES, why_disabled=_row),
    Action("previous_cause", ("p",), "previous cause", "The cause before.", _CAUSES, why_disabled=_row),
    Action(
        "panel",
        ("z",),
        "panel",
        "Close the info panel, or have it on screen with the list; from inside it, the whole window for it.",
        _TABLES,
    ),
    Action(
        "columns_right",
        ("right_square_bracket", "shift+right"),
        "more columns",
        "Sideways to the columns that have no room, and through a long message; the first column stays.",
        _LIST,
    ),
    Action("columns_left", ("left_square_bracket", "shift+left"), "columns back", "Sideways back.", _LIST),
    Action(
        "zoom_message",
        ("H",),
        "whole message",
        "The message as wide as the window has room, beside the first column; the same key goes back.",
        _LIST,
    ),
    Action(
        "choose_columns",
        ("t",),
        "columns",
        "Choose which columns the table shows, in which order and how wide; kept for this org.",
        _LIST,
    ),
    Action("focus_next", ("tab",), "other side", "Move between the list and the info panel."),
    Action(
        "alike",
        ("e",),
        "same cause",
        "Show all rows of this cause in the list; the same key again goes back to all rows.",
        _ERRORS_AND_CAUSES,
        why_disabled=_row,
    ),
    Action(
        "go_to_cause",
        ("u",),
        "its cause",
        "Go up to the error that has to be fixed before this one can work.",
        _LIST,
        why_disabled=_row,
    ),
    Action("errors", ("1",), "errors", "The list of sync errors."),
    Action(
        "causes",
        ("c", "2"),
        "causes",
        "What really broke, worst first, with what each holds up; at first on the worst, then on this row's.",
    ),
    Action("journal", ("3",), "journal", "What was re-synced, by whom, and what came of it."),
    Action(
        "guided",
        ("4",),
        "guided",
        "What is to be pressed in Salesforce, ticked off row by row, while such a re-sync is under way.",
        why_disabled=lambda facts: (
            None if facts.state.guided is not None else "no re-sync by hand is under way or interrupted"
        ),
    ),
    Action(
        "safeguards",
        ("s",),
        "safeguards",
        "What was switched off from here and is not on again; each can be put back.",
        why_disabled=_connected,
    ),
    Action(
        "fixes",
        ("f",),
        "fixes",
        "The fixes that were made from here, and what became of each; the same key goes back to the runs.",
        _JOURNAL,
    ),
    Action("guide", ("m",), "guide", "Every status code and what to do about it, as a manual."),
    Action(
        "refresh",
        ("r",),
        "refresh",
        "Read the list from the org again; what is new since you looked is marked.",
    ),
    Action(
        "watch",
        ("w",),
        "watch",
        "Read what has changed every minute; what is new is marked, and new errors ring the bell.",
        why_disabled=_connected,
    ),
    Action(
        "next_change",
        ("full_stop",),
        "next new",
        "The next row that is new (+) or changed (~); its mark goes once you have opened and left its info.",
        _LIST,
        why_disabled=_change,
    ),
    Action(
        "since",
        ("d",),
        "since I looked",
        "What is new, changed and gone, and why it is gone; the same key again marks all of it as seen.",
        why_disabled=_since,
    ),
)
_COPY = (
    Action(
        "note",
        ("N",),
        "note",
        "Annotate the row, the selection or the cause: a note, who works on it, a ticket, a snooze.",
        _ERRORS_AND_CAUSES,
        why_disabled=_row,
    ),
    Action(
        "copy",
        ("y",),
        "copy",
        "Copy an ID, the message, the whole error or its link, of the row or of all selected, a line each.",
        _TABLES,
        why_disabled=_row,
    ),
    Action("copy_error", ("Y",), "copy error", "Copy the whole error as text.", _LIST, why_disabled=_row),
    Action(
        "copy_all",
        ("Y",),
        "copy all",
        "The same of all rows that are to be pressed, as far as the filter shows them.",
        _GUIDED,
        why_disabled=_rows,
    ),
    Action(
        "open_tool",
        ("b",),
        "open address",
        "Open the page on which Re-sync is pressed; where there is no browser, copy its address.",
        _GUIDED,
    ),
    Action(
        "export",
        ("x",),
        "export",
        "Write the rows and columns that the list shows to a new file here: CSV, JSON lines or Markdown.",
        _LIST,
        why_disabled=_rows,
    ),
    Action(
        "report",
        ("W",),
        "report",
        "Write the hand-over of the last eight hours to a new HTML file here: done, proven, left, next.",
        why_disabled=_connected,
    ),
    Action(
        "browse",
        ("b",),
        "open address",
        "Open the address of the next step in a browser; where there is none, copy it.",
        _ERRORS_AND_CAUSES,
        why_disabled=_row,
    ),
)
_ACT = (
    Action(
        "resync",
        ("R",),
        "re-sync",
        "Re-sync what is selected, or the row or cause under the cursor, after the plan; or queue it.",
        _ERRORS_AND_CAUSES,
        changes_org=True,
        why_disabled=_resync,
        footer=6,
    ),
    Action(
        "queue",
        ("Q",),
        "queue",
        "The re-syncs that wait for the one under way: take one out, move it, resume after a hold.",
        why_disabled=_queue,
    ),
    Action(
        "tick",
        ("space",),
        "tick off",
        "You pressed Re-sync for this row in Salesforce: it is read back from now on. Again: untick it.",
        _GUIDED,
        why_disabled=lambda facts: facts.not_tickable or None,
        footer=1,
        group="By hand",
    ),
    Action(
        "tick_all",
        ("a",),
        "tick all",
        "You pressed Re-sync for all that is to be pressed, as far as the filter shows it.",
        _GUIDED,
        why_disabled=lambda facts: None if facts.to_press else "nothing is to be pressed right now",
        footer=2,
        group="By hand",
    ),
    Action(
        "decline",
        ("N",),
        "not pressed",
        "You did not press it and will not: it stays unsent. What may have been pressed is shown again.",
        _GUIDED,
        why_disabled=lambda facts: facts.not_tickable or None,
        footer=3,
        group="By hand",
    ),
    Action(
        "cancel",
        ("X", "ctrl+c"),
        "stop re-sync",
        "Stop the re-sync after the answers to what is on its way; the rest stays unsent. Or your command.",
        why_disabled=_stop,
    ),
    Action(
        "pause",
        ("P",),
        "pause re-sync",
        "Pause the re-sync after what is on its way, or resume it.",
        why_disabled=_run,
    ),
    Action(
        "fix",
        ("F",),
        "fix",
        "What would remove the blocker, smallest change first, with proof; for all causes that are selected.",
        _ERRORS_AND_CAUSES,
        changes_org=True,
        on_snapshot=True,
        why_disabled=_fix,
    ),
    Action(
        "resume",
        ("U",),
        "unfinished",
        "Look at a re-sync that was interrupted: go on with it, only check it, or drop it.",
        why_disabled=_interrupted,
    ),
    Action(
        "verify",
        ("V",),
        "check again",
        "Read from the org once more what this run sent and could not prove; nothing is sent.",
        _JOURNAL,
        why_disabled=_verify,
        footer=6,
    ),
    Action("login", ("L",), "log in again", "Log in again, for a new session.", why_disabled=_login),
)
_PROGRAM = (
    Action(
        "setup",
        ("S",),
        "connect an org",
        "Leave the demo, after a question, and connect an org of your own, step by step.",
        why_disabled=_setup,
    ),
    Action("help", ("question_mark",), "help", "The keys that work here.", footer=7),
    Action("palette", ("ctrl+p", "colon"), "palette", "Find any action by its name."),
    Action("redraw", ("ctrl+l",), "redraw", "Draw the screen again."),
    Action(
        "suspend",
        ("ctrl+z",),
        "suspend",
        "Back to the shell, whose fg comes back here; asks first while a re-sync would sleep too.",
    ),
    Action(
        "quit",
        ("q", "ctrl+q"),
        "quit",
        "Quit; asks first while a re-sync is under way or a safeguard is off.",
        footer=8,
    ),
)
ACTIONS: tuple[Action, ...] = (
    *_group("Move", _MOVE),
    *_group("Select", _SELECT),
    *_group("Look", _LOOK),
    *_group("Copy and export", _COPY),
    *_group("Act", _ACT),
    *_group("Program", _PROGRAM),
)

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
