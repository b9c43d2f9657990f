"""10,000 rows by the demo org's own button, over HTTP: the whole run against the calls' own time.

Run by hand: `python -m tests.bench.bench_button [rows] [seconds an answer] [seconds a press]`. The org is a
process of its own, adds the latency to every answer, and takes its time for every press. Printed: how long
the run took, how long its presses took one after the other (never two at once), and the ratio; the same for
all its calls, some of which may be under way together.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from syncerr_tui.journal.places import open_journal
from syncerr_tui.model import SyncError
from syncerr_tui.resync.events import RunEnded
from syncerr_tui.resync.plan import PlanShape, make_plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.resync.runner import Runner
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import connect
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.stopwatch import utc_now

CALLS = ("now", "read_events", "find_records", "request_resync")


class TimedSession:
    """An org session that adds up what each kind of call takes."""

    def __init__(self, session: OrgSession) -> None:
        self._session = session
        self.seconds: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._session, name)
        return self._timed(name, attribute) if name in CALLS else attribute

    def _timed(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def timed(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return await call(*args)
            finally:
                self.seconds[name] += time.perf_counter() - start  # type: ignore[assignment]
                self.calls[name] += 1

        return timed


async def bench(url: str, token: str) -> None:
    session = await connect(*demo_profile(url, token))
    errors: list[SyncError] = [error async for page in session.errors() for error in page]
    org: Any = TimedSession(session)
    plan = make_plan(
        errors,
        org=session.identity,
        method=session.method,
        created_at=utc_now(),
        parents={},
        shape=PlanShape(proof_timeout=60),
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_journal(Path(folder), session.identity.org_id) as journal,
    ):
        start, used = time.perf_counter(), time.process_time()
        counts = None
        async for event in Runner(org, journal, RunRequest(plan)).run():
            counts = event.counts if isinstance(event, RunEnded) else counts
        seconds, used = time.perf_counter() - start, time.process_time() - used
    await session.close()
    assert counts is not None
    assert counts.not_sent < len(errors) / 10, counts
    assert not counts.unknown, counts
    own, presses = sum(org.seconds.values()), org.seconds["request_resync"]
    print(
        f"{len(errors)} rows in {org.calls['request_resync']} presses: {seconds:.1f} s, {used:.1f} s of CPU"
    )
    print(f"  the presses alone {presses:.1f} s = {seconds / presses:.2f}x")
    print(f"  all calls one after the other {own:.1f} s = {seconds / own:.2f}x; {dict(org.calls)}")


def main() -> None:
    rows = sys.argv[1] if len(sys.argv) > 1 else "10000"
    latency = sys.argv[2] if len(sys.argv) > 2 else "0.02"
    press = sys.argv[3] if len(sys.argv) > 3 else "0.3"
    settings: tuple[str, ...] = ("--errors", rows, "--latency", latency, "--processing-delay", "0.2")
    settings += ("--fault", f"latency:{press}:/lwr")
    command = (sys.executable, "-m", "syncerr_tui", "demo", "--serve", "--json", *settings)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            payload = json.loads(server.stdout.readline())
            asyncio.run(bench(payload["instance_url"], payload["access_token"]))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
