"""Hold thousands of websockets open in one light process, and record when each gets a frame.

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

AT_ONCE: Final = 40
"""Handshakes under way; a server's queue for new connections is short."""
LONGEST: Final = 60.0
"""Seconds for a handshake and the server's first message."""
LINGER: Final = 0.3


class Ear(asyncio.Protocol):
    """One websocket that only listens."""

    def __init__(self, room: Room, number: int, request: bytes) -> None:
        self._room, self._number, self._request = room, number, request
        self._buffer = b""
        self._is_open = False
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
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
            self._take(code, buffer[start:at], now)
        self._buffer = buffer[at:]

    def _take(self, code: int, payload: bytes, now: float) -> None:
        if code == 9:
            # The same back, masked by zeros: the server looks whether it is its own.
            self._transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif code == 1 and not self.ready.done():
            self.ready.set_result(True)
        elif code == 1 and payload != b" ":
            self._room.heard.append((self._number, now, payload))
            if len(self._room.heard) >= self._room.expected:
                self._room.enough.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that this socket was closed by the server."""
        self._room.lost += self._is_open
        if not self.ready.done():
            self.ready.set_result(False)

    def close(self) -> None:
        """Hang up."""
        self._is_open = False
        self._transport.abort()


class Room:
    """All sockets of this process."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[int, float, bytes]] = []
        self.expected = sys.maxsize
        self.enough = asyncio.Event()
        self.lost = 0
        self._port = port
        self._ears: list[Ear] = []
        self._may_knock = asyncio.Semaphore(AT_ONCE)

    async def open(self, wishes: list[dict[str, str]]) -> int:
        """Open a socket for each wish; return how many got the server's first message."""
        outcomes = await asyncio.gather(*(self._open(wish) for wish in wishes))
        return sum(outcomes)

    async def _open(self, wish: dict[str, str]) -> bool:
        number = len(self._ears)
        host = f"127.0.0.1:{self._port}"
        key = base64.b64encode(number.to_bytes(16, "big")).decode()
        lines = [
            f"GET {wish['path']} HTTP/1.1",
            f"Host: {host}",
            f"Origin: http://{host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *([f"Cookie: {wish['cookie']}"] if "cookie" in wish else []),
        ]
        ear = Ear(self, number, "\r\n".join([*lines, "", ""]).encode())
        self._ears.append(ear)
        async with self._may_knock:
            try:
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: ear, "127.0.0.1", self._port)
                return await asyncio.wait_for(ear.ready, LONGEST)
            except (OSError, TimeoutError):
                return False

    async def collect(self, expected: int, seconds: float) -> dict[str, Any]:
        """Return the messages since the last call, once there are enough or the time is over."""
        self.expected = expected
        if len(self.heard) < expected:
            self.enough.clear()
            try:
                await asyncio.wait_for(self.enough.wait(), seconds)
            except TimeoutError:
                # The caller sees which messages are missing.
                self.enough.set()
        # What comes twice comes right after.
        await asyncio.sleep(LINGER)
        self.expected = sys.maxsize
        heard, self.heard = self.heard, []
        return {"heard": [(n, at, text.decode()) for n, at, text in heard], "lost": self.lost}

    def close(self) -> None:
        """Hang up every socket."""
        for ear in self._ears:
            ear.close()
        self._ears.clear()
        self.lost = 0


def raise_limit() -> int:
    """Raise this process's limit of open files to the machine's; return the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def main(port: int) -> None:
    """Carry out the commands, line by line."""
    room = Room(port)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        answer: dict[str, Any] = {}
        if command["do"] == "open":
            answer = {"opened": await room.open(command["wishes"])}
        elif command["do"] == "collect":
            answer = await room.collect(command["expected"], command["seconds"])
        else:
            room.close()
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    raise_limit()
    asyncio.run(main(int(sys.argv[1])))
