"""A running demo and a real Chromium, for tests of pages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from routing.demo.client import Client
from tests.required_programs import CHROMIUM, find_program
from tests.server import Cordboard, wait_until

PATIENCE = 60_000
"""Milliseconds within which anything that should appear does; a busy machine fails no test."""


@pytest.fixture(scope="session")
def cordboard(demo: Cordboard) -> Cordboard:
    """Return the whole system, running with its demo floor."""
    return demo


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a browser without a window."""
    program = find_program(*CHROMIUM)
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                # Chromium will not sandbox for root, which is who a container often runs as.
                *(["--no-sandbox"] if os.getuid() == 0 else []),
            ],
        )
        yield browser
        browser.close()


LogIn = Callable[[str], Page]

_sessions: dict[tuple[str, str], list[Any]] = {}
"""The cookies of people who are logged in, by the server's address and their name."""


def open_page(page: Page, server: Cordboard, path: str, name: str) -> None:
    """Open a page as someone of the demo, and log in where no session of theirs goes on."""
    page.context.add_cookies(_sessions.get((server.url, name), []))
    page.goto(f"{server.url}{path}")
    if page.locator("[name=password]").count():
        known = server.credentials()
        who = "ADMIN" if name == known["ADMIN_USER"] else "AGENT"
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(known[f"{who}_PASSWORD"])
        page.get_by_role("button", name="Log in").click()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    _sessions[server.url, name] = page.context.cookies()


@pytest.fixture
def log_in(chromium: Browser, cordboard: Cordboard) -> Iterator[LogIn]:
    """Return a function that logs an agent in, in a browser of their own, and shows the desk.

    Whatever a page complains of in its console fails the test: under the content security policy
    that includes everything it may not load or run.
    """
    complaints: list[str] = []
    contexts = []

    def note(text: str) -> None:
        # Requests that a test itself cuts off are complained of too.
        if "net::ERR_" not in text:
            complaints.append(text)

    def begin(name: str) -> Page:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda said: note(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: note(str(error)))
        open_page(page, cordboard, "/agent/", name)
        # A completion is held for a moment; test_pressing.py has tests about that.
        page.evaluate("document.body.dataset.undoSeconds = '0.2'")
        return page

    yield begin
    for context in contexts:
        context.close()
    assert complaints == []


class Customers:
    """Customers who create tasks by REST, and read their status."""

    def __init__(self, server: Cordboard) -> None:
        known = server.credentials()
        self._client = Client(
            host="127.0.0.1",
            port=int(server.port),
            username=known["API_KEY_SID"],
            password=known["API_KEY_SECRET"],
        )
        (floor,) = self._client.get("/Workspaces")["workspaces"]
        self._base = f"/Workspaces/{floor['sid']}"
        self._changed: dict[tuple[str, str], str] = {}

    def post(self, subject: str, *, channel: str, **attributes: Any) -> str:
        """Create a task and return its sid."""
        given = {"subject": subject, "language": "en", "topic": "support"} | attributes
        task = self._client.post(
            f"{self._base}/Tasks", TaskChannel=channel, Attributes=json.dumps(given)
        )
        return str(task["sid"])

    def post_to_new_queue(self, name: str, workers: str) -> str:
        """Create a queue for some workers, put a task into it, and return the task's sid."""
        queue = self._client.post(
            f"{self._base}/TaskQueues", FriendlyName=name, TargetWorkers=workers
        )
        task = self._client.post(
            f"{self._base}/Tasks", RoutingTarget=queue["sid"], TaskChannel="chat"
        )
        return str(task["sid"])

    def post_beside(self, other: str) -> str:
        """Create another task in the queue of a task, and return its sid."""
        queue = self._client.get(f"{self._base}/Tasks/{other}")["task_queue_sid"]
        task = self._client.post(f"{self._base}/Tasks", RoutingTarget=queue, TaskChannel="chat")
        return str(task["sid"])

    def clear_the_floor(self) -> None:
        """Sign all workers off, end all tasks and undo all changes: no test depends on another."""
        self._client.close()  # the server ends a connection that was idle for long
        for (path, name), value in self._changed.items():
            self._client.post(path, **{name: value})
        offline = self._client.get(f"{self._base}/Activities", FriendlyName="Offline")
        for worker in self._client.get(f"{self._base}/Workers", PageSize=100)["workers"]:
            self._client.post(
                f"{self._base}/Workers/{worker['sid']}",
                ActivitySid=offline["activities"][0]["sid"],
                RejectPendingReservations="true",
            )
        for status, end in (("pending,reserved", "canceled"), ("assigned,wrapping", "completed")):
            found = self._client.get(f"{self._base}/Tasks", AssignmentStatus=status, PageSize=100)
            for task in found["tasks"]:
                self._client.post(f"{self._base}/Tasks/{task['sid']}", AssignmentStatus=end)

    def let_offers_last(self, seconds: int = 3600) -> None:
        """Give workers so long to answer every offer."""
        for workflow in self._client.get(f"{self._base}/Workflows")["workflows"]:
            path = f"{self._base}/Workflows/{workflow['sid']}"
            self._change(path, "TaskReservationTimeout", seconds, shown="task_reservation_timeout")

    def let_desks_be_closed(self) -> None:
        """Let workers stay in their activity while they have no desk open."""
        self._change(self._base, "DeskGrace", 0, shown="desk_grace")

    def end(self, task: str, status: str) -> None:
        """Complete or cancel a task."""
        self._client.post(f"{self._base}/Tasks/{task}", AssignmentStatus=status)

    def limit_wrap_up(self, queue: str, *, seconds: int) -> None:
        """Change for how long tasks of a queue may be wrapped up."""
        (found,) = self._client.get(f"{self._base}/TaskQueues", FriendlyName=queue)["task_queues"]
        path = f"{self._base}/TaskQueues/{found['sid']}"
        self._change(path, "WrapUpLimit", seconds, shown="wrap_up_limit")

    def set_capacity(self, worker: str, channel: str, capacity: int) -> None:
        """Change how many tasks of a channel a worker takes."""
        (found,) = self._client.get(f"{self._base}/Workers", FriendlyName=worker)["workers"]
        path = f"{self._base}/Workers/{found['sid']}/Channels/{channel}"
        self._change(path, "Capacity", capacity, shown="configured_capacity")

    def _change(self, path: str, name: str, value: int, *, shown: str) -> None:
        """Change a parameter of a resource until the test ends; `shown` is its property."""
        before = self._client.get(path)[shown]
        self._changed.setdefault((path, name), "" if before is None else str(before))
        self._client.post(path, **{name: str(value)})

    def wait_for(self, task: str, status: str) -> None:
        """Wait until a task has this assignment status."""
        wait_until(lambda: self.status(task) == status, f"{task} is {status}")

    def reservations(self, task: str) -> list[tuple[str, str | None]]:
        """Return the status and the reason of rejection of a task's reservations, oldest first."""
        found = self._client.get(f"{self._base}/Tasks/{task}/Reservations")["reservations"]
        rows = sorted(found, key=lambda row: row["date_created"])
        return [(row["reservation_status"], row["rejection_reason"]) for row in rows]

    def outcome(self, task: str) -> tuple[str | None, str | None]:
        """Return the outcome code and the note of a completed task."""
        found = self._client.get(f"{self._base}/Tasks/{task}/Reservations")["reservations"]
        (row,) = (row for row in found if row["reservation_status"] == "completed")
        return row["outcome_code"], row["outcome_note"]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def status(self, task: str) -> str:
        """Return a task's assignment status."""
        return str(self._client.get(f"{self._base}/Tasks/{task}")["assignment_status"])


@pytest.fixture
def customers(cordboard: Cordboard) -> Iterator[Customers]:
    """Return the customers."""
    made = Customers(cordboard)
    yield made
    made.clear_the_floor()
    made.close()
