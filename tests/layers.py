"""The two layers of the suite: what every run does, and what `pytest --thorough` adds to it.

A test asks here for its amounts, so that one place knows whether the run is thorough, and the summary of a
usual run can say what it left out. No kind of trouble is met in the thorough layer alone: each has a sample
in the usual run.
"""

from __future__ import annotations

from typing import TypeVar

import pytest

T = TypeVar("T")
_left_out: set[str] = set()
_thorough = False


def set_thorough(*, thorough: bool) -> None:
    """Choose the layer. `tests/conftest.py` does so before the first test module is imported."""
    global _thorough  # noqa: PLW0603 - the command line decides once for the whole process
    _thorough = thorough


def layered(what: str, usual: T, thorough: T) -> T:
    """The amount for this run: a number, or the cases themselves.

    Args:
        what: What is counted, as the summary of a usual run names it.
        usual: What every run does.
        thorough: What `--thorough` does instead.
    """
    if _thorough:
        return thorough
    sizes = [len(one) if hasattr(one, "__len__") else one for one in (usual, thorough)]
    _left_out.add(f"{what}: {sizes[1]:,} instead of {sizes[0]:,}")
    return usual


def only_thorough(what: str) -> pytest.MarkDecorator:
    """For a test that a usual run leaves out as a whole: one that is slow, or measures time."""
    if not _thorough:
        _left_out.add(what)
    return pytest.mark.skipif(not _thorough, reason=f"{what}: pytest --thorough")


def left_out() -> set[str]:
    """What the test modules imported so far left to the thorough layer."""
    return _left_out
