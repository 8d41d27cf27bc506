"""The cockpit in other languages: pages, panels that are shared, and notes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import time_machine
from django.utils import timezone

from routing.actions import tasks
from routing.actors import SYSTEM
from supervisors import change_words, changes
from supervisors.panels import PAGES
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_access import list_addresses
from tests.supervisors.test_reports import NOON, answer_task, keep_books


def read(cockpit: Cockpit, path: str, language: str, **query: Any) -> str:
    """Return a page as a browser with this language gets it."""
    answer = cockpit.people["member"].get(
        f"/supervisor/{path}",
        {"workspace": cockpit.workspace.sid, **query},
        headers={"Accept-Language": language},
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_pages_are_in_the_language_of_the_browser(cockpit: Cockpit) -> None:
    for language, words in (("de", "Warteschlangen"), ("ar", "الطوابير"), ("fr", "Queues")):
        text = read(cockpit, "queues", language)
        assert f">{words}</a>" in text
    assert 'dir="rtl"' in read(cockpit, "", "ar")


def test_a_shared_panel_is_rendered_for_each_language(cockpit: Cockpit) -> None:
    assert "Ohne Aufgabe" in read(cockpit, "panels/floor", "de")
    assert "بلا عمل" in read(cockpit, "panels/floor", "ar")
    assert "Idle" in read(cockpit, "panels/floor", "en")


def test_notes_about_the_query_are_translated(cockpit: Cockpit) -> None:
    assert "keine Zeitzone „Mars“" in read(cockpit, "tasks", "de", tz="Mars")


def test_each_reason_of_an_explanation_is_translated(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    text = read(cockpit, "panels/explanation", "de", task=task.sid)
    assert "Der Router fragt diesen Worker als Nummer 1." in text
    assert "nimmt keine Arbeit an" in text
    # The summary, too.
    assert "Wird im nächsten Durchlauf angeboten: Ada." in text
    arabic = read(cockpit, "panels/explanation", "ar", task=task.sid)
    assert "ستُعرض على \u2066Ada\u2069 في الدورة التالية." in arabic


def test_a_tried_task_is_explained_in_the_language_of_the_page(cockpit: Cockpit) -> None:
    form = {"_try": "typed", "try-attributes": "{}", "workflow": cockpit.workflow.sid}
    pages = {}
    for language in ("de", "ar"):
        answer = cockpit.people["member"].post(
            f"/supervisor/try?workspace={cockpit.workspace.sid}",
            form,
            headers={"Accept-Language": language},
        )
        pages[language] = answer.context["trial"]
    german, arabic = pages["de"], pages["ar"]
    assert german["summary"] == (
        "Schritt 1, Warteschlange Chats: Wird im nächsten Durchlauf angeboten: Ada."
    )
    assert german["end"] == (
        "Nach 86.400 Sekunden wird sie storniert, weil ihre Lebensdauer vorbei ist."
    )
    assert german["workers"][0]["words"] == "Der Router fragt diesen Worker als Nummer 1."
    assert "\u2066Ada\u2069" in arabic["summary"]
    assert not any(word in arabic["summary"] + arabic["end"] for word in ("queue", "canceled"))


def test_changes_names_events_fields_and_doors_in_the_language(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    tasks.update_task(task=task, priority=7, actor=SYSTEM, now=timezone.now())
    german, arabic = read(cockpit, "changes", "de"), read(cockpit, "changes", "ar")
    assert '<span title="task.updated">Aufgabe geändert</span>' in german
    assert '<span class="fine" title="priority">Priorität</span>' in german
    assert "der Router" in german
    assert '<span title="task.updated">تغيّرت مهمة</span>' in arabic
    # Each event that is listed has a name, and the file keeps those of the engine.
    assert set(change_words.EVENTS) == set(changes.SHOWN)


@pytest.mark.parametrize("language", ["de", "ar"])
def test_every_address_answers_in_every_language(cockpit: Cockpit, language: str) -> None:
    assert len(PAGES) > 8
    for address in list_addresses(cockpit):
        path, _, query = address.partition("?")
        if not path.endswith(".csv"):
            read(cockpit, path, language, **dict(parse_qsl(query)))


def test_a_report_in_arabic_has_the_same_figures_from_right_to_left(cockpit: Cockpit) -> None:
    for wait in (9, 30, 90):
        answer_task(cockpit, at=NOON, wait=wait)
    keep_books(NOON + timedelta(hours=1))
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        pages = {name: read(cockpit, "reports/service", name) for name in ("en", "ar")}
    assert 'dir="rtl"' in pages["ar"]
    assert "مستوى الخدمة" in pages["ar"]
    # After Arabic letters, dates would be turned round.
    assert "\u20662026-03-02 00:00\u2069" in pages["ar"]
    assert "\u2066" not in pages["en"]
    cells = {
        name: re.findall(r'<td class="number"[^>]*>(?:<a[^>]*>)?([^<]*)<', page)
        for name, page in pages.items()
    }
    assert "66.7 %" in cells["en"]
    # Its decimal sign is another one, and the figures are the same.
    digits = {
        name: [re.sub(r"[^0-9–]+", ".", each).strip(".") for each in found]
        for name, found in cells.items()
    }
    assert digits["ar"] == digits["en"]


def test_files_for_programs_stay_english(cockpit: Cockpit) -> None:
    answer = cockpit.people["member"].get(
        "/supervisor/changes.csv",
        {"workspace": cockpit.workspace.sid},
        headers={"Accept-Language": "de"},
    )
    assert answer.getvalue().decode().startswith("\ufeffdate,who")
