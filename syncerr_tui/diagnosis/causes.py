"""Causes, not rows: what really broke, what each holds up, and the order in which it can be retried."""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from syncerr_tui.diagnosis.fingerprint import ARRIVED, NOT_LISTED, Fingerprint, Fingerprints
from syncerr_tui.diagnosis.victims import Evidence, Link, ParentRef, Victims, local_name
from syncerr_tui.model import SyncError

ORDERS = frozenset({"order"})
MONEY = frozenset(
    {
        "payment",
        "payment_item",
        "voucher",
        "subscription",
        "account_credit_ledger",
        "account_points_ledger",
    }
)
"""Objects that carry money by themselves: financial records, which are read and never rewritten."""


_MANY = 1000
"""Rows from which collecting garbage meanwhile would be felt."""

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
    100,000 rows are linked and grouped in under 3 s on two modest cores (tests/bench/bench_causes.py).
    """

    def __init__(self) -> None:
        self._fingerprints = Fingerprints()
        self._victims = Victims(self._fingerprints.code_of)
        self._before: dict[str, str] = {}
        """Row -> the row it waits for, where it is in the list."""
        self._guessed: set[str] = set()
        """Rows of which that is a guess."""
        self._behind: defaultdict[str, set[str]] = defaultdict(set)
        """Row -> the rows that wait directly for it."""
        self._roots: dict[str, str] = {}
        """Row -> the row at the end of its chain; itself where it waits for nobody."""
        self._unsure: set[str] = set()
        """Rows with a guess on the way to there."""
        self._group_of: dict[str, str] = {}
        self._members: defaultdict[str, dict[str, None]] = defaultdict(dict)
        """Key of a cause -> its rows, oldest first within each page: then sorting all of them is cheap."""
        self._ages: dict[str, tuple[float, str]] = {}
        self._prints: dict[str, tuple[Fingerprint, str | None]] = {}
        self._built: dict[str, Cause] = {}

    def __len__(self) -> int:
        """How many causes there are: cheap, for a title."""
        return len(self._members)

    def add(self, errors: Iterable[SyncError]) -> None:
        """Take a page in, or newer versions of rows."""
        rows = list(errors)
        with no_collecting(len(rows)):
            self._follow(self._victims.add(rows))

    def discard(self, ids: Iterable[str]) -> None:
        """Let rows go that left the list."""
        gone = [row_id for row_id in ids if row_id in self.errors]
        orphans = {victim for row_id in gone for victim in self._behind.get(row_id, ())}
        touched = self._victims.discard(gone)
        for row_id in gone:
            self._unlink(row_id)
            self._leave_group(row_id)
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
        """Every row, by id."""
        return self._victims.errors

    def links_of(self, row_id: str) -> tuple[Link, ...]:
        """Why this row waits; empty where it fails for a reason of its own."""
        return self._victims.links_of(row_id)

    def fingerprint_of(self, row_id: str) -> Fingerprint:
        """Why this row is in its group."""
        return self._fingerprints.of(self.errors[row_id])

    def causes(self) -> tuple[Cause, ...]:
        """All causes, worst first: by what they hold up, then by orders, money, and age."""
        for key, members in self._members.items():
            if key not in self._built:
                self._built[key] = self._cause(key, members)
        return tuple(sorted(self._built.values(), key=_harm))

    def cause_of(self, row_id: str) -> Cause | None:
        """The cause that this row is, or waits for."""
        key = self._group_of.get(row_id)
        if key is None:
            return None
        if key not in self._built:
            self._built[key] = self._cause(key, self._members[key])
        return self._built[key]

    def of_cause(self, word: str) -> frozenset[str] | None:
        """The errors of the cause with this key, or of this error's cause; None where there is none."""
        key = word if word in self._members else self._group_of.get(word)
        return frozenset(self._members[key]) if key is not None else None

    def root_of(self, row_id: str) -> str:
        """The error at the end of this row's chain; the row itself where it waits for nobody."""
        return self._roots[row_id]

    def waiting_for(self, row_id: str) -> tuple[Link, ...]:
        """The links of the rows that wait directly for this one, oldest row first."""
        rows = sorted(self._behind.get(row_id, ()), key=self._ages.__getitem__)
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
        behind, links_of, errors, groups = self._behind, self._victims.links_of, self.errors, self._group_of
        for row_id in touched:
            if row_id in self._before:
                self._unlink(row_id)
            error = errors[row_id]
            when = error.created_at or error.processed_at
            self._ages[row_id] = (when.timestamp() if when else float("inf"), row_id)
            links = links_of(row_id)
            before = next((link.cause for link in links if link.cause), None) if links else None
            if before is not None:
                self._before[row_id] = before
                behind[before].add(row_id)
                if not any(link.fact for link in links if link.cause == before):
                    self._guessed.add(row_id)
        stale = set(touched)
        frontier = list(touched)
        while frontier:
            waiting = behind.get(frontier.pop())
            if waiting:
                fresh = waiting - stale
                stale |= fresh
                frontier += fresh
        for row_id in stale:
            if row_id in groups:
                self._leave_group(row_id)
        oldest_first = sorted(stale, key=self._ages.__getitem__)
        for row_id in oldest_first:
            if row_id not in self._roots:
                self._find_root(row_id)
        for row_id in oldest_first:
            if row_id not in groups:
                self._join_group(row_id)

    def _unlink(self, row_id: str) -> None:
        before = self._before.pop(row_id, None)
        if before is not None:
            self._behind[before].discard(row_id)
            self._guessed.discard(row_id)

    def _leave_group(self, row_id: str) -> None:
        key = self._group_of.pop(row_id, None)
        if key is None:
            return
        del self._roots[row_id]
        self._unsure.discard(row_id)
        self._built.pop(key, None)
        members = self._members[key]
        del members[row_id]
        if not members:
            del self._members[key]
            del self._prints[key]

    def _join_group(self, row_id: str) -> None:
        root = self._roots[row_id]
        key = self._group_of.get(root)
        if key is None:
            made, missing = self._print_of_root(root)
            key = made.key
            self._prints.setdefault(key, (made, missing))
            self._group_of[root] = key
            self._members[key][root] = None
        self._group_of[row_id] = key
        self._members[key][row_id] = None
        self._built.pop(key, None)

    def _find_root(self, row_id: str) -> None:
        """The end of a row's chain, and whether all links on the way are facts; kept for every row on it."""
        roots, path, at = self._roots, dict[str, None](), row_id
        while at not in roots:
            if at in path:
                # A circle: its oldest error stands for it, so that the circle is one cause.
                steps = list(path)
                circle = steps[steps.index(at) :]
                roots.update(dict.fromkeys(circle, min(circle, key=self._ages.__getitem__)))
                break
            path[at] = None
            before = self._before.get(at)
            if before is None:
                roots[at] = at
                break
            at = before
        for step in reversed(path):
            if step not in roots:
                before = self._before[step]
                roots[step] = roots[before]
                if before in self._unsure or step in self._guessed:
                    self._unsure.add(step)

    def _print_of_root(self, root: str) -> tuple[Fingerprint, str | None]:
        """The fingerprint of a root; a row whose cause is not listed stands for that missing cause."""
        for link in self.links_of(root):
            if link.ready:
                return READY, None
            if link.cause is None:
                what = link.missing or "a parent that the message does not name"
                error = self.errors[root]
                parts: tuple[tuple[str, str], ...] = ((NOT_LISTED, what),)
                if link.missing is None:
                    parts = (*parts, ("of", f"{error.object} {error.storeconnect_id}"))
                return Fingerprint(parts), what
        return self._fingerprints.of(self.errors[root]), None

    def _in_circle(self, row_id: str) -> bool:
        """Whether following the rows before leads back here."""
        seen: set[str] = set()
        at = self._before.get(row_id)
        while at is not None and at not in seen:
            if at == row_id:
                return True
            seen.add(at)
            at = self._before.get(at)
        return False

    def _cause(self, key: str, members: Iterable[str]) -> Cause:
        made, missing = self._prints[key]
        ages, unsure = self._ages, self._unsure
        rows = sorted(members, key=ages.__getitem__)
        sure = [row_id for row_id in rows if row_id not in unsure] if unsure else rows
        errors = [self.errors[row_id] for row_id in sure]
        seen = [when for error in errors if (when := error.created_at or error.processed_at) is not None]
        records = {(local_name(error.object), error.storeconnect_id) for error in errors}
        money = Counter(local for local, _ in records if local in MONEY)
        return Cause(
            key=key,
            fingerprint=made,
            roots=tuple(row_id for row_id in rows if self._roots[row_id] == row_id),
            victims=tuple(row_id for row_id in sure if self._roots[row_id] != row_id),
            guessed=tuple(row_id for row_id in rows if row_id in unsure),
            orders=sum(1 for local, _ in records if local in ORDERS),
            money=sum(money.values()),
            money_records=tuple(sorted(money.items(), key=lambda kind: (-kind[1], kind[0]))),
            first_seen=min(seen, default=None),
            last_seen=max(seen, default=None),
            missing=missing,
            ready=made is READY,
        )


@contextmanager
def no_collecting(rows: int) -> Iterator[None]:
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
