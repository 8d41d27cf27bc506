"""A real Prometheus scrapes a running server, and accepts all that it says."""

from __future__ import annotations

import functools
import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from config.metrics import catalog
from tests.required_programs import find_program
from tests.server import ROOT, free_port, running_server, wait_until

pytestmark = pytest.mark.system

TOKEN = "a-token-that-is-long-enough"


def test_prometheus_scrapes_every_metric_with_the_token(
    data_directory: Path, tmp_path: Path
) -> None:
    program = find_program("prometheus")
    settings = {"METRICS": "1", "METRICS_TOKEN": TOKEN, "METRICS_ALLOW": "0"}
    with running_server(data_directory, demo=True, environment=settings) as server:
        (tmp_path / "token").write_text(TOKEN)
        text = (ROOT / "docs" / "monitoring" / "prometheus.yml").read_text()
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}").replace("15s", "1s")
        text = text.replace("/etc/prometheus/cordboard-token", str(tmp_path / "token"))
        (tmp_path / "prometheus.yml").write_text(text)
        (tmp_path / "alerts.yaml").write_text(
            (ROOT / "docs" / "monitoring" / "alerts.yaml").read_text()
        )
        url = f"http://127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            [
                program,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={url.removeprefix('http://')}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def count(query: str) -> int:
            address = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
            try:
                with urllib.request.urlopen(address) as answer:
                    return len(json.load(answer)["data"]["result"])
            except OSError:
                return 0

        try:
            wait_until(lambda: count("up == 1") == 2, "both pages are scraped", seconds=60)
            known = {family.name for family in catalog.FLOOR if family.kind == "gauge"}
            for name in known | {"cordboard_queue_info", "cordboard_tasks_created_total"}:
                assert count(name) > 0, name
            assert count("cordboard_part_up == 1") == 4
            # Those of the job runner, too: all processes write into one directory.
            for name in ("http_request", "cycle", "delivery"):
                query = f"cordboard_{name}_seconds_count > 0"
                wait_until(functools.partial(count, query), f"{name} is measured")
        finally:
            process.terminate()
            process.wait()
