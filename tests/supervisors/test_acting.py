"""The door of commands: dialogs, confirmations by size, refusals, answers for scripts and forms."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from routing import jobs, models
from routing.actions import reservations, task_queues, tasks, workers
from routing.actions.supervision import registry
from routing.actors import SYSTEM
from supervisors.commands import COMMANDS
from tests import factories
from tests.supervisors.conftest import Cockpit

JSON = {"Accept": "application/json"}
SCRIPT = {"X-Requested-With": "cockpit"}


def post(
    cockpit: Cockpit,
    command: str,
    *rows: Any,
    who: str = "member",
    headers: dict[str, str] = JSON,
    **given: Any,
) -> HttpResponse:
    sids = " ".join(row if isinstance(row, str) else row.sid for row in rows)
    answer: HttpResponse = cockpit.people[who].post(  # type: ignore[assignment]
        f"/supervisor/do/{command}?workspace={cockpit.workspace.sid}",
        {"subjects": sids, **given},
        headers=headers,
    )
    return answer


def error(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = answer.json()["error"]
    return found


def capacity(worker: models.Worker) -> int:
    return factories.worker_channel(worker).configured_capacity


def test_the_table_names_every_command_of_the_engine() -> None:
    assert set(COMMANDS) == set(registry.COMMANDS)


def test_one_row_that_can_be_undone_is_changed_without_a_question(cockpit: Cockpit) -> None:
    answer: Any = post(cockpit, "workers.set_capacity", cockpit.ada, channel="chat", by=1)
    reply = answer.json()
    assert (answer.status_code, reply["words"], reply["counts"]["done"]) == (200, "Done.", 1)
    assert capacity(cockpit.ada) == 4
    event = models.Event.objects.filter(event_type="worker.capacity.update").latest("pk")
    assert (event.actor_sid, event.source) == ("lead", "supervisor")
    assert event.event_data["batch_sid"] == reply["batch"]
    undone: Any = cockpit.people["member"].post(reply["undo"], headers=SCRIPT)
    assert undone.json()["words"] == "Undone."
    assert capacity(cockpit.ada) == 3


def test_one_row_that_cannot_be_undone_is_asked_about_once(cockpit: Cockpit) -> None:
    task = cockpit.task()
    given: dict[str, Any] = {"reason": "duplicate"}
    asked = error(post(cockpit, "tasks.cancel", task, **given), 409)
    assert (asked["reason"], asked["message"]) == ("confirm", "This concerns 1 task.")
    assert factories.status(task) == "pending"
    assert post(cockpit, "tasks.cancel", task, confirmed=1, **given).status_code == 200
    assert factories.status(task) == "canceled"


def test_cancel_complete_and_take_back_want_a_reason(cockpit: Cockpit) -> None:
    task = cockpit.task()
    for command in ("tasks.cancel", "tasks.complete", "tasks.take_back"):
        missing = error(post(cockpit, command, task, confirmed=1), 400)
        assert missing["fields"] == {"reason": ["This field is required."]}


def test_several_rows_are_confirmed_with_a_preview(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ben, configured_capacity=4)
    rows = (cockpit.ada, cockpit.ben)
    asked = post(cockpit, "workers.set_capacity", *rows, headers=SCRIPT, channel="chat", to=4)
    text = asked.content.decode()
    assert asked.status_code == 200
    assert "This concerns 2 agents." in text
    assert "done 1, so already 1" in text
    assert 'name="confirmed" value="1"' in text
    assert (capacity(cockpit.ada), models.Batch.objects.count()) == (3, 0)
    given: dict[str, Any] = {"channel": "chat", "to": 4, "confirmed": 1}
    assert post(cockpit, "workers.set_capacity", *rows, **given).status_code == 200
    assert capacity(cockpit.ada) == 4


def test_a_preview_says_why_rows_will_be_refused_and_changes_nothing(cockpit: Cockpit) -> None:
    waiting, offered = cockpit.task(), cockpit.task()
    factories.run(cockpit.workspace, timezone.now())
    reservations.withdraw_offers(task=waiting, actor=SYSTEM, now=timezone.now())
    before = factories.last_event()
    given: dict[str, Any] = {"to": "Chats", "headers": SCRIPT}
    text = post(cockpit, "tasks.move", waiting, offered, **given).content.decode()
    assert "done 1, refused 1" in text
    assert "Withdraw its offers first" in text
    assert factories.event_types(before) == []


def test_many_rows_want_their_number_typed(cockpit: Cockpit) -> None:
    people = [factories.worker(cockpit.workspace) for _ in range(100)]
    given: dict[str, Any] = {"channel": "chat", "to": 2}
    command = "workers.set_capacity"
    for typed in ({}, {"confirmed": 1}, {"typed": "99"}):
        assert post(cockpit, command, *people, **given | typed).status_code == 409
    answer: Any = post(cockpit, command, *people, typed="100", **given)
    # The job runs at once in tests.
    batch = models.Batch.objects.get(sid=answer.json()["batch"])
    assert (batch.state, batch.done) == ("finished", 100)


def test_all_that_match_want_the_number_typed_even_if_they_are_few(cockpit: Cockpit) -> None:
    given: dict[str, Any] = {"channel": "chat", "to": 2, "all": 1}
    rows = (cockpit.ada, cockpit.ben)
    assert post(cockpit, "workers.set_capacity", *rows, confirmed=1, **given).status_code == 409
    assert post(cockpit, "workers.set_capacity", *rows, typed=2, **given).status_code == 200


def test_more_than_fifty_rows_are_left_to_a_job(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(jobs, "send_batch", sent.append)
    people = [factories.worker(cockpit.workspace) for _ in range(51)]
    given: dict[str, Any] = {"channel": "chat", "to": 2, "confirmed": 1}
    answer: Any = post(cockpit, "workers.set_capacity", *people, **given)
    assert (answer.status_code, sent) == (202, [answer.json()["batch"]])
    assert answer.json()["words"] == "It is being done for 51 rows."


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "WK": ("workers.set_capacity", {"channel": "chat", "to": 9}),
    "WT": ("tasks.set_priority", {"to": 9}),
    "WQ": ("queues.set_grab_policy", {"policy": "off"}),
}
"""A command for each kind of row, with arguments that change it."""


def find_shown(text: str, sid: str) -> str:
    """Return the row that the menu of a page names, with the version that it shows."""
    command, _ = CHANGES[sid[:2]]
    found = re.search(rf"do/{command}\?workspace=\w+&amp;subjects=({sid}[^\"&]*)", text)
    assert found is not None
    return unquote(found[1])


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        *(("queues/WQ", "WQ"), ("queues/WQ", "WK"), ("queues/WQ", "WT")),
        *(("agents", "WK"), ("agents/WK", "WK"), ("tasks", "WT"), ("tasks/WT", "WT")),
    ],
)
def test_each_menu_refuses_a_row_that_has_changed_since_it_was_shown(
    cockpit: Cockpit, page: str, kind: str
) -> None:
    task, ada = cockpit.task(), cockpit.ada
    rows = {"WQ": cockpit.queue.sid, "WK": ada.sid, "WT": task.sid}
    place, _slash, named = page.partition("/")
    text = cockpit.read(f"{place}/{rows[named]}" if named else place)
    shown = find_shown(text, rows[kind])
    now = timezone.now()
    lunch = factories.activity(cockpit.workspace, "Lunch")
    workers.set_activity(worker=ada, activity=lunch, actor=SYSTEM, now=now)
    tasks.update_task(task=task, attributes='{"a": 1}', actor=SYSTEM, now=now)
    task_queues.update_task_queue(queue=cockpit.queue, friendly_name="Talks", actor=SYSTEM, now=now)
    command, given = CHANGES[kind]
    assert error(post(cockpit, command, shown, **given), 409)["reason"] == "changed"
    assert (capacity(ada), models.Task.objects.get().priority) == (3, 0)
    assert models.TaskQueue.objects.get(pk=cockpit.queue.pk).grab_policy == "anything"
    assert post(cockpit, command, rows[kind], **given).status_code == 200


def test_a_selection_refuses_the_tasks_that_have_changed_since(cockpit: Cockpit) -> None:
    task, other = cockpit.task(), cockpit.task()
    text = cockpit.read(f"queues/{cockpit.queue.sid}")
    shown = re.findall(r'name="subject" value="(WT\w+@\d+)"', text)
    assert len(shown) == 2
    tasks.update_task(task=task, attributes='{"a": 1}', actor=SYSTEM, now=timezone.now())
    answer: Any = post(cockpit, "tasks.set_priority", *shown, to=5, confirmed=1)
    assert answer.json()["counts"] == {
        **dict.fromkeys(("same", "gone", "not_reached"), 0),
        "done": 1,
        "refused": 1,
    }
    other.refresh_from_db()
    assert other.priority == 5


def test_a_refusal_is_told_in_words(cockpit: Cockpit) -> None:
    task = cockpit.task()
    refused = error(post(cockpit, "tasks.assign", task, to="ben", ignore_capacity="on"), 409)
    assert refused == {
        "reason": "not_now",
        "message": "Refused: Ben: The worker's activity does not take work.",
    }


def test_a_call_is_not_transferred(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, "voice", configured_capacity=1)
    held = factories.accepted(cockpit.workspace, channel="voice", now=timezone.now())
    refused = error(post(cockpit, "tasks.transfer", held.task, to="Ben"), 501)
    assert "no telephone network" in refused["message"]


def test_rows_of_other_workspaces_are_not_found(cockpit: Cockpit) -> None:
    stranger = factories.worker(factories.workspace())
    given: dict[str, Any] = {"channel": "chat", "to": 9}
    assert post(cockpit, "workers.set_capacity", stranger, **given).status_code == 404
    post(cockpit, "workers.set_capacity", stranger, cockpit.ada, confirmed=1, **given)
    assert (capacity(stranger), capacity(cockpit.ada)) == (1, 9)
    place = factories.queue(stranger.workspace)
    refused = error(post(cockpit, "tasks.move", cockpit.task(), to=place.sid), 400)
    assert "There is nothing named" in refused["fields"]["to"][0]


@pytest.mark.parametrize(
    ("who", "status"), {"superuser": 200, "agent": 403, "stranger": 404, "anonymous": 302}.items()
)
def test_only_supervisors_of_the_workspace_act(cockpit: Cockpit, who: str, status: int) -> None:
    given: dict[str, Any] = {"channel": "chat", "to": 9}
    answer = post(cockpit, "workers.set_capacity", cockpit.ada, who=who, **given)
    assert answer.status_code == status
    assert capacity(cockpit.ada) == (9 if status == 200 else 3)


def test_a_command_needs_the_token_of_the_page(cockpit: Cockpit) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = cockpit.people["member"].cookies
    address = f"/supervisor/do/workers.set_capacity?workspace={cockpit.workspace.sid}"
    answer = client.post(address, {"subjects": cockpit.ada.sid, "channel": "chat", "to": 9})
    assert answer.status_code == 403
    assert capacity(cockpit.ada) == 3


@pytest.mark.parametrize(
    ("rows", "given", "words"),
    [
        ("", {}, "Nothing is selected"),
        ("WK123", {}, "is no row of this command; it takes sids with WK"),
        ("WT" + "0" * 32, {}, "is no row of this command"),
        ("{ada}@x", {}, "is no row of this command"),
        ("{ada}", {}, "Channel: This field is required."),
        ("{ada}", {"channel": "nothing"}, "Select a valid choice"),
        ("{ada}", {"channel": "chat"}, "either the new number, or by how much"),
        ("{ada}", {"channel": "chat", "to": 1, "by": 1}, "either the new number, or by how much"),
        ("{ada}", {"channel": "chat", "to": 51}, "less than or equal to 50"),
        ("{ada}", {"channel": "chat", "to": "\0"}, "Enter a whole number"),
        ("{ada}", {"channel": "chat", "to": 1, "note": "x" * 201}, "at most 200 characters"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    cockpit: Cockpit, rows: str, given: dict[str, Any], words: str
) -> None:
    subjects = rows.format(ada=cockpit.ada.sid)
    refused = error(post(cockpit, "workers.set_capacity", subjects, **given), 400)
    assert words in refused["message"]
    assert not models.Batch.objects.exists()


def test_an_unknown_command_is_not_found(cockpit: Cockpit) -> None:
    assert post(cockpit, "workers.dismiss", cockpit.ada).status_code == 404


def test_the_dialog_is_a_page_that_works_without_scripts(cockpit: Cockpit) -> None:
    text = cockpit.read("do/workers.set_capacity", subjects=cockpit.ada.sid, channel="chat")
    assert "Set capacity</h1>" in text
    assert "Ada" in text
    answer = post(
        *(cockpit, "workers.set_capacity", cockpit.ada),
        headers={},
        channel="chat",
        to=7,
        back="/supervisor/queues",
    )
    assert (answer.status_code, answer["Location"]) == (302, "/supervisor/queues")
    assert "Done." in cockpit.read("queues")


def test_the_way_back_leads_to_no_other_site(cockpit: Cockpit) -> None:
    given: dict[str, Any] = {"channel": "chat", "to": 7, "back": "https://example.com/"}
    answer = post(cockpit, "workers.set_capacity", cockpit.ada, headers={}, **given)
    assert answer["Location"] == "/supervisor/"


def test_a_dialog_says_what_the_row_has_now(cockpit: Cockpit) -> None:
    rows = {
        "queues.set_target": (
            cockpit.queue.sid,
            ": 80 % within 1:00, formula B, short abandon 5 s</li>",
        ),
        "queues.set_grab_policy": (cockpit.queue.sid, "<li>Any</li>"),
        "workers.set_capacity": (cockpit.ada.sid, "<li>Chat: 3</li>"),
        "workers.set_kept": (cockpit.ada.sid, "<li>Chat: 0</li>"),
        "workers.set_available": (cockpit.ada.sid, "<li>Chat: on</li>"),
    }
    for command, (sid, line) in rows.items():
        assert line in cockpit.read(f"do/{command}", subjects=sid), command
    both = f"{cockpit.ada.sid} {cockpit.ben.sid}"
    assert "As it is now" not in cockpit.read("do/workers.set_capacity", subjects=both)


def test_a_selection_opens_the_dialog_with_its_rows(cockpit: Cockpit) -> None:
    tasks = [cockpit.task() for _ in range(2)]
    text = post(cockpit, "tasks.move", *tasks, headers=SCRIPT, ask=1).content.decode()
    assert "This concerns 2 tasks." in text
    assert all(task.sid in text for task in tasks)
    assert "This field is required" not in text


def test_an_attribute_is_added_as_json_or_as_a_word(cockpit: Cockpit) -> None:
    for value in ("es", "3", '["a"]'):
        given: dict[str, Any] = {"operation": "set", "path": "skill.main", "value": value}
        assert post(cockpit, "workers.set_attributes", cockpit.ada, **given).status_code == 200
    written = [row.new for row in models.BatchRow.objects.order_by("pk")]
    assert [row["skill.main"] for row in written if row] == ["es", 3, ["a"]]


def test_a_queue_lets_grab_what_a_supervisor_says(cockpit: Cockpit) -> None:
    given: dict[str, Any] = {"policy": "oldest", "limit": 5}
    assert post(cockpit, "queues.set_grab_policy", cockpit.queue, **given).status_code == 200
    cockpit.queue.refresh_from_db()
    assert (cockpit.queue.grab_policy, cockpit.queue.grab_limit) == ("oldest", 5)


def test_a_queue_promises_what_a_supervisor_says(cockpit: Cockpit) -> None:
    given: dict[str, Any] = {"channel": "chat", "threshold": 20, "goal": 90}
    assert post(cockpit, "queues.set_target", cockpit.queue, **given).status_code == 200
    target = cockpit.queue.targets.get()
    assert (target.threshold, target.goal, target.formula) == (20, 90, "B")
    missing = error(post(cockpit, "queues.set_target", cockpit.queue, channel="chat"), 400)
    assert "at least one of the values" in missing["message"]


def test_the_page_of_a_queue_offers_commands_on_rows_and_ways_out(cockpit: Cockpit) -> None:
    task = cockpit.task()
    text = cockpit.read(f"queues/{cockpit.queue.sid}")
    assert f"do/tasks.assign?workspace={cockpit.workspace.sid}&amp;subjects={task.sid}" in text
    assert "Only for a task that is on offer." in text
    assert f"do/workers.set_activity?workspace={cockpit.workspace.sid}&amp;subjects=" in text
    assert 'form="selection"' in text


def press(cockpit: Cockpit, queue: models.TaskQueue, command: str) -> Any:
    """Press the way out of a queue that has a command; return the answer to it."""
    text = cockpit.read(f"queues/{queue.sid}").partition('id="ways_out"')[2]
    (way,) = re.findall(rf'<li class="way" data-command="{command}">.*?</li>', text, re.S)
    address = urlsplit(html.unescape(re.search(r'href="([^"]+)"', way)[1]))  # type: ignore[index]
    given = dict(parse_qsl(address.query)) | {"confirmed": "1"}
    door = f"{address.path}?workspace={given.pop('workspace')}"
    return cockpit.people["member"].post(door, given, headers=JSON)


def test_a_way_out_does_what_it_proposes(cockpit: Cockpit) -> None:
    target = factories.target(cockpit.queue, expression='worker.languages HAS "es"')
    asks = factories.workflow(cockpit.workspace, default=target)
    for _ in range(3):
        cockpit.task(workflow=asks)
    answer = press(cockpit, cockpit.queue, "workers.set_attributes")
    assert answer.json()["counts"]["done"] == 1
    cockpit.ada.refresh_from_db()
    assert json.loads(cockpit.ada.attributes)["languages"] == ["es"]


def test_channels_and_activities_of_ways_out_are_the_proposed_ones(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, available=False)
    cockpit.task()
    assert press(cockpit, cockpit.queue, "workers.set_available").json()["ok"]
    assert factories.worker_channel(cockpit.ada).available
    assert press(cockpit, cockpit.queue, "workers.set_activity").json()["ok"]
    (batch,) = models.Batch.objects.filter(command="workers.set_activity")
    assert batch.arguments["reject_offers"] is False
    cockpit.ben.refresh_from_db()
    assert cockpit.ben.activity.available
