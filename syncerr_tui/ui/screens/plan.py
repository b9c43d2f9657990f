"""Before a re-sync: the plan itself, wave by wave, and what stays out of it. Enter starts, escape cancels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from syncerr_tui.diagnosis.text_layout import Role, wrap
from syncerr_tui.fixes.model import FixOption
from syncerr_tui.model import Environment, SyncError
from syncerr_tui.resync.doubt import Recalled, unsettled_words
from syncerr_tui.resync.plan import LeftOut
from syncerr_tui.resync.selection import Planner, support_words
from syncerr_tui.text import one_line
from syncerr_tui.ui.error_history import ErrorHistory
from syncerr_tui.ui.screens.dialog import TextDialog, keys
from syncerr_tui.ui.widgets.line import Line, Part
from syncerr_tui.words import naming, plural

_WIDTH, _FRAME, _LABEL = 76, 5, 9
"""Cells of the dialog, of its border and scroll bar, and of the words at the left."""


NOT_QUEUED_WITH_SAFEGUARD = (
    "A queued re-sync cannot switch a safeguard off: that needs one that starts at once, "
    "while somebody is here."
)


_TWIN_PAGES = 4
"""Addresses of records that a plan names; each row's panel has its own."""


LabelledRow = tuple[str, str]
"""What stands at the left, and the words beside it."""


class PlanDialog(TextDialog[bool]):
    """Which rows in which order, in which org, by which method, and what it takes.

    Args:
        planner: Makes the plan.
        history: Which rows earlier runs left TWIN or UNKNOWN.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "yes", show=False),
        Binding("r", "canary", show=False),
        Binding("w", "why", show=False),
        Binding("g", "again", show=False),
        Binding("s", "support", show=False),
        Binding("f", "meanwhile", show=False),
    ]

    def __init__(self, planner: Planner[Any], history: ErrorHistory) -> None:
        super().__init__()
        self._planner = planner
        self._org = planner.org.identity
        self._method = planner.org.method
        self._reason_required: bool = planner.org.profile.reason_required
        """The org wants to know why, before anything is sent."""
        self._behind = planner.behind
        self._history = history
        self._remarks = planner.remarks
        self.reason = ""
        """Why, in the person's words: for the journal."""
        self.again: frozenset[str] = frozenset()
        """Events that the person wants sent again although their last request is not settled."""
        self._recalled = self._first_alone = False
        """What the journal knows is known here; and no row was ever fixed by a method that has to be."""
        self._in_doubt: frozenset[str] = frozenset()
        self._safeguards: Sequence[FixOption] = ()
        self.meanwhile: FixOption | None = None
        """A safeguard that is off for just as long as the re-sync takes."""
        self._support_too = planner.support_too
        self.plan = planner(canary=False)

    @property
    def heading(self) -> str:
        where = f"in {self._org.name} ({self._org.environment.value})"
        if not self.plan.rows:
            return f"Nothing to re-sync {where}"
        read = self._in_doubt - self.again
        unsettled = sum(row.error.id in read for row in self.plan.rows) if read else 0
        sent = len(self.plan.rows) - unsettled
        if not sent:
            return f"Read {plural(unsettled, 'error')} again {where}"
        reads = f", and read {unsettled:,} again," if unsettled else ""
        return f"{'Queue a re-sync of' if self._behind else 'Re-sync'} {plural(sent, 'error')}{reads} {where}"

    @property
    def text(self) -> Content:
        """The plan in a few lines; what must not be missed first."""
        loud = [("", line) for line in self._loud()]
        sections = [loud, self._plan_rows() if self.plan.rows else [], self._left_out_rows()]
        blocks = [self._laid_out(rows, "bold" if rows is loud else "") for rows in sections if rows]
        return Content.assemble("\n", Content("\n").join(blocks))

    def _loud(self) -> list[str]:
        """What must not be missed."""
        planner, queued = self._planner, self._behind and bool(self.plan.rows)
        production = self._org.environment is Environment.PRODUCTION
        hidden, safeguards = planner.hidden, queued and self._safeguards
        lines = [
            *self._left_by_runs(),
            self._only_for_support(),
            "This is a PRODUCTION org: what is sent changes real data." if production else "",
            _added(planner.added) if planner.added else "",
            f"Not sent: {hidden:,} selected, but hidden by the filter." if hidden else "",
            *self._remarks,
            self._doubt(),
            "It starts on its own, planned anew, once the re-sync under way has ended well."
            if queued
            else "",
            NOT_QUEUED_WITH_SAFEGUARD if safeguards else "",
            *(_meanwhile(self.meanwhile) if self.meanwhile is not None else ()),
        ]
        return [line for line in lines if line]

    def _left_by_runs(self) -> list[str]:
        """What earlier runs left TWIN or UNKNOWN, and where the records are."""
        # A plan may have very many rows: they are looked through only where there is something to look for.
        unsettled = self._history.unsettled
        rows = [row.error for row in self.plan.rows if row.error.id in unsettled] if unsettled else []
        # Of those whose outcome is not known more is said, once the journal has told.
        left = unsettled_words(unsettled[error.id] for error in rows if error.id not in self._in_doubt)
        pages = (page for error in rows for _, page in self._history.twin_pages(error))
        return [left, *islice(pages, _TWIN_PAGES)] if left else []

    def _only_for_support(self) -> str:
        ids = {out.id for out in self._planner.support_only}
        count = sum(row.error.id in ids for row in self.plan.rows) if ids else 0
        return support_words(count) if count else ""

    def _doubt(self) -> str:
        """What becomes of rows whose last request is not settled."""
        they_are, they, them = (
            ("It is", "it", "it") if len(self._in_doubt) == 1 else ("They are", "they", "them")
        )
        if self.again:
            return f"{they_are} sent again after the org's usual time, if nothing has touched {them} by then."
        if not self._in_doubt:
            return ""
        return f"{they_are} read again, and not sent unless the org shows that {they} failed."

    def _plan_rows(self) -> list[LabelledRow]:
        """The waves, what they take, and why."""
        plan, rows = self.plan, self._waves()
        if not self._method.guided:  # a person takes the time they take
            rows.append(("Takes", plan.cost if self._recalled else plan.calls))
        rows.append(("Method", self._method.label))
        if self._first_alone and len(plan.rows) > 1:
            rows.append((" ", "The first row goes alone until this call has fixed one."))
        if self.reason or self._reason_required:
            rows.append(("Why", self.reason or "- (this org wants a reason)"))
        return rows

    def _laid_out(self, rows: Sequence[LabelledRow], style: str) -> Content:
        lines = (line for label, words in rows for line in self._wrapped(label, words))
        return Content("".join(f"{line}\n" for line in lines)).stylize(style)

    def _wrapped(self, label: str, words: str) -> Iterator[str]:
        """A line with its label at the left, broken where the dialog ends."""
        width = min(_WIDTH, self.app.size.width * 96 // 100) - _FRAME
        lead = f"{label:<{_LABEL}}" if label else ""
        for parts in wrap([(one_line(words), Role.TEXT)], width, first=lead, rest=" " * len(lead)):
            yield "".join(text for text, _ in parts)

    def _waves(self) -> list[LabelledRow]:
        waves = self.plan.waves
        lines = self._planner.wave_lines(self.plan)
        rows = [(f"Wave {wave.number}", line) for wave, line in zip(waves, lines, strict=True)]
        if len(waves) > 1:
            rule = "Each wave is sent once the one before it is proven. What fails stops only its own branch."
            rows += [(" ", rule), ("", "")]
        return rows

    def _left_out_rows(self) -> list[LabelledRow]:
        """Who stays out, counted by reason; a reason that only one has names it. And what it warns of."""
        groups: dict[tuple[str, str], list[LeftOut]] = {}
        for out in self.plan.left_out:
            groups.setdefault((out.reason, out.cause), []).append(out)
        rows = []
        for (reason, cause), outs in groups.items():
            several = len(outs) > 1
            who = plural(len(outs), "error") if several else self._name_of(outs[0].id)
            why = outs[0].of_several or reason if several else reason
            # The plan names a cause by its id; a person knows it by its object.
            rows.append(("Not sent", f"{who}: {naming(why, cause, self._name_of)}."))
        return [*rows, *(("Note", f"{warning}.") for warning in self.plan.warnings)]

    def _name_of(self, event: str) -> str:
        known = self._planner.known.get(event)
        return known.short_name if known is not None else event

    @property
    def answers(self) -> Sequence[Part]:
        if not self.plan.rows:
            return keys(("esc", "closes"))
        pairs = [("enter", "queues it" if self._behind else "starts"), ("esc", "cancels"), ("w", "reason")]
        if self.plan.canary:
            pairs.append(("r", "all at once"))
        elif len(self.plan.rows) > 1:
            pairs.append(("r", "one first"))
        return keys(*pairs)

    @property
    def choices(self) -> Sequence[Part]:
        """What else can be decided about these rows: a line of its own, where there is anything."""
        pairs = []
        if self._safeguards and not self._behind:
            word = "with the safeguard off" if self.meanwhile is None else "with another one off instead"
            pairs.append(("f", word if self._next_safeguard is not None else "leaves the safeguard on"))
        if self._in_doubt and not self._behind:
            pairs.append(("g", "does not send again" if self.again else "sends again"))
        if self._planner.support_only and not self._planner.support_too:
            count = len(self._planner.support_only)
            pairs.append(("s", f"leaves {count:,} out" if self._support_too else f"sends {count:,} more"))
        return keys(*pairs)

    def above_answers(self) -> Sequence[Widget]:
        line = Line(id="choices")
        line.show(self.choices)
        line.display = bool(self.choices)
        return (line,)

    def action_support(self) -> None:
        """Send what only support can clear too, or leave it out again."""
        if self._planner.support_only and not self._planner.support_too:
            self._support_too = not self._support_too
            self._show_again(canary=self.plan.canary)

    def action_canary(self) -> None:
        """Begin with one row, then five, then 25, each proven; or take them all at once."""
        if len(self.plan.rows) > 1:
            self._show_again(canary=not self.plan.canary)

    def on_mount(self) -> None:
        self.call_after_refresh(self._draw_again)

    def action_again(self) -> None:
        """Send rows again whose last request has an unknown outcome, or leave that. Not out of the queue."""
        self.again = frozenset() if self.again or self._behind else self._in_doubt
        self._draw_again()

    def offer(self, safeguards: Sequence[FixOption]) -> None:
        """These could be off for as long as it takes: the person decides."""
        self._safeguards = safeguards
        self._draw_again()

    @property
    def _next_safeguard(self) -> FixOption | None:
        """What `f` comes to next: each of them in turn, and none."""
        choices: list[FixOption | None] = [None, *self._safeguards]
        return choices[(choices.index(self.meanwhile) + 1) % len(choices)]

    def action_meanwhile(self) -> None:
        """With this safeguard off for as long as it takes, or another one, or none."""
        self.meanwhile = None if self._behind else self._next_safeguard
        self._draw_again()

    def learn(self, known: Recalled) -> None:
        """What the journal knows: the plan is made anew, and its remarks go with it."""
        self._in_doubt = known.in_doubt
        self._recalled, self._first_alone = True, self._method.first_alone and not known.has_fixed
        self._remarks = (*self._remarks, *known.remarks)
        self._show_again(canary=self.plan.canary)

    def _show_again(self, *, canary: bool) -> None:
        self.plan = self._planner(canary=canary, support_too=self._support_too)
        self._draw_again()

    def _draw_again(self) -> None:
        if self.is_mounted and self.query("#heading"):  # not while it is being closed
            self.show_heading()
            shown, text = self.query_one(Static), self.text
            if not (isinstance(shown.content, Content) and shown.content.is_same(text)):
                shown.update(text)
            self.show_answers()
            choices = self.query_one("#choices", Line)
            choices.show(self.choices)
            choices.display = bool(self.choices)

    def action_why(self) -> None:
        self._ask_why(start=False)

    def _ask_why(self, *, start: bool) -> None:
        from syncerr_tui.ui.screens.line_dialog import reason_dialog

        def answered(reason: str | None) -> None:
            if reason is None:
                return
            self.reason = reason
            self._show_again(canary=self.plan.canary)
            if start:
                self.action_yes()

        self.app.push_screen(reason_dialog(self.reason, required=self._reason_required), answered)

    def action_yes(self) -> None:
        """Start, where there is anything to start and the reason is given."""
        if self.plan.rows and self._reason_required and not self.reason:
            self._ask_why(start=True)
        elif self.plan.rows:
            self.dismiss(True)


def _meanwhile(option: FixOption) -> list[str]:
    """What happens to the safeguard, step by step."""
    last = [f"{one_line(line)}." for line in option.changed[:1]]
    return [
        f"With its safeguard off meanwhile: {one_line(option.title)}.",
        "Rows are read, it goes off, the rows are sent and proven, it goes on again, and that is proven.",
        *filter(None, [option.affects]),
        *last,
    ]


def _added(added: Sequence[SyncError]) -> str:
    names = ", ".join(error.short_name for error in added[:3])
    more = f" and {len(added) - 3} more" if len(added) > 3 else ""
    return (
        f"Its cause is sent first: {names}."
        if len(added) == 1
        else f"Their causes are sent first: {names}{more}."
    )
