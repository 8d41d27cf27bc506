"""A supervisor acts in a browser: on a row, on a selection, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers, open_page
from tests.server import Cordboard

pytestmark = pytest.mark.browser


@pytest.fixture
def supervisor(chromium: Browser, cordboard: Cordboard) -> Iterator[Page]:
    """Return the cockpit's page of queues, as the operator sees it; it may not complain."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(page, cordboard, "/supervisor/queues", "admin")
    yield page
    context.close()
    assert complaints == []


def open_queue(supervisor: Page) -> None:
    """Open the queue in which the messages of these tests wait."""
    supervisor.get_by_role("link", name="Chat and messages").first.click()
    expect(supervisor.locator("#queue-title")).to_have_text("Chat and messages")


def test_a_selection_gets_another_priority_and_gets_the_old_one_back(
    supervisor: Page, customers: Customers
) -> None:
    posted = [customers.post(f"Parcel {number} is lost", channel="sms") for number in range(3)]
    open_queue(supervisor)
    rows = supervisor.locator("#waiting [data-row]", has_text="is lost")
    expect(rows).to_have_count(3)
    rows.nth(0).get_by_role("checkbox").click()
    rows.nth(2).get_by_role("checkbox").click(modifiers=["Shift"])
    bar = supervisor.get_by_role("form", name="Selection")
    expect(bar).to_contain_text("3 selected")
    bar.get_by_role("button", name="Set priority").click()
    dialog = supervisor.get_by_role("dialog")
    expect(dialog).to_contain_text("This concerns 3 tasks.")
    dialog.get_by_label("Or change by").fill("4")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_contain_text("done 3")
    dialog.get_by_role("button", name="Do it").click()
    said = supervisor.locator("#toasts")
    expect(said).to_contain_text("Result: done 3.")
    expect(rows.nth(0)).to_contain_text("· priority 4")
    expect(bar).to_be_hidden()

    said.get_by_role("button", name="Undo").last.click()
    expect(said).to_contain_text("Result: done 3.")
    expect(rows.nth(0)).not_to_contain_text("· priority")

    # What becomes of the selected tasks is said before the act, though they left the list.
    rows.nth(0).get_by_role("checkbox").click()
    rows.nth(2).get_by_role("checkbox").click(modifiers=["Shift"])
    customers.end(posted[1], "canceled")
    expect(rows).to_have_count(2)
    expect(bar).to_contain_text("1 of your 3 is no longer waiting.")


def test_a_selection_goes_on_over_pages_and_ends_with_the_filters(
    supervisor: Page, customers: Customers, cordboard: Cordboard
) -> None:
    for number in range(27):
        customers.post(f"Page {number}", channel="sms", run="pages")
    query = urlencode({"where": 'task.run == "pages"', "size": "25"})
    supervisor.goto(f"{cordboard.url}/supervisor/tasks?{query}")
    rows = supervisor.locator("#tasks [data-row]")
    bar = supervisor.get_by_role("form", name="Selection")
    rows.nth(0).get_by_role("checkbox").click()
    rows.nth(1).get_by_role("checkbox").click(modifiers=["Shift"])
    supervisor.get_by_role("link", name="Next page").click()
    expect(rows).to_have_count(2)
    expect(bar).to_contain_text("2 selected, 2 of them not on this page")
    rows.nth(1).get_by_role("checkbox").click()
    expect(bar).to_contain_text("3 selected, 2 of them not on this page")
    supervisor.get_by_role("link", name="First page").click()
    expect(bar).to_contain_text("3 selected, 1 of them not on this page")
    expect(rows.nth(1).get_by_role("checkbox")).to_be_checked()
    bar.get_by_role("button", name="Set priority").click()
    dialog = supervisor.get_by_role("dialog")
    expect(dialog).to_contain_text("This concerns 3 tasks.")
    dialog.get_by_label("Or change by").fill("4")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name="Do it").click()
    expect(supervisor.locator("#toasts")).to_contain_text("Result: done 3.")
    expect(bar).to_be_hidden()

    rows.nth(0).get_by_role("checkbox").click()
    supervisor.get_by_label("Search", exact=True).fill("Page 2")
    supervisor.get_by_role("button", name="Show", exact=True).click()
    said = supervisor.locator("#toasts")
    expect(said).to_contain_text("The filters have changed: 1 row is no longer selected.")
    expect(bar).to_be_hidden()
    said.get_by_role("button", name="Select them again").click()
    expect(bar).to_contain_text("1 selected")
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()


def test_a_press_on_a_row_changes_one_agent_and_the_list_of_changes_tells_it(
    supervisor: Page, customers: Customers
) -> None:
    customers.post("Parcel is late", channel="sms")
    open_queue(supervisor)
    row = supervisor.locator("#staff [data-row]").first
    row.locator("summary").click()
    row.get_by_role("link", name="Set capacity").click()
    dialog = supervisor.get_by_role("dialog")
    dialog.get_by_label("Or change by").fill("1")
    dialog.get_by_label("Note").fill("covering for voice")
    dialog.get_by_role("button", name="Do it").click()
    expect(supervisor.locator("#toasts")).to_contain_text("Done.")
    supervisor.keyboard.press("u")
    expect(supervisor.locator("#toasts")).to_contain_text("Undone.")
    supervisor.get_by_role("link", name="Changes", exact=True).click()
    expect(supervisor.locator("table.changes")).to_contain_text("covering for voice")


def test_rows_are_selected_and_acted_on_by_keys_alone(
    supervisor: Page, customers: Customers
) -> None:
    for number in range(3):
        customers.post(f"Letter {number} is wet", channel="sms")
    supervisor.goto(supervisor.url.replace("/queues", "/tasks").partition("?")[0] + "?q=wet")
    expect(supervisor.locator("#link-state")).to_have_attribute("data-state", "live")
    rows = supervisor.locator("#tasks [data-row]", has_text="is wet")
    expect(rows).to_have_count(3)
    bar = supervisor.get_by_role("form", name="Selection")
    for key in ("j", "x"):
        supervisor.keyboard.press(key)
    expect(bar).to_contain_text("1 selected")
    for key in ("j", "j", "Shift+X"):
        supervisor.keyboard.press(key)
    expect(bar).to_contain_text("3 selected")
    supervisor.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    supervisor.keyboard.press("*")
    expect(bar).to_contain_text("All that match are selected")
    bar.get_by_role("button", name="Set priority").click()
    dialog = supervisor.get_by_role("dialog")
    expect(dialog).to_contain_text("This concerns 3 tasks.")
    dialog.get_by_label("New priority").fill("7")
    supervisor.keyboard.press("Enter")
    dialog.get_by_label("Type 3 to confirm").fill("3")
    supervisor.keyboard.press("Enter")
    expect(supervisor.locator("#toasts")).to_contain_text("Result: done 3.")
    expect(rows.nth(1)).to_contain_text("7")
    # The menu of the row in focus.
    supervisor.keyboard.press("k")
    supervisor.keyboard.press(".")
    expect(supervisor.locator("details.acts[open] a").first).to_be_focused()
