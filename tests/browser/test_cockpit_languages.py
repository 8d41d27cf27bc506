"""The cockpit in other languages: Arabic from right to left, scripts in the page's language."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import WIDEST
from tests.server import Cordboard

pytestmark = pytest.mark.browser


def open_cockpit(chromium: Browser, server: Cordboard, language: str) -> Page:
    """Log the operator in, in a browser that asks for a language."""
    page = chromium.new_context(locale=language).new_page()
    page.goto(f"{server.url}/supervisor/")
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(server.credentials()["ADMIN_PASSWORD"])
    page.keyboard.press("Enter")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    return page


def test_arabic_runs_from_right_to_left_and_fits(
    chromium: Browser, cordboard: Cordboard, customers: Customers
) -> None:
    customers.post("Parcel has not arrived", channel="chat", language="es")
    page = open_cockpit(chromium, cordboard, "ar")
    assert page.evaluate("getComputedStyle(document.documentElement).direction") == "rtl"
    for path in ("", "queues", "agents", "tasks", "changes", "reports", "alerts", "boards"):
        page.goto(f"{cordboard.url}/supervisor/{path}")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(WIDEST) == "", f"{path} at {width}"
    page.set_viewport_size({"width": 1440, "height": 900})
    rail, content = (page.locator(name).bounding_box() for name in (".rail", "#content"))
    assert rail is not None
    assert content is not None
    assert rail["x"] > content["x"], "the pages are on the right"
    page.context.close()


def test_scripts_speak_the_language_of_the_page(
    chromium: Browser, cordboard: Cordboard, customers: Customers
) -> None:
    customers.post("Parcel has not arrived", channel="chat", language="es")
    page = open_cockpit(chromium, cordboard, "de")
    page.locator("#pause").click()
    expect(page.locator("#link-state")).to_have_text(re.compile("Angehalten seit"))
    page.goto(f"{cordboard.url}/supervisor/tasks?q=parcel")
    row = page.locator("#tasks [data-row]").first
    row.locator("details.acts > summary").click()
    row.get_by_role("link", name="Priorität setzen").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Neue Priorität").fill("7")
    dialog.get_by_role("button", name="Ausführen").click()
    expect(page.locator("#toasts")).to_contain_text("Erledigt.")
    page.context.close()
