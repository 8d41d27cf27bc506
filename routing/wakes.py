"""Wake the router for a workspace, and see that one cycle runs in it at a time.

A wake sets the workspace's mark in Redis, and puts the workspace on the list that routers take from
only when the mark was not set: a burst of changes costs one entry. Whoever runs the cycle clears
the mark before looking, and looks again when it was set meanwhile. All of this only saves work:
what a lost wake or a lost lock would cost, the beat's sweep and the conditional updates make good.
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

from routing import shared_redis

logger = logging.getLogger(__name__)

_MARK_MS = 1_000  # a mark whose job was lost stops nobody for longer than the sweep takes
_LOCK_SECONDS = 5.0  # as long may a dead runner's lock stand in the way; it is renewed while alive
WOKEN = "cordboard:woken"
_MOST_WOKEN = 10_000  # of more, what came first is left to the sweep
_LONGEST_HELD = 8.0  # seconds after which a cycle counts as hung, and its lock is given up
_LONGEST_RUN = 0.25  # seconds after which a workspace that is woken again queues behind the others


# Both are on the way of every offer, so that each is one question rather than two.
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


def wake(workspace_sid: str) -> None:
    """Have a cycle run in this workspace soon; where that fails, the sweep finds the work."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        keys = [_mark(workspace_sid), WOKEN]
        _script(client, _WAKE)(keys=keys, args=[_MARK_MS, workspace_sid, _MOST_WOKEN])
    except shared_redis.BROKEN as error:
        logger.debug("no wake for %s (%s); the sweep will find its work", workspace_sid, error)


def give_back(workspace_sid: str) -> None:
    """Let another runner have a wake that this one cannot answer."""
    client = shared_redis.client()
    if client is None:
        return
    try:
        client.rpush(WOKEN, workspace_sid)
    except shared_redis.BROKEN as error:
        logger.debug("the wake of %s is lost (%s)", workspace_sid, error)


def turns(workspace_sid: str) -> Generator[None, None, None]:
    """Yield once for each cycle that the caller should run now.

    Yields nothing while another runner's cycle is under way: that runner sees the mark. A workspace
    that is woken without end gives its place up after a while, and queues for the next. While Redis
    is away, nothing says whether another cycle is under way: it yields once, as two do no harm.
    """
    client = shared_redis.client()
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
                wake(workspace_sid)
                return
    except shared_redis.BROKEN as error:
        logger.debug("%s has a cycle without a lock (%s)", workspace_sid, error)
        if not has_run:
            yield


class _CycleLock(Lock):
    """A lock whose taking clears a workspace's mark."""

    mark: str

    def do_acquire(self, token: str) -> bool:
        """Take the lock if it is free."""
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
            logger.info("the cycle of %s outlasted its lock", workspace_sid)


class _Keeper:
    """Renews the locks of this process's cycles, so that a long one is still the only one.

    The locks of a process that has died are not renewed, and give way. So does that of a cycle
    which hangs: were it renewed for ever, no other runner would route in its workspace.
    """

    def __init__(self) -> None:
        self._held: dict[Lock, float] = {}
        """Since when each is held."""
        self._changing = threading.Lock()
        self._some = threading.Event()
        self._thread: threading.Thread | None = None

    def keep(self, lock: Lock) -> None:
        """Renew a lock from now on."""
        with self._changing:
            self._held[lock] = time.monotonic()
            self._some.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="locks", daemon=True)
                self._thread.start()

    def leave(self, lock: Lock) -> None:
        """Renew it no more."""
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
        """Renew all locks, but for those that were held for too long."""
        with self._changing:
            held = dict(self._held)
        for lock, since in held.items():
            # One that is gone already, or whose cycle ended just now, is past keeping; and the
            # thread has to outlive whatever a connection that is lost just now raises.
            with suppress(Exception):
                if now - since < _LONGEST_HELD:
                    lock.reacquire()
                    continue
                self.leave(lock)
                logger.error(
                    "cycle.hung workspace=%s seconds=%.0f: its lock is given up, and other runners"
                    " go on",
                    str(lock.name).rpartition(":")[2],
                    now - since,
                )
                lock.release()


_keeper = _Keeper()


def taken(*, timeout: float = 1) -> str | None:
    """Take the next workspace that was woken; raises what is `shared_redis.BROKEN`.

    Arguments:
        timeout: seconds to wait for one.
    """
    client = shared_redis.client()
    if client is None:
        return None
    found = client.blpop([WOKEN], timeout=timeout)
    if found is None:
        return None
    _, woken = found
    return woken.decode() if isinstance(woken, bytes) else woken


def _mark(workspace_sid: str) -> str:
    return f"cordboard:wake:{workspace_sid}"
