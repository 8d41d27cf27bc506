"""Base class of our websocket consumers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer

from routing.db.errors import AWAY
from routing.redis import clients

logger = logging.getLogger(__name__)

TRY_LATER: Final = 1013
"""The close code of a server that cannot serve a socket at present."""

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Work = Callable[[], Awaitable[None]]
T = TypeVar("T")


class Direct(AsyncWebsocketConsumer):  # type: ignore[misc]
    """A consumer that handles its messages directly, one after the other.

    For each message, Channels closes stale database connections in a thread. Our consumers use
    connections only within `database_sync_to_async`, which does that itself, and a message to a
    thousand sockets would use that thread a thousand times. Nor does each message get an asyncio
    task: each socket has two, one for the client and one for the groups.
    """

    async def __call__(
        self, scope: Message, receive: Receive, send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Serve a socket until its client is gone; raises the errors of handlers."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        try:
            self.channel_name = await self.channel_layer.new_channel()
        except clients.BROKEN as error:
            await receive()
            await send({"type": "websocket.accept"})
            await self._put_off(error)
            return
        self._turn = asyncio.Lock()
        self._failure: Exception | None = None
        client = asyncio.current_task()
        assert client is not None
        groups = asyncio.create_task(self._hear_groups(client))
        try:
            await self._hear(receive)
        except StopConsumer:
            return
        except (*clients.BROKEN, *AWAY) as error:
            await self._put_off(error)
        except asyncio.CancelledError:
            if self._failure is None:
                raise
            raise self._failure from None
        finally:
            groups.cancel()
            await asyncio.wait({groups})

    async def _put_off(self, error: Exception) -> None:
        """Close a socket that cannot be served at present; its client reconnects later."""
        # The code that noticed that Redis or the database is away has logged it.
        logger.debug("socket put off (%s)", error)
        await self.base_send({"type": "websocket.close", "code": TRY_LATER})

    async def _hear_groups(self, client: asyncio.Task[Any]) -> None:
        """Handle messages from groups; an error there ends the socket."""

        async def receive() -> Message:
            message: Message = await self.channel_layer.receive(self.channel_name)
            return message

        try:
            await self._hear(receive)
        except Exception as error:  # raised again by the task that the server awaits
            self._failure = error
            client.cancel()

    async def _hear(self, receive: Receive) -> None:
        while True:
            message = await receive()
            async with self._turn:
                await self.dispatch(message)
            # Yield to other sockets, however many messages wait here.
            await asyncio.sleep(0)

    async def dispatch(self, message: Message) -> None:
        """Call the handler for messages of this type."""
        await getattr(self, get_handler_name(message))(message)


class Bucket:
    """Token bucket of a connection: `burst` frames at once, then `rate` a second."""

    def __init__(
        self, *, burst: int, rate: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.burst = burst
        self.rate = rate
        self.clock = clock
        self._tokens = float(burst)
        self._counted_at = clock()

    def take_token(self) -> bool:
        """Take one token for a frame; return whether there was one."""
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._counted_at) * self.rate)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


async def run_and_log_errors(work: Work) -> None:
    """Run background work of a socket; a failure is logged, and the next check repeats the work."""
    try:
        await work()
    except (*clients.BROKEN, *AWAY) as error:
        # The outage was logged where it was detected. The next check repeats the work.
        logger.debug("socket.background_work_failed error=%s", error)
    except Exception:
        logger.exception("socket.background_work_failed")


async def run_in_thread(function: Callable[[], T]) -> T:
    """Run database work in its own thread, so that no socket waits for another."""
    result: T = await database_sync_to_async(function, thread_sensitive=False)()
    return result
