"""What the page changes by its clock alone: colours of ages, moments of refreshing, old figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from routing.core.rates import WaitClock
from routing.statistics import bookkeeper
from supervisors import fragments, pictures
from tests import factories
from tests.supervisors.conftest import Cockpit

# The bookkeeper counts only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def set_target(cockpit: Cockpit, **target: object) -> None:
    """Set the target of the queue on chats."""
    models.QueueTarget.objects.update_or_create(
        task_queue=cockpit.queue,
        task_channel=factories.channel(cockpit.workspace),
        defaults={"date_created": factories.NOW, "date_updated": factories.NOW, **target},
    )
    pictures.forget_pictures()
    fragments.forget_fragments()


def refresh_of(text: str) -> int:
    """Return the moment in milliseconds at which a panel is fetched again."""
    return int(text.split('data-refresh-at="')[1].split('"')[0])


def test_ages_carry_the_limit_of_the_clock_that_the_target_measures_by(cockpit: Cockpit) -> None:
    cockpit.task(workflow=cockpit.workflow, now=timezone.now() - timedelta(seconds=9))
    query = {"show": ["longest_wait", "in_queue"]}

    set_target(cockpit, threshold=120, clock=WaitClock.CREATION.value)
    text = cockpit.read("panels/queues", **query)
    wait, queue = text.split('data-label="Longest wait">')[1].split("</td>")[:2]
    assert 'data-watch="120"' in wait
    assert "data-watch" not in queue
    set_target(cockpit, threshold=120, clock=WaitClock.QUEUE.value)
    text = cockpit.read("panels/queues", **query)
    wait, queue = text.split('data-label="Longest wait">')[1].split("</td>")[:2]
    assert "data-watch" not in wait
    assert 'data-watch="120"' in queue


def test_tasks_are_fetched_again_when_the_next_one_becomes_overdue(cockpit: Cockpit) -> None:
    made = timezone.now() - timedelta(seconds=10)
    cockpit.task(workflow=cockpit.workflow, now=made)
    assert refresh_of(cockpit.read("panels/tasks")) == microseconds(made) // 1000 + 60_000
    fragments.forget_fragments()
    cockpit.task(workflow=cockpit.workflow, now=timezone.now() - timedelta(seconds=100))
    text = cockpit.read("panels/tasks")
    assert refresh_of(text) == microseconds(made) // 1000 + 60_000, "the older one is overdue"
    assert text.count("severity--watch") == 1


def test_agents_are_fetched_again_when_a_wrap_up_takes_too_long(cockpit: Cockpit) -> None:
    models.TaskQueue.objects.filter(pk=cockpit.queue.pk).update(wrap_up_limit=30)
    now = timezone.now()
    held = factories.accepted(cockpit.workspace, workflow=cockpit.workflow, now=now)
    held.refresh_from_db()
    reservations.wrap_up_reservation(reservation=held, actor=SYSTEM, now=now)
    pictures.forget_pictures()
    for address in ("panels/agents", f"panels/agent?worker={cockpit.ada.sid}"):
        text = cockpit.read(address.partition("?")[0], worker=cockpit.ada.sid)
        assert refresh_of(text) == microseconds(now) // 1000 + 30_000


def test_figures_say_up_to_when_they_are_counted_while_the_bookkeeper_is_behind(
    cockpit: Cockpit,
) -> None:
    now = timezone.now()
    cockpit.task(workflow=cockpit.workflow, now=now - timedelta(minutes=2))
    bookkeeper.keep_books(now=now, seconds=60)
    assert "counted up to" not in read_queues(cockpit)
    cockpit.task(workflow=cockpit.workflow, now=now - timedelta(minutes=1))
    assert "counted up to" in read_queues(cockpit)
    bookkeeper.keep_books(now=now, seconds=60)
    assert "counted up to" not in read_queues(cockpit)


def read_queues(cockpit: Cockpit) -> str:
    """Return the panel of queues from a picture that is read now."""
    pictures.forget_pictures()
    fragments.forget_fragments()
    return cockpit.read("panels/queues")


def test_counts_lead_to_the_tasks_that_they_count(cockpit: Cockpit) -> None:
    now = timezone.now()
    factories.accepted(cockpit.workspace, workflow=cockpit.workflow, now=now)
    factories.set_capacity(cockpit.ada, available=False)
    for number in range(3):
        cockpit.task(workflow=cockpit.workflow, attributes={"title": f"T {number}"}, now=now)
    for panel, name in (("panels/queues", "Waiting"), ("panels/queue", "Waiting")):
        text = read_panel(cockpit, panel)
        link = text.split(">3</a>")[0].rsplit('href="', 1)[1].split('"')[0]
        assert "status=pending" in link, name
        found = cockpit.people["member"].get(link.replace("&amp;", "&")).content.decode()
        assert found.count('data-row="WT') == 3


def read_panel(cockpit: Cockpit, panel: str) -> str:
    """Return a panel of the queue."""
    pictures.forget_pictures()
    return cockpit.read(panel, queue=cockpit.queue.sid)
