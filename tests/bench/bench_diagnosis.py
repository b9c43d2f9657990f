"""How fast messages are read. By hand: `python -m tests.bench.bench_diagnosis`.

Prints messages a second over all labelled messages at hand, and the slowest of the texts that are hard on
regular expressions, 30,000 characters each. All in processor time, the best
of a few rounds: a busy machine slows the clock more than the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from syncerr_tui.diagnosis.read import diagnose
from tests.diagnosis.scoring import CORPUS, OWN, rows_of
from tests.diagnosis.test_any_text import CLUES, HARD

LENGTH = 30_000


def main() -> None:
    rows = [row for path in (OWN, CORPUS) if path.is_file() for row in rows_of(path)]
    seconds = _best(lambda: [diagnose(row["message"], row["code"]) for row in rows], 12)
    print(f"{len(rows) / seconds:,.0f} messages a second ({len(rows)} different ones)")

    messages = {piece: CLUES + (piece * LENGTH)[:LENGTH] for piece in HARD}
    times = [(_best(partial(diagnose, text), 3), piece) for piece, text in messages.items()]
    for seconds, piece in sorted(times, reverse=True)[:8]:
        print(f"{seconds * 1000:6.1f} ms for {LENGTH:,} characters of {piece!r}")

    message = " ".join(row["message"] for row in rows)
    message = (message * (1_000_000 // len(message) + 1))[:1_000_000]
    print(f"{_best(lambda: diagnose(message), 1) * 1000:6.1f} ms for one message of a million characters")


def _best(work: Callable[[], object], rounds: int) -> float:
    """The least seconds of processor time that some work took."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


if __name__ == "__main__":
    main()
