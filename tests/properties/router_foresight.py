"""Forecasts of explanations before a run or a grab, compared with the outcome."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from routing import models
from routing.actions.support.errors import ActionError, NotEligible
from routing.core.vocabulary import AssignmentStatus
from routing.explanations import facts
from routing.explanations.explanation import Explanation
from routing.snapshots import due_work

SOME: Final = 2
"""How many of the oldest and of the newest tasks are explained before each run."""


class Foresight:
    """What the next run of the router will do, as far as explanations say."""

    def __init__(self, workspace: models.Workspace, *, now: datetime) -> None:
        """Explain some of the waiting tasks, unless other work comes first.

        Overdue work and transfers to queues come first, and may take the workers that an
        explanation foresees.
        """
        workspace.refresh_from_db()
        newest = models.Reservation.objects.order_by("-pk").first()
        self._newest = 0 if newest is None else newest.pk
        self._explained: list[Explanation] = []
        seen = due_work.load_due_work(workspace, now=now)
        if seen.offers or seen.wrap_ups or seen.tasks or seen.transfers:
            return
        pending = workspace.tasks.filter(assignment_status=AssignmentStatus.PENDING.value)
        keys = list(pending.order_by("pk").values_list("pk", flat=True))
        rows = pending.filter(pk__in={*keys[:SOME], *keys[-SOME:]}).order_by("pk")
        self._explained = [
            facts.explain_task(row, now=now) for row in rows.select_related(*facts.READ_WITH)
        ]

    def check(self) -> None:
        """The foreseen workers got their offers, and no refused worker did."""
        for each in self._explained:
            ranked = {c.worker.sid for c in each.verdicts.inside if c.rank is not None}
            made = each.task.reservations.filter(pk__gt=self._newest)
            got = set(made.values_list("worker__sid", flat=True))
            if each.foreseen is not None and each.foreseen.workers:
                assert got == {w.sid for w in each.foreseen.workers}, (each.task.sid, got)
            elif not self._moved(each.task):
                assert got <= ranked, (each.task.sid, got, ranked)

    def _moved(self, before: models.Task) -> bool:
        """Return whether a task was skipped to another step, where other workers may have it."""
        now = models.Task.objects.get(pk=before.pk)
        step = (before.filter_index, before.target_index)
        return (now.filter_index, now.target_index) != step


def grab_refusal(task: models.Task, worker: models.Worker, *, now: datetime) -> str | None:
    """Return why a worker may not grab a task, as its explanation says."""
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    explained = facts.explain_task(row, now=now)
    if explained.due and row.expires_us <= int(now.timestamp() * 1_000_000):
        return "task_not_pending"
    verdict = explained.verdicts.find_verdict(worker.sid)
    assert verdict is not None
    return None if verdict.grab_refusal is None else verdict.grab_refusal.value


def check_grab(foreseen: str | None, error: ActionError | None) -> None:
    """A grab is refused for the explanation's reason, or else it succeeds."""
    if foreseen is None:
        assert error is None, error
    else:
        assert isinstance(error, NotEligible), (foreseen, error)
        assert error.refusal.value == foreseen
