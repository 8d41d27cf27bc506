"""Keep job runners alive when Redis goes away during their work.

A runner that loses its connection still has running jobs. Acknowledging one of them, or returning
prefetched ones, needs a connection that no longer exists. kombu 5.7 then raises an unexpected
error, and the runner ends. Nothing needs to be sent to a lost Redis: the next sweep finds
unfinished work in the database.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final

from kombu.transport import redis as kombu_redis
from redis.exceptions import RedisError

CONNECTION_ERRORS: Final = (RedisError, OSError)
"""Errors just after Redis has gone, before the runner has noticed."""


class Channel(kombu_redis.Channel):
    """A channel that skips acknowledgements once its connection is lost."""

    connection: Any

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge a finished job, if the connection still exists."""
        if self._is_connected():
            with contextlib.suppress(*CONNECTION_ERRORS):
                super().basic_ack(delivery_tag, multiple=multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Return a job that failed to its queue, if the connection still exists."""
        if self._is_connected():
            with contextlib.suppress(*CONNECTION_ERRORS):
                super().basic_reject(delivery_tag, requeue=requeue)

    def _is_connected(self) -> bool:
        return self.connection is not None and self.connection.client is not None


def install() -> None:
    """Make every broker connection use these channels, and return no jobs at shutdown."""
    kombu_redis.Transport.Channel = Channel
    kombu_redis.QoS.restore_at_shutdown = False
