"""Widgets that draw their own lines, in the colours of the theme, and keep those that have not changed.

Textual's component classes would do, but every one of them is a node that the style sheet is matched against
when the app starts: a hundred of them cost as much as all the rest of the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual._context import visible_screen_stack
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from syncerr_tui.host.terminal import Background, Colour, TerminalProfile

ThemedLook = tuple[str, Style]
"""A colour of the theme (a key of `themes.py`, empty for none) and what goes with it."""

_PLAIN = Style()
_BOLD = Style(bold=True)
LOOKS: Mapping[str, ThemedLook] = {
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


class LineCache(StylesCache):
    """The lines of a widget as they go to the compositor, until they change.

    Textual 8.2.8 asks every widget between the first and the last line of a change for all its lines, and
    takes each of them through every filter again: a third of what a key costs in a large window.
    """

    def __init__(self) -> None:
        super().__init__()
        self._crop: Region | None = None
        """What `_strips` are; None where all are to be drawn."""
        self._strips: list[Strip] = []

    def clear(self) -> None:
        super().clear()
        self._crop = None

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Draw the lines that have changed, and give all of them."""
        if crop != self._crop:
            self._strips = self._drawn(widget, crop)
            self._crop = crop
        elif changed := self._dirty_lines.intersection(crop.line_range):
            first, end = min(changed), max(changed) + 1
            part = Region(crop.x, first, crop.width, end - first)
            self._strips[first - crop.y : end - crop.y] = self._drawn(widget, part)
        return self._strips

    def _drawn(self, widget: Widget, part: Region) -> list[Strip]:
        return super().render_widget(widget, part)


class BorderlessLines(LineCache):
    """The lines of a widget that draws all its cells: without a border they need nothing of the style sheet.

    What Textual can lay over a widget, as a tint or opacity, is nowhere in ours.
    """

    def _drawn(self, widget: Widget, part: Region) -> list[Strip]:
        if widget.styles.gutter or part.column_span != (0, widget.outer_size.width):
            return super()._drawn(widget, part)
        self._dirty_lines.difference_update(part.line_range)
        background = widget.background_colors[1]
        strips = [widget.render_line(y).adjust_cell_length(part.width) for y in part.line_range]
        for each in widget.get_line_filters():
            strips = [strip.apply_filter(each, background) for strip in strips]
        return strips


class LinesBelow(LineCache):
    """The lines of the screen below, under a dialog that lets them show through as they are.

    Textual 8.2.8 takes all of them through Rich and every filter again: half of a dialog's first frame.
    """

    def _drawn(self, widget: Widget, part: Region) -> list[Strip]:
        below = visible_screen_stack.get([])
        if not below or widget.styles.background.a:
            return super()._drawn(widget, part)
        self._dirty_lines.difference_update(part.line_range)
        strips = below.pop()._compositor.render_strips()[part.y : part.bottom]  # noqa: SLF001 - as Textual's own
        strips += [Strip([])] * (part.height - len(strips))  # the one below may have its new size yet to come
        return [strip.crop_extend(part.x, part.right, None) for strip in strips]


class Themed(Widget):
    """Gives styles by name, which follow the theme; and draws line by line, laid out for its size."""

    _styles: dict[str, Style]
    _laid_out_for = Size(0, 0)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's
        super().__init__(id=id, classes=classes)
        self._styles_cache = BorderlessLines()

    def lay_out(self) -> None:
        """It has another size."""

    def draw_line(self, y: int) -> Strip:
        """One line of it, laid out for this size."""
        raise NotImplementedError

    def on_resize(self) -> None:
        self._laid_out_for = self.size
        self.lay_out()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._laid_out_for != self.size:
            # Textual 8.2.8 forgets a resize event where something asks for a region between two layouts.
            self.on_resize()
        return self.draw_line(y)

    def look(self, name: str) -> Style:
        """The style of this name on this widget's background."""
        try:
            return self._styles[name]
        except AttributeError:
            self._styles = {}
        except KeyError:
            pass
        style = self._styles[name] = self.rich_style + self._style_of(name)
        return style

    def _style_of(self, name: str) -> Style:
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
        self._styles = {}
        super().notify_style_update()


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


def theme_for(terminal: TerminalProfile, palette: Mapping[str, str]) -> Theme:
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
