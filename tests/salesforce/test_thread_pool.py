"""Threads that never keep anybody waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from syncerr_tui.salesforce.concurrency import ClosedError, ThreadPool


async def test_results_and_failures_come_back() -> None:
    workers = ThreadPool(2)

    def fail() -> None:
        raise KeyError("x")

    assert await workers.run(lambda: 41 + 1) == 42
    with pytest.raises(KeyError):
        await workers.run(fail)
    workers.close()


async def test_no_more_threads_than_allowed_and_none_without_work() -> None:
    before = threading.active_count()
    workers = ThreadPool(3)
    assert threading.active_count() == before
    names = await asyncio.gather(*(workers.run(lambda: threading.current_thread().name) for _ in range(50)))
    assert 1 <= len(set(names)) <= 3
    workers.close()


async def test_closing_does_not_wait_for_a_job_that_hangs() -> None:
    workers = ThreadPool(1)
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(30)

    waiting = asyncio.create_task(workers.run(hang))
    await asyncio.to_thread(begun.wait, 5)
    workers.close()
    with pytest.raises(ClosedError):
        await asyncio.wait_for(waiting, 5)
    with pytest.raises(ClosedError):
        await workers.run(lambda: 1)
    release.set()


async def test_a_job_cancelled_before_its_turn_is_never_begun() -> None:
    workers = ThreadPool(1)
    begun, release = threading.Event(), threading.Event()
    done: list[str] = []

    def hang() -> None:
        begun.set()
        release.wait(30)

    first = asyncio.create_task(workers.run(hang))
    await asyncio.to_thread(begun.wait, 5)
    second = asyncio.create_task(workers.run(lambda: done.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    await first
    await workers.run(lambda: done.append("third"))
    assert done == ["third"]
    workers.close()


def test_a_loop_that_is_gone_hurts_nobody() -> None:
    workers = ThreadPool(1)
    begun, release, ended = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(30)
        ended.set()

    async def leave() -> None:
        task = asyncio.create_task(workers.run(hang))
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()

    asyncio.run(leave())
    release.set()
    assert ended.wait(5)


async def test_who_is_cancelled_just_as_the_answer_is_handed_over_leaves_no_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As ctrl-c does it: Python runs its handler between any two steps of the loop's thread."""

    class Interrupted(asyncio.Future[str]):
        def set_result(self, result: str, /) -> None:
            self.cancel()
            super().set_result(result)

    loop = asyncio.get_running_loop()
    defects: list[object] = []
    loop.set_exception_handler(lambda _, context: defects.append(context))
    monkeypatch.setattr(loop, "create_future", lambda: Interrupted(loop=loop))
    with pytest.raises(asyncio.CancelledError):
        await ThreadPool(1).run(lambda: "too late")
    assert defects == []
