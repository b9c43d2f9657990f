"""Causes with some of them opened: which thing stands in which place. Only opened trees cost anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause, CauseGraph, Link

MOST_ROWS = 500
"""Errors that an opened cause shows; the Errors list can show all of them."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the tree: a cause, or an error below it."""

    cause: Cause
    row: str | None = None
    """The error; None for the cause itself, and for the line that counts the rest."""
    depth: int = 0
    link: Link | None = None
    """Why this error waits for the one above it; None where it fails for the reason itself."""
    rest: int = 0
    """Errors that this line stands for and that are not shown one by one."""

    @property
    def is_cause(self) -> bool:
        """Whether this is the cause itself."""
        return self.row is None and not self.rest

    @property
    def place(self) -> tuple[str, str | None]:
        """What stays the same when the list changes."""
        return (self.cause.key, self.row)


class Outline:
    """Causes in their order, each with the tree below it where it is open."""

    def __init__(
        self, causes: tuple[Cause, ...] = (), trees: Mapping[str, tuple[Node, ...]] | None = None
    ) -> None:
        self.causes = causes
        self._index = {cause.key: number for number, cause in enumerate(causes)}
        self._open = sorted(
            (self._index[key], tree) for key, tree in (trees or {}).items() if key in self._index
        )

    def __len__(self) -> int:
        return len(self.causes) + sum(len(tree) for _, tree in self._open)

    def __getitem__(self, place: int) -> Node:
        before = 0
        for number, tree in self._open:
            at = number + before
            if place <= at:
                break
            if place <= at + len(tree):
                return tree[place - at - 1]
            before += len(tree)
        return Node(self.causes[place - before])

    def place_of_cause(self, key: str) -> int | None:
        """Where this cause stands."""
        number = self._index.get(key)
        if number is None:
            return None
        return number + sum(len(tree) for before, tree in self._open if before < number)

    def place_of(self, key: str, row: str | None) -> int | None:
        """Where this error stands below its cause; the cause where it is closed; None where it is gone."""
        at = self.place_of_cause(key)
        if at is None or row is None:
            return at
        tree = next((tree for number, tree in self._open if number == self._index[key]), ())
        return next((at + 1 + step for step, node in enumerate(tree) if node.row == row), at)


def tree_of(graph: CauseGraph, cause: Cause) -> tuple[Node, ...]:
    """The errors of a cause as a tree: roots oldest first, below each what waits for it."""
    nodes: list[Node] = []
    shown: set[str] = set()
    for node in _walk(graph, cause):
        if node.row is None or node.row in shown:
            continue
        if len(nodes) == MOST_ROWS:
            break
        shown.add(node.row)
        nodes.append(node)
    total = len(cause.roots) + len(cause.victims) + len(cause.guessed)
    if total > len(nodes):
        nodes.append(Node(cause, depth=1, rest=total - len(nodes)))
    return tuple(nodes)


def _walk(graph: CauseGraph, cause: Cause) -> Iterator[Node]:
    for root in cause.roots:
        waiting = [Node(cause, root, 1)]
        seen: set[str] = set()
        while waiting:
            node = waiting.pop()
            if node.row is None or node.row in seen:
                continue
            seen.add(node.row)
            yield node
            waiting += [
                Node(cause, link.victim, node.depth + 1, link)
                for link in reversed(graph.waiting_for(node.row))
            ]
