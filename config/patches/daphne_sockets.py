"""Limit the cost of a websocket: its unread messages, and the messages it sends.

Daphne buffers everything that a client does not read, and sends no reason with a close. It gives
applications no view of the buffer's size, so the size is checked here.
"""

from __future__ import annotations

import functools
import logging
from typing import Any, Final

from autobahn.websocket.protocol import PreparedMessage
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

from config.doors import find_door
from routing import instruments

logger = logging.getLogger(__name__)

TOO_SLOW: Final = 4408
TOO_MUCH: Final = 4429
LONGEST_MESSAGE: Final = 64 * 1024
"""Maximum bytes of a message from a client; a command of the desk has a few hundred."""
MOST_UNHEARD: Final = 500
"""Maximum number of unprocessed messages from a client."""
RESTARTING: Final = 1012
LAST_WORDS_SECONDS: Final = 10
"""Seconds that a slow client has to read up to the close frame, before it is cut off."""


class BoundedProtocol(WebSocketProtocol):  # type: ignore[misc]
    """A websocket that is closed with a reason once it exceeds its limits."""

    is_overrun = False
    door: str | None = None
    """The door it is counted under, once it is accepted."""

    def connectionMade(self) -> None:
        """Set the limits that Autobahn enforces itself."""
        super().connectionMade()
        self.maxMessagePayloadSize = LONGEST_MESSAGE
        self.maxFramePayloadSize = LONGEST_MESSAGE
        # A too long message is answered with a close code, not with a dropped connection.
        self.failByDrop = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Process a message, unless too many are waiting."""
        if self.application_queue.qsize() >= MOST_UNHEARD:
            self._overrun(TOO_MUCH, "Too many messages")
            return
        super().onMessage(payload, isBinary)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        """Send a message, unless the client has left too many unread."""
        if self.is_overrun:
            return
        if binary or self.state != self.STATE_OPEN:
            super().serverSend(content, binary)
        else:
            self.sendPreparedMessage(_framed(content))
        if self.door is not None:
            instruments.count_frame(self.door)
        if unread(self.transport) > settings.SOCKET_BACKLOG:
            self._overrun(TOO_SLOW, "Too slow: messages are left unread")

    def serverAccept(self, subprotocol: str | None = None) -> None:
        """Accept a client, and release the HTTP request.

        Twisted's request reader would stay with the connection while it is open, in order to pause
        reading when too much is buffered. Our limit keeps the buffer smaller than that.
        """
        super().serverAccept(subprotocol)
        self.transport.unregisterProducer()
        self.clean_headers: list[tuple[bytes, bytes]] = []
        self.http_headers = self.request.headers = {}
        self.door = find_door(self.path.decode("ascii"))
        instruments.count_sockets(self.door, 1)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """Count the socket no longer."""
        super().onClose(wasClean, code, reason)
        if self.door is not None:
            instruments.count_sockets(self.door, -1)
            self.door = None

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write framed bytes, without Autobahn's counters and log messages."""
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Close with the application's reason; pass other messages to Daphne."""
        is_close = message.get("type") == "websocket.close"
        if is_close and self.state != self.STATE_CONNECTING:
            self.sendClose(code=message.get("code") or 1000, reason=message.get("reason") or None)
        else:
            super().handle_reply(message)

    @property
    def can_send(self) -> bool:
        """Return whether frames can be sent."""
        return bool(self.state == self.STATE_OPEN)

    def close_for_restart(self) -> None:
        """Close the socket so that the client reconnects to another process."""
        # Autobahn's own `sendClose` does not allow the code 1012.
        self.sendCloseFrame(code=RESTARTING, reasonUtf8=b"This server restarts; connect again")

    def _overrun(self, code: int, reason: str) -> None:
        if self.is_overrun:
            return
        self.is_overrun = True
        logger.warning("websocket of %s closed: %s", self.client_addr, reason)
        self.closeHandshakeTimeout = LAST_WORDS_SECONDS
        self.sendClose(code=code, reason=reason)


@functools.lru_cache(maxsize=128)
def _framed(text: str) -> PreparedMessage:
    """Return the frame of a message, cached as it is often sent to hundreds of sockets."""
    return PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)


def unread(transport: Any) -> int:
    """Return the number of bytes buffered for a client."""
    inner = transport
    while (wrapped := getattr(inner, "wrappedTransport", None)) is not None:
        inner = wrapped
    waiting: int = len(getattr(inner, "dataBuffer", b"")) - getattr(inner, "offset", 0)
    return waiting + getattr(inner, "_tempDataLen", 0)


def install() -> None:
    """Make Daphne use this protocol for all websockets."""
    WebSocketFactory.protocol = BoundedProtocol
