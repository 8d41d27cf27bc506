"""The pause after a rejection: who is passed over for a task, and for how long."""

from __future__ import annotations

from tests.worlds.world import World


def test_a_rejected_task_goes_to_another_and_not_back_at_once(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob", available=False)
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert (office.offers("alice"), office.status("a")) == ([], "pending")
    office.sign("bob", available=True)
    office.run()
    assert office.offers("bob") == ["a"]


def test_a_rejected_task_is_offered_again_when_the_pause_ends(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob", available=False)
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.wait(59)
    assert office.offers("alice") == []
    office.wait(1)
    assert office.offers("alice") == ["a"]


def test_without_a_pause_a_rejected_task_comes_back_at_once(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob", available=False)
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert office.offers("alice") == ["a"]


def test_a_rejection_stops_no_other_task(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob", available=False)
    office.tasks("a", "b")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert office.offers("alice") == ["b"]


def test_the_only_worker_who_may_ever_take_a_task_gets_it_back_at_once(office: World) -> None:
    office.pause_after_rejections(60)
    queue = office.queue("french", target_workers='languages HAS "fr"')
    office.workflow(default=queue)
    office.worker("alice", languages=["fr"])
    office.worker("bob", languages=["en"])
    office.worker("carol", languages=["fr"], capacity={"chat": 0})
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert office.offers("alice") == ["a"]


def test_a_worker_who_is_busy_now_may_take_the_task_later(office: World) -> None:
    office.pause_after_rejections(60)
    target = "worker.channel.chat.available_capacity_percentage == 100"
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "expression": target})
    office.worker("bob", capacity={"chat": 2})
    office.task("first")
    office.run()
    office.answer("bob", "first", "accepted")
    office.worker("alice")
    office.task("a")
    office.run()
    assert office.offers("alice") == ["a"]
    office.answer("alice", "a", "rejected")
    office.run()
    assert (office.offers("alice"), office.offers("bob")) == ([], [])
    office.answer("bob", "first", "completed")
    office.run()
    assert office.offers("bob") == ["a"]


def test_two_who_have_both_rejected_a_task_are_both_passed_over(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support", max_reserved_workers=2))
    office.worker("alice")
    office.worker("bob")
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.seconds += 30
    office.answer("bob", "a", "rejected")
    office.run()
    assert (office.offers("alice"), office.offers("bob")) == ([], [])
    office.wait(30)
    assert (office.offers("alice"), office.offers("bob")) == (["a"], [])


def test_a_worker_may_grab_a_task_that_they_have_rejected(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob", available=False)
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert office.grab("alice", "a") is None
    assert office.status("a") == "assigned"


def test_many_rejected_tasks_do_not_hide_the_next_one_in_their_lane(office: World) -> None:
    office.pause_after_rejections(60)
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 5})
    office.worker("bob", available=False)
    office.tasks(*"abcde")
    office.run()
    for name in "abcde":
        office.answer("alice", name, "rejected")
    office.task("f")
    office.run()
    assert office.offers("alice") == ["f"]
