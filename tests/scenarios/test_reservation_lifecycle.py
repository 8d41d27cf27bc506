"""The life of an offer, and its effects on task and worker."""

from __future__ import annotations

from tests.worlds.world import World


def test_a_rejected_task_waits_again_and_is_offered_to_the_next(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.worker("bob")
    office.task("a")
    office.wait(1)
    assert office.offers("alice") == ["a"]
    office.answer("alice", "a", "rejected")
    assert office.status("a") == "pending"
    office.wait(1)
    assert office.offers("bob") == ["a"]


def test_a_worker_who_rejects_and_stays_gets_the_offer_again(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.run()
    assert office.offers("alice") == ["a"]


def test_an_offer_that_expires_sends_the_worker_away_and_the_task_back(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    office.wait(119)
    assert office.offers("alice") == ["a"]
    office.wait(1)
    assert office.status("a") == "pending"
    assert not office.is_available("alice")
    assert office.percentage("alice", "chat") == 100


def test_canceling_a_task_withdraws_its_offer_and_frees_the_slot(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.tasks("a", "b")
    office.run()
    office.cancel("a")
    office.run()
    assert office.status("a") == "canceled"
    assert office.offers("alice") == ["b"]


def test_of_several_workers_with_offers_the_first_to_accept_gets_the_task(office: World) -> None:
    """Vector V9."""
    office.workflow(default=office.queue("support", max_reserved_workers=2))
    office.worker("alice")
    office.worker("bob")
    office.worker("carol")
    office.task("a")
    office.run()
    assert [office.offers(w) for w in ("alice", "bob", "carol")] == [["a"], ["a"], []]
    office.answer("alice", "a", "accepted")
    assert office.offers("bob") == []
    assert office.percentage("bob", "chat") == 100
    assert office.status("a") == "assigned"


def test_a_task_waits_again_only_when_the_last_of_its_offers_has_ended(office: World) -> None:
    office.workflow(default=office.queue("support", max_reserved_workers=2))
    office.worker("alice")
    office.worker("bob")
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    assert office.status("a") == "reserved"
    office.answer("bob", "a", "rejected")
    assert office.status("a") == "pending"


def test_a_task_that_is_not_accepted_in_its_lifetime_is_canceled(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.task("a")
    office.wait(86_399)
    assert office.status("a") == "pending"
    office.wait(1)
    assert office.status("a") == "canceled"


def test_going_away_stops_new_work_and_lets_running_work_be_completed(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    office.answer("alice", "a", "accepted")
    office.sign("alice", available=False)
    office.task("b")
    office.run()
    assert office.status("b") == "pending"
    office.answer("alice", "a", "completed")
    assert office.status("a") == "completed"
