"""Receive event callbacks as fast as Python can, and count them.

`python -m tests.benchmarks.callback_sink` prints its port. It is a separate process, so that it
does not share the CPU of the sender. A GET returns the counts.
"""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPConnection
from urllib.parse import parse_qs

NO_CONTENT = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class ReceivedEvents:
    """The events so far, with repetitions and those out of order."""

    def __init__(self) -> None:
        self._sids: set[str] = set()
        self._last: dict[str, int] = {}
        self.twice = 0
        self.out_of_order = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and answer it."""
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            self._record(parse_qs((await reader.readexactly(size)).decode()))
            writer.write(NO_CONTENT)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + self._report())
        await writer.drain()
        writer.close()

    def _record(self, form: dict[str, list[str]]) -> None:
        """Record an event: each of a task's has a higher priority than the one before it."""
        (sid,), (task,), (number,) = form["Sid"], form["TaskSid"], form["TaskPriority"]
        self.twice += sid in self._sids
        self.out_of_order += int(number) <= self._last.get(task, -1)
        self._sids.add(sid)
        self._last[task] = int(number)

    def _report(self) -> bytes:
        return json.dumps(
            {"taken": len(self._sids), "twice": self.twice, "out of order": self.out_of_order}
        ).encode()


def fetch_received(port: int) -> dict[str, int]:
    """Return the counts of the sink at this port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    answer: dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(ReceivedEvents().serve, "127.0.0.1", 0, backlog=100)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - who started it needs it
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
