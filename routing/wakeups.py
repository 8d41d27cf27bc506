"""Wake the router for a workspace, and run one cycle per workspace at a time.

A wake appends the workspace to the list that routers read, unless it was woken already; see
`routing.redis.coalescing`. All of this only saves work: lost wakes are found by the sweep, and
conditional updates make a lost lock harmless.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from typing import Final

from routing.redis import clients
from routing.redis.coalescing import Coalescer

logger = logging.getLogger(__name__)

WOKEN: Final = "cordboard:woken"
LOCK_SECONDS: Final = 5.0
"""Longest time for which the lock of a dead or hung cycle stops its workspace.

It is not renewed: a cycle gives way after a second. If one takes longer than the lock, another
runner may begin a second one, which costs work but does no harm.
"""
LONGEST_RUN_SECONDS: Final = 0.25
"""Time after which a workspace that is woken again goes to the end of the list."""

_wakes: Final = Coalescer(
    "cordboard:wake:",
    lock_prefix="cordboard:cycle:",
    lock_seconds=LOCK_SECONDS,
    list_name=WOKEN,
)


def wake_router(workspace_sid: str) -> None:
    """Request a cycle in this workspace; if that fails, the sweep finds the work."""
    try:
        _wakes.announce(workspace_sid)
    except clients.BROKEN as error:
        logger.debug("wake lost workspace=%s (%s); the sweep finds its work", workspace_sid, error)


def is_woken(workspace_sid: str) -> bool | None:
    """Return whether a wake of this workspace waits for its cycle; None if that is not known."""
    try:
        return _wakes.is_announced(workspace_sid)
    except clients.BROKEN:
        return None


def return_wake(workspace_sid: str) -> None:
    """Return a wake to the list, for another runner."""
    client = clients.client()
    if client is None:
        return
    try:
        client.rpush(WOKEN, workspace_sid)
    except clients.BROKEN as error:
        logger.debug("wake lost workspace=%s (%s)", workspace_sid, error)


def claim_turns(workspace_sid: str) -> Generator[None, None, None]:
    """Yield once for each cycle that the caller must run now.

    Yields nothing while another runner's cycle is in progress, because that runner sees the mark. A
    workspace that is woken all the time gives way after a while, and is appended to the list again.
    While Redis is away, no lock can be taken. The function then yields once, because two concurrent
    cycles do no harm.
    """
    give_up_at = time.monotonic() + LONGEST_RUN_SECONDS
    has_run = False
    try:
        while (token := _wakes.begin(workspace_sid)) is not None:
            has_run = True
            began_at = time.monotonic()
            try:
                yield
            finally:
                is_woken = _finish_cycle(workspace_sid, token, began_at)
            if not is_woken:
                return
            if time.monotonic() >= give_up_at:
                _wakes.clear(workspace_sid)
                wake_router(workspace_sid)
                return
    except clients.BROKEN as error:
        logger.debug("cycle without a lock workspace=%s (%s)", workspace_sid, error)
        if not has_run:
            yield


def _finish_cycle(workspace_sid: str, token: str, began_at: float) -> bool:
    """Release the workspace's lock; return whether it was woken again during the cycle."""
    finish = _wakes.finish(workspace_sid, token)
    seconds = time.monotonic() - began_at
    if not finish.was_locked and seconds >= LOCK_SECONDS:
        logger.error(
            "cycle.hung workspace=%s seconds=%.0f: its lock expired, so other runners went on",
            workspace_sid,
            seconds,
        )
    return finish.is_announced


def take_wake(*, timeout: float = 1) -> str | None:
    """Return the next workspace that was woken, or None; raises `clients.BROKEN`.

    Arguments:
        timeout: how long to wait for one, in seconds.
    """
    client = clients.client()
    if client is None:
        return None
    found = client.blpop([WOKEN], timeout=timeout)
    if found is None:
        return None
    _, woken = found
    return woken.decode() if isinstance(woken, bytes) else woken
