"""The app on a made-up org whose run changes the state of 20 visible rows a second: for `bench_bytes`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syncerr_tui.errors import SyncErrError
from syncerr_tui.host.terminal import terminal_profile, textual_environment
from syncerr_tui.journal.attempt import Attempt
from syncerr_tui.model import RowState, Verdict
from syncerr_tui.resync.events import Counts, Progress, RowChanged, RunEvent, RunStarted
from syncerr_tui.resync.plan import Plan
from syncerr_tui.resync.run_state import RunRequest
from syncerr_tui.ui.journals import Journals

RATE = 20
_CYCLE = (
    (RowState.SENT, None),
    (RowState.WAITING, None),
    (RowState.DONE, Verdict.FIXED),
    (RowState.DONE, Verdict.STILL_FAILING),
)


class ChangingRun:
    """Goes round the first rows of the plan and changes one every 50 ms."""

    def __init__(self, plan: Plan) -> None:
        self.failure: SyncErrError | None = None
        self._plan = plan

    async def run(self) -> AsyncIterator[RunEvent]:
        """For ever."""
        yield RunStarted("bench", self._plan, resumed=False)
        visible = [Attempt(row.error) for row in self._plan.rows[:18]]
        counts = Counts(planned=len(self._plan.rows), queued=len(self._plan.rows), waiting=1)
        number = 0
        while True:
            state, verdict = _CYCLE[number // len(visible) % len(_CYCLE)]
            yield RowChanged(state, visible[number % len(visible)].judged(verdict, ""))
            number += 1
            if number % (RATE // 4) == 0:
                counts = replace(counts, queued=max(0, counts.queued - 1), fixed=counts.fixed + 1)
                yield Progress(counts, max(1.0, 120 - number / RATE))
            await asyncio.sleep(1 / RATE)

    def cancel(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def answer(self, *, pressed: bool) -> None: ...


class ChangingRuns(Journals):
    """Makes such runs of any plan."""

    def run(self, request: RunRequest, *_: Any, **__: Any) -> ChangingRun:  # type: ignore[override]
        return ChangingRun(request.plan)


def main() -> None:
    """Run it."""
    terminal = terminal_profile(os.environ)
    os.environ.update(textual_environment(terminal))
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.context import AppContext
    from tests.ui.fakes import FakeConnection, some_errors

    async def connect() -> Any:
        return FakeConnection(some_errors(1000))

    with TemporaryDirectory() as folder:
        SyncErrApp(AppContext(connect, terminal), ChangingRuns(Path(folder))).run(mouse=False)


if __name__ == "__main__":
    main()
