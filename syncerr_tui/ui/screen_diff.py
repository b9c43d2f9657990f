"""The shortest way from what the terminal shows to the next frame.

Textual writes every strip that a refresh touched, whole, with its style in front of every segment and a
reset behind it. Over a slow line most of these bytes say what is on the screen already. `ScreenDiff` stands
between the compositor and the driver: it keeps a model of the terminal's cells and writes only the runs of
cells that differ, with the shortest change of style, the shortest move of the cursor, and a scroll where rows
only moved.

Written against Textual 8.2.8. It reads `LayoutUpdate` and `ChopsUpdate` of `textual._compositor` (`strips`
and `region`; `chops`, `spans` and `chop_ends`) as their `render_segments` does, and its caller overrides
`App._display`. When Textual changes, compare these three; tests/ui/test_screen_diff.py feeds both streams to
a terminal emulator and compares the cells.

A row with characters of which terminals disagree how wide they are (combining marks, emoji) is written as
Textual writes it, so that a terminal which disagrees shows the same as ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from syncerr_tui.host.terminal import Abilities
from syncerr_tui.ui.terminal_writer import DRAWN_BLANK, PLAIN, Cell, Look, Row, TerminalWriter

if TYPE_CHECKING:
    from rich.color import ColorSystem
    from rich.style import Style

_SCROLL_COST = 24
"""Bytes of a scroll: set the region, go to its edge, feed lines, take the region back."""
_FEWEST_ROWS = 4
"""Changed rows from which it is worth looking for a scroll."""
_GAP = 4
"""Unchanged cells that are written again rather than skipped: moving over them costs as much."""
_ERASE_FROM = 8
"""Blanks in the middle of a row from which erasing and moving is shorter than writing them."""
_ERASE_AT_END_FROM = 6
"""The same for blanks at the end of what is written."""


class _Touched(NamedTuple):
    """The rows that an update writes to."""

    rows: dict[int, Row]
    """As they are to be."""
    pieces: dict[int, list[tuple[int, Strip]]]
    """What is written to each, as Textual has it: column and strip."""
    uncertain: set[int]
    """Those of which terminals may not agree how wide they are."""


class ScreenDiff:
    """A model of the terminal's cells, and the writer of what changes in them.

    Args:
        abilities: What the terminal can do beyond printing and moving the cursor.
    """

    def __init__(self, abilities: Abilities) -> None:
        self._abilities = abilities
        self._width = self._height = 0
        self._rows: list[Row] = []
        self._uncertain: set[int] = set()
        self._styles: list[Look] = [PLAIN]
        self._numbers: dict[tuple[str, str], int] = {("", ""): 0}
        self._by_style: dict[Style | None, int] = {None: 0}
        self._cells: list[dict[str, Cell]] = [{}]
        self._system: ColorSystem | None = None

    def forget(self) -> None:
        """Know nothing about the terminal any more: the next frame writes everything it covers."""
        self._height = self._width = 0

    def frame(
        self,
        update: LayoutUpdate | ChopsUpdate,
        size: tuple[int, int],
        system: ColorSystem,
        cursor: tuple[int, int] | None = None,
    ) -> str:
        """What to write so that the terminal shows an update; empty where it does already.

        Args:
            update: What the compositor hands to the driver.
            size: Columns and lines of the terminal.
            system: The colours to write.
            cursor: Column and line where the cursor has to stand afterwards; None where it does not matter.
        """
        writer = TerminalWriter(self._styles, *size)
        if size != (self._width, self._height) or system is not self._system:
            self._start(size, system)
            if isinstance(update, LayoutUpdate) and update.region == (0, 0, *size):
                # Nothing of the screen is kept, so that it can be cleared, which makes every blank known.
                writer.write("\x1b[2J")
                self._rows = [[(" ", 0)] * self._width for _ in range(self._height)]
        touched = self._touched(update)
        if not touched.uncertain and self._uncertain.isdisjoint(touched.rows):
            self._scroll(touched.rows, writer)
        self._write_rows(touched, system, writer)
        return writer.finish(cursor)

    def _start(self, size: tuple[int, int], system: ColorSystem) -> None:
        self._width, self._height = size
        self._rows = [[None] * self._width for _ in range(self._height)]
        self._uncertain = set()
        if system is not self._system:
            self._system = system
            self._by_style = {None: 0}

    def _touched(self, update: LayoutUpdate | ChopsUpdate) -> _Touched:
        """What an update makes of the rows that it writes to."""
        touched = _Touched({}, {}, set())
        for y, x, strip in _strips(update):
            if not 0 <= y < self._height:
                continue
            cells = self._read(strip)
            row = touched.rows.setdefault(y, self._rows[y][:])
            end = x + len(cells)
            if None in cells or end > self._width:
                touched.uncertain.add(y)
            # Half of a wide character that is overwritten: what becomes of the other half, terminals decide.
            for half in (x, end):
                if half < self._width and (cell := row[half]) is not None and not cell[0]:
                    row[half - 1 if half == x else half] = None
                    touched.uncertain.add(y)
            row[x:end] = cells
            del row[self._width :]
            touched.pieces.setdefault(y, []).append((x, strip))
        return touched

    def _write_rows(self, touched: _Touched, system: ColorSystem, writer: TerminalWriter) -> None:
        """Write the rows, from the first on. Behind one that may be too wide, the next one is unknown."""
        last = max(touched.rows, default=0)
        spilled = -1
        for y, row in sorted(touched.rows.items()):
            careful = y in touched.uncertain or y in self._uncertain
            if y == spilled:
                self._keep_pieces(row, touched.pieces[y])
            if careful:
                for x, strip in touched.pieces[y]:
                    writer.put_strip(y, x, strip, system)
                if y != last:
                    writer.write("\n")  # as Textual: what a row too wide leaves behind is then the same
            else:
                self._write_row(y, self._rows[y], row, writer)
            self._rows[y] = row
            self._uncertain.discard(y)
            if careful:
                spilled = y + 1
                self._lose(spilled)
                if y in touched.uncertain or None in row:
                    self._uncertain.add(y)

    def _keep_pieces(self, row: Row, pieces: Iterable[tuple[int, Strip]]) -> None:
        """Take a row for unknown, but for what is written to it now: the one above may go on into it."""
        covered = {place for x, strip in pieces for place in range(x, x + strip.cell_length)}
        row[:] = [cell if place in covered else None for place, cell in enumerate(row)]

    def _lose(self, y: int) -> None:
        """Know nothing of a row any more; behind the last one the terminal itself has scrolled."""
        if y < self._height:
            self._rows[y] = [None] * self._width
            self._uncertain.add(y)
        else:
            self._rows = [[None] * self._width for _ in range(self._height)]

    # -- from strips to cells --------------------------------------------------------------------------

    def _read(self, strip: Strip) -> Row:
        """The cells of a strip; all of them None where terminals may not agree how wide they are."""
        cells: Row = []
        for text, style, _control in strip:
            number = self._number(style)
            known = self._cells[number]
            if text.isascii() and text.isprintable():
                try:
                    cells += [known[letter] for letter in text]
                except KeyError:
                    cells += [known.setdefault(letter, (letter, number)) for letter in text]
                continue
            for letter in text:
                if not _sure(letter):
                    return [None] * strip.cell_length
                cells.append(known.setdefault(letter, (letter, number)))
                if cell_len(letter) == 2:
                    cells.append(known.setdefault("", ("", number)))
        return cells

    def _number(self, style: Style | None) -> int:
        number = self._by_style.get(style)
        if number is None:
            assert style is not None
            assert self._system is not None
            codes = Strip.render_ansi(style, self._system)
            link = f"id={style._link_id};{style.link}" if style.link else ""  # noqa: SLF001 - as Strip does
            number = self._numbers.get((codes, link))
            if number is None:
                number = self._numbers[codes, link] = len(self._styles)
                self._styles.append(Look.of(codes, link))
                self._cells.append({})
            self._by_style[style] = number
        return number

    # -- what changes in a row -------------------------------------------------------------------------

    def _write_row(self, y: int, old: Row, new: Row, writer: TerminalWriter) -> None:
        if old == new:
            return
        end = self._blank_tail(old, new)
        for start, stop in _runs(old, new, end):
            self._write_run(y, start, new[start:stop], writer)
        if end < self._width:
            cell = new[end]
            assert cell is not None
            writer.erase_line(y, end, cell[1])

    def _blank_tail(self, old: Row, new: Row) -> int:
        """Where the blanks begin that are erased to the end of the line; the width where none are."""
        last = new[-1]
        if last is None or last[0] != " " or not self._erasable(last[1]):
            return self._width
        start = self._width
        while start and new[start - 1] == last:
            start -= 1
        while start < self._width and old[start] == new[start]:
            start += 1
        changed = sum(1 for place in range(start, self._width) if old[place] != last)
        return start if changed > 3 else self._width

    def _write_run(self, y: int, start: int, cells: Row, writer: TerminalWriter) -> None:
        """Write cells; long blanks among them are erased instead."""
        if not self._abilities.erase_characters:
            writer.put(y, start, cells)
            return
        written = place = 0
        while place < len(cells):
            cell = cells[place]
            if cell is None or cell[0] != " ":
                place += 1
                continue
            blanks = _blanks(cells, place)
            # Behind blanks at the end the cursor has to go elsewhere anyway.
            enough = _ERASE_FROM if place + blanks < len(cells) else _ERASE_AT_END_FROM
            if blanks >= enough and self._erasable(cell[1]):
                writer.put(y, start + written, cells[written:place])
                writer.erase(y, start + place, blanks, cell[1])
                written = place + blanks
            place += blanks
        writer.put(y, start + written, cells[written:])

    def _erasable(self, number: int) -> bool:
        """Whether erased cells look like blanks of this look."""
        look = self._styles[number]
        if look.attributes & DRAWN_BLANK or look.link:
            return False
        return not look.background or self._abilities.erases_with_background

    # -- rows that only moved --------------------------------------------------------------------------

    def _scroll(self, target: dict[int, Row], writer: TerminalWriter) -> None:
        """Scroll a part of the terminal where that leaves less to write, and change the model alike."""
        changed = [y for y in sorted(target) if target[y] != self._rows[y]]
        if not self._abilities.scroll_region or len(changed) < _FEWEST_ROWS:
            return
        shift, ys = self._moved_together(changed, target)
        if len(ys) < _FEWEST_ROWS - 1:
            return
        top, bottom = min(ys[0], ys[0] + shift), max(ys[-1], ys[-1] + shift) + 1
        # A row at the edge may have moved too and changed a little: the one with the cursor, say.
        regions = (range(top - up, bottom + down) for up in (0, 1) for down in (0, 1))
        scrolled = [
            (*self._scrolled(region, shift, target), region)
            for region in regions
            if region.start >= 0 and region.stop <= self._height and self._uncertain.isdisjoint(region)
        ]
        gain, after, region = max(scrolled, key=lambda each: each[0], default=(0, [], range(0)))
        if gain <= _SCROLL_COST:
            return
        writer.scroll(region[0], region[-1], shift)
        for y, row in zip(region, after, strict=True):
            # Rows that nobody asked to change have moved along and have to be written back.
            target.setdefault(y, self._rows[y])
            self._rows[y] = row

    def _moved_together(self, changed: Sequence[int], target: Mapping[int, Row]) -> tuple[int, list[int]]:
        """By how many lines most rows have moved, and which these are; none where none has."""
        # In the last column stands a scroll bar, which stays where it is.
        rows = [row[:-1] for row in self._rows]
        moved = [(y, rows.index(row) - y) for y in changed if rows.count(row := target[y][:-1]) == 1]
        shifts = Counter(by for _, by in moved if by).most_common(1)
        shift = shifts[0][0] if shifts else 0
        return shift, [y for y, by in moved if by == shift and by]

    def _scrolled(self, region: range, shift: int, target: dict[int, Row]) -> tuple[int, list[Row]]:
        """How many cells a scroll of these rows saves, and what they hold behind it."""
        blank: Row = [(" ", 0)] * self._width
        after = [self._rows[y + shift] if y + shift in region else blank for y in region]
        plain = sum(_differing(self._rows[y], target.get(y, self._rows[y])) for y in region)
        scrolled = sum(
            _differing(row, target.get(y, self._rows[y])) for y, row in zip(region, after, strict=True)
        )
        return plain - scrolled, after


def _strips(update: LayoutUpdate | ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """(line, column, strip) of everything that an update writes, in its order."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield y, x, strip
                x += strip.cell_length
        return
    for y, x1, x2 in update.spans:
        for end, (x, chop) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if chop is None or x > x2 or end <= x1:
                continue
            whole = x1 <= x < x2 and end <= x2
            yield y, x, chop if whole else chop.crop(0, min(end, x2) - x)


def _runs(old: Row, new: Row, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of cells to write, [start, stop): those that differ, and short gaps between them."""
    start = stop = -1
    for place, (before, now) in enumerate(zip(old[:end], new[:end], strict=True)):
        if before is now or before == now:
            continue
        if stop >= 0 and (place == stop or (place - stop <= _GAP and _cheap(new, stop, place))):
            stop = place + 1
            continue
        if stop >= 0:
            yield _whole(new, start, stop)
        start, stop = place, place + 1
    if stop >= 0:
        yield _whole(new, start, stop)


def _cheap(new: Row, start: int, stop: int) -> bool:
    """Whether cells can be written in passing: as the one before them looks, a byte each."""
    before = new[start - 1]
    return before is not None and all(
        cell is not None and cell[1] == before[1] and cell[0].isascii() and cell[0]
        for cell in new[start:stop]
    )


def _whole(row: Row, start: int, stop: int) -> tuple[int, int]:
    """A stretch that splits no wide character."""
    while start > 0 and (cell := row[start]) is not None and not cell[0]:
        start -= 1
    while stop < len(row) and (cell := row[stop]) is not None and not cell[0]:
        stop += 1
    return start, stop


def _blanks(cells: Row, place: int) -> int:
    """How many like blanks stand from a blank on."""
    first, end = cells[place], place
    while end < len(cells) and cells[end] == first:
        end += 1
    return end - place


def _differing(old: Row, new: Row) -> int:
    return 0 if old == new else sum(1 for one, other in zip(old, new, strict=True) if one != other)


@lru_cache(maxsize=4096)
def _sure(text: str) -> bool:
    """Whether terminals agree how wide a character is."""
    if text.isascii():
        return True
    from wcwidth import wcwidth

    return len(text) == 1 and wcwidth(text) == cell_len(text) > 0 and not 0x1F000 <= ord(text) < 0x20000
