"""What the terminal can do beyond printing and moving the cursor, as its terminfo entry says."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Abilities:
    """Control functions that may be used. All False is safe everywhere."""

    erases_with_background: bool = False
    """Erased cells take the current background (`bce`). screen and some others erase to black."""
    erase_characters: bool = False
    """ECH, `CSI n X` (`ech`)."""
    scroll_region: bool = False
    """DECSTBM, line feed and reverse line feed at the region's edges (`csr`, `ind`, `ri`)."""


NONE = Abilities()
_CAPABLE = ("alacritty", "foot", "ghostty", "kitty", "wezterm", "xterm-ghostty", "xterm-kitty")
"""Terminals that document all of these, and whose entries machines at the other end of SSH often lack."""


def abilities(term: str) -> Abilities:
    """Read the entry of a terminal; nothing is taken for granted where there is none."""
    if sys.platform == "win32":
        return NONE
    import curses

    if term.startswith(_CAPABLE):
        return Abilities(erases_with_background=True, erase_characters=True, scroll_region=True)
    try:
        # Any descriptor will do: only the entry is read, nothing is written.
        curses.setupterm(term or "dumb", 2)
    except (curses.error, OSError, TypeError, ValueError):
        return NONE

    def has(name: str, *beginnings: bytes) -> bool:
        value = curses.tigetstr(name)
        return value is not None and value.startswith(beginnings)

    return Abilities(
        erases_with_background=curses.tigetflag("bce") > 0,
        erase_characters=has("ech", b"\x1b[%p1%dX"),
        scroll_region=has("csr", b"\x1b[%i%p1%d;%p2%dr") and has("ri", b"\x1bM") and has("ind", b"\n"),
    )
