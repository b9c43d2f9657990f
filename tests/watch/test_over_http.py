"""A watch over a long list of a demo org in a process of its own, over HTTP, while nothing happens there."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from syncerr_tui.model import EventSeen
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import connect
from syncerr_tui.stopwatch import steady_seconds
from syncerr_tui.watch.watcher import Watcher
from tests.layers import layered

ROWS = layered("errors of a watched org", 1_000, 100_000)
LOOKS = layered("looks at it", 40, 1_000)
GROWTH = 3.0
"""Megabytes that a process may gain by chance: a buffer, a page of the allocator."""
ROOT = Path(__file__).parents[2]
_SERVE = """
import sys
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
with DemoServer(DemoOptions(errors=int(sys.argv[1]))) as server:
    print(server.instance_url, server.access_token, flush=True)
    for _ in sys.stdin:
        print(server.calls, flush=True)
"""


class Served:
    """The org's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url, self.token = self._line().split()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    @property
    def calls(self) -> int:
        """API calls that it has answered."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._line())


@pytest.fixture
def served() -> Iterator[Served]:
    command = [sys.executable, "-c", _SERVE, str(ROWS)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Served(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def megabytes() -> float:
    """What this process holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


@pytest.mark.timeout(1800)  # making 100,000 errors takes minutes
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory from /proc")
def test_a_quiet_org_costs_one_small_query_an_interval_and_no_memory(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    """Rows that each look has brought."""

    async def watch() -> None:
        session = await connect(*demo_profile(served.url, served.token))
        try:
            whole = session.changed_since

            async def counted(at: datetime) -> tuple[EventSeen, ...]:
                changed = await whole(at)
                read.append(len(changed))
                return changed

            monkeypatch.setattr(session, "changed_since", counted)
            watcher = Watcher(session, steady_seconds)
            await watcher.look()
            assert len(watcher.errors) == ROWS
            for _ in range(LOOKS // 10):
                assert not await watcher.look()
            calls, held = served.calls, megabytes()
            read.clear()
            for _ in range(LOOKS):
                assert not await watcher.look()
            asked, grown = served.calls - calls, megabytes() - held
            print(f"{ROWS:,} rows, {LOOKS:,} looks: {asked:,} calls, {sum(read)} rows read, {grown:+.1f} MB")
            assert (asked, len(read), sum(read)) == (LOOKS, LOOKS, 0)
            assert grown < GROWTH
        finally:
            await session.close()

    asyncio.run(watch())
