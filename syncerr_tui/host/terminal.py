"""What the terminal can do, decided once from the environment, before Textual is imported.

`NO_COLOR` means no colour codes at all here (Textual alone would answer with grey true colour), and
over SSH the terminal's own 16 colours are the default: they halve the bytes and always fit the theme
the person chose for their terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Abilities(NamedTuple):
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


class Colour(StrEnum):
    """How many colours to use."""

    MONO = "mono"
    ANSI = "16"
    INDEXED = "256"
    TRUE = "true"


class Background(StrEnum):
    """Which of the two themes fits."""

    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class TerminalPreferences:
    """What `config.toml` asks for; None leaves it to the terminal. The environment goes before it."""

    background: Background | None = None
    colour: Colour | None = None
    mouse: bool | None = None
    links: bool | None = None
    ascii: bool | None = None


@dataclass(frozen=True, slots=True)
class TerminalProfile:
    """What to draw with, and why."""

    usable: bool = True
    """False where no full screen can be drawn (no terminal, TERM=dumb)."""
    colour: Colour = Colour.TRUE
    background: Background = Background.DARK
    unicode: bool = True
    mouse: bool = True
    links: bool = False
    """OSC 8 hyperlinks."""
    slow: bool = False
    """A remote line: no animation, fewer bytes."""
    diff: bool = True
    """Only the cells that change are written; False writes whole frames."""
    abilities: Abilities = NONE
    reasons: tuple[str, ...] = ()
    """One sentence for each decision, for `syncerr-tui info`."""


# Terminals that name themselves and are documented to follow OSC 8; others show the plain address only.
_LINKING = {"iTerm.app", "WezTerm", "ghostty", "vscode", "Hyper", "kitty", "rio"}
_INDEXED_OR_MORE = ("256color", "direct", "truecolor", "kitty", "alacritty", "ghostty", "foot")


def terminal_profile(
    environ: Mapping[str, str],
    *,
    is_terminal: bool = True,
    encoding: str = "utf-8",
    preferences: TerminalPreferences = TerminalPreferences(),
) -> TerminalProfile:
    """Decide what to draw with.

    Args:
        environ: The environment. Overrides: `SYNCERR_COLOUR` (mono, 16, 256, true), `SYNCERR_THEME`
            (dark, light), `SYNCERR_MOUSE` (0, 1), `SYNCERR_ASCII` (1), `SYNCERR_LINKS` (0, 1),
            `SYNCERR_DIFF` (0, 1).
        is_terminal: Whether both ends of the screen (stdin, stderr) are a terminal.
        encoding: The terminal's text encoding.
        preferences: What the configuration asks for where the environment says nothing.
    """
    term = environ.get("TERM", "")
    reasons: list[str] = []
    if not is_terminal:
        return TerminalProfile(usable=False, reasons=("There is no terminal on this end.",))
    if term == "dumb":
        return TerminalProfile(usable=False, reasons=("TERM=dumb cannot draw a screen.",))
    remote = is_remote(environ)
    if remote:
        reasons.append("Reached over SSH: the terminal's own 16 colours, no mouse, no animation.")
    colour = _colour(environ, term, preferences.colour, remote=remote, reasons=reasons)
    background = _background(environ, preferences.background, reasons)
    unicode = encoding.lower().replace("-", "") == "utf8" and term not in {"linux", "vt100", "vt220"}
    if environ.get("SYNCERR_ASCII", "0") not in {"", "0"}:
        unicode = False
        reasons.append("SYNCERR_ASCII is set: plain characters only.")
    elif preferences.ascii and "SYNCERR_ASCII" not in environ:
        unicode = False
        reasons.append("config.toml says ascii: plain characters only.")
    elif unicode and _is_plain_locale(environ) and "SYNCERR_ASCII" not in environ:
        unicode = False
        reasons.append("The locale is C: plain characters only; LANG=C.UTF-8 changes that.")
    elif not unicode:
        reasons.append("The terminal does not show Unicode: plain characters only.")
    mouse = _switch(environ, "SYNCERR_MOUSE", preferences.mouse, default=not remote, reasons=reasons)
    known = environ.get("TERM_PROGRAM", "") in _LINKING or "kitty" in term or bool(environ.get("VTE_VERSION"))
    usual = known and not term.startswith(("screen", "tmux"))
    links = _switch(environ, "SYNCERR_LINKS", preferences.links, default=usual, reasons=reasons)
    return TerminalProfile(
        colour=colour,
        background=background,
        unicode=unicode,
        mouse=mouse,
        links=links,
        slow=remote,
        diff=_switch(environ, "SYNCERR_DIFF", None, default=True, reasons=reasons),
        abilities=abilities(term),
        reasons=tuple(reasons),
    )


def _is_plain_locale(environ: Mapping[str, str]) -> bool:
    """Whether a person says that this terminal has no more than ASCII; Python itself takes C for UTF-8."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    return next((environ[name] for name in names if environ.get(name)), "") in {"C", "POSIX"}


def textual_environment(profile: TerminalProfile) -> dict[str, str]:
    """What has to stand in the environment before Textual is imported."""
    chosen = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
    system = {Colour.ANSI: "standard", Colour.INDEXED: "256", Colour.TRUE: "truecolor"}.get(profile.colour)
    if system:
        chosen["TEXTUAL_COLOR_SYSTEM"] = system
    if profile.slow:
        # Escape sequences may arrive in pieces on a slow line; 100 ms would take the first for a key.
        chosen["ESCDELAY"] = "250"
    return chosen


def _colour(
    environ: Mapping[str, str], term: str, configured: Colour | None, *, remote: bool, reasons: list[str]
) -> Colour:
    wish = environ.get("SYNCERR_COLOUR", environ.get("SYNCERR_COLOR", "")).lower()
    if wish in set(Colour):
        reasons.append(f"SYNCERR_COLOUR={wish}.")
        return Colour(wish)
    # no-color.org: present and not empty.
    if environ.get("NO_COLOR"):
        reasons.append("NO_COLOR is set: no colour codes at all.")
        return Colour.MONO
    if configured is not None:
        reasons.append(f"config.toml says colours = {configured.value}.")
        return configured
    if remote:
        return Colour.ANSI
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return Colour.TRUE
    if any(word in term for word in _INDEXED_OR_MORE):
        return Colour.INDEXED
    reasons.append(f"TERM={term or '(unset)'} promises 16 colours.")
    return Colour.ANSI


def _background(environ: Mapping[str, str], configured: Background | None, reasons: list[str]) -> Background:
    wish = environ.get("SYNCERR_THEME", "").lower()
    if wish in set(Background):
        reasons.append(f"SYNCERR_THEME={wish}.")
        return Background(wish)
    if configured is not None:
        reasons.append(f"config.toml says theme = {configured.value}.")
        return configured
    # rxvt, Konsole and others put "foreground;background" here; 7 and 15 are the two whites.
    ground = environ.get("COLORFGBG", "").rsplit(";", 1)[-1]
    if ground in {"7", "15"}:
        reasons.append("COLORFGBG names a light background.")
        return Background.LIGHT
    return Background.DARK


def _switch(
    environ: Mapping[str, str], name: str, configured: bool | None, *, default: bool, reasons: list[str]
) -> bool:
    wish = environ.get(name, "").lower()
    if wish in {"1", "true", "yes", "on"}:
        reasons.append(f"{name} is on.")
        return True
    if wish in {"0", "false", "no", "off"}:
        reasons.append(f"{name} is off.")
        return False
    if configured is not None:
        reasons.append(
            f"config.toml says {name.removeprefix('SYNCERR_').lower()} = {str(configured).lower()}."
        )
        return configured
    return default


_SIGNS = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "MOSH_CONNECTION")


def is_remote(environ: Mapping[str, str]) -> bool:
    """Whether the environment tells of SSH or mosh."""
    return any(environ.get(name) for name in _SIGNS)
