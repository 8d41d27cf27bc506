"""Web processes restarted one after the other behind nginx: no request or desk is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from routing.demo.client import ApiError, Client
from tests.chaos.web_cluster import Cluster, running_cluster
from tests.system.test_sockets import log_in

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]
CLIENTS: Final = 12
RESTARTS: Final = 10
DESKS: Final = 200
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 20.0


class Customers:
    """Threads that create one task after the other, each at once after the last answer."""

    def __init__(self, at: Cluster) -> None:
        self._at = at
        self._stopped = threading.Event()
        self.created: list[str] = []
        self.failed: list[str] = []
        self._threads = [threading.Thread(target=self._create) for _ in range(CLIENTS)]
        known = at.server.credentials()
        self._account = {"username": known["ACCOUNT_SID"], "password": known["AUTH_TOKEN"]}
        client = self._client()
        self.base = f"/Workspaces/{client.get('/Workspaces')['workspaces'][0]['sid']}"
        client.close()

    def _client(self) -> Client:
        return Client(host="127.0.0.1", port=self._at.port, **self._account)

    def __enter__(self) -> Customers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _create(self) -> None:
        client = self._client()
        while not self._stopped.is_set():
            key = f"{threading.get_ident()}-{time.monotonic_ns()}"
            try:
                task = client.create(f"{self.base}/Tasks", key, Attributes=json.dumps({"key": key}))
            except (ApiError, OSError) as error:
                self.failed.append(str(error))
            else:
                self.created.append(task["sid"])
        client.close()


@pytest.mark.parametrize("keepalive", [False, True])
def test_ten_restarts_fail_and_double_no_request(
    tmp_path: Path, postgres_url: str, redis_url: str, keepalive: bool
) -> None:
    with (
        running_cluster(tmp_path, postgres_url, redis_url, keepalive=keepalive) as at,
        psycopg.connect(at.server.environment["DATABASE_URL"], autocommit=True) as connection,
    ):
        query = "SELECT count(*), count(DISTINCT attributes) FROM tasks WHERE attributes LIKE %s"
        before = connection.execute(query, ['{"key": %']).fetchone()
        with Customers(at) as customers:
            at.restart(RESTARTS)
        after = connection.execute(query, ['{"key": %']).fetchone()
    assert before is not None
    assert after is not None
    print(f"{len(customers.created)} created, {len(customers.failed)} failed")  # noqa: T201
    assert customers.failed == []
    assert len(customers.created) > CLIENTS * RESTARTS
    assert [now - then for now, then in zip(after, before, strict=True)] == [
        len(customers.created)
    ] * 2


class Desks:
    """Desks that come back as `static/shared/socket.js` does."""

    def __init__(self, at: Cluster, cookies: str) -> None:
        self._url = f"ws://127.0.0.1:{at.port}/agent/socket"
        self._headers = {"Origin": f"http://127.0.0.1:{at.port}", "Cookie": cookies}
        self.open = 0
        self.ended: Counter[Any] = Counter()
        self.back: list[float] = []
        self.away: list[float] = []

    async def keep(self) -> None:
        """Keep one desk open until cancelled."""
        attempts = 0
        left_at = time.monotonic()
        while True:
            try:
                async with connect(self._url, additional_headers=self._headers) as socket:
                    while json.loads(await socket.recv())["event"] != "desk.ready":
                        continue
                    self.open += 1
                    self.back.append(time.monotonic())
                    self.away.append(time.monotonic() - left_at)
                    attempts = 0
                    with contextlib.suppress(ConnectionClosed):
                        async for _ in socket:
                            continue
                    self.open -= 1
                    left_at = time.monotonic()
                    self.ended[socket.close_code] += 1
            except (InvalidStatus, OSError, ConnectionClosed) as error:
                self.ended[str(error)] += 1
            longest = min(FIRST_WAIT_SECONDS * 2**attempts, LONGEST_WAIT_SECONDS)
            attempts += 1
            await asyncio.sleep(longest * (0.5 + random.random() / 2))


async def test_two_hundred_desks_reconnect_spread_over_time(
    tmp_path: Path, postgres_url: str, redis_url: str
) -> None:
    settings = {"DESK_SOCKETS_PER_USER": "1000", "CONNECTIONS_PER_ADDRESS": "2000"}
    with running_cluster(tmp_path, postgres_url, redis_url, settings=settings) as at:
        desks = Desks(at, log_in(at.server))
        kept = [asyncio.create_task(desks.keep()) for _ in range(DESKS)]
        try:
            await _until(lambda: desks.open == DESKS)
            desks.back.clear()
            desks.away.clear()
            await asyncio.to_thread(at.restart, 2)
            await _until(lambda: desks.open == DESKS)
        finally:
            for task in kept:
                task.cancel()
            await asyncio.wait(kept)
    seconds = Counter(int(moment) for moment in desks.back)
    worst = max(seconds.values())
    print(f"ended {dict(desks.ended)}, at most {worst} back in a second,")  # noqa: T201
    print(f"longest away {max(desks.away):.1f} s")  # noqa: T201
    # Every close was announced, and no desk had to try twice.
    assert set(desks.ended) == {1012}
    assert worst < 160
    assert max(desks.away) < 5


async def _until(holds: Any) -> None:
    async with asyncio.timeout(120):
        while not holds():
            await asyncio.sleep(0.05)
