"""Workers who take a waiting task themselves."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.vocabulary import GrabPolicy
from tests.factories import filter_
from tests.worlds.world import World


def test_a_waiting_task_can_be_grabbed_although_the_router_would_not_offer_it(
    office: World,
) -> None:
    queue = office.queue("support")
    office.workflow(filter_("1==1", {"queue": queue, "expression": "worker.level > 5"}))
    office.worker("alice", level=1)
    office.task("a")
    office.run()
    assert office.status("a") == "pending"
    assert office.grab("alice", "a") is None
    assert office.status("a") == "assigned"
    assert office.percentage("alice", "chat") == 0


def test_of_two_grabs_of_one_task_one_succeeds_and_the_other_is_refused(office: World) -> None:
    office.workflow(default=office.queue("support", target_workers='desk == "yes"'))
    office.worker("alice", desk="yes")
    office.worker("bob", desk="yes")
    office.task("a")
    assert office.grab("alice", "a") is None
    assert office.grab("bob", "a") == "task_not_pending"


def test_a_worker_outside_the_queue_may_not_grab_from_it(office: World) -> None:
    office.workflow(default=office.queue("billing", target_workers='skill == "billing"'))
    office.worker("alice", skill="sales")
    office.task("a")
    assert office.grab("alice", "a") == "not_in_queue"


def test_a_worker_in_an_unavailable_activity_may_not_grab(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", available=False)
    office.task("a")
    assert office.grab("alice", "a") == "worker_unavailable"


def test_a_channel_switched_off_may_not_be_grabbed_from(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.set_channel("alice", "chat", available=False)
    office.task("a")
    assert office.grab("alice", "a") == "channel_unavailable"


def test_grabbing_never_goes_over_capacity(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("a")
    assert office.grab("alice", "a") is None
    office.task("b")
    assert office.grab("alice", "b") == "no_capacity"
    office.answer("alice", "a", "completed")
    assert office.grab("alice", "b") is None


def test_a_task_on_offer_to_oneself_cannot_be_grabbed(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    assert office.grab("alice", "a") == "already_offered"


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ({"grab_policy": "off"}, ["old", "new"]),
        ({"grab_policy": "anything"}, []),
        ({"grab_policy": "oldest", "grab_limit": 1}, ["new"]),
        ({"grab_policy": "waited", "grab_after": 60}, ["new"]),
    ],
)
def test_the_queue_says_what_may_be_grabbed(
    office: World, policy: dict[str, Any], refused: list[str]
) -> None:
    given = dict(policy, grab_policy=GrabPolicy(policy["grab_policy"]))
    office.workflow(default=office.queue("support", **given))
    office.task("old")
    office.seconds += 60
    office.task("new")
    office.worker("alice", capacity={"chat": 0})
    office.set_channel("alice", "chat", configured_capacity=2)
    answers = {name: office.grab("alice", name) for name in ("new", "old")}
    assert [n for n in ("old", "new") if answers[n] == "grab_not_allowed"] == refused
