"""Check all open desks of a process together, and only those again for which something changed.

A desk must close once its session has ended or its agent has lost the worker, and must join the
groups of the queues that the agent serves. Events tell it of both, but may be lost.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from routing import models
from routing.db.compiled import MOMENT, SEQUENCE, CompiledQuery
from routing.db.pipeline import pipeline
from routing.sockets import run_and_log_errors, run_in_thread

ROUNDS: Final = 3
"""Rounds of checks within the time after which an end is noticed at the latest."""
CHUNK: Final = 500
"""Most desks that are compared in one thread at a time."""


class DeskKey(NamedTuple):
    """Whose desk it is: the session of its browser, and the user of that session."""

    session_key: str
    user_id: int


class DeskState(NamedTuple):
    """Numbers that change with what a desk's check reads.

    Arguments:
        rights: the session, the user and their workers.
        queues: what decides which queues the workers serve.
        load: the workers' load, which decides it too if an expression reads it.
    """

    rights: int
    queues: int
    load: int


class Desk(Protocol):
    """An open desk."""

    check_seconds: float
    """Seconds after which the end of a session is noticed at the latest."""

    @property
    def key(self) -> DeskKey:
        """Return whose desk it is."""

    @property
    def by_load(self) -> bool:
        """Return whether offers can change which queues the agent serves."""

    @property
    def checked_state(self) -> DeskState | None:
        """Return the state just before the last complete check."""

    async def check(self, state: DeskState | None) -> None:
        """Load everything again; close the desk if it has ended."""


_SESSIONS: Final = CompiledQuery(
    lambda keys=SEQUENCE, now=MOMENT: Session.objects.filter(
        session_key__in=keys, expire_date__gt=now
    ).values_list("session_key", "session_data")
)
_USERS: Final = CompiledQuery(
    lambda pks=SEQUENCE: User.objects.filter(pk__in=pks).values_list(
        "pk", "password", "is_active", "desk_settings__language"
    )
)


class _WorkerRow(NamedTuple):
    """What decides which queues a worker serves, and where they are a worker at all."""

    user_id: int
    pk: int
    workspace_id: int
    workspace_name: str
    version: int
    workload_version: int
    sid: str
    friendly_name: str
    attributes: str
    activity_id: int
    activity_name: str

    @property
    def described(self) -> tuple[Any, ...]:
        """Return what expressions read of the worker, but for the load."""
        return self[6:]


_WORKERS: Final = CompiledQuery(
    lambda users=SEQUENCE: (
        models.Worker.objects.filter(user__in=users)
        .order_by("pk")
        .values_list(
            *("user_id", "pk", "workspace_id", "workspace__friendly_name"),
            *("version", "workload_version", "sid", "friendly_name", "attributes"),
            *("activity_id", "activity__friendly_name"),
        )
    )
)
_QUEUES: Final = CompiledQuery(
    lambda workspaces=SEQUENCE: (
        models.TaskQueue.objects.filter(workspace__in=workspaces)
        .order_by("pk")
        .values_list("workspace_id", "pk", "date_updated")
    )
)


def load_states(keys: Collection[DeskKey]) -> Mapping[DeskKey, DeskState]:
    """Return the state of each desk whose session has not ended, by a few statements for all."""
    user_ids = list({key.user_id for key in keys})
    with pipeline():
        sessions = _SESSIONS.send([key.session_key for key in keys], timezone.now())
        users, workers = _USERS.send(user_ids), _WORKERS.send(user_ids)
    session_data = dict(sessions.result())
    user_rows = {row[0]: tuple(row) for row in users.result()}
    worker_rows: dict[int, list[_WorkerRow]] = defaultdict(list)
    for row in map(_WorkerRow._make, workers.result()):
        worker_rows[row.user_id].append(row)
    queues = _load_queue_states({row.workspace_id for rows in worker_rows.values() for row in rows})
    return {
        key: _build_state(
            (session_data[key.session_key], user_rows.get(key.user_id)),
            worker_rows[key.user_id],
            queues,
        )
        for key in keys
        if key.session_key in session_data
    }


def _load_queue_states(workspace_ids: Collection[int]) -> Mapping[int, int]:
    """Return by workspace id a number that changes with its queues."""
    queues: dict[int, list[Any]] = defaultdict(list)
    for row in _QUEUES(list(workspace_ids)):
        queues[row[0]].append(tuple(row))
    return {workspace_id: hash(tuple(rows)) for workspace_id, rows in queues.items()}


def _build_state(
    login: tuple[Any, ...], workers: Sequence[_WorkerRow], queues: Mapping[int, int]
) -> DeskState:
    return DeskState(
        rights=hash((login, *((row.pk, row.workspace_name) for row in workers))),
        queues=hash(tuple((row.described, queues.get(row.workspace_id)) for row in workers)),
        load=hash(tuple((row.version, row.workload_version) for row in workers)),
    )


class DeskChecks:
    """The open desks of one event loop, and the task that checks them."""

    def __init__(self) -> None:
        """Begin without a desk."""
        self._desks: set[Desk] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, desk: Desk) -> None:
        """Check a desk from now on."""
        self._desks.add(desk)
        if self._task is None:
            self._task = asyncio.create_task(self._check_while_open(desk.check_seconds / ROUNDS))

    def remove(self, desk: Desk) -> None:
        """Check a desk no more."""
        self._desks.discard(desk)

    async def _check_while_open(self, seconds: float) -> None:
        try:
            while self._desks:
                await asyncio.sleep(seconds)
                await run_and_log_errors(lambda: self._check_all(seconds))
        finally:
            self._task = None

    async def _check_all(self, seconds: float) -> None:
        """Check at once whose session or rights have changed, and spread the others over a round.

        What cannot be checked in time is left to the next round.
        """
        changed: list[tuple[Desk, DeskState]] = []
        desks = list(self._desks)
        for start in range(0, len(desks), CHUNK):
            chunk = desks[start : start + CHUNK]
            states = await _load_in_thread([desk.key for desk in chunk])
            for desk in chunk:
                state, before = states.get(desk.key), desk.checked_state
                if state is None or before is None or state.rights != before.rights:
                    await desk.check(state)
                elif state.queues != before.queues or (desk.by_load and state.load != before.load):
                    changed.append((desk, state))
        over_at = time.monotonic() + seconds
        for desk, state in changed:
            await asyncio.sleep(seconds / (len(changed) + 1))
            if time.monotonic() >= over_at:
                break
            if desk in self._desks:
                await desk.check(state)


async def _load_in_thread(keys: Sequence[DeskKey]) -> Mapping[DeskKey, DeskState]:
    return await run_in_thread(lambda: load_states(keys))


_of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, DeskChecks] = (
    weakref.WeakKeyDictionary()
)


def find_checks() -> DeskChecks:
    """Return the checks of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), DeskChecks())
