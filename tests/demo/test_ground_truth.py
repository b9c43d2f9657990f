from __future__ import annotations

from typing import Any

from syncerr_tui.demo.event_queue import LOST, EventQueue, QueuedEvent, ground_truth, root_entry
from syncerr_tui.demo.schema_variants import schema_of_variant
from syncerr_tui.demo.store import Store


def ledger_of(*entries: QueuedEvent) -> EventQueue:
    queue = EventQueue(Store(None, schema_of_variant("assumed")))
    for entry in entries:
        queue.put(entry)
    return queue


def later(event_id: str, seq: int) -> QueuedEvent:
    """A later change of the record `r`, refused because an earlier one failed."""
    return QueuedEvent(event_id, seq, "Order", "r", "Update", cause="previous", kind="same record", needs="r")


def links(queue: EventQueue) -> list[Any]:
    listed: Any = ground_truth(queue)["links"]
    return [(link["victim"], link["cause"], link["accepts"]) for link in listed]


def test_later_changes_wait_for_the_first_and_other_earlier_ones_are_no_wrong_answer() -> None:
    first = QueuedEvent("e1", 1, "Order", "r", "Create", cause="flow", code="X")
    queue = ledger_of(first, later("e2", 2), later("e3", 3))
    assert links(queue) == [("e2", "e1", []), ("e3", "e1", ["e2"])]
    assert ground_truth(queue)["causes"] == [{"key": "flow", "code": "X", "events": ["e1"]}]


def test_a_later_change_is_never_the_cause_of_an_earlier_one() -> None:
    lost = QueuedEvent("e0", 1, "Order", "r", "Create", LOST)
    queue = ledger_of(lost, later("e1", 2), later("e2", 3))
    assert links(queue) == [("e2", "e1", [])]
    root = queue.get("e2")
    assert root is not None
    assert root_entry(queue, root).event_id == "e1"


def test_a_child_waits_for_its_parents_first_event_even_if_that_came_later() -> None:
    child = QueuedEvent("e1", 1, "OrderItem", "c", "Create", cause="missing", kind="parent", needs="r")
    parent = QueuedEvent("e2", 2, "Order", "r", "Create", cause="flow")
    assert links(ledger_of(child, parent, later("e3", 3))) == [("e1", "e2", ["e3"]), ("e3", "e2", [])]


def test_what_waits_for_nothing_in_the_list_is_a_root() -> None:
    child = QueuedEvent(
        "e1", 1, "OrderItem", "c", "Create", cause="missing:Order:r", kind="parent", needs="r"
    )
    queue = ledger_of(child)
    assert links(queue) == []
    assert root_entry(queue, child) is child


def test_two_that_wait_for_each_other_do_not_hang() -> None:
    one = QueuedEvent("e1", 1, "Order", "a", "Create", kind="parent", needs="b")
    other = QueuedEvent("e2", 2, "Order", "b", "Create", kind="parent", needs="a")
    queue = ledger_of(one, other)
    assert root_entry(queue, one).event_id in {"e1", "e2"}
