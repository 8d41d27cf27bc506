"""Who serves which queue, and sums by queue: for all workers at once as for each alone."""

from __future__ import annotations

import random

import pytest

from routing import models
from routing.core import eligibility
from routing.core.eligibility import Candidate
from routing.snapshots import lanes
from routing.snapshots.workers import load_workers
from supervisors.building import build_picture, renew_picture
from supervisors.picture import Load, Setup, Worker
from supervisors.serving import Serving
from tests import factories

EXPRESSIONS = (
    "1==1",
    "",
    'languages HAS "es" AND level >= 2',
    'languages HAS "es" OR languages HAS "de"',
    'friendly_name != "worker 3"',
    'team NOT IN ["blue", "red"] AND (level == 1 OR level == 3)',
    "missing == null",
    "worker.channel.chat.available_capacity_percentage > 50",
    'activity_name == "Available"',
)


@pytest.mark.django_db
def test_workers_serve_the_same_queues_together_as_each_alone() -> None:
    workspace = factories.workspace()
    dice = random.Random(1)
    for expression in EXPRESSIONS:
        factories.queue(workspace, target_workers=expression)
    for number in range(40):
        factories.worker(
            workspace,
            f"worker {number}",
            available=bool(number % 3),
            capacity={"chat": number % 4},
            attributes={
                "languages": dice.sample(["es", "de", "en"], 2),
                "level": number % 5,
                "team": dice.choice(["blue", "red", "green"]),
            },
        )
    models.Worker.objects.filter(friendly_name="worker 7").update(attributes="[")
    queues = list(workspace.task_queues.all())
    workers = load_workers(workspace.workers.all())
    expected = {
        worker.id: {
            queue.pk
            for queue in queues
            if eligibility.membership_refusal(Candidate(worker), lanes.build_queue(queue)) is None
        }
        for worker in workers
    }
    assert any(not worker.readable for worker in workers)
    assert Serving(queues).find_queues(workers) == expected


@pytest.mark.parametrize("multi_task", [True, False])
def test_sums_of_all_workers_are_those_of_each_added_up(multi_task: bool) -> None:
    dice = random.Random(2)
    setup = Setup(multi_task=multi_task, queues={}, channels={}, activities={})
    workers = [draw_worker(dice, pk) for pk in range(1, 200)]

    def paint(some: list[Worker]):  # type: ignore[no-untyped-def]
        return build_picture(
            number=1, at_us=0, setup=setup, tasks={}, longest={}, workers=some, recent={},
            connected=None,
        )  # fmt: skip

    together = paint(workers)
    one_by_one = renew_picture(
        paint([]), number=2, at_us=0, tasks={}, longest={}, changed=workers, recent={},
        connected=None,
    )  # fmt: skip
    assert together.staff == one_by_one.staff
    assert together.everyone == one_by_one.everyone
    assert together.everyone.workers == 199


def draw_worker(dice: random.Random, pk: int) -> Worker:
    """Return a worker with loads and queues by chance."""
    loads = tuple(
        Load(channel, dice.randint(0, 3), dice.random() < 0.8, dice.randint(0, 1),
             dice.randint(0, 2), dice.randint(0, 1))
        for channel in dice.sample([1, 2, 3], dice.randint(1, 3))
    )  # fmt: skip
    return Worker(
        id=pk,
        sid=f"WK{pk}",
        name=f"worker {pk}",
        activity=dice.randint(1, 3),
        available=dice.random() < 0.7,
        since_us=0,
        loads=loads,
        serves=frozenset(dice.sample(range(1, 12), dice.randint(0, 6))),
    )
