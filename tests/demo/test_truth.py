from __future__ import annotations

from typing import Any

from syncerr_tui.demo.ledger import LOST, Entry, Ledger
from syncerr_tui.demo.naming import schema_for
from syncerr_tui.demo.store import Store
from syncerr_tui.demo.truth import root_of, truth


def ledger_of(*entries: Entry) -> Ledger:
    ledger = Ledger(Store(None, schema_for("assumed")))
    for entry in entries:
        ledger.put(entry)
    return ledger


def later(event_id: str, seq: int) -> Entry:
    """A later change of the record `r`, refused because an earlier one failed."""
    return Entry(event_id, seq, "Order", "r", "Update", cause="previous", kind="same record", needs="r")


def links(ledger: Ledger) -> list[Any]:
    found: Any = truth(ledger)["links"]
    return [(link["victim"], link["cause"], link["accepts"]) for link in found]


def test_later_changes_wait_for_the_first_and_other_earlier_ones_are_no_wrong_answer() -> None:
    first = Entry("e1", 1, "Order", "r", "Create", cause="flow", code="X")
    ledger = ledger_of(first, later("e2", 2), later("e3", 3))
    assert links(ledger) == [("e2", "e1", []), ("e3", "e1", ["e2"])]
    assert truth(ledger)["causes"] == [{"key": "flow", "code": "X", "events": ["e1"]}]


def test_a_later_change_is_never_the_cause_of_an_earlier_one() -> None:
    lost = Entry("e0", 1, "Order", "r", "Create", LOST)
    ledger = ledger_of(lost, later("e1", 2), later("e2", 3))
    assert links(ledger) == [("e2", "e1", [])]
    root = ledger.get("e2")
    assert root is not None
    assert root_of(ledger, root).event_id == "e1"


def test_a_child_waits_for_its_parents_first_event_even_if_that_came_later() -> None:
    child = Entry("e1", 1, "OrderItem", "c", "Create", cause="missing", kind="parent", needs="r")
    parent = Entry("e2", 2, "Order", "r", "Create", cause="flow")
    assert links(ledger_of(child, parent, later("e3", 3))) == [("e1", "e2", ["e3"]), ("e3", "e2", [])]


def test_what_waits_for_nothing_in_the_list_is_a_root() -> None:
    child = Entry("e1", 1, "OrderItem", "c", "Create", cause="missing:Order:r", kind="parent", needs="r")
    ledger = ledger_of(child)
    assert links(ledger) == []
    assert root_of(ledger, child) is child


def test_two_that_wait_for_each_other_do_not_hang() -> None:
    one = Entry("e1", 1, "Order", "a", "Create", kind="parent", needs="b")
    other = Entry("e2", 2, "Order", "b", "Create", kind="parent", needs="a")
    ledger = ledger_of(one, other)
    assert root_of(ledger, one).event_id in {"e1", "e2"}
