"""A pipe that takes little, for a reader that stands still."""

from __future__ import annotations

import os

import pytest


def small_pipe() -> tuple[int, int]:
    """A pipe with room for one page: where it is read, and where it is written."""
    fcntl = pytest.importorskip("fcntl")
    if not hasattr(fcntl, "F_SETPIPE_SZ"):
        pytest.skip("the room in a pipe cannot be chosen here")
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    return reading, writing
