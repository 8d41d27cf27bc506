"""Be what every websocket's consumer here begins with."""

from __future__ import annotations

from typing import Any

from channels.consumer import get_handler_name


class Direct:
    """Give a consumer its messages at once.

    Channels closes stale database connections in a thread before each message, to each socket. Ours
    use no connection but within `database_sync_to_async`, which does that itself, and a message to
    a thousand sockets would be a thousand crossings into that thread.
    """

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call what handles messages of this type."""
        await getattr(self, get_handler_name(message))(message)
