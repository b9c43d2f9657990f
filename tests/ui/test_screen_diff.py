"""Fewer bytes, the same screen: a terminal emulator is fed with Textual's stream and with ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pyte
import pytest
from hypothesis import given, reject, settings, strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from syncerr_tui.host.terminal import Abilities
from syncerr_tui.ui.screen_diff import ScreenDiff
from syncerr_tui.ui.terminal_writer import Look, change_of_style
from tests import layers

WIDTH, HEIGHT = 18, 6
EXAMPLES = layers.layered("screens: 1,000 random sequences of frames", 25, 1000)
ALL = Abilities(erases_with_background=True, erase_characters=True, scroll_region=True)
NONE = Abilities()
CONSOLE = Console(color_system="truecolor", force_terminal=True)

STYLES = [
    Style(),
    Style(bold=True),
    Style(dim=True, color="red"),
    Style(reverse=True),
    Style(underline=True, bgcolor="#102030"),
    Style(color="#a0b0c0", bgcolor="#102030"),
    Style(color="#a0b0c0", bgcolor="#102030", bold=True, italic=True),
    Style(strike=True, color="color(201)", bgcolor="blue"),
    Style(bgcolor="#102030"),
    None,
]
PLAIN_TEXT = st.text(st.sampled_from("ab  xy─│▲é…"), max_size=10)
WIDE_TEXT = st.text(st.sampled_from("ab  漢字─한e\u0301👍👩\u200d💻"), max_size=8)


class Terminal:
    """An emulator and the bytes that it was fed."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)
        self.written = 0

    def feed(self, sequence: str) -> None:
        self.stream.feed(sequence)
        self.written += len(sequence)

    def cells(self) -> list[list[tuple[Any, ...]]]:
        return [[visible(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def visible(cell: pyte.screens.Char) -> tuple[Any, ...]:
    """What a person sees of a cell: colour and weight of a blank are nothing.

    An accent that begins a line lands on the last blank of the line before: an emulator's way, no person's.
    """
    drawn = (cell.underscore, cell.strikethrough, cell.reverse, cell.bg)
    if cell.data.startswith(" "):
        return (cell.data, *drawn, cell.fg if cell.reverse or cell.underscore or cell.strikethrough else "")
    return (cell.data, *drawn, cell.fg, cell.bold, cell.italics)


@st.composite
def strips(draw: st.DrawFn, width: int, texts: st.SearchStrategy[str]) -> Strip:
    parts = draw(st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=4))
    strip = Strip([Segment(text, style) for text, style in parts])
    try:
        return strip.adjust_cell_length(width, draw(st.sampled_from(STYLES)))
    except IndexError:  # Rich 14 cannot cut a text that begins with joiners: no such strip exists
        reject()


@st.composite
def layouts(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> LayoutUpdate:
    x, y = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    width, height = draw(st.integers(1, WIDTH - x)), draw(st.integers(1, HEIGHT - y))
    return layout(Region(x, y, width, height), [draw(strips(width, texts)) for _ in range(height)])


def layout(region: Region, lines: Sequence[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in lines], region)


@st.composite
def whole(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> LayoutUpdate:
    lines = [draw(strips(WIDTH, texts)) for _ in range(HEIGHT)]
    return layout(Region(0, 0, WIDTH, HEIGHT), lines)


@st.composite
def chops(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> ChopsUpdate:
    lines, ends, spans = [], [], []
    for y in range(HEIGHT):
        cuts = sorted(draw(st.sets(st.integers(1, WIDTH - 1), max_size=3)))
        starts, stops = [0, *cuts], [*cuts, WIDTH]
        lines.append(
            {
                start: draw(st.none() | strips(stop - start, texts))
                for start, stop in zip(starts, stops, strict=True)
            }
        )
        ends.append(stops)
        if draw(st.booleans()):
            begin = draw(st.integers(0, WIDTH - 1))
            spans.append((y, begin, draw(st.integers(begin + 1, WIDTH))))
    return ChopsUpdate(lines, spans or [(0, 0, WIDTH)], ends)


def updates(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[LayoutUpdate | ChopsUpdate]]:
    return st.tuples(whole(texts), st.lists(layouts(texts) | chops(texts) | whole(texts), max_size=4)).map(
        lambda drawn: [drawn[0], *drawn[1]]
    )


def play(frames: Sequence[LayoutUpdate | ChopsUpdate], what: Abilities) -> tuple[Terminal, Terminal]:
    theirs, ours, diff = Terminal(), Terminal(), ScreenDiff(what)
    for frame in frames:
        theirs.feed(frame.render_segments(CONSOLE) + "\x1b[1;1H")  # as App._display ends
        ours.feed(diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR))
        assert ours.cells() == theirs.cells()
    return theirs, ours


@settings(deadline=None, max_examples=EXAMPLES)
@given(updates(PLAIN_TEXT), st.sampled_from([ALL, NONE]))
def test_any_frames_look_the_same(frames: list[LayoutUpdate | ChopsUpdate], what: Abilities) -> None:
    play(frames, what)


@settings(deadline=None, max_examples=EXAMPLES)
@given(updates(WIDE_TEXT), st.sampled_from([ALL, NONE]))
def test_wide_and_joined_characters_look_the_same(
    frames: list[LayoutUpdate | ChopsUpdate], what: Abilities
) -> None:
    play(frames, what)


LINES = st.lists(
    st.text(st.sampled_from("abcdef"), min_size=6, max_size=14), min_size=30, max_size=30, unique=True
)


@settings(deadline=None, max_examples=EXAMPLES)
@given(LINES, st.lists(st.integers(-3, 3), min_size=1, max_size=8), st.sampled_from([ALL, NONE]))
def test_a_list_that_scrolls_looks_the_same(lines: list[str], moves: list[int], what: Abilities) -> None:
    def page(top: int, cursor: int) -> LayoutUpdate:
        looks = [STYLES[5] if line == cursor else STYLES[8] for line in range(HEIGHT)]
        bar = ["┃" if y == 1 + top * (HEIGHT - 3) // 24 else " " for y in range(HEIGHT)]
        rows = [
            Strip([Segment(lines[top + y].ljust(WIDTH - 1) + bar[y], looks[y])]) for y in range(1, HEIGHT - 1)
        ]
        edge = Strip([Segment("edge".ljust(WIDTH), STYLES[1])])
        return layout(Region(0, 0, WIDTH, HEIGHT), [edge, *rows, edge])

    top, frames = 10, [page(10, 3)]
    for number, move in enumerate(moves):
        top = min(max(top + move, 0), 24)
        frames.append(page(top, 1 + number % 4))
    play(frames, what)


def test_a_list_that_scrolls_writes_only_the_line_that_comes_into_sight() -> None:
    names = [chr(ord("A") + number) * (WIDTH - 1) for number in range(26)]

    def page(top: int, thumb: int) -> LayoutUpdate:
        bar = ["┃" if y in {thumb, thumb + 1} else " " for y in range(HEIGHT)]
        rows = [Strip([Segment(names[top + y] + bar[y], STYLES[5])]) for y in range(HEIGHT)]
        return layout(Region(0, 0, WIDTH, HEIGHT), rows)

    for thumb in (2, 3):
        diff = ScreenDiff(ALL)
        diff.frame(page(3, 2), (WIDTH, HEIGHT), ColorSystem.TRUECOLOR)
        sent = diff.frame(page(4, thumb), (WIDTH, HEIGHT), ColorSystem.TRUECOLOR)
        assert "J" * (WIDTH - 1) in sent
        assert not any(name[:2] in sent for name in names[:9])


def test_nothing_is_written_for_what_is_there_already() -> None:
    frame = layout(Region(0, 0, WIDTH, HEIGHT), [Strip([Segment("x" * WIDTH, STYLES[6])])] * HEIGHT)
    diff = ScreenDiff(ALL)
    first = diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR)
    assert diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR) == ""
    diff.forget()
    assert diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR) == first


def test_another_size_of_the_terminal_is_written_anew() -> None:
    diff = ScreenDiff(ALL)
    frame = layout(Region(0, 0, WIDTH, HEIGHT), [Strip([Segment("x" * WIDTH, None)])] * HEIGHT)
    first = diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR)
    assert diff.frame(frame, (WIDTH + 2, HEIGHT), ColorSystem.TRUECOLOR)
    assert diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR) == first


def test_the_cursor_ends_where_it_is_wanted() -> None:
    diff, terminal = ScreenDiff(ALL), Terminal()
    frame = layout(Region(0, 0, WIDTH, HEIGHT), [Strip([Segment("x" * WIDTH, None)])] * HEIGHT)
    terminal.feed(diff.frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR, cursor=(5, 3)))
    assert (terminal.screen.cursor.x, terminal.screen.cursor.y) == (5, 3)


CODES = st.sets(st.sampled_from(["1", "2", "3", "4", "7", "9"])).map(frozenset)
LOOKS = st.builds(
    Look, CODES, st.sampled_from(["", "31", "38;2;1;2;3"]), st.sampled_from(["", "44", "48;5;9"]), st.just("")
)


@given(LOOKS, LOOKS)
def test_a_change_of_style_ends_in_the_new_style(old: Look, new: Look) -> None:
    def shown(*sequences: str) -> tuple[Any, ...]:
        screen = pyte.Screen(4, 1)
        pyte.Stream(screen).feed("".join(sequences) + "x")
        return tuple(screen.buffer[0][0])

    start = change_of_style(Look(frozenset(), "", "", ""), old)
    direct = change_of_style(Look(frozenset(), "", "", ""), new)
    if {"1", "2"} <= old.attributes | new.attributes:
        return  # pyte does not know 2, so it cannot tell that 22 takes back both
    assert shown(start, change_of_style(old, new)) == shown(direct)


@pytest.mark.parametrize("term", ["", "dumb", "no-such-terminal", "a\x00b"])
def test_nothing_is_taken_for_granted_of_an_unknown_terminal(term: str) -> None:
    # In a process of its own: curses reads one terminal in its life, and another test may have named one.
    program = f"from syncerr_tui.host.terminal import *; assert abilities({term!r}) == NONE"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_a_terminal_lacks_is_not_used() -> None:
    frame = layout(Region(0, 0, WIDTH, HEIGHT), [Strip([Segment("x".ljust(WIDTH), STYLES[5])])] * HEIGHT)
    sent = ScreenDiff(NONE).frame(frame, (WIDTH, HEIGHT), ColorSystem.TRUECOLOR)
    assert "\x1b[K" not in sent
    assert "X" not in sent


def test_words_of_another_look_are_written_together_where_that_is_shorter() -> None:
    plain, bright = Style(color="#d6dbe3"), Style(color="#e6b566", bold=True)
    words = Strip([Segment("one "), Segment("TWO", bright), Segment(" three "), Segment("FOUR", bright)])
    text = Strip([Segment(part.text, part.style or plain) for part in words]).adjust_cell_length(WIDTH, plain)
    diff = ScreenDiff(ALL)
    written = diff.frame(
        layout(Region(0, 0, WIDTH, HEIGHT), [text] * HEIGHT), (WIDTH, HEIGHT), ColorSystem.TRUECOLOR
    )
    assert written.count("38;2;230;181;102") == 1
    assert written.count("38;2;214;219;227") == 1
