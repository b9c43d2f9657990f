"""What a headline over several errors may name: what all of them have, and nothing of one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations

import pytest

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.explanation import headline_of
from syncerr_tui.model import SyncError
from syncerr_tui.text import clean
from syncerr_tui.ui import cause_words
from tests.diagnosis.scoring import CORPUS, FRESH, OWN, SEARCHED, Row, rows_of
from tests.factories import sync_error
from tests.layers import layered

APART = layered("distances of two messages of one code", (1,), (1, 2, 5))


def rows() -> list[Row]:
    return [row for path in (OWN, SEARCHED, CORPUS, FRESH) if path.is_file() for row in rows_of(path)]


def named_by(row: Row) -> Iterator[str]:
    for key in ("record_ids", "external_ids", "values"):
        yield from row[key]
    yield from (thing["name"] for thing in row["automation"])
    if row["error_id"]:
        yield row["error_id"]


def headline_over(*messages: tuple[str | None, str]) -> str:
    errors = (
        sync_error(n, code=code, message=clean(message)) for n, (code, message) in enumerate(messages, 1)
    )
    return headline_of(tuple(errors))


def test_two_errors_of_one_code_name_nothing_that_only_one_has() -> None:
    by_code = defaultdict(list)
    for row in rows():
        by_code[row["root_code"]].append(row)
    looked_at = 0
    near = (zip(alike, alike[apart:], strict=False) for alike in by_code.values() for apart in APART)
    for first, second in (two for pairs in near for pair in pairs for two in permutations(pair)):
        headline = headline_over(*((row.get("code"), row["message"]) for row in (first, second)))
        assert headline, (first["id"], second["id"])
        for name in {*named_by(first), *named_by(second)}:
            if len(name) > 3 and not (name in first["message"] and name in second["message"]):
                looked_at += 1
                assert name not in headline, (first["id"], second["id"])
    assert looked_at > 1000


def other(name: str) -> str:
    """Another name of the same form."""
    turned = name[:3] + name[:2:-1]
    return turned if turned != name else name + "q"


def test_one_message_with_other_ids_and_values_names_neither() -> None:
    """The errors of one cause, as a rule: what varies is an id or a value."""
    looked_at = 0
    for row in rows():
        names = {name for key in ("record_ids", "external_ids", "values") for name in row[key]}
        message = row["message"]
        for name in sorted(names - {*row["fields"]}, key=len, reverse=True):
            message = message.replace(name, other(name))
        headline = headline_over((row.get("code"), row["message"]), (row.get("code"), message))
        for name in names:
            if len(name) > 3 and name in row["message"] and name not in message:
                looked_at += 1
                assert name not in headline, (row["id"], headline)
    assert looked_at > 100


@pytest.mark.parametrize("odd", range(40))
def test_one_error_of_many_that_names_another_record_is_enough(odd: int) -> None:
    lock = "unable to obtain exclusive access to this record: 001De00000000{}IAA"
    graph = CauseGraph()
    graph.add(
        sync_error(n, code="UNABLE_TO_LOCK_ROW", message=clean(lock.format("0i" if n == odd else "06")))
        for n in range(40)
    )
    (cause,) = graph.causes()
    assert "001De" not in cause_words.headline(graph.errors, cause, {})


class Counted(dict[str, SyncError]):
    """Counts how many of its rows are looked at."""

    looked_at = 0

    def __getitem__(self, row: str) -> SyncError:
        self.looked_at += 1
        return super().__getitem__(row)


def test_a_headline_over_many_is_told_from_a_few_of_them_also_while_some_leave() -> None:
    lock = "unable to obtain exclusive access to this record: 001De00000000{}IAA"
    graph = CauseGraph()
    graph.add(
        sync_error(n, code="UNABLE_TO_LOCK_ROW", message=clean(lock.format("0i" if n == 1717 else "06")))
        for n in range(3000)
    )
    (cause,) = graph.causes()
    listed = Counted(graph.errors)
    headline = cause_words.headline(listed, cause, {})
    assert "001De" not in headline
    assert listed.looked_at < 100
    for left in (cause.roots[0], cause.roots[1717]):
        del listed[left]
        assert ("001De" in cause_words.headline(listed, cause, {})) is (cause.roots[1717] not in listed)
    assert cause_words.headline({}, cause, {}) == "Left the list"
