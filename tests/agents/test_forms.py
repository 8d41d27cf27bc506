"""Every button of the desk works as a plain form, without scripts."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from agents import commands
from routing.actions import task_queues
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import BACKEND, Floor


def test_every_command_is_a_form_on_the_page(floor: Floor) -> None:
    floor.alice.get()  # from now on, the desk tells what others do
    task_queues.update_task_queue(
        queue=floor.queue, wrap_up_limit=60, actor=SYSTEM, now=factories.NOW
    )
    factories.set_capacity(floor.alice.worker, configured_capacity=9)
    held, moving, wrapping = floor.accepted(), floor.accepted(), floor.accepted()
    floor.alice.press("task.wrap_up", task=wrapping.task.sid)
    floor.offered()
    factories.set_capacity(floor.alice.worker, "voice", available=False)
    floor.task(channel="voice")
    # The target of a transfer is chosen on a page of its own, to which a link leads.
    choices = floor.alice.get(f"transfer/{held.task.sid}")
    floor.alice.press("task.transfer", task=moving.task.sid, to=floor.queue.sid)
    page = floor.alice.get() + choices
    forms = set(re.findall(r'action="/agent/do/([a-z_.]+)\?', page))
    # A draft is kept for those who have the script, beside the form that completes.
    assert forms == set(commands.COMMANDS) - {"task.draft_outcome"}


def test_a_form_leads_back_to_the_desk(floor: Floor) -> None:
    offer = floor.offered()
    path = f"/agent/do/reservation.accept{floor.alice.here}"
    answer = floor.alice.client.post(path, {"reservation": offer.sid})
    assert (answer.status_code, answer["Location"]) == (302, f"/agent/{floor.alice.here}")
    assert factories.status(offer) == "accepted"


def test_a_form_posted_twice_does_nothing_the_second_time_and_says_so(floor: Floor) -> None:
    offer = floor.offered()
    path = f"/agent/do/reservation.accept{floor.alice.here}"
    floor.alice.client.post(path, {"reservation": offer.sid})
    page = floor.alice.client.post(path, {"reservation": offer.sid}, follow=True)
    assert "You have accepted this offer already." in page.content.decode()
    assert factories.status(offer) == "accepted"


def test_a_grab_that_is_refused_shows_its_reason(floor: Floor) -> None:
    path = f"/agent/do/task.grab{floor.bob.here}"
    page = floor.bob.client.post(path, {"task": floor.task().sid}, follow=True)
    assert "Your activity does not take work." in page.content.decode()


def test_leaving_with_offers_open_asks_on_a_page_of_its_own(floor: Floor) -> None:
    offer = floor.offered()
    away = floor.workspace.activities.get(friendly_name="Offline")
    path = f"/agent/do/worker.set_activity{floor.alice.here}"
    asked = floor.alice.client.post(path, {"activity": away.sid})
    assert asked.status_code == 409
    assert "Reject and leave" in asked.content.decode()
    answer = floor.alice.client.post(path, {"activity": away.sid, "reject_offers": "true"})
    assert answer.status_code == 302
    assert factories.status(offer) == "rejected"


def test_a_form_without_its_token_is_refused(floor: Floor) -> None:
    offer = floor.offered()
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.alice.user, backend=BACKEND)
    path = f"/agent/do/reservation.accept{floor.alice.here}"
    refused = client.post(path, {"reservation": offer.sid})
    assert refused.status_code == 403
    assert factories.status(offer) == "pending"
    page = client.get("/agent/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token is not None
    fields = {"reservation": offer.sid, "csrfmiddlewaretoken": token[1]}
    assert client.post(path, fields).status_code == 302
    assert factories.status(offer) == "accepted"


@pytest.mark.parametrize("path", ["/agent/", "/agent/panels/offers"])
def test_pages_accept_get_only(floor: Floor, path: str) -> None:
    assert floor.alice.client.post(path).status_code == 405


def test_commands_accept_post_only(floor: Floor) -> None:
    assert floor.alice.client.get("/agent/do/reservation.accept").status_code == 405


def test_a_command_without_a_login_leads_to_the_login(floor: Floor) -> None:
    offer = floor.offered()
    answer = Client().post("/agent/do/reservation.accept", {"reservation": offer.sid})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/agent/")
    assert factories.status(offer) == "pending"
