"""Probes: concurrent callers share one run of checks, with a time limit and without a thread."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from config import draining, health, heartbeats
from config.patches.asgi_handler import ThreadedHandler
from config.probes import Probes
from routing.router import lag_warnings
from tests.project.test_http import ask

LATE = {"database": "no answer"}


class Checks:
    """Fake checks with the results that a test gives, the next one last."""

    def __init__(self) -> None:
        self.results: list[str] = []
        self.released = threading.Event()
        self.released.set()

    def run(self) -> dict[str, str]:
        """Return the next result, once released."""
        self.released.wait()
        return {"database": self.results.pop()}


@pytest.fixture
def checks() -> Checks:
    """Return checks without a result."""
    return Checks()


@pytest.fixture
def probe(checks: Checks) -> Iterator[health.Probe]:
    """Return a probe of them that waits for long."""
    probe = health.Probe(checks.run, seconds=60, late=LATE)
    yield probe
    checks.released.set()
    probe.close()


async def test_a_success_is_cached_for_a_second(
    checks: Checks, probe: health.Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    checks.results = ["gone", "ok"]
    assert await probe.ask() == {"database": "ok"}
    now += health.REUSE_SECONDS - 0.1
    assert await probe.ask() == {"database": "ok"}
    now += 0.2
    assert await probe.ask() == {"database": "gone"}


async def test_all_waiting_callers_get_a_failure_and_it_is_not_cached(
    checks: Checks, probe: health.Probe
) -> None:
    checks.results = ["ok", "gone"]
    checks.released.clear()
    asked = [asyncio.ensure_future(probe.ask()) for _ in range(50)]
    await asyncio.sleep(0)
    checks.released.set()
    assert all(found == {"database": "gone"} for found in await asyncio.gather(*asked))
    assert await probe.ask() == {"database": "ok"}


async def test_a_hanging_check_is_answered_at_its_time_limit_and_then_at_once(
    checks: Checks,
) -> None:
    checks.results = ["ok"]
    checks.released.clear()
    probe = health.Probe(checks.run, seconds=0.05, late=LATE)
    for _ in range(2):
        assert await probe.ask() == LATE
    checks.released.set()
    async with asyncio.timeout(30):
        while await probe.ask() == LATE:
            await asyncio.sleep(0)
    assert await probe.ask() == {"database": "ok"}
    probe.close()


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """Replace the checks by results; a test may change them."""
    found = {
        "database": {"database": "ok", "migrations": "ok"},
        "parts": {"redis": "ok"},
        "work": {"due_work": "ok"},
    }
    for name in found:
        monkeypatch.setattr(health, f"check_{name}", lambda name=name: found[name])
    return found


async def status(path: str, handler: ThreadedHandler) -> tuple[int, Any]:
    """Return the answer to a probe."""
    code, _, body = await ask(path, handler=handler, method="GET")
    return code, json.loads(body)


@pytest.mark.urls("config.urls")
async def test_each_probe_fails_only_by_its_own_checks(probes: dict[str, dict[str, str]]) -> None:
    handler = ThreadedHandler(threads=1)
    probes["parts"] = {"redis": "no answer"}
    assert await status("/livez", handler) == (200, {"status": "ok"})
    assert (await status("/readyz", handler))[0] == 200
    code, body = await status("/healthz", handler)
    assert (code, body["failing"]) == (503, ["redis"])
    handler.probes = Probes()
    probes["database"] = {"database": "ok", "migrations": "1 not applied"}
    assert await status("/readyz", handler) == (
        503,
        {"status": "failing", "failing": ["migrations"], "checks": probes["database"]},
    )
    assert (await status("/livez", handler))[0] == 200
    handler.close()


async def test_a_draining_process_is_alive_but_not_ready(
    probes: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = ThreadedHandler(threads=1)
    monkeypatch.setattr(draining.state, "is_asked", True)
    assert await status("/readyz", handler) == (
        503,
        {"status": "draining", "failing": [], "checks": {}},
    )
    assert (await status("/livez", handler))[0] == 200
    assert (await status("/healthz", handler))[0] == 200
    handler.close()


async def test_a_probe_is_answered_while_every_thread_is_busy(
    probes: dict[str, dict[str, str]],
) -> None:
    handler = ThreadedHandler(threads=1)
    release = threading.Event()
    busy = asyncio.ensure_future(handler.requests.run(release.wait, client="another"))
    assert (await status("/healthz", handler))[0] == 200
    release.set()
    await busy
    handler.close()


async def test_a_probe_accepts_only_reading_methods(probes: dict[str, dict[str, str]]) -> None:
    code, headers, _ = await ask("/livez")
    assert (code, headers[b"Allow"]) == (405, b"GET, HEAD")


@pytest.mark.django_db
def test_a_missing_migration_is_named() -> None:
    assert health.check_database() == {"database": "ok", "migrations": "ok"}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'routing'")
    found = health.check_database()["migrations"]
    assert "not applied, such as routing.0001" in found


@pytest.mark.django_db
def test_late_work_is_a_failure(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    assert health.check_work() == {"due_work": "ok"}
    late = timedelta(seconds=settings.LAG_SECONDS + 7)
    monkeypatch.setattr(lag_warnings, "find_oldest_due_age", lambda *, now: late)
    assert health.check_work() == {"due_work": f"{late.total_seconds():.0f} seconds late"}


def test_a_runner_that_answers_counts_while_another_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Its sign of life runs out while the check waits for the other.
    signs = iter([["jobs", "callbacks"], ["jobs"], ["jobs"]])

    def silent(kinds: list[str]) -> list[str]:
        return [kind for kind in next(signs, ["jobs", "callbacks"]) if kind in kinds]

    monkeypatch.setattr(heartbeats, "silent_runners", silent)
    monkeypatch.setattr(heartbeats, "may_ask_runner", lambda kind: False)
    monkeypatch.setattr(health, "RUNNER_SECONDS", 0.1)
    assert health._silent_runners() == ["jobs"]
