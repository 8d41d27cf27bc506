"""Logging out at the desk, and what a supervisor sees of a task."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, offer, press
from tests.server import Cordboard

pytestmark = pytest.mark.browser


def test_logging_out_asks_first_and_ends_every_tab(
    log_in: LogIn, customers: Customers, chromium: Browser, cordboard: Cordboard
) -> None:
    alice = log_in("alice")
    other = alice.context.new_page()
    other.goto(alice.url)
    choose(alice, "Available")
    task = customers.post("Where is my parcel?", channel="chat")
    expect(offer(alice, "Where is my parcel?")).to_be_visible()

    # A supervisor's page says why the task is where it is, and follows by itself.
    known = cordboard.credentials()
    admin = chromium.new_context().new_page()
    complaints: list[str] = []
    admin.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    admin.goto(f"{cordboard.url}/admin/routing/task/?q={task}")
    admin.get_by_label("Username").fill(known["ADMIN_USER"])
    admin.get_by_label("Password").fill(known["ADMIN_PASSWORD"])
    admin.get_by_role("button", name="Log in").click()
    admin.get_by_role("link", name="Where is my parcel?").click()
    expect(admin.locator("#explanation")).to_contain_text("On offer to Alice")

    alice.get_by_role("button", name="Log out").click()
    dialog = alice.get_by_role("dialog")
    expect(dialog).to_contain_text("You are Available")
    dialog.get_by_role("link", name="Stay").click()
    expect(dialog).to_have_count(0)
    press(offer(alice, "Where is my parcel?").get_by_role("button", name="Accept"))
    expect(admin.locator("#explanation")).to_contain_text("Alice has had it")

    alice.get_by_role("button", name="Log out").click()
    dialog.get_by_role("button", name="Go to Offline and log out").click()
    for page in (alice, other):
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert customers.status(task) == "assigned"
    assert complaints == []
    admin.context.close()
