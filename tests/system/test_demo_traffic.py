"""`make demo-traffic`: it finds its server, and leaves no colleague available behind."""

from __future__ import annotations

import base64
import json
import os
import signal
import urllib.request
from typing import Any

import pytest

from tests import launcher
from tests.server import Cordboard, wait_until

pytestmark = pytest.mark.system


def read(server: Cordboard, path: str) -> Any:
    """Return what the API answers to the account."""
    keys = server.credentials()
    token = base64.b64encode(f"{keys['ACCOUNT_SID']}:{keys['AUTH_TOKEN']}".encode()).decode()
    request = urllib.request.Request(
        f"{server.url}/v1{path}", headers={"Authorization": f"Basic {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def available(server: Cordboard) -> list[str]:
    """Return the colleagues who take work."""
    (workspace,) = read(server, "/Workspaces?FriendlyName=Support+floor")["workspaces"]
    workers = read(server, f"/Workspaces/{workspace['sid']}/Workers?PageSize=100")["workers"]
    return [worker["friendly_name"] for worker in workers if worker["available"]]


def start(server: Cordboard, *arguments: str) -> launcher.Started:
    """Start the traffic, which knows of the server by its DATA_DIR alone."""
    environment = {**os.environ, "DATA_DIR": str(server.home)}
    environment.pop("PORT", None)
    environment.pop("SECRET_KEY", None)
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    with open(os.devnull, "wb") as nowhere:
        return launcher.start(
            *("manage.py", "demo_traffic", *arguments), env=environment, stdout=nowhere
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_colleagues_go_offline_whichever_signal_ends_the_traffic(
    tidied_demo: Cordboard, number: signal.Signals
) -> None:
    traffic = start(tidied_demo)
    wait_until(lambda: len(available(tidied_demo)) >= 8, "the colleagues are there")
    traffic.send_signal(number)
    assert traffic.wait(60) == 0
    assert available(tidied_demo) == []


def test_demo_colleagues_go_offline_after_the_traffic_is_killed(tidied_demo: Cordboard) -> None:
    traffic = start(tidied_demo)
    wait_until(lambda: len(available(tidied_demo)) >= 8, "the colleagues are there")
    traffic.kill()
    traffic.wait()
    wait_until(lambda: available(tidied_demo) == [], "the colleagues are offline")
