"""A place for a server of a test's own; `cordboard` is one that several tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.demo.client import Client
from tests.server import Cordboard


@pytest.fixture
def data_directory(tmp_path: Path) -> Path:
    """Return a data directory that does not exist yet."""
    return tmp_path / "var"


@pytest.fixture
def tidied_demo(demo: Cordboard) -> Iterator[Cordboard]:
    """Return the server with the demo; the tasks that a test leaves on its floor are ended."""
    yield demo
    known = demo.credentials()
    client = Client(
        host="127.0.0.1",
        port=int(demo.port),
        username=known["API_KEY_SID"],
        password=known["API_KEY_SECRET"],
    )
    (floor,) = client.get("/Workspaces", FriendlyName="Support floor")["workspaces"]
    base = f"/Workspaces/{floor['sid']}/Tasks"
    for status, end in (("pending,reserved", "canceled"), ("assigned,wrapping", "completed")):
        for task in client.get(base, AssignmentStatus=status, PageSize=100)["tasks"]:
            client.post(f"{base}/{task['sid']}", AssignmentStatus=end, Reason="the test is over")
    client.close()
