"""Websocket session of the worker SDK: send-only, until its token expires.

Events are queued by sid only, so that a new or slow session costs little memory. A session that
falls too far behind is closed; the SDK reconnects and reads fresh lists.
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

from routing import groups
from routing.core.event_catalog import EventType as E
from routing.redis import clients
from routing.sdk import (
    close_codes,
    desk_grace,
    event_payloads,
    frames,
    replacements,
    sessions,
)
from routing.sdk.admission import admit_session, parse_request
from routing.sdk.registry import Holder, run_in_thread
from routing.sdk.sequencer import OutOfOrder, Sequencer
from routing.sockets import Direct

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 15.0
HOLD_SECONDS: Final = 0.3
"""Seconds for which events are held back after the lists were read, until the SDK is ready."""
LONGEST_HOLD: Final = 5.0
"""Seconds after which events are sent even if the lists were not read."""
STEP_SECONDS: Final = 3.0
MOST_WAITING: Final = 1_000
MOST_UNREADY: Final = 100
"""Number of events sent to a session without lists that are sent again once it has them."""
BATCH: Final = 200
FLUSHED: Final = 16_384
"""Characters after which other tasks of the event loop get a turn."""
MOST_RECEIVED: Final = 20

_NAMING: Final = event_payloads.WORKERS | event_payloads.CHANNELS


class SdkConsumer(Direct):
    """One SDK session of a worker."""

    holder: Holder
    spread_seconds = 5.0
    """Seconds over which the sessions of a workspace are closed when all must read lists again."""

    async def connect(self) -> None:
        """Accept a client with a valid token; refuse all others before the handshake."""
        self._is_open = self._is_held = False
        self._joined: list[str] = []
        self._sessions = sessions.find_sessions()
        request = parse_request(self.scope)
        admission = await admit_session(request, self._sessions.registry)
        if admission is None:
            await self.close()
            return
        holder = admission.holder
        self.holder, self._worker_sid = holder, holder.worker_sid
        self._offline_when_gone = request.offline_when_gone
        self._sequencer = Sequencer()
        self._waiting: deque[str] = deque()
        self._unready: deque[str] = deque(maxlen=MOST_UNREADY)
        self._is_sending = False
        self._received = 0
        self._begun_at = now = time.monotonic()
        self._list_barrier = self._sessions.list_barriers.join(holder.digest, now=now)
        self._next_beat = now + HEARTBEAT_SECONDS
        self._hold_until = now + LONGEST_HOLD
        self._comparison: asyncio.Task[None] | None = None
        self._close_at: float | None = None
        self._worker_version: int | None = None
        self._stuck_since: float | None = None
        self._sessions.add(self)
        self._is_held = True
        try:
            await self._open_session(close_others=request.close_others)
            if admission.closing:
                await self._message_other_sessions(
                    "session.crowded", sessions=list(admission.closing)
                )
        except BaseException:
            self._release_place()
            raise

    async def _open_session(self, *, close_others: bool) -> None:
        if self._offline_when_gone:
            self._sessions.registry.watch(self._worker_sid)
            await self._sessions.registry.try_write_changes()
        # Joined before anything is read, so that no event in between is missed.
        self._joined = [
            groups.worker_group(self._worker_sid),
            groups.sessions_group(self._worker_sid),
            groups.workspace_group(self.holder.workspace_sid),
        ]
        for name in self._joined:
            await self.channel_layer.group_add(name, self.channel_name)
        await self.accept()
        self._is_open = True
        await self.send(text_data=self._build_init_message())
        if close_others and await run_in_thread(
            replacements.may_replace, self._worker_sid, self.holder.digest
        ):
            await self._message_other_sessions("session.replaced", by=self.channel_name)

    async def _message_other_sessions(self, kind: str, **fields: Any) -> None:
        group = groups.sessions_group(self._worker_sid)
        await self.channel_layer.group_send(group, {"type": kind, **fields})

    def _build_init_message(self) -> str:
        left = int((self.holder.expires - time.time()) * 1000)
        payload = {
            "channel_id": self._worker_sid,
            "account_sid": self.holder.account_sid,
            "workspace_sid": self.holder.workspace_sid,
            # At most a day, as the SDK's timer overflows at 2**31 milliseconds.
            "token_lifetime": max(left, 0),
        }
        return json.dumps({"event_type": "init", "payload": payload})

    async def disconnect(self, code: int) -> None:
        """Leave; the last session of a worker may put the worker offline."""
        if not self._is_held:
            return
        self._release_place()
        for name in self._joined:
            await self.channel_layer.group_discard(name, self.channel_name)

    def _release_place(self) -> None:
        self._is_open = self._is_held = False
        self._waiting.clear()
        self._sessions.remove(self)
        if self._offline_when_gone:
            self._sessions.start(
                desk_grace.wait_for_reconnect(self._sessions.registry, self._worker_sid)
            )

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore messages, as the SDK sends none; close the session after too many."""
        self._received += 1
        if self._received == 1:
            logger.info(
                "SDK session of %s sent a message; the protocol is receive-only", self._worker_sid
            )
        if self._received > MOST_RECEIVED:
            await self.end(
                close_codes.TALKING, "This socket is receive-only; send requests by HTTP"
            )

    # --- Events to send --------------------------------------------------------------------

    async def routing_event(self, message: dict[str, Any]) -> None:
        """Queue an event for sending, or handle one that affects the lists or the session."""
        if not self._is_open:
            return
        kind = message["event_type"]
        if kind in event_payloads.PUSHED:
            self._sessions.loader.cache_message(message, account_sid=self.holder.account_sid)
            await self._queue_event(message["sid"])
        elif kind in event_payloads.OUTDATES_LISTS:
            self._comparison = self._sessions.start(self._compare_lists())
        elif kind == E.WORKSPACE_DELETED or (
            kind == E.WORKER_DELETED and message.get("worker_sid") == self._worker_sid
        ):
            await self.end(close_codes.GONE, "The worker was deleted")

    async def _compare_lists(self) -> None:
        """Close the session if its lists are outdated.

        A late event may be included in them already.
        """
        try:
            edition = await self._sessions.list_versions.now(self.holder.workspace_sid)
        except Exception:
            logger.exception("SDK session of %s: its lists could not be compared", self._worker_sid)
            edition = ""
        if edition != self.holder.edition:
            self._resync_soon(close_codes.LISTS_CHANGED)

    def _resync_soon(self, reason: str) -> None:
        """Close this session soon, at a random moment, as thousands may have to reconnect."""
        if self._close_at is None:
            self._why_close = reason
            self._close_at = time.monotonic() + random.uniform(0.0, self.spread_seconds)  # noqa: S311 - spreads load

    async def _queue_event(self, sid: str) -> None:
        self._waiting.append(sid)
        if len(self._waiting) > MOST_WAITING:
            await self.end(close_codes.TOO_SLOW, "Too far behind; read all lists again")
        else:
            self._send_soon()

    def _send_soon(self) -> None:
        """Start sending, unless it is under way or events are held back."""
        if not self._is_sending and self._waiting and time.monotonic() >= self._hold_until:
            self._is_sending = True
            self._sessions.start(self._send_waiting())

    async def _send_waiting(self) -> None:
        try:
            while self._waiting and self._is_open and time.monotonic() >= self._hold_until:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                sent = 0
                for frame in await self._sessions.loader.load(batch):
                    await self._send_frame(frame)
                    sent += len(frame.text)
                    if sent > FLUSHED:
                        sent = 0
                        await asyncio.sleep(0)
        except OutOfOrder:
            await self.end(close_codes.RESYNC, "Events out of order; read all lists again")
        except Exception:
            logger.exception("SDK session of %s: events could not be sent", self._worker_sid)
            await self.end(close_codes.RESYNC, "Server error; read all lists again")
        finally:
            self._is_sending = False
        self._send_soon()

    async def _send_frame(self, frame: frames.Frame) -> None:
        if frame.event_type in _NAMING and self._comparison is not None:
            # It may name a row that is missing in the session's lists, which breaks the SDK.
            await asyncio.wait({self._comparison})
            if self._close_at is not None:
                await self.end(close_codes.RESYNC, self._why_close)
        if not self._is_open:
            return
        if not self._sequencer.has_lists:
            self._unready.append(frame.event_sid)
        for ready in self._sequencer.add_frame(frame):
            await self.send(text_data=ready.text)
        if not self._sequencer.is_waiting():
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = time.monotonic()

    # --- Messages between sessions ---------------------------------------------------------

    async def session_listed(self, message: dict[str, Any]) -> None:
        """Hold events until the SDK, which has just read its lists, is ready; then send newer ones.

        Lists that are read later, or with another token, belong to another session and are ignored.
        Sessions that started together each wait for the lists of all of them.
        """
        now = time.monotonic()
        is_late = self._sequencer.has_lists and now - self._begun_at > LONGEST_HOLD
        if not self._is_open or message["token"] != self.holder.digest or is_late:
            return
        reservations, version = message["reservations"], message["worker_version"]
        if message["follows"]:
            self._sequencer.record_page(reservations)
        else:
            self._sequencer.record_list(reservations, worker_version=version)
            self._list_barrier.count_read(message["notice"])
            # The SDK was not ready, so it ignored what was sent before.
            self._waiting.extendleft(reversed(self._unready))
            self._unready.clear()
        ready = now + HOLD_SECONDS
        self._hold_until = ready if self._list_barrier.is_over else max(self._hold_until, ready)
        self._sessions.start(self._send_after_hold())

    async def _send_after_hold(self) -> None:
        await asyncio.sleep(HOLD_SECONDS)
        self._send_soon()

    async def groups_interrupted(self, message: dict[str, Any]) -> None:
        """Close the session, as this process lost its subscription and missed events."""
        self._resync_soon(close_codes.MISSED)

    async def session_replaced(self, message: dict[str, Any]) -> None:
        """Close this session for one that wants to be the only one."""
        if message["by"] != self.channel_name and self._is_open:
            # Recorded before the close, as the SDK may reconnect at once.
            with contextlib.suppress(*clients.BROKEN):
                await run_in_thread(replacements.record_replaced, self.holder.digest)
            await self.end(close_codes.REPLACED, "Replaced by a newer session")

    async def session_crowded(self, message: dict[str, Any]) -> None:
        """Close this session, one of the worker's oldest, as the worker has too many."""
        if self.holder.session in message["sessions"]:
            await self.end(close_codes.CROWDED, close_codes.MADE_ROOM)

    # --- Timers ----------------------------------------------------------------------------

    async def tick(self, now: float) -> None:
        """Send heartbeats, and close what has expired."""
        if not self._is_open:
            return
        if self.holder.expires <= time.time():
            await self.end(close_codes.EXPIRED, "The token has expired")
        elif self._close_at is not None and now >= self._close_at:
            await self.end(close_codes.RESYNC, self._why_close)
        elif self._stuck_since is not None and now - self._stuck_since > STEP_SECONDS:
            self._stuck_since = None
            try:
                for ready in self._sequencer.release_ends():
                    await self.send(text_data=ready.text)
            except OutOfOrder:
                await self.end(close_codes.RESYNC, "Events out of order; read all lists again")
        elif now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_SECONDS
            await self.send(text_data=" ")
        self._send_soon()

    async def compare(self, version: int) -> None:
        """Close the session if the worker has had a newer version for long, as events were missed.

        The reason does not matter: publishing is not acknowledged.
        """
        known = self._sequencer.worker_version
        owed, self._worker_version = self._worker_version, version
        if self._is_open and known is not None and owed is not None and known < owed:
            logger.warning("SDK session of %s has missed events", self._worker_sid)
            self._resync_soon(close_codes.MISSED)

    async def end(self, code: int, reason: str) -> None:
        """Close and send nothing more; the SDK reconnects while its token is valid."""
        if self._is_open:
            self._is_open = False
            self._waiting.clear()
            if code != close_codes.CROWDED:  # which the registry logs, once
                logger.info("SDK session of %s is closed: %s", self._worker_sid, reason)
            await self.close(code=code, reason=reason)
