"""The main job, played by two people in two browsers on a running system."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Customers, LogIn

pytestmark = pytest.mark.browser


def choose(page: Page, activity: str) -> None:
    """Pick an activity in the menu, and wait until the desk shows it."""
    page.locator("#activity-menu > summary").click()
    page.locator("#activity-menu button", has_text=activity).first.click()
    expect(page.locator("#activity-menu .activity__name").first).to_have_text(activity)


def settled(button: Locator) -> Locator:
    """Return a button once it has stood still for a moment; before, it takes no press."""
    return button.and_(button.page.locator(":not([data-settling])"))


def press(button: Locator) -> None:
    """Press a button as soon as it takes a press."""
    settled(button).click()


def offer(page: Page, subject: str) -> Locator:
    return page.locator("#offers article", has_text=subject)


def in_hand(page: Page, subject: str) -> Locator:
    return page.locator("#tasks article", has_text=subject)


def waiting(page: Page, subject: str) -> Locator:
    return page.locator("#queue li.row", has_text=subject)


def used_slots(page: Page, channel: str) -> Locator:
    return page.locator("#presence .gauge", has_text=channel).locator(
        ".jack--working, .jack--offered, .jack--wrapping"
    )


def test_two_agents_work_on_tasks_together(log_in: LogIn, customers: Customers) -> None:
    alice, bob = log_in("alice"), log_in("bob")
    choose(alice, "Available")

    # A call comes in; it is offered to Alice alone, because Bob is offline.
    first = customers.post("Parcel has not arrived", channel="voice")
    expect(offer(alice, "Parcel has not arrived")).to_be_visible()
    expect(offer(alice, "Parcel").get_by_role("timer")).to_have_text(re.compile(r"\d+"))
    expect(used_slots(alice, "Voice")).to_have_count(1)
    expect(bob.locator("#offers article")).to_have_count(0)

    # A second one waits, because she takes one call at a time; both desks see it.
    customers.post("App stops at start", channel="voice")
    expect(waiting(alice, "App stops at start")).to_contain_text("no free slot")
    expect(waiting(bob, "App stops at start")).to_contain_text("does not take work")

    # She accepts and completes, and the next one arrives by itself.
    press(offer(alice, "Parcel").get_by_role("button", name="Accept"))
    expect(in_hand(alice, "Parcel")).to_be_visible()
    expect(offer(alice, "Parcel")).to_have_count(0)
    assert customers.status(first) == "assigned"
    press(in_hand(alice, "Parcel").get_by_role("button", name="Complete"))
    expect(in_hand(alice, "Parcel")).to_have_count(0)
    expect(offer(alice, "App stops at start")).to_be_visible()
    expect(waiting(bob, "App stops at start")).to_have_count(0)
    assert customers.status(first) == "completed"
    press(offer(alice, "App stops").get_by_role("button", name="Accept"))
    expect(in_hand(alice, "App stops")).to_be_visible()

    # On the phone, neither is offered a chat; but Bob, once on the phone too, may grab one.
    choose(bob, "Available")
    customers.post("Cannot sign in", channel="voice")
    press(offer(bob, "Cannot sign in").get_by_role("button", name="Accept"))
    expect(in_hand(bob, "Cannot sign in")).to_be_visible()
    chat = customers.post("Printer shows error 49", channel="chat")
    expect(waiting(alice, "Printer")).to_be_visible()
    expect(waiting(bob, "Printer")).to_be_visible()

    # Alice's page gets no frames for a while, so her list still shows the task that Bob grabbed.
    alice.route("**/agent/panels/queue*", lambda route: route.abort())
    press(waiting(bob, "Printer").get_by_role("button", name="Grab"))
    expect(in_hand(bob, "Printer")).to_be_visible()
    assert customers.status(chat) == "assigned"
    press(waiting(alice, "Printer").get_by_role("button", name="Grab"))
    expect(alice.locator("#toasts")).to_contain_text("This task is no longer waiting.")
    alice.unroute("**/agent/panels/queue*")
    expect(waiting(alice, "Printer")).to_have_count(0)
    expect(in_hand(alice, "Printer")).to_have_count(0)


def test_an_agent_who_leaves_with_an_open_offer_is_asked_once_and_rejects_it(
    log_in: LogIn, customers: Customers
) -> None:
    carol = log_in("carol")
    choose(carol, "Available")
    task = customers.post("Refund still missing", channel="sms", topic="billing", language="fr")
    expect(offer(carol, "Refund")).to_be_visible()
    carol.locator("#activity-menu > summary").click()
    carol.locator("#activity-menu button", has_text="Break").click()
    expect(carol.locator("#leave")).to_be_visible()
    carol.get_by_role("button", name="Stay").click()
    expect(offer(carol, "Refund")).to_be_visible()
    carol.locator("#activity-menu > summary").click()
    carol.locator("#activity-menu button", has_text="Break").click()
    carol.get_by_role("button", name="Reject and leave").click()
    expect(carol.locator("#activity-menu .activity__name").first).to_have_text("Break")
    expect(offer(carol, "Refund")).to_have_count(0)
    assert customers.status(task) == "pending"


def test_every_open_tab_is_updated_and_a_lost_connection_is_shown_and_repaired(
    log_in: LogIn, customers: Customers
) -> None:
    dan = log_in("dan")
    other = dan.context.new_page()
    other.goto(dan.url)
    choose(dan, "Available")
    expect(other.locator("#activity-menu .activity__name").first).to_have_text("Available")

    # The switch of a channel turns it off in both tabs, and new tasks on it wait.
    chat = dan.locator("#presence .gauge", has_text="Chat")
    press(chat.get_by_role("switch"))
    expect(other.locator("#presence .gauge", has_text="Chat")).to_contain_text("Off for now")
    customers.post("How do I cancel?", channel="chat", language="es")
    expect(waiting(dan, "How do I cancel?")).to_contain_text("switched off")
    press(chat.get_by_role("switch"))
    expect(offer(other, "How do I cancel?")).to_be_visible()

    dan.context.set_offline(True)
    dan.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(dan.locator("#lost")).to_be_visible()
    dan.context.set_offline(False)
    dan.evaluate("window.dispatchEvent(new Event('online'))")
    expect(dan.locator("#lost")).to_be_hidden()
    expect(dan.locator("#link-state")).to_have_attribute("data-state", "live")
    expect(
        settled(offer(dan, "How do I cancel?").get_by_role("button", name="Accept"))
    ).to_be_visible()
    dan.keyboard.press("a")
    expect(in_hand(other, "How do I cancel?")).to_be_visible()
