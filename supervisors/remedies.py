"""What would let one worker have a task: for each reason the command that removes it.

A remedy is also tried on the worker's snapshot, by the functions of the router, to say what it
would bring about. Nothing is changed by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from routing.core import snapshot
from routing.core.attribute_edits import Edit, EditKind, EditRefused, apply_edits
from routing.core.eligibility import Candidate, TaskRequirements
from routing.core.verdicts import Verdict, Verdicts, judge_workers
from routing.core.vocabulary import Refusal
from routing.models.worker_channels import MAX_CAPACITY
from supervisors.expression_words import write_scalar
from supervisors.lacking import Lack, find_lack
from supervisors.picture import Activity, Setup

MOST_TRIED: Final = 200
"""The number of workers of one reason on which remedies are tried."""

Change = Callable[[snapshot.Worker], snapshot.Worker]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """The command that removes the reason why a worker may not have a task.

    Arguments:
        kind: which remedy it is; `supervisors.task` has its words.
        command: the name of the command, whose row is the worker.
        fields: values of its form.
        values: values of its sentence, in the language of the page.
        change: returns the worker as they would be.
    """

    kind: str
    command: str
    fields: Mapping[str, Any]
    values: Mapping[str, str]
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What a remedy would bring about: the worker would be asked, as number `rank`."""

    remedy: Remedy
    worker: snapshot.Worker
    rank: int


class Remedies:
    """The remedies for one waiting task."""

    def __init__(self, needed: TaskRequirements, setup: Setup) -> None:
        self._needed = needed
        self._channel = setup.channels.get(needed.lane.task_channel_id)
        self._multi_task = setup.multi_task
        activities = setup.activities.values()
        self._target: Activity | None = next((each for each in activities if each.available), None)

    def find_remedy(self, verdict: Verdict) -> Remedy | None:
        """Return what removes the reason of a verdict; None if no command does."""
        worker = verdict.worker
        match verdict.refusal:
            case Refusal.WORKER_UNAVAILABLE:
                return self._fetch()
            case Refusal.CHANNEL_UNAVAILABLE:
                return self._switch_on(worker)
            case Refusal.NO_CAPACITY:
                return self._raise_capacity(worker)
            case Refusal.KEPT_FOR_MANUAL:
                return self._release_kept()
            case Refusal.EXPRESSION_NOT_MET:
                view = Candidate(worker).view()
                lack = find_lack(self._needed.lane, view, self._needed.task, self._needed.clock)
                return None if lack is None else _teach(lack)
            case _:
                return None

    def find_what_ifs(self, verdicts: Verdicts) -> list[WhatIf]:
        """Return for each kind of remedy the worker who would be asked first of all.

        Only remedies are named after which the router would ask the worker.
        """
        by_kind: dict[str, list[tuple[snapshot.Worker, Remedy]]] = {}
        for verdict in verdicts.inside:
            if verdict.refusal in _TRIED:
                some = by_kind.setdefault(verdict.refusal.value, [])
                if len(some) < MOST_TRIED and (remedy := self.find_remedy(verdict)) is not None:
                    some.append((verdict.worker, remedy))
        eligible = [each.worker for each in verdicts.inside if each.rank is not None]
        found = [
            self._try(eligible, by_kind[reason.value])
            for reason in _TRIED
            if by_kind.get(reason.value)
        ]
        return [each for each in found if each is not None]

    def _try(
        self, eligible: Sequence[snapshot.Worker], pairs: Iterable[tuple[snapshot.Worker, Remedy]]
    ) -> WhatIf | None:
        """Return the first of these workers that the router would ask after their remedy."""
        remedies = {worker.id: remedy for worker, remedy in pairs}
        changed = [remedies[worker.id].change(worker) for worker, _ in pairs]
        judged = judge_workers(self._needed, changed).inside
        first = next((each for each in judged if each.rank is not None), None)
        if first is None:
            return None
        alone = judge_workers(self._needed, [*eligible, first.worker])
        verdict = alone.find_verdict(first.worker.sid)
        if verdict is None or verdict.rank is None:
            return None
        remedy = remedies[first.worker.id]
        return WhatIf(remedy=remedy, worker=first.worker, rank=verdict.rank)

    def _fetch(self) -> Remedy | None:
        target = self._target
        if target is None:
            return None
        return Remedy(
            kind="fetch",
            command="workers.set_activity",
            fields={"activity": target.sid},
            values={"activity": target.name},
            change=lambda worker: replace(
                worker, available=True, activity_sid=target.sid, activity_name=target.name
            ),
        )

    def _switch_on(self, worker: snapshot.Worker) -> Remedy | None:
        if self._needed.lane.task_channel_id not in worker.channels:
            return None
        return self._change_channel(
            "switch_on",
            "workers.set_available",
            {"available": "true"},
            lambda channel: replace(channel, available=True),
        )

    def _raise_capacity(self, worker: snapshot.Worker) -> Remedy | None:
        channel = worker.channels.get(self._needed.lane.task_channel_id)
        if not self._multi_task or channel is None or channel.configured_capacity >= MAX_CAPACITY:
            return None
        return self._change_channel(
            "raise_capacity",
            "workers.set_capacity",
            {"by": 1},
            lambda each: replace(each, configured_capacity=each.configured_capacity + 1),
        )

    def _release_kept(self) -> Remedy | None:
        return self._change_channel(
            "release_kept",
            "workers.set_kept",
            {"to": 0},
            lambda channel: replace(channel, reserved_for_manual=0),
        )

    def _change_channel(
        self,
        kind: str,
        command: str,
        fields: Mapping[str, Any],
        change: Callable[[snapshot.WorkerChannel], snapshot.WorkerChannel],
    ) -> Remedy | None:
        if self._channel is None:
            return None
        pk = self._channel.id
        return Remedy(
            kind=kind,
            command=command,
            fields={"channel": self._channel.unique_name, **fields},
            values={"channel": self._channel.name},
            change=lambda worker: replace(
                worker, channels={**worker.channels, pk: change(worker.channels[pk])}
            ),
        )


_TRIED: Final = (
    *(Refusal.NO_CAPACITY, Refusal.KEPT_FOR_MANUAL, Refusal.CHANNEL_UNAVAILABLE),
    *(Refusal.EXPRESSION_NOT_MET, Refusal.WORKER_UNAVAILABLE),
)
"""The reasons whose remedies are tried, the smallest change first."""


def _teach(lack: Lack) -> Remedy:
    edit = Edit(kind=EditKind(lack.kind), path=lack.path, value=lack.value)

    def change(worker: snapshot.Worker) -> snapshot.Worker:
        try:
            return replace(worker, attributes=apply_edits(worker.attributes, [edit]))
        except EditRefused:
            return worker

    return Remedy(
        kind=f"teach_{lack.kind}",
        command="workers.set_attributes",
        fields=lack.fields,
        values={"path": lack.path, "value": write_scalar(lack.value)},
        change=change,
    )
