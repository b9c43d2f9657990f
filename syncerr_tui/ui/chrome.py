"""The lines around the list: where we are, what is selected, which keys work. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len

from syncerr_tui.model import Environment, OrgIdentity
from syncerr_tui.triage.actions import Action, AppState
from syncerr_tui.triage.listing import Listing
from syncerr_tui.ui.keys import shown
from syncerr_tui.ui.widgets.line import Part
from syncerr_tui.words import ago, plural

if TYPE_CHECKING:
    from syncerr_tui.model import ApiUsage

_ENVIRONMENT = {
    Environment.PRODUCTION: "production",
    Environment.SANDBOX: "sandbox",
    Environment.DEMO: "demo",
}


def title(
    identity: OrgIdentity | None,
    usage: ApiUsage | None,
    *,
    read_only: bool,
    width: int,
    org: str = "",
    connecting: bool = True,
) -> tuple[list[Part], list[Part]]:
    """The org, what it is in words, and who we are there."""
    left: list[Part] = [(" SyncErr  ", "strong")]
    if identity is None:
        if org:
            left.append((f"{org}  ", "accent"))
        left.append(("connecting ...", "quiet") if connecting else ("not connected", "bad"))
        return left, []
    left += [
        (identity.name, "accent"),
        ("  ", "text"),
        (f" {identity.environment.value} ", _ENVIRONMENT[identity.environment]),
    ]
    if read_only:
        left.append(("  READ-ONLY", "strong"))
    left.append((f"  {identity.username}", "quiet"))
    right: list[Part] = []
    if usage is not None and width >= 70:
        right = [(f"API {usage.used:,}/{usage.total:,} ", "quiet")]
    return left, right


def tabs(names: Iterable[tuple[str, bool]], tells: str, *, unicode: bool) -> tuple[list[Part], list[Part]]:
    """The tabs, the one in front marked by more than colour, and the filter."""
    left: list[Part] = [(" ", "text")]
    for index, (name, active) in enumerate(names):
        if index:
            left.append((" │ " if unicode else " | ", "quiet"))
        left.append((f"[{name}]", "strong") if active else (f" {name} ", "quiet"))
    return left, ([(f"{tells} ", "accent")] if tells else [])


def utility(
    listing: Listing,
    hidden: int,
    *,
    causes: int,
    read_at: datetime | None,
    now: datetime,
    reading: str,
    watching: bool,
    unicode: bool = True,
    unread: str = "",
    proven: int = 0,
) -> tuple[list[Part], list[Part]]:
    """The utility bar, as Salesforce has it: how many errors, how many selected, how fresh."""
    total = len(listing.errors) - proven
    left: list[Part] = [(f" {plural(total, 'sync error')}", "bad" if total else "good")]
    if unread:
        left = [(f" {unread[0].upper()}{unread[1:]}", "quiet")]
    if total and causes and not hidden:
        left.append((f" {'·' if unicode else '-'} {plural(causes, 'cause')}", "strong"))
    if listing.selected:
        told = f"  {len(listing.selected):,} selected"
        left.append((f"{told} ({hidden:,} hidden by the filter)" if hidden else told, "strong"))
    if listing.range is not None and listing.range.sticky:
        left.append(("  range", "busy"))
    right: list[Part] = []
    if watching:
        right.append(("watching  ", "busy"))
    if reading:
        right.append((f"{reading} ", "busy"))
    elif read_at is not None:
        right.append((f"refreshed {ago(read_at, now)} ", "quiet"))
    return left, right


_LEAVES_FIRST = (
    "range",
    "select_all",
    "verify",
    "open",
    "filter",
    "next",
    "browse",
    "toggle",
    "info",
    "scroll",
)
"""What a narrow footer does without, in this order. Help and the way out always stay."""


def footer(
    actions: Sequence[Action], state: AppState, *, width: int, unicode: bool, panel: bool = False
) -> list[Part]:
    """The keys that matter most here and can run now: of the run, of the panel, of the list."""
    keys = {action.id: action.keys for action in actions}
    shown_keys = _of_run(keys, state)
    if panel:
        shown_keys |= _of_panel(keys)
    ranked = sorted((action for action in actions if action.footer), key=lambda action: action.footer)
    for action in ranked:
        if panel and action.id in {"toggle", "range", "select_all", "filter", "info", "open"}:
            continue
        if action.id == "resync":
            if state.running or not (state.chosen or state.hidden_selected):
                continue
        elif action.why_disabled(state) is not None:
            continue
        count = f" {state.chosen:,}" if action.id == "resync" and state.chosen > 1 else ""
        key = shown(action.keys[0], unicode=unicode)
        if panel and action.id == "help":
            shown_keys["back"] = ("esc", "back")
        shown_keys[action.id] = (key, f"{action.label}{count}")
    for name in _LEAVES_FIRST:
        if sum(cell_len(key) + cell_len(label) + 3 for key, label in shown_keys.values()) <= width + 1:
            break
        shown_keys.pop(name, None)
    parts: list[Part] = []
    for key, label in shown_keys.values():
        parts += [(f"{'  ' if parts else ' '}{key}", "key"), (f" {label}", "quiet")]
    return parts


def _of_run(keys: Mapping[str, Sequence[str]], state: AppState) -> dict[str, tuple[str, str]]:
    if not state.running:
        return {}
    told = {"cancel": "stop", "pause": "go on" if state.paused else "pause"}
    return {name: (shown(keys[name][0]), label) for name, label in told.items() if name in keys}


def _of_panel(keys: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    told = {"scroll": f"{shown(keys['down'][-1])}/{shown(keys['up'][-1])}"}
    labels = {"scroll": "scroll", "next": "next/previous", "browse": "address"}
    for kind in ("error", "cause"):
        if f"next_{kind}" in keys:
            told["next"] = f"{keys[f'next_{kind}'][-1]}/{keys[f'previous_{kind}'][-1]}"
    if "browse" in keys:
        told["browse"] = shown(keys["browse"][0])
    return {name: (key, labels[name]) for name, key in told.items()}
