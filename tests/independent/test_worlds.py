"""A sample of the worlds by chance; `python -m tests.independent.run` lives through many more."""

from __future__ import annotations

from pathlib import Path

from tests.independent.worlds import World
from tests.layers import layered

SEEDS = layered("independent worlds", (9, 31, 97), range(200))


def test_what_is_sent_and_told_in_a_world_by_chance(tmp_path: Path) -> None:
    wrongs = {seed: World(seed, tmp_path / str(seed)).run().wrongs for seed in SEEDS}
    assert {seed: lines for seed, lines in wrongs.items() if lines} == {}
