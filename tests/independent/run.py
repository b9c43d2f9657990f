"""Many worlds: `python -m tests.independent.run --seeds 0-499`.

Prints one line of figures, and a line for everything that is wrong in a seed. Ends with 1 where anything is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.independent.oracle import kinds
from tests.independent.worlds import Outcome, World

_FRESH_EVERY = 50
"""One world in so many is lived through by fresh interpreters."""


def seeds_of(text: str) -> list[int]:
    """`0-499`, `7`, or several with commas."""
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def figures(outcomes: Sequence[Outcome], seconds: float) -> str:
    """One line about many worlds."""
    wrong = Counter[str]()
    verdicts = Counter[str]()
    for one in outcomes:
        wrong += kinds(one.wrongs)
        verdicts += one.verdicts
    sums = {
        name: sum(getattr(one, name) for one in outcomes)
        for name in ("errors", "commands", "requests", "kills", "faults", "sent_again")
    }
    bars = {
        "double sends": wrong["double"],
        "false FIXED": wrong["false FIXED"],
        "rows without an end": wrong["without an end"],
    }
    others = {
        name: number
        for name, number in wrong.items()
        if name not in {"double", "false FIXED", "without an end"}
    }
    return (
        f"{len(outcomes)} worlds, {_listed(sums)}: {_listed(bars)}"
        f"; other wrongs: {_listed(others) or 'none'}; verdicts: {_listed(verdicts)}; {seconds:.0f} s"
    )


def _listed(numbers: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in numbers.items())


def live(seeds: Iterable[int], folder: Path, *, keep: bool = False) -> list[Outcome]:
    """Live through these worlds, and say at once what is wrong."""
    outcomes = []
    for seed in seeds:
        place = folder / str(seed)
        outcome = World(seed, place, fresh=seed % _FRESH_EVERY == _FRESH_EVERY - 1).run()
        outcomes.append(outcome)
        for line in outcome.wrongs:
            print(f"seed {seed}: {line}", flush=True)
        if not keep:
            shutil.rmtree(place)
    return outcomes


def _part(seeds: Sequence[int], folder: Path, *, keep: bool) -> list[Outcome]:
    folder.mkdir()
    return live(seeds, folder, keep=keep)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-499")
    parser.add_argument("--jobs", type=int, default=2, help="worlds at once")
    parser.add_argument("--keep", action="store_true", help="leave the homes and what was said")
    chosen = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="worlds-"))
    seeds = seeds_of(chosen.seeds)
    parts = [seeds[start :: chosen.jobs] for start in range(chosen.jobs) if seeds[start :: chosen.jobs]]
    with ProcessPoolExecutor(len(parts), get_context("spawn")) as pool:
        jobs = [
            pool.submit(_part, some, folder / f"part{n}", keep=chosen.keep) for n, some in enumerate(parts)
        ]
        outcomes = [outcome for job in jobs for outcome in job.result()]
    print(figures(outcomes, time.monotonic() - began))
    if chosen.keep:
        print(f"kept in {folder}")
    else:
        shutil.rmtree(folder)
    return int(any(one.wrongs for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
