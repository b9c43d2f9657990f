"""Style sheets that do nothing twice. What they know of Textual 8.2.8 is private to it."""

# ruff: noqa: SLF001

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from textual.app import App
from textual.css.model import RuleSet
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode


class _Match(NamedTuple):
    """The rules that apply to a widget, as the sheets have them and as its styles keep all but the layout."""

    rules: RulesMap
    mergeable: RulesMap
    hover: bool
    """Some of them are for the pointer on it."""


class CachingStylesheet(Stylesheet):
    """Parses a sheet again only where a variable has changed, and applies rules again only where they differ.

    Textual 8.2.8 parses all sheets three times until the first frame, and again for each new kind of screen.
    It looks for the rules of every widget when it is made, when its screen is shown, and whenever the focus
    comes or goes: a fifth of the work of a start.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._matches: dict[tuple[object, ...], _Match] = {}
        """What selectors ask of a widget, and all rules that could be meant -> those that apply."""
        self._applied = WeakKeyDictionary[DOMNode, tuple[_Match, int]]()
        """What the styles of a widget were set to last, and how often they had been changed by then."""

    def set_variables(self, variables: dict[str, str]) -> None:
        """Forget what was parsed, unless these are the variables it was parsed with."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Take the rules of sheets that were parsed before, and parse the others."""
        self.parse()

    def apply(
        self, node: DOMNode, *, animate: bool = False, cache: dict[tuple[Any, ...], RulesMap] | None = None
    ) -> None:
        """Apply the rules for a widget: those that were found for another one like it."""
        key, base = (self._rules_for(node), _path(node)), node.styles.base
        match = self._matches.get(key)
        if match is None:
            computed: dict[tuple[Any, ...], RulesMap] = {}
            super().apply(node, animate=animate, cache=computed)
            for rules in computed.values():  # none where they depend on more than the path
                mergeable = base.get_rules()
                mergeable.pop("layout", None)  # each widget has one of its own
                match = self._matches[key] = _Match(rules, mergeable, node._has_hover_style)
                self._applied[node] = match, base._updates
            return
        node._has_hover_style = match.hover
        node._has_focus_within = node._has_order_style = node._has_odd_or_even = False
        last, updates = self._applied.get(node, (None, 0))
        if last is match and updates == base._updates:
            node.notify_style_update()
        elif node._is_mounted or base._rules:
            self.replace_rules(node, match.rules, animate=animate)
        else:  # nothing is drawn yet that each of them would have drawn again
            base.merge_rules(match.mergeable)
            base.layout = match.rules.get("layout")
        self._applied[node] = match, base._updates
        self._process_component_classes(node)

    def _rules_for(self, node: DOMNode) -> tuple[tuple[RuleSet, ...], ...]:
        """All rules whose last selector names this widget: more of them as new kinds of screens come up."""
        rules = self.rules_map
        return tuple([tuple(rules[name]) for name in sorted(node._selector_names) if name in rules])


def _path(node: DOMNode) -> tuple[object, ...]:
    """All that selectors ask of a widget and of what it stands in."""
    nodes = node.css_path_nodes
    of_app = frozenset(nodes[0].get_pseudo_classes()) if isinstance(nodes[0], App) else None
    states = ((each._pseudo_classes_cache_key, getattr(each, "can_focus", None)) for each in nodes)
    return of_app, *((type(each), each._id, each.classes) for each in nodes), *states
