"""Bound what one websocket may cost: what it leaves unread, and what it sends.

Daphne keeps in memory whatever a client does not read, and passes no reason with a close. Nothing
that an application is given says how much that is, so it is looked at here.
"""

from __future__ import annotations

import functools
import logging
from typing import Any, Final

from autobahn.websocket.protocol import PreparedMessage
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings

logger = logging.getLogger(__name__)

TOO_SLOW: Final = 4408
TOO_MUCH: Final = 4429
LONGEST_MESSAGE: Final = 64 * 1024
"""Bytes of a message from a client; a command of the desk has some hundreds."""
MOST_UNHEARD: Final = 500
"""Messages from a client that wait to be looked at."""
RESTARTING: Final = 1012
LAST_WORDS_SECONDS: Final = 10
"""How long a client that is slow may take to read up to the close, before it is cut off."""


class BoundedProtocol(WebSocketProtocol):  # type: ignore[misc]
    """A websocket that is closed, with a reason, before it costs more than it may."""

    is_overrun = False

    def connectionMade(self) -> None:
        """Set the limits that the protocol itself keeps."""
        super().connectionMade()
        self.maxMessagePayloadSize = LONGEST_MESSAGE
        self.maxFramePayloadSize = LONGEST_MESSAGE
        # What is too long is told so by a close code rather than cut off.
        self.failByDrop = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Take a message in, unless too many wait already."""
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
        if unread(self.transport) > settings.SOCKET_BACKLOG:
            self._overrun(TOO_SLOW, "Too slow: messages are left unread")

    def serverAccept(self, subprotocol: str | None = None) -> None:
        """Let a client in, and let go of the request by which it came.

        Twisted's reader of requests would stay with the connection for as long as it is open, to
        stop reading while too much waits to be sent; of a websocket that much is never kept.
        """
        super().serverAccept(subprotocol)
        self.transport.unregisterProducer()
        self.clean_headers: list[tuple[bytes, bytes]] = []
        self.http_headers = self.request.headers = {}

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write what is framed, without Autobahn's counting and its words for nobody's log."""
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Close with the application's reason; leave all else to Daphne."""
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
        """Ask the client to come back: to this server's successor, or to another one."""
        # Autobahn's own `sendClose` knows no 1012.
        self.sendCloseFrame(code=RESTARTING, reasonUtf8=b"This server restarts; connect again")

    def _overrun(self, code: int, reason: str) -> None:
        if self.is_overrun:
            return
        self.is_overrun = True
        logger.warning("a websocket of %s was closed: %s", self.client_addr, reason)
        self.closeHandshakeTimeout = LAST_WORDS_SECONDS
        self.sendClose(code=code, reason=reason)


@functools.lru_cache(maxsize=128)
def _framed(text: str) -> PreparedMessage:
    """Return a message as it goes over the wire: often to hundreds of sockets, one by one."""
    return PreparedMessage(text.encode(), isBinary=False, applyMask=False, doNotCompress=True)


def unread(transport: Any) -> int:
    """Return how many bytes wait in memory for a client to read."""
    inner = transport
    while (wrapped := getattr(inner, "wrappedTransport", None)) is not None:
        inner = wrapped
    waiting: int = len(getattr(inner, "dataBuffer", b"")) - getattr(inner, "offset", 0)
    return waiting + getattr(inner, "_tempDataLen", 0)


def install() -> None:
    """Let Daphne speak to all clients by this protocol."""
    WebSocketFactory.protocol = BoundedProtocol
