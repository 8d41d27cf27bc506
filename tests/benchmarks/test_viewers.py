"""Many open cockpits beside a working floor: ages, offers, statements and memory (P4, P6, P12).

`VIEWERS` is their number; they have ten different views. Everything shares one machine: the server,
its database, the agents, and the viewers. `pg_stat_statements` counts the statements.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from typing import Any, Final

import psycopg
import pytest

from tests import postgres
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import (
    Helper,
    cpu_seconds,
    database_cpu_seconds,
    memory_kb,
    run_to_end,
    running_helper,
)
from tests.benchmarks.test_latency import rush
from tests.server import ROOT, Cordboard, running_server

pytestmark = pytest.mark.bench

VIEWERS: Final = int(os.environ.get("VIEWERS", "500"))
FEW: Final = 10
RATE: Final = 50
WARMING, SECONDS = 3, 15
SETTLE_SECONDS: Final = 6.0
LAG_SAMPLE_SECONDS: Final = 0.05
MOST_AGE_MS, MOST_LAG_SECONDS, KILOBYTES = 2_000, 1.0, 40
LIBRARY: Final = "pg_stat_statements"
COUNT_STATEMENTS: Final = f"SELECT sum(calls) FROM {LIBRARY}"
LAG: Final = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - oldest.event_date)), 0)
    FROM workspaces JOIN bookmarks ON bookmarks.workspace_id = workspaces.id,
    LATERAL (
        SELECT event_date FROM events
        WHERE workspace_sid = workspaces.sid
            AND (transaction_id, id) > (bookmarks.transaction_id, bookmarks.event_id)
        ORDER BY transaction_id, id LIMIT 1
    ) AS oldest
"""
"""The age of the oldest event that is not counted."""


def test_many_viewers_beside_a_working_floor(
    table: Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    more = {"CONNECTIONS_PER_ADDRESS": "5000"}
    with (
        postgres.private_server(durable=True, preload=LIBRARY) as url,
        running_server(
            tmp_path_factory.mktemp("viewers"), environment={"DATABASE_URL": url, **more}
        ) as server,
        running_helper("viewers", server, server.port) as clients,
        psycopg.connect(url, autocommit=True) as database,
    ):
        database.execute(f"CREATE EXTENSION {LIBRARY}")
        crowd = make_crowd(server)
        workspace = crowd["base"].rpartition("/")[2]
        pages = run_to_end("viewer_data", server, workspace, str(VIEWERS))
        run = Measurement(table, server, url, database, crowd, clients)
        alone = run.measure("no viewers")
        clients.ask(do="open", pages=pages[:FEW])
        few = run.measure(f"{FEW} viewers")
        web = server.part("web")
        before = memory_kb(web)
        assert clients.ask(do="open", pages=pages[FEW:])["opened"] == VIEWERS
        time.sleep(SETTLE_SECONDS)
        memory = (memory_kb(web) - before) / (VIEWERS - FEW)
        many = run.measure(f"{VIEWERS} viewers")
        run.compare(alone, few, many)
        table.add(
            f"P12 memory of the web process for each of {VIEWERS} viewers ({KILOBYTES} kB)",
            f"{memory:.1f} kB",
            "",
            memory <= KILOBYTES,
        )


def make_crowd(server: Cordboard) -> dict[str, Any]:
    """Make the floor of `test_latency`, with room for the tasks of all measurements."""
    made = subprocess.run(
        [
            *(sys.executable, "-m", "tests.benchmarks.latency_data"),
            json.dumps({str(RATE): RATE * (WARMING + SECONDS) * 3}),
        ],
        cwd=ROOT,
        env=server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(made.stdout)
    return found


class Measurement:
    """A floor that works at an even rate, and what it costs."""

    def __init__(
        self,
        table: Table,
        server: Cordboard,
        url: str,
        database: psycopg.Connection[Any],
        crowd: dict[str, Any],
        clients: Helper,
    ) -> None:
        self.table, self.server, self.url = table, server, url
        self.database, self.crowd, self.clients = database, crowd, clients

    def measure(self, name: str) -> dict[str, Any]:
        """Post at an even rate for some seconds; return what was seen."""
        asyncio.run(rush(self.server, self.crowd, RATE, seconds=WARMING))
        lags: list[float] = []
        over = threading.Event()
        sampler = threading.Thread(target=self._sample_lag, args=(lags, over))
        web, begun = self.server.part("web"), time.monotonic()
        spent = cpu_seconds(web), database_cpu_seconds(self.url), self._count_statements()
        self.clients.ask(do="sample", seconds=SECONDS)
        sampler.start()
        taken = asyncio.run(rush(self.server, self.crowd, RATE, seconds=SECONDS))
        over.set()
        sampler.join()
        seconds = time.monotonic() - begun
        cpu = cpu_seconds(web) - spent[0], database_cpu_seconds(self.url) - spent[1]
        found: dict[str, Any] = self.clients.ask(do="report")
        assert not found["lost"]
        found |= {
            "offer_ms": taken[len(taken) * 99 // 100],
            "statements": (self._count_statements() - spent[2] - len(lags)) / seconds,
            "web": cpu[0] / seconds,
            "lag": sorted(lags)[len(lags) * 99 // 100],
        }
        self.table.add(
            f"    {name}, {RATE} tasks/s: CPU of web and database; what viewers did a second",
            f"{cpu[0] / seconds:.0%} {cpu[1] / seconds:.0%}",
            " ".join(f"{what} {count / seconds:.0f}" for what, count in found["counts"].items()),
        )
        return found

    def compare(self, alone: dict[str, Any], few: dict[str, Any], many: dict[str, Any]) -> None:
        """Add the bars."""
        ages = many["ages"]
        p50, p99 = (ages[len(ages) * part // 100] / 1000 for part in (50, 99))
        self.table.add(
            f"P4  {VIEWERS} viewers: age of what is shown, p99 ({MOST_AGE_MS / 1000:.0f} s)",
            f"p50 {p50:.2f} p99 {p99:.2f} max {ages[-1] / 1000:.2f} s",
            "",
            p99 * 1000 <= MOST_AGE_MS,
        )
        ratio = many["offer_ms"] / alone["offer_ms"]
        self.table.add(
            f"P4  POST to offer, p99, {VIEWERS} viewers beside none (1.1x)",
            f"{alone['offer_ms']:.0f}  {many['offer_ms']:.0f} ms",
            f"{ratio:.2f}x",
            ratio <= 1.1,
        )
        ratio = many["statements"] / few["statements"]
        self.table.add(
            f"P4  statements a second, {VIEWERS} viewers beside {FEW} (1.2x)",
            f"{few['statements']:.0f}  {many['statements']:.0f}",
            f"{ratio:.2f}x",
            ratio <= 1.2,
        )
        lag = alone["lag"]
        self.table.add(
            f"P6  lag of the bookkeeper at {RATE} tasks/s, p99 ({MOST_LAG_SECONDS} s)",
            f"{lag:.2f} s",
            "",
            lag <= MOST_LAG_SECONDS,
        )

    def _count_statements(self) -> int:
        row = self.database.execute(COUNT_STATEMENTS).fetchone()
        assert row is not None
        return int(row[0])

    def _sample_lag(self, lags: list[float], over: threading.Event) -> None:
        with psycopg.connect(self.url, autocommit=True) as database:
            while not over.wait(LAG_SAMPLE_SECONDS):
                row = database.execute(LAG).fetchone()
                assert row is not None
                lags.append(float(row[0]))
