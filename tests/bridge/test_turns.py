"""Whoever looks after thousands of sessions keeps nobody else waiting for all of them."""

from __future__ import annotations

import asyncio
from typing import Any

from routing.bridge.sessions import in_turn


async def test_others_have_their_turn_while_many_sessions_are_looked_after() -> None:
    everyone: list[Any] = list(range(1_000))
    finished = asyncio.Event()

    async def somebody_else() -> int:
        turns = 0
        while not finished.is_set():
            turns += 1
            await asyncio.sleep(0)
        return turns

    other = asyncio.create_task(somebody_else())
    seen = [session async for session in in_turn(everyone)]
    finished.set()
    assert seen == everyone
    assert await other > 10


async def test_who_leaves_meanwhile_disturbs_nobody() -> None:
    everyone: set[Any] = set(range(200))
    async for session in in_turn(everyone):
        everyone.discard(session)
    assert not everyone
