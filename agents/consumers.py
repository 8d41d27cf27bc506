"""Websocket of an agent's desk: push updates and run commands.

docs/websocket.md describes the frames and the close codes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.utils import timezone, translation
from django.utils.translation import gettext

from agents import access, calling, commands, desk_checks, frames, served_queues
from agents.access import Agent
from agents.arguments import CommandRefused
from agents.dashboard import Panel
from agents.desk_checks import DeskKey, DeskState
from routing import groups, languages, models, request_ids
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ResourceType
from routing.sdk import lease_renewal
from routing.sockets import Bucket, Direct, Work, run_and_log_errors, run_in_thread
from routing.web_sessions import find_user_id

logger = logging.getLogger(__name__)

LOGGED_OUT: Final = 4401
NO_DESK: Final = 4403
FLOODING: Final = 4429

PING: Final = "desk.ping"

REJOIN: Final = frozenset(
    each
    for each in EventType
    if each.spec.about in (ResourceType.WORKER, ResourceType.TASK_QUEUE, ResourceType.TASK_CHANNEL)
)
"""Events that may change which queues an agent serves: the expressions, or what they read."""

REJOIN_BY_LOAD: Final = REJOIN | {each for each in EventType if each.startswith("reservation.")}
"""The same if an expression reads the agent's load, which every offer changes."""


class DeskEnded(Exception):
    """This socket must close: its session has ended, or its agent has no desk any more."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class AgentConsumer(Direct, AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """One open desk: a tab of a browser."""

    check_seconds = 30.0
    """Seconds after which an ended session, or other queues of the agent, are noticed at last."""
    rejoin_seconds = 0.3
    """Seconds for which triggers for a check of the agent's queues are collected."""
    spread_seconds = 3.0
    """Seconds over which desks are notified of an interruption, as each then fetches all panels."""
    burst, rate, patience = 30, 10.0, 100

    async def connect(self) -> None:
        """Accept an agent; close all others with a code that gives the reason."""
        # A browser can read the code only of an accepted connection.
        await self.accept()
        self._joined: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._rejoining = False
        self._catching_up = False
        self.by_load = False
        self._refused = 0
        self._bucket = Bucket(burst=self.burst, rate=self.rate)
        headers = dict(self.scope["headers"])
        self._accepted_languages = headers.get(b"accept-language", b"").decode("latin-1")
        self._language = languages.find_accepted_language(self._accepted_languages)
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        self._workspace_sid = query.get("workspace", [None])[0]
        # Only the sid is kept, as the rows would be most of a desk's memory.
        self._worker_sid: str | None = None
        self._user_id: int | None = None
        self.checked_state: DeskState | None = None
        self._counted_sid: str | None = None
        try:
            (agent, names, self.by_load), settings = await run_in_thread(self._load_desk)
        except DeskEnded as end:
            await self._end_desk(end.code)
            return
        self._worker_sid = agent.worker.sid
        await self._join(names)
        self._counted_sid = agent.worker.sid
        lease_renewal.find_desks().add(self._counted_sid)
        desk_checks.find_checks().add(self)
        ready = {"event": "desk.ready", "worker_sid": agent.worker.sid, "now": now_ms()}
        ready["settings"] = calling.describe_settings(settings)
        await self.send_json(ready | {"stale": sorted(Panel)})

    async def disconnect(self, code: int) -> None:
        """Leave every group."""
        desk_checks.find_checks().remove(self)
        for task in self._background:
            task.cancel()
        if self._counted_sid is not None:
            lease_renewal.find_desks().remove(self._counted_sid)
            self._counted_sid = None
        await self._leave(set(self._joined))

    async def routing_event(self, message: dict[str, Any]) -> None:
        """Send an event to the desk, with the panels that it makes stale."""
        worker_sid = self._worker_sid
        if worker_sid is None:
            return
        frame = frames.build_event_frame(message, worker_sid=worker_sid)
        if frame is not None:
            await self.send(text_data=frame)
        own = frames.is_own(message, worker_sid=worker_sid)
        causes = REJOIN_BY_LOAD if self.by_load else REJOIN
        if own and message["event_type"] in causes and not self._rejoining:
            self._rejoining = True
            self._run_in_background(self._refresh_groups_soon)

    async def groups_interrupted(self, message: dict[str, Any]) -> None:
        """Refresh all panels, as this process lost its subscription and missed events."""
        if self._worker_sid is not None and not self._catching_up:
            self._catching_up = True
            self._run_in_background(self._catch_up)

    async def desk_frame(self, message: dict[str, Any]) -> None:
        """Pass on a frame for all desks of this worker."""
        if self._worker_sid is not None:
            await self.send_json(message["frame"])

    async def desk_look(self, message: dict[str, Any]) -> None:
        """Check the session at once, as it may have just ended."""
        if self._worker_sid is not None:
            self._run_in_background(self._refresh_groups)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Answer every frame of a client with a reply, even if it is refused."""
        if self._worker_sid is None:
            return
        with translation.override(self._language):
            await self._answer_frame(text_data)

    async def _answer_frame(self, text_data: str | None) -> None:
        request = None
        try:
            if not self._bucket.take_token():
                self._refused += 1
                text = gettext("That was too much at once. Please wait a moment.")
                raise CommandRefused("too_many", text)
            request = frames.parse_request(text_data)
            await self._answer_request(request)
        except frames.MalformedFrame as error:
            await self.send_json(
                frames.build_refusal(None, CommandRefused("malformed", str(error)))
            )
        except CommandRefused as error:
            await self.send_json(frames.build_refusal(request, error))
        except DeskEnded as end:
            await self._end_desk(end.code)
        else:
            self._refused = 0
            await self.send_json(frames.build_reply(request, now_ms=now_ms()))
        if self._refused > self.patience:
            await self._end_desk(FLOODING)

    async def _answer_request(self, request: frames.Request) -> None:
        if request.command == PING:
            return
        request_id = request_ids.new_request_id()
        with request_ids.bind_request_id(request_id):
            try:
                await run_in_thread(lambda: self._run_command(request))
            except (CommandRefused, DeskEnded):
                raise
            except Exception as error:  # reported to the desk; the socket stays open
                logger.exception("desk.command_failed")
                text = gettext("That did not work, and was logged as %(id)s. Please try again.")
                raise CommandRefused("failed", text % {"id": request_id}) from error

    def _run_command(self, request: frames.Request) -> None:
        """Run a command for the session's current user, in their language."""
        agent = self._load_agent()
        with translation.override(self._language):
            commands.run_command(agent, request.command, request.arguments, now=timezone.now())

    # --- The agent and their groups --------------------------------------------------------

    def _load_agent(self) -> Agent:
        """Return the agent by the current session and rows; raises `DeskEnded`."""
        if self._user_id is None:
            raise DeskEnded(LOGGED_OUT)
        # The socket may have been open for long, so the session may have ended.
        try:
            user, worker = access.load_agent(*self.key, self._workspace_sid)
        except access.NoWorker:
            raise DeskEnded(NO_DESK) from None
        if worker is None:
            raise DeskEnded(LOGGED_OUT)
        self._language = languages.choose_language(user, self._accepted_languages)
        if self._worker_sid not in (None, worker.sid):
            raise DeskEnded(NO_DESK)
        client = self.scope.get("client") or (None,)
        return Agent(worker=worker, ip_address=client[0])

    def _load_desk(self) -> tuple[tuple[Agent, set[str], bool], models.DeskSettings]:
        """Return what `load_groups` does and the user's settings.

        The state before is kept for the regular checks. Raises `DeskEnded`.
        """
        session_key = self.scope["session_key"]
        if session_key is not None:
            self._user_id = find_user_id(session_key)
        if self._user_id is not None:
            self.checked_state = desk_checks.load_states([self.key]).get(self.key)
        found = self.load_groups()
        return found, calling.load_settings(found[0].worker)

    def load_groups(self) -> tuple[Agent, set[str], bool]:
        """Return the agent, their current groups, and whether offers can change the groups.

        Raises `DeskEnded`.
        """
        agent = self._load_agent()
        worker = agent.worker
        served = served_queues.load_served_queues(worker)
        names = {
            groups.worker_group(worker.sid),
            groups.desks_group(worker.sid),
            groups.workspace_group(worker.workspace.sid),
            *(groups.task_queue_group(queue.sid) for queue in served.queues),
        }
        return agent, names, served.by_load

    @property
    def key(self) -> DeskKey:
        """Return whose desk it is, for the regular checks."""
        assert self._user_id is not None
        return DeskKey(self.scope["session_key"], self._user_id)

    async def check(self, state: DeskState | None) -> None:
        """Check the session and the agent's queues, as the regular checks have found a change."""

        async def refresh() -> None:
            await self._refresh_groups()
            self.checked_state = state

        if self._worker_sid is not None:
            await run_and_log_errors(refresh)

    async def _refresh_groups(self) -> None:
        try:
            agent, names, self.by_load = await run_in_thread(self.load_groups)
        except DeskEnded as end:
            await self._end_desk(end.code)
            return
        self._worker_sid = agent.worker.sid
        if names == self._joined:
            return
        await self._leave(self._joined - names)
        await self._join(names - self._joined)
        # Events in these queues before the subscription were missed.
        await self.send_json({"event": "desk.queues", "stale": [Panel.QUEUE]})

    async def _refresh_groups_soon(self) -> None:
        await asyncio.sleep(self.rejoin_seconds)
        self._rejoining = False
        await self._refresh_groups()

    async def _catch_up(self) -> None:
        await asyncio.sleep(random.uniform(0.0, self.spread_seconds))  # noqa: S311 - spreads load
        self._catching_up = False
        # This waits until the subscriptions are active again.
        await run_and_log_errors(lambda: self._join(set(self._joined)))
        if self._worker_sid is not None:
            await self.send_json({"event": "desk.missed", "stale": sorted(Panel)})
            await self._refresh_groups()

    async def _end_desk(self, code: int) -> None:
        """Close, and neither send nor accept anything more."""
        self._worker_sid = None
        desk_checks.find_checks().remove(self)
        await self.close(code=code)

    def _run_in_background(self, work: Work) -> None:
        """Run work in the background; a failure is logged, and the next check repeats the work."""
        task = asyncio.ensure_future(run_and_log_errors(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _join(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            await self.channel_layer.group_add(name, self.channel_name)
            self._joined.add(name)

    async def _leave(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            self._joined.discard(name)
            await self.channel_layer.group_discard(name, self.channel_name)


def now_ms() -> int:
    """Return the server's time in milliseconds, as scripts count it."""
    return microseconds(timezone.now()) // 1000
