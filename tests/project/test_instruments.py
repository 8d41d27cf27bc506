"""What processes measure for `/metrics`: requests by door, rounds of the router, deliveries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from config.doors import find_door
from config.patches import asgi_handler
from config.serve import measurements
from routing import instruments
from supervisors import pictures
from supervisors.dirt import Dirt
from tests import factories


@pytest.fixture
def measured(settings: Any) -> instruments.Instruments:
    """Switch metrics on."""
    settings.METRICS = True
    found = instruments.find_instruments()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/v1/Workspaces/WS1/Tasks", "api"),
        ("/v1/wschannels/AC1/WK1", "sdk"),
        ("/agent/", "desk"),
        ("/supervisor/queues", "supervisor"),
        ("/admin/routing/task/", "admin"),
        ("/healthz", "other"),
        ("/../v1/", "other"),
    ],
)
def test_each_path_leads_to_one_of_six_doors(path: str, door: str) -> None:
    assert find_door(path) == door


def test_nothing_is_measured_while_metrics_are_off(settings: Any) -> None:
    settings.METRICS = False
    instruments.observe_request("api", "GET", 200, 0.1)
    assert instruments.find_instruments() is None
    assert not instruments.is_measuring()


def test_made_up_methods_make_no_series_of_their_own(measured: instruments.Instruments) -> None:
    for method in ("GET", "BREW", "STEAM"):
        instruments.observe_request("api", method, 404, 0.03)
    text = generate_latest(measured.registry()).decode()
    labels = 'cordboard_http_request_seconds_count{door="api",method="%s",status="4xx"} %s.0'
    assert labels % ("GET", 1) in text
    assert labels % ("other", 2) in text
    assert "BREW" not in text


async def test_the_handler_measures_each_request(measured: instruments.Instruments) -> None:
    handler = asgi_handler.ThreadedHandler(threads=1)
    scope = {
        "type": "http", "method": "GET", "path": "/livez", "headers": [], "query_string": b"",
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await handler(scope, receive, send)
    finally:
        handler.close()
    assert sent[0]["status"] == 200
    text = generate_latest(measured.registry()).decode()
    assert '_count{door="other",method="GET",status="2xx"} 1.0' in text


def test_sockets_callbacks_and_finds_are_counted(measured: instruments.Instruments) -> None:
    for difference in (1, 1, -1):
        instruments.count_sockets("desk", difference)
    instruments.count_frame("desk")
    instruments.count_callback("event", is_taken=True)
    instruments.count_callback("event", is_taken=False)
    instruments.count_finds("events", 0)
    instruments.count_finds("events", 3)
    text = generate_latest(measured.registry()).decode()
    for line in (
        'cordboard_websockets{door="desk"} 1.0',
        'cordboard_websocket_frames_total{door="desk"} 1.0',
        'cordboard_callbacks_total{kind="event",outcome="taken"} 1.0',
        'cordboard_callbacks_total{kind="event",outcome="failed"} 1.0',
        'cordboard_sweep_finds_total{kind="events"} 3.0',
    ):
        assert line in text


@pytest.mark.django_db
def test_the_reading_of_pictures_is_measured(measured: instruments.Instruments) -> None:
    workspace = factories.workspace()
    pictures.forget_pictures()
    pictures.find_picture(workspace)
    pictures.renew_picture(workspace.sid, Dirt(whole=True))
    text = generate_latest(measured.registry()).decode()
    assert "cordboard_picture_seconds_count 2.0" in text


@pytest.mark.django_db
def test_rounds_of_the_router_are_measured(measured: instruments.Instruments) -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    factories.task(workspace)
    factories.run(workspace)
    text = generate_latest(measured.registry()).decode()
    assert 'cordboard_cycle_offers_total{cause="wake"} 1.0' in text
    assert 'cordboard_cycle_seconds_count{cause="wake"}' in text


def test_each_start_begins_with_an_empty_directory(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(instruments.DIRECTORY, raising=False)
    measurements.prepare_directory(tmp_path)
    assert not (tmp_path / "metrics").exists()
    settings.METRICS = True
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "counter_1.db").touch()
    monkeypatch.setenv(instruments.DIRECTORY, "elsewhere")
    measurements.prepare_directory(tmp_path)
    assert not list((tmp_path / "metrics").iterdir())
    assert os.environ[instruments.DIRECTORY] == str(tmp_path / "metrics")
