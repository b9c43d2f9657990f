"""`config.toml`: how a person wants the app. It is read strictly, before the screen opens.

Whatever it says about the terminal, a variable of the environment goes before it. What a person chooses in
the app for one org (`t`, `z`) goes before its columns. No command but the app reads it: a mistake in it stops
no `resync` in a script.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncerr_tui.errors import BadInputError
from syncerr_tui.files import TomlSource, near, replace_file, shown_value, writing
from syncerr_tui.host.hooks import Hook
from syncerr_tui.host.paths import config_path
from syncerr_tui.host.terminal import Background, Colour, TerminalPreferences
from syncerr_tui.text import one_line
from syncerr_tui.triage import filter as filters
from syncerr_tui.triage.columns import BY_NAME, WIDEST_COLUMN, Column, ColumnChoice, WindowClass
from syncerr_tui.triage.keymap import ActionTable, KeymapError, key_named
from syncerr_tui.triage.state import Place

LARGEST = 256_000
"""Bytes of the file."""
USUAL_WATCH_SECONDS = 60.0
_SHORTEST_WATCH, _LONGEST_WATCH = 10.0, 86_400.0
"""Seconds. Each reading costs calls of the org's daily limit."""
_LONGEST_HOOK = 3600.0
_LONGEST_NAME = 40
_HEX = re.compile("#[0-9A-Fa-f]{6}")
_HOOK_NAME = re.compile("[A-Za-z0-9_-]{1,40}")
_UNITS = {"s": 1, "m": 60, "h": 3600}
SETTINGS = (
    "theme", "colours", "mouse", "links", "ascii", "columns", "watch_interval", "palette", "filters", "keys",
    "hooks",
)  # fmt: skip
_ALIASES = {"colors": "colours"}
_HOOK_SETTINGS = (
    "key", "command", "label", "shell", "foreground", "timeout", "where", "changes_org",
)  # fmt: skip
PALETTE = (
    "ground", "bar", "text", "quiet", "accent", "code", "selected", "cursor", "cursor-text", "good", "busy",
    "bad", "production", "production-text",
)  # fmt: skip
"""What has a colour of its own on screen."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says; the usual where it says nothing."""

    terminal: TerminalPreferences = field(default_factory=TerminalPreferences)
    palette: Mapping[str, str] = field(default_factory=dict)
    """What has a colour -> that colour, `#rrggbb` or `ansi_red`."""
    columns: Mapping[WindowClass, ColumnChoice] = field(default_factory=dict)
    """The columns of a window of this class where nobody has chosen others for the org."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Name -> filter, each of which can be read."""
    watch_seconds: float = USUAL_WATCH_SECONDS
    actions: ActionTable = field(default_factory=ActionTable)
    """Every action with its keys, the person's own commands among them."""
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    """Id of an action -> the command that it runs."""


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration; the usual one where there is no file.

    Raises:
        BadInputError: The file cannot be read or understood, or the variable names none; the words name file,
            line and key.
    """
    path = config_path(environ)
    source = TomlSource.read(path, LARGEST)
    if source is None and environ.get("SYNCERR_CONFIG"):
        raise BadInputError(f"{path} is not there", "SYNCERR_CONFIG names it; correct or unset that")
    return parse_config(source) if source is not None else Config()


def parse_config(source: TomlSource) -> Config:
    """What a file says. Raises what `read_config` raises."""
    tables = {_ALIASES.get(key, key): value for key, value in source.tables().items()}
    reader = _Reader(source)
    reader.source.check_known(tables, SETTINGS)
    actions, hooks = _actions(tables, reader)
    return Config(
        TerminalPreferences(
            background=reader.word("theme", tables, Background),
            colour=reader.word("colours", tables, Colour),
            mouse=reader.switch("mouse", tables),
            links=reader.switch("links", tables),
            ascii=reader.switch("ascii", tables),
        ),
        _palette(tables, reader),
        _columns(tables.get("columns", []), reader),
        _filters(tables, reader),
        reader.seconds(("watch_interval",), tables, USUAL_WATCH_SECONDS, (_SHORTEST_WATCH, _LONGEST_WATCH)),
        actions,
        hooks,
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values out of tables, and refuses what they cannot be."""

    source: TomlSource

    def table(self, key: str, tables: Mapping[str, Any]) -> Mapping[str, Any]:
        value = tables.get(key, {})
        if not isinstance(value, dict):
            raise self.source.refuse(
                (key,), f"must be a table, not {shown_value(value)}", f"Write it as [{key}]"
            )
        return value

    def word(self, key: str, tables: Mapping[str, Any], kind: type[Any]) -> Any:  # noqa: ANN401 - an enum's member
        value = tables.get(key)
        if value is None:
            return None
        # `colours = 16` means what it says.
        text = str(value).lower() if isinstance(value, str) or type(value) is int else ""
        words = [each.value for each in kind]
        if text not in words:
            hint = near(text, words) or f"It takes: {', '.join(words)}"
            raise self.source.refuse((key,), f"cannot be {shown_value(value)}", hint)
        return kind(text)

    def switch(self, key: str, table: Mapping[str, Any], keys: tuple[str, ...] = ()) -> bool | None:
        value = table.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.source.wrong((*keys, key), "true or false", value)
        return value

    def text(self, keys: tuple[str, ...], value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.source.wrong(keys, "a text in quotes", value)
        return value

    def seconds(
        self, keys: tuple[str, ...], table: Mapping[str, Any], usual: float, limits: tuple[float, float]
    ) -> float:
        value = table.get(keys[-1])
        if value is None:
            return usual
        seconds = _seconds(value)
        low, high = limits
        if seconds is None or not low <= seconds <= high:
            expected = f'a time from "{low:g}s" to "{high / 3600:g}h", such as "30s" or "5m"'
            raise self.source.wrong(keys, expected, value)
        return seconds

    def key(self, keys: tuple[str, ...], text: str) -> str:
        try:
            return key_named(text)
        except ValueError as problem:
            hint = "Write it as G, ?, f5, ctrl+g, alt+x, page down or shift+up"
            raise self.source.refuse(keys, f"cannot be {shown_value(text)}: that {problem}", hint) from None


def _palette(tables: Mapping[str, Any], reader: _Reader) -> dict[str, str]:
    table = reader.table("palette", tables)
    reader.source.check_known(table, PALETTE, ("palette",))
    for name, value in table.items():
        if not isinstance(value, str) or not _is_colour(value):
            raise reader.source.wrong(("palette", name), 'a colour such as "#d08770" or "ansi_red"', value)
    return dict(table)


def _is_colour(text: str) -> bool:
    names = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
    known = {"ansi_default", *(f"ansi_{light}{name}" for name in names for light in ("", "bright_"))}
    return text in known or _HEX.fullmatch(text) is not None


def _columns(value: object, reader: _Reader) -> dict[WindowClass, ColumnChoice]:
    """One list for every window, or a table with one for each class."""
    if isinstance(value, dict):
        reader.source.check_known(value, [window.value for window in WindowClass], ("columns",))
        return {WindowClass(name): _choice(table, ("columns", name), reader) for name, table in value.items()}
    choice = _choice(value, ("columns",), reader)
    return dict.fromkeys(WindowClass, choice) if choice else {}


def _choice(value: object, keys: tuple[str, ...], reader: _Reader) -> ColumnChoice:
    choice: list[tuple[Column, int]] = []
    for text in reader.source.texts(keys, value):
        name, colon, cells = text.partition(":")
        if name not in BY_NAME:
            hint = near(name, BY_NAME) or f"Columns are: {', '.join(BY_NAME)}"
            raise reader.source.refuse(keys, f"does not know the column {shown_value(name)}", hint)
        if colon and not (cells.isdecimal() and len(cells) < 4 and 0 < int(cells) <= WIDEST_COLUMN):
            hint = f'Write "{name}" or, for a width in cells, "{name}:22" (at most {WIDEST_COLUMN})'
            raise reader.source.refuse(keys, f"cannot read the width in {shown_value(text)}", hint)
        if any(column.name == name for column, _ in choice):
            raise reader.source.refuse(keys, f"names {name} twice", "Leave one out")
        choice.append((BY_NAME[name], int(cells) if colon else 0))
    return tuple(choice)


def _filters(tables: Mapping[str, Any], reader: _Reader) -> dict[str, str]:
    known = reader.table("filters", tables)
    for name, text in known.items():
        keys = ("filters", name)
        if trouble := filter_name_trouble(name):
            raise reader.source.refuse(keys, "cannot be the name of a filter", trouble)
        try:
            filters.parse(reader.text(keys, text), saved=lambda: {**known, name: ""})  # noqa: B023 - read at once
        except BadInputError as problem:
            why = f"{problem.title[0].lower()}{problem.title[1:]}"
            raise reader.source.refuse(keys, f"cannot be used: {why}", problem.hint) from None
    return dict(known)


def filter_name_trouble(name: str) -> str:
    """Why a filter cannot have this name; empty where it can."""
    if not name.strip() or one_line(name) != name or '"' in name or len(name) > _LONGEST_NAME:
        return f'Use one line of at most {_LONGEST_NAME} letters, without "'
    return ""


def _actions(tables: Mapping[str, Any], reader: _Reader) -> tuple[ActionTable, dict[str, Hook]]:
    """The actions with their keys, commands included, and what runs the commands."""
    hooks_read = [_hook(name, table, reader) for name, table in reader.table("hooks", tables).items()]
    hooks = {hook.action.id: hook for hook in hooks_read}
    table = ActionTable((*ActionTable().actions, *(hook.action for hook in hooks.values())))
    keys = {
        name: [reader.key(("keys", name), text) for text in reader.source.texts(("keys", name), value)]
        for name, value in reader.table("keys", tables).items()
    }
    try:
        # A hook's keys stand in its own table: they are looked at as if they had been set anew.
        own = {hook.action.id: hook.action.keys for hook in hooks.values()}
        return table.with_keys({**own, **keys}), hooks
    except KeymapError as problem:
        place: tuple[str, ...] = ("keys", problem.action)
        if problem.action in hooks and problem.action not in keys:
            place = ("hooks", hooks[problem.action].name, "key")
        raise reader.source.refuse(place, problem.why, problem.hint) from None


def _hook(name: str, table: object, reader: _Reader) -> Hook:
    place = ("hooks", name)
    if not isinstance(table, dict):
        raise reader.source.refuse(place, "must be a table", f"Write it as [hooks.{one_line(name)}]")
    reader.source.check_known(table, _HOOK_SETTINGS, place)
    if not _HOOK_NAME.fullmatch(name):
        raise reader.source.refuse(
            place, "cannot be the name of a command", "Use letters, digits, - and _, at most 40"
        )
    shell = bool(reader.switch("shell", table, place))
    foreground = bool(reader.switch("foreground", table, place))
    usual = 0.0 if foreground else 30.0
    key = (*place, "key")
    return Hook(
        name,
        keys=tuple(reader.key(key, text) for text in reader.source.texts(key, table.get("key", []))),
        command=_command(table, place, reader, shell=shell),
        label=one_line(reader.text((*place, "label"), table.get("label", name)))[:_LONGEST_NAME],
        shell=shell,
        foreground=foreground,
        timeout=reader.seconds((*place, "timeout"), table, usual, (1.0, _LONGEST_HOOK)),
        places=_places((*place, "where"), table.get("where"), reader),
        changes_org=bool(reader.switch("changes_org", table, place)),
    )


def _command(
    table: Mapping[str, Any], place: tuple[str, ...], reader: _Reader, *, shell: bool
) -> tuple[str, ...]:
    if "command" not in table:
        raise reader.source.refuse(place, "needs a command", 'Add command = ["program", "argument"]')
    value, keys = table["command"], (*place, "command")
    if isinstance(value, str) and value.strip():
        if not shell and len(value.split()) > 1:
            hint = 'Write ["program", "argument"], or add shell = true to have a shell read it'
            raise reader.source.refuse(keys, "is one text with blanks, and no shell reads it", hint)
        return (value,)
    if shell:
        raise reader.source.wrong(keys, "one text for the shell", value)
    parts = reader.source.texts(keys, value)
    if not parts or not parts[0].strip() or any("\0" in part for part in parts):
        raise reader.source.wrong(keys, "a program with its arguments", value)
    return tuple(parts)


def _places(keys: tuple[str, ...], value: object, reader: _Reader) -> frozenset[Place]:
    usual = frozenset({Place.ERRORS, Place.CAUSES})
    if value is None:
        return usual
    names = {place.value: place for place in (Place.ERRORS, Place.CAUSES, Place.JOURNAL)}
    chosen = reader.source.texts(keys, value)
    for name in chosen:
        if name not in names:
            hint = near(name, names) or f"It takes: {', '.join(names)}"
            raise reader.source.refuse(keys, f"does not know {shown_value(name)}", hint)
    return frozenset(names[name] for name in chosen) or usual


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value[-1:] in _UNITS and value[:-1].strip().isdecimal() and len(value) < 9:
        return float(int(value[:-1]) * _UNITS[value[-1]])
    return float(value) if type(value) is int and value < 10**6 else None


def save_filter(name: str, text: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Keep a filter under a name; one of this name is replaced.

    Returns:
        The file that it stands in now.

    Raises:
        BadInputError: The name cannot be one, or the file has a mistake or cannot be changed without risk.
        MachineError: The disk does not take it.
    """
    import tomlkit

    def add(document: tomlkit.TOMLDocument) -> None:
        if "filters" not in document:
            document["filters"] = tomlkit.table()
        document["filters"][name] = text

    trouble = filter_name_trouble(name)
    if trouble:
        raise BadInputError(trouble, "Choose another name")
    path = config_path(environ)
    source = TomlSource.read(path, LARGEST)
    before = parse_config(source) if source is not None else Config()
    after = (source or TomlSource(path, "")).edited(add)
    try:
        unharmed = after is not None and parse_config(after).filters == {**before.filters, name: text}
    except BadInputError:
        unharmed = False
    if after is None or not unharmed:
        line = f"{tomlkit.item(name).as_string()} = {tomlkit.item(text).as_string()}"
        raise BadInputError(
            f"{path} cannot be changed without touching what you wrote",
            f"Add to its [filters] yourself: {line}",
        )
    _write(path, after.text)
    return path


def _write(path: Path, text: str) -> None:
    """Whole or not at all; where the file is a link, what it leads to."""
    with writing(path, "Nothing was changed"):
        target = path.resolve()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        replace_file(target, text, mode)
