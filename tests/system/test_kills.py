"""`kill -9` in the middle of load: nothing is lost, nothing done twice, nothing stuck."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import launcher, redis
from tests.server import (
    Cordboard,
    are_all_ended,
    is_alive,
    running_part,
    running_server,
    wait_until,
)
from tests.system.load import Load

pytestmark = pytest.mark.system
ENOUGH = 8
"""Tasks completed before a part dies, and again after it is back."""
LONGEST = 60.0
"""Seconds; generous, for a machine that is busy with other things."""
PARTS = ["web", "jobs", "callbacks", "beat", "redis"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server that every test leaves running, also after a kill."""
    with running_server(tmp_path_factory.mktemp("killed") / "var") as server:
        yield server


def more_completed(load: Load, count: int = ENOUGH) -> None:
    """Wait until so many more tasks were completed, which shows that everything works."""
    enough = load.counted["completed"] + count
    wait_until(lambda: load.counted["completed"] >= enough, "tasks are routed", seconds=LONGEST)


def count_unfinished(server: Cordboard) -> tuple[int, int]:
    """Return how many tasks are not completed, and how many events not published."""
    place = f"file:{server.home / 'cordboard.sqlite3'}?mode=ro"
    with contextlib.closing(sqlite3.connect(place, uri=True)) as database:
        (tasks,) = database.execute(
            "SELECT count(*) FROM tasks WHERE assignment_status <> 'completed'"
        ).fetchone()
        (events,) = database.execute("SELECT count(*) FROM unpublished_events").fetchone()
    return tasks, events


def audit(server: Cordboard) -> dict[str, Any]:
    """Read the server's database from a process beside it."""
    read = launcher.run("-m", "tests.system.database_audit", env=server.environment)
    assert read.returncode == 0, read.stderr
    report: dict[str, Any] = json.loads(read.stdout.splitlines()[-1])
    return report


def check_everything_ends_well(
    load: Load, server: Cordboard, killed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stop creating tasks, wait until all are completed, and check the tables."""
    load.stop_creating()
    wait_until(load.are_creations_answered, "every creation is answered", seconds=LONGEST)
    try:
        wait_until(
            lambda: count_unfinished(server) == (0, 0),
            "every task is completed and every event told",
            seconds=LONGEST,
        )
    finally:
        report = audit(server)
        counted = ", ".join(f"{count} {what}" for what, count in sorted(load.counted.items()))
        with capsys.disabled():
            print(  # noqa: T201 - the figures are what it is for
                f"\nkill -9 of {killed}: {counted}; {len(load.created)} creations answered;"
                f" in the end {report['statuses']}, {report['events']} events,"
                f" {report['undelivered']} of them untold, wrong: {report['wrong']}"
            )
    assert set(report["statuses"]) == {"completed"}
    assert report["undelivered"] == 0
    assert report["wrong"] == []
    assert report["doubled"] == []
    assert report["two owners"] == []
    assert set(load.created.values()) <= set(report["completed"])


@pytest.mark.parametrize("killed", [*([part] for part in PARTS), PARTS], ids=" and ".join)
def test_the_next_start_continues_after_any_part_was_killed_under_load(
    server: Cordboard, killed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with Load(server).keep_busy() as load:
        more_completed(load)
        parts = server.parts()
        for name in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(parts[name], signal.SIGKILL)
        assert server.ended() != 0
        wait_until(lambda: are_all_ended(parts), "no part is left")
        server.start()
        more_completed(load)
        check_everything_ends_well(load, server, " and ".join(killed), capsys)


def test_two_runners_and_two_beats_share_the_work_when_one_of_each_is_killed(
    server: Cordboard, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        running_part(server, "jobs") as jobs,
        running_part(server, "beat") as beat,
        Load(server).keep_busy() as load,
    ):
        more_completed(load)
        jobs.kill()
        beat.kill()
        more_completed(load)
        check_everything_ends_well(load, server, "a second runner and a second beat", capsys)
        assert all(is_alive(process) for process in server.parts().values())


def test_a_redis_that_restarts_empty_under_load_loses_no_task_and_no_worker(
    data_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cb-", dir="/tmp")))
        with redis.private_server(place / "redis.sock", end_by=signal.SIGKILL) as url:
            server = stack.enter_context(
                running_server(data_directory, environment={"REDIS_URL": url})
            )
            load = stack.enter_context(Load(server).keep_busy())
            more_completed(load)
        before = len(load.created)
        wait_until(lambda: len(load.created) > before + 5, "tasks are taken on without a Redis")
        stack.enter_context(redis.private_server(place / "redis.sock"))
        more_completed(load)
        check_everything_ends_well(load, server, "a Redis of its own", capsys)
        assert "Traceback" not in server.said()
