"""`/metrics` and `/metrics/queues`: who may read them, what they count, and how long they get."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from config import environment, health, release
from config.metrics import catalog, pages
from config.metrics.sheet import Sheet
from routing import instruments, models
from routing.actions import reservations, task_transitions, thresholds
from routing.actors import SYSTEM, Actor
from routing.core.alerting import AlertFigure, AlertScope
from routing.core.waits import Waits
from routing.statistics import bookkeeper
from supervisors import pictures, reading, watching
from tests import factories
from tests.required_programs import find_program
from tests.server import ROOT

TOKEN = "a-token-of-the-installation"
AWAY = "203.0.113.7"
CUSTOMER = Actor(type="account", sid="AC0", source="api")


PARTS = {
    "redis": health.OK,
    "jobs": health.OK,
    "callbacks": health.NO_ANSWER,
    "beat": health.UNKNOWN,
}


@pytest.fixture(autouse=True)
def metrics(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Switch metrics on, with a token and for this machine; other processes are made up."""
    monkeypatch.setattr(health, "check_parts", lambda: PARTS)
    settings.METRICS = True
    settings.METRICS_TOKEN = TOKEN
    forget()
    yield settings
    forget()


def forget() -> None:
    """Forget what was read before."""
    pages.forget_pages()
    pictures.forget_pictures()


def scrape(path: str = "/metrics") -> list[Sample]:
    """Return the samples of a fresh page."""
    forget()
    answer = Client().get(path)
    assert answer.status_code == 200
    found = text_string_to_metric_families(answer.content.decode())
    return [sample for family in found for sample in family.samples]


def value(samples: list[Sample], name: str, /, **labels: str) -> float:
    """Return the sum of the samples with these labels."""
    chosen = [
        sample.value
        for sample in samples
        if sample.name == f"cordboard_{name}" and labels.items() <= sample.labels.items()
    ]
    assert chosen, name
    return sum(chosen)


def status(path: str = "/metrics", *, address: str = AWAY, **headers: str) -> int:
    """Return the status of an answer to a client at an address."""
    return Client().get(path, REMOTE_ADDR=address, headers=headers).status_code


def now() -> datetime:
    """Return the present, with which the pages count."""
    return timezone.now()


# --- Access ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_this_machine_and_clients_with_the_token_may_read_them() -> None:
    assert status(address="127.0.0.1") == status(address="::1") == 200
    assert status(Authorization=f"Bearer {TOKEN}") == 200
    assert status("/metrics/queues", Authorization=f"bearer {TOKEN}") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer é"},
    ],
)
def test_all_others_get_the_404_of_an_unknown_path(headers: dict[str, str]) -> None:
    for path in ("/metrics", "/metrics/queues"):
        assert status(path, **headers) == 404
    client = Client()
    hidden = client.post("/metrics", REMOTE_ADDR=AWAY)
    unknown = client.get("/metricz", REMOTE_ADDR=AWAY)
    assert hidden.status_code == 404
    assert hidden.content == unknown.content.replace(b"metricz", b"metrics")


def test_they_are_off_unless_switched_on(settings: Any) -> None:
    settings.METRICS = False
    assert status(address="127.0.0.1", Authorization=f"Bearer {TOKEN}") == 404


def test_an_empty_token_is_no_token(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert status(Authorization="Bearer ") == 404


def test_the_address_of_a_proxy_that_is_not_trusted_proves_nothing(settings: Any) -> None:
    given = {"X-Forwarded-For": "127.0.0.1"}
    assert status(address="127.0.0.1", **given) == 404


@pytest.mark.django_db
def test_other_networks_can_be_allowed(settings: Any) -> None:
    settings.METRICS_ALLOW = [ip_network("203.0.113.0/24")]
    assert status(address="::ffff:203.0.113.9") == 200
    assert status(address="127.0.0.1") == 404


def test_they_can_only_be_read() -> None:
    assert Client().post("/metrics").status_code == 405


def test_a_short_token_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "short")
    with pytest.raises(ImproperlyConfigured, match="METRICS_TOKEN: write at least 16"):
        environment.parse_token("METRICS_TOKEN")


def test_a_token_is_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert environment.parse_token("METRICS_TOKEN") == TOKEN


# --- The floor ------------------------------------------------------------------------------------


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    made = factories.workspace(friendly_name='The "floor"')
    factories.workflow(made, default=factories.queue(made, friendly_name="Support"))
    return made


def test_tasks_workers_and_slots_are_counted_by_state(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Ada", capacity={"chat": 3})
    factories.worker(workspace, "Ben", available=False, capacity={"chat": 2})
    factories.accepted(workspace, now=now())
    found = scrape()
    of_floor = {"workspace": workspace.sid, "channel": "chat"}
    assert value(found, "tasks", status="assigned", **of_floor) == 1
    assert value(found, "tasks", status="pending", **of_floor) == 0
    assert value(found, "workers", state="working") == 1
    assert value(found, "workers", state="away") == 1
    assert value(found, "slots", state="busy", **of_floor) == 1
    assert value(found, "slots", state="free", **of_floor) == 2
    assert value(found, "slots", state="closed", **of_floor) == 2
    assert value(found, "slots", **of_floor) == 5  # each once
    assert value(found, "workspace_info", name='The "floor"') == 1
    assert value(found, "build_info", version=release.VERSION, database=connection.vendor) == 1


def test_open_alerts_are_counted_by_level(workspace: models.Workspace) -> None:
    thresholds.create_threshold(
        workspace=workspace,
        scope=AlertScope.FLOOR,
        figure=AlertFigure.WAITING,
        act=1,
        actor=SYSTEM,
        now=timezone.now(),
    )
    factories.task(workspace, now=timezone.now())
    watching.watch_workspace(workspace.sid, now=timezone.now())
    found = scrape()
    assert value(found, "alerts", workspace=workspace.sid, level="act") == 1
    assert value(found, "alerts", workspace=workspace.sid, level="watch") == 0


def test_the_longest_wait_and_overdue_tasks_are_shown(workspace: models.Workspace) -> None:
    factories.task(workspace, now=now() - timedelta(seconds=500))
    found = scrape()
    assert 500 <= value(found, "longest_wait_seconds", channel="chat") < 900
    assert value(found, "tasks_overdue", channel="chat") == 1
    assert value(found, "metrics_truncated") == 0


def answer_and_abandon(workspace: models.Workspace) -> None:
    """Let one customer be answered after 61 s and another give up after 10 s."""
    factories.worker(workspace, capacity={"chat": 1})
    first = factories.task(workspace)
    factories.run(workspace, factories.later(61))
    accepted = reservations.accept_reservation(
        reservation=factories.reservation(first), actor=SYSTEM, now=factories.later(61)
    )
    second = factories.task(workspace)
    task_transitions.cancel_task(
        task=second, reason="left", actor=CUSTOMER, now=factories.later(10)
    )
    reservations.complete_reservation(reservation=accepted, actor=SYSTEM, now=factories.later(161))


def test_totals_and_histograms_come_from_the_books(workspace: models.Workspace) -> None:
    answer_and_abandon(workspace)
    assert value(scrape(), "bookkeeper_lag_seconds") > 0
    bookkeeper.keep_books(now=now())
    found = scrape()
    assert value(found, "bookkeeper_lag_seconds") == 0
    assert value(found, "tasks_created_total", channel="chat") == 2
    assert value(found, "stays_ended_total", end="answered") == 1
    assert value(found, "stays_ended_total", end="abandoned") == 1
    assert value(found, "stays_ended_total", end="expired") == 0
    assert value(found, "answers_total", origin="push") == 1
    assert value(found, "offers_total", outcome="accepted") == 1
    assert value(found, "wait_seconds_count", end="answered") == 1
    assert value(found, "wait_seconds_sum", end="answered") == 61
    assert value(found, "wait_seconds_bucket", end="answered", le="60.0") == 0
    assert value(found, "wait_seconds_bucket", end="answered", le="90.0") == 1
    # Ten seconds are an edge, which its bucket includes.
    assert value(found, "wait_seconds_bucket", end="abandoned", le="5.0") == 0
    assert value(found, "wait_seconds_bucket", end="abandoned", le="10.0") == 1
    assert value(found, "handle_seconds_sum") == pytest.approx(100, abs=0.01)


def test_counters_never_fall_as_they_are_kept_in_rows(workspace: models.Workspace) -> None:
    answer_and_abandon(workspace)
    bookkeeper.keep_books(now=now())
    before = scrape()
    # What a process holds in memory is gone after a restart, and old figures are pruned.
    models.Figure.objects.all().delete()
    models.Task.objects.all().delete()
    after = scrape()
    counted = [each for each in before if each.name.endswith(("_total", "_count", "_bucket"))]
    assert counted
    found = {(each.name, *sorted(each.labels.items())): each.value for each in after}
    for each in counted:
        assert found[(each.name, *sorted(each.labels.items()))] >= each.value


def test_two_workspaces_stay_apart(workspace: models.Workspace) -> None:
    other = factories.workspace()
    factories.workflow(other, default=factories.queue(other))
    factories.task(other)
    factories.task(other)
    factories.task(workspace)
    bookkeeper.keep_books(now=now())
    found = scrape()
    for name, labels in (("tasks", {"status": "pending"}), ("tasks_created_total", {})):
        assert value(found, name, workspace=workspace.sid, **labels) == 1
        assert value(found, name, workspace=other.sid, **labels) == 2


def test_no_label_names_a_worker_a_task_or_a_user(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Ada Lovelace", attributes={"phone": "+4930123"})
    task = factories.task(workspace, attributes={"customer": "Grace Hopper"})
    factories.run(workspace, now())
    bookkeeper.keep_books(now=now())
    for path in ("/metrics", "/metrics/queues"):
        labels = [pair for sample in scrape(path) for pair in sample.labels.items()]
        shown = " ".join(text for _, text in labels)
        assert not re.search(r"\b(WK|WT|WR|AC|US)[0-9a-f]{32}\b", shown)
        for secret in ("Lovelace", "+4930123", "Grace", task.sid):
            assert secret not in shown
    allowed = {"workspace", "channel", "queue", "name", "status", "state", "end", "origin"}
    allowed |= {"outcome", "kind", "part", "version", "database", "level"}
    assert {
        name for family in (*catalog.FLOOR, *catalog.QUEUES) for name in family.labels
    } == allowed


def test_what_belongs_to_a_deleted_channel_stays_in_the_sums(workspace: models.Workspace) -> None:
    models.MetricTotal.objects.create(
        workspace=workspace, task_channel_key=4711, measure="tasks_created", value=7
    )
    assert value(scrape(), "tasks_created_total", workspace=workspace.sid) == 7


def test_a_page_is_read_once_a_second(workspace: models.Workspace) -> None:
    scrape()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        Client().get("/metrics")
    assert not queries.captured_queries


def test_parts_that_answer_are_1_and_unknown_ones_are_missing(workspace: models.Workspace) -> None:
    models.UnpublishedEvent.objects.all().delete()
    found = scrape()
    shown = {each.labels["part"]: each.value for each in found if "part" in each.labels}
    assert shown == {"redis": 1, "jobs": 1, "callbacks": 0}
    assert value(found, "due_work_seconds") == value(found, "events_undelivered") == 0


# --- Queues ---------------------------------------------------------------------------------------


def test_of_300_queues_200_are_named_and_the_others_added_up(
    workspace: models.Workspace, settings: Any
) -> None:
    settings.METRICS_MAX_QUEUES = 200
    support = workspace.task_queues.get()
    models.TaskQueue.objects.bulk_create(
        models.TaskQueue(
            **{
                field.attname: getattr(support, field.attname)
                for field in models.TaskQueue._meta.concrete_fields
                if field.name not in ("id", "sid", "friendly_name")
            },
            sid=f"WQ{number:032x}",
            friendly_name=f"Queue {number}",
        )
        for number in range(299)
    )
    factories.worker(workspace)
    last = models.TaskQueue.objects.order_by("-pk")[0]
    factories.task(workspace, workflow=factories.workflow(workspace, default=last))
    before = scrape("/metrics/queues")
    named = {sample.labels["queue"] for sample in before if "queue" in sample.labels}
    assert len(named) == 201
    assert last.sid not in named
    assert value(before, "queue_tasks", queue="other", status="pending") == 1
    assert value(before, "queue_workers", queue="other") == 1
    # The busiest ones are named, by all that was ever counted.
    bookkeeper.keep_books(now=now())
    after = scrape("/metrics/queues")
    assert value(after, "queue_tasks", queue=last.sid, status="pending") == 1
    assert value(after, "queue_info", queue=last.sid, name=last.friendly_name) == 1
    assert len({each.labels["queue"] for each in after if "queue" in each.labels}) == 201


def test_a_queue_shows_its_staff_its_level_and_its_ends(workspace: models.Workspace) -> None:
    queue = workspace.task_queues.get()
    factories.worker(workspace)
    factories.worker(workspace, available=False)
    factories.accepted(workspace, now=now())
    factories.task(workspace, now=now() - timedelta(seconds=90))
    bookkeeper.keep_books(now=now())
    found = scrape("/metrics/queues")
    here = {"workspace": workspace.sid, "queue": queue.sid}
    assert value(found, "queue_workers", **here) == 2
    # One has a slot on another channel.
    assert value(found, "queue_free_workers", **here) == 1
    assert value(found, "queue_tasks", status="assigned", channel="chat", **here) == 1
    assert value(found, "queue_longest_wait_seconds", **here) >= 90
    assert value(found, "queue_stays_ended_total", end="answered", **here) == 1
    assert value(found, "queue_service_level_ratio", **here) == 0.5


# --- Size -----------------------------------------------------------------------------------------


def test_above_the_limit_the_channel_goes_and_the_page_says_so(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.task(workspace)
    bookkeeper.keep_books(now=now())
    whole = scrape()
    monkeypatch.setattr(pages, "MOST_SERIES", 50)
    short = scrape()
    assert not any("channel" in sample.labels for sample in short)
    assert value(short, "metrics_truncated") == 1
    assert value(short, "tasks", status="pending") == value(whole, "tasks", status="pending")
    assert len(short) < len(whole)


def test_more_workspaces_than_the_limit_are_left_out(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.workspace()
    monkeypatch.setattr(pages, "MOST_WORKSPACES", 1)
    found = scrape()
    assert {each.labels.get("workspace", workspace.sid) for each in found} == {workspace.sid}
    assert other.sid not in str(found)
    assert value(found, "metrics_truncated") == 1


def test_longest_waits_of_channels_are_not_added_up() -> None:
    sheet = Sheet([catalog.LONGEST_WAIT, catalog.WAIT])
    sheet.put(catalog.LONGEST_WAIT, 5, "WS1", "chat")
    sheet.put(catalog.LONGEST_WAIT, 9, "WS1", "voice")
    waits = Waits()
    waits.add_wait(3_000)
    sheet.put_waits(catalog.WAIT, waits, "WS1", "chat", "answered")
    sheet.put_waits(catalog.WAIT, waits, "WS1", "voice", "answered")
    assert sheet.count_series() == 2 + 2 * 25
    text = sheet.without_channels().render().decode()
    assert 'cordboard_longest_wait_seconds{workspace="WS1"} 9.0' in text
    assert 'cordboard_wait_seconds_count{end="answered",workspace="WS1"} 2.0' in text


def test_the_cost_does_not_depend_on_the_backlog(workspace: models.Workspace) -> None:
    factories.task(workspace)
    scrape()
    with CaptureQueriesContext(connection) as few:
        scrape()
    for _ in range(5):
        factories.task(workspace)
    with CaptureQueriesContext(connection) as many:
        scrape()
    assert len(many.captured_queries) == len(few.captured_queries)


def test_the_release_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == release.VERSION


# --- What is shipped beside it --------------------------------------------------------------------

MONITORING = ROOT / "docs" / "monitoring"
_NAME = re.compile(r"\bcordboard_[a-z_]+\b")


@pytest.mark.parametrize("name", ["alerts.yaml", "cordboard.json"])
def test_every_metric_of_alerts_and_dashboard_is_in_a_scrape(
    name: str, workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "find_connected", lambda now: frozenset())
    instruments.observe_request("api", "GET", 200, 0.1)
    instruments.observe_delivery(0.1)
    instruments.count_finds("events", 1)
    answer_and_abandon(workspace)
    factories.task(workspace, now=now() - timedelta(seconds=90))
    bookkeeper.keep_books(now=now())
    scraped = {each.name for path in ("/metrics", "/metrics/queues") for each in scrape(path)}
    used = set(_NAME.findall((MONITORING / name).read_text()))
    assert used
    assert used <= scraped


def test_the_page_about_metrics_names_each() -> None:
    page = (MONITORING / "README.md").read_text()
    for family in (*catalog.FLOOR, *catalog.QUEUES):
        assert f"`{family.name}`" in page


def test_the_dashboard_can_be_imported_anywhere() -> None:
    dashboard = json.loads((MONITORING / "cordboard.json").read_text())
    assert dashboard["uid"] == "cordboard"
    assert dashboard["refresh"] == "15s"
    assert [each["name"] for each in dashboard["templating"]["list"]] == [
        *("datasource", "workspace", "queue"),
    ]
    kinds = {panel["type"] for panel in dashboard["panels"]}
    assert kinds <= {"row", "stat", "timeseries", "table"}
    drawn = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert {panel["datasource"]["uid"] for panel in drawn} == {"${datasource}"}
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)


def test_prometheus_accepts_the_files(tmp_path: Path) -> None:
    program = find_program("promtool")
    for arguments in (["rules", "alerts.yaml"], ["config", "--syntax-only", "prometheus.yml"]):
        checked = subprocess.run(
            [program, "check", *arguments], cwd=MONITORING, capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stderr + checked.stdout
