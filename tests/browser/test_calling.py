"""The desk calls an agent who looks elsewhere: it rings, notifies, and counts.

Each ring is an event of the page, so tests count rings. The page's clock is stopped, as in
`test_pressing`: it moves only where a test moves it.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, offer
from tests.browser.test_pressing import SETTLED, advance, until
from tests.server import wait_until

pytestmark = pytest.mark.browser

EVERY = 4_000

COUNT = """
    window.rings = 0;
    window.notified = [];
    document.addEventListener("desk:ring", () => window.rings++);
    document.addEventListener("desk:notify", (event) => window.notified.push(event.detail));
"""

MUTE = """
    window.allowed = false;
    addEventListener("pointerdown", () => (window.allowed = true), true);
    window.AudioContext = class extends AudioContext {
        get state() { return window.allowed ? super.state : "suspended"; }
        resume() { return window.allowed ? super.resume() : new Promise(() => {}); }
    };
"""
"""A browser that allows no sound before the first press."""

NO_LOCKS = 'Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });'
"""A browser on a page without HTTPS, which has no locks."""

NOTIFY = """
    window.asked = 0;
    window.notes = [];
    window.isHidden = false;
    window.Notification = class {
        static permission = localStorage.getItem("test.permission") ?? "default";
        static async requestPermission() {
            window.asked++;
            localStorage.setItem("test.permission", "granted");
            return (Notification.permission = "granted");
        }
        constructor(title) { this.title = title; window.notes.push(this); }
        close() { window.notes.splice(window.notes.indexOf(this), 1); }
    };
    Object.defineProperty(document, "hidden", { get: () => window.isHidden });
"""
"""A browser whose notifications and visibility a test controls."""


@pytest.fixture(autouse=True)
def lasting_offers(customers: Customers) -> None:
    """Let offers last."""
    customers.let_offers_last()


def begin(log_in: LogIn, name: str, *scripts: str) -> Page:
    """Return the desk of an available agent whose clock stands still."""
    page = log_in(name)
    choose(page, "Available")
    for script in (COUNT, *scripts):
        page.context.add_init_script(script)
    page.clock.install()
    open_again(page)
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    return page


def open_again(page: Page) -> None:
    """Load the page again, and wait until it is live."""
    page.goto(page.url)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")


def rings(*pages: Page) -> int:
    """Return how often these pages have rung."""
    return sum(page.evaluate("window.rings") for page in pages)


def until_rung(page: Page, *pages: Page, times: int) -> None:
    """Wait until the pages have rung so often; time goes on only as far as the panels need."""

    def have_rung() -> bool:
        advance(page, 50)
        return rings(page, *pages) >= times

    wait_until(have_rung, f"{times} rings")
    assert rings(page, *pages) == times


def test_an_offer_rings_until_it_is_answered_even_without_a_connection(
    log_in: LogIn, customers: Customers
) -> None:
    alice = begin(log_in, "alice")
    customers.post("Parcel has not arrived", channel="chat")
    until(alice, alice.locator("#offers article"), 1)
    until_rung(alice, times=1)
    assert alice.title().startswith("(1) Offer")
    for times in (2, 3):
        advance(alice, EVERY - 500)
        assert rings(alice) == times - 1
        until_rung(alice, times=times)
    alice.context.set_offline(True)
    advance(alice, EVERY - 500)
    until_rung(alice, times=4)
    alice.context.set_offline(False)
    alice.evaluate("window.dispatchEvent(new Event('online'))")
    expect(alice.locator("#link-state")).to_have_attribute("data-state", "live")

    # A second offer rings at once, and the ringing ends with the last answer.
    advance(alice, 2_000)
    before = rings(alice)
    customers.post("App stops at start", channel="sms")
    until(alice, alice.locator("#offers article"), 2)
    until_rung(alice, times=before + 1)
    for left in (1, 0):
        advance(alice, SETTLED)
        alice.locator("#offers [data-key=reject]").first.click()
        choose_nothing(alice, left)
    before = rings(alice)
    advance(alice, 3 * EVERY)
    assert rings(alice) == before
    assert not alice.title().startswith("(")


def choose_nothing(page: Page, left: int) -> None:
    """Wait until so many offers are left; a rejected task is offered to no one else."""
    until(page, page.locator("#offers article"), left)


@pytest.mark.parametrize("scripts", [(), (NO_LOCKS,)], ids=["locks", "no locks"])
def test_one_of_three_tabs_rings_and_another_one_once_it_is_closed(
    log_in: LogIn, customers: Customers, scripts: tuple[str, ...]
) -> None:
    alice = begin(log_in, "alice", *scripts)
    tabs = [alice, alice.context.new_page(), alice.context.new_page()]
    for tab in tabs[1:]:
        tab.goto(alice.url)
        expect(tab.locator("#link-state")).to_have_attribute("data-state", "live")
    for tab in tabs:
        tab.locator("#presence-title").click()
    customers.post("Parcel has not arrived", channel="chat")
    for tab in tabs:
        until(tab, tab.locator("#offers article"), 1)
    until_rung(*tabs, times=1)
    for times in (2, 3):
        advance(alice, EVERY - 500)
        until_rung(*tabs, times=times)
    ringing = [tab for tab in tabs if rings(tab)]
    assert [rings(tab) for tab in ringing] == [3]
    ringing[0].close()
    others = [tab for tab in tabs if tab not in ringing]
    # The next one goes on with the interval, and begins none of its own.
    for times in (1, 2):
        advance(others[0], EVERY - 500)
        assert rings(*others) == times - 1
        until_rung(*others, times=times)
    assert sorted(rings(tab) for tab in others) == [0, 2]


def test_a_page_that_the_browser_keeps_mute_asks_for_a_click(
    log_in: LogIn, customers: Customers
) -> None:
    alice = begin(log_in, "alice", MUTE)
    allow = alice.get_by_role("button", name="Click to allow sound")
    expect(allow).to_be_hidden()
    customers.post("Parcel has not arrived", channel="chat")
    until(alice, alice.locator("#offers article"), 1)
    advance(alice, 500)
    expect(allow).to_be_visible()
    state = alice.get_by_role("button", name="Sound and notifications")
    expect(state).to_have_attribute("data-state", "muted")
    advance(alice, 2 * EVERY)
    assert rings(alice) == 0
    allow.click()
    until_rung(alice, times=1)
    expect(allow).to_be_hidden()
    expect(state).to_have_attribute("data-state", "on")


def test_settings_are_kept_on_the_server_and_apply_to_every_tab_at_once(
    log_in: LogIn, customers: Customers
) -> None:
    bob = log_in("bob")
    bob.context.add_init_script(COUNT)
    open_again(bob)
    other = bob.context.new_page()
    other.goto(bob.url)
    expect(other.locator("#link-state")).to_have_attribute("data-state", "live")
    button = bob.get_by_role("button", name="Sound and notifications")
    expect(button).to_have_attribute("data-state", "on")
    button.click()
    dialog = bob.get_by_role("dialog", name="Sound and notifications")
    dialog.get_by_label("Chime").check()
    dialog.get_by_label("Volume").fill("25")
    dialog.get_by_label("SMS").uncheck()
    dialog.get_by_role("button", name="Test").click()
    dialog.get_by_label("Ring until an offer is answered").uncheck()
    expect(dialog.get_by_role("status")).to_have_text("Saved.")
    expect(button.or_(bob.locator("[data-opens=calling]")).first).to_have_attribute(
        "data-state", "off"
    )
    expect(other.locator("[data-opens=calling]")).to_have_attribute("data-state", "off")
    assert rings(bob) == 0

    # Another browser of the same user begins with them.
    elsewhere = log_in("bob")
    elsewhere.locator("[data-opens=calling]").click()
    dialog = elsewhere.get_by_role("dialog", name="Sound and notifications")
    expect(dialog.get_by_label("Chime")).to_be_checked()
    expect(dialog.get_by_label("Volume")).to_have_value("25")
    expect(dialog.get_by_label("SMS")).not_to_be_checked()
    expect(dialog.get_by_label("Chat")).to_be_checked()
    expect(dialog.get_by_label("Ring until")).not_to_be_checked()

    # Switched on there, the first tab rings, but not for the channel that is silent.
    dialog.get_by_label("Ring until").check()
    expect(bob.locator("[data-opens=calling]")).to_have_attribute("data-state", "on")
    bob.keyboard.press("Escape")
    choose(bob, "Available")
    customers.post("In writing", channel="sms")
    expect(offer(bob, "In writing")).to_be_visible()
    customers.post("By phone", channel="voice")
    expect(offer(bob, "By phone")).to_be_visible()
    wait_until(lambda: rings(bob, other) > 0, "a ring")
    dialog.get_by_label("Voice").uncheck()
    expect(dialog.get_by_role("status")).to_have_text("Saved.")
    for name in ("Voice", "SMS"):
        dialog.get_by_label(name).check()
    dialog.get_by_label("Bell").check()
    expect(dialog.get_by_role("status")).to_have_text("Saved.")


def test_notifications_are_asked_for_by_a_button_and_closed_with_their_offers(
    log_in: LogIn, customers: Customers
) -> None:
    carol = begin(log_in, "carol", NOTIFY)
    advance(carol, 1_000)
    assert carol.evaluate("window.asked") == 0
    carol.locator("[data-opens=calling]").click()
    dialog = carol.get_by_role("dialog", name="Sound and notifications")
    dialog.get_by_label("Show a notification").check()
    assert carol.evaluate("window.asked") == 0
    dialog.get_by_role("button", name="Allow notifications").click()
    expect(dialog.get_by_role("button", name="Allow notifications")).to_be_hidden()
    assert carol.evaluate("window.asked") == 1
    advance(carol, 500)
    expect(dialog.get_by_role("status")).to_have_text("Saved.")
    carol.keyboard.press("Escape")
    other = carol.context.new_page()
    other.goto(carol.url)
    expect(other.locator("#link-state")).to_have_attribute("data-state", "live")
    tabs = (carol, other)

    def hide(page: Page, hidden: str) -> None:
        page.evaluate(f"window.isHidden = {hidden}")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def notes() -> list[str]:
        return [note for tab in tabs for note in tab.evaluate("notes.map((note) => note.title)")]

    def post(subject: str, count: int) -> str:
        task = customers.post(subject, channel="sms", topic="billing", language="fr")
        for tab in tabs:
            until(tab, tab.locator("#offers article"), count)
        return task

    # Nothing while one of the tabs is in sight.
    hide(carol, "true")
    first = post("In sight", 1)
    assert notes() == []
    hide(other, "true")
    second = post("Out of sight", 2)
    wait_until(lambda: notes() == ["New offer: Out of sight"], "one notification")
    customers.end(second, "canceled")
    for tab in tabs:
        until(tab, tab.locator("#offers article"), 1)
    wait_until(lambda: notes() == [], "no notification")
    assert customers.status(first) == "reserved"
    assert carol.evaluate("window.asked") == 1


def test_the_time_left_is_the_server_s_on_a_computer_that_is_ten_minutes_off(
    log_in: LogIn, customers: Customers
) -> None:
    dan = log_in("dan")
    choose(dan, "Available")
    customers.post("How do I cancel?", channel="chat", language="es")
    left = offer(dan, "How do I cancel?").locator("[data-left]")
    for minutes in (10, -10):
        dan.add_init_script(
            f"{{ const now = Date.now; Date.now = () => now() + {minutes} * 60_000; }}"
        )
        open_again(dan)
        expect(left).to_have_text(re.compile(r"^59:\d\d$|^1 h$"))


def test_the_time_left_is_right_again_after_a_sleep(log_in: LogIn, customers: Customers) -> None:
    dan = begin(log_in, "dan")
    customers.post("How do I cancel?", channel="chat", language="es")
    until(dan, dan.locator("#offers article"), 1)
    # For the page two hours pass at once, but not for the server.
    dan.clock.fast_forward(2 * 3600 * 1000)
    left = offer(dan, "How do I cancel?").locator("[data-left]")

    def is_right() -> bool:
        advance(dan, 100)
        return re.match(r"^59:\d\d$|^1 h$", left.inner_text()) is not None

    wait_until(is_right, "the time left is right")
    before = rings(dan)
    advance(dan, EVERY - 1)
    # Those of the two hours are not made up for.
    assert rings(dan) <= before + 1


def test_a_choice_made_while_another_one_is_saved_is_kept(log_in: LogIn) -> None:
    page = log_in("bob")
    page.locator("[data-opens=calling]").click()
    dialog = page.get_by_role("dialog", name="Sound and notifications")
    saving = re.compile(r"/agent/calling\?")
    held = list[Route]()
    page.route(saving, lambda route: held.append(route), times=1)
    with page.expect_request(saving):
        dialog.get_by_label("Voice").uncheck()
    dialog.get_by_label("SMS").uncheck()
    with page.expect_response(saving):
        held[0].continue_()
    expect(dialog.get_by_label("SMS")).not_to_be_checked()
    for name in ("Voice", "SMS"):
        with page.expect_response(saving):
            dialog.get_by_label(name).check()
