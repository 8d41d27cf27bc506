"""Whoever looks after thousands of sessions keeps nobody else waiting for all of them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from routing.bridge.sessions import in_turn


async def test_others_have_their_turn_while_many_sessions_are_looked_after() -> None:
    everyone: list[Any] = list(range(1_000))
    turns: list[int] = []
    seen: list[int] = []

    async def somebody_else() -> None:
        while len(seen) < len(everyone):
            turns.append(len(seen))
            await asyncio.sleep(0)

    other = asyncio.create_task(somebody_else())
    async for session in in_turn(everyone):
        seen.append(cast(int, session))
    await other
    assert seen == everyone
    assert len(turns) > 10


async def test_who_leaves_meanwhile_disturbs_nobody() -> None:
    everyone: set[Any] = set(range(200))
    async for session in in_turn(everyone):
        everyone.discard(session)
    assert not everyone
