"""The API's reference in a real browser, under the content security policy."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import Browser, expect

from tests.server import Cordboard

pytestmark = pytest.mark.browser


def note(complaints: list[str], said: object) -> None:
    complaints.append(str(said))


def test_an_operation_can_be_found_and_read_at_any_width(
    chromium: Browser, cordboard: Cordboard
) -> None:
    for width in (390, 1280):
        context = chromium.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", partial(note, complaints))
        page.on("pageerror", partial(note, complaints))
        page.goto(f"{cordboard.url}/api/docs")
        page.keyboard.press("/")
        page.keyboard.type("create a task")
        expect(page.get_by_role("status")).to_contain_text("of")
        page.locator(".contents [data-for=CreateTask] a").click()
        assert page.url.endswith("#CreateTask")
        operation = page.locator("#CreateTask")
        expect(operation.get_by_text("VirtualStartTime", exact=True)).to_be_visible()
        expect(operation.locator("pre").first).to_contain_text(f"{cordboard.url}/v1/Workspaces/")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        assert complaints == []
        context.close()


def test_the_page_of_an_error_links_to_the_reference(
    chromium: Browser, cordboard: Cordboard
) -> None:
    page = chromium.new_page()
    page.goto(f"{cordboard.url}/docs/errors/20412")
    expect(page.get_by_role("heading", level=1)).to_have_text("The resource has another version")
    page.get_by_role("link", name="API reference").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cordboard's REST API")
    page.close()
