"""How fast messages are read. By hand: `python -m tests.bench.bench_diagnosis`.

Prints messages a second over all labelled messages at hand, and the slowest of the texts that are hard on
regular expressions, 30,000 characters each.
"""

from __future__ import annotations

import time

from syncerr_tui.diagnosis.read import diagnose
from tests.diagnosis.scoring import CORPUS, OWN, rows_of
from tests.diagnosis.test_any_text import CLUES, HARD

LENGTH = 30_000


def main() -> None:
    rows = [row for path in (OWN, CORPUS) if path.is_file() for row in rows_of(path)]
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < 3:
        for row in rows:
            diagnose(row["message"], row["code"])
        count += len(rows)
    print(f"{count / elapsed:,.0f} messages a second ({len(rows)} different ones)")

    times = []
    for piece in HARD:
        message = CLUES + (piece * LENGTH)[:LENGTH]
        started = time.perf_counter()
        diagnose(message)
        times.append((time.perf_counter() - started, piece))
    for seconds, piece in sorted(times, reverse=True)[:8]:
        print(f"{seconds * 1000:6.1f} ms for {LENGTH:,} characters of {piece!r}")

    message = " ".join(row["message"] for row in rows)
    message = (message * (1_000_000 // len(message) + 1))[:1_000_000]
    started = time.perf_counter()
    diagnose(message)
    print(f"{(time.perf_counter() - started) * 1000:6.1f} ms for one message of a million characters")


if __name__ == "__main__":
    main()
