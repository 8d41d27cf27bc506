"""The channel layer over Redis, without its three silences.

That of `channels_redis` calls a group joined when Redis has only been asked, and subscribes anew
after a lost connection without saying that what was published meanwhile is lost. It listens without
end to a connection that was cut without a word. Here whoever joins waits until Redis has answered,
and every socket that is in a group hears of every interruption by the message `groups.interrupted`.
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
"""How long Redis may take to answer; whoever wanted to join hears of an error then."""
PING_SECONDS: Final = 3.0
"""After how long without a word from Redis it is asked for one."""
SILENT_SECONDS: Final = 6.0
"""After how long without a word its connection counts as dead, and is opened again."""
TRY_SECONDS: Final = 1.0
"""How long after a failure a connection is tried again."""
BROKEN: Final = (RedisError, OSError)


class ChannelLayer(pubsub.RedisPubSubChannelLayer):  # type: ignore[misc]
    """What settings name: one layer for each event loop."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        # A group's message comes to each of its sockets, all of them in this process: it is read
        # once, and what was read is shared, so that nobody may change it.
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
        """Tell every channel of this loop that is in any group, once each."""
        message = self.channel_layer.serialize({"type": "groups.interrupted"})
        members = self.channels.keys() & set().union(*self.groups.values())
        for channel in members:
            self.channels[channel].put_nowait(message)
        logger.warning("Redis was away; %d sockets have everything read anew", len(members))


class _Inbox:
    """What waits for the one socket that reads a channel; a tenth of what a queue is."""

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
        """Take the first message, once there is one."""
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
        """Join, and wait until Redis says so; raises what the connection raises, `TimeoutError`."""
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
        """Ask to join; twice, as a connection that Redis has closed shows it when it is used."""
        try:
            await self._pubsub.subscribe(channel)
        except RedisConnectionError:
            await self._pubsub.subscribe(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Leave; a Redis that is away has nothing to be told."""
        self._answered(channel)
        try:
            await super().unsubscribe(channel)
        except BROKEN:
            self._subscribed_to.discard(channel)
            for name in (channel, channel.encode()):
                self._pubsub.channels.pop(name, None)

    async def _do_receiving(self) -> None:
        """Receive without end; an outage is logged once, and its end by `interrupted`."""
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
                    logger.error("sockets.away: sockets hear nothing for now (%s)", error)
                self._is_away = True
                await asyncio.sleep(TRY_SECONDS)
            except Exception:
                logger.exception("what Redis sent could not be received")
                await asyncio.sleep(TRY_SECONDS)

    async def flush(self) -> None:
        """Make it like new."""
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
    """What one connection listens to."""

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
        """Open the connection if it is not open: one task at a time, or one of two is lost."""
        if self._opening_task is asyncio.current_task():
            return  # asked by `on_connect`, which is a part of it
        async with self._opening:
            self._opening_task = asyncio.current_task()
            try:
                await super().connect()  # type: ignore[no-untyped-call]
            finally:
                self._opening_task = None

    async def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """Return what Redis says next."""
        if self.connection is not None and not self.connection.is_connected:
            await self.connect()
        return await super().parse_response(block, timeout)

    async def _reconnect(self, conn: Any, error: Any = None, *_: Any, **__: Any) -> None:
        """Close a connection that has failed; the next task that needs it opens it again."""
        await conn.disconnect(nowait=True, error=error)

    async def on_connect(self, connection: Any) -> None:
        """Subscribe anew, and say so."""
        self._heard_at = asyncio.get_running_loop().time()
        self._tell_asked_anew([_text(channel) for channel in self.channels])
        await super().on_connect(connection)

    async def insist_on_answer(self) -> None:
        """Ask Redis for a word if there was none for long; drop a connection that stays silent."""
        now = asyncio.get_running_loop().time()
        if now - self._heard_at >= SILENT_SECONDS:
            self._heard_at = now
            dead: Any = self.connection
            await dead.disconnect(nowait=True)
            raise RedisConnectionError(f"no word for {SILENT_SECONDS:.0f} seconds")
        if now - max(self._heard_at, self._pinged_at) >= PING_SECONDS:
            self._pinged_at = now
            await self.ping()

    async def handle_message(self, response: Any, ignore_subscribe_messages: bool = False) -> Any:
        """Note what Redis answers to being asked."""
        self._heard_at = asyncio.get_running_loop().time()
        message: Any = await super().handle_message(response)  # type: ignore[no-untyped-call]
        if message is not None and message["type"] == "subscribe":
            self._tell_answered(_text(message["channel"]))
        kind = None if message is None else message["type"]
        is_answer = kind in ("subscribe", *self.UNSUBSCRIBE_MESSAGE_TYPES)
        return None if ignore_subscribe_messages and is_answer else message


def _text(channel: str | bytes) -> str:
    return channel.decode() if isinstance(channel, bytes) else channel
