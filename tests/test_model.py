"""Sorting many rows while the screen's thread wants to run."""

from __future__ import annotations

import builtins
import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.model import Environment, OrgIdentity, SyncError, sorted_in_parts
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.resync.plan import make_plan
from syncerr_tui.triage.columns import ORDER, ordered
from tests.factories import NOW, sync_error

ORG = OrgIdentity(
    "acme", "00D000000000001AAA", Environment.SANDBOX, "ana@acme.example", "https://acme.example"
)


@given(st.integers(0, 9000), st.integers(1, 9000), st.booleans(), st.integers(0, 99))
@example(9000, 9000, True, 1)
@example(9000, 2, True, 1)
def test_parts_are_in_the_order_that_one_sort_gives(
    count: int, different: int, reverse: bool, seed: int
) -> None:
    randomly = random.Random(seed)
    rows = [(randomly.randrange(different), number) for number in range(count)]
    in_one_go = sorted(rows, key=lambda row: row[0], reverse=reverse)
    assert sorted_in_parts(rows, lambda row: row[0], reverse=reverse) == in_one_go


def linked(rows: list[SyncError]) -> None:
    graph = CauseGraph()
    for at in range(0, len(rows), 2000):
        graph.add(rows[at : at + 2000])
    (cause,) = graph.causes()
    assert cause.roots == tuple(row.id for row in sorted(rows, key=lambda row: row.id))


def planned(rows: list[SyncError]) -> None:
    plan = make_plan(rows, org=ORG, method=MethodInfo("flow", "a flow"), created_at=NOW, parents={})
    assert [row.error.id for row in plan.rows] == [row.id for row in sorted(rows, key=lambda row: row.id)]


def arranged(rows: list[SyncError]) -> None:
    for key in ORDER:
        ordered(rows, key)


@pytest.mark.parametrize("work", [linked, planned, arranged])
def test_rows_in_any_order_are_not_sorted_in_one_go(
    work: Callable[[list[SyncError]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call of `sorted` compares in C: no key is answered before it has ended."""
    rows = [sync_error(number) for number in range(20_000)]
    random.Random(1).shuffle(rows)
    in_one_go: list[int] = []
    by_python = builtins.sorted

    def watched(
        items: Iterable[Any], key: Callable[[Any], Any] = lambda item: item, **named: Any
    ) -> list[Any]:
        given = list(items)
        if any(key(before) > key(after) for before, after in pairwise(given)):
            in_one_go.append(len(given))
        return by_python(given, key=key, **named)

    for module in ("diagnosis.causes", "resync.plan", "triage.columns", "model"):
        monkeypatch.setattr(f"syncerr_tui.{module}.sorted", watched, raising=False)
    work(rows)
    assert max(in_one_go) < 5000
