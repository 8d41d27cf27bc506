"""One press does one thing, however quickly the next one follows and whatever moves in between.

The page's clock is stopped: it moves only where a test moves it. So the second press comes at its
moment exactly, on a machine however busy, and after everything that the first one has changed.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose
from tests.server import wait_until

pytestmark = pytest.mark.browser

GAPS = (120, 250, 400)
SETTLED = 700
HELD = 5_100

Press = Callable[[Page, Locator], Callable[[], None]]


def by_mouse(page: Page, button: Locator) -> Callable[[], None]:
    """Return a press at the place where the button is now."""
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return lambda: page.mouse.click(x, y)


def by_enter(page: Page, button: Locator) -> Callable[[], None]:
    """Return a press of Enter, which goes to what has the focus."""
    button.focus()
    return lambda: page.keyboard.press("Enter")


def by_key(page: Page, button: Locator) -> Callable[[], None]:
    """Return a press of the shortcut, beginning at this button's card or, for offers, anywhere."""
    key = {"accept": "a", "reject": "r", "complete": "c", "wrap": "w"}[
        str(button.get_attribute("data-key"))
    ]
    if key in "cw":
        button.focus()
    else:
        page.evaluate("document.activeElement.blur()")
    return lambda: page.keyboard.press(key)


WAYS: tuple[Press, ...] = (by_mouse, by_enter, by_key)


def advance(page: Page, milliseconds: int) -> None:
    """Advance the page's clock."""
    page.clock.run_for(milliseconds)


def cards(page: Page, panel: str) -> Locator:
    return page.locator(f"#{panel} article:not([data-held])")


def button(page: Page, panel: str, key: str, place: int = 0) -> Locator:
    return cards(page, panel).nth(place).locator(f"[data-key={key}]")


def until(page: Page, locator: Locator, count: int) -> None:
    """Wait until there are as many as this; the desk fetches what it shows as its clock goes on."""

    def there_are() -> bool:
        advance(page, 50)
        return locator.count() == count

    wait_until(lambda: locator.count() == count or there_are(), f"{count} of {locator}")


@pytest.fixture
def desk(log_in: LogIn, customers: Customers) -> Page:
    """Return the desk of an agent with many slots, whose offers last; its clock stands still."""
    page = log_in("alice")
    customers.let_offers_last()
    customers.set_capacity("Alice", "sms", 50)
    choose(page, "Available")
    page.clock.install()
    page.reload()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    return page


def test_a_quick_second_press_reaches_no_other_card(desk: Page, customers: Customers) -> None:
    offers, tasks = cards(desk, "offers"), cards(desk, "tasks")
    for number in range(14):
        customers.post(f"Message {number}", channel="sms")
    until(desk, offers, 14)

    for key, gaps in (("accept", GAPS), ("reject", GAPS[1:2])):
        for way in WAYS:
            for gap in gaps:
                case = f"{key} {way.__name__} after {gap} ms"
                advance(desk, SETTLED)
                first, second = (
                    desk.locator(f"#{offers.nth(n).get_attribute('id')}") for n in (0, 1)
                )
                press = way(desk, first.locator(f"[data-key={key}]"))
                press()
                # The press has done its work, and the next offer is where this one was.
                expect(first).to_have_count(0)
                customers.post(f"Between: {case}", channel="sms")
                advance(desk, gap)
                press()
                expect(second, case).to_have_count(1)
                assert second.locator("[aria-busy]").count() == 0, case
    until(desk, tasks, 9)
    advance(desk, SETTLED)

    everything = desk.locator("#tasks article")
    for way in WAYS:
        for gap in GAPS:
            case = f"complete {way.__name__} after {gap} ms"
            before = tasks.count()
            if before < 4:
                before = take_more(desk, 6)
            press = way(desk, button(desk, "tasks", "complete"))
            press()
            expect(tasks, case).to_have_count(before - 1)
            customers.post(f"Between: {case}", channel="sms")
            advance(desk, gap)
            press()
            expect(tasks, case).to_have_count(before - 1)
            # Nor once the card is gone, and the next one is where it was.
            advance(desk, HELD - gap)
            until(desk, everything, before - 1)
            press()
            expect(tasks, case).to_have_count(before - 1)
            advance(desk, SETTLED)


def take_more(page: Page, number: int) -> int:
    """Accept some offers, and return how many tasks there are then."""
    before = cards(page, "tasks").count()
    for taken in range(1, number + 1):
        advance(page, SETTLED)
        first = page.locator(f"#{cards(page, 'offers').first.get_attribute('id')}")
        first.locator("[data-key=accept]").click()
        expect(first).to_have_count(0)
        until(page, cards(page, "tasks"), before + taken)
    advance(page, SETTLED)
    return before + number


def test_a_new_offer_moves_no_button_under_the_pointer(desk: Page, customers: Customers) -> None:
    offers = cards(desk, "offers")
    customers.post("In hand", channel="sms")
    until(desk, offers, 1)
    take_more(desk, 1)
    complete = button(desk, "tasks", "complete")
    place = complete.bounding_box()
    customers.post("Comes first", channel="sms")
    until(desk, offers, 1)
    accept = button(desk, "offers", "accept")
    advance(desk, SETTLED)
    accept.click(trial=True)  # once it has come to rest
    offered = accept.bounding_box()
    for number in range(2, 5):
        customers.post(f"Comes as number {number}", channel="sms")
        until(desk, offers, number)
        assert complete.bounding_box() == place
        assert accept.bounding_box() == offered
    advance(desk, SETTLED)
    complete.click()
    expect(desk.locator("#tasks [data-held]")).to_contain_text("In hand")


def test_completing_can_be_undone_and_is_never_lost(desk: Page, customers: Customers) -> None:
    offers, tasks = cards(desk, "offers"), cards(desk, "tasks")
    address = desk.url
    names = ("Undone", "Waited for", "Closed", "Cut off")
    sids = {}
    for number, name in enumerate(names, start=1):
        sids[name] = customers.post(name, channel="sms")
        until(desk, offers, 1)
        take_more(desk, 1)
        assert tasks.count() == number

    def complete(name: str) -> Locator:
        advance(desk, SETTLED)
        card = desk.locator("#tasks article", has_text=name)
        card.locator("[data-key=complete]").click()
        expect(card).to_have_attribute("data-held", "")
        return card

    # Undone by its button, and by the key.
    card = complete("Undone")
    advance(desk, SETTLED)
    card.get_by_role("button", name="Undo").click()
    expect(card.locator("[data-key=complete]")).to_be_visible()
    complete("Undone")
    desk.keyboard.press("u")
    expect(card.locator("[data-key=complete]")).to_be_visible()
    advance(desk, HELD)
    assert customers.status(sids["Undone"]) == "assigned"

    # It is sent after the wait, and not before.
    card = complete("Waited for")
    advance(desk, 4_500)
    assert customers.status(sids["Waited for"]) == "assigned"
    advance(desk, SETTLED)
    expect(card).to_have_count(0)
    assert customers.status(sids["Waited for"]) == "completed"

    # The page is left at once.
    complete("Closed")
    desk.goto("about:blank")
    customers.wait_for(sids["Closed"], "completed")

    # The connection is lost, and so is the page; the next one sends it.
    desk.goto(address)
    expect(desk.locator("#link-state")).to_have_attribute("data-state", "live")
    advance(desk, SETTLED)
    desk.evaluate(
        "() => {"
        " window.fetch = async () => { throw new TypeError('cut off'); };"
        " WebSocket.prototype.send = () => {}; }"
    )
    complete("Cut off")
    desk.goto("about:blank")
    assert customers.status(sids["Cut off"]) == "assigned"
    desk.goto(address)
    expect(desk.locator("#link-state")).to_have_attribute("data-state", "live")
    advance(desk, 2 * HELD)
    customers.wait_for(sids["Cut off"], "completed")
