"""Redis channel layer that confirms subscriptions and reports interruptions.

`channels_redis` reports a group as joined before Redis has confirmed it. After a reconnect it
subscribes again without reporting that messages were lost. It waits forever on a connection that
was cut silently. Here, joining waits for Redis's confirmation, and every socket in a group gets the
message `groups.interrupted` after an interruption.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any, Final

from channels_redis import pubsub, utils
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 3.0
"""Seconds that Redis may take to confirm; then joining raises an error."""
PING_SECONDS: Final = 3.0
"""Seconds without data from Redis after which it is pinged."""
SILENT_SECONDS: Final = 6.0
"""Seconds without data after which the connection counts as dead and is reopened."""
TRY_SECONDS: Final = 1.0
"""Seconds after a failure until a connection is tried again."""
BROKEN: Final = (RedisError, OSError)


class ChannelLayer(pubsub.RedisPubSubChannelLayer):  # type: ignore[misc]
    """The configured layer: one loop layer for each event loop."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        # A group's message reaches each of its sockets, all of them in this process. It is
        # deserialized once and shared, so consumers must not change it.
        self.deserialize = functools.lru_cache(maxsize=256)(super().deserialize)

    async def receive(self, channel: str) -> Any:
        """Return the next message of a channel."""
        return await self._get_layer().receive(channel)

    def _get_layer(self) -> Any:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = _LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            utils._wrap_close(self, loop)
        return self._layers[loop]


class _LoopLayer(pubsub.RedisPubSubLoopLayer):  # type: ignore[misc]
    def __init__(self, hosts: Any = None, **given: Any) -> None:
        super().__init__(hosts, **given)
        self._shards = [_Connection(host, self) for host in utils.decode_hosts(hosts)]

    async def _subscribe_to_channel(self, channel: str) -> None:
        self.channels[channel] = _Inbox()
        await self._get_shard(channel).subscribe(channel)

    def interrupted(self) -> None:
        """Send every channel of this loop that is in any group one message."""
        message = self.channel_layer.serialize({"type": "groups.interrupted"})
        members = self.channels.keys() & set().union(*self.groups.values())
        for channel in members:
            self.channels[channel].put_nowait(message)
        logger.warning(
            "sockets.interrupted: Redis was unreachable; refreshing %d sockets", len(members)
        )


class _Inbox:
    """The messages of one socket's channel; a tenth of a queue's memory."""

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, message: bytes) -> None:
        """Add a message."""
        self._messages.append(message)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> bytes:
        """Wait for and return the first message."""
        while not self._messages:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._messages.pop(0)


class _Connection(pubsub.RedisSingleShardConnection):  # type: ignore[misc]
    def __init__(self, host: Any, channel_layer: _LoopLayer) -> None:
        super().__init__(host, channel_layer)
        self._unanswered: dict[str, asyncio.Future[None]] = {}
        self._is_away = False

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            made: Any = self._redis
            self._pubsub = _Subscriptions(
                made.connection_pool, answered=self._answered, asked_anew=self._asked_anew
            )

    async def subscribe(self, channel: str) -> None:
        """Join a group, and wait for Redis's confirmation; raises its errors, or `TimeoutError`."""
        async with self._lock:
            if channel not in self._subscribed_to:
                self._ensure_redis()
                self._ensure_receiver()
                self._ask(channel)
                try:
                    await self._ask_redis(channel)
                except BaseException:
                    self._answered(channel)
                    raise
                self._subscribed_to.add(channel)
        answer = self._unanswered.get(channel)
        if answer is not None:
            await asyncio.wait_for(asyncio.shield(answer), ANSWER_SECONDS)

    async def _ask_redis(self, channel: str) -> None:
        """Subscribe, with one retry, as a connection that Redis has closed fails only when used."""
        try:
            await self._pubsub.subscribe(channel)
        except RedisConnectionError:
            await self._pubsub.subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Leave a group; errors of an unreachable Redis are ignored."""
        self._answered(channel)
        try:
            await super().unsubscribe(channel)
        except BROKEN:
            self._subscribed_to.discard(channel)
            for name in (channel, channel.encode()):
                self._pubsub.channels.pop(name, None)

    async def _do_receiving(self) -> None:
        """Receive forever; an outage is logged once, and its end by `interrupted`."""
        while True:
            try:
                if self._pubsub.subscribed:
                    message = await self._pubsub.get_message(
                        ignore_subscribe_messages=True, timeout=0.1
                    )
                    self._receive_message(message)
                    await self._pubsub.insist_on_answer()
                    self._is_away = False
                else:
                    await asyncio.sleep(0.1)
            except BROKEN as error:
                if not self._is_away:
                    logger.error("sockets.away: sockets receive no events for now (%s)", error)
                self._is_away = True
                await asyncio.sleep(TRY_SECONDS)
            except Exception:
                logger.exception("a message from Redis could not be received")
                await asyncio.sleep(TRY_SECONDS)

    async def flush(self) -> None:
        """Reset the connection."""
        for channel in list(self._unanswered):
            self._answered(channel)
        await super().flush()

    def _ask(self, channel: str) -> None:
        if channel not in self._unanswered:
            self._unanswered[channel] = asyncio.get_running_loop().create_future()

    def _answered(self, channel: str) -> None:
        answer = self._unanswered.pop(channel, None)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def _asked_anew(self, channels: list[str]) -> None:
        for channel in channels:
            self._ask(channel)
        self.channel_layer.interrupted()


class _Subscriptions(PubSub):
    """The subscriptions of one connection."""

    def __init__(
        self,
        pool: Any,
        *,
        answered: Callable[[str], None],
        asked_anew: Callable[[list[str]], None],
    ) -> None:
        super().__init__(pool)
        self._tell_answered = answered
        self._tell_asked_anew = asked_anew
        self._opening = asyncio.Lock()
        self._opening_task: asyncio.Task[Any] | None = None
        self._heard_at = self._pinged_at = asyncio.get_running_loop().time()

    async def connect(self) -> None:
        """Open the connection if it is closed: one task at a time, or one connection is lost."""
        if self._opening_task is asyncio.current_task():
            return  # called by `on_connect`, which is a part of it
        async with self._opening:
            self._opening_task = asyncio.current_task()
            try:
                await super().connect()  # type: ignore[no-untyped-call]
            finally:
                self._opening_task = None

    async def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """Return Redis's next response."""
        if self.connection is not None and not self.connection.is_connected:
            await self.connect()
        return await super().parse_response(block, timeout)

    async def _reconnect(self, conn: Any, error: Any = None, *_: Any, **__: Any) -> None:
        """Close a failed connection; the next task that needs it opens it again."""
        await conn.disconnect(nowait=True, error=error)

    async def on_connect(self, connection: Any) -> None:
        """Subscribe again, and report that."""
        self._heard_at = asyncio.get_running_loop().time()
        self._tell_asked_anew([_text(channel) for channel in self.channels])
        await super().on_connect(connection)

    async def insist_on_answer(self) -> None:
        """Ping Redis if it has sent nothing for long; drop a connection that stays silent."""
        now = asyncio.get_running_loop().time()
        if now - self._heard_at >= SILENT_SECONDS:
            self._heard_at = now
            dead: Any = self.connection
            await dead.disconnect(nowait=True)
            raise RedisConnectionError(f"no answer for {SILENT_SECONDS:.0f} seconds")
        if now - max(self._heard_at, self._pinged_at) >= PING_SECONDS:
            self._pinged_at = now
            await self.ping()

    async def handle_message(self, response: Any, ignore_subscribe_messages: bool = False) -> Any:
        """Record Redis's confirmations."""
        self._heard_at = asyncio.get_running_loop().time()
        message: Any = await super().handle_message(response)  # type: ignore[no-untyped-call]
        if message is not None and message["type"] == "subscribe":
            self._tell_answered(_text(message["channel"]))
        kind = None if message is None else message["type"]
        is_answer = kind in ("subscribe", *self.UNSUBSCRIBE_MESSAGE_TYPES)
        return None if ignore_subscribe_messages and is_answer else message


def _text(channel: str | bytes) -> str:
    return channel.decode() if isinstance(channel, bytes) else channel
