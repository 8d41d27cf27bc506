"""The cockpit in a browser: it is live, holds still under the pointer, and says how true it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers, open_page
from tests.browser.test_accessible import EVERY, Inspector, inspector
from tests.server import Cordboard

pytestmark = pytest.mark.browser

__all__ = ["inspector"]

EXPECTED = re.compile(r"net::ERR_|status of 400")
"""What browsers say of requests that a test cuts off, and of forms that it fills in wrongly."""


@pytest.fixture
def cockpit(chromium: Browser, cordboard: Cordboard) -> Iterator[Page]:
    """Return the page Now of the demo's floor; what it complains of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text)
            if said.type == "error" and not EXPECTED.search(said.text)
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(page, cordboard, "/supervisor/", "admin")
    yield page
    context.close()
    assert complaints == []


def test_a_queue_that_no_worker_serves_comes_first_with_its_reason(
    cockpit: Page, customers: Customers
) -> None:
    task = customers.post_to_new_queue("Served by no worker", "skills HAS 'none'")
    first = cockpit.locator("#troubles li").first
    expect(first).to_contain_text("Served by no worker")
    expect(first).to_contain_text("Act")
    expect(first).to_contain_text("No worker serves this queue.")
    first.get_by_role("link").click()
    expect(cockpit.locator("#why")).to_contain_text("No worker serves this queue.")
    expect(cockpit.locator("#waiting li")).to_have_count(1)
    customers.end(task, "canceled")
    expect(cockpit.locator("#why")).to_contain_text("Nothing waits here.")
    expect(cockpit.locator("#link-state")).to_have_text("Live")


def test_pages_are_reached_by_keys_and_by_name_and_can_be_paused(
    cockpit: Page, customers: Customers
) -> None:
    cockpit.keyboard.press("g")
    cockpit.keyboard.press("q")
    expect(cockpit.get_by_role("heading", name="Queues")).to_have_count(2)
    cockpit.keyboard.press("Control+k")
    cockpit.keyboard.type("billing")
    expect(cockpit.locator("#palette-list")).to_contain_text("Billing")
    cockpit.keyboard.press("Enter")
    expect(cockpit.get_by_role("heading", level=1)).to_have_text("Billing")
    expect(cockpit.locator("#link-state")).to_have_text("Live")
    cockpit.keyboard.press("p")
    expect(cockpit.locator("#link-state")).to_contain_text("Paused for")
    customers.post("Charged twice", channel="chat", topic="billing")
    expect(cockpit.locator("#pause")).to_have_attribute("aria-pressed", "true")
    expect(cockpit.locator("#waiting li")).to_have_count(0)
    cockpit.keyboard.press("p")
    expect(cockpit.locator("#waiting li")).to_have_count(1)


def test_rows_keep_their_order_while_the_pointer_is_on_them(
    cockpit: Page, customers: Customers
) -> None:
    customers.post("Wants to cancel", channel="chat", language="fr")
    cockpit.goto(cockpit.url.replace("/supervisor/", "/supervisor/queues?sort=queue"))
    rows = cockpit.locator("#queues [data-rows] tbody")
    expect(rows.filter(has_text="Chat and messages")).to_be_visible()
    rows.first.hover()
    customers.post_to_new_queue("A queue with a first name", "skills HAS 'none'")
    expect(rows.last).to_contain_text("A queue with a first name")
    expect(cockpit.locator("#order-held")).to_be_visible()
    cockpit.mouse.move(5, 5)
    expect(rows.first).to_contain_text("A queue with a first name")
    expect(cockpit.locator("#order-held")).to_be_hidden()


def test_a_lost_connection_is_said_and_comes_back(cockpit: Page, customers: Customers) -> None:
    cockpit.clock.install()
    cockpit.reload()
    expect(cockpit.locator("#link-state")).to_have_text("Live")
    cockpit.context.set_offline(True)
    cockpit.evaluate("dispatchEvent(new Event('offline'))")
    expect(cockpit.locator("#lost")).to_be_visible()
    expect(cockpit.locator("#link-state")).to_contain_text("Late")
    cockpit.clock.fast_forward(10_000)
    expect(cockpit.locator("#link-state")).to_contain_text("Stale since")
    expect(cockpit.locator("body")).to_have_attribute("data-freshness", "lost")
    customers.post_to_new_queue("Came while it was stale", "skills HAS 'none'")
    cockpit.context.set_offline(False)
    # It may be back by itself before a press.
    cockpit.evaluate("document.getElementById('retry').click()")
    expect(cockpit.locator("#lost")).to_be_hidden()
    expect(cockpit.locator("#link-state")).to_have_text("Live")
    expect(cockpit.locator("#troubles")).to_contain_text("Came while it was stale")


def test_without_scripts_pages_and_links_work(
    chromium: Browser, cordboard: Cordboard, cockpit: Page
) -> None:
    context = chromium.new_context(
        java_script_enabled=False, storage_state=cockpit.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{cordboard.url}/supervisor/queues")
    page.get_by_role("link", name="Waiting", exact=True).click()
    expect(page.locator("th[aria-sort=descending] > a")).to_have_text("Waiting")
    quiet = page.get_by_text("quiet queue")
    if quiet.count():
        quiet.click()
    page.get_by_role("link", name="Billing").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Billing")
    context.close()


def test_every_page_passes_axe_and_fits_every_width(
    cockpit: Page, customers: Customers, inspector: Inspector
) -> None:
    cockpit.emulate_media(reduced_motion="reduce")
    for language in ("fr", "es"):
        customers.post("Parcel", channel="chat", language=language, customer="Ada Byron")
    customers.post_to_new_queue("Served by none", "skills HAS 'none'")
    base = cockpit.url
    inspector.check(cockpit, "Now", EVERY)
    cockpit.goto(base.replace("/supervisor/", "/supervisor/queues"))
    inspector.check(cockpit, "Queues")
    cockpit.get_by_role("link", name="Chat and messages").first.click()
    expect(cockpit.get_by_role("heading", level=1)).to_have_text("Chat and messages")
    inspector.check(cockpit, "a queue")
    cockpit.locator("[data-opens=help]").click()
    inspector.check(cockpit, "the shortcuts")
    assert inspector.faults == []


def test_a_table_is_one_tab_stop_with_arrow_keys_inside(cockpit: Page) -> None:
    cockpit.goto(cockpit.url.partition("?")[0] + "agents?group=none")
    expect(cockpit.locator("#link-state")).to_have_text("Live")
    rows = cockpit.locator("#agents [data-row]")
    expect(cockpit.locator('#agents [data-row][tabindex="0"]')).to_have_count(1)
    rows.first.focus()
    cockpit.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    cockpit.keyboard.press("ArrowRight")
    expect(rows.nth(1).get_by_role("checkbox")).to_be_focused()
    cockpit.keyboard.press("ArrowRight")
    expect(rows.nth(1).locator("th a")).to_be_focused()
    cockpit.keyboard.press("ArrowUp")
    expect(rows.first).to_be_focused()
    name = rows.first.locator("th a").inner_text()
    cockpit.keyboard.press("Tab")
    assert cockpit.evaluate("!document.activeElement.closest('[data-rows]')")
    cockpit.keyboard.press("Shift+Tab")
    expect(rows.first).to_be_focused()
    cockpit.keyboard.press("Enter")
    expect(cockpit.locator("#agent-title")).to_have_text(name)
