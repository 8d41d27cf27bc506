"""The main job by keyboard alone: no press of a pointer from the login to the next task."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Customers
from tests.browser.test_main_job import in_hand, offer, settled
from tests.server import Cordboard

pytestmark = pytest.mark.browser


def press_key(page: Page, key: str, button: str) -> None:
    """Press a shortcut once the button that it presses takes presses."""
    settled(page.locator(f"[data-key={button}]").first).wait_for(timeout=PATIENCE)
    page.keyboard.press(key)


def test_an_agent_does_the_main_job_by_keyboard_alone(
    chromium: Browser, cordboard: Cordboard, customers: Customers
) -> None:
    customers.let_offers_last()
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{cordboard.url}/agent/")
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(cordboard.credentials()["AGENT_PASSWORD"])
    page.keyboard.press("Enter")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    page.evaluate("document.body.dataset.undoSeconds = '0.2'")
    page.keyboard.press("m")
    expect(page.locator(":focus")).to_contain_text("Offline")
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    expect(page.locator(":focus")).to_contain_text("takes work")
    page.keyboard.press("Enter")
    expect(page.locator("#activity-menu .activity__name").first).to_have_text("Available")

    first = customers.post("Charged twice", channel="sms", topic="billing")
    expect(offer(page, "Charged twice")).to_be_visible()
    press_key(page, "a", "accept")
    expect(in_hand(page, "Charged twice")).to_be_visible()
    press_key(page, "w", "wrap")
    expect(in_hand(page, "Charged twice").locator(".state").first).to_have_text("Wrapping up")
    press_key(page, "c", "complete")
    expect(page.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Call again on Monday")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Complete")
    page.keyboard.press("Enter")
    expect(in_hand(page, "Charged twice")).to_have_count(0)
    customers.wait_for(first, "completed")
    assert customers.outcome(first) == ("call_back", "Call again on Monday")

    second = customers.post("App stops at start", channel="chat")
    expect(offer(page, "App stops at start")).to_be_visible()
    press_key(page, "a", "accept")
    customers.wait_for(second, "assigned")
    context.close()
