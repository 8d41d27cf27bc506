"""Completing with an outcome in a browser, by mouse, by keyboard and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press

pytestmark = pytest.mark.browser


def test_a_task_is_completed_with_an_outcome_and_a_note_by_keyboard(
    log_in: LogIn, customers: Customers
) -> None:
    alice = log_in("alice")
    choose(alice, "Available")
    task = customers.post("Paid twice", channel="sms", topic="billing")
    press(offer(alice, "Paid twice").get_by_role("button", name="Accept"))
    card = in_hand(alice, "Paid twice")
    expect(card).to_be_visible()

    # The key opens the question. Escape leaves it, and nothing is completed.
    card.focus()
    alice.keyboard.press("c")
    question = alice.get_by_role("dialog")
    expect(question).to_contain_text("Complete “Paid twice”")
    expect(question.get_by_role("radio", name="Resolved")).to_be_focused()
    alice.keyboard.press("Escape")
    expect(question).to_have_count(0)
    assert customers.status(task) == "assigned"

    alice.keyboard.press("c")
    expect(question.get_by_role("radio", name="Resolved")).to_be_focused()
    alice.keyboard.press("ArrowDown")
    expect(question.get_by_role("radio", name="To be called back")).to_be_checked()
    alice.keyboard.press("Tab")
    alice.keyboard.type("Monday, please")

    # What was typed is still there when the question is opened again.
    alice.keyboard.press("Escape")
    expect(question).to_have_count(0)
    alice.keyboard.press("c")
    expect(question.get_by_role("radio", name="To be called back")).to_be_checked()
    expect(question.get_by_label("Note")).to_have_value("Monday, please")
    expect(question.get_by_role("radio", name="To be called back")).to_be_focused()
    alice.keyboard.press("Tab")
    alice.keyboard.press("Tab")

    # A completion can still be undone.
    alice.evaluate("document.body.dataset.undoSeconds = '60'")
    alice.keyboard.press("Tab")
    expect(question.get_by_role("button", name="Complete")).to_be_focused()
    alice.keyboard.press("Enter")
    expect(card).to_have_attribute("data-held", "")
    alice.keyboard.press("u")
    expect(card.get_by_role("link", name="Complete")).to_be_visible()
    assert customers.status(task) == "assigned"

    alice.evaluate("document.body.dataset.undoSeconds = '0.2'")
    press(card.get_by_role("link", name="Complete"))
    question.get_by_role("radio", name="Resolved").check()
    question.get_by_label("Note").fill("Refunded")
    question.get_by_role("button", name="Complete").click()
    expect(card).to_have_count(0)
    customers.wait_for(task, "completed")
    assert customers.outcome(task) == ("resolved", "Refunded")


def test_a_page_that_closes_sends_a_held_completion_with_its_outcome(
    log_in: LogIn, customers: Customers
) -> None:
    alice = log_in("alice")
    choose(alice, "Available")
    task = customers.post("Wrong amount", channel="sms", topic="billing")
    press(offer(alice, "Wrong amount").get_by_role("button", name="Accept"))
    press(in_hand(alice, "Wrong amount").get_by_role("link", name="Complete"))
    alice.evaluate("document.body.dataset.undoSeconds = '60'")
    question = alice.get_by_role("dialog")
    question.get_by_role("radio", name="Passed on").check()
    question.get_by_role("button", name="Complete").click()
    expect(in_hand(alice, "Wrong amount")).to_contain_text("Completed")
    alice.goto("about:blank")
    customers.wait_for(task, "completed")
    assert customers.outcome(task) == ("passed_on", None)


def test_a_wrap_up_is_extended_and_then_completed_by_itself(
    log_in: LogIn, customers: Customers
) -> None:
    customers.limit_wrap_up("Billing", seconds=8)
    try:
        alice = log_in("alice")
        choose(alice, "Available")
        task = customers.post("Late invoice", channel="sms", topic="billing")
        press(offer(alice, "Late invoice").get_by_role("button", name="Accept"))
        card = in_hand(alice, "Late invoice")
        press(card.get_by_role("button", name="Wrap up"))
        expect(card).to_contain_text("wrapping up of 0:08")
        expect(card.locator("[data-until]")).to_have_text(re.compile(r"0:0[0-7]"))
        press(card.get_by_role("button", name="More time"))
        expect(card).to_contain_text("wrapping up of 0:16")
        expect(card.get_by_role("button", name="More time")).to_have_count(0)
        expect(card).to_have_count(0)
        customers.wait_for(task, "completed")
        assert customers.outcome(task) == (None, None)
        expect(alice.locator("body")).to_contain_text("the time for wrapping up was over")
    finally:
        customers.limit_wrap_up("Billing", seconds=120)
