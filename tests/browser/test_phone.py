"""The desk on a phone, and what is copied from a card."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press

pytestmark = pytest.mark.browser


def test_a_phone_shows_offers_near_the_top_and_copies_numbers(
    log_in: LogIn, customers: Customers
) -> None:
    page = log_in("alice")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(page, "Available")
    page.set_viewport_size({"width": 390, "height": 844})
    known = {"customer": "Ada", "phone": "+44 20 7946 0958"}
    customers.post("Parcel has not arrived", channel="chat", **known)
    card = offer(page, "Parcel")
    expect(card).to_be_visible()
    box = card.bounding_box()
    assert box is not None
    assert box["y"] < 844 / 3
    expect(card.locator("kbd:visible")).to_have_count(0)

    # The channels are one line, which opens; a wider page shows them all.
    switches = page.get_by_role("switch")
    expect(switches).to_have_count(0)
    page.locator("#channels > summary").click()
    expect(switches.first).to_be_visible()
    page.locator("#channels > summary").click()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(switches.first).to_be_visible()

    press(card.get_by_role("button", name="Accept"))
    copy = in_hand(page, "Parcel").get_by_role("button", name="Copy phone")
    copy.focus()
    page.keyboard.press("Enter")
    expect(copy).to_contain_text("Copied")
    expect(page.locator("#told")).to_have_text("Copied phone")
    assert page.evaluate("navigator.clipboard.readText()") == "+44 20 7946 0958"
