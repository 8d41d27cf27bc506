"""Traps of order: which task is served first, and which worker gets it."""

from __future__ import annotations

import pytest

from tests.factories import filter_
from tests.worlds.world import World


def drained(office: World, worker: str) -> list[str]:
    """Complete all tasks with one worker, and return them in the order of their offers."""
    served: list[str] = []
    office.run()
    while offers := office.offers(worker):
        (task,) = offers
        served.append(task)
        office.answer(worker, task, "accepted")
        office.answer(worker, task, "completed")
        office.run()
    return served


def test_lifo_ignores_priority(office: World) -> None:
    office.workflow(default=office.queue("l", task_order="LIFO"))
    office.worker("alice", available=False)
    office.tasks("old", priority=9)
    office.tasks("new")
    office.sign("alice", available=True)
    assert drained(office, "alice") == ["new", "old"]


def test_fifo_breaks_ties_by_the_virtual_start(office: World) -> None:
    office.workflow(default=office.queue("f"))
    office.worker("alice", available=False)
    office.tasks("created first")
    office.tasks("started first", started=60)
    office.tasks("important", priority=1)
    office.sign("alice", available=True)
    assert drained(office, "alice") == ["important", "started first", "created first"]


def test_lifo_first_drains_every_lifo_task_whatever_the_priority_of_others(
    office: World,
) -> None:
    fifo, lifo = office.queue("f"), office.queue("l", task_order="LIFO")
    office.workflow(filter_('kind == "l"', {"queue": lifo}), default=fifo)
    office.serve_first("LIFO")
    office.worker("alice", available=False)
    office.tasks("urgent", priority=1_000_000)
    office.tasks("l1", "l2", kind="l")
    office.sign("alice", available=True)
    assert drained(office, "alice") == ["l2", "l1", "urgent"]


@pytest.mark.parametrize(
    ("order", "asked"),
    [("DESC", ["nine", "one", "none"]), ("ASC", ["one", "nine", "none"])],
)
def test_order_by_puts_those_without_the_attribute_last(
    office: World, order: str, asked: list[str]
) -> None:
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "order_by": f"worker.level {order}"})
    office.worker("none")
    office.worker("one", level=1)
    office.worker("nine", level=9)
    served = []
    for task in ("a", "b", "c"):
        office.task(task)
        office.wait(1)
        served += [name for name in asked if office.offers(name) == [task]]
    assert served == asked


@pytest.mark.parametrize(
    ("first", "order"),
    [("FIFO", ["f2", "f1", "l2", "l1"]), ("LIFO", ["l2", "l1", "f2", "f1"])],
)
def test_the_workspace_says_which_kind_of_queue_is_drained_first(
    office: World, first: str, order: list[str]
) -> None:
    fifo, lifo = office.queue("f"), office.queue("l", task_order="LIFO")
    office.workflow(filter_('kind == "l"', {"queue": lifo}), default=fifo)
    office.serve_first(first)
    office.worker("w", available=False)
    office.tasks("f1")
    office.tasks("f2", priority=5)
    office.tasks("l1", "l2", kind="l")
    office.sign("w", available=True)
    assert drained(office, "w") == order
