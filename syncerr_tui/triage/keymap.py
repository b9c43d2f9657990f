"""Which key asks for which action: the table of actions with a person's own keys and commands in it.

`ACTIONS` is what nobody has changed. A key is called here what Textual calls it (`question_mark`); a person
may also write the character itself (`?`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from syncerr_tui.files import near
from syncerr_tui.triage.actions import ACTIONS, TABS, Action
from syncerr_tui.triage.state import Place

_SHOWN = {"escape": "esc", "pagedown": "page down", "pageup": "page up"}
_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→"}
_NAMED = frozenset(
    {
        *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
        *("insert", "delete", "backspace", "tab", "enter", "escape", "space"),
        *(f"f{number}" for number in range(1, 25)),
    }
)
_OTHER_NAMES = {
    "esc": "escape", "return": "enter", "page down": "pagedown", "page up": "pageup", "del": "delete",
    "ins": "insert", " ": "space",
}  # fmt: skip
_TEXTUAL_NAMES = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Unicode's name of a character -> Textual's, where they differ (`textual.keys.KEY_NAME_REPLACEMENTS`)."""
_SAME_IN_A_TERMINAL = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}
_MODIFIER = re.compile(r"(ctrl|shift|alt)\+(?=.)")
_KEPT = {"ctrl+q": "quit"}
"""Keys that one action has in every screen, dialogs too."""
_NEEDED = frozenset({"back", "help", "palette", "quit"})
"""Actions without whose keys there is no way out, or no way to find the others."""


class KeymapError(ValueError):
    """A key or an action that cannot be had. The message goes on after the name of what was set."""

    def __init__(self, action: str, why: str, hint: str) -> None:
        super().__init__(why)
        self.action = action
        self.why = why
        self.hint = hint


def key_named(text: str) -> str:
    """What Textual calls the key that a person means: `?`, `ctrl+p`, `f5`, `page down`.

    Raises:
        ValueError: A terminal has no such key; the message says so, or what to write instead.
    """
    rest, modifiers = text.strip() or text[:1], []
    while match := _MODIFIER.match(rest.lower()):
        modifiers.append(match[1])
        rest = rest[match.end() :]
    name = _OTHER_NAMES.get(rest.lower(), rest.lower())
    if len(rest) == 1 and rest != " ":
        if "shift" in modifiers:
            raise ValueError(f"is written as the character itself, '{rest.upper()}' for 'shift+{rest}'")
        name = _name_of(rest.lower() if "ctrl" in modifiers else rest)
    elif name not in _NAMED and name not in _CHARACTERS:
        raise ValueError("is not a key")
    known = sorted(set(modifiers), key=("alt", "ctrl", "shift").index)
    key = "+".join([*known, name])
    if same := _SAME_IN_A_TERMINAL.get(key):
        raise ValueError(f"is sent by a terminal as '{same}'")
    return key


def _name_of(character: str) -> str:
    if character.isalnum():
        return character
    if not character.isprintable():
        raise ValueError("is not a key")
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _TEXTUAL_NAMES.get(name, name)


_CHARACTERS = {
    _name_of(character): character
    for character in map(chr, range(33, 256))
    if not character.isalnum() and character.isprintable()
}


def key_label(key: str, *, unicode: bool = True) -> str:
    """A key as a person reads it: `?`, `ctrl+p`, `shift+↓`."""
    *modifiers, name = key.split("+")
    if name in _ARROWS:
        name = _ARROWS[name] if unicode else name
    else:
        name = _SHOWN.get(name) or _CHARACTERS.get(name, name)
    return "+".join([*modifiers, name])


@dataclass(frozen=True)
class ActionTable:
    """The actions of this start of the app, with the keys that ask for them."""

    actions: tuple[Action, ...] = ACTIONS

    @cached_property
    def by_id(self) -> Mapping[str, Action]:
        return {action.id: action for action in self.actions}

    def key_of(self, action_id: str, *, unicode: bool = True) -> str:
        """The key that asks for an action, as a person reads it; the way through the palette without one."""
        action = self.by_id[action_id]
        if action.keys:
            return key_label(action.keys[0], unicode=unicode)
        return f"'{action.label}' in the palette ({self.key_of('palette', unicode=unicode)})"

    def __iter__(self) -> Iterator[Action]:
        """As they stand in the help."""
        return iter(self.actions)

    def available(self, place: Place, *, read_only: bool, on_snapshot: bool = False) -> tuple[Action, ...]:
        """The actions that exist here. Read-only removes what changes the org."""
        return tuple(
            action
            for action in self.actions
            if action.works_in(place)
            and not (read_only and action.changes_org and not (on_snapshot and action.on_snapshot))
        )

    def keys_free_in(self, action: Action, place: Place) -> bool:
        """Whether none of the action's keys asks for something else in this part of the app."""
        return not any(
            other.works_in(place) and set(other.keys) & set(action.keys)
            for other in self.actions
            if other is not action
        )

    def where_it_works(self, action: Action, key: str, tabs: Container[Place]) -> str:
        """`open address: works in Errors (1) and Causes (c)`: where a key works that does nothing here.

        Args:
            action: The one of its actions that was asked for.
            key: The key, as Textual names it; empty where none was pressed.
            tabs: The parts of the app that are on screen now.
        """
        bound = [other for other in self.actions if key in other.keys] or [action]
        in_sight = [each for each in bound if any(place in tabs for place in each.places)] or bound
        label = in_sight[0].label
        places = {place for each in in_sight if each.label == label for place in each.places}
        named = [
            f"{place.value.capitalize()} ({self.key_of(place.value)})" for place in TABS if place in places
        ]
        *others, last = named
        return f"{label}: works in {', '.join(others)}{' and ' if others else ''}{last}"

    def with_keys(self, keys: Mapping[str, Sequence[str]]) -> ActionTable:
        """The same actions with a person's own keys.

        Args:
            keys: Id -> Textual's names of the keys; an action that is not in it keeps its own.

        Raises:
            KeymapError: An action that does not exist, or that needs a key; a key that asks for two actions
                in one place.
        """
        for name, new_keys in keys.items():
            if name not in self.by_id:
                hint = near(name, self.by_id) or "'syncerr-tui info --keys' lists the actions"
                raise KeymapError(name, "is not an action", hint)
            if name in _NEEDED and not new_keys:
                raise KeymapError(name, "needs a key", "Name one, or leave the line out")
        changed = tuple(
            replace(action, keys=tuple(keys[action.id])) if action.id in keys else action
            for action in self.actions
        )
        for action in changed:
            for key in action.keys:
                _check_free(action, key, changed, list(keys))
        return ActionTable(changed)


def _check_free(action: Action, key: str, actions: Sequence[Action], changed: Sequence[str]) -> None:
    owner = _KEPT.get(key, action.id)
    if owner != action.id:
        raise KeymapError(
            action.id, f"cannot have '{key}': it asks for {owner} in every screen", "Choose another key"
        )
    for other in actions:
        shared = Place.EVERYWHERE in action.places | other.places or action.places & other.places
        if other is not action and key in other.keys and shared:
            # What was set last is what has to give way.
            its, mine = sorted(
                (action, other), key=lambda each: changed.index(each.id) if each.id in changed else -1
            )
            raise KeymapError(
                mine.id,
                f"cannot have '{key_label(key)}': it asks for {its.id} already ({its.label})",
                f"Choose another key, or give {its.id} another one too",
            )
