"""The upkeep of thousands of sessions yields the event loop in between."""

from __future__ import annotations

import asyncio
from typing import Any

from routing.sdk.sessions import yield_in_turns


async def test_other_coroutines_run_during_the_upkeep_of_many_sessions() -> None:
    everyone: list[Any] = list(range(1_000))
    finished = asyncio.Event()

    async def another_task() -> int:
        turns = 0
        while not finished.is_set():
            turns += 1
            await asyncio.sleep(0)
        return turns

    other = asyncio.create_task(another_task())
    seen = [session async for session in yield_in_turns(everyone)]
    finished.set()
    assert seen == everyone
    assert await other > 10


async def test_a_session_that_ends_during_the_upkeep_disturbs_no_other() -> None:
    everyone: set[Any] = set(range(200))
    async for session in yield_in_turns(everyone):
        everyone.discard(session)
    assert not everyone
