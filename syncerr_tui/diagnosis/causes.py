"""Causes, not rows: what really broke, what each holds up, in which order it can be retried, how it grows."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import inf
from operator import attrgetter

from syncerr_tui.diagnosis.evidence import Evidence, Link, ParentRef
from syncerr_tui.diagnosis.fingerprint import ARRIVED, NOT_LISTED, Fingerprint, Fingerprints, former_keys
from syncerr_tui.diagnosis.victims import GraphNode, Victims, local_name
from syncerr_tui.model import SyncError, sorted_in_parts

_ORDER = "order"
MONEY = frozenset(
    {"payment", "payment_item", "voucher", "subscription", "account_credit_ledger", "account_points_ledger"}
)
"""Objects that carry money by themselves: financial records, which are read and never rewritten."""
_COUNTED = MONEY | {_ORDER}

_PAGE = 2000
"""Rows that are linked in one go: a processor keeps them at hand, which 100,000 at once are too many for."""
_MANY = 1000
"""Rows from which collecting garbage meanwhile would be felt."""
_EXAMPLES = 16

READY = Fingerprint(((ARRIVED, "what these waited for is in Salesforce by now"),))
"""Why rows are one group whose causes are gone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing to fix, the errors that are it, and the errors that only wait for it."""

    key: str
    """Stable between refreshes and runs."""
    fingerprint: Fingerprint
    roots: tuple[str, ...]
    """Errors that fail for this reason themselves, oldest first."""
    victims: tuple[str, ...]
    """Errors that the evidence ties to a root, oldest first."""
    guessed: tuple[str, ...]
    """Errors that may belong here; never part of a plan by themselves."""
    orders: int
    """Different orders among all of these."""
    money: int
    """Different money-bearing records among all of these."""
    money_records: tuple[tuple[str, int], ...]
    """The same by object, most first: `payment` -> 3."""
    first_seen: datetime | None
    last_seen: datetime | None
    examples: tuple[str, ...] = ()
    """Roots that show what all of them have in common: see `examples_of`."""
    missing: str | None = None
    """Where the cause is not in this list: what is known of it."""
    ready: bool = False
    """What these waited for is in Salesforce by now: a plain re-sync can work."""

    @property
    def listed(self) -> bool:
        """Whether the cause itself is in the list."""
        return self.missing is None

    @property
    def held(self) -> int:
        """How many errors go when this is fixed."""
        return len(self.roots) + len(self.victims)


class CauseGraph:
    """All errors as causes and victims. Rows come in pages and leave one by one; the answers follow.

    A page costs what it changes: the rows in it, the rows that wait for them, and their victims in turn.
    100,000 rows are linked and grouped in under 2 s on two modest cores (tests/bench/bench_causes.py).
    """

    def __init__(self) -> None:
        self._fingerprints = Fingerprints()
        self._victims = Victims(self._fingerprints.code_of)
        self._groups: dict[str, _Group] = {}
        """Key of a cause -> its rows."""

    def __len__(self) -> int:
        """How many causes there are: cheap, for a title."""
        return len(self._groups)

    def add(self, errors: Iterable[SyncError]) -> None:
        """Take a page in, or newer versions of rows."""
        rows = list(errors)
        with without_gc(len(rows)):
            for at in range(0, len(rows), _PAGE):
                self._follow(self._victims.add(rows[at : at + _PAGE]))

    def discard(self, ids: Iterable[str]) -> None:
        nodes = self._victims.nodes
        removed = {row_id: nodes[row_id] for row_id in ids if row_id in nodes}
        orphans = {victim for node in removed.values() for victim in node.behind}
        touched = self._victims.discard(removed)
        for row_id, node in removed.items():
            self._unlink(row_id, node)
            self._leave_group(row_id, node)
        self._follow((touched | orphans) & self.errors.keys())

    def relate(self, relations: Mapping[str, tuple[ParentRef, ...]]) -> None:
        """Take in what the org says about parents."""
        self._follow(self._victims.relate(relations))

    def present(self, records: Iterable[tuple[str, str]]) -> None:
        """Take in that these records (object, StoreConnect ID) are in Salesforce: who waited is ready."""
        self._follow(self._victims.present(records))

    def unlisted(self) -> frozenset[tuple[str, str]]:
        """Parents that rows name and that are not in the list: worth asking the org for."""
        return frozenset(
            link.parent for row_id in self.errors for link in self.links_of(row_id) if link.parent is not None
        )

    @property
    def errors(self) -> Mapping[str, SyncError]:
        return self._victims.errors

    def links_of(self, row_id: str) -> tuple[Link, ...]:
        """Why this row waits; empty where it fails for a reason of its own."""
        return self._victims.links_of(row_id)

    def code_of(self, row_id: str) -> str | None:
        """The code to go by: the row's own, else the one that its wording means."""
        return self._victims.nodes[row_id].code

    def fingerprint_of(self, row_id: str) -> Fingerprint:
        """Why this row is in its group."""
        return self._fingerprints.of(self.errors[row_id])

    def causes(self) -> tuple[Cause, ...]:
        """All causes, worst first: by what they hold up, then by orders, money, and age."""
        return tuple(sorted(map(self._cause, self._groups.values()), key=_harm))

    def cause_of(self, row_id: str) -> Cause | None:
        """The cause that this row is, or waits for."""
        group = self._group_of(row_id)
        return self._cause(group) if group is not None else None

    def of_cause(self, word: str) -> frozenset[str] | None:
        """The errors of the cause with this key, or of this error's cause; None where there is none."""
        group = self._groups.get(self.key_now(word)) or self._group_of(word)
        return frozenset(group.members) if group is not None else None

    def key_now(self, word: str) -> str:
        """The key of the cause that had this one by the rules of before; else the same."""
        if word in self._groups or " code=" not in word:
            return word
        return next((key for key, group in self._groups.items() if word in self._former_keys(group)), word)

    def _former_keys(self, group: _Group) -> frozenset[str]:
        if group.former_keys is None:
            root = self.errors[self._cause(group).roots[0]]
            group.former_keys = former_keys(root.message, root.code, root.object)
        return group.former_keys

    def root_of(self, row_id: str) -> str:
        """The error at the end of this row's chain; the row itself where it waits for nobody."""
        root = self._victims.nodes[row_id].root
        assert root is not None
        return root

    def waiting_for(self, row_id: str) -> tuple[Link, ...]:
        """The links of the rows that wait directly for this one, oldest row first."""
        node = self._victims.nodes.get(row_id)
        rows = sorted(node.behind, key=self._age_of) if node is not None else ()
        return tuple(link for row in rows for link in self.links_of(row) if link.cause == row_id)

    def parents_of(self, ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """For each row the rows that must be proven first: facts only, never a guess, no cycle.

        A cause outside `ids` is named too: a plan that leaves it out has to leave its victims out.
        """
        chosen = list(ids)
        parents = {}
        for row_id in chosen:
            before = frozenset(link.cause for link in self.links_of(row_id) if link.fact and link.cause)
            if before and not self._in_circle(row_id):
                parents[row_id] = before
        return parents

    # -- following changes -----------------------------------------------------------------------

    def _follow(self, touched: set[str]) -> None:
        """Draw conclusions anew for these rows and for everything that waits behind them."""
        nodes = self._victims.nodes
        stale = {row_id: nodes[row_id] for row_id in touched}
        for row_id, node in stale.items():
            self._link(row_id, node)
        ahead = [node for node in stale.values() if node.behind]
        while ahead:
            for row_id in ahead.pop().behind:
                if row_id not in stale:
                    node = stale[row_id] = nodes[row_id]
                    if node.behind:
                        ahead.append(node)
        for row_id, node in stale.items():
            self._leave_group(row_id, node)
        oldest_first = sorted(stale.values(), key=_age)
        for node in oldest_first:
            if node.root is None:
                self._find_root(node.error.id)
        for node in oldest_first:
            if node.group is None:
                self._join_group(node)

    def _link(self, row_id: str, node: GraphNode) -> None:
        """Put a row behind the first cause it has in the list."""
        self._unlink(row_id, node)
        when = node.error.since
        node.age = (when.timestamp() if when else inf, row_id)
        for link in self._victims.links_of(row_id):
            if link.cause is not None:
                before = self._victims.nodes[link.cause]
                if isinstance(before.behind, set):
                    before.behind.add(row_id)
                else:
                    before.behind = {row_id}
                node.before = link.cause
                node.guessed = link.evidence is Evidence.GUESS and not _is_also_fact(node, link)
                break

    def _unlink(self, row_id: str, node: GraphNode) -> None:
        before = self._victims.nodes.get(node.before) if node.before is not None else None
        if before is not None and isinstance(before.behind, set):
            before.behind.discard(row_id)
        node.before, node.guessed = None, False

    def _leave_group(self, row_id: str, node: GraphNode) -> None:
        key, node.root, node.group, node.unsure = node.group, None, None, False
        if key is None:
            return
        group = self._groups[key]
        group.cause = None
        del group.members[row_id]
        if not group.members:
            del self._groups[key]

    def _join_group(self, node: GraphNode) -> None:
        assert node.root is not None
        root = self._victims.nodes[node.root]
        key = root.group
        if key is None:
            fingerprint, missing = self._print_of_root(root)
            key = root.group = fingerprint.key
            if key not in self._groups:
                self._groups[key] = _Group(fingerprint, missing)
            self._groups[key].members[node.root] = root
        group = self._groups[key]
        node.group = key
        group.members[node.error.id] = node
        group.cause = None

    def _find_root(self, row_id: str) -> None:
        """The end of a row's chain, and whether all links on the way are facts; kept for every row on it."""
        nodes = self._victims.nodes
        path: dict[str, GraphNode] = {}
        at: str | None = row_id
        while at is not None and (node := nodes[at]).root is None:
            if at in path:
                # A circle: its oldest error stands for it, so that the circle is one cause.
                steps = list(path)
                circle = [path[step] for step in steps[steps.index(at) :]]
                oldest = min(circle, key=_age).error.id
                for node in circle:
                    node.root = oldest
                break
            path[at] = node
            if node.before is None:
                node.root = at
            at = node.before
        for node in reversed(path.values()):
            if node.root is None:
                assert node.before is not None
                before = nodes[node.before]
                node.root, node.unsure = before.root, before.unsure or node.guessed

    def _print_of_root(self, root: GraphNode) -> tuple[Fingerprint, str | None]:
        """The fingerprint of a root; a row whose cause is not listed stands for that missing cause."""
        error = root.error
        for link in self.links_of(error.id):
            if link.ready:
                return READY, None
            if link.cause is None:
                what = link.missing or "a parent that the message does not name"
                parts: tuple[tuple[str, str], ...] = ((NOT_LISTED, what),)
                if link.missing is None:
                    parts = (*parts, ("of", f"{error.object} {error.storeconnect_id}"))
                return Fingerprint(parts), what
        return self._fingerprints.of(error), None

    def _in_circle(self, row_id: str) -> bool:
        """Whether following the rows before leads back here."""
        nodes, seen = self._victims.nodes, set[str]()
        at = nodes[row_id].before
        while at is not None and at not in seen:
            if at == row_id:
                return True
            seen.add(at)
            at = nodes[at].before
        return False

    def _age_of(self, row_id: str) -> tuple[float, str]:
        return self._victims.nodes[row_id].age

    def _group_of(self, row_id: str) -> _Group | None:
        node = self._victims.nodes.get(row_id)
        return self._groups[node.group] if node is not None and node.group is not None else None

    def _cause(self, group: _Group) -> Cause:
        if group.cause is None:
            group.cause = _built(group, sorted_in_parts([*group.members.values()], _age))
        return group.cause


class _Group:
    """The rows of one cause."""

    __slots__ = ("cause", "fingerprint", "former_keys", "members", "missing")

    def __init__(self, fingerprint: Fingerprint, missing: str | None) -> None:
        self.fingerprint = fingerprint
        self.missing = missing
        self.members: dict[str, GraphNode] = {}
        self.cause: Cause | None = None
        """As it was told last; None where a row came or went."""
        self.former_keys: frozenset[str] | None = None


_age = attrgetter("age")


def _is_also_fact(node: GraphNode, guess: Link) -> bool:
    """Whether another link to the same row is a fact."""
    return any(link.fact for link in node.links or () if link.cause == guess.cause)


def _built(group: _Group, rows: list[GraphNode]) -> Cause:
    """A cause of its rows, oldest first; those without a time are the last."""
    sure = [node for node in rows if not node.unsure]
    records = {
        (local, node.record.storeconnect_id)
        for node in sure
        if (local := local_name(node.record.object)) in _COUNTED
    }
    money = Counter(local for local, _ in records)
    orders = money.pop(_ORDER, 0)
    roots = [node.error for node in rows if node.root == node.error.id]
    return Cause(
        key=group.fingerprint.key,
        fingerprint=group.fingerprint,
        roots=tuple(error.id for error in roots),
        victims=tuple(node.error.id for node in sure if node.root != node.error.id),
        guessed=tuple(node.error.id for node in rows if node.unsure),
        orders=orders,
        money=sum(money.values()),
        money_records=tuple(sorted(money.items(), key=lambda kind: (-kind[1], kind[0]))),
        first_seen=next((node.error.since for node in sure), None),
        last_seen=next((since for node in reversed(sure) if (since := node.error.since)), None),
        examples=tuple(error.id for error in examples_of(roots)),
        missing=group.missing,
        ready=group.fingerprint is READY,
    )


def examples_of(errors: Sequence[SyncError]) -> tuple[SyncError, ...]:
    """Errors that show what all of these have in common: spread over them, and of different messages."""
    others: dict[str, SyncError] = {}
    for error in errors:
        others.setdefault(error.message, error)
        if len(others) == _EXAMPLES:
            break
    return (*errors[:: max(1, len(errors) // _EXAMPLES)], *others.values())


@contextmanager
def without_gc(rows: int) -> Iterator[None]:
    """Looking for garbage among 100,000 rows takes a quarter of a second in which no key is answered.

    Rows, graph and plans hold no circles: there is nothing to be found among them, now or later.
    """
    if rows < _MANY or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _harm(cause: Cause) -> tuple[int, int, int, int, float, str]:
    first = cause.first_seen.timestamp() if cause.first_seen else float("inf")
    return (-len(cause.victims), -cause.orders, -cause.money, -len(cause.roots), first, cause.key)


__all__ = ["Cause", "CauseGraph", "Evidence", "Link", "ParentRef"]


SPANS = 8
_RECENT = 2
"""The last spans, whose share decides the word."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Errors over the time since the first one."""

    counts: tuple[int, ...]
    """In `SPANS` equal spans from the first error to now, oldest first; empty where no time is known."""
    word: str
    """`once`, `rising`, `steady`, `falling` or `stopped`; empty where no time is known."""


NO_TREND = Trend((), "")


def trend(times: Iterable[datetime], now: datetime) -> Trend:
    """How the errors of a cause are spread over the time from the first one to now."""
    stamps = [min(when, now).timestamp() for when in times]
    if not stamps:
        return NO_TREND
    first = min(stamps)
    span = max(now.timestamp() - first, 1.0) / SPANS
    counts = [0] * SPANS
    for stamp in stamps:
        counts[min(int((stamp - first) / span), SPANS - 1)] += 1
    return Trend(tuple(counts), _word(counts))


def _word(counts: list[int]) -> str:
    total, recent = sum(counts), sum(counts[-_RECENT:])
    fair = total * _RECENT / len(counts)
    if total == 1:
        return "once"
    if recent == 0:
        return "stopped"
    if recent >= 2 * fair:
        return "rising"
    return "falling" if recent <= fair / 2 else "steady"
