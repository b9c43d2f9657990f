"""How long a new demo world takes: `python -m tests.bench.bench_demo_world [errors ...]`."""

from __future__ import annotations

import sys
import time

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.schema_variants import schema_of_variant
from syncerr_tui.demo.server import ManualClock
from syncerr_tui.demo.store import Store


def main(sizes: list[int]) -> None:
    for errors in sizes:
        began, worked = time.perf_counter(), time.process_time()
        clock = ManualClock()
        org = DemoOrg(
            DemoOptions(errors=errors),
            clock=clock,
            store=Store(None, schema_of_variant("assumed"), clock=clock),
        )
        took, cpu = time.perf_counter() - began, time.process_time() - worked
        print(f"{errors:>7,} errors: {took:6.2f} s, of which {cpu:6.2f} s on a core")
        org.store.close()


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [140, 10_000, 100_000])
