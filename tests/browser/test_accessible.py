"""Every state of the desk is accessible, in light and dark, on narrow and wide screens.

By default each state is checked by axe in two of the sizes and appearances, and a few in all; its
width is checked in all sizes. `EVERY_APPEARANCE=1` checks every state in every one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, in_hand, offer, press, waiting
from tests.javascript_sdk.npm_install import install_npm_packages
from tests.server import Cordboard

pytestmark = pytest.mark.browser

RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


Scheme = Literal["light", "dark"]


class Look(NamedTuple):
    """A width of the page and its appearance."""

    width: int
    scheme: Scheme
    forced: Literal["active", "none"] = "none"


# 720 px is a screen of 1,440 px at 200 % zoom.
WIDTHS: Final = (320, 390, 720, 1440, 2560)
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
EVERY: Final = (
    *(Look(width, scheme) for width in WIDTHS for scheme in SCHEMES),
    *(Look(width, "light", "active") for width in (390, 1440)),
)
USUAL: Final = (
    EVERY if os.environ.get("EVERY_APPEARANCE") else (Look(1440, "light"), Look(390, "dark"))
)
HEIGHT: Final = 900

RUN: Final = """
    async (tags) => {
        const describe = ({ target, any }) => [target.join(" "), any[0]?.message];
        for (const animation of document.getAnimations()) animation.finish();
        const found = await axe.run(document, {
            runOnly: { type: "tag", values: tags },
            resultTypes: ["violations"],
        });
        return found.violations.map(({ id, nodes }) => [id, nodes.map(describe)]);
    }
"""
WIDEST: Final = """
    async () => {
        const frame = () => new Promise(requestAnimationFrame);
        await frame();
        await frame();
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth <= clientWidth) return "";
        const wide = [...document.querySelectorAll("body *")].filter(
            (element) => element.getBoundingClientRect().right > clientWidth + 0.5,
        );
        return `${scrollWidth} px, by ${wide.map((each) => each.className || each.id).slice(-3)}`;
    }
"""

OVERFLOWING: Final = """
    [...document.querySelectorAll("button, a.button")]
        .filter((button) => button.checkVisibility() && button.scrollWidth > button.clientWidth + 1)
        .map((button) => button.id || button.textContent.trim())
"""


class Inspector:
    """Collects what is wrong with the states of a page."""

    def __init__(self, axe: str) -> None:
        self._axe = axe
        self.faults: list[tuple[Any, ...]] = []

    def check(self, page: Page, state: str, looks: tuple[Look, ...] = USUAL) -> None:
        """Check a state of a page in these appearances, and its widths in all sizes."""
        page.evaluate(f"window.axe || (() => {{ {self._axe} }})()")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            if wide := page.evaluate(WIDEST):
                self.faults.append((state, width, "is too wide", wide))
            if overflowing := page.evaluate(OVERFLOWING):
                self.faults.append((state, width, "has texts beyond their buttons", overflowing))
            for look in looks:
                if look.width == width:
                    page.emulate_media(
                        color_scheme=look.scheme, forced_colors=look.forced, reduced_motion="reduce"
                    )
                    self.faults += [(state, *look, *each) for each in page.evaluate(RUN, RULES)]
        page.emulate_media(color_scheme="light", forced_colors="none", reduced_motion="reduce")
        page.set_viewport_size({"width": 1440, "height": HEIGHT})


@pytest.fixture
def inspector() -> Inspector:
    """Return an inspector with axe-core."""
    package = install_npm_packages(Path(__file__).resolve().parent)
    return Inspector((package / "node_modules" / "axe-core" / "axe.min.js").read_text())


def test_every_state_of_the_desk_passes_axe_and_fits_every_width(
    log_in: LogIn, customers: Customers, inspector: Inspector
) -> None:
    customers.let_offers_last()
    page = log_in("alice")
    page.emulate_media(reduced_motion="reduce")
    inspector.check(page, "an empty desk")
    choose(page, "Available")
    withdraw_offer(page, customers)
    inspector.check(page, "a desk where something happened and nothing is in hand")
    fill_desk(page, customers)
    inspector.check(page, "a desk at work", EVERY)
    page.locator("#tasks-size").click()
    expect(page.locator("#tasks.tasks--compact")).to_be_visible()
    inspector.check(page, "a desk with compact tasks")
    page.locator("#tasks-size").click()
    expect(page.locator("#tasks.tasks--compact")).to_have_count(0)
    check_dialogs(page, inspector)
    check_pages(page, inspector)
    assert inspector.faults == []


def test_the_login_page_passes_axe_and_fits_every_width(
    chromium: Browser, cordboard: Cordboard, inspector: Inspector
) -> None:
    context = chromium.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{cordboard.url}/agent/")
    inspector.check(page, "the login page", EVERY)
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("not her password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    inspector.check(page, "a refused login")
    context.close()
    assert inspector.faults == []


def fill_desk(page: Page, customers: Customers) -> None:
    """Stage offers, tasks in hand and in wrap-up, waiting tasks, and something that happened."""
    known = {"customer": "Ada Byron", "phone": "+44 20 7946 0958", "mail": "ada@example.org"}
    customers.post("Parcel has not arrived", channel="chat", vip=True, **known)
    customers.post("Charged twice", channel="sms", topic="billing", **known)
    for subject in ("Parcel", "Charged"):
        press(offer(page, subject).get_by_role("button", name="Accept"))
        expect(in_hand(page, subject)).to_be_visible()
    press(in_hand(page, "Parcel").get_by_role("button", name="Wrap up"))
    for subject in ("How do I cancel?", "An unusually long subject " * 4):
        customers.post(subject, channel="sms", **known)
        expect(offer(page, subject)).to_be_visible()
    for subject in ("Battery drains fast", "App stops at start"):
        customers.post(subject, channel="chat", language="fr", **known)
        expect(waiting(page, subject)).to_be_visible()
    page.locator("#offers details.more > summary").first.click()


def withdraw_offer(page: Page, customers: Customers) -> None:
    """Cancel a task that is on offer, which the desk then lists under "What happened"."""
    canceled = customers.post("Changed their mind", channel="sms")
    expect(offer(page, "Changed")).to_be_visible()
    customers.end(canceled, "canceled")
    expect(page.locator("#happened-list li", has_text="Changed their mind")).to_be_visible()
    expect(page.locator("#offers .card")).to_have_count(0)


def check_dialogs(page: Page, inspector: Inspector) -> None:
    """Check each dialog of a filled desk."""
    opens: dict[str, Callable[[], None]] = {
        "question to reject": lambda: page.locator("#offers .card__why").first.click(),
        "question to complete": lambda: (
            in_hand(page, "Charged").locator("[data-key=complete]").click()
        ),
        "transfer": lambda: page.locator("#tasks [data-key=transfer]").first.click(),
        "settings of sound": lambda: page.locator("[data-opens=calling]").click(),
        "palette": lambda: page.keyboard.press("Control+k"),
        "shortcuts": lambda: page.locator("[data-opens=help]").click(),
        "question before logging out": lambda: page.locator("[data-log-out] button").click(),
        "activity menu": lambda: page.locator("#activity-menu > summary").click(),
    }
    for state, open_it in opens.items():
        open_it()
        expect(page.locator("dialog[open], #activity-menu[open]")).to_have_count(1)
        inspector.check(page, state)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open], #activity-menu[open]")).to_have_count(0)


def check_pages(page: Page, inspector: Inspector) -> None:
    """Check the agent's other pages."""
    desk = page.url
    press(in_hand(page, "Parcel").locator("[data-key=complete]"))
    expect(in_hand(page, "Parcel")).to_have_count(0)
    for path in ("day", "me", "help"):
        page.goto(desk.replace("/agent/", f"/agent/{path}"))
        inspector.check(page, f"the page {path}")
    page.goto(desk.replace("/agent/", "/agent/day"))
    page.get_by_role("link", name="Parcel").first.click()
    inspector.check(page, "a past task")
