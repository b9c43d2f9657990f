"""The org that lies: in no drawn world is FIXED wrong, an event sent twice, a row left without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers import layered
from tests.resync.worlds import draw, run_and_check

SEEDS = layered("worlds of an org that lies", 50, 4000)
BLOCK = 25


@pytest.mark.parametrize("block", range(SEEDS // BLOCK))
async def test_promises_hold_in_every_world(tmp_path: Path, block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        try:
            await run_and_check(draw(seed), tmp_path / str(seed))
        except AssertionError as problem:
            raise AssertionError(f"seed {seed}: {problem}") from problem
