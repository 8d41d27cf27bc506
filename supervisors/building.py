"""Make pictures: the first of everything that was read, and newer ones from what has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from supervisors.picture import (
    Longest,
    OpenAlert,
    Picture,
    Place,
    Recent,
    Setup,
    Tasks,
    Worker,
    count_slots,
    find_state,
    free_channels,
)
from supervisors.staff import Staff
from supervisors.staff_sums import sum_staff


def build_picture(
    *,
    number: int,
    at_us: int,
    setup: Setup,
    tasks: Mapping[Place, Tasks],
    longest: Mapping[Place, Longest],
    workers: Iterable[Worker],
    recent: Mapping[Place, Recent],
    connected: Collection[str] | None,
    alerts: tuple[OpenAlert, ...] = (),
    counted_until_us: int | None = None,
) -> Picture:
    """Return the picture of everything that was read.

    Arguments:
        connected: the sids of workers with a desk or a session; None if that is not known.
    """
    by_id = {worker.id: worker for worker in workers}
    staff, everyone = sum_staff(list(by_id.values()), multi_task=setup.multi_task)
    return Picture(
        number=number,
        at_us=at_us,
        setup=setup,
        tasks=tasks,
        longest=longest,
        workers=by_id,
        staff=staff,
        everyone=everyone,
        recent=recent,
        unreachable=find_unreachable(by_id.values(), connected),
        knows_desks=connected is not None,
        alerts=alerts,
        counted_until_us=counted_until_us,
    )


def find_unreachable(
    workers: Iterable[Worker], connected: Collection[str] | None
) -> frozenset[int]:
    """Return the ids of the available workers to which no offer would get through."""
    if connected is None:
        return frozenset()
    return frozenset(
        worker.id for worker in workers if worker.available and worker.sid not in connected
    )


def renew_picture(
    before: Picture,
    *,
    number: int,
    at_us: int,
    tasks: Mapping[Place, Tasks],
    longest: Mapping[Place, Longest],
    changed: Iterable[Worker],
    gone: Collection[int] = (),
    recent: Mapping[Place, Recent],
    connected: Collection[str] | None,
    alerts: tuple[OpenAlert, ...] = (),
    counted_until_us: int | None = None,
) -> Picture:
    """Return a newer picture, for which only some workers were read.

    Arguments:
        changed: these workers, including new ones.
        gone: ids of workers who were deleted.
    """
    workers = dict(before.workers)
    pairs = [(workers.pop(pk, None), None) for pk in gone]
    for worker in changed:
        pairs.append((workers.get(worker.id), worker))  # type: ignore[arg-type]
        workers[worker.id] = worker
    moved = [(old, new) for old, new in pairs if old != new]
    staff = dict(before.staff)
    touched = {pk for pair in moved for one in pair if one is not None for pk in one.serves}
    staff.update({pk: before.staff_of(pk).copy() for pk in touched})
    everyone = before.everyone.copy() if moved else before.everyone
    for old, new in moved:
        if old is not None:
            _count(old, -1, before.setup, staff, everyone)
        if new is not None:
            _count(new, 1, before.setup, staff, everyone)
    staff = {pk: each for pk, each in staff.items() if each.workers}
    return replace(
        before,
        number=number,
        at_us=at_us,
        tasks=tasks,
        longest=longest,
        workers=workers,
        staff=staff,
        everyone=everyone,
        recent=recent,
        unreachable=find_unreachable(workers.values(), connected),
        knows_desks=connected is not None,
        alerts=alerts,
        counted_until_us=counted_until_us,
    )


def _count(
    worker: Worker, sign: int, setup: Setup, staff: dict[int, Staff], everyone: Staff
) -> None:
    """Add a worker to the sums (`sign` 1), or remove them (-1)."""
    state = find_state(worker, multi_task=setup.multi_task)
    free = free_channels(worker, multi_task=setup.multi_task)
    slots = [
        (load.channel, load.on, load.capacity, count_slots(load, available=worker.available))
        for load in worker.loads
    ]
    sums = [everyone]
    for pk in worker.serves:
        if pk not in staff:
            staff[pk] = Staff()
        sums.append(staff[pk])
    for each in sums:
        each.count(
            sign,
            state=state.value,
            activity=worker.activity,
            available=worker.available,
            free=free,
            slots=slots,
        )
