"""Everything that a run asks of its journal, in a thread: in order, and what waits together in one commit.

What a promise needs on disk, and when:

- An intent, before its request leaves. Lanes that are ready at the same time share one commit and one wait
  for the disk, and meanwhile the requests and questions of the other senders go on.
- The name of a request in the request log, before it leaves as far as a kill is concerned, and on disk soon
  after: the log speaks only where the database itself is lost, so it waits for the disk while the request is
  under way. What that leaves is a power cut in those milliseconds that takes the database as well.
- An outcome or a verdict: nothing waits for it. It is written in its turn, without a wait for the disk, and
  the next intent takes it along. What a kill or a loss of power takes of it, a look at the org gives back: an
  intent without an outcome is unknown, and is read again before anything of it may be sent.

A thread, because a commit of 200 rows takes longer than a key may: the screen never waits for the disk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from syncerr_tui.errors import MachineError, SyncErrError
from syncerr_tui.journal.journal import Journal

T = TypeVar("T")
_ROWS_A_COMMIT = 200
"""A request of so many rows waits for its own commit only: its lane goes on while the next one's is written,
and from then on one lane's work falls into the others' calls.
"""


class JournalWriter:
    """One run's way to its journal.

    Args:
        journal: The journal.
        failed: Is told of a failure that nobody waits for, in the loop's thread.
    """

    def __init__(self, journal: Journal, failed: Callable[[SyncErrError], None]) -> None:
        self._journal = journal
        self._failed = failed
        self._waiting: deque[tuple[Callable[[], Any], bool, int, Future[Any]]] = deque()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._failure: SyncErrError | None = None

    async def call(self, work: Callable[[], T], *, durable: bool = True, rows: int = 1) -> T:
        """Do it after all that was put before, and wait until it is done.

        Args:
            work: What to do.
            durable: Whether it is on disk then.
            rows: How many lines it writes, about.

        Raises:
            SyncErrError: As the journal finds it; nothing of `work` was written.
        """
        return await asyncio.wrap_future(self._enqueue(work, durable=durable, rows=rows))

    def put(self, work: Callable[[], object], *, durable: bool = False, rows: int = 1) -> None:
        """Have it done in its turn; `failed` is told where it cannot be."""
        loop = asyncio.get_running_loop()

        def tell(problem: BaseException) -> None:
            if not isinstance(problem, SyncErrError):
                raise problem
            self._failure = self._failure or problem
            self._failed(problem)

        def done(future: Future[Any]) -> None:
            problem = future.exception()
            if problem is not None:
                loop.call_soon_threadsafe(tell, problem)

        self._enqueue(work, durable=durable, rows=rows).add_done_callback(done)

    async def settled(self) -> None:
        """Wait until all that was put is written, if not yet on disk.

        Raises:
            SyncErrError: Some of it could not be, now or earlier.
        """
        await self.call(lambda: None, durable=False)
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Wait until everything is written. Nothing can be asked for any more."""
        self._thread.shutdown()

    def _enqueue(self, work: Callable[[], T], *, durable: bool, rows: int) -> Future[T]:
        future: Future[T] = Future()
        self._waiting.append((work, durable, rows, future))
        self._thread.submit(self._work_off)
        return future

    def _work_off(self) -> None:
        """In the thread: all that waits, as one transaction in which each piece stands or falls alone."""
        pieces, rows = [], 0
        while self._waiting and rows < _ROWS_A_COMMIT:
            pieces.append(self._waiting.popleft())
            rows += pieces[-1][2]
        if not pieces:
            return
        ends: list[tuple[Any, Exception | None]] = []
        try:
            with self._journal.one_commit(durable=any(durable for _, durable, *_ in pieces)):
                ends += (_end(work) for work, *_ in pieces)
        except Exception as lost:  # noqa: BLE001 - nothing was written: it is everybody's
            # A full disk may have undone all of it in the middle: then the reason was told there.
            reasons = (reason for _, reason in ends if isinstance(reason, MachineError))
            ends = [(None, next(reasons, lost))] * len(pieces)
        for (*_, future), (result, problem) in zip(pieces, ends, strict=True):
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)
        self._journal.sync_log()
        if not self._waiting:
            self._journal.tidy()


def _end(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return work(), None
    except Exception as problem:  # noqa: BLE001 - whoever asked for it gets it
        return None, problem
