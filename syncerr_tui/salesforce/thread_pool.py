"""Threads for blocking requests. They are daemons: a request that hangs does not keep the program alive."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from syncerr_tui.errors import UnreachableError

T = TypeVar("T")


class ClosedError(UnreachableError):
    """The connection was closed while, or before, something was asked."""

    def __init__(self) -> None:
        super().__init__("The connection to the org has been closed", "Open it again")


class ThreadPool:
    """At most `size` threads, started when there is work for them.

    Not a `ThreadPoolExecutor`: the interpreter joins that one's threads at exit, which can be two minutes
    for a request that nobody waits for any more.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads = 0
        self._waiting: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, job: Callable[[], T]) -> T:
        """Do one job in a thread. A job whose caller was cancelled before it began is never begun.

        Raises:
            ClosedError: `close` came first.
        """
        if self._closed:
            raise ClosedError
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        if self._threads < min(self._size, len(self._waiting)):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"org-{self._threads}", daemon=True).start()
        self._jobs.put(_Job(future, job))
        return await future

    def close(self) -> None:
        """Stop at once: whoever waits gets a `ClosedError`, threads end when their request does."""
        self._closed = True
        for future in tuple(self._waiting):
            if not future.done():
                future.set_exception(ClosedError())
        for _ in range(self._threads):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.do()


class _Job:
    def __init__(self, future: asyncio.Future[Any], work: Callable[[], Any]) -> None:
        self._future = future
        self._work = work

    def do(self) -> None:
        if self._future.done():
            return
        result, failure = None, None
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - carried over to whoever waits, whatever it is
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._future.get_loop().call_soon_threadsafe(self._deliver, result, failure)

    def _deliver(self, result: object, failure: BaseException | None) -> None:
        if self._future.done():
            return
        if failure is not None:
            self._future.set_exception(failure)
        else:
            self._future.set_result(result)
