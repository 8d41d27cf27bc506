"""Workers in the admin: one page, one transaction, and an event for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from routing import models
from tests import factories
from tests.admin.visitors import Answer, Visitor, errors, words

Happened = Callable[[], list[str]]


def row_of(form: dict[str, str], worker: models.Worker, channel: str) -> str:
    """Return the prefix of a channel's row in the form of its worker."""
    pk = str(factories.worker_channel(worker, channel).pk)
    return next(k for k, v in form.items() if k.endswith("-id") and v == pk).removesuffix("id")


def change(alice: Visitor, worker: models.Worker, channel: str, **changes: Any) -> Answer:
    """Save a worker's page with changes of one channel."""
    row = row_of(alice.form("routing_worker_change", worker.pk), worker, channel)
    return alice.send(
        "routing_worker_change", worker.pk, **{f"{row}{k}": v for k, v in changes.items()}
    )


def test_a_new_worker_starts_with_every_channel_and_goes_on_to_the_capacities(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    recorded_events()
    answer = alice.send("routing_worker_add", friendly_name="Dora", attributes='{"level": 2}')
    worker = models.Worker.objects.get(friendly_name="Dora")
    assert answer.redirect_chain[-1][0] == f"/admin/routing/worker/{worker.pk}/change/"
    assert worker.activity == workspace.default_activity
    assert worker.channels.count() == workspace.task_channels.count()
    assert recorded_events() == ["worker.created"]


def test_a_new_worker_gets_the_capacities_of_the_form(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    chat, sms = factories.channel(workspace, "chat"), factories.channel(workspace, "sms")
    recorded_events()
    capacities = {
        f"configured_capacity_{chat.pk}": "4",
        f"configured_capacity_{sms.pk}": "51",
    }
    refused = alice.send("routing_worker_add", friendly_name="Dora", **capacities)
    assert "less than or equal to 50" in words(refused)
    assert recorded_events() == []
    capacities[f"configured_capacity_{sms.pk}"] = "0"
    alice.send("routing_worker_add", friendly_name="Dora", **capacities)
    worker = models.Worker.objects.get(friendly_name="Dora")
    found = {name: factories.worker_channel(worker, name) for name in ("chat", "sms", "voice")}
    assert [each.configured_capacity for each in found.values()] == [4, 0, 1]
    assert recorded_events() == [
        "worker.created",
        "worker.capacity.update",
        "worker.capacity.update",
    ]


def test_an_event_of_a_change_in_the_admin_names_the_user(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    alice.send("routing_worker_change", worker.pk, friendly_name="Renamed")
    event = models.Event.objects.order_by("-pk")[0]
    assert (event.actor_type, event.actor_sid) == ("user", "alice")
    assert (event.source, event.source_ip_address) == ("admin", "192.0.2.7")


def test_a_raised_capacity_is_an_event_of_its_own(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    recorded_events()
    change(alice, worker, "chat", configured_capacity="4", reserved_for_manual="1")
    channel = factories.worker_channel(worker)
    assert (channel.configured_capacity, channel.reserved_for_manual) == (4, 1)
    assert recorded_events() == ["worker.capacity.update"]


def test_switching_a_channel_off_keeps_its_capacity(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 3})
    recorded_events()
    change(alice, worker, "chat", available=None)
    channel = factories.worker_channel(worker)
    assert (channel.available, channel.configured_capacity) == (False, 3)
    assert recorded_events() == ["worker.channel.availability.update"]


def test_saving_a_page_on_which_nothing_was_changed_changes_nothing(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace, attributes='{\n  "level": 2\n}')
    recorded_events()
    # Browsers send every line end as two characters.
    alice.send("routing_worker_change", worker.pk, attributes='{\r\n  "level": 2\r\n}')
    assert recorded_events() == []


@pytest.mark.parametrize("capacity", ["51", "-1", "many", ""])
def test_a_capacity_out_of_range_is_refused_and_nothing_else_is_saved(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened, capacity: str
) -> None:
    worker = factories.worker(workspace, "Dora")
    recorded_events()
    row = row_of(alice.form("routing_worker_change", worker.pk), worker, "chat")
    answer = alice.send(
        "routing_worker_change",
        worker.pk,
        friendly_name="Renamed",
        **{f"{row}configured_capacity": capacity},
    )
    assert answer.status_code == 200
    assert "Please correct the error" in words(answer)
    worker.refresh_from_db()
    assert worker.friendly_name == "Dora"
    assert recorded_events() == []


def test_attributes_that_are_no_json_object_are_refused_at_their_field(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    recorded_events()
    answer = alice.send("routing_worker_change", worker.pk, attributes='{"level": 2,}')
    assert "not valid JSON" in errors(answer, "attributes")
    assert "line 1 column" in errors(answer, "attributes")
    # The entry stays in the form, so that it can be corrected.
    assert '{"level": 2,}' in words(answer)
    assert recorded_events() == []


def test_a_refused_name_undoes_the_capacity_saved_with_it(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.worker(workspace, "Taken")
    worker = factories.worker(workspace, "Dora")
    recorded_events()
    row = row_of(alice.form("routing_worker_change", worker.pk), worker, "chat")
    answer = alice.send(
        "routing_worker_change",
        worker.pk,
        friendly_name="taken",
        **{f"{row}configured_capacity": "7"},
    )
    assert "exists already" in errors(answer, "friendly_name")
    assert factories.worker_channel(worker).configured_capacity == 1
    assert recorded_events() == []


def test_a_new_worker_s_form_that_is_sent_twice_creates_one_worker(
    alice: Visitor, workspace: models.Workspace
) -> None:
    alice.send("routing_worker_add", friendly_name="Dora")
    answer = alice.send("routing_worker_add", friendly_name="Dora")
    assert "exists already" in errors(answer, "friendly_name")
    assert models.Worker.objects.filter(friendly_name="Dora").count() == 1


def test_a_form_with_an_outdated_activity_does_not_change_it_back(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace, "Dora")
    page = alice.form("routing_worker_change", worker.pk)
    models.Worker.objects.filter(pk=worker.pk).update(
        activity=factories.activity(workspace, "Offline")
    )
    alice.post("routing_worker_change", worker.pk, **page | {"friendly_name": "Dora B."})
    worker.refresh_from_db()
    assert (worker.friendly_name, worker.activity.friendly_name) == ("Dora B.", "Offline")


def test_moving_a_worker_with_an_open_offer_is_refused_with_a_message(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    recorded_events()
    offline = factories.activity(workspace, "Offline").pk
    answer = alice.send("routing_worker_change", worker.pk, activity=offline)
    assert "pending reservations" in errors(answer)
    assert recorded_events() == []

    alice.send(
        "routing_worker_change", worker.pk, activity=offline, reject_pending_reservations="on"
    )
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Offline"
    assert factories.status(offer) == "rejected"
    assert "worker.activity.update" in recorded_events()


def test_a_login_is_created_with_its_worker_in_one_step(
    alice: Visitor, workspace: models.Workspace
) -> None:
    alice.send(
        "routing_worker_add",
        friendly_name="Dora",
        new_username="dora",
        new_password="a correct horse battery",
    )
    worker = models.Worker.objects.get(friendly_name="Dora")
    assert worker.user is not None
    assert worker.user.check_password("a correct horse battery")
    assert not worker.user.is_staff
    assert not worker.user.is_superuser


@pytest.mark.parametrize(
    ("fields", "place", "why"),
    [
        ({"new_username": "dora", "new_password": "12345"}, "new_password", "too short"),
        ({"new_username": "dora"}, "new_password", "needs a password"),
        ({"new_password": "a correct horse battery"}, "new_username", "name for this password"),
        (
            {"new_username": "charlie", "new_password": "a correct horse battery"},
            "new_username",
            "exists already",
        ),
        (
            {"new_username": "d o r a", "new_password": "a correct horse battery"},
            "new_username",
            "valid username",
        ),
    ],
)
def test_a_login_that_cannot_be_made_makes_no_worker_either(
    alice: Visitor, charlie: Visitor, fields: dict[str, str], place: str, why: str
) -> None:
    answer = alice.send("routing_worker_add", friendly_name="Dora", **fields)
    assert why in errors(answer, place)
    assert not models.Worker.objects.filter(friendly_name="Dora").exists()
    assert not User.objects.filter(username="dora").exists()


def test_a_login_works_as_one_worker_of_a_workspace_only(
    alice: Visitor, charlie: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace, "Dora")
    assert charlie.user is not None
    answer = alice.send("routing_worker_change", worker.pk, user=charlie.user.pk)
    assert "works as another" in errors(answer, "friendly_name")
    worker.refresh_from_db()
    assert worker.user is None


def test_a_worker_who_holds_a_task_cannot_be_deleted(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace, "Dora")
    task = factories.accepted(workspace).task
    answer = alice.post("routing_worker_delete", worker.pk, post="yes")
    assert "still holds reservations" in words(answer)
    assert models.Worker.objects.filter(pk=worker.pk).exists()

    alice.post("routing_task_step_in", task.pk, do="complete")
    recorded_events()
    alice.post("routing_worker_delete", worker.pk, post="yes")
    assert not models.Worker.objects.filter(pk=worker.pk).exists()
    assert recorded_events() == ["worker.deleted"]


def test_deleting_many_deletes_all_or_none(alice: Visitor, workspace: models.Workspace) -> None:
    free, busy = factories.worker(workspace, available=False), factories.worker(workspace)
    factories.accepted(workspace)
    both: dict[str, Any] = {
        "action": "delete_selected",
        "_selected_action": [free.pk, busy.pk],
        "post": "yes",
    }
    answer = alice.post("routing_worker_changelist", **both)
    assert "still holds reservations" in words(answer)
    assert workspace.workers.count() == 2


def test_the_list_shows_activity_and_live_load(alice: Visitor, workspace: models.Workspace) -> None:
    factories.worker(workspace, "Dora", capacity={"chat": 2})
    factories.accepted(workspace)
    seen = words(alice.see("routing_worker_changelist"))
    assert "Dora Available" in seen
    assert "chat 1/2" in seen


def test_a_worker_s_page_lists_their_open_reservations(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    assert f"{task.sid} – chat, accepted" in words(alice.see("routing_worker_change", worker.pk))
