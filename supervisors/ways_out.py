"""Ways out of a queue's trouble: commands that would let tasks move, each with its arguments.

Nothing is done by itself: a way out is proposed, and a supervisor decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from routing.core.vocabulary import GrabPolicy
from routing.models.worker_channels import MAX_CAPACITY
from supervisors.demands import Demand, Demands
from supervisors.judging import Judged, Reason, Severity, judge_queues
from supervisors.lacking import Lack, find_lack
from supervisors.picture import Activity, Load, Picture, Worker, count_slots, free_channels
from supervisors.unserved import Unserved

MOST_WAYS: Final = 8
MOST_SUBJECTS: Final = 200
"""The number of rows that one way out changes: its link must fit into 8 kB."""
LONG_US: Final = timedelta(minutes=20) // timedelta(microseconds=1)
"""The time in an activity after which a worker is asked first to come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """A proposed command.

    Arguments:
        kind: which way it is; `supervisors.proposals` has its sentence.
        command: the name of the command, such as `workers.set_capacity`.
        fields: what its form is filled with, by the names of `supervisors.forms`.
        subjects: the sids of the rows that it changes.
        moves: the number of tasks that it would let move, at most.
        values: further values of the sentence.
    """

    kind: str
    command: str
    fields: Mapping[str, Any]
    subjects: Sequence[str]
    moves: int
    values: Mapping[str, str] = field(default_factory=dict)


def find_ways_out(
    picture: Picture,
    judged: Judged,
    demands: Demands,
    oldest: Sequence[str],
    unserved: Unserved | None = None,
) -> list[WayOut]:
    """Return ways out for a queue with waiting tasks, at most `MOST_WAYS`, the best first.

    Arguments:
        oldest: the sids of its oldest waiting tasks.
        unserved: what keeps all workers out of it, if no worker serves it.
    """
    if not judged.tasks.waiting:
        return []
    serving = [each for each in picture.workers.values() if judged.queue.id in each.serves]
    found: list[WayOut] = []
    if picture.setup.multi_task:
        for channel in judged.waiting_on:
            waiting = picture.tasks[judged.queue.id, channel].waiting
            capable = _select_capable(serving, demands, {channel})
            found.extend(_change_slots(picture, capable, channel, waiting))
    found.extend(_fetch(picture, _select_capable(serving, demands, judged.waiting_on), judged))
    found.extend(_put_away(picture, judged))
    found.extend(_teach(picture, demands))
    found.extend(_admit(judged, unserved))
    found.extend(_let_grab(judged))
    found.extend(_move(picture, judged, oldest))
    found.sort(key=lambda way: -way.moves)
    return [way for way in found if way.moves][:MOST_WAYS]


def _select_capable(
    serving: Iterable[Worker], demands: Demands, channels: Collection[int]
) -> list[Worker]:
    """Return the workers who could take some of the waiting tasks if they had a slot."""
    capable = {pk for each in demands.demands if each.channel in channels for pk in each.capable}
    return [worker for worker in serving if worker.id in capable]


def _change_slots(
    picture: Picture, serving: Iterable[Worker], channel: int, waiting: int
) -> Iterator[WayOut]:
    """Yield the ways that open slots of available workers on one channel."""
    loads = [
        (worker, load)
        for worker in serving
        if worker.available and worker.readable
        for load in worker.loads
        if load.channel == channel
    ]
    chosen = picture.setup.channels[channel]
    values = {"channel": chosen.name}
    off = [(w, load) for w, load in loads if not load.on and load.busy < load.capacity]
    yield _open(
        "switch_on",
        "workers.set_available",
        {"channel": chosen.unique_name, "available": "true"},
        off,
        sum(load.capacity - load.busy for _, load in off),
        waiting,
        values,
    )
    full = [
        (w, load)
        for w, load in loads
        if load.on and 0 < load.capacity < MAX_CAPACITY and not _slots(load)[0]
    ]
    yield _open(
        "raise_capacity",
        "workers.set_capacity",
        {"channel": chosen.unique_name, "by": 1},
        full,
        len(full),
        waiting,
        values,
    )
    kept = [(w, load) for w, load in loads if load.on and _is_kept(load)]
    yield _open(
        "release_kept",
        "workers.set_kept",
        {"channel": chosen.unique_name, "to": 0},
        kept,
        sum(_slots(load)[1] for _, load in kept),
        waiting,
        values,
    )


def _slots(load: Load) -> tuple[int, int]:
    """Return the free slots of an available worker's channel, and those kept for grabbing."""
    slots = count_slots(load, available=True)
    return slots.free, slots.kept


def _is_kept(load: Load) -> bool:
    free, kept = _slots(load)
    return bool(free) and free == kept


def _open(
    kind: str,
    command: str,
    fields: Mapping[str, Any],
    found: Sequence[tuple[Worker, Load]],
    slots: int,
    waiting: int,
    values: Mapping[str, str],
) -> WayOut:
    return WayOut(
        kind=kind,
        command=command,
        fields=fields,
        subjects=[worker.sid for worker, _ in found[:MOST_SUBJECTS]],
        moves=min(slots, waiting),
        values={**values, "slots": str(slots)},
    )


def _fetch(picture: Picture, serving: Iterable[Worker], judged: Judged) -> Iterator[WayOut]:
    """Yield for each activity that takes no work those who could come back, longest first."""
    target = _find_available_activity(picture)
    if target is None:
        return
    wanted = set(judged.waiting_on)
    by_activity: dict[int, list[Worker]] = defaultdict(list)
    for worker in serving:
        if not worker.available and worker.readable and _count_closed(worker, wanted, picture):
            by_activity[worker.activity].append(worker)
    for pk, workers in by_activity.items():
        activity = picture.setup.activities.get(pk)
        if activity is None:
            continue
        workers.sort(key=lambda each: each.since_us)
        long = [each for each in workers if picture.at_us - each.since_us > LONG_US]
        for kind, some in (("fetch_long", long), ("fetch", workers)):
            if not some or (kind == "fetch" and len(long) == len(workers)):
                continue
            slots = sum(_count_closed(each, wanted, picture) for each in some)
            yield WayOut(
                kind=kind,
                command="workers.set_activity",
                fields={"activity": target.sid},
                subjects=[each.sid for each in some[:MOST_SUBJECTS]],
                moves=min(slots, judged.tasks.waiting),
                values={"activity": activity.name, "target": target.name},
            )


def _find_available_activity(picture: Picture, *, available: bool = True) -> Activity | None:
    activities = picture.setup.activities.values()
    return next((each for each in activities if each.available is available), None)


def _put_away(picture: Picture, judged: Judged) -> Iterator[WayOut]:
    """Yield the move of those who let offers expire to an activity that takes no work."""
    target = _find_available_activity(picture, available=False)
    if target is None or judged.why is None or judged.why.reason is not Reason.OFFERS_FAIL:
        return
    names = dict(judged.recent.missed_by)
    available = {worker.sid for worker in picture.workers.values() if worker.available}
    subjects = [sid for sid in names.values() if sid in available]
    if subjects:
        yield WayOut(
            kind="put_away",
            command="workers.set_activity",
            fields={"activity": target.sid},
            subjects=subjects[:MOST_SUBJECTS],
            moves=judged.tasks.waiting,
            values={"target": target.name},
        )


def _count_closed(worker: Worker, channels: set[int], picture: Picture) -> int:
    """Return how many slots a worker who takes no work would have on these channels."""
    if not picture.setup.multi_task:
        return 0 if worker.in_hand or worker.on_offer else 1
    return sum(
        max(load.capacity - load.busy - load.offered, 0)
        for load in worker.loads
        if load.on and load.channel in channels
    )


def _teach(picture: Picture, demands: Demands) -> Iterator[WayOut]:
    """Yield for each attribute the free workers who lack only this one."""
    lacking: dict[Lack, list[tuple[Worker, Demand]]] = defaultdict(list)
    for demand in demands.demands:
        for pk in demand.lacking:
            worker = picture.workers.get(pk)
            if worker is None or not _is_free(worker, demand.channel, picture):
                continue
            candidate = demands.candidates[pk]
            lack = find_lack(demand.lane, candidate.view(), demand.task, demands.clock)
            if lack is not None:
                lacking[lack].append((worker, demand))
    for lack, pairs in lacking.items():
        workers = list({worker.id: worker for worker, _ in pairs}.values())
        waiting = sum({demand.lane.id: demand.waiting for _, demand in pairs}.values())
        yield WayOut(
            kind="teach",
            command="workers.set_attributes",
            fields=lack.fields,
            subjects=[worker.sid for worker in workers[:MOST_SUBJECTS]],
            moves=min(len(workers), waiting),
            values={"term": lack.term},
        )


def _admit(judged: Judged, unserved: Unserved | None) -> Iterator[WayOut]:
    """Yield for each condition of a queue that no worker serves the free workers who lack it."""
    for term in () if unserved is None else unserved.terms:
        if term.lack is not None and term.free:
            yield WayOut(
                kind="admit",
                command="workers.set_attributes",
                fields=term.lack.fields,
                subjects=[worker.sid for worker in term.free[:MOST_SUBJECTS]],
                moves=min(len(term.free), judged.tasks.waiting),
                values={"term": term.lack.term},
            )


def _is_free(worker: Worker, channel: int, picture: Picture) -> bool:
    return channel in free_channels(worker, multi_task=picture.setup.multi_task)


def _let_grab(judged: Judged) -> Iterator[WayOut]:
    if judged.queue.grab_policy == GrabPolicy.OFF and judged.free:
        yield WayOut(
            kind="let_grab",
            command="queues.set_grab_policy",
            fields={"policy": GrabPolicy.ANYTHING.value},
            subjects=[judged.queue.sid],
            moves=min(judged.free, judged.tasks.waiting),
            values={"free": str(judged.free)},
        )


def _move(picture: Picture, judged: Judged, oldest: Sequence[str]) -> Iterator[WayOut]:
    """Yield the move to the queue with most workers free for what waits."""
    if judged.free:
        return
    others = [
        (other.staff.free_for(judged.waiting_on), other)
        for other in judge_queues(picture)
        if other.queue.id != judged.queue.id and other.severity is not Severity.ACT
    ]
    free, target = max(others, key=lambda pair: pair[0], default=(0, None))
    count = min(free, judged.tasks.waiting, len(oldest))
    if target is not None and count:
        yield WayOut(
            kind="move",
            command="tasks.move",
            fields={"to": target.queue.sid},
            subjects=list(oldest[:count]),
            moves=count,
            values={"queue": target.queue.name, "free": str(free)},
        )
