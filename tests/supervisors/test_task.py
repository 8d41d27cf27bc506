"""The page of one task: its head, its explanation and its story."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from django.utils import timezone

from routing import models
from routing.actions import reservations, tasks
from routing.actors import SYSTEM, Actor
from supervisors import fragments, pictures
from supervisors.spans import Happening, build_spans
from tests import factories
from tests.supervisors.conftest import Cockpit


def test_the_head_shows_status_holder_and_attributes_in_full(cockpit: Cockpit) -> None:
    held = factories.accepted(
        cockpit.workspace,
        workflow=cockpit.workflow,
        attributes={"title": "Parcel", "note": "<script>"},
    )
    text = cockpit.read(f"tasks/{held.task.sid}")
    for part in ("Parcel", "In work", "Ada", "Chats", "&lt;script&gt;"):
        assert part in text
    assert "<script>" not in text.split('id="content"')[1]


def test_the_explanation_gives_each_worker_one_reason(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    text = cockpit.read("panels/explanation", task=task.sid)
    assert "Will be offered to Ada" in text
    assert "The router asks this worker as number 1." in text
    assert "activity does not take work" in text
    assert "2 agents" in text


def test_the_workers_are_filtered_by_reason_and_paged(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    for number in range(30):
        factories.worker(cockpit.workspace, f"Away {number:02}", available=False)
    text = cockpit.read("panels/explanation", task=task.sid, reason="worker_unavailable", size=25)
    assert "as number 1" not in text
    assert text.count('class="list__row" id="verdict-') == 25
    assert "after=25" in text
    fragments.forget_fragments()
    text = cockpit.read(
        "panels/explanation", task=task.sid, reason="worker_unavailable", size=25, after=25
    )
    assert text.count('class="list__row" id="verdict-') == 6


def test_the_story_has_all_events_in_order_with_their_actor(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, priority=3)
    factories.run(cockpit.workspace, timezone.now())
    offer = factories.reservation(task)
    reservations.reject_reservation(
        reservation=offer, actor=Actor(type="worker", sid=cockpit.ada.sid), now=timezone.now()
    )
    text = cockpit.read("panels/story", task=task.sid)
    parts = (
        "Created with priority 3.",
        "Entered the queue Chats.",
        "Offered to Ada.",
        "Ada rejected it.",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "the router" in text


def test_moments_are_in_the_time_zone_of_the_view(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, now=factories.NOW)
    assert "2026-03-02 12:00:00" in cockpit.read("panels/story", task=task.sid, tz="UTC")
    assert "2026-03-02 21:00:00" in cockpit.read("panels/story", task=task.sid, tz="Asia/Tokyo")


def test_the_story_shows_old_and_new_values_and_who_changed_them(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, priority=3)
    tasks.update_task(
        task=task,
        priority=8,
        actor=Actor(type="user", sid="lead"),
        now=timezone.now(),
    )
    text = cockpit.read("panels/story", task=task.sid)
    assert "<bdi>3</bdi> → <bdi>8</bdi>" in text
    assert "<bdi>lead</bdi>" in text


def test_panels_of_a_task_without_or_of_another_workspace_are_not_found(cockpit: Cockpit) -> None:
    foreign = factories.task(factories.workspace())
    for name in ("task", "explanation", "story"):
        assert cockpit.get(f"panels/{name}").status_code == 404
        assert cockpit.get(f"panels/{name}", task=foreign.sid).status_code == 404


def test_each_reason_has_the_act_that_removes_it(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    full = factories.worker(cockpit.workspace, "Full", capacity={"chat": 1})
    models.WorkerChannel.objects.filter(worker=full).update(consumed=9)
    models.Worker.objects.filter(pk=full.pk).update(workload_version=7)
    off = factories.worker(cockpit.workspace, "Off", capacity={"chat": 1})
    factories.set_capacity(off, available=False)
    pictures.forget_pictures()
    text = cockpit.read("panels/explanation", task=task.sid)

    def of(worker: models.Worker) -> str:
        return text.split(f'id="verdict-{worker.sid}"')[1].split("</li>")[0]

    assert "do/workers.set_capacity" in of(full)
    assert "channel=chat&amp;by=1" in of(full)
    assert "do/workers.set_available" in of(off)
    assert "available=true" in of(off)
    assert "do/workers.set_activity" in of(cockpit.ben)
    assert f"{cockpit.ben.sid}%40" in of(cockpit.ben), "with the version that is shown"
    assert "do/tasks.assign" in of(cockpit.ada)
    assert f"to={cockpit.ada.sid}" in of(cockpit.ada)


def ask_for_spanish(cockpit: Cockpit) -> models.Task:
    """Make a task wait for an agent who speaks Spanish."""
    default = {"queue": cockpit.queue.sid, "expression": 'worker.languages HAS "es"'}
    return cockpit.task(workflow=factories.workflow(cockpit.workspace, default=default))


def test_a_what_if_names_the_one_change_that_brings_the_task_to_an_agent(
    cockpit: Cockpit,
) -> None:
    task = ask_for_spanish(cockpit)
    text = cockpit.read("panels/explanation", task=task.sid)
    words = "With “es” in languages, Ada would be asked first."
    assert words in text
    link = text.split(words)[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "do/workers.set_attributes" in link
    query = dict(parse_qsl(urlsplit(link).query))
    assert query | {"operation": "add", "path": "languages", "value": '"es"'} == query


def test_a_what_if_that_would_not_help_is_not_named(cockpit: Cockpit) -> None:
    task = ask_for_spanish(cockpit)
    factories.set_capacity(cockpit.ada, available=False)
    pictures.forget_pictures()
    assert "would be asked first" not in cockpit.read("panels/explanation", task=task.sid)


def test_all_agents_of_a_reason_have_one_act(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    for number in range(3):
        factories.worker(cockpit.workspace, f"Away {number}", available=False)
    pictures.forget_pictures()
    text = cockpit.read("panels/explanation", task=task.sid, reason="worker_unavailable")
    assert "for 4 agents" in text


def test_a_bar_shows_how_long_a_task_waited_and_was_worked_on(cockpit: Cockpit) -> None:
    begin = timezone.now() - timedelta(minutes=10)
    task = cockpit.task(workflow=cockpit.workflow, now=begin)
    factories.run(cockpit.workspace, begin + timedelta(minutes=2))
    offer = factories.reservation(task)
    for minutes, act in (
        (3, reservations.accept_reservation),
        (7, reservations.wrap_up_reservation),
        (8, reservations.complete_reservation),
    ):
        offer.refresh_from_db()
        act(reservation=offer, actor=SYSTEM, now=begin + timedelta(minutes=minutes))
    # No agent has a reason of their own while a task does not wait.
    assert "The task is no longer waiting" not in cockpit.read("panels/explanation", task=task.sid)
    text = cockpit.read("panels/story", task=task.sid)
    words = text.split("<figcaption")[1].split("</figcaption>")[0]
    for name, time in (
        ("Waiting", "2:00"),
        ("On offer", "1:00"),
        ("In work", "4:00"),
        ("Wrapping up", "1:00"),
    ):
        assert f"{name} <strong>{time}</strong>" in words
    assert 'width="240.0"' in text
    assert "style=" not in text


def test_an_offer_of_a_transfer_leaves_the_task_in_work() -> None:
    events = [
        Happening(name, at, reservation)
        for name, at, reservation in (
            ("task.created", 0, ""),
            ("reservation.created", 10, "a"),
            ("reservation.rejected", 20, "a"),
            ("reservation.created", 30, "b"),
            ("reservation.created", 30, "c"),
            ("reservation.timeout", 35, "b"),
            ("reservation.accepted", 40, "c"),
            ("reservation.created", 50, "d"),
            ("reservation.timeout", 60, "d"),
            ("task.taken-back", 70, "c"),
        )
    ]
    found = [(span.kind.value, span.end_us) for span in build_spans(events, now_us=100)]
    assert found == [
        *(("waiting", 10), ("offer", 20), ("waiting", 30), ("offer", 40), ("work", 70)),
        ("waiting", 100),
    ]
