"""Widgets that draw their own lines, in the colours of the theme.

Textual's component classes would do, but every one of them is a node that the style sheet is matched against
when the app starts: a hundred of them cost as much as all the rest of the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

Look = tuple[str, Style]
"""A colour of the theme (a key of `themes.py`, empty for none) and what goes with it."""

_PLAIN = Style()
_BOLD = Style(bold=True)
LOOKS: Mapping[str, Look] = {
    "text": ("text", _PLAIN),
    "strong": ("text", _BOLD),
    "quiet": ("quiet", _PLAIN),
    "accent": ("accent", _PLAIN),
    "key": ("accent", _BOLD),
    "good": ("good", _BOLD),
    "busy": ("busy", _PLAIN),
    "bad": ("bad", _BOLD),
    "production": ("production-text", _BOLD),
    "sandbox": ("code", _BOLD),
    "demo": ("good", _BOLD),
    # The table.
    "header": ("quiet", _BOLD),
    "code": ("code", _PLAIN),
    "selected": ("selected", _PLAIN),
    "cursor": ("cursor-text", _PLAIN),
    # The info panel: the roles of `syncerr_tui.diagnosis.render`.
    "name": ("code", _BOLD),
    "heading": ("text", Style(bold=True, underline=True)),
    "number": ("accent", _BOLD),
    "address": ("accent", _PLAIN),
    "note": ("selected", _PLAIN),
    "found": ("code", _BOLD),
    "muted": ("quiet", _PLAIN),
}
_GROUNDS = {"production": "production", "cursor": "cursor"}
"""Looks with a background of their own."""
_OWN_COLOURS: Mapping[str, Style] = {
    "cursor": Style(reverse=True),
    "selected": _BOLD,
}
"""With the terminal's own colours: what suits any background it may have."""
_NO_COLOUR: Mapping[str, Style] = {
    **_OWN_COLOURS,
    "production": Style(bold=True, reverse=True),
    "found": Style(underline=True),
}


class Themed(Widget):
    """Gives styles by name; they follow the theme."""

    _looks: dict[str, Style]

    def look(self, name: str) -> Style:
        """The style of this name on this widget's background."""
        try:
            return self._looks[name]
        except AttributeError:
            self._looks = {}
        except KeyError:
            pass
        style = self._looks[name] = self.rich_style + self._made(name)
        return style

    def _made(self, name: str) -> Style:
        app = self.app
        colour, style = LOOKS[name]
        if app.no_color:
            return style + _NO_COLOUR.get(name, _PLAIN)
        if app.native_ansi_color and name == "cursor":
            return _OWN_COLOURS[name]
        if app.native_ansi_color:
            style += _OWN_COLOURS.get(name, _PLAIN)
        variables = app.theme_variables
        ground = _GROUNDS.get(name)
        return style + Style(
            color=Color.parse(variables[f"syncerr-{colour}"]).rich_color,
            bgcolor=Color.parse(variables[f"syncerr-{ground}"]).rich_color if ground else None,
        )

    def notify_style_update(self) -> None:
        self._looks = {}
        super().notify_style_update()
