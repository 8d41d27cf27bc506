"""Morphing the cockpit's queues in a page, beside the desk's waiting panel (bar P11).

Both panels have `ROWS` rows, of which `CHANGED` differ each time, and are put into the page as
their scripts do it: parsed, and morphed by Idiomorph.
"""

from __future__ import annotations

import os
import re
import statistics
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from routing import models
from supervisors import following, pictures
from tests import factories
from tests.agents.conftest import BACKEND
from tests.benchmarks.conftest import Table
from tests.required_programs import CHROMIUM, find_program

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ROWS: Final = 50
CHANGED: Final = 10
ROUNDS: Final = 5
MORPHS: Final = 40
IDIOMORPH: Final = Path(__file__).parents[2] / "static/vendor/idiomorph.min.js"
MEASURE: Final = """([panels, morphs]) => {
  document.body.innerHTML = `<main>${panels[0]}</main>`;
  const options = { morphStyle: "outerHTML", callbacks: { beforeAttributeUpdated: () => true } };
  const begun = performance.now();
  for (let turn = 1; turn <= morphs; turn++) {
    const parsed = new DOMParser().parseFromString(panels[turn % 2], "text/html");
    const shown = document.querySelector("main").firstElementChild;
    Idiomorph.morph(shown, parsed.body.firstElementChild, options);
  }
  return (performance.now() - begun) / morphs;
}"""


def test_morphing_the_queues_beside_the_waiting_tasks_of_a_desk(table: Table) -> None:
    floor = factories.workspace()
    queues = [factories.queue(floor, friendly_name=f"Queue {n:02}") for n in range(ROWS)]
    workflows = [factories.workflow(floor, default=queue) for queue in queues]
    user = User.objects.create_user("ada", is_superuser=True)
    factories.worker(floor, "Ada", user=user, available=False)
    client = Client()
    client.force_login(user, backend=BACKEND)
    for number, workflow in enumerate(workflows):
        factories.task(floor, workflow=workflow, attributes={"subject": f"Parcel {number}"})

    def show(path: str) -> str:
        pictures.forget_pictures()
        following.forget_versions()
        answer = client.get(path, {"workspace": floor.sid})
        assert answer.status_code == 200
        return answer.content.decode()

    def show_both() -> tuple[str, str]:
        return show("/supervisor/panels/queues"), show("/agent/panels/queue")

    before = show_both()
    for number, workflow in enumerate(workflows[:CHANGED]):
        # A wait that begins, and one that ends.
        factories.task(floor, workflow=workflow, attributes={"subject": f"Letter {number}"})
    first = list(models.Task.objects.order_by("pk")[ROWS - CHANGED : ROWS])
    models.Task.objects.filter(pk__in=[task.pk for task in first]).delete()
    after = show_both()
    cockpit, desk = zip(before, after, strict=True)
    for panel in (*cockpit, *desk):
        assert len(re.findall(r"Queue \d\d", panel)) >= ROWS
    found = measure(list(cockpit), list(desk))
    table.add(
        f"P11 morphing {ROWS} queues beside {ROWS} waiting tasks of a desk, ms (1.5x)",
        f"{found[1]:.2f}  {found[0]:.2f}",
        f"{found[0] / found[1]:.2f}x",
        found[0] <= 1.5 * found[1],
    )


def measure(cockpit: list[str], desk: list[str]) -> tuple[float, float]:
    """Return the medians of both in a page, in ms; they take turns."""
    program = find_program(*CHROMIUM)
    flags = ["--no-sandbox"] if os.getuid() == 0 else []
    taken: tuple[list[float], list[float]] = ([], [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        page: Page = browser.new_page()
        page.set_content("<body></body>")
        page.add_script_tag(path=str(IDIOMORPH))
        for _ in range(ROUNDS + 1):
            for panels, times in ((cockpit, taken[0]), (desk, taken[1])):
                result: Any = page.evaluate(MEASURE, [panels, MORPHS])
                times.append(float(result))
        browser.close()
    return statistics.median(taken[0][1:]), statistics.median(taken[1][1:])
