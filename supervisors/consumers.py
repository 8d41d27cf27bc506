"""Websocket of the cockpit: what became stale, and that the rest is still true.

docs/cockpit-websocket.md describes the frames and the close codes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any, Final
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils import timezone

from routing.core.clock import microseconds
from routing.sockets import Bucket, Direct, run_and_log_errors, run_in_thread
from routing.web_sessions import load_session_user
from supervisors import access, live
from supervisors.panels import PANELS

logger = logging.getLogger(__name__)

LOGGED_OUT: Final = 4401
REFUSED: Final = 4403
FLOODING: Final = 4429

PING: Final = "floor.ping"
MOST_CHARACTERS: Final = 1024
"""Maximum characters of a frame from a client."""


class CockpitEnded(Exception):
    """This socket must close: its session has ended, or its user supervises no longer."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class CockpitConsumer(Direct, AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """One open cockpit: a tab of a browser."""

    check_seconds = 30.0
    """Seconds between two checks of the session and the rights."""
    burst, rate, patience = 30, 5.0, 100

    async def connect(self) -> None:
        """Accept a supervisor; close all others with a code that gives the reason."""
        # A browser can read the code only of an accepted connection.
        await self.accept()
        self._check: asyncio.Task[None] | None = None
        self._is_open = False
        self._refused = 0
        self._bucket = Bucket(burst=self.burst, rate=self.rate)
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self._wanted_sid = query.get("workspace", [None])[0]
        self._workspace_sid: str | None = None
        try:
            sid = await run_in_thread(self.find_workspace)
        except CockpitEnded as end:
            await self._close(end.code)
            return
        self._workspace_sid = sid
        picture = await live.find_floors().join(sid, self)
        if picture is None:
            await self._close(REFUSED)
            return
        now = microseconds(timezone.now()) // 1000
        ready = {"event": "floor.ready", "now": now, "at": now, "picture": picture.number}
        self._is_open = True
        await self.send_json(ready | {"stale": sorted(PANELS)})
        self._check = asyncio.create_task(self._check_regularly())

    async def disconnect(self, code: int) -> None:
        """Stop watching."""
        self._is_open = False
        if self._check is not None:
            self._check.cancel()
        if self._workspace_sid is not None:
            live.find_floors().leave(self._workspace_sid, self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer a ping; close a client that sends too much."""
        if not self._is_open:
            return
        if self._bucket.take_token():
            self._refused = 0
            await self.send_json(_answer(text_data))
            return
        self._refused += 1
        if self._refused > self.patience:
            await self._close(FLOODING)

    async def send_frame(self, text: str) -> None:
        """Send a frame to the page, if it is ready for it."""
        if self._is_open:
            await run_and_log_errors(lambda: self.send(text_data=text))

    async def end(self) -> None:
        """Close, as the workspace is gone."""
        await self._close(REFUSED)

    def find_workspace(self) -> str:
        """Return the sid of the workspace by the current session and rows.

        Raises `CockpitEnded`.
        """
        session_key = self.scope["session_key"]
        if session_key is None:
            raise CockpitEnded(LOGGED_OUT)
        user = load_session_user(session_key)
        if not user.is_authenticated:
            raise CockpitEnded(LOGGED_OUT)
        try:
            found = access.find_supervisor(user, self._workspace_sid or self._wanted_sid)
        except (access.NotSupervisor, access.UnknownWorkspace):
            raise CockpitEnded(REFUSED) from None
        return found.workspace.sid

    async def _check_regularly(self) -> None:
        # After a restart all sockets reconnect at once; their checks must not coincide.
        await asyncio.sleep(random.uniform(0.0, self.check_seconds))  # noqa: S311 - spreads load
        while True:
            await run_and_log_errors(self._check_rights)
            await asyncio.sleep(self.check_seconds)

    async def _check_rights(self) -> None:
        try:
            await run_in_thread(self.find_workspace)
        except CockpitEnded as end:
            await self._close(end.code)

    async def _close(self, code: int) -> None:
        """Close, and send nothing more."""
        self._is_open = False
        await self.close(code=code)


def _answer(text: str | None) -> dict[str, Any]:
    """Return the reply to a client's frame."""
    try:
        request = json.loads(text or "") if len(text or "") <= MOST_CHARACTERS else None
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict) or request.get("command") != PING:
        message = f'Send a frame such as {{"id": 1, "command": "{PING}"}}.'
        error = {"reason": "malformed", "message": message}
        return {"reply": None, "ok": False, "error": error}
    id_ = request.get("id")
    known = id_ if isinstance(id_, str | int) and len(str(id_)) <= 64 else None
    return {"reply": known, "ok": True, "now": microseconds(timezone.now()) // 1000}
