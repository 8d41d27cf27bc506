"""Hold thousands of websockets open in one process, and record when each gets a frame.

Run as a process of its own: a line of JSON on its input is a command, a line on its output the
answer. The handshake and the frames are read by hand, as a library's share of the two cores would
be taken from the server that is measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import struct
import sys
import time
from typing import Any, Final

MAX_HANDSHAKES: Final = 40
"""Handshakes under way; a server's queue for new connections is short."""
HANDSHAKE_SECONDS: Final = 60.0
"""Seconds for a handshake and the server's first message."""
LINGER_SECONDS: Final = 0.3


class ListeningSocket(asyncio.Protocol):
    """One websocket that only listens."""

    def __init__(self, pool: SocketPool, number: int, request: bytes) -> None:
        self._pool, self._number, self._request = pool, number, request
        self._buffer = b""
        self._is_open = False
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Record each whole message with its time of arrival."""
        now = time.monotonic()
        buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            self._is_open = head.startswith(b"HTTP/1.1 101 ")
            if not self._is_open:
                self._transport.close()
                return
        at = 0
        while len(buffer) - at >= 2:
            code, size, start = buffer[at] & 0x0F, buffer[at + 1], at + 2
            if size >= 126:
                form, wide = (">H", 2) if size == 126 else (">Q", 8)
                if len(buffer) < start + wide:
                    break
                (size,) = struct.unpack_from(form, buffer, start)
                start += wide
            if len(buffer) < start + size:
                break
            at = start + size
            self._record_frame(code, buffer[start:at], now)
        self._buffer = buffer[at:]

    def _record_frame(self, code: int, payload: bytes, now: float) -> None:
        if code == 9:
            # The same back, masked by zeros: the server looks whether it is its own.
            self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif code == 1 and not self.ready.done():
            self.ready.set_result(True)
        elif code == 1 and payload != b" ":
            self._pool.received.append((self._number, now, payload))
            if len(self._pool.received) >= self._pool.expected:
                self._pool.enough.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that this socket was closed by the server."""
        self._pool.lost += self._is_open
        if not self.ready.done():
            self.ready.set_result(False)

    def close(self) -> None:
        """Close the socket."""
        self._is_open = False
        self._transport.abort()


class SocketPool:
    """All sockets of this process."""

    def __init__(self, port: int) -> None:
        self.received: list[tuple[int, float, bytes]] = []
        self.expected = sys.maxsize
        self.enough = asyncio.Event()
        self.lost = 0
        self._port = port
        self._clients: list[ListeningSocket] = []
        self._may_connect = asyncio.Semaphore(MAX_HANDSHAKES)

    async def open(self, requests: list[dict[str, str]]) -> int:
        """Open a socket for each request; return how many got the server's first message."""
        outcomes = await asyncio.gather(*(self._open(request) for request in requests))
        return sum(outcomes)

    async def _open(self, request: dict[str, str]) -> bool:
        number = len(self._clients)
        host = f"127.0.0.1:{self._port}"
        key = base64.b64encode(number.to_bytes(16, "big")).decode()
        lines = [
            f"GET {request['path']} HTTP/1.1",
            f"Host: {host}",
            f"Origin: http://{host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *([f"Cookie: {request['cookie']}"] if "cookie" in request else []),
        ]
        client = ListeningSocket(self, number, "\r\n".join([*lines, "", ""]).encode())
        self._clients.append(client)
        async with self._may_connect:
            try:
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: client, "127.0.0.1", self._port)
                return await asyncio.wait_for(client.ready, HANDSHAKE_SECONDS)
            except (OSError, TimeoutError):
                return False

    async def collect(self, expected: int, seconds: float) -> dict[str, Any]:
        """Return the messages since the last call, once there are enough or the time is over."""
        self.expected = expected
        if len(self.received) < expected:
            self.enough.clear()
            try:
                await asyncio.wait_for(self.enough.wait(), seconds)
            except TimeoutError:
                # The caller sees which messages are missing.
                self.enough.set()
        # What comes twice comes right after.
        await asyncio.sleep(LINGER_SECONDS)
        self.expected = sys.maxsize
        heard, self.received = self.received, []
        return {"heard": [(n, at, text.decode()) for n, at, text in heard], "lost": self.lost}

    def close(self) -> None:
        """Close every socket."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        self.lost = 0


def raise_file_limit() -> int:
    """Raise this process's limit of open files to the machine's; return the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def main(port: int) -> None:
    """Carry out the commands, line by line."""
    pool = SocketPool(port)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        answer: dict[str, Any] = {}
        if command["do"] == "open":
            answer = {"opened": await pool.open(command["requests"])}
        elif command["do"] == "collect":
            answer = await pool.collect(command["expected"], command["seconds"])
        else:
            pool.close()
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    raise_file_limit()
    asyncio.run(main(int(sys.argv[1])))
