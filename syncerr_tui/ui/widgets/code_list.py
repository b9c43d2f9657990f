"""The codes of the guide, one a line, under the headings of those who explain them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style

from syncerr_tui.ui.widgets.cells import cell
from syncerr_tui.ui.widgets.virtual_list import UNICODE, Glyphs, VirtualList

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.guide_index import Chapter

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

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(glyphs=glyphs, id=id)
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
        wanted = (place for place in places if getattr(self._shown[place], "code", None) == at)
        self.count, self.at = len(self._shown), next(wanted, places[0] if places else 0)
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
        width, ellipsis = self.size.width, self.glyphs.ellipsis
        if not line.code:
            return [(cell(line.heading, width - 1, ellipsis), self.look("strong"))]
        gutter = f"{self.glyphs.cursor if line.cursor else ' '} "
        room = width - _GUTTER - 1
        if self._with_meaning:
            code, meaning = cell(line.code, _CODE, ellipsis), cell(line.title, room - _CODE - 2, ellipsis)
        else:
            code, meaning = cell(line.code, room - 2, ellipsis), ""
        looks = ("cursor", "cursor") if line.cursor else ("code", "quiet")
        return [(gutter + code, self.look(looks[0])), (f"  {meaning}", self.look(looks[1]))]
