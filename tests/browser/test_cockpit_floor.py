"""Agents and their supervisor at once: what one does at the desk, the cockpit shows, and back."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_cockpit import cockpit, pytestmark
from tests.browser.test_main_job import choose, in_hand, offer, press
from tests.server import Cordboard

__all__ = ["cockpit", "pytestmark"]


def show_agent(page: Page, server: Cordboard, name: str) -> None:
    """Open the agents, limited to one of them."""
    page.goto(f"{server.url}/supervisor/agents?q={name}")
    expect(page.locator("#link-state")).to_have_text("Live")


def test_a_channel_that_an_agent_switches_off_is_shown_to_two_supervisors(
    chromium: Browser, cordboard: Cordboard, cockpit: Page, log_in: LogIn
) -> None:
    second = chromium.new_context(storage_state=cockpit.context.storage_state()).new_page()
    for page in (cockpit, second):
        show_agent(page, cordboard, "alice")
    desk = log_in("alice")
    switch = desk.get_by_role("switch", name="Chat")
    press(switch)
    for page in (cockpit, second):
        expect(page.locator("#agents .load--off")).to_contain_text("switched off")
        expect(page.locator("#agents")).to_contain_text("channel off")
    press(switch)
    for page in (cockpit, second):
        expect(page.locator("#agents .load--off")).to_have_count(0)
    second.context.close()


def test_a_stuck_wrap_up_is_completed_by_the_supervisor_and_frees_the_slot(
    cordboard: Cordboard, cockpit: Page, log_in: LogIn, customers: Customers
) -> None:
    customers.let_offers_last()
    desk = log_in("alice")
    choose(desk, "Available")
    customers.post("Parcel is stuck", channel="chat")
    press(offer(desk, "stuck").get_by_role("button", name="Accept"))
    press(in_hand(desk, "stuck").get_by_role("button", name="Wrap up"))
    show_agent(cockpit, cordboard, "alice")
    expect(cockpit.locator("#agents .jack--busy")).to_have_count(1)
    cockpit.locator("#agents [data-row] th a").click()
    row = cockpit.locator("#in_hand [data-row]", has_text="stuck")
    row.locator("details.acts > summary").click()
    row.get_by_role("link", name="Complete").click()
    dialog = cockpit.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("forgotten")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name="Do it").click()
    expect(cockpit.locator("#in_hand")).to_contain_text("Nothing in hand.")
    expect(in_hand(desk, "stuck")).to_have_count(0)
