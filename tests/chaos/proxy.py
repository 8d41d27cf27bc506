"""A TCP proxy on the loopback that a test slows down, stalls silently, or cuts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
CHUNK = 65_536


class Proxy:
    """Forward connections to a unix socket, unless a test changes that."""

    def __init__(self, upstream: str) -> None:
        """Prepare a proxy to the socket at this path."""
        self.port = 0
        self._upstream = upstream
        self._delay = 0.0
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """Forward while the block runs."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self._do(self._listen())
        try:
            yield self
        finally:
            self._do(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def stall(self) -> None:
        """Forward nothing more, close nothing, and accept new connections silently."""
        self._do(self._set(flows=False))

    def slow(self, seconds: float) -> None:
        """Forward each piece after so long."""
        self._do(self._set(delay=seconds))

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self._do(self._close())

    def resume(self) -> None:
        """Forward as at the beginning; held-back data comes late."""
        self._do(self._set())
        self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _set(self, *, flows: bool = True, delay: float = 0.0) -> None:
        self._delay = delay
        (self._flows.set if flows else self._flows.clear)()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._flows.wait()
            up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
            self._writers.add(up_writer)
            try:
                await asyncio.wait(
                    {
                        asyncio.create_task(self._pump(reader, up_writer)),
                        asyncio.create_task(self._pump(up_reader, writer)),
                    },
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                up_writer.close()
                self._writers.discard(up_writer)
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
