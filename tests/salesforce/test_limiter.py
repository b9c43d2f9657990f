"""Fewer requests at once when the org is in trouble, slowly more when it is well."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.salesforce.concurrency import AdaptiveLimiter


async def some(pace: AdaptiveLimiter, outcome: str) -> None:
    async with pace.permit() as era:
        pace.on_error(era) if outcome == "trouble" else pace.on_success()


async def test_trouble_halves_and_good_answers_bring_lanes_back_one_by_one() -> None:
    pace = AdaptiveLimiter(8)
    limits = []
    for _ in range(5):
        await some(pace, "trouble")
        limits.append(pace.limit)
    assert limits == [4, 2, 1, 1, 1]
    await asyncio.gather(*(some(pace, "well") for _ in range(8)))
    assert pace.limit == 2
    for _ in range(200):
        await some(pace, "well")
    assert pace.limit == 7
    for _ in range(200):
        await some(pace, "well")
    assert pace.limit == 8


async def test_five_refusals_of_one_moment_are_one_piece_of_news() -> None:
    pace = AdaptiveLimiter(8)
    gate = asyncio.Event()

    async def refused() -> None:
        async with pace.permit() as era:
            await gate.wait()
            pace.on_error(era)

    under_way = [asyncio.create_task(refused()) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*under_way)
    assert pace.limit == 4


async def test_never_more_than_the_limit_and_first_come_first_served() -> None:
    pace = AdaptiveLimiter(3)
    inside, most, order = 0, 0, []

    async def one(number: int) -> None:
        nonlocal inside, most
        async with pace.permit():
            inside += 1
            most = max(most, inside)
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(number) for number in range(20)))
    assert most == 3
    assert order == sorted(order)


async def test_who_is_cancelled_while_waiting_takes_no_place() -> None:
    pace = AdaptiveLimiter(1)
    async with pace.permit():
        waiting = [asyncio.create_task(some(pace, "well")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        waiting[1].cancel()
        await asyncio.sleep(0)
    await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    await asyncio.wait_for(some(pace, "well"), 5)


async def test_a_place_given_in_the_moment_of_cancelling_is_given_back() -> None:
    pace = AdaptiveLimiter(1)
    first = pace.permit()
    await first.__aenter__()
    second = asyncio.create_task(some(pace, "well"))
    await asyncio.sleep(0)
    await first.__aexit__(None, None, None)  # the place is second's now, and second has not woken yet
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await asyncio.wait_for(some(pace, "well"), 5)


@given(st.integers(1, 6), st.lists(st.sampled_from(["trouble", "well"]), max_size=120))
def test_the_limit_stays_between_one_and_most(most: int, outcomes: list[str]) -> None:
    async def run() -> None:
        pace = AdaptiveLimiter(most)
        for outcome in outcomes:
            await some(pace, outcome)
            assert 1 <= pace.limit <= most

    asyncio.run(run())


def test_a_pace_without_lanes_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lane"):
        AdaptiveLimiter(0)
