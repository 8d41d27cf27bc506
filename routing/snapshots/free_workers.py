"""Load the workers who may have a free slot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from routing import models
from routing.core import snapshot
from routing.core.matching import lane_keys
from routing.db.pipeline import Pending, open_cursor
from routing.db.sql import workers as workers_sql
from routing.snapshots import lanes
from routing.snapshots import workers as worker_snapshots

FEW: Final = 3
"""How many times more workers there must be than are looked up one by one."""

Version = tuple[int, int, int]
"""The id, the version and the workload version of a worker."""


@dataclass(frozen=True, slots=True)
class Among:
    """The only workers who may match, by id, of some number of workers in all."""

    ids: Sequence[int]
    of: int

    @property
    def is_few(self) -> bool:
        """Return whether they are so few that each is looked up."""
        return len(self.ids) * FEW <= self.of


def load_free_workers(
    workspace: models.Workspace,
    key_paths: Collection[lanes.KeyPath],
    *,
    among: Among | None = None,
) -> list[snapshot.Worker]:
    """Return the workers that `send_free_workers` finds."""
    found = send_free_workers(workspace, key_paths, among=among).result()
    return worker_snapshots.load_known(found)


def send_free_workers(
    workspace: models.Workspace,
    key_paths: Collection[lanes.KeyPath],
    *,
    among: Among | None = None,
    most: int | None = None,
) -> Pending[list[Version]]:
    """Send the query for workers who may have a free slot on these channels; see `pipeline`.

    Workers that lanes name regardless of their slots are found too.

    Arguments:
        among: the workers who may match at all; None for all.
        most: the most workers to find.
    """
    channels = list(dict.fromkeys(channel for channel, _ in key_paths))
    marks = ", ".join(["%s"] * len(channels))
    on_postgresql = connection.vendor == "postgresql"
    ids: list[Any] = []
    if among is not None:
        ids.append(list(among.ids) if on_postgresql else str(list(among.ids)))
    looks_up = on_postgresql and among is not None and among.is_few
    text = workers_sql.FREE_WORKERS_AMONG if looks_up else workers_sql.FREE_WORKERS
    # Without multitasking the capacity does not count, only whether the worker has a task.
    sql = text.format(
        distinct="DISTINCT" if len(channels) > 1 else "",
        channels=marks,
        capacity=workers_sql.WITHIN_CAPACITY if workspace.multi_task_enabled else "",
        among=workers_sql.AMONG_WORKERS[connection.vendor] if ids else "",
    )
    parameters = [*ids, *channels] if looks_up else [*channels, *ids]
    if any(path == lane_keys.REGARDLESS for _, path in key_paths):
        sql += workers_sql.NAMED_WORKERS.format(channels=marks)
        parameters += channels
    if most is not None:
        sql += "LIMIT %s"
        parameters.append(most)
    cursor = open_cursor()
    cursor.execute(sql, parameters)

    def read() -> list[Version]:
        with cursor:
            found: list[Version] = cursor.fetchall()
            return found

    return Pending(read)
