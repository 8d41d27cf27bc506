"""Wake the router for a workspace, and run one cycle per workspace at a time.

A wake sets the workspace's mark in Redis. Only if the mark was not set, it also appends the
workspace to the list that routers read, so a burst of changes costs one entry. A runner clears the
mark before its cycle, and repeats the cycle if the mark was set again. All of this only saves work:
lost wakes are found by the sweep, and conditional updates make a lost lock harmless.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import redis
from redis.commands.core import Script
from redis.lock import Lock

from routing.redis import clients

logger = logging.getLogger(__name__)

_MARK_MS = 1_000  # a mark whose wake was lost blocks no longer than one sweep takes
_LOCK_SECONDS = 5.0  # longest time that a dead runner's lock blocks; live runners renew theirs
WOKEN = "cordboard:woken"
_MOST_WOKEN = 10_000  # length limit of the list; the oldest entries are left to the sweep
_LONGEST_HELD = 8.0  # seconds after which a cycle counts as hung, and its lock is released
_LONGEST_RUN = 0.25  # seconds after which a workspace that is woken again goes to the end


# Both run for every offer, so each is a script and takes one round trip instead of two.
_WAKE = """
    if redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) then
        redis.call('RPUSH', KEYS[2], ARGV[2])
        redis.call('LTRIM', KEYS[2], -ARGV[3], -1)
    end
"""
_BEGIN = """
    if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
        redis.call('DEL', KEYS[2])
        return 1
    end
    return 0
"""


@functools.lru_cache(maxsize=8)
def _script(client: redis.Redis, text: str) -> Script:
    return client.register_script(text)


def wake_router(workspace_sid: str) -> None:
    """Request a cycle in this workspace; if that fails, the sweep finds the work."""
    client = clients.client()
    if client is None:
        return
    try:
        keys = [_mark(workspace_sid), WOKEN]
        _script(client, _WAKE)(keys=keys, args=[_MARK_MS, workspace_sid, _MOST_WOKEN])
    except clients.BROKEN as error:
        logger.debug("wake lost workspace=%s (%s); the sweep finds its work", workspace_sid, error)


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
    client = clients.client()
    if client is None:
        yield
        return
    give_up_at = time.monotonic() + _LONGEST_RUN
    has_run = False
    try:
        while True:
            with _sole_runner(client, workspace_sid) as alone:
                if not alone:
                    return
                has_run = True
                yield
            if not client.exists(_mark(workspace_sid)):
                return
            if time.monotonic() >= give_up_at:
                client.delete(_mark(workspace_sid))
                wake_router(workspace_sid)
                return
    except clients.BROKEN as error:
        logger.debug("cycle without a lock workspace=%s (%s)", workspace_sid, error)
        if not has_run:
            yield


class _CycleLock(Lock):
    """A lock that clears a workspace's mark when it is acquired."""

    mark: str

    def do_acquire(self, token: str) -> bool:
        """Acquire the lock if it is free; return whether it was."""
        begin = _script(self.redis, _BEGIN)
        keys = [self.name, self.mark]
        return bool(begin(keys=keys, args=[token, int(_LOCK_SECONDS * 1000)]))


@contextmanager
def _sole_runner(client: redis.Redis, workspace_sid: str) -> Iterator[bool]:
    lock = _CycleLock(
        client,
        f"cordboard:cycle:{workspace_sid}",
        timeout=_LOCK_SECONDS,
        blocking=False,
        thread_local=False,
    )
    lock.mark = _mark(workspace_sid)
    if not lock.acquire():
        yield False
        return
    _keeper.keep(lock)
    try:
        yield True
    finally:
        _keeper.leave(lock)
        try:
            lock.release()
        except redis.exceptions.LockError:
            logger.info("cycle outlasted its lock workspace=%s", workspace_sid)


class _Keeper:
    """A thread that renews the locks of this process's cycles, so that long cycles stay alone.

    Locks of a dead process are not renewed, and expire. The lock of a hung cycle is released after
    a while. If it were renewed forever, no other runner would route in its workspace.
    """

    def __init__(self) -> None:
        self._held: dict[Lock, float] = {}
        """When each lock was acquired."""
        self._changing = threading.Lock()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def keep(self, lock: Lock) -> None:
        """Start renewing a lock."""
        with self._changing:
            self._held[lock] = time.monotonic()
            self._some.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="locks", daemon=True)
                self._thread.start()

    def leave(self, lock: Lock) -> None:
        """Stop renewing a lock."""
        with self._changing:
            self._held.pop(lock, None)
            if not self._held:
                self._some.clear()

    def _run(self) -> None:
        while True:
            self._some.wait()
            time.sleep(_LOCK_SECONDS / 4)
            self.renew(now=time.monotonic())

    def renew(self, *, now: float) -> None:
        """Renew all locks, but release those that were held for too long."""
        with self._changing:
            held = dict(self._held)
        for lock, since in held.items():
            # A lock may have expired, or its cycle may have ended just now. The thread must survive
            # every error of a lost connection.
            with suppress(Exception):
                if now - since < _LONGEST_HELD:
                    lock.reacquire()
                    continue
                self.leave(lock)
                logger.error(
                    "cycle.hung workspace=%s seconds=%.0f: its lock is released for other runners",
                    str(lock.name).rpartition(":")[2],
                    now - since,
                )
                lock.release()


_keeper = _Keeper()


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


def _mark(workspace_sid: str) -> str:
    return f"cordboard:wake:{workspace_sid}"
