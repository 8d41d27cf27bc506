"""From an empty installation to a running floor in the browser alone, as the handbook tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_main_job import settled
from tests.server import Cordboard, running_server

pytestmark = pytest.mark.browser

PASSWORD = "cord-board-77"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server with an account and nothing else."""
    with running_server(tmp_path_factory.mktemp("nothing") / "var") as server:
        yield server


def open_page(browser: Browser, server: Cordboard, path: str, name: str, password: str) -> Page:
    """Log someone in, in a browser of their own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"{server.url}{path}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def save(page: Page) -> None:
    """Save a form of the admin."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_a_floor_is_set_up_and_runs_without_a_command(chromium: Browser, empty: Cordboard) -> None:
    admin = open_page(
        chromium, empty, "/supervisor/", "admin", empty.credentials()["ADMIN_PASSWORD"]
    )

    # 1. The workspace, with a queue and a workflow.
    admin.get_by_role("link", name="Add a workspace").click()
    admin.locator("#id_friendly_name").fill("Front desk")
    admin.locator("#id_template").select_option(
        label="A queue for everyone and a workflow that fills it"
    )
    save(admin)

    # 2. Agents, each with a login.
    admin.goto(f"{empty.url}/admin/routing/worker/add/")
    admin.locator("#id_friendly_name").fill("Ada")
    admin.locator("#id_activity").select_option(label="Offline")
    admin.get_by_label("Chat:").fill("2")
    admin.locator("#id_new_username").fill("ada")
    admin.locator("#id_new_password").fill(PASSWORD)
    save(admin)

    # 3. A supervisor.
    admin.goto(f"{empty.url}/admin/auth/user/add/")
    admin.locator("#id_username").fill("kim")
    admin.locator("#id_password1").fill(PASSWORD)
    admin.locator("#id_password2").fill(PASSWORD)
    save(admin)
    admin.goto(f"{empty.url}/admin/routing/membership/add/")
    admin.locator("#id_user").select_option(label="kim")
    admin.locator("#id_workspace").select_option(label="Front desk")
    save(admin)

    # 4. The supervisor sees the floor, and sets what its queue promises.
    kim = open_page(chromium, empty, "/supervisor/", "kim", PASSWORD)
    expect(kim.locator("#floor")).to_contain_text("Away")
    kim.get_by_role("link", name="Queues").click()
    kim.get_by_text("1 quiet queue").click()
    kim.get_by_role("link", name="Sample Queue").click()
    kim.locator("#queue details.acts summary").click()
    kim.get_by_role("link", name="Set the target…").click()
    dialog = kim.get_by_role("dialog")
    dialog.get_by_label("Channel").select_option(label="Chat")
    dialog.get_by_label("Answer within, in seconds").select_option("20")
    dialog.get_by_label("Share in percent").fill("90")
    dialog.get_by_role("button", name="Do it").click()
    expect(kim.locator("#toasts")).to_contain_text("Done.")

    # 5. A task is created, and no agent takes it.
    kim.get_by_role("link", name="Tasks", exact=True).click()
    kim.get_by_role("link", name="Create a task", exact=True).click()
    kim.get_by_label("Channel").select_option(label="Chat")
    kim.get_by_role("button", name="Create").click()
    expect(kim.locator("#task-title")).to_contain_text("Parcel has not arrived")
    expect(kim.locator("#explanation")).to_contain_text("Ada")

    # 6. The agent comes, and has it.
    ada = open_page(chromium, empty, "/agent/", "ada", PASSWORD)
    ada.locator("#activity-menu summary").click()
    ada.locator("#activity-menu button").filter(has_text="Available").first.click()
    settled(ada.get_by_role("button", name="Accept").first).click()
    expect(ada.locator("#tasks .card")).to_contain_text("Parcel has not arrived")
    expect(kim.locator("#task")).to_contain_text("In work")
    kim.get_by_role("link", name="Now", exact=True).click()
    expect(kim.locator("#floor")).to_contain_text("Working")
