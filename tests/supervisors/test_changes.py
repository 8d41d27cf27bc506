"""Changes: one list of acts and events, the page of an act, and what can be done about it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import task_transitions, tasks, worker_channels, workers
from routing.actions.supervision import batch_rows, batches
from routing.actions.supervision.batches import Subject
from routing.actors import SYSTEM, Actor
from supervisors import changes, csv_files
from supervisors.changes import Filters
from tests import factories
from tests.supervisors.conftest import Cockpit

KIM = Actor(type="user", sid="kim", source="supervisor", ip_address="192.0.2.9")


def act(cockpit: Cockpit, *people: models.Worker, run: bool = True, **given: Any) -> models.Batch:
    arguments = {"channel": factories.channel(cockpit.workspace).sid, "by": 1} | given
    batch = batches.create_batch(
        workspace=cockpit.workspace,
        command="workers.set_capacity",
        arguments=arguments,
        subjects=[Subject(sid=each.sid) for each in people],
        note="lunch rush",
        actor=KIM,
        now=timezone.now(),
    )
    if run:
        batch_rows.run_slice(batch, most=99, seconds=60)
    return batch


def kinds(cockpit: Cockpit, **filters: str) -> list[str]:
    listed = changes.list_changes(cockpit.workspace, Filters(**filters))
    return [entry.kind for entry in listed.entries]


def csv_rows(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_acts_and_changes_by_others_stand_in_one_list_newest_first(cockpit: Cockpit) -> None:
    act(cockpit, cockpit.ada)
    lunch = factories.activity(cockpit.workspace, "Offline")
    workers.set_activity(worker=cockpit.ada, activity=lunch, actor=SYSTEM, now=timezone.now())
    act(cockpit, cockpit.ada, cockpit.ben)
    listed = changes.list_changes(cockpit.workspace, Filters()).entries
    assert [entry.kind for entry in listed[:3]] == [
        "workers.set_capacity",
        "worker.activity.update",
        "workers.set_capacity",
    ]
    activity, single = listed[1], listed[2]
    assert (activity.actor_type, activity.subject) == ("system", "Ada")
    assert [(line.old, line.new) for line in activity.lines] == [("Available", "Offline")]
    assert (single.who, single.ip_address, single.note) == ("kim", "192.0.2.9", "lunch rush")
    assert [(line.field, line.old, line.new) for line in single.lines] == [
        ("configured_capacity", "3", "4")
    ]
    text = cockpit.read("changes")
    assert "lunch rush" in text
    assert "2 rows" in text


def test_the_list_names_actors_and_leads_to_the_subjects(cockpit: Cockpit) -> None:
    key = models.ApiKey.objects.create(
        account=cockpit.workspace.account,
        sid=f"SK{1:032x}",
        friendly_name="The shop",
        date_created=timezone.now(),
        date_updated=timezone.now(),
    )
    shop = Actor(type="api-key", sid=key.sid, source="rest")
    task = cockpit.task(workflow=cockpit.workflow, attributes={"subject": "Lost parcel"})
    tasks.update_task(task=task, priority=0, actor=shop, now=timezone.now())
    task.refresh_from_db()
    task_transitions.cancel_task(task=task, reason="gone", actor=shop, now=timezone.now())
    # An update that changed no value is not listed.
    assert kinds(cockpit)[:1] == ["task.canceled"]
    assert "task.updated" not in kinds(cockpit)
    text = cockpit.read("changes")
    assert f'<bdi title="{key.sid}">The shop</bdi>' in text
    assert (
        f'/supervisor/tasks/{task.sid}?workspace={cockpit.workspace.sid}"><bdi>Lost parcel' in text
    )
    assert "<bdi>gone</bdi>" in text
    assert "· <bdi>The shop</bdi>" in cockpit.read("panels/story", task=task.sid)


def test_the_list_is_filtered_by_person_subject_command_and_field(cockpit: Cockpit) -> None:
    act(cockpit, cockpit.ada)
    channel = factories.worker_channel(cockpit.ben)
    worker_channels.update_worker_channel(
        channel=channel, configured_capacity=9, actor=SYSTEM, now=timezone.now()
    )
    assert kinds(cockpit, person="KIM") == ["workers.set_capacity"]
    assert "workers.set_capacity" not in kinds(cockpit, subject="Ben")
    assert "worker.capacity.update" in kinds(cockpit, subject="Ben")
    assert kinds(cockpit, subject=cockpit.ada.sid, command="workers.set_capacity") == [
        "workers.set_capacity"
    ]
    assert set(kinds(cockpit, command="worker.capacity.update")) == {"worker.capacity.update"}
    assert "workers.set_capacity" in kinds(cockpit, field="configured_capacity")
    assert kinds(cockpit, field="nothing") == []


def test_pages_follow_one_another_without_gaps_or_repetitions(cockpit: Cockpit) -> None:
    for number in range(7):
        worker_channels.update_worker_channel(
            channel=factories.worker_channel(cockpit.ben),
            configured_capacity=number + 10,
            actor=SYSTEM,
            now=factories.NOW,
        )
        act(cockpit, cockpit.ada)
    whole = changes.list_changes(cockpit.workspace, Filters(), most=500).entries
    found, after = [], ""
    while True:
        page = changes.list_changes(cockpit.workspace, Filters(), after=after, most=4)
        found += page.entries
        after = page.after
        if not after:
            break
    assert [entry.sid for entry in found] == [entry.sid for entry in whole]
    assert len({entry.sid for entry in found}) == len(found) >= 14


@pytest.mark.parametrize("after", ["x", "1.2.3", "9" * 40, "-1", "12345"])
def test_a_malformed_place_begins_at_the_newest_change(cockpit: Cockpit, after: str) -> None:
    assert cockpit.get("changes", after=after).status_code == 200


def test_a_filtered_list_says_where_it_stopped_to_look(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_CHUNK", 2)
    monkeypatch.setattr(changes, "MOST_EVENTS", 2)
    assert changes.list_changes(cockpit.workspace, Filters(subject="nothing")).is_cut
    assert "events were looked at" in cockpit.read("changes", subject="nothing")


def test_changes_of_other_workspaces_are_not_listed(cockpit: Cockpit) -> None:
    elsewhere = factories.workspace()
    factories.worker(elsewhere, "Zoe")
    assert "Zoe" not in cockpit.read("changes")


def test_the_page_of_an_act_shows_each_row_and_what_failed(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ben, configured_capacity=50)
    batch = act(cockpit, cockpit.ada, cockpit.ben)
    text = cockpit.read(f"changes/{batch.sid}")
    assert "Done 1, refused 1" in text
    assert "it must be a whole number from 0 to 50" in text
    assert "Try the 1 again" in text
    refused = cockpit.read(f"changes/{batch.sid}", outcome="refused")
    assert "Ada" not in refused.partition("<tbody>")[2]
    rows = csv_rows(cockpit.get(f"changes/{batch.sid}/rows.csv"))
    assert rows[1] == [
        cockpit.ada.sid,
        "Ada",
        "done",
        "",
        "configured_capacity: 3",
        "configured_capacity: 4",
    ]
    assert len(rows) == 3


def test_an_act_of_another_workspace_is_not_found(cockpit: Cockpit) -> None:
    batch = act(cockpit, cockpit.ada)
    for path in (f"changes/{batch.sid}", f"changes/{batch.sid}/rows.csv"):
        assert cockpit.get(path, who="stranger").status_code == 404
    client = cockpit.people["superuser"]
    other = models.Workspace.objects.exclude(pk=cockpit.workspace.pk).first()
    assert other is not None
    answer = client.post(f"/supervisor/changes/{batch.sid}/undo?workspace={other.sid}")
    assert answer.status_code == 404


def steer(cockpit: Cockpit, batch: models.Batch, verb: str) -> Any:
    address = f"/supervisor/changes/{batch.sid}/{verb}?workspace={cockpit.workspace.sid}"
    return cockpit.people["member"].post(address, headers={"Accept": "application/json"})


def test_an_act_is_stopped_tried_again_and_undone_on_its_page(cockpit: Cockpit) -> None:
    batch = act(cockpit, cockpit.ada, cockpit.ben, run=False)
    assert "Stop" in cockpit.read(f"changes/{batch.sid}")
    assert "0 of 2" in cockpit.read("changes")
    assert steer(cockpit, batch, "stop").json()["counts"]["not_reached"] == 2
    again = steer(cockpit, batch, "retry").json()
    assert again["counts"]["done"] == 2
    made = models.Batch.objects.get(sid=again["batch"])
    assert steer(cockpit, made, "undo").json()["words"] == "Result: done 2."
    assert factories.worker_channel(cockpit.ada).configured_capacity == 3
    refused = steer(cockpit, made, "undo")
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        409,
        "this act was undone already",
    )
    assert "No undo: this act was undone already." in cockpit.read(f"changes/{made.sid}")
    assert steer(cockpit, made, "delete").status_code == 404


def test_the_file_of_changes_has_one_line_for_each_value(cockpit: Cockpit) -> None:
    act(cockpit, cockpit.ada)
    rows = csv_rows(cockpit.get("changes.csv", command="workers.set_capacity"))
    assert rows[0][:3] == ["date", "who", "actor_type"]
    line = dict(zip(rows[0], rows[1], strict=True))
    assert (line["who"], line["field"]) == ("kim", "configured_capacity")
    assert (line["old"], line["new"]) == ("3", "4")
    assert line["note"] == "lunch rush"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert csv_files.guard_cell(text) == f"'{text}"
    assert csv_files.guard_cell("x=1") == "x=1"
    assert csv_files.guard_cell(-1) == -1
