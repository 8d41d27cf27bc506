"""A workflow's page and the panel to try a task, in a browser: by keyboard, and without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.conftest import Customers
from tests.browser.test_accessible import Inspector, Look, inspector
from tests.browser.test_cockpit import cockpit
from tests.server import Cordboard

pytestmark = pytest.mark.browser

__all__ = ["cockpit", "inspector"]

WIDE = (Look(1440, "light"), Look(1440, "dark"))


def open_workflow(context: BrowserContext, server: Cordboard) -> Page:
    """Log in and open the page of the demo's workflow."""
    page = context.new_page()
    known = server.credentials()
    page.goto(f"{server.url}/admin/login/?next=/admin/routing/workflow/")
    page.get_by_label("Username").fill(known["ADMIN_USER"])
    page.get_by_label("Password").fill(known["ADMIN_PASSWORD"])
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Customer service").click()
    return page


@pytest.fixture
def workflow(chromium: Browser, cordboard: Cordboard) -> Iterator[Page]:
    """Return the page of a workflow; what it complains of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = open_workflow(context, cordboard)

    def note(said: ConsoleMessage) -> None:
        # What axe tries has no address; the page and its scripts have one.
        if said.type == "error" and said.location["url"]:
            complaints.append(said.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def spoil(page: Page) -> None:
    """Type two errors into the configuration."""
    area = page.get_by_role("textbox", name="Configuration:")
    area.fill(area.input_value().replace('"vip == true"', '"vip =="', 1).replace("WQ", "WX", 1))


def test_all_errors_are_marked_at_their_lines_while_typing(
    workflow: Page, inspector: Inspector
) -> None:
    expect(workflow.locator("#outline-state")).to_have_text("No errors")
    spoil(workflow)
    expect(workflow.locator("#outline-state")).to_have_text("2 errors")
    expect(workflow.locator(".code__error")).to_have_count(2)
    links = workflow.locator(".outline__error a")
    links.nth(1).focus()
    workflow.keyboard.press("Enter")
    area = workflow.get_by_role("textbox", name="Configuration:")
    expect(area).to_be_focused()
    selected = area.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)")
    assert '"queue": "WX' in selected
    inspector.check(workflow, "a workflow with errors", WIDE)
    assert inspector.faults == []


def test_a_queue_is_put_in_by_its_name(workflow: Page) -> None:
    area = workflow.get_by_role("textbox", name="Configuration:")
    area.fill('{"task_routing": {"default_filter": {"queue": "WQ"}}}')
    area.evaluate(
        '(one) => one.setSelectionRange(one.value.indexOf("WQ") + 2, one.value.indexOf("WQ") + 2)'
    )
    workflow.get_by_label("Queue", exact=True).select_option(index=0)
    workflow.get_by_role("button", name="Insert its sid").press("Enter")
    expect(workflow.locator("#outline-state")).to_have_text("No errors")
    expect(workflow.locator(".outline__default")).to_have_text("All other tasks:")


def test_queues_and_names_are_completed_while_one_types(
    workflow: Page, customers: Customers, inspector: Inspector
) -> None:
    customers.post("Parcel has not arrived", channel="chat", language="es")
    workflow.reload()
    area = workflow.get_by_role("textbox", name="Configuration:")
    area.fill("")
    area.press_sequentially('{"task_routing": {"default_filter": {"queue": "WQ')
    options = workflow.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    inspector.check(workflow, "completions of a workflow", WIDE)
    sid = workflow.locator("#queue-choice option").first.get_attribute("value")
    area.press("Enter")
    expect(options).to_have_count(0)
    area.press_sequentially('", "expression": "worker.skill')
    expect(options).to_have_text(["worker.skills"])
    area.press("Enter")
    expect(options).to_have_count(0)
    area.press_sequentially(" HAS task.l")
    expect(options.first).to_have_text("task.language")
    area.press("Escape")
    expect(options).to_have_count(0)
    # Closed, or complete, it leaves the key to the text.
    area.press_sequentially("anguage")
    expect(options).to_have_count(0)
    area.press("Enter")
    typed = f'{{"task_routing": {{"default_filter": {{"queue": "{sid}", "expression": "'
    expect(area).to_have_value(f"{typed}worker.skills HAS task.language\n")
    assert inspector.faults == []


def test_a_task_is_tried_with_the_typed_text_and_nothing_is_lost(
    workflow: Page, inspector: Inspector
) -> None:
    area = workflow.get_by_role("textbox", name="Configuration:")
    typed = area.input_value().replace('"vip == true"', '"vip == \\"yes\\""', 1)
    area.fill(typed)
    workflow.get_by_label("What has changed").fill("Half a message")
    workflow.get_by_label("Attributes (JSON)").fill('{"vip": true, "language": "en"}')
    workflow.get_by_label("Priority", exact=True).press("Enter")
    trial = workflow.locator("#trial")
    expect(trial).to_contain_text('task.vip == "yes" is false: task.vip is true')
    expect(workflow.locator("#trial-summary")).to_be_focused()
    expect(area).to_have_value(typed)
    expect(workflow.get_by_label("What has changed")).to_have_value("Half a message")
    workflow.get_by_label("Attributes (JSON)").fill("{")
    trial.get_by_role("button", name="Try", exact=True).click()
    expect(trial.get_by_role("alert")).to_contain_text("attributes is not valid JSON")
    expect(workflow.get_by_label("Attributes (JSON)")).to_be_focused()
    spoil(workflow)
    workflow.get_by_label("Attributes (JSON)").fill("{}")
    trial.get_by_role("button", name="Try", exact=True).click()
    expect(trial).to_contain_text("no task can be tried with it")
    inspector.check(workflow, "a task that was tried", WIDE)
    assert inspector.faults == []


def test_a_text_is_saved_with_a_message_compared_and_restored(
    workflow: Page, inspector: Inspector
) -> None:
    area = workflow.get_by_role("textbox", name="Configuration:")
    before = area.input_value()
    area.fill(before.replace('"timeout": 60', '"timeout": 61', 1))
    workflow.get_by_label("What has changed").fill("A second more")
    workflow.get_by_role("button", name="Save and continue editing").click()
    listed = workflow.locator(".revisions tbody tr")
    expect(listed.first).to_contain_text("A second more")
    inspector.check(workflow, "the revisions of a workflow", WIDE)
    listed.nth(1).get_by_role("link").click()
    expect(workflow.locator(".difference__new")).to_contain_text('"timeout": 61')
    inspector.check(workflow, "a revision", WIDE)
    workflow.get_by_role("button", name="Restore revision 1").click()
    expect(workflow.locator(".revisions tbody tr").first).to_contain_text("again the text of 1")
    expect(workflow.get_by_role("textbox", name="Configuration:")).to_have_value(before)
    assert inspector.faults == []


def test_without_scripts_the_panel_and_the_outline_work_as_a_form(
    chromium: Browser, cordboard: Cordboard
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = open_workflow(context, cordboard)
    expect(page.locator("#outline-content")).to_contain_text("VIP customers")
    spoil(page)
    page.get_by_label("Attributes (JSON)").fill('{"vip": true}')
    page.locator("#trial").get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#trial-summary")).to_contain_text("no task can be tried with it")
    expect(page.locator(".outline__error")).to_have_count(2)
    expect(page.get_by_label("Attributes (JSON)")).to_have_value('{"vip": true}')
    context.close()


def test_the_cockpit_tries_one_of_the_last_ten_tasks(
    cockpit: Page, customers: Customers, inspector: Inspector
) -> None:
    task = customers.post("To be tried", channel="chat", topic="billing")
    cockpit.get_by_role("link", name="Tasks", exact=True).click()
    cockpit.get_by_role("link", name="Try a task").click()
    cockpit.get_by_label("Or one of the last ten tasks").select_option(value=task)
    cockpit.get_by_role("button", name="Try this task").click()
    trial = cockpit.locator("#trial")
    expect(trial).to_contain_text("✓ the task goes here")
    expect(cockpit.get_by_label("Attributes (JSON)")).to_have_value(
        '{"subject": "To be tried", "language": "en", "topic": "billing"}'
    )
    inspector.check(cockpit, "a task that was tried in the cockpit")
    assert inspector.faults == []
    customers.end(task, "canceled")
