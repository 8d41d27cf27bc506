"""`/livez`, `/readyz` and `/healthz`: for restarts, for load balancers, and for alarms.

They are answered in the event loop, before Django: with any Host header, without a worker thread,
and while every thread is busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from django.http import JsonResponse

from config import draining, health
from config.health import OK

DRAINING: Final = "draining"


class Probes:
    """The answers of the three paths."""

    def __init__(self) -> None:
        """Create the probes without results."""
        self._database = health.database_probe()
        self._work = health.work_probe()
        self._parts = health.parts_probe()
        self._answers: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "/livez": self._live,
            "/readyz": self._ready,
            "/healthz": self._healthy,
        }

    def serves(self, path: str) -> bool:
        """Return whether a path is one of the three."""
        return path in self._answers

    async def answer(self, path: str, method: str) -> JsonResponse:
        """Return the response: 200 if all is well, else 503."""
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if method not in ("GET", "HEAD"):
            body = {"status": "failing", "failing": [], "message": "The method must be GET or HEAD"}
            return JsonResponse(body, status=405, headers={**headers, "Allow": "GET, HEAD"})
        body = await self._answers[path]()
        return JsonResponse(body, status=200 if body["status"] == OK else 503, headers=headers)

    async def _live(self) -> dict[str, Any]:
        return {"status": OK}

    async def _ready(self) -> dict[str, Any]:
        if draining.state.is_asked:
            return {"status": DRAINING, "failing": [], "checks": {}}
        return _body(await self._database.ask())

    async def _healthy(self) -> dict[str, Any]:
        probes = (self._database, self._parts, self._work)
        database, parts, work = await asyncio.gather(*(probe.ask() for probe in probes))
        return _body({**database, **parts, **work})

    def close(self) -> None:
        """End the threads."""
        for probe in (self._database, self._work, self._parts):
            probe.close()


def _body(checks: dict[str, str]) -> dict[str, Any]:
    failing = [name for name, found in checks.items() if found != OK]
    return {"status": "failing" if failing else OK, "failing": failing, "checks": checks}
