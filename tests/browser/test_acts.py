"""Acts on many rows in a browser: two hundred agents, fifty tasks, undo, and assignments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from twilio.rest import Client

from tests.browser.conftest import open_page
from tests.server import Cordboard, running_server, wait_until

pytestmark = pytest.mark.browser

AGENTS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server with the demo, to which these tests add agents and queues."""
    with running_server(tmp_path_factory.mktemp("acts") / "var", demo=True) as server:
        yield server


@pytest.fixture(scope="module")
def rest(server: Cordboard) -> Any:
    """Return the demo's workspace by REST."""
    keys = server.credentials()
    client = Client(keys["ACCOUNT_SID"], keys["AUTH_TOKEN"])
    client.taskrouter.base_url = server.url
    workspaces = client.taskrouter.v1.workspaces
    (floor,) = workspaces.list(friendly_name="Support floor")
    return workspaces(floor.sid)


def open_browser(browser: Browser, server: Cordboard, path: str, name: str) -> Page:
    """Open a page as someone of the demo, in a browser of their own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    open_page(page, server, path, name)
    return page


@pytest.fixture
def cockpit(chromium: Browser, server: Cordboard) -> Page:
    """Return the cockpit, as the operator sees it."""
    return open_browser(chromium, server, "/supervisor/", "admin")


def go(cockpit: Page, page: str, **query: str) -> None:
    """Open a page of the cockpit with a query."""
    cockpit.goto(cockpit.url.partition("/supervisor/")[0] + f"/supervisor/{page}")
    for name, value in query.items():
        cockpit.locator(f"form[data-filters] [name={name}]").fill(value)
    if query:
        cockpit.get_by_role("button", name="Show", exact=True).click()
    expect(cockpit.locator("#link-state")).to_have_attribute("data-state", "live")


def select_all(cockpit: Page, command: str) -> Any:
    """Select all rows that match, and open the dialog of a command."""
    cockpit.keyboard.press("*")
    bar = cockpit.get_by_role("form", name="Selection")
    bar.get_by_role("button", name=command).click()
    return cockpit.get_by_role("dialog")


def make_queue(rest: Any, name: str, workers: str) -> tuple[Any, Any]:
    """Make a queue and the workflow that fills it."""
    queue = rest.task_queues.create(friendly_name=name, target_workers=workers)
    document = {"task_routing": {"default_filter": {"queue": queue.sid}}}
    return queue, rest.workflows.create(friendly_name=name, configuration=json.dumps(document))


def make_tasks(rest: Any, workflow: Any, count: int) -> list[str]:
    """Make waiting tasks with the workflow's name as their subject; return their sids."""
    attributes = json.dumps({"subject": workflow.friendly_name})
    made = [
        rest.tasks.create(workflow_sid=workflow.sid, attributes=attributes) for _ in range(count)
    ]
    return [task.sid for task in made]


def read_rows(cockpit: Page) -> str:
    """Return the rows of the act that is shown, as a file."""
    address = cockpit.get_by_role("link", name="CSV").get_attribute("href")
    assert address is not None
    return cockpit.request.get(cockpit.url.partition("/supervisor/")[0] + address).text()


def test_two_hundred_agents_get_one_chat_more(
    chromium: Browser, server: Cordboard, rest: Any, cockpit: Page
) -> None:
    alice = rest.workers.list(friendly_name="Alice")[0]
    attributes = json.loads(alice.attributes) | {"team": "night"}
    rest.workers(alice.sid).update(attributes=json.dumps(attributes))
    for number in range(AGENTS - 1):
        rest.workers.create(friendly_name=f"Night {number:03}", attributes='{"team": "night"}')
    desk = open_browser(chromium, server, "/agent/", "alice")
    channel = desk.locator("#presence, #channels, body").first.get_by_text("4 free")
    expect(channel).to_be_visible()
    go(cockpit, "agents", where='worker.team == "night"')
    dialog = select_all(cockpit, "Set capacity")
    expect(dialog).to_contain_text(f"This concerns {AGENTS} agents.")
    dialog.get_by_label("Channel").select_option(label="Chat")
    dialog.get_by_label("Or change by").fill("1")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_label(f"Type {AGENTS} to confirm").fill(str(AGENTS))
    dialog.get_by_role("button", name="Do it").click()
    cockpit.locator("#toasts").get_by_role("link", name="Show").click()
    expect(cockpit.locator("#batch")).to_contain_text(f"Done {AGENTS}")
    expect(desk.get_by_text("5 free")).to_be_visible()
    rows = read_rows(cockpit)
    assert rows.count(",done,") == AGENTS
    assert "configured_capacity: 4,configured_capacity: 5" in rows
    desk.context.close()


def test_of_fifty_tasks_three_are_accepted_first_and_the_others_come_back(
    rest: Any, cockpit: Page
) -> None:
    queue, workflow = make_queue(rest, "Held", 'team == "zoe"')
    other, _ = make_queue(rest, "Elsewhere", 'team == "none"')
    zoe = rest.workers.create(friendly_name="Zoe", attributes='{"team": "zoe"}')
    rest.workers(zoe.sid).worker_channels("default").update(capacity=3)
    tasks = make_tasks(rest, workflow, 50)
    go(cockpit, "tasks", where='task.subject == "Held"')
    dialog = select_all(cockpit, "Move")
    expect(dialog).to_contain_text("This concerns 50 tasks.")
    dialog.get_by_label("To", exact=True).fill(other.sid)
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_label("Type 50 to confirm").fill("50")
    activities = {each.friendly_name: each.sid for each in rest.activities.list()}
    rest.workers(zoe.sid).update(activity_sid=activities["Available"])
    offers = rest.workers(zoe.sid).reservations
    wait_until(lambda: len(offers.list(reservation_status="pending")) == 3, "Zoe has three offers")
    for offer in offers.list(reservation_status="pending"):
        offers(offer.sid).update(reservation_status="accepted")
    dialog.get_by_role("button", name="Do it").click()
    said = cockpit.locator("#toasts")
    expect(said).to_contain_text("Result: done 47, refused 3.")
    said.get_by_role("link", name="Show").click()
    rows = read_rows(cockpit)
    assert len(rows.strip().splitlines()) == 51
    assert len(re.findall(r",refused,[^,]{10}", rows)) == 3
    assert {task.task_queue_sid for task in rest.tasks.list() if task.sid in tasks} == {
        *(queue.sid, other.sid),
    }
    cockpit.get_by_role("button", name="Undo").click()
    expect(cockpit.locator("#batch")).to_contain_text("Done 47")
    assert {task.task_queue_sid for task in rest.tasks.list() if task.sid in tasks} == {queue.sid}


def test_an_undo_leaves_what_has_changed_since(rest: Any, cockpit: Page) -> None:
    _, workflow = make_queue(rest, "Ten", 'team == "none"')
    tasks = make_tasks(rest, workflow, 10)
    go(cockpit, "tasks", where='task.subject == "Ten"')
    dialog = select_all(cockpit, "Set priority")
    dialog.get_by_label("New priority").fill("5")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_label("Type 10 to confirm").fill("10")
    dialog.get_by_role("button", name="Do it").click()
    said = cockpit.locator("#toasts")
    expect(said).to_contain_text("Result: done 10.")
    for sid in tasks[:2]:
        rest.tasks(sid).update(priority=9)
    said.get_by_role("link", name="Show").click()
    cockpit.get_by_role("button", name="Undo").click()
    expect(cockpit.locator("#batch")).to_contain_text("Done 8, refused 2")
    refused = cockpit.locator("#batch tbody tr", has_text="Refused")
    expect(refused).to_have_count(2)
    expect(refused.first).to_contain_text("priority has changed since")
    found = {sid: rest.tasks(sid).fetch().priority for sid in tasks}
    assert [found[sid] for sid in tasks] == [9, 9, *[0] * 8]


def test_a_full_agent_gets_a_task_only_with_the_tick_and_an_absent_one_never(
    chromium: Browser, server: Cordboard, rest: Any, cockpit: Page
) -> None:
    _, workflow = make_queue(rest, "Urgent", 'skills HAS "support"')
    bob = rest.workers.list(friendly_name="Bob")[0]
    rest.workers(bob.sid).worker_channels("default").update(capacity=0)
    (task,) = make_tasks(rest, workflow, 1)
    go(cockpit, f"tasks/{task}")

    def assign(*ticks: str) -> Any:
        cockpit.locator("#task details.acts summary").click()
        cockpit.get_by_role("link", name="Assign…").click()
        dialog = cockpit.get_by_role("dialog")
        dialog.get_by_label("To", exact=True).fill("Bob")
        for tick in ticks:
            dialog.get_by_label(tick).check()
        dialog.get_by_role("button", name="Do it").click()
        return dialog

    both = ("Even without a free slot", "Even though they do not meet")
    expect(assign(*both).locator(".act__refused")).to_contain_text("Bob")
    cockpit.keyboard.press("Escape")
    desk = open_browser(chromium, server, "/agent/", "bob")
    desk.locator("#activity-menu summary").click()
    desk.locator("#activity-menu button").filter(has_text="Available").first.click()
    expect(desk.locator("#activity-menu summary")).to_contain_text("Available")
    expect(assign().locator(".act__refused")).to_contain_text("Bob")
    cockpit.keyboard.press("Escape")
    assign(both[0])
    expect(cockpit.locator("#toasts")).to_contain_text("Done.")
    expect(desk.locator(".offer")).to_contain_text("Urgent")
    desk.context.close()
