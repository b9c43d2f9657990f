from __future__ import annotations

from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.text import clean
from syncerr_tui.ui.cause_lines import MOST_ROWS, Node, Outline, tree_of
from tests.factories import sync_error
from tests.ui.families import DUPLICATE, family


def graph_of_family() -> CauseGraph:
    graph = CauseGraph()
    graph.add(family())
    return graph


def test_the_tree_has_every_error_once_below_what_it_waits_for() -> None:
    graph = graph_of_family()
    cause = graph.causes()[0]
    tree = tree_of(graph, cause)
    assert sorted(node.row or "" for node in tree) == sorted((*cause.roots, *cause.victims))
    above: dict[int, str] = {}
    for node in tree:
        above[node.depth] = node.row or ""
        if node.link is not None:
            assert node.link.cause == above[node.depth - 1]
        else:
            assert node.row in cause.roots


@given(st.sets(st.integers(0, 2)))
def test_places_and_nodes_agree_whatever_is_open(opened: set[int]) -> None:
    graph = graph_of_family()
    causes = graph.causes()
    trees = {causes[number].key: tree_of(graph, causes[number]) for number in opened}
    outline = Outline(causes, trees)
    flat = [
        node
        for number, cause in enumerate(causes)
        for node in (Node(cause), *(trees[cause.key] if number in opened else ()))
    ]
    assert [outline[place] for place in range(len(outline))] == flat
    for place, node in enumerate(flat):
        assert outline.place_of(*node.place) == place


def test_a_giant_cause_is_cut_and_says_how_many_are_left() -> None:
    graph = CauseGraph()
    graph.add(
        sync_error(number, object=clean("Account"), code="DUPLICATES_DETECTED", message=DUPLICATE)
        for number in range(MOST_ROWS + 20)
    )
    tree = tree_of(graph, graph.causes()[0])
    assert len(tree) == MOST_ROWS + 1
    assert tree[-1].rest == 20
    assert tree[-1].row is None


def test_what_is_gone_has_no_place() -> None:
    graph = graph_of_family()
    outline = Outline(graph.causes())
    assert outline.place_of("no such cause", None) is None
    assert outline.place_of(graph.causes()[1].key, "no such row") == 1
