"""The desk in other languages: texts of scripts and sockets, and Arabic from right to left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, offer
from tests.server import Cordboard

pytestmark = pytest.mark.browser

OUTSIDE: Final = """() => {
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body *")].filter((element) => {
    if (!element.checkVisibility() || element.closest(".unseen, .skip, svg")) return false;
    const { left, right, width: own } = element.getBoundingClientRect();
    return own && (left < -1 || right > width + 1);
  }).map((element) => element.outerHTML.slice(0, 120));
}"""
"""The elements that are drawn outside of the page."""

CUT_OFF: Final = """() => [...document.querySelectorAll("button, .button, .chip, h1, h2, legend")]
  .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
  .filter((element) => getComputedStyle(element).overflow !== "visible")
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.outerHTML.slice(0, 120))"""
"""The elements whose text is cut off."""

Speak = Callable[[str, str], Page]


def set_language(page: Page, server: Cordboard, language: str) -> None:
    """Choose a language on the page "Me"."""
    page.goto(f"{server.url}/agent/me")
    page.locator(f'input[name=language][value="{language}"]').check()
    page.locator("form.me button").click()
    expect(page.locator("[role=status]")).to_be_visible()


@pytest.fixture
def speak(log_in: LogIn, cordboard: Cordboard) -> Iterator[Speak]:
    """Return a function that opens an agent's desk in a language."""
    opened: list[Page] = []

    def begin(agent: str, language: str) -> Page:
        page = log_in(agent)
        opened.append(page)
        set_language(page, cordboard, language)
        page.goto(f"{cordboard.url}/agent/")
        expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
        return page

    yield begin
    for page in opened:
        set_language(page, cordboard, "")


def test_arabic_runs_from_right_to_left_and_nothing_is_cut_off(
    speak: Speak, customers: Customers
) -> None:
    page = speak("alice", "ar")
    choose(page, "Available")
    customers.post("Parcel has not arrived", channel="chat", phone="+44 20 7946 0958")
    expect(offer(page, "Parcel")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).direction") == "rtl"
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for dialog in ("", "calling", "help", "palette"):
            if dialog:
                page.evaluate(f"document.getElementById('{dialog}').showModal()")
            assert page.evaluate(OUTSIDE) == [], f"{dialog} at {width}"
            assert page.evaluate(CUT_OFF) == [], f"{dialog} at {width}"
            if dialog:
                page.evaluate(f"document.getElementById('{dialog}').close()")
    page.set_viewport_size({"width": 1440, "height": 900})
    presence, offers = (page.locator(name).bounding_box() for name in ("#presence", "#offers"))
    assert presence is not None
    assert offers is not None
    assert presence["x"] > offers["x"], "the agent stands first, which is on the right"


def test_scripts_and_the_socket_speak_the_language_of_the_page(
    speak: Speak, customers: Customers
) -> None:
    page = speak("alice", "de")
    expect(page.locator(".link-state__word")).to_have_text("Live")
    choose(page, "Available")
    customers.post("Parcel has not arrived", channel="chat")
    expect(page.locator("#jump")).to_have_text("1 Angebot")
    left = re.compile(r"^\d+ Sekunden? zum Antworten$")
    expect(page.locator("#offers .ring")).to_have_attribute("aria-label", left)
    reply = page.evaluate(
        """async () => {
          const socket = await import("/static/shared/socket.js");
          return socket.send("task.grab", { task: "WT" + "0".repeat(32) });
        }"""
    )
    assert reply["error"]["message"] == "Diese Aufgabe gibt es nicht mehr."


def test_an_open_desk_follows_a_new_language(speak: Speak, cordboard: Cordboard) -> None:
    page = speak("alice", "de")
    other = page.context.new_page()
    set_language(other, cordboard, "ar")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
