"""The guide: every status code and what to do about it, to be searched or read from front to back.

What is typed searches; the arrows move in the list; enter opens a chapter. In a wide window it stands
beside the list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input

from syncerr_tui.diagnosis import render
from syncerr_tui.diagnosis.explanation import Chapter, Explanation, OrgContext, chapters, search
from syncerr_tui.diagnosis.guidance import diagnosis_of_code
from syncerr_tui.diagnosis.text_layout import Role, TextLine
from syncerr_tui.triage.columns import WIDE
from syncerr_tui.ui.clipboard_actions import open_one_of
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.error_details_service import addresses
from syncerr_tui.ui.messages import Announced
from syncerr_tui.ui.screens.dialog import keys
from syncerr_tui.ui.widgets.line import InputLine, Line, cell
from syncerr_tui.ui.widgets.panel import InfoPanel
from syncerr_tui.ui.widgets.virtual_list import CURSOR, VirtualList
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.org_notes import OrgNotes
    from syncerr_tui.ui.screens.palette import Palette

_GUTTER = 2
_CODE = 40
"""Cells of a code where its meaning stands beside it."""
_WITH_MEANING = 66
"""Cells from which there is room for both."""


class _Line(NamedTuple):
    code: str = ""
    title: str = ""
    heading: str = ""
    cursor: bool = False


class CodeList(VirtualList):
    """A list of chapters with a cursor that never stands on a heading."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[Chapter | str] = []

    def show(self, chapters: Sequence[Chapter], *, at: str | None = None) -> None:
        """Show these, the cursor on the code `at`, or on the first.

        Each kind stands together under its heading, the kind of the first chapter first; within it the order
        is kept.
        """
        kinds = list(dict.fromkeys(chapter.in_manual for chapter in chapters))
        chapters = sorted(chapters, key=lambda chapter: kinds.index(chapter.in_manual))
        self._shown = []
        before = None
        counts = {kind: sum(c.in_manual is kind for c in chapters) for kind in (True, False)}
        for chapter in chapters:
            if chapter.in_manual is not before:
                before = chapter.in_manual
                source = "StoreConnect's manual" if before else "General Salesforce knowledge"
                self._shown.append(f"{source} ({counts[before]})")
            self._shown.append(chapter)
        places = [place for place, shown in enumerate(self._shown) if not isinstance(shown, str)]
        matching = (place for place in places if getattr(self._shown[place], "code", None) == at)
        self.count, self.at = len(self._shown), next(matching, places[0] if places else 0)
        self.top = 0
        self.redraw()

    @property
    def current(self) -> Chapter | None:
        shown = self._shown[self.at] if self._shown else None
        return None if isinstance(shown, str) else shown

    def move(self, rows: int) -> bool:
        """Move the cursor. False where it stays."""
        return self.go_to(max(0, min(self.at + rows, len(self._shown) - 1)), 1 if rows > 0 else -1)

    def go_to(self, place: int, direction: int = 1) -> bool:
        """Put the cursor there; from a heading one further. False where it stays."""
        if not self._shown:
            return False
        if isinstance(self._shown[place], str):
            place = place + direction if 0 <= place + direction < len(self._shown) else place + 1
        moved, self.at = place != self.at, place
        if moved:
            self.redraw()
        return moved

    # -- what `VirtualList` asks ------------------------------------------------------------------------

    def header(self) -> str:
        meaning = "  What happened" if self._with_meaning else ""
        return f"{' ' * _GUTTER}{cell('Code', _CODE)}{meaning}"

    @property
    def _with_meaning(self) -> bool:
        return self.size.width >= _WITH_MEANING

    def lines_of(self, row: int) -> list[_Line]:
        shown = self._shown[row]
        if isinstance(shown, str):
            return [_Line(heading=shown)]
        return [_Line(shown.code, shown.title, cursor=row == self.at)]

    def draw(self, line: _Line) -> list[tuple[str, Style]]:
        width = self.size.width
        if not line.code:
            return [(cell(line.heading, width - 1), self.look("strong"))]
        gutter = f"{CURSOR if line.cursor else ' '} "
        room = width - _GUTTER - 1
        if self._with_meaning:
            code, meaning = cell(line.code, _CODE), cell(line.title, room - _CODE - 2)
        else:
            code, meaning = cell(line.code, room - 2), ""
        styles = ("cursor", "cursor") if line.cursor else ("code", "quiet")
        return [(gutter + code, self.look(styles[0])), (f"  {meaning}", self.look(styles[1]))]


class GuideScreen(Screen[str], inherit_bindings=False):
    """A line to search in, the list of codes, and the chapter under the cursor."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    GuideScreen { background: $syncerr-ground; color: $syncerr-text; layout: vertical; overflow: hidden; }
    GuideScreen > .-search { height: 1; background: $syncerr-bar; }
    GuideScreen .-prompt { width: 9; background: $syncerr-bar; }
    GuideScreen Input { width: 1fr; background: $syncerr-bar; color: $syncerr-text; }
    GuideScreen > .-book { height: 1fr; }
    GuideScreen CodeList { background: $syncerr-ground; }
    GuideScreen InfoPanel { display: none; padding: 0 2; background: $syncerr-ground; }
    GuideScreen.-reading CodeList { display: none; }
    GuideScreen.-reading InfoPanel { display: block; }
    GuideScreen.-wide CodeList { display: block; width: 44; }
    GuideScreen.-wide InfoPanel { display: block; padding: 0 1; border-left: solid $syncerr-quiet; }
    GuideScreen.-wide.-reading InfoPanel { border-left: solid $syncerr-accent; }
    .-ascii GuideScreen.-wide InfoPanel { border-left: ascii $syncerr-quiet; }
    .-ascii GuideScreen.-wide.-reading InfoPanel { border-left: ascii $syncerr-accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("tab,enter", "turn", show=False),
        Binding("escape,ctrl+c", "back", show=False),
        # Letters reach the screen only while a chapter is read; in the list they are typed.
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("space,ctrl+d", "page(1)", show=False),
        Binding("ctrl+u", "page(-1)", show=False),
        Binding("g,home", "move(-100000)", show=False),
        Binding("G,end", "move(100000)", show=False),
        Binding("n,right", "other(1)", show=False),
        Binding("p,left", "other(-1)", show=False),
        Binding("b", "browse", show=False),
        Binding("slash,q,m", "back", show=False),
        Binding("ctrl+p", "palette", show=False, priority=True),
        Binding("colon", "palette", show=False),
    ]

    def __init__(
        self,
        context: AppContext,
        address: str | None,
        notes: OrgNotes | None,
        code: str | None = None,
        palette: Callable[[], Palette] | None = None,
    ) -> None:
        super().__init__()
        self._palette = palette
        self.context = context
        self._code = code
        self._book = chapters(OrgContext(notes, address))
        self._matching = len(self._book)
        self.set_class(self.app.size.width >= WIDE, "-wide")

    def compose(self) -> ComposeResult:
        yield Line(id="guide-title")
        with Horizontal(classes="-search"):
            prompt = Line()
            prompt.add_class("-prompt")
            prompt.show([(" Search: ", "key")])
            yield prompt
            yield InputLine(placeholder="a code, or words: flow, country, duplicate, limit ...")
        with Horizontal(classes="-book"):
            yield CodeList()
            yield InfoPanel()
        yield Line(id="guide-keys")

    def on_mount(self) -> None:
        """The whole book, opened where the person comes from."""
        self._list.note("", "No code and no text has these words.")
        self._list.show(self._book, at=self._code)
        self.query_one(Input).focus()
        self._chapter_changed()

    @property
    def _list(self) -> CodeList:
        return self.query_one(CodeList)

    @property
    def _panel(self) -> InfoPanel:
        return self.query_one(InfoPanel)

    @property
    def _reads(self) -> bool:
        return self.has_class("-reading")

    def on_resize(self) -> None:
        self.set_class(self.app.size.width >= WIDE, "-wide")
        self._draw_lines()

    # -- what the lines say ----------------------------------------------------------------------------

    @on(Announced)
    def announced(self, event: Announced) -> None:
        """One line in place of the keys, until the next key."""
        event.stop()
        self.query_one("#guide-keys", Line).show([(f" {event.line}", event.look)])

    def _draw_lines(self) -> None:
        chapter = self._list.current
        shown = plural(self._matching, "code")
        self.query_one("#guide-title", Line).show(
            [(" Guide ", "strong"), (f" {chapter.code}" if chapter and self._reads else f" {shown}", "text")],
            [("what to do about every status code ", "quiet")],
        )
        if self._reads:
            pairs = (("j k", "scroll"), ("n p", "next code, the one before"), ("b", "opens address"))
        else:
            pairs = (("type", "to search"), ("up down", "move"), ("enter", "reads"))
        self.query_one("#guide-keys", Line).show([(" ", "text"), *keys(*pairs, ("esc", "back"))])

    # -- searching and moving --------------------------------------------------------------------------

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Every letter searches; the cursor stays on its code where that is still among what is found."""
        event.stop()
        current = self._list.current
        hits = search(self._book, event.value)
        self._matching = len(hits)
        self._list.show(hits, at=current.code if current and not event.value else None)
        self._chapter_changed()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_turn()

    def action_move(self, rows: int) -> None:
        """Through the chapter while it is read, else through the list."""
        if self._reads:
            self._panel.move(rows)
            self._draw_lines()
        elif self._list.move(rows):
            self._chapter_changed()

    def action_page(self, pages: int) -> None:
        self.action_move(pages * (self._panel.page if self._reads else self._list.page))

    def action_other(self, chapters: int) -> None:
        """The next chapter, or the one before, without leaving the text."""
        if self._list.move(chapters):
            self._chapter_changed()

    def action_turn(self) -> None:
        if self._reads:
            self._close()
        elif self._list.current is not None:
            self.add_class("-reading")
            self._panel.focus()
            self._draw_lines()

    def _close(self) -> None:
        self.remove_class("-reading")
        self.query_one(Input).focus()
        self._draw_lines()

    def action_back(self) -> None:
        """Close the chapter, then take the search back, then leave."""
        field = self.query_one(Input)
        if self._reads:
            self._close()
        elif field.value:
            field.value = ""
        else:
            self.dismiss(None)

    def action_palette(self) -> None:
        """Every action by its name; what is chosen is the answer of this screen."""

        def chosen(action: str | None) -> None:
            if action is not None:
                self.dismiss(action)

        if self._palette is not None:
            self.app.push_screen(self._palette(), chosen)

    def action_browse(self) -> None:
        chapter = self._list.current
        if chapter is not None:
            explanation = Explanation.of(diagnosis_of_code(chapter.code), chapter.guidance)
            open_one_of(self, self.context, addresses(explanation))

    @on(VirtualList.Clicked)
    def clicked(self, event: VirtualList.Clicked) -> None:
        event.stop()
        if self._list.go_to(event.row):
            self._chapter_changed()
        if event.opened:
            self.action_turn()

    @on(VirtualList.Wheeled)
    def wheeled(self, event: VirtualList.Wheeled) -> None:
        event.stop()
        if self._list.move(event.rows):
            self._chapter_changed()

    def _chapter_changed(self) -> None:
        chapter = self._list.current
        self._panel.show(_layout(chapter) if chapter else lambda _width: ())
        self._draw_lines()


def _layout(chapter: Chapter) -> Callable[[int], Sequence[TextLine]]:
    def laid_out(width: int) -> list[TextLine]:
        lines = [TextLine(((chapter.code, Role.NAME),)), TextLine(), *render.lines(chapter.guidance, width)]
        for name, guidance in chapter.cases:
            lines += [TextLine(), *render.case(name, guidance, width)]
        return lines

    return laid_out
