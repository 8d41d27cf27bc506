"""The language of the desk: chosen by the user, else by the browser, on pages and on the socket."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from django.template.autoreload import reset_loaders
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from agents.dashboard import Panel
from routing import models
from routing.actions import task_queues, task_transitions, workspaces
from routing.actions.support.errors import InUse
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import OutcomePolicy
from tests import factories
from tests.agents.conftest import Desk, Floor
from tests.agents.test_me import save
from tests.api.conftest import basic
from tests.server import ROOT

GERMAN: Final = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def page(one: Desk, path: str = "", **headers: str) -> str:
    """Return a page of a desk as a browser with these headers gets it."""
    answer = one.client.get(f"/agent/{path}{one.here}", headers=headers)
    return answer.content.decode()


# --- Which language -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-CH, en;q=0.7", "de"),
        ("fr, ar;q=0.5", "ar"),
        ("en-GB, de;q=0.9", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_a_page_without_a_user_is_in_the_language_of_the_browser(
    accepted: str, language: str
) -> None:
    answer = Client().get("/accounts/login/", headers={"Accept-Language": accepted})
    words = {"de": "Anmelden", "ar": "تسجيل الدخول", "en": "Log in"}[language]
    assert f"<h1>{words}</h1>" in answer.content.decode()
    assert f'<html lang="{language}"' in answer.content.decode()
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_user_s_choice_wins_over_the_browser(floor: Floor) -> None:
    assert "Meine Aufgaben" in page(floor.alice, **GERMAN)
    save(floor.alice, language="ar")
    assert '<html lang="ar" dir="rtl"' in page(floor.alice, **GERMAN)
    assert "My tasks" in page(floor.bob), "another user's choice is their own"
    save(floor.alice, language="")
    assert "Meine Aufgaben" in page(floor.alice, "panels/tasks", **GERMAN)


def test_the_page_me_offers_each_language_by_its_own_name(floor: Floor) -> None:
    save(floor.alice, language="de")
    shown = page(floor.alice, "me")
    assert re.search(r'value="de" checked> <span lang="de">Deutsch', shown)
    assert '<span lang="ar">العربية' in shown
    assert "Wie im Browser" in shown


def test_a_language_that_the_pages_lack_is_refused(floor: Floor) -> None:
    assert save(floor.alice, language="xx").status_code == 400
    assert not models.DeskSettings.objects.exists()


def test_rest_answers_the_same_in_every_language(floor: Floor) -> None:
    given = {"Authorization": basic(floor.workspace.account.sid, "wrong")}
    answers = [
        Client().get(f"/v1/Workspaces/{floor.workspace.sid}", headers=given | more)
        for more in ({}, GERMAN)
    ]
    assert answers[0].content == answers[1].content
    assert "Content-Language" not in answers[1].headers
    missing = Client().get("/v1/nothing", headers=GERMAN).json()
    assert missing["message"] == "The requested resource /v1/nothing was not found"


# --- What is in it --------------------------------------------------------------------------------


def test_a_refusal_is_in_the_language_of_the_agent(floor: Floor) -> None:
    save(floor.alice, language="de")
    status, reply = floor.alice.press("task.complete", task="WT" + "0" * 32)
    assert (status, reply["error"]["message"]) == (404, "Sie haben keine solche Aufgabe.")


def test_a_refusal_that_no_command_foresees_is_translated_and_logged(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise InUse("Channel WC1 is in use")

    monkeypatch.setattr("routing.actions.worker_channels.update_worker_channel", refuse)
    save(floor.alice, language="de")
    caplog.set_level("INFO", logger="agents")
    channel = floor.alice.worker.channels.all()[0].sid
    status, reply = floor.alice.press("worker_channel.set_available", channel=channel)
    words = "Das geht jetzt nicht. Bitte sehen Sie noch einmal nach."
    assert (status, reply["error"]["message"]) == (409, words)
    assert "Channel WC1 is in use" in caplog.text


def test_a_reason_under_a_waiting_task_is_translated(floor: Floor) -> None:
    factories.set_capacity(floor.alice.worker, configured_capacity=0)
    floor.task()
    assert "Sie haben auf diesem Kanal keinen freien Platz." in page(
        floor.alice, "panels/queue", **GERMAN
    )


def test_what_happened_is_told_in_the_language_of_the_reader(floor: Floor) -> None:
    floor.alice.get()
    offer = floor.offered(attributes={"subject": "Rechnung"})
    olga = Actor(type="user", sid="olga", source="admin", ip_address=None)
    task_transitions.cancel_task(task=offer.task, reason=None, actor=olga, now=timezone.now())
    words = "Die Leitung (olga) hat „Rechnung“ storniert."
    assert words in page(floor.alice, "panels/happened", **GERMAN)
    assert "canceled “Rechnung”" in page(floor.alice, "panels/happened")


def test_scripts_get_their_texts_with_the_page(floor: Floor) -> None:
    assert "data-messages" not in page(floor.alice)
    found = re.search(r'data-messages="([^"]*)"', page(floor.alice, **GERMAN))
    assert found is not None
    texts = json.loads(html.unescape(found[1]))
    assert texts["Trying again now."] == "Neuer Versuch läuft."
    assert texts["%(count)s offer"] == ["%(count)s Angebot", "%(count)s Angebote"]


# --- Every text -----------------------------------------------------------------------------------

OPEN, CLOSE = "⟦", "⟧"
DATE_FORMAT: Final = re.compile(r"[jFMYHis:, ]+")
DATA: Final = re.compile(
    r"Alice|Bob|Support|Chats|SPAM|Unavailable|Available|Offline|Chat|chat|Cordboard|Ctrl|UTC|English|Deutsch"
    r"|العربية|alice|default|Default|Voice|SMS|Video|Email|[A-Z]/[A-Z]"
)
"""The words of these pages that are names, of the floor or of the product."""


class Texts(HTMLParser):
    """Collect what a page shows or reads out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._hidden += tag in ("kbd", "script", "style", "option", "code")
        for name in ("aria-label", "title", "placeholder", "alt", "data-name"):
            self.found.append(given.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("kbd", "script", "style", "option", "code")

    def handle_data(self, data: str) -> None:
        self.found.append("" if self._hidden else data)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put each translated text into brackets."""
    reset_loaders()  # templates keep the texts that they have looked up
    translation.gettext("")  # loads the functions that are replaced
    for name in ("gettext", "ngettext", "pgettext"):
        real = getattr(translation._trans, name)  # type: ignore[attr-defined]

        def mark(*given: Any, real: Any = real) -> str:
            text = real(*given)
            return text if DATE_FORMAT.fullmatch(text) else f"{OPEN}{text}{CLOSE}"

        monkeypatch.setattr(translation._trans, name, mark)  # type: ignore[attr-defined]
    yield
    reset_loaders()


def unmarked(shown: str) -> Iterator[str]:
    """Yield the words of a page that are in no brackets and are no data."""
    reader = Texts()
    reader.feed(shown)
    depth, outside = 0, []
    for character in "\n".join(reader.found):
        depth += character == OPEN
        outside.append(character if depth == 0 else " ")
        depth -= character == CLOSE
    for line in "".join(outside).splitlines():
        if re.search(r"[^\W\d_]{2}", DATA.sub("", line)):
            yield line.strip()


def stage(floor: Floor) -> dict[str, str]:
    """Fill Alice's desk, and return the paths of its pages."""
    floor.alice.get()
    workspaces.update_workspace(
        workspace=floor.workspace,
        rejection_reasons="Bob",
        rejection_pause=60,
        actor=SYSTEM,
        now=factories.NOW,
    )
    factories.outcome_code(floor.workspace, unique_name="spam", friendly_name="SPAM")
    factories.set_capacity(floor.alice.worker, configured_capacity=9)
    given = {"attributes": {"subject": "Chat", **{str(n): n for n in range(9)}}}
    wrapping, held, moving, other = (floor.accepted(**given) for _ in range(4))
    floor.alice.press("task.wrap_up", task=wrapping.task.sid)
    factories.set_capacity(floor.bob.worker, configured_capacity=1)
    floor.alice.press("task.transfer", task=moving.task.sid, to=floor.queue.sid, note="Bob")
    task_queues.update_task_queue(
        queue=floor.queue,
        outcome_policy=OutcomePolicy.ASKED,
        expected_handling_time=60,
        actor=SYSTEM,
        now=factories.NOW,
    )
    ended = floor.offered(**given)
    task_transitions.cancel_task(task=ended.task, reason="Bob", actor=SYSTEM, now=timezone.now())
    offer = floor.offered(**given)
    factories.set_capacity(floor.alice.worker, configured_capacity=5)
    floor.task(**given)
    floor.task(**given, priority=5)
    return {
        "desk": "",
        "search": "",
        "transfer": f"transfer/{held.task.sid}",
        "reject": f"reject/{offer.sid}",
        "complete": f"complete/{other.task.sid}",
        "me": "me",
        "day": "day",
        "past task": f"day/{held.task.sid}",
        **{panel: f"panels/{panel}" for panel in Panel},
    }


@pytest.mark.usefixtures("marked")
def test_every_text_of_the_desk_goes_through_gettext(floor: Floor) -> None:
    for name, path in stage(floor).items():
        query = {"search": "Bob", "find": "Bob"} if name == "search" else {}
        shown = floor.alice.get(path, **query)
        assert not list(unmarked(shown)), name
    question = floor.alice.client.post(f"/agent/log-out{floor.alice.here}").content.decode()
    assert not list(unmarked(question))


@pytest.mark.usefixtures("marked", "db")
def test_every_text_of_the_own_pages_goes_through_gettext(floor: Floor) -> None:
    names = [
        "400",
        "403",
        "403_csrf",
        "404",
        "500",
        "503",
        "agents/no_worker",
        "agents/confirm_leave",
    ]
    names += [f"registration/{name}" for name in ("locked", "logged_out", "login")]
    request = type("Request", (), {"path": "/"})
    for name in names:
        shown = render_to_string(f"{name}.html", {"request": request, "next": "/", "here": ""})
        assert not list(unmarked(shown)), name
    assert not list(unmarked(floor.alice.client.get("/accounts/password/").content.decode()))


def test_the_check_of_texts_finds_one_that_is_not_translated() -> None:
    assert list(unmarked(f'<p title="Take it">{OPEN}Los{CLOSE} Go on</p>')) == ["Take it", "Go on"]


def test_every_text_of_scripts_goes_through_gettext() -> None:
    quoted = re.compile(r"""(?<!import )(?<!from )["`]([A-Z][a-z]+(?: [a-z]+)+[^"`]*)["`]""")
    call = re.compile(r"n?gettext\((?:[^()]|\([^()]*\))*\)", re.DOTALL)
    comment = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
    for folder in ("agents", "shared"):
        for path in (ROOT / "static" / folder).glob("*.js"):
            left = call.sub("", comment.sub("", path.read_text()))
            assert not quoted.findall(left), path.name
