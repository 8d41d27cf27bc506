"""Take the pictures of the handbooks and the README from a running demo: `make pictures`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import (
    Browser,
    FloatRect,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.conftest import Customers
from tests.palette_png import shrink_png
from tests.required_programs import CHROMIUM, find_program
from tests.server import ROOT, Cordboard, running_server

IMAGES: Final = ROOT / "docs" / "images"
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 860}
TALL: Final[ViewportSize] = {"width": 1600, "height": 1750}
WIDE: Final[ViewportSize] = {"width": 1440, "height": 1080}
PHONE: Final[ViewportSize] = {"width": 390, "height": 760}
TRAFFIC_MS: Final = 100_000
"""How long customers and colleagues are there before the cockpit is pictured."""
SETTLED_MS: Final = 900
"""The time after which a card that has appeared can be pressed."""


def main() -> None:
    """Stage a moment on the demo's floor, and write the pictures."""
    expect.set_options(timeout=60_000)
    with (
        tempfile.TemporaryDirectory(prefix="cordboard-pictures-", dir="/tmp") as home,
        running_server(Path(home) / "var", demo=True, from_nothing=True) as server,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(
            executable_path=find_program(*CHROMIUM),
            args=["--no-sandbox"] if os.getuid() == 0 else [],
        )
        take_pictures(browser, server)
        with running_traffic(server):
            take_cockpit_pictures(browser, server)
        browser.close()
    for picture in IMAGES.glob("*.png"):
        shrink_png(picture)


@contextmanager
def running_traffic(server: Cordboard) -> Iterator[None]:
    """Let customers and simulated colleagues come to the floor."""
    command = [sys.executable, "manage.py", "demo_traffic", "--rate", "0.9"]
    traffic = subprocess.Popen(command, cwd=ROOT, env=server.environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        traffic.send_signal(signal.SIGINT)
        traffic.wait()


def take_cockpit_pictures(browser: Browser, server: Cordboard) -> None:
    """Write the pictures of the cockpit."""
    page = browser.new_context(viewport=DESKTOP).new_page()
    page.goto(f"{server.url}/supervisor/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(server.credentials()["ADMIN_PASSWORD"])
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    page.wait_for_timeout(TRAFFIC_MS)
    page.screenshot(path=IMAGES / "cockpit.png")
    page.locator("#troubles .trouble__name").first.click()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    expect(page.locator("#ways_out .way").first).to_be_visible()
    page.set_viewport_size(TALL)
    page.locator("#why-title").evaluate(
        "title => scrollBy(0, title.getBoundingClientRect().y - 80)"
    )
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=IMAGES / "queue.png")
    page.set_viewport_size(DESKTOP)
    page.get_by_role("link", name="Agents", exact=True).click()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    expect(page.locator("#agents [data-row]").first).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=IMAGES / "agents.png")
    boxes = page.locator("#agents [data-row]").get_by_role("checkbox")
    for place in range(3):
        boxes.nth(place).check()
    page.get_by_role("form", name="Selection").get_by_role("button", name="Set capacity").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Channel").select_option(label="Chat")
    dialog.get_by_label("Or change by").fill("1")
    dialog.get_by_label("Note").fill("Covering for voice until noon")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_contain_text("As things are now:")
    dialog.screenshot(path=IMAGES / "act.png")
    page.set_viewport_size(WIDE)
    page.goto(f"{server.url}/supervisor/reports/service")
    expect(page.locator("#chart-ends")).to_be_visible()
    page.screenshot(path=IMAGES / "report.png")
    take_configuration_pictures(page, server)
    page.goto(f"{server.url}/supervisor/boards")
    page.locator(".board-row a").first.click()
    expect(page.locator("#wall-age")).to_have_text("Live")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=IMAGES / "board.png")


def take_configuration_pictures(page: Page, server: Cordboard) -> None:
    """Write the pictures of a workflow's editor with two mistakes, and of a task that is tried."""
    page.set_viewport_size({"width": 1440, "height": 1900})
    page.goto(f"{server.url}/admin/routing/workflow/")
    page.locator("#result_list tbody th a").first.click()
    field = page.locator("#id_configuration")
    text = field.input_value()
    field.fill(text.replace("vip == true", "vip ==", 1).replace('"queue": "WQ', '"queue": "WX', 1))
    errors = page.get_by_text("2 errors", exact=True)
    expect(errors).to_be_visible()
    page.get_by_role("link", name="Line 6").click()
    field.evaluate("field => field.scrollTo(0, 0)")
    page.evaluate("scrollTo(0, 0)")
    start = page.locator("fieldset", has=field).bounding_box()
    end = page.locator("#outline").bounding_box()
    assert start is not None
    assert end is not None
    width = end["x"] + end["width"] - start["x"]
    clip: FloatRect = {"x": start["x"], "y": start["y"], "width": width, "height": 920}
    page.screenshot(path=IMAGES / "workflow-editor.png", clip=clip)
    field.fill(text)
    page.get_by_label("Attributes (JSON)").fill(
        '{"subject": "Refund", "topic": "billing", "language": "en"}'
    )
    trial = page.locator("#trial")
    trial.get_by_label("Channel").select_option(label="chat")
    trial.get_by_label("The floor").select_option(label="everyone available and without work")
    trial.get_by_role("button", name="Try", exact=True).click()
    expect(trial).to_contain_text("may have it")
    trial.screenshot(path=IMAGES / "try-a-task.png")


def take_pictures(browser: Browser, server: Cordboard) -> None:
    """Write every picture."""
    customers = Customers(server)
    customers.let_offers_last()
    alice, bob = open_desk(browser, server, "alice"), open_desk(browser, server, "bob")
    missed = customers.post("Card declined", channel="voice", customer="Quentin Dubois")
    set_activity(alice, "Available")
    expect(alice.locator(".offer")).to_have_count(1)
    customers.end(missed, "canceled")
    for subject, channel, customer in (
        ("Parcel has not arrived", "chat", "Ada Byron"),
        ("Wrong size delivered", "sms", "Olga Petrova"),
    ):
        customers.post(subject, channel=channel, customer=customer, order="CB-99245")
        accept = alice.get_by_role("button", name="Accept").first
        expect(accept).to_be_visible()
        alice.wait_for_timeout(SETTLED_MS)
        accept.click()
        expect(alice.locator("#tasks .card", has_text=subject)).to_be_visible()
    set_activity(bob, "Available")
    alice.wait_for_timeout(SETTLED_MS)
    alice.locator("#tasks .card").first.get_by_role("link", name="Transfer").click()
    alice.get_by_role("searchbox", name="Find a colleague").fill("bob")
    dialog = alice.get_by_role("dialog", name="Transfer")
    expect(dialog.get_by_role("group", name="Colleagues").get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio", name="Bob").check()
    dialog.get_by_role("textbox", name="Note").fill("She has been waiting since Monday.")
    dialog.screenshot(path=IMAGES / "transfer.png")
    alice.keyboard.press("Escape")
    set_activity(bob, "Offline")
    customers.post("App stops at start", channel="chat", customer="Farid Haddad", topic="support")
    # A worker on the phone gets no chats, so the chat comes first.
    expect(alice.locator(".offer")).to_have_count(1)
    customers.post("Invoice needs a VAT number", channel="voice", customer="Greta Lindqvist")
    customers.post("Cannot sign in", channel="voice", customer="Jörg Müller")
    expect(alice.locator(".offer")).to_have_count(2)
    alice.wait_for_timeout(SETTLED_MS)
    alice.screenshot(path=IMAGES / "desk.png")
    alice.locator(".offer").first.screenshot(path=IMAGES / "offer.png")
    phone = open_desk(browser, server, "alice", phone=True)
    expect(phone.locator(".offer").first).to_be_visible()
    phone.screenshot(path=IMAGES / "phone.png")


def open_desk(browser: Browser, server: Cordboard, name: str, *, phone: bool = False) -> Page:
    """Log an agent in, and return their desk."""
    context = browser.new_context(viewport=PHONE if phone else DESKTOP)
    page = context.new_page()
    page.goto(f"{server.url}/agent/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(server.credentials()["AGENT_PASSWORD"])
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    return page


def set_activity(page: Page, name: str) -> None:
    """Choose an activity."""
    page.locator("#activity-menu summary").click()
    page.locator("#activity-menu button").filter(has_text=name).first.click()
    expect(page.locator("#activity-menu summary")).to_contain_text(name)


if __name__ == "__main__":
    main()
