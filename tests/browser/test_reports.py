"""Reports in a browser: opened by keys and without scripts, on paper, and by axe."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import Inspector, inspector
from tests.browser.test_cockpit import cockpit, pytestmark
from tests.server import Cordboard, wait_until

__all__ = ["cockpit", "inspector", "pytestmark"]

WIDE = 2_560


def count_abandoned(page: Page, address: str) -> int:
    """Return how many tasks were abandoned, by the report's JSON."""
    answer = page.request.get(address, headers={"Accept": "application/json"})
    found: int = answer.json()["total"]["figures"]["abandoned"]
    return found


MOST_CELLS = 20


def make_figures(page: Page, customers: Customers) -> str:
    """Let two customers give up, and wait until they are counted; return the report's address."""
    address = urljoin(page.url, "/supervisor/reports/service")
    before = count_abandoned(page, address)
    tasks = [
        customers.post("Gives up", channel="chat", language="fr"),
        customers.post("Gives up", channel="chat", topic="billing"),
    ]
    for task in tasks:
        customers.end(task, "canceled")
    wait_until(lambda: count_abandoned(page, address) >= before + 2, "the tasks are counted")
    return address


def test_cells_on_the_page_open_as_many_tasks_as_they_say(
    cockpit: Page, customers: Customers
) -> None:
    make_figures(cockpit, customers)
    cockpit.keyboard.press("g")
    cockpit.keyboard.press("r")
    expect(cockpit.get_by_role("heading", level=1)).to_have_text("Service")
    links = cockpit.locator(".report td a")
    said = [
        (str(link.get_attribute("href")), int(str(link.text_content())))
        for link in links.all()
        if str(link.text_content()).isdigit()
    ]
    assert len(said) > 3
    # Fewer than a user may open in a minute; tests/supervisors opens every cell.
    for address, count in said[:: len(said) // MOST_CELLS + 1]:
        cockpit.goto(urljoin(cockpit.url, address))
        expect(cockpit.get_by_role("heading", level=1)).to_contain_text(f": {count}")
        expect(cockpit.locator("#cell-table tbody tr")).to_have_count(min(count, 100))
    cockpit.locator("#cell-table tbody a").first.click()
    expect(cockpit).to_have_url(re.compile(r"/supervisor/tasks/WT"))


def test_a_report_works_without_scripts(
    chromium: Browser, cordboard: Cordboard, cockpit: Page, customers: Customers
) -> None:
    make_figures(cockpit, customers)
    context = chromium.new_context(
        java_script_enabled=False, storage_state=cockpit.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{cordboard.url}/supervisor/reports/service")
    page.locator("[name=by]").select_option("interval")
    page.locator("[name=step]").select_option("15m")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("figure")).to_have_count(4)
    page.get_by_role("link", name="Abandoned", exact=True).click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Abandoned")
    page.locator("tfoot a").first.click()
    expect(page.locator("#cell-table tbody tr").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    context.close()


def test_every_report_passes_axe_and_fits_every_width(
    cockpit: Page, customers: Customers, inspector: Inspector
) -> None:
    cockpit.emulate_media(reduced_motion="reduce")
    address = make_figures(cockpit, customers)
    for path in (
        "service?by=interval&step=15m&compare=1d",
        "agents",
        "occupancy",
        "staffing?window=24h",
        "picking",
        "tasks?attribute=subject",
    ):
        cockpit.goto(urljoin(address, path))
        expect(cockpit.locator("#report-table")).to_be_visible()
        inspector.check(cockpit, path)
    cockpit.goto(address)
    cockpit.locator("tfoot a").first.click()
    expect(cockpit.locator("#cell-table")).to_be_visible()
    inspector.check(cockpit, "behind a figure")
    cockpit.set_viewport_size({"width": WIDE, "height": 900})
    assert cockpit.evaluate("document.documentElement.scrollWidth") <= WIDE
    assert inspector.faults == []


def test_on_paper_a_report_is_its_charts_and_its_table(cockpit: Page, customers: Customers) -> None:
    address = make_figures(cockpit, customers)
    cockpit.goto(address)
    cockpit.emulate_media(media="print")
    for hidden in (".bar", ".rail", ".report-form"):
        expect(cockpit.locator(hidden)).to_be_hidden()
    expect(cockpit.locator("figure").first).to_be_visible()
    expect(cockpit.locator(".report")).to_be_visible()
