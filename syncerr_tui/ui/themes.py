"""Four looks: true colour on dark and light, and the terminal's own 16 colours on dark and light.

Without colour the 16-colour look is drawn with its colours taken out (`app.Colourless`).
Nothing on screen is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from textual.theme import Theme

from syncerr_tui.host.terminal import Background, Colour, TerminalProfile


def _theme(name: str, *, dark: bool, ansi: bool, colours: dict[str, str]) -> Theme:
    return Theme(
        name=name,
        dark=dark,
        ansi=ansi,
        primary=colours["accent"],
        secondary=colours["quiet"],
        accent=colours["accent"],
        warning=colours["busy"],
        error=colours["bad"],
        success=colours["good"],
        foreground=colours["text"],
        background=colours["ground"],
        surface=colours["bar"],
        panel=colours["bar"],
        boost=colours["bar"],
        variables={
            **{f"syncerr-{key}": value for key, value in colours.items()},
            "ansi-background": "ansi_black" if dark else "ansi_white",
            "ansi-foreground": "ansi_white" if dark else "ansi_black",
            "scrollbar": colours["quiet"],
            "scrollbar-hover": colours["quiet"],
            "scrollbar-active": colours["accent"],
            "scrollbar-background": colours["ground"],
            "scrollbar-background-hover": colours["ground"],
            "scrollbar-background-active": colours["ground"],
            "scrollbar-corner-color": colours["ground"],
            "border": colours["accent"],
            "border-blurred": colours["quiet"],
            "block-cursor-foreground": colours["cursor-text"],
            "block-cursor-background": colours["cursor"],
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": colours["text"],
            "block-cursor-blurred-background": colours["bar"],
            "input-cursor-foreground": colours["cursor-text"],
            "input-cursor-background": colours["cursor"],
            "input-selection-background": colours["cursor"],
            "input-selection-foreground": colours["cursor-text"],
        },
    )


_DARK = {
    "ground": "#12161c",
    "bar": "#1c222b",
    "text": "#d6dbe3",
    "quiet": "#8d98a8",
    "accent": "#7db7ff",
    "code": "#e6b566",
    "selected": "#9fe0b4",
    "cursor": "#2b4a73",
    "cursor-text": "#ffffff",
    "good": "#7fd88f",
    "busy": "#7db7ff",
    "bad": "#ff8080",
    "production": "#c23b3b",
    "production-text": "#ffffff",
}
_LIGHT = {
    "ground": "#fbfbfa",
    "bar": "#e9ebee",
    "text": "#1d232b",
    "quiet": "#5a6675",
    "accent": "#0b57a8",
    "code": "#8a4b00",
    "selected": "#136b33",
    "cursor": "#b9d6f7",
    "cursor-text": "#0a0f16",
    "good": "#136b33",
    "busy": "#0b57a8",
    "bad": "#b01919",
    "production": "#b01919",
    "production-text": "#ffffff",
}
_ANSI_DARK = {
    "ground": "ansi_default",
    "bar": "ansi_default",
    "text": "ansi_default",
    "quiet": "ansi_default",
    "accent": "ansi_cyan",
    "code": "ansi_yellow",
    "selected": "ansi_green",
    "cursor": "ansi_white",
    "cursor-text": "ansi_black",
    "good": "ansi_green",
    "busy": "ansi_cyan",
    "bad": "ansi_red",
    "production": "ansi_red",
    "production-text": "ansi_white",
}
_ANSI_LIGHT = {
    **_ANSI_DARK,
    "accent": "ansi_blue",
    "code": "ansi_magenta",
    "selected": "ansi_blue",
    "busy": "ansi_blue",
    "cursor": "ansi_blue",
    "cursor-text": "ansi_bright_white",
}

VARIABLES = {f"syncerr-{key}": value for key, value in _DARK.items()}
"""What the style sheet needs before a theme is chosen."""


def theme_for(terminal: TerminalProfile, palette: Mapping[str, str] = MappingProxyType({})) -> Theme:
    """The theme that suits this terminal.

    Args:
        terminal: What can be drawn.
        palette: What has a colour of the person's choice -> that colour.
    """
    ansi = terminal.colour in {Colour.MONO, Colour.ANSI}
    dark = terminal.background is Background.DARK
    colours = (_ANSI_DARK if dark else _ANSI_LIGHT) if ansi else (_DARK if dark else _LIGHT)
    name = f"syncerr-{'ansi-' if ansi else ''}{terminal.background.value}"
    return _theme(name, dark=dark, ansi=ansi, colours={**colours, **palette})
