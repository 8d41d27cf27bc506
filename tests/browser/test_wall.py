"""A board on the wall: it needs no login, and shows no value that may be wrong."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import Inspector, inspector
from tests.browser.test_cockpit import cockpit
from tests.server import Cordboard

pytestmark = pytest.mark.browser

__all__ = ["cockpit", "inspector"]


def make_link(page: Page, cordboard: Cordboard) -> str:
    """Make the board that the form proposes, and return the address of a link to it."""
    page.goto(f"{cordboard.url}/supervisor/boards/new/edit")
    page.get_by_label("Name", exact=True).fill("Room")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Name of the screen", exact=True).fill("Hall")
    page.get_by_label("Boards").select_option(label="Room")
    page.get_by_role("button", name="Make a link").click()
    return page.locator("#wall-link").inner_text()


def test_a_screen_shows_a_board_until_its_link_is_revoked(
    cockpit: Page,
    chromium: Browser,
    cordboard: Cordboard,
    customers: Customers,
    inspector: Inspector,
) -> None:
    task = customers.post_to_new_queue("For the wall", "skills HAS 'none'")
    link = make_link(cockpit, cordboard)
    token = link.partition("#")[2]
    context = chromium.new_context(viewport={"width": 1600, "height": 900})
    wall = context.new_page()
    wall.clock.install()
    wall.goto(link)
    worst = wall.locator(".tile", has_text="Worst queues")
    expect(worst).to_contain_text("For the wall")
    expect(wall).to_have_url(f"{cordboard.url}/supervisor/wall/")
    expect(wall.locator("#wall-age")).to_have_text("Live")
    inspector.check(wall, "a board on the wall")

    # It fits the screen, and can be read from across the room.
    fits = "document.documentElement.scrollHeight <= innerHeight"
    assert wall.evaluate(fits)
    tall = wall.locator(".tile__value").first.evaluate(
        "(value) => parseFloat(getComputedStyle(value).fontSize)"
    )
    assert tall >= 900 / 12

    # Without answers the values are marked, and then removed.
    wall.route("**/wall/tiles", lambda route: route.abort())
    wall.clock.fast_forward(15_000)
    expect(wall.locator("#wall-age")).to_contain_text("Stale for")
    wall.clock.fast_forward(20_000)
    expect(wall.locator("#wall-age")).to_have_text("No figures: the server does not answer")
    expect(wall.locator(".tile__value").first).to_have_text("–")
    wall.unroute("**/wall/tiles")
    wall.clock.fast_forward(3_000)
    expect(wall.locator("#wall-age")).to_have_text("Live")
    expect(worst).to_contain_text("For the wall")

    # The holder of the link reaches nothing else.
    other = context.new_page()
    for path in ("/supervisor/", "/supervisor/boards", "/agent/", "/admin/"):
        other.goto(f"{cordboard.url}{path}")
        expect(other.get_by_label("Password")).to_be_visible()

    cockpit.get_by_role("button", name="Revoke Hall").click()
    wall.clock.fast_forward(3_000)
    expect(wall.locator("#wall-ended")).to_be_visible()
    expect(wall.locator(".tile")).to_have_count(0)
    context.close()
    cockpit.get_by_role("button", name="Delete Room").click()
    customers.end(task, "canceled")
    logs = {path: path.read_text(errors="replace") for path in cordboard.home.rglob("*.log")}
    assert any("started as process" in text for text in logs.values())
    assert not [path for path, text in logs.items() if token in text]
    assert inspector.faults == []
