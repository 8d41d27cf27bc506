"""The handbook as a page of the desk."""

from __future__ import annotations

import re

from django.contrib.staticfiles import finders
from django.test import Client

from tests.agents.conftest import Floor
from tests.compatibility import handbook


def test_the_pages_are_rendered_from_the_handbooks() -> None:
    for source, page in handbook.PAGES.items():
        assert page.read_text() == handbook.render_page(source), "run `make docs`"


def test_an_agent_reads_the_handbook_at_the_desk(floor: Floor) -> None:
    page = floor.alice.get("help")
    assert floor.alice.get().count(f'href="/agent/help{floor.alice.here}"') == 3
    ids = set(re.findall(r'<h2 id="([a-z-]+)"', page))
    assert {"offers", "your-tasks", "keys"} <= ids
    assert ids == set(re.findall(r'<a href="#([a-z-]+)"', page))
    pictures = re.findall(r'<img src="/static/(handbook/[a-z.-]+)" alt="[^"]+" width', page)
    assert len(pictures) == page.count("<img")
    assert all(finders.find(picture) for picture in pictures)
    assert "<kbd>Ctrl</kbd>" in page
    assert "&lt;" not in page


def test_without_a_login_there_is_no_handbook(floor: Floor) -> None:
    answer = Client().get(f"/agent/help{floor.alice.here}")
    assert (answer.status_code, "/accounts/login/" in answer["Location"]) == (302, True)
