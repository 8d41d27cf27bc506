"""Keep a session of the worker SDK: a websocket that only tells, until its token ends.

What is to be told waits here by its sid alone, so that a session that has just begun, or is slow,
costs next to nothing; one that falls too far behind is closed, and comes back with fresh lists.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from typing import Any, Final

from routing import groups, shared_redis
from routing.bridge import (
    closings,
    doorkeeper,
    frames,
    offline,
    replacements,
    sessions,
    writers,
)
from routing.bridge.order import Order, OutOfStep
from routing.bridge.registry import Holder, in_thread
from routing.core.vocabulary import EventType as E
from routing.sockets import Direct

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 15.0
HOLD_SECONDS: Final = 0.3
"""How long after its lists were read a session is told of nothing: until it is ready."""
LONGEST_HOLD: Final = 5.0
"""After how long without lists a session is told all the same."""
STEP_SECONDS: Final = 3.0
MOST_WAITING: Final = 1_000
MOST_UNREADY: Final = 100
"""How many events that were told to a session without lists are told again once it has them."""
BATCH: Final = 200
FLUSHED: Final = 16_384
"""After how many characters others get their turn."""
MOST_HEARD: Final = 20

REFRESHING: Final = frozenset(
    {E.ACTIVITY_CREATED, E.ACTIVITY_UPDATED, E.TASK_CHANNEL_CREATED, E.TASK_CHANNEL_UPDATED}
)
"""What a session knows from its lists alone: it must read them anew."""
_NAMING: Final = writers.WORKERS | writers.CHANNELS


class SdkConsumer(Direct):
    """One session of a worker."""

    holder: Holder
    spread_seconds = 5.0
    """Over how long the sessions of a workspace are closed that must read their lists anew."""

    async def connect(self) -> None:
        """Let in whoever brings a good token; all others are refused before the handshake."""
        self._is_open = self._is_held = False
        self._joined: list[str] = []
        self._sessions = sessions.here()
        wish = doorkeeper.wish(self.scope)
        admission = await doorkeeper.admitted(wish, self._sessions.registry)
        if admission is None:
            await self.close()
            return
        holder = admission.holder
        self.holder, self._worker_sid = holder, holder.worker_sid
        self._offline_when_gone = wish.offline_when_gone
        self._order = Order()
        self._waiting: deque[str] = deque()
        self._unready: deque[str] = deque(maxlen=MOST_UNREADY)
        self._is_telling = False
        self._heard = 0
        self._begun = now = time.monotonic()
        self._beginning = self._sessions.beginnings.join(holder.digest, now=now)
        self._next_beat = now + HEARTBEAT_SECONDS
        self._hold_until = now + LONGEST_HOLD
        self._looking: asyncio.Task[None] | None = None
        self._close_at: float | None = None
        self._worker_version: int | None = None
        self._stuck_since: float | None = None
        self._sessions.add(self)
        self._is_held = True
        try:
            await self._begin(close_others=wish.close_others)
            if admission.closing:
                await self._tell_others("session.crowded", sessions=list(admission.closing))
        except BaseException:
            self._let_go()
            raise

    async def _begin(self, *, close_others: bool) -> None:
        if self._offline_when_gone:
            self._sessions.registry.watch(self._worker_sid)
            await self._sessions.registry.write_if_possible()
        # Joined before anything is read, so that nothing happens unheard in between.
        self._joined = [
            groups.worker(self._worker_sid),
            groups.sessions(self._worker_sid),
            groups.workspace(self.holder.workspace_sid),
        ]
        for name in self._joined:
            await self.channel_layer.group_add(name, self.channel_name)
        await self.accept()
        self._is_open = True
        await self.send(text_data=self._init())
        if close_others and await in_thread(
            replacements.may_replace, self._worker_sid, self.holder.digest
        ):
            await self._tell_others("session.replaced", by=self.channel_name)

    async def _tell_others(self, kind: str, **said: Any) -> None:
        group = groups.sessions(self._worker_sid)
        await self.channel_layer.group_send(group, {"type": kind, **said})

    def _init(self) -> str:
        left = int((self.holder.expires - time.time()) * 1000)
        payload = {
            "channel_id": self._worker_sid,
            "account_sid": self.holder.account_sid,
            "workspace_sid": self.holder.workspace_sid,
            # At most a day: the SDK's timer overflows at 2**31 milliseconds.
            "token_lifetime": max(left, 0),
        }
        return json.dumps({"event_type": "init", "payload": payload})

    async def disconnect(self, code: int) -> None:
        """Leave; the last session of a worker may take the worker offline."""
        if not self._is_held:
            return
        self._let_go()
        for name in self._joined:
            await self.channel_layer.group_discard(name, self.channel_name)

    def _let_go(self) -> None:
        self._is_open = self._is_held = False
        self._waiting.clear()
        self._sessions.remove(self)
        if self._offline_when_gone:
            self._sessions.start(offline.follow(self._sessions.registry, self._worker_sid))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what a client says, as the SDK never says anything; end one that goes on."""
        self._heard += 1
        if self._heard == 1:
            logger.info("a session of %s speaks, which the SDK does not", self._worker_sid)
        if self._heard > MOST_HEARD:
            await self.end(closings.TALKING, "Requests go by HTTP; this socket only tells")

    # --- What is to be told ----------------------------------------------------------------

    async def routing_event(self, message: dict[str, Any]) -> None:
        """Put an event with what is to be told, or refresh what only lists can tell."""
        if not self._is_open:
            return
        kind = message["event_type"]
        if kind in frames.TOLD:
            self._sessions.loader.hear(message, account_sid=self.holder.account_sid)
            await self._put(message["sid"])
        elif kind in REFRESHING:
            self._looking = self._sessions.start(self._look())
        elif kind == E.WORKSPACE_DELETED or (
            kind == E.WORKER_DELETED and message.get("worker_sid") == self._worker_sid
        ):
            await self.end(closings.GONE, "The worker was deleted")

    async def _look(self) -> None:
        """Have the lists read anew if they have changed; of what is told late they may show all."""
        try:
            edition = await self._sessions.editions.now(self.holder.workspace_sid)
        except Exception:
            logger.exception("a session of %s goes by old lists", self._worker_sid)
            edition = ""
        if edition != self.holder.edition:
            self._resync_soon(closings.LISTS_CHANGED)

    def _resync_soon(self, reason: str) -> None:
        """End this session before long, not at once: there may be thousands like it."""
        if self._close_at is None:
            self._why_close = reason
            self._close_at = time.monotonic() + random.uniform(0.0, self.spread_seconds)  # noqa: S311 - spreads load

    async def _put(self, sid: str) -> None:
        self._waiting.append(sid)
        if len(self._waiting) > MOST_WAITING:
            await self.end(closings.TOO_SLOW, "Too far behind; read everything anew")
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Begin to tell, unless that is going on, or it is too early."""
        if not self._is_telling and self._waiting and time.monotonic() >= self._hold_until:
            self._is_telling = True
            self._sessions.start(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting and self._is_open and time.monotonic() >= self._hold_until:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                sent = 0
                for frame in await self._sessions.loader.load(batch):
                    await self._take(frame)
                    sent += len(frame.text)
                    if sent > FLUSHED:
                        sent = 0
                        await asyncio.sleep(0)
        except OutOfStep:
            await self.end(closings.RESYNC, "Out of step; read everything anew")
        except Exception:
            logger.exception("a session of %s could not be told of events", self._worker_sid)
            await self.end(closings.RESYNC, "Something went wrong; read everything anew")
        finally:
            self._is_telling = False
        self._go_on()

    async def _take(self, frame: frames.Frame) -> None:
        if frame.event_type in _NAMING and self._looking is not None:
            # It may name what the session's lists do not have yet, on which the SDK breaks.
            await asyncio.wait({self._looking})
            if self._close_at is not None:
                await self.end(closings.RESYNC, self._why_close)
        if not self._is_open:
            return
        if not self._order.has_lists:
            self._unready.append(frame.event_sid)
        for told in self._order.take(frame):
            await self.send(text_data=told.text)
        if not self._order.is_waiting():
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = time.monotonic()

    # --- What sessions tell each other -----------------------------------------------------

    async def session_listed(self, message: dict[str, Any]) -> None:
        """Wait until the SDK, which has just read its lists, is ready; then tell what is newer.

        Lists that are read later, or with another token, are another session's: no news to this
        one. Of sessions that began together each waits for the lists of all.
        """
        now = time.monotonic()
        is_late = self._order.has_lists and now - self._begun > LONGEST_HOLD
        if not self._is_open or message["token"] != self.holder.digest or is_late:
            return
        reservations, version = message["reservations"], message["worker_version"]
        if message["follows"]:
            self._order.read_more(reservations)
        else:
            self._order.read_list(reservations, worker_version=version)
            self._beginning.hear(message["notice"])
            # What was told to an SDK that was not ready, it has not heard.
            self._waiting.extendleft(reversed(self._unready))
            self._unready.clear()
        ready = now + HOLD_SECONDS
        self._hold_until = ready if self._beginning.is_over else max(self._hold_until, ready)
        self._sessions.start(self._tell_later())

    async def _tell_later(self) -> None:
        await asyncio.sleep(HOLD_SECONDS)
        self._go_on()

    async def groups_interrupted(self, message: dict[str, Any]) -> None:
        """Have everything read anew: this process was cut off from what is told, and missed it."""
        self._resync_soon(closings.MISSED)

    async def session_replaced(self, message: dict[str, Any]) -> None:
        """Make room for a session that wants to be the only one."""
        if message["by"] != self.channel_name and self._is_open:
            # Before it is closed, as the SDK may be back at once.
            with contextlib.suppress(*shared_redis.BROKEN):
                await in_thread(replacements.note_replaced, self.holder.digest)
            await self.end(closings.REPLACED, "Replaced by a newer session")

    async def session_crowded(self, message: dict[str, Any]) -> None:
        """Make room for a newer session, as one of the oldest of a worker who has too many."""
        if self.holder.session in message["sessions"]:
            await self.end(closings.CROWDED, closings.MADE_ROOM)

    # --- What the clock brings -------------------------------------------------------------

    async def tick(self, now: float) -> None:
        """Beat, and end what has come to its end."""
        if not self._is_open:
            return
        if self.holder.expires <= time.time():
            await self.end(closings.EXPIRED, "The token has expired")
        elif self._close_at is not None and now >= self._close_at:
            await self.end(closings.RESYNC, self._why_close)
        elif self._stuck_since is not None and now - self._stuck_since > STEP_SECONDS:
            self._stuck_since = None
            try:
                for told in self._order.give_up_waiting():
                    await self.send(text_data=told.text)
            except OutOfStep:
                await self.end(closings.RESYNC, "Out of step; read everything anew")
        elif now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_SECONDS
            await self.send(text_data=" ")
        self._go_on()

    async def compare(self, version: int) -> None:
        """Have everything read anew if the worker has had a change for long that did not come.

        Whatever the reason: of what was published nobody says that it arrived.
        """
        known = self._order.worker_version
        owed, self._worker_version = self._worker_version, version
        if self._is_open and known is not None and owed is not None and known < owed:
            logger.warning("a session of %s has missed events", self._worker_sid)
            self._resync_soon(closings.MISSED)

    async def end(self, code: int, reason: str) -> None:
        """Close, and tell nothing more; the SDK comes back by itself while its token is good."""
        if self._is_open:
            self._is_open = False
            self._waiting.clear()
            if code != closings.CROWDED:  # which the registry logs, once
                logger.info("a session of %s is closed: %s", self._worker_sid, reason)
            await self.close(code=code, reason=reason)
