"""Keep job runners alive when Redis goes away in the middle of their work.

A runner that loses its connection still has jobs under way. Acknowledging one of them, or handing
back what it had taken, looks up a connection that is no longer there; kombu 5.7 trips over its
absence with an error that no one expects, and the runner ends. There is nothing to tell a Redis
that has gone: what a runner leaves, the next sweep finds in the database.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from kombu.transport import redis as kombu_redis
from redis.exceptions import RedisError

GONE: Final = (RedisError, OSError)
"""What is raised when Redis has just gone, before the runner has noticed."""


class Channel(kombu_redis.Channel):
    """A channel that has nothing to acknowledge once its connection is gone."""

    connection: Any

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge a job that is done, to whoever still knows of it."""
        if self._is_connected():
            with contextlib.suppress(*GONE):
                super().basic_ack(delivery_tag, multiple=multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Hand back a job that could not be done, to whoever still knows of it."""
        if self._is_connected():
            with contextlib.suppress(*GONE):
                super().basic_reject(delivery_tag, requeue=requeue)

    def _is_connected(self) -> bool:
        return self.connection is not None and self.connection.client is not None


def install() -> None:
    """Have every connection to the broker use these channels, and give nothing back at its end."""
    kombu_redis.Transport.Channel = Channel
    kombu_redis.QoS.restore_at_shutdown = False
