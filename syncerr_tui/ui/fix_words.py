"""What the app says about fixes: options, what came of one, the safeguards that are off. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.text_layout import Piece, Role, TextLayout, TextLine
from syncerr_tui.fixes.model import FixOption, FixRecord, FixResult, FixState, SafeguardNow, SafeguardState
from syncerr_tui.fixes.org import FixKind, Undo
from syncerr_tui.text import one_line
from syncerr_tui.triage.columns import Column
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago, clock_time, field_value, local_second, plural

_LABEL = 13
_UNDO = {
    Undo.EXACT: "Exact: it can be put back as it was.",
    Undo.NONE: "None: it cannot be undone from here.",
}
_UNDO_IN_PART = {
    FixKind.CORRECT_VALUE: "In part: the old value goes back, unless another record holds it by then.",
    FixKind.ADD_VALUE: "In part: what is added can be made inactive, not taken away.",
}
_STATES = {
    SafeguardState.ON: ("on again", "good"),
    SafeguardState.OFF: ("OFF", "bad"),
    SafeguardState.UNKNOWN: ("not known", "bad"),
    SafeguardState.GONE: ("gone from the org", "quiet"),
    SafeguardState.OTHER_VERSION: ("another version is active", "busy"),
}
NAMES_OF_SAFEGUARDS = (
    "Or DuplicateRule:Account.Rule, WorkflowRule:Order.Rule, CustomField:Order.Field__c, or "
    "FlowDefinition:Name@3 with the version that was active."
)
"""How a safeguard is named that was switched off by hand."""
FIXES = (
    Column("when", "When", (12,)),
    Column("by", "By", (8,)),
    Column("state", "State", (12,)),
    Column("fix", "Fix", (19,)),
    Column("target", "Target", (14,)),
    Column("why", "Why", (6,), since=100),
)
"""The columns of the fixes in the journal."""


class _OneLiners(TextLayout):
    """A page on which no name or text of the org writes a line of its own."""

    def pieces(self, *pieces: Piece, first: str = "", rest: str = "") -> None:
        super().pieces(*((one_line(text), role) for text, role in pieces), first=first, rest=rest)


def value_changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """`active: yes -> no`, a line for each value."""
    return [
        f"{one_line(name)}: {field_value(before.get(name))} -> {field_value(new)}"
        for name, new in after.items()
    ]


def verdict(option: FixOption) -> tuple[str, str]:
    """Whether it can be done from here, in a word, and how that looks."""
    if not option.automatic:
        return "by hand", "quiet"
    if not option.allowed:
        return "not allowed", "bad"
    return ("done already", "quiet") if option.settled else ("from here", "good")


def option_line(option: FixOption) -> str:
    return f"{verdict(option)[0]:<14}{option.kind.scope.value:<11}{one_line(option.title)}"


def option_lines(option: FixOption, width: int) -> list[TextLine]:
    """All that a person should know before they decide."""
    page = _OneLiners(width)
    page.text(option.title, Role.NAME)
    page.blank()
    known = {name: new for name, new in option.after.items() if name not in option.wants}
    for line in value_changes(option.before, known):
        page.field("Changes", line, _LABEL)
    for name in option.wants:
        page.field("Changes", f"{name}: {field_value(option.before.get(name))} -> as you type it", _LABEL)
    if option.kind is not FixKind.BY_HAND:
        page.field("Target", f"{option.target.type} {option.target.name}", _LABEL)
    if option.affects:
        page.field("Affects", option.affects, _LABEL)
    if option.automatic:
        page.field("Undo", _UNDO_IN_PART.get(option.kind) or _UNDO[option.kind.undo], _LABEL)
        page.field("Risk", f"{option.kind.risk.value}".capitalize(), _LABEL)
    for line in option.changed:
        page.field("History", line, _LABEL)
    if option.settled:
        page.field("Now", f"{option.settled}: nothing would be written.", _LABEL)
    if option.why_guided:
        page.field("By hand", f"{option.why_guided}.", _LABEL)
    elif option.why_not:
        page.field("Not allowed", f"{option.why_not}.", _LABEL)
    if option.allowed and option.kind.is_safeguard:
        page.blank()
        page.text(
            "It stays off until it is put back. A re-sync can switch it off for just as long as it takes: "
            "f in its plan."
        )
    for number, step in enumerate(option.steps, 1):
        if number == 1:
            page.heading("Step by step")
        page.pieces((plain(step.text), Role.TEXT), first=f"{number} ", rest="  ")
        if step.address:
            page.add([TextLine((("  ", Role.TEXT), (step.address, Role.ADDRESS)), step.address)])
    return page.lines


def fix_outcome(result: FixResult) -> tuple[str, str]:
    """What became of a fix in a sentence, and how that looks."""
    words = {
        FixState.APPLIED: "Applied." if result.verified else "Applied, but not as shown.",
        FixState.ALREADY: "It was like that already: nothing was written.",
        FixState.LISTED: "On the list: nothing is changed yet.",
        FixState.REFUSED: "Refused: it is as before.",
        FixState.UNKNOWN: "It is not known whether it was done.",
    }[result.state]
    return words, "good" if result.verified or result.state is FixState.LISTED else "bad"


def result_lines(title: str, result: FixResult, width: int) -> list[TextLine]:
    page = _OneLiners(width)
    page.text(title, Role.NAME)
    page.blank()
    page.text(fix_outcome(result)[0], Role.HEADING)
    page.text(result.detail)
    page.blank()
    for name in dict.fromkeys([*result.before, *result.after]):
        page.field("Before", f"{name}: {field_value(result.before.get(name))}", _LABEL)
        if result.after:
            label = "Wanted" if result.state is FixState.LISTED else "Re-read"
            page.field(label, f"{name}: {field_value(result.after.get(name))}", _LABEL)
    if result.fix:
        page.field("On record", f"Fix {result.fix} in the journal (3, then f)", _LABEL)
    return page.lines


def off_words(records: Sequence[FixRecord], moment: datetime) -> str:
    """`1 safeguard off since 02:14, by ana`, for the utility bar; empty where none is."""
    if not records:
        return ""
    since = clock_time(records[0].at, moment)[:-3]
    people = list(dict.fromkeys(record.by for record in records))
    by = one_line(people[0]) if len(people) == 1 else f"{len(people)} people"
    return f"{plural(len(records), 'safeguard')} off since {since}, by {by}"


def safeguard_line(now: SafeguardNow) -> str:
    return f"{_STATES[now.state][0]:<12}{one_line(now.record.target.name)}"


def safeguard_lines(now: SafeguardNow, moment: datetime, width: int) -> list[TextLine]:
    """All that is on record about one safeguard, and how it is now."""
    record, page = now.record, _OneLiners(width)
    page.text(f"{record.target.type} {record.target.name}", Role.NAME)
    page.blank()
    page.field("Now", f"{_STATES[now.state][0]} (re-read just now)", _LABEL)
    page.text(now.detail)
    page.field("Off since", f"{local_second(record.at)} ({ago(record.at, moment)})", _LABEL)
    page.field("By", f"{record.by}, in the org {record.org_user}", _LABEL)
    for line in value_changes(record.before, record.after):
        page.field("Changed", line, _LABEL)
    page.field("Why", record.reason or "- (no reason was given)", _LABEL)
    page.field("Fix", record.id, _LABEL)
    if now.state is SafeguardState.OTHER_VERSION:
        page.blank()
        page.text(
            "Another version of the Flow is active: it is left alone. 'c' closes this entry if that is meant."
        )
    return page.lines


def record_state(record: FixRecord) -> tuple[str, str]:
    """Where a fix on record stands, in a word, and how that looks."""
    if record.kind.is_safeguard and not record.closed:
        return "OFF", "bad"
    if record.outcome == "by hand":
        return "by hand", "text"
    if record.outcome in {"refused", "not sent"}:
        return record.outcome, "quiet"
    if record.kind.is_safeguard:
        return "on again", "good"
    return ("applied", "good") if record.closed == "applied" else ("not proven", "bad")


def record_cells(record: FixRecord) -> tuple[Part, ...]:
    """A fix on record as cells of `FIXES`."""
    at = record.at.astimezone()
    return (
        (f"{at.day:>2} {at:%b %H:%M}", "text"),
        (one_line(record.by), "text"),
        record_state(record),
        (record.kind.value, "text"),
        (one_line(record.target.name), "text"),
        (one_line(record.reason), "quiet"),
    )


def record_lines(record: FixRecord, moment: datetime, width: int) -> list[TextLine]:
    page = _OneLiners(width)
    page.heading(f"Fix {record.id}")
    page.text(record_state(record)[0], Role.NAME)
    page.blank()
    page.field("When", f"{local_second(record.at)} ({ago(record.at, moment)})", _LABEL)
    page.field("Who", f"{record.by}, in the org {record.org_user}", _LABEL)
    page.field("What", record.kind.value, _LABEL)
    page.field("Target", f"{record.target.type} {record.target.name}", _LABEL)
    for line in value_changes(record.before, record.after):
        page.field("Changed", line, _LABEL)
    page.field("Answer", record.outcome or "- (the program ended before it came)", _LABEL)
    page.field("Closed", record.closed or "- (still open)", _LABEL)
    page.field("Why", record.reason or "- (no reason was given)", _LABEL)
    page.field("For error", record.event or "-", _LABEL)
    return page.lines
