"""Hold hundreds of open cockpits: their sockets, and the panels that their pages fetch.

Run as a process of its own, as `websocket_clients` is. A viewer does what static/supervisors does:
it fetches stale panels within 300 ms, one request at a time, and counts how old the oldest panel on
its page is.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

from tests.benchmarks.websocket_clients import raise_file_limit

SPREAD_SECONDS: Final = 0.3
SAMPLE_SECONDS: Final = 0.5
REFUSED: Final = {503: 1.0, 429: 3.0}
"""Seconds after which a page asks again, by the status of a refusal."""


@dataclass
class ShownPanel:
    """A panel of a page."""

    wanted: bool = False
    busy: bool = False
    since: float = 0.0
    as_of: float = 0.0
    etag: str = ""


class Viewer:
    """One open cockpit."""

    def __init__(self, port: int, page: dict[str, Any]) -> None:
        self.ready = asyncio.Event()
        self.counts = {"frames": 0, "fetched": 0, "unchanged": 0, "refused": 0}
        self._port, self._page = port, page
        self._panels = {name: ShownPanel(as_of=now_ms()) for name in page["panels"]}
        self._turn = asyncio.Lock()
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._fetches: set[asyncio.Task[None]] = set()

    @property
    def age_ms(self) -> float:
        """Return how old the oldest panel may be."""
        return now_ms() - min(panel.as_of for panel in self._panels.values())

    async def watch(self) -> None:
        """Open the socket and follow its frames."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            key = base64.b64encode(random.randbytes(16)).decode()
            upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
            more = (*upgrade, f"Sec-WebSocket-Key: {key}", f"Origin: http://{self._host}")
            writer.write(self._head(self._page["socket"], *more))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
            while True:
                code, payload = await read_frame(reader)
                if code == 1:
                    self._hear(json.loads(payload))
                elif code == 9:
                    writer.write(mask(0x8A, payload))
                elif code == 8:
                    return
        finally:
            writer.close()
            if self._line:
                self._line[1].close()
            for fetch in self._fetches:
                fetch.cancel()

    def _hear(self, frame: dict[str, Any]) -> None:
        self.counts["frames"] += 1
        for name in frame.get("stale", ()):
            self._mark_stale(name, frame["at"])
        for panel in self._panels.values():
            if not panel.wanted and not panel.busy:
                panel.as_of = now_ms()
        self.ready.set()

    def _mark_stale(self, name: str, at: float) -> None:
        panel = self._panels.get(name)
        if panel is None:
            return
        panel.since = max(panel.since, at)
        if not panel.wanted:
            panel.wanted = True
            if not panel.busy:
                self._schedule(name)

    def _schedule(self, name: str, rest: float = 0.0) -> None:
        fetch = asyncio.ensure_future(self._fetch(name, rest + random.random() * SPREAD_SECONDS))
        self._fetches.add(fetch)
        fetch.add_done_callback(self._fetches.discard)

    async def _fetch(self, name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        panel = self._panels[name]
        if panel.busy or not panel.wanted:
            return
        panel.wanted, panel.busy, rest = False, True, 0.0
        try:
            async with self._turn:
                sent = now_ms()
                try:
                    status, etag = await self._ask(name, panel)
                except (OSError, asyncio.IncompleteReadError):
                    self._line = None  # The server has closed an idle connection.
                    status, etag = await self._ask(name, panel)
            self.counts["fetched"] += 1
            if status in REFUSED:
                self.counts["refused"] += 1
                panel.wanted, rest = True, REFUSED[status]
            else:
                assert status in (200, 304), status
                panel.as_of = sent
                self.counts["unchanged"] += status == 304
                panel.etag = etag or panel.etag
        finally:
            panel.busy = False
        if panel.wanted:
            self._schedule(name, rest)

    async def _ask(self, name: str, panel: ShownPanel) -> tuple[int, str]:
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._line
        headers = ["X-Requested-With: cockpit", f"X-Since: {int(panel.since)}"]
        headers += [f"If-None-Match: {panel.etag}"] if panel.etag else []
        writer.write(self._head(f"/supervisor/panels/{name}?{self._page['view']}", *headers))
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {
            key.lower(): value
            for key, colon, value in (line.partition(": ") for line in head[1:])
            if colon
        }
        status = int(head[0].split(" ")[1])
        if status != 304:
            await read_body(reader, found)
        return status, found.get("etag", "")

    @property
    def _host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def _head(self, path: str, *more: str) -> bytes:
        lines = (f"GET {path} HTTP/1.1", f"Host: {self._host}", f"Cookie: {self._page['cookie']}")
        return "\r\n".join([*lines, *more, "", ""]).encode()


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the code and the payload of the next frame."""
    first, size = await reader.readexactly(2)
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(size)


def mask(code: int, payload: bytes) -> bytes:
    """Return a short frame, masked by zeros: the server looks whether it is its own."""
    return bytes((code, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    """Read the body of an answer and forget it."""
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
        return
    assert headers.get("transfer-encoding") == "chunked", headers
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


def now_ms() -> float:
    """Return the time of day, which the server on this machine shares."""
    return time.time() * 1000


class Audience:
    """All viewers of this process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._viewers: list[Viewer] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ages: list[float] = []

    async def open(self, pages: list[dict[str, Any]]) -> int:
        """Open these pages beside the others; return how many have their first frame."""
        for start in range(0, len(pages), 20):
            new = [Viewer(self._port, page) for page in pages[start : start + 20]]
            self._tasks += [asyncio.ensure_future(viewer.watch()) for viewer in new]
            self._viewers += new
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(60):
                    await asyncio.gather(*(viewer.ready.wait() for viewer in new))
        return sum(viewer.ready.is_set() for viewer in self._viewers)

    async def sample(self, seconds: float) -> None:
        """Note all ages, again and again."""
        self._ages.clear()
        for viewer in self._viewers:
            viewer.counts = dict.fromkeys(viewer.counts, 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(SAMPLE_SECONDS)
            self._ages += [viewer.age_ms for viewer in self._viewers]

    def report(self) -> dict[str, Any]:
        """Return the ages, what the viewers did, and how many are gone."""
        counts = {
            name: sum(viewer.counts[name] for viewer in self._viewers)
            for name in (self._viewers[0].counts if self._viewers else ())
        }
        lost = sum(task.done() for task in self._tasks)
        return {"ages": sorted(self._ages), "counts": counts, "lost": lost}

    def close(self) -> None:
        """Close all pages."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._viewers.clear()


async def main(port: int) -> None:
    """Carry out the commands, line by line."""
    audience = Audience(port)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sampling: asyncio.Task[None] | None = None
    while line := await reader.readline():
        command = json.loads(line)
        answer: dict[str, Any] = {}
        if command["do"] == "open":
            answer = {"opened": await audience.open(command["pages"])}
        elif command["do"] == "sample":
            sampling = asyncio.ensure_future(audience.sample(command["seconds"]))
        elif command["do"] == "report":
            if sampling is not None:
                await sampling
            answer = audience.report()
        else:
            audience.close()
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    raise_file_limit()
    asyncio.run(main(int(sys.argv[1])))
