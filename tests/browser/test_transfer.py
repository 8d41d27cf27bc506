"""A task goes from one desk to another, in two browsers against the really running system."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press

pytestmark = pytest.mark.browser


def send(choices: Locator, name: str, *, note: str = "") -> None:
    """Find a colleague in the open dialog, and transfer the task to them."""
    expect(choices.get_by_role("searchbox")).to_be_focused()
    choices.get_by_role("textbox", name="Note").fill(note)
    choices.get_by_role("searchbox").fill(name[1:])
    expect(choices.get_by_role("group", name="Colleagues").get_by_role("radio")).to_have_count(1)
    choices.get_by_role("radio", name=name).check()
    choices.get_by_role("button", name=f"Transfer to {name}").click()


def test_a_task_is_transferred_from_desk_to_desk(log_in: LogIn, customers: Customers) -> None:
    alice = log_in("alice")
    choose(alice, "Available")
    task = customers.post("Which invoice is right?", channel="chat")
    press(offer(alice, "Which invoice").get_by_role("button", name="Accept"))
    card = in_hand(alice, "Which invoice")
    expect(card).to_be_visible()
    bob = log_in("bob")
    choose(bob, "Available")

    # She opens the choices, and keeps the task.
    press(card.get_by_role("link", name="Transfer"))
    choices = alice.get_by_role("dialog")
    expect(choices).to_contain_text("Which invoice is right?")
    choices.get_by_role("link", name="Keep it").click()
    expect(choices).to_have_count(0)

    press(card.get_by_role("link", name="Transfer"))
    name = bob.locator("#presence-title").inner_text()
    send(choices, name, note="He needs the one of May")
    expect(card).to_contain_text(f"Transferring to {name}")
    sender = alice.locator("#presence-title").inner_text()
    expect(offer(bob, "Which invoice")).to_contain_text(f"Transferred by {sender}: ")
    expect(offer(bob, "Which invoice")).to_contain_text("He needs the one of May")
    press(card.get_by_role("button", name="Cancel transfer"))
    expect(offer(bob, "Which invoice")).to_have_count(0)
    expect(card).to_contain_text("Working")

    # Then the transfer is accepted.
    press(card.get_by_role("link", name="Transfer"))
    send(choices, name)
    press(offer(bob, "Which invoice").get_by_role("button", name="Accept"))
    expect(in_hand(bob, "Which invoice")).to_be_visible()
    expect(card).to_have_count(0)
    assert customers.status(task) == "assigned"
    press(in_hand(bob, "Which invoice").get_by_role("button", name="Complete"))
    expect(in_hand(bob, "Which invoice")).to_have_count(0)
    assert customers.status(task) == "completed"
