"""How long a regular expression may take at worst, read off its structure.

Python's engine tries every way to match. Two loops that can share the same characters multiply, a
loop in a loop explodes. Nothing can stop a search once it runs, so what could be slow is refused before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf
from typing import Any

WORST = 3_000_000
"""Ways to try at most, over all places where a match could begin: some tens of milliseconds."""


def affordable(pattern: str, reach: int) -> bool:
    """Whether searching `reach` characters stays quick for every text.

    Args:
        pattern: A regular expression that compiles.
        reach: How many characters it will be shown at most.
    """
    # The compiler's own parser: the only reader of regular expressions that cannot disagree with it.
    tree = re._parser.parse(pattern)  # type: ignore[attr-defined,unused-ignore]  # noqa: SLF001
    return _ways(tree, reach) * reach <= WORST


def _ways(tree: Iterable[tuple[Any, Any]], reach: int) -> float:
    ways = 1.0
    for operation, argument in tree:
        ways *= _ways_of(str(operation), argument, reach)
    return ways


def _ways_of(operation: str, argument: Any, reach: int) -> float:  # noqa: ANN401 - the parser's own tuples
    if operation in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = argument
        times = min(int(most), reach) - min(int(least), reach) + 1
        if int(most) > 1 and not _single(inner):
            return inf
        return max(times * _ways(inner, reach), 1.0)
    if operation == "BRANCH":
        return sum(_ways(branch, reach) for branch in argument[1])
    if operation in {"SUBPATTERN", "ATOMIC_GROUP"}:
        return _ways(argument[-1] if operation == "SUBPATTERN" else argument, reach)
    if operation in {"ASSERT", "ASSERT_NOT"}:
        return _ways(argument[1], reach)
    return inf if operation in {"GROUPREF", "GROUPREF_EXISTS"} else 1.0


def _single(tree: Iterable[tuple[Any, Any]]) -> bool:
    """One character or class of characters: the only thing that may be repeated."""
    items = list(tree)
    return len(items) == 1 and str(items[0][0]) in {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
