"""Pipelines that send their statements together, in one packet if they fit."""

from __future__ import annotations

import psycopg
from psycopg.abc import PQGen
from psycopg.generators import send


class Pipeline(psycopg.Pipeline):
    """The driver's pipeline, without a system call and a wake of the server for each statement.

    The driver's library keeps statements in memory, and sends them when there are 64 kB.
    """

    def _communicate_gen(self) -> PQGen[None]:
        """Pass on the queued statements; send all if the last one awaits the answers."""
        command = None
        while self.command_queue:
            command = self.command_queue.popleft()
            command()
        if command == self.pgconn.pipeline_sync:
            yield from send(self.pgconn)

    def _exit_gen(self) -> PQGen[None]:
        """Await all answers, without asking for them a second time."""
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
        finally:
            yield from self._fetch_gen(flush=False)
