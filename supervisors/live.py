"""Watch floors for the open cockpits of this process: renew pictures, and tell the sockets.

A process joins the group of a floor once, however many sockets watch it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import weakref
from typing import Any, Final, Protocol

from channels.layers import get_channel_layer
from django.utils import timezone

from routing import floor_watches, groups
from routing.core.clock import microseconds
from routing.db.errors import AWAY
from routing.redis import clients
from routing.sockets import run_in_thread
from supervisors import pictures
from supervisors.dirt import Dirt
from supervisors.panels import PANELS
from supervisors.picture import Picture

logger = logging.getLogger(__name__)

PACE: Final = 1.0
"""Shortest time between two renewals, in seconds."""
MANY_SOCKETS: Final = 200
SLOW_PACE: Final = 1.3
"""The same with more than `MANY_SOCKETS`."""
PULSE: Final = 2.0
"""Seconds between two confirmations of the picture."""
SETTLE: Final = 1.5
"""Seconds after the first watch until all couriers publish marks; then everything is read again."""
FIGURES: Final = 2.0
"""Seconds between two readings of the figures, which the bookkeeper and the clock change."""
SAFETY: Final = 60.0
"""Seconds after which everything is read, in case a mark was lost with its process."""
WATCH: Final = 1.0
"""Seconds between two renewals of the watch."""

Frame = dict[str, Any]


class Socket(Protocol):
    """An open cockpit."""

    async def send_frame(self, text: str) -> None:
        """Send a frame; an error concerns this socket only."""

    async def end(self) -> None:
        """Close, as the workspace is gone."""


class Floor:
    """The floor of one workspace, as long as a socket of this event loop watches it."""

    pace, slow_pace, pulse, settle, watch = PACE, SLOW_PACE, PULSE, SETTLE, WATCH

    def __init__(self, workspace_sid: str) -> None:
        self.workspace_sid = workspace_sid
        self.sockets: set[Socket] = set()
        self.picture: Picture | None = None
        self._dirt = Dirt(whole=True)
        self._wake = asyncio.Event()
        self._first = asyncio.Event()
        self._is_joined = False
        self._cut_off = False
        self._read_again_at = time.monotonic() + self.settle
        self._renewed_at = -1e9
        self._figures_at = 0.0
        self._watched_at = -1e9
        self._pulse_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, socket: Socket) -> Picture | None:
        """Add a socket, and return the picture; None if there is no workspace any more."""
        self.sockets.add(socket)
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._hear()),
                asyncio.create_task(self._run()),
            ]
        await self._first.wait()
        return self.picture

    def leave(self, socket: Socket) -> bool:
        """Remove a socket; return whether it was the last one, which ends the watch."""
        self.sockets.discard(socket)
        if self.sockets:
            return False
        for task in self._tasks:
            task.cancel()
        pictures.doubt_picture(self.workspace_sid)
        return True

    async def _hear(self) -> None:
        """Merge the marks of couriers."""
        layer = get_channel_layer()
        channel = await layer.new_channel()
        group = groups.floor_group(self.workspace_sid)
        try:
            while not await self._subscribe(layer, group, channel):
                await asyncio.sleep(self.watch)
            while True:
                message = await layer.receive(channel)
                if message["type"] == "floor.dirty":
                    self._dirt.add_mark(message)
                else:
                    self._doubt()
                self._wake.set()
        finally:
            await layer.group_discard(group, channel)

    async def _subscribe(self, layer: Any, group: str, channel: str) -> bool:
        try:
            await layer.group_add(group, channel)
        except clients.BROKEN as error:
            logger.debug("floor.not_joined workspace=%s (%s)", self.workspace_sid, error)
            return False
        self._is_joined = True
        # What happened before the subscription was missed.
        self._dirt.whole = True
        self._wake.set()
        return True

    def _doubt(self) -> None:
        """Record that marks were missed: nothing is confirmed until everything was read."""
        self._cut_off = True
        self._dirt.whole = True
        pictures.doubt_picture(self.workspace_sid)

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except (*clients.BROKEN, *AWAY) as error:
                logger.debug("floor.not_renewed workspace=%s (%s)", self.workspace_sid, error)
                self._doubt()
                await asyncio.sleep(self.watch)
            except Exception:  # the floor must survive any error, and says that it is stale
                logger.exception("floor.not_renewed workspace=%s", self.workspace_sid)
                self._doubt()
                await asyncio.sleep(self.watch)

    async def _step(self) -> None:
        now = time.monotonic()
        if now >= self._watched_at + self.watch:
            self._watched_at = now
            if not await run_in_thread(lambda: floor_watches.renew_watch(self.workspace_sid)):
                self._read_again_at = now + self.settle
        if now >= self._read_again_at:
            self._read_again_at = now + SAFETY
            self._dirt.whole = True
        if now >= self._figures_at and self._has_figures():
            self._dirt.figures = True
        pace = self.slow_pace if len(self.sockets) > MANY_SOCKETS else self.pace
        if self._dirt and now >= self._renewed_at + pace:
            self._renewed_at = now
            if self._dirt.figures or self._dirt.whole:
                self._figures_at = now + FIGURES
            await self._renew()
        if self.picture is not None and self._is_joined and not self._cut_off:
            pictures.confirm_picture(self.workspace_sid)
            if now >= self._pulse_at:
                self._pulse_at = now + self.pulse
                await self._send({"event": "floor.pulse", "picture": self.picture.number})
        moments = [self._watched_at + self.watch, self._read_again_at, self._pulse_at]
        if self._has_figures():
            moments.append(self._figures_at)
        if self._dirt:
            moments.append(self._renewed_at + pace)
        self._wake.clear()
        if not self._dirt or time.monotonic() < self._renewed_at + pace:
            timeout = max(min(moments) - time.monotonic(), 0.0)
            try:
                await asyncio.wait_for(self._wake.wait(), timeout)
            except TimeoutError:
                return

    def _has_figures(self) -> bool:
        """Return whether anything on the floor can change by time alone."""
        return self.picture is not None and bool(self.picture.recent or self.picture.longest)

    async def _renew(self) -> None:
        dirt, self._dirt = self._dirt, Dirt()
        try:
            renewed = await run_in_thread(lambda: pictures.renew_picture(self.workspace_sid, dirt))
        except BaseException:
            self._dirt.whole = True
            raise
        before, self.picture = self.picture, renewed
        self._first.set()
        if renewed is None:
            for socket in list(self.sockets):
                await socket.end()
            return
        cut_off, self._cut_off = self._cut_off, False
        if before is None:
            return
        if cut_off:
            await self._send({"event": "floor.missed", "stale": sorted(PANELS)})
            return
        stale = list_stale_panels(
            dirt,
            is_new=renewed.number != before.number,
            desks_changed=renewed.unreachable != before.unreachable,
        )
        if stale:
            frame = {"event": "floor.stale", "picture": renewed.number, "stale": stale}
            await self._send(frame | dirt.name_sids())

    async def _send(self, frame: Frame) -> None:
        text = json.dumps(frame | {"at": microseconds(timezone.now()) // 1000})
        for socket in list(self.sockets):
            await socket.send_frame(text)


def list_stale_panels(dirt: Dirt, *, is_new: bool, desks_changed: bool = False) -> list[str]:
    """Return the panels that a renewal has made stale.

    Arguments:
        is_new: whether the picture differs from the one before.
        desks_changed: whether other available workers have no desk open, of which no event tells.
    """
    found = []
    for panel in PANELS.values():
        named = dirt.whole or any(each in dirt.event_types for each in panel.stale_on)
        named |= desks_changed and panel.shows_desks
        if is_new if panel.from_picture else named:
            found.append(panel.name)
    return sorted(found)


class Floors:
    """The floors that sockets of one event loop watch."""

    def __init__(self) -> None:
        self._floors: dict[str, Floor] = {}

    async def join(self, workspace_sid: str, socket: Socket) -> Picture | None:
        """Watch a floor, and return its picture; None if there is no workspace any more."""
        floor = self._floors.get(workspace_sid)
        if floor is None:
            floor = self._floors[workspace_sid] = Floor(workspace_sid)
        return await floor.join(socket)

    def leave(self, workspace_sid: str, socket: Socket) -> None:
        """Stop watching a floor."""
        floor = self._floors.get(workspace_sid)
        if floor is not None and floor.leave(socket):
            del self._floors[workspace_sid]


_of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Floors] = (
    weakref.WeakKeyDictionary()
)


def find_floors() -> Floors:
    """Return the floors of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), Floors())
