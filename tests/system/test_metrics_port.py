"""A port for metrics answers nothing else, and the usual port then answers no metrics."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.server import free_port, running_server

pytestmark = pytest.mark.system


def read_status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_metrics_have_a_port_of_their_own(data_directory: Path) -> None:
    port = free_port()
    settings = {"METRICS": "1", "METRICS_PORT": str(port)}
    with running_server(data_directory, environment=settings) as server:
        own = f"http://127.0.0.1:{port}"
        for path in ("/metrics", "/metrics/queues"):
            assert read_status(f"{own}{path}") == 200
            assert read_status(f"{server.url}{path}") == 404
        for path in ("/livez", "/v1/Workspaces", "/supervisor/", "/agent/socket"):
            assert read_status(f"{own}{path}") == 404
        assert read_status(f"{server.url}/livez") == 200
