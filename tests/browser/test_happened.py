"""What others do to an agent is told once, read out, and kept on the desk until dismissed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press
from tests.browser.test_transfer import send
from tests.server import Cordboard, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def supervisor(chromium: Browser, cordboard: Cordboard) -> Iterator[Page]:
    """Return a page of the admin."""
    known = cordboard.credentials()
    page = chromium.new_context().new_page()
    page.goto(f"{cordboard.url}/admin/")
    page.get_by_label("Username").fill(known["ADMIN_USER"])
    page.get_by_label("Password").fill(known["ADMIN_PASSWORD"])
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#header, header").first).to_be_visible()
    yield page
    page.context.close()


def desk_of(log_in: LogIn, name: str) -> Page:
    """Log an agent in; their list is empty, and what is read out is recorded."""
    page = log_in(name)
    if page.locator("#dismiss-all").count():
        if not page.locator("#dismiss-all").is_visible():
            page.locator("#happened-all > summary").click()
        page.locator("#dismiss-all").click()
        expect(page.locator("#happened")).to_be_hidden()
    page.evaluate(
        """() => {
            window.heard = [];
            const note = ([change]) => window.heard.push(change.target.textContent);
            for (const region of document.querySelectorAll("#said, #told"))
                new MutationObserver(note).observe(region, { childList: true });
        }"""
    )
    return page


def heard(page: Page) -> list[str]:
    """Return what screen readers were given, text by text."""
    texts: list[str] = page.evaluate("window.heard")
    return texts


def lines(page: Page) -> Locator:
    return page.locator("#happened .happening")


def expect_told(page: Page, sentence: str) -> None:
    """Expect a sentence as a toast, on the list, and read out once."""
    expect(page.locator("#toasts")).to_contain_text(sentence)
    expect(lines(page).filter(has_text=sentence)).to_have_count(1)
    wait_until(lambda: any(sentence in text for text in heard(page)), f"{sentence} is read out")
    assert "".join(heard(page)).count(sentence) == 1


def set_in_admin(page: Page, cordboard: Cordboard, worker: str, activity: str) -> None:
    """Change a worker's activity as a supervisor does."""
    page.goto(f"{cordboard.url}/admin/routing/worker/?q={worker}")
    page.locator("#result_list").get_by_role("link", name=worker, exact=True).click()
    page.get_by_label("Activity").first.select_option(label=activity)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist, [role=status], .success").first).to_be_visible()


def test_what_supervisors_and_programs_do_is_told_and_kept_until_dismissed(
    log_in: LogIn, customers: Customers, supervisor: Page, cordboard: Cordboard
) -> None:
    alice = desk_of(log_in, "alice")
    customers.let_offers_last()
    choose(alice, "Available")
    other = alice.context.new_page()
    other.goto(alice.url)

    # A supervisor cancels an offer.
    task = customers.post("Parcel has not arrived", channel="chat")
    expect(offer(alice, "Parcel")).to_be_visible()
    supervisor.goto(f"{cordboard.url}/admin/routing/task/?q={task}")
    supervisor.get_by_role("link", name="Parcel has not arrived").click()
    supervisor.get_by_label("Reason").fill("duplicate")
    supervisor.once("dialog", lambda dialog: dialog.accept())
    supervisor.get_by_role("button", name="Cancel task").click()
    expect_told(alice, "Supervisor admin canceled “Parcel has not arrived”: duplicate")

    # A program completes a task in hand.
    task = customers.post("App stops at start", channel="chat")
    press(offer(alice, "App stops").get_by_role("button", name="Accept"))
    expect(in_hand(alice, "App stops")).to_be_visible()
    customers.end(task, "completed")
    expect(in_hand(alice, "App stops")).to_have_count(0)
    expect_told(alice, "The API completed “App stops at start”.")

    # So is what happened while the connection was lost.
    task = customers.post("Cannot sign in", channel="chat")
    expect(offer(alice, "Cannot sign in")).to_be_visible()
    alice.context.set_offline(True)
    alice.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(alice.locator("#lost")).to_be_visible()
    customers.end(task, "canceled")
    alice.context.set_offline(False)
    alice.evaluate("window.dispatchEvent(new Event('online'))")
    expect_told(alice, "The API canceled “Cannot sign in”.")

    # A supervisor changes her activity.
    set_in_admin(supervisor, cordboard, "Alice", "Break")
    expect_told(alice, "Supervisor admin set you to “Break”.")
    # What she does herself is told in no tab.
    choose(other, "Available")
    expect(alice.locator("#activity-menu .activity__name").first).to_have_text("Available")
    expect(lines(alice)).to_have_count(4)

    # The list is kept over a reload, and dismissed in every tab.
    alice.reload()
    expect(lines(alice)).to_have_count(4)
    expect(lines(alice).first).to_contain_text("set you to “Break”.")
    press(lines(alice).nth(2).get_by_role("button", name="Dismiss"))
    for page in (alice, other):
        expect(lines(page)).to_have_count(3)
        expect(page.locator("#happened")).not_to_contain_text("App stops")
    alice.get_by_role("button", name="Dismiss all").click()
    for page in (alice, other):
        expect(page.locator("#happened")).to_be_hidden()
    assert alice.evaluate("document.activeElement.id") == "presence-title"
    alice.reload()
    expect(alice.locator("#happened")).to_be_hidden()


def test_a_missed_offer_stays_with_one_button_back(log_in: LogIn, customers: Customers) -> None:
    carol = desk_of(log_in, "carol")
    choose(carol, "Available")
    customers.let_offers_last(2)
    customers.post("Refund still missing", channel="sms", topic="billing", language="fr")
    expect(offer(carol, "Refund")).to_be_visible()
    expect_told(carol, "You missed “Refund still missing” and were set to “Offline”.")
    customers.let_offers_last()

    # Nothing is lost for a desk that was asleep or was opened later.
    carol.reload()
    note = carol.locator(".happening--pinned")
    expect(note).to_contain_text("You missed “Refund still missing” and were set to “Offline”.")
    expect(note.locator("time")).to_have_text(re.compile(r"\d+:\d\d"))
    press(note.get_by_role("button", name="Back to Available"))
    expect(carol.locator("#activity-menu .activity__name").first).to_have_text("Available")
    expect(note).to_have_count(0)
    expect(lines(carol)).to_have_count(1)


def test_the_end_of_a_transfer_is_told_to_its_giver_and_a_withdrawal_to_its_receiver(
    log_in: LogIn, customers: Customers
) -> None:
    alice = desk_of(log_in, "alice")
    customers.let_offers_last()
    choose(alice, "Available")
    customers.post("Which invoice is right?", channel="chat")
    press(offer(alice, "Which invoice").get_by_role("button", name="Accept"))
    card = in_hand(alice, "Which invoice")
    expect(card).to_be_visible()
    bob = desk_of(log_in, "bob")
    choose(bob, "Available")

    def transfer() -> None:
        press(card.get_by_role("link", name="Transfer"))
        send(alice.get_by_role("dialog"), "Bob")
        expect(offer(bob, "Which invoice")).to_be_visible()

    transfer()
    press(offer(bob, "Which invoice").get_by_role("button", name="Reject"))
    expect_told(alice, "Bob declined “Which invoice is right?”. It is yours again.")
    transfer()
    press(card.get_by_role("button", name="Cancel transfer"))
    expect_told(bob, "Alice took the transfer of “Which invoice is right?” back.")
    transfer()
    press(offer(bob, "Which invoice").get_by_role("button", name="Accept"))
    expect_told(alice, "Bob accepted “Which invoice is right?” from you.")
    expect(lines(alice)).to_have_count(2)
    expect(lines(bob)).to_have_count(1)


def test_a_desk_without_events_does_not_ask_for_the_list(log_in: LogIn) -> None:
    alice = desk_of(log_in, "alice")
    alice.wait_for_load_state("networkidle")
    fetched: list[str] = []
    alice.on("request", lambda request: fetched.append(request.url))
    # The same refresh is done from time to time.
    for _ in range(2):
        with alice.expect_response(lambda response: "/panels/queue" in response.url):
            alice.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert not [url for url in fetched if "/panels/happened" in url]


def test_six_offers_at_once_are_all_read_out_and_fifty_changes_flood_nothing(
    log_in: LogIn, customers: Customers
) -> None:
    alice = desk_of(log_in, "alice")
    customers.let_offers_last()
    customers.set_capacity("Alice", "sms", 6)
    press(lines(alice).first.get_by_role("button", name="Dismiss"))
    expect(alice.locator("#happened")).to_be_hidden()
    for number in range(6):
        customers.post(f"Message {number}", channel="sms")
    choose(alice, "Available")
    expect(alice.locator("#offers article")).to_have_count(6)
    wait_until(
        lambda: all(
            f"New offer: Message {number}." in "".join(heard(alice)) for number in range(6)
        ),
        "all six are read out",
    )
    assert "".join(heard(alice)).count("New offer") == 6

    before = len(heard(alice))
    for number in range(50):
        customers.set_capacity("Alice", "voice", 2 + number % 2)
    expect(lines(alice)).to_have_count(50)
    assert alice.locator(".toast").count() <= 3
    texts = heard(alice)[before:]
    assert len(texts) < 25
    assert all(text.count("changed your capacity") <= 6 for text in texts)
