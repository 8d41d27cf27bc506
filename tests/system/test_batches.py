"""An act of a supervisor survives a killed server, and ends with each row done once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from twilio.rest import Client

from tests.server import Cordboard, are_all_ended, running_server, wait_until
from tests.supervisors.door import Supervisor

pytestmark = pytest.mark.system
ROWS = 200
"""Enough that a process is killed between the first row and the last."""
LONGEST = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server with an account and without a demo."""
    with running_server(tmp_path_factory.mktemp("batches") / "var") as server:
        yield server


def open_rest(server: Cordboard) -> Any:
    keys = server.credentials()
    client = Client(keys["ACCOUNT_SID"], keys["AUTH_TOKEN"])
    client.taskrouter.base_url = server.url
    return client.taskrouter.v1.workspaces


@pytest.fixture(scope="module")
def rest(server: Cordboard) -> Any:
    """Return a workspace in which tasks wait."""
    workspaces = open_rest(server)
    made = workspaces(workspaces.create(friendly_name="Killed").sid)
    queue = made.task_queues.create(friendly_name="Chats")
    flow = made.workflows.create(
        friendly_name="All",
        configuration=f'{{"task_routing": {{"default_filter": {{"queue": "{queue.sid}"}}}}}}',
    )
    for _ in range(ROWS):
        made.tasks.create(workflow_sid=flow.sid, attributes="{}")
    return made


def count_updates(rest: Any) -> Counter[str]:
    """Return how many changes of each task are in the event log."""
    return Counter(
        event.resource_sid for event in rest.events.list(event_type="task.updated", page_size=1000)
    )


@pytest.mark.parametrize("killed", [("jobs",), ("web", "jobs", "redis")], ids=" and ".join)
def test_an_act_goes_on_after_a_kill_and_does_no_row_twice(
    server: Cordboard, rest: Any, killed: tuple[str, ...]
) -> None:
    tasks = [task.sid for task in rest.tasks.list(page_size=1000)]
    before = count_updates(rest)
    lead = Supervisor(server, rest.fetch().sid)
    begun = lead.act("tasks.set_priority", tasks, by=1)
    assert begun["status"] == 202
    batch = begun["batch"]
    wait_until(lambda: lead.count_rows(batch, "done") > 0, "a row is done", seconds=LONGEST)
    parts = server.parts()
    for name in killed:
        os.kill(parts[name], signal.SIGKILL)
    server.ended()
    wait_until(lambda: are_all_ended(parts), "no part is left")
    server.start()
    left = ROWS - lead.count_rows(batch, "done")
    assert left > 0, "the act ended before the kill; raise ROWS"
    wait_until(lambda: not lead.is_running(batch), "the act has an end", seconds=LONGEST)
    assert lead.count_rows(batch, "done") == ROWS
    assert count_updates(rest) - before == dict.fromkeys(tasks, 1)
    assert {task.priority for task in rest.tasks.list(page_size=1000)} == {1}

    undone = lead.post(f"changes/{batch}/undo")
    wait_until(lambda: not lead.is_running(undone["batch"]), "the undo has an end", seconds=LONGEST)
    assert lead.count_rows(undone["batch"], "done") == ROWS
    assert {task.priority for task in rest.tasks.list(page_size=1000)} == {0}
