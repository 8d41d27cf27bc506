"""Every page of the cockpit is accessible and fits, in light and dark, narrow and wide."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import EVERY, USUAL, Inspector, inspector
from tests.browser.test_cockpit import cockpit, pytestmark

__all__ = ["cockpit", "inspector", "pytestmark"]


def open_first(page: Page, path: str, rows: str) -> None:
    """Open a list, and then its first row."""
    page.goto(page.url.partition("/supervisor/")[0] + f"/supervisor/{path}")
    page.locator(f"{rows} [data-row] th a").first.click()
    expect(page.locator("#link-state")).to_have_text("Live")


def show(page: Page, path: str) -> None:
    """Open a page of the cockpit, and wait until it is live."""
    page.goto(page.url.partition("/supervisor/")[0] + f"/supervisor/{path}")
    expect(page.locator("#link-state")).to_have_text("Live")


def test_the_lists_pass_axe_and_fit_every_width(
    cockpit: Page, customers: Customers, inspector: Inspector
) -> None:
    cockpit.emulate_media(reduced_motion="reduce")
    for language in ("fr", "es"):
        customers.post(
            "An unusually long subject " * 4, channel="chat", language=language, customer="Ada"
        )
    for path, state in (
        ("agents", "agents"),
        ("agents?show=mosaic&group=queue", "the mosaic"),
        ("agents?show=handled&show=aht&show=occupancy&show=busy_share&show=skills", "figures"),
        ("agents?q=absent", "no agents"),
        ("tasks", "tasks"),
        ("tasks?status=completed", "finished tasks"),
        ("changes", "changes"),
    ):
        show(cockpit, path)
        inspector.check(cockpit, state, EVERY if path == "tasks" else USUAL)
    cockpit.goto(cockpit.url.partition("/supervisor/")[0] + "/supervisor/tasks")
    cockpit.locator("#views-menu > summary").click()
    inspector.check(cockpit, "the menu of views")
    assert inspector.faults == []


def test_the_pages_of_an_agent_and_a_task_pass_axe_and_fit_every_width(
    cockpit: Page, customers: Customers, inspector: Inspector
) -> None:
    cockpit.emulate_media(reduced_motion="reduce")
    customers.post("Parcel has not arrived", channel="chat", language="es", customer="Ada Byron")
    open_first(cockpit, "agents?group=none", "#agents")
    cockpit.locator("#timeline-table summary").click()
    cockpit.locator("#other-queues summary").click()
    # What the bar covers of a scrolled page is no fault of the page.
    cockpit.evaluate("scrollTo(0, 0)")
    inspector.check(cockpit, "an agent")
    cockpit.get_by_role("link", name="Day before").click()
    expect(cockpit.get_by_role("link", name="Day after")).to_be_visible()
    inspector.check(cockpit, "an agent's yesterday")
    open_first(cockpit, "tasks?q=parcel", "#tasks")
    inspector.check(cockpit, "a task")
    cockpit.locator("#task details.acts > summary").click()
    cockpit.get_by_role("link", name="Set priority").click()
    expect(cockpit.get_by_role("dialog")).to_be_visible()
    inspector.check(cockpit, "a dialog of a command")
    assert inspector.faults == []


def test_on_a_phone_filters_and_actions_are_sheets(cockpit: Page, customers: Customers) -> None:
    customers.post("Parcel has not arrived", channel="chat", language="es")
    cockpit.set_viewport_size({"width": 360, "height": 740})
    show(cockpit, "tasks")
    form = cockpit.locator("form[data-filters]")
    expect(form).to_be_hidden()
    cockpit.locator("#filters > summary").click()
    expect(form).to_be_visible()
    box = form.bounding_box()
    assert box is not None
    assert round(box["y"] + box["height"]) == 740
    assert round(box["width"]) == 360
    cockpit.keyboard.press("Escape")
    expect(form).to_be_hidden()
    cockpit.keyboard.press("f")
    form.get_by_label("Search").fill("parcel")
    form.get_by_role("button", name="Show").click()
    expect(cockpit.locator("#tasks .chip")).to_contain_text("parcel")
    row = cockpit.locator("#tasks [data-row]").first
    expect(row.locator('[data-label="Queue"]')).to_be_visible()
    expect(row.locator('[data-label="Priority"]')).to_be_hidden()
    row.locator("details.acts > summary").click()
    menu = row.locator(".menu__list")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box is not None
    assert round(box["y"] + box["height"]) == 740
