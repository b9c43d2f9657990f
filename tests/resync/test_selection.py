from __future__ import annotations

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.resync.selection import causes_missing, support_only
from syncerr_tui.text import clean
from tests.factories import sync_error
from tests.ui.families import family


def graph_of(*errors: object) -> CauseGraph:
    graph = CauseGraph()
    graph.add(errors)  # type: ignore[arg-type]
    return graph


def test_all_that_a_victim_waits_for_comes_along_nearest_first() -> None:
    errors = family()
    graph = graph_of(*errors)
    assert causes_missing(graph, [errors[3]]) == [errors[2], errors[0]]
    assert causes_missing(graph, [errors[3], errors[2]]) == [errors[0]]
    assert causes_missing(graph, [errors[0], errors[7], errors[8]]) == []


def test_a_guess_brings_nothing_along() -> None:
    cart = sync_error(
        1, object=clean("s_c__Cart__c"), code="DUPLICATES_DETECTED", message=clean("Duplicate.")
    )
    unnamed = clean("A parent of this record has failed.")
    item = sync_error(2, object=clean("s_c__Cart_Item__c"), code="INVALID_FIELD", message=unnamed)
    graph = graph_of(cart, item)
    assert [link.cause for link in graph.links_of(item.id)] == [cart.id]
    assert causes_missing(graph, [item]) == []


def test_what_only_support_can_clear_stays_out_with_the_way_to_try_it() -> None:
    text = clean("unable to modify activated order")
    graph = graph_of(sync_error(1, code="FIELD_INTEGRITY_EXCEPTION", message=text), sync_error(2))
    out = support_only(graph, graph.errors.values(), unless="; s sends anyway")
    assert [(left.id, left.reason) for left in out] == [
        (sync_error(1).id, "only StoreConnect support can clear this; s sends anyway")
    ]
