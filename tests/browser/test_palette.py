"""The command palette finds commands, activities, tasks and colleagues by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press

pytestmark = pytest.mark.browser


def test_the_main_job_is_done_from_the_palette(log_in: LogIn, customers: Customers) -> None:
    alice = log_in("alice")
    palette = alice.get_by_role("dialog", name="Commands")
    options = palette.get_by_role("option")

    # The palette sets the activity.
    alice.keyboard.press("Control+k")
    expect(palette.get_by_role("combobox")).to_be_focused()
    alice.keyboard.type("available")
    alice.keyboard.press("Enter")
    expect(palette).to_have_count(0)
    expect(alice.locator("#activity-menu summary")).to_contain_text("Available")

    # A task is found by words of its title, and gets the focus.
    customers.post("Which invoice is right?", channel="chat")
    press(offer(alice, "Which invoice").get_by_role("button", name="Accept"))
    card = in_hand(alice, "Which invoice")
    expect(card).to_be_visible()
    alice.keyboard.press("Control+k")
    alice.keyboard.type("invoice which")
    expect(options.first).to_contain_text("Which invoice is right?")
    expect(options.first).to_have_attribute("aria-selected", "true")
    alice.keyboard.press("Enter")
    expect(card).to_be_focused()

    # A command acts on the task in focus.
    alice.keyboard.press("Control+k")
    alice.keyboard.type("wrap up the task")
    alice.keyboard.press("Enter")
    expect(card).to_contain_text("Wrapping up")


def test_a_colleague_is_found_for_the_only_task(log_in: LogIn, customers: Customers) -> None:
    alice = log_in("alice")
    choose(alice, "Available")
    customers.post("Which invoice is right?", channel="chat")
    press(offer(alice, "Which invoice").get_by_role("button", name="Accept"))
    expect(in_hand(alice, "Which invoice")).to_be_visible()
    alice.keyboard.press("Control+k")
    alice.keyboard.type("bob")
    palette = alice.get_by_role("dialog", name="Commands")
    palette.get_by_role("option", name="Transfer to a colleague or queue called “bob”").click()
    choices = alice.get_by_role("dialog", name="Transfer")
    expect(choices.get_by_role("searchbox")).to_have_value("bob")
    expect(choices.get_by_role("group", name="Colleagues").get_by_role("radio")).to_have_count(1)


def test_what_is_not_found_is_said_and_escape_closes(log_in: LogIn) -> None:
    alice = log_in("alice")
    alice.keyboard.press("Control+k")
    palette = alice.get_by_role("dialog", name="Commands")
    alice.keyboard.type("zzz")
    expect(palette.get_by_role("option")).to_have_text(["Find “zzz” in waiting tasks"])
    alice.keyboard.press("Enter")
    expect(palette).to_have_count(0)
    expect(alice.locator("#queue-search")).to_have_value("zzz")
    expect(alice.locator("#queue")).to_contain_text("No waiting task matches “zzz”")
    alice.keyboard.press("Control+k")
    alice.keyboard.press("Escape")
    expect(palette).to_have_count(0)
