"""Agents and their supervisor at once: what one does at the desk, the cockpit shows, and back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Customers, LogIn, open_page
from tests.browser.test_cockpit import cockpit, pytestmark
from tests.browser.test_main_job import choose, in_hand, offer, press
from tests.required_programs import CHROMIUM, find_program
from tests.server import Cordboard, wait_until

__all__ = ["cockpit", "pytestmark"]


def show_agent(page: Page, server: Cordboard, name: str) -> None:
    """Open the agents, limited to one of them."""
    page.goto(f"{server.url}/supervisor/agents?q={name}")
    expect(page.locator("#link-state")).to_have_text("Live")


@pytest.fixture
def doomed(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Page, Callable[[], None]]]:
    """Return a page in a browser of its own, and a function that kills the whole browser."""
    port = tmp_path / "DevToolsActivePort"
    process = subprocess.Popen(
        [
            find_program(*CHROMIUM),
            *("--headless=new", "--disable-gpu", "--remote-debugging-port=0"),
            *("--no-first-run", "--disable-background-networking", f"--user-data-dir={tmp_path}"),
            *(["--no-sandbox"] if os.getuid() == 0 else []),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    try:
        wait_until(lambda: port.exists() and port.read_text().strip(), "the browser has a port")
        address = f"http://127.0.0.1:{port.read_text().split()[0]}"
        browser = chromium.browser_type.connect_over_cdp(address)
        yield browser.contexts[0].new_page(), kill
    finally:
        kill()


def test_a_task_of_an_agent_whose_browser_is_killed_is_taken_back_with_its_age(
    cordboard: Cordboard,
    cockpit: Page,
    customers: Customers,
    doomed: tuple[Page, Callable[[], None]],
) -> None:
    desk, kill = doomed
    customers.let_offers_last()
    customers.let_desks_be_closed()
    open_page(desk, cordboard, "/agent/", "alice")
    choose(desk, "Available")
    task = customers.post("Parcel is orphaned", channel="chat")
    press(offer(desk, "orphaned").get_by_role("button", name="Accept"))
    show_agent(cockpit, cordboard, "alice")
    agents = cockpit.locator("#agents")
    expect(agents.locator(".jack--busy")).to_have_count(1)
    expect(agents).not_to_contain_text("no desk open")
    kill()
    expect(agents).to_contain_text("no desk open")

    cockpit.goto(f"{cordboard.url}/supervisor/tasks/{task}")
    age = cockpit.locator("#task .figure", has=cockpit.locator("#figure-age")).locator(".since")
    created = age.get_attribute("data-since")
    cockpit.locator("#task details.acts > summary").click()
    cockpit.locator("#task").get_by_role("link", name="Take back").click()
    dialog = cockpit.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the computer died")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name="Do it").click()
    expect(cockpit.locator("#story")).to_contain_text("the computer died")
    # It waits again, or is on offer again: the agent is still available.
    expect(cockpit.locator("#task")).not_to_contain_text("In work")
    assert age.get_attribute("data-since") == created


def test_a_channel_that_an_agent_switches_off_is_shown_to_two_supervisors(
    chromium: Browser, cordboard: Cordboard, cockpit: Page, log_in: LogIn
) -> None:
    second = chromium.new_context(storage_state=cockpit.context.storage_state()).new_page()
    for page in (cockpit, second):
        show_agent(page, cordboard, "alice")
    desk = log_in("alice")
    switch = desk.get_by_role("switch", name="Chat")
    press(switch)
    for page in (cockpit, second):
        expect(page.locator("#agents .load--off")).to_contain_text("switched off")
        expect(page.locator("#agents")).to_contain_text("channel off")
    press(switch)
    for page in (cockpit, second):
        expect(page.locator("#agents .load--off")).to_have_count(0)
    second.context.close()


def test_a_stuck_wrap_up_is_completed_by_the_supervisor_and_frees_the_slot(
    cordboard: Cordboard, cockpit: Page, log_in: LogIn, customers: Customers
) -> None:
    customers.let_offers_last()
    desk = log_in("alice")
    choose(desk, "Available")
    customers.post("Parcel is stuck", channel="chat")
    press(offer(desk, "stuck").get_by_role("button", name="Accept"))
    press(in_hand(desk, "stuck").get_by_role("button", name="Wrap up"))
    show_agent(cockpit, cordboard, "alice")
    expect(cockpit.locator("#agents .jack--busy")).to_have_count(1)
    cockpit.locator("#agents [data-row] th a").click()
    row = cockpit.locator("#in_hand [data-row]", has_text="stuck")
    row.locator("details.acts > summary").click()
    row.get_by_role("link", name="Complete").click()
    dialog = cockpit.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("forgotten")
    dialog.get_by_role("button", name="Continue").click()
    dialog.get_by_role("button", name="Do it").click()
    expect(cockpit.locator("#in_hand")).to_contain_text("Nothing in hand.")
    expect(in_hand(desk, "stuck")).to_have_count(0)
