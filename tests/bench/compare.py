"""An older checkout and this one side by side: `python -m tests.bench.compare OLD_CHECKOUT [ROUNDS]`.

Each benchmark runs in both checkouts in turns, each time in a process of its own and with this interpreter;
the table shows the median of the rounds. What is measured by the clock suffers on a busy machine, so the
processor time of the first frame, of a message and of a whole benchmark stands beside it. Run by hand.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parents[2]
MESSAGES = HERE / "tests" / "diagnosis" / "messages.jsonl"
DIAGNOSIS = f"""
import json, time
from syncerr_tui.diagnosis.read import diagnose
rows = [json.loads(line) for line in open({str(MESSAGES)!r}, encoding="utf-8")]
times = []
for _ in range(7):
    started = time.process_time()
    for row in rows:
        diagnose(row["message"], row.get("code"))
    times.append(time.process_time() - started)
print(f"{{min(times) / len(rows) * 1e6:.1f}} microseconds a message")
"""
"""Its own text and not a module, as both checkouts have to read the same messages."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What to run, and the figures to find in what it prints: the less, the better."""

    name: str
    command: tuple[str, ...]
    figures: dict[str, str]

    def run(self, checkout: Path, environ: Mapping[str, str]) -> dict[str, float]:
        """Run it once in a checkout."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, *self.command]
        done = subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(f"{checkout}: {self.name} failed\n{done.stderr}")
        seen = {}
        for name, pattern in self.figures.items():
            figure = re.search(pattern, done.stdout)
            if figure is None:
                raise SystemExit(f"{checkout}: no {name} in\n{done.stdout}")
            seen[name] = float(figure[1].replace(",", ""))
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {**seen, f"all of {self.name}, s of processor time": spent}


BENCHMARKS = [
    Benchmark(
        "bench_start",
        ("-m", "tests.bench.bench_start"),
        {
            "first frame, ms": r"first frame (\d+) ms by the clock",
            "first frame, ms of processor time": r"first frame (\d+) ms of processor time",
            "140 errors on screen, ms": r"on screen after (\d+) ms",
        },
    ),
    Benchmark(
        "bench_bytes",
        ("-m", "tests.bench.bench_bytes"),
        {
            "first frame, bytes at 80x24": r"80x24 true colour: start (\d+)",
            "key in view, bytes at 80x24": r"80x24 true colour: .*in view (\d+)",
            "key that scrolls, bytes at 80x24": r"80x24 true colour: .*scrolling (\d+)",
            "key in the causes, bytes at 80x24": r"80x24 causes: in view (\d+)",
            "20 rows a second changing, bytes a second": r"80x24 20 rows .*: (\d+) bytes a second",
        },
    ),
    Benchmark(
        "bench_table",
        ("-m", "tests.bench.bench_table"),
        {
            "100,000 rows drawn, s": r"ErrorTable: [\d,]+ rows in ([\d.]+) s",
            "100,000 rows, MB": r"ErrorTable: .* s, ([\d,]+) MB more",
            "100,000 rows, ms a key": r"ErrorTable: .* a key ([\d.]+) ms",
        },
    ),
    Benchmark(
        "bench_causes",
        ("-m", "tests.bench.bench_causes"),
        {
            "100,000 errors linked, s": r"at once: linked ([\d.]+) s",
            "100,000 errors grouped, s": r"at once: .* grouped ([\d.]+) s",
        },
    ),
    Benchmark(
        "bench_resync",
        ("-m", "tests.bench.bench_resync"),
        {
            "10,000 re-syncs, 200 a request, s": r"10000 rows, 200 a request: ([\d.]+) s",
            "10,000 re-syncs, 50 a request, s": r"10000 rows, 50 a request: ([\d.]+) s",
            "10,000 re-syncs, s in the journal": r"journal: ([\d.]+) s",
        },
    ),
    Benchmark(
        "diagnosis",
        ("-c", DIAGNOSIS),
        {"diagnosis, microseconds of processor time a message": r"([\d.]+) microseconds a message"},
    ),
]


def main(old: Path, rounds: int) -> None:
    """Run everything and print the table."""
    # Compiled once: a start that compiles measures the compiler.
    with tempfile.TemporaryDirectory() as compiled:
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        measure(old, rounds, {**environ, "PYTHONPYCACHEPREFIX": compiled})


def measure(old: Path, rounds: int, environ: Mapping[str, str]) -> None:
    print(f"| | {old.name} | {HERE.name} | new / old |\n|---|---:|---:|---:|")
    for benchmark in BENCHMARKS:
        figures: dict[Path, dict[str, list[float]]] = {old: defaultdict(list), HERE: defaultdict(list)}
        for _ in range(rounds):
            for checkout, seen in figures.items():
                for name, figure in benchmark.run(checkout, environ).items():
                    seen[name].append(figure)
        for name in figures[old]:
            before, now = (statistics.median(figures[checkout][name]) for checkout in (old, HERE))
            ratio = f"{now / before:.2f}" if before else "-"
            print(f"| {name} | {before:g} | {now:g} | {ratio} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
