"""Assignment: which worker is offered which task, and when."""

from __future__ import annotations

from tests.factories import filter_
from tests.worlds.world import World


def test_a_waiting_task_is_offered_to_an_available_worker(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("chat")
    office.run()
    assert office.offers("alice") == ["chat"]
    assert office.status("chat") == "reserved"


def test_a_worker_in_an_unavailable_activity_is_offered_nothing(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", available=False)
    office.task("chat")
    office.run()
    assert office.offers("alice") == []
    assert office.status("chat") == "pending"


def test_signing_on_brings_the_waiting_task(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", available=False)
    office.task("chat")
    office.run()
    office.sign("alice", available=True)
    office.run()
    assert office.offers("alice") == ["chat"]


def test_a_queue_serves_only_the_workers_that_match_its_expression(office: World) -> None:
    office.workflow(default=office.queue("billing", target_workers='skills HAS "billing"'))
    office.worker("alice", skills=["sales"])
    office.worker("bob", skills=["billing"])
    office.task("invoice")
    office.run()
    assert office.offers("alice") == []
    assert office.offers("bob") == ["invoice"]


def test_a_queue_with_an_empty_expression_parks_its_tasks(office: World) -> None:
    office.workflow(default=office.queue("parked", target_workers=""))
    office.worker("alice")
    office.task("letter")
    office.run()
    assert office.status("letter") == "pending"


def test_a_target_expression_compares_task_and_worker(office: World) -> None:
    queue = office.queue("support")
    office.workflow(
        filter_("1==1", {"queue": queue, "expression": "task.language IN worker.languages"})
    )
    office.worker("alice", languages=["en"])
    office.worker("bob", languages=["de", "fr"])
    office.task("frage", language="de")
    office.run()
    assert office.offers("bob") == ["frage"]


def test_higher_priority_goes_first_and_age_decides_among_equals(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", available=False)
    office.tasks("old", "new")
    office.task("urgent", priority=5)
    office.sign("alice", available=True)
    served = []
    for _ in range(3):
        office.run()
        (task,) = office.offers("alice")
        served.append(task)
        office.answer("alice", task, "accepted")
        office.answer("alice", task, "completed")
    assert served == ["urgent", "old", "new"]


def test_a_task_without_an_eligible_worker_does_not_block_the_next(office: World) -> None:
    support, russian = office.queue("support"), office.queue("ru", target_workers='ru == "yes"')
    office.workflow(filter_('language == "ru"', {"queue": russian}), default=support)
    office.worker("alice")
    office.task("stuck", language="ru", priority=100)
    office.task("easy")
    office.run()
    assert office.offers("alice") == ["easy"]


def test_the_worker_who_has_been_idle_longest_gets_the_first_offer(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 5})
    office.worker("bob", capacity={"chat": 5})
    for task, worker in (("first", "alice"), ("second", "bob"), ("third", "alice")):
        office.task(task)
        office.wait(1)
        assert office.offers(worker)[-1] == task


def test_order_by_comes_before_idleness_and_those_without_the_attribute_come_last(
    office: World,
) -> None:
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "order_by": "worker.level DESC"})
    office.worker("nobody")
    office.worker("junior", level=1)
    office.worker("senior", level=9)
    served = []
    for name in ("a", "b", "c"):
        office.task(name)
        office.wait(1)
        served += [w for w in ("nobody", "junior", "senior") if office.offers(w) == [name]]
    assert served == ["senior", "junior", "nobody"]


def test_lifo_serves_the_newest_first_whatever_the_priority(office: World) -> None:
    office.workflow(default=office.queue("support", task_order="LIFO"))
    office.worker("alice", available=False)
    office.task("old", priority=10)
    office.seconds += 1
    office.task("new")
    office.sign("alice", available=True)
    office.run()
    assert office.offers("alice") == ["new"]


def test_the_kind_of_queue_that_the_workspace_prefers_is_drained_first(office: World) -> None:
    """Vector V10."""
    fifo, lifo = office.queue("f"), office.queue("l", task_order="LIFO")
    office.workflow(filter_('kind == "l"', {"queue": lifo}), default=fifo)
    office.worker("alice", available=False)
    office.tasks("f1")
    office.tasks("f2", priority=5)
    office.tasks("l1", "l2", kind="l")
    office.sign("alice", available=True)
    office.serve_first("LIFO")
    served = []
    for _ in range(4):
        office.run()
        (task,) = office.offers("alice")
        served.append(task)
        office.answer("alice", task, "accepted")
        office.answer("alice", task, "completed")
    assert served == ["l2", "l1", "f2", "f1"]
