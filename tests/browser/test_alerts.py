"""Alerts in a browser: they appear by themselves, call once, and are taken care of."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import Inspector, inspector
from tests.browser.test_cockpit import cockpit
from tests.server import Cordboard

pytestmark = pytest.mark.browser

__all__ = ["cockpit", "inspector"]

QUEUE = "A queue with a threshold"
COUNT_SOUNDS = """
    window.sounds = 0;
    document.addEventListener("cockpit:sound", () => (window.sounds += 1));
"""


def open_page(page: Page, cordboard: Cordboard, path: str = "alerts") -> None:
    """Open a page of the cockpit, and wait until it is live."""
    page.goto(f"{cordboard.url}/supervisor/{path}")
    expect(page.locator("#link-state")).to_have_text("Live")


def limit_waiting(page: Page, *, act: int) -> None:
    """Make a threshold for the waiting tasks of the queue."""
    page.get_by_role("link", name="New threshold").click()
    page.get_by_label("About").select_option(label=QUEUE)
    page.get_by_label("Act at").fill(str(act))
    page.get_by_label("For so many seconds").fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#thresholds")).to_contain_text(f"at least {act}")


def test_an_alert_appears_and_sounds_once_and_a_supervisor_takes_care_of_it(
    cockpit: Page, customers: Customers, cordboard: Cordboard, inspector: Inspector
) -> None:
    first = customers.post_to_new_queue(QUEUE, "skills HAS 'none'")
    open_page(cockpit, cordboard)
    limit_waiting(cockpit, act=2)
    cockpit.get_by_label("Sound once for each new alert").check()
    cockpit.locator("[data-alarm]").get_by_role("button", name="Save").click()
    expect(cockpit.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(cockpit.locator("#link-state")).to_have_text("Live")
    cockpit.evaluate(COUNT_SOUNDS)
    cockpit.locator("h1").click(force=True)  # browsers allow sound after a gesture
    expect(cockpit.locator("#bell")).to_be_hidden()

    second = customers.post_beside(first)
    alert = cockpit.locator("#alerts li", has_text=QUEUE)
    expect(alert).to_contain_text("Waiting tasks 2, limit at least 2")
    expect(cockpit.locator("#bell")).to_contain_text("1 alert")
    expect(cockpit).to_have_title("(1) Alerts · Support floor · Cordboard")
    cockpit.wait_for_function("window.sounds === 1")
    inspector.check(cockpit, "an open alert")

    alert.get_by_label("Note on").fill("Called Ben")
    alert.get_by_role("button", name="Take care of it").click()
    expect(alert).to_contain_text("admin takes care of it")
    expect(alert).to_contain_text("Called Ben")
    expect(cockpit).to_have_title("Alerts · Support floor · Cordboard")
    expect(cockpit.locator("#bell")).to_contain_text("taken care of")

    customers.end(second, "canceled")
    expect(cockpit.locator("#alerts")).to_contain_text("No alert is open.")
    expect(cockpit.locator("#cleared")).to_contain_text(QUEUE)
    expect(cockpit.locator("#bell")).to_be_hidden()
    customers.end(first, "canceled")
    cockpit.locator("#thresholds tr", has_text=QUEUE).get_by_role("button", name="Delete").click()
    expect(cockpit.locator("#thresholds")).not_to_contain_text(QUEUE)
    assert inspector.faults == []


def test_a_threshold_is_made_by_keyboard_alone_and_errors_stand_at_their_field(
    cockpit: Page, cordboard: Cordboard
) -> None:
    open_page(cockpit, cordboard, "")
    cockpit.keyboard.press("g")
    cockpit.keyboard.press("l")
    expect(cockpit.get_by_role("link", name="New threshold")).to_be_visible()
    cockpit.get_by_role("link", name="New threshold").focus()
    cockpit.keyboard.press("Enter")
    cockpit.get_by_label("Act at").focus()
    cockpit.keyboard.type("0")
    cockpit.keyboard.press("Enter")
    field = cockpit.locator(".field", has=cockpit.get_by_label("Act at"))
    expect(field).to_contain_text("it must be a whole number from 1")
