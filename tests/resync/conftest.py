"""A clock that moves where the engine waits, and a journal that goes by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncerr_tui.journal.journal import Journal
from tests.resync.driving import open_journal
from tests.resync.lying_org import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def journal(tmp_path: Path, time: Time) -> Journal:
    return open_journal(tmp_path, time)
