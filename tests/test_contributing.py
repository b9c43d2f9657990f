"""CONTRIBUTING.md names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_file_that_it_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.]+/)+[\w.]*|\w+\.(?:py|toml|tsv))`", text))
    assert len(named) > 30
    assert [name for name in sorted(named) if not _there(name)] == []


def _there(name: str) -> bool:
    return (ROOT / name).exists() or any((ROOT / "syncerr_tui").rglob(name.rstrip("/")))
