"""Browser of the admin: reads a page's form, changes some fields, sends all of it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

Answer = Any
"""A response of Django's test client: a response with `context` and `redirect_chain` besides."""


class _Form(HTMLParser):
    """Collects what a browser would send for the page's largest form."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        here, name = self.forms[-1], at.get("name") or ""
        if tag == "input" and name and at.get("type") not in {"submit", "image"}:
            if at.get("type") not in {"checkbox", "radio"} or "checked" in at:
                here[name] = at.get("value") or ("on" if at.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select is not None:
            if "selected" in at or self._select not in here:
                here[self._select] = at.get("value") or ""
        elif tag == "textarea":
            self._area = name
            here[name] = ""

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1][self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # The parser keeps the line break that follows the tag; browsers do not.
            area = self.forms[-1]
            area[self._area or ""] = area[self._area or ""].removeprefix("\n").strip("\r")
            self._area = None
        elif tag == "select":
            self._select = None


class Visitor:
    """A user with a browser, logged in or not."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(REMOTE_ADDR="192.0.2.7")
        self.user = user
        if user is not None:
            self.client.force_login(user)

    def see(self, page: str, *arguments: Any, query: str = "") -> Answer:
        """Open a page by the name of its address."""
        return self.get(reverse(f"admin:{page}", args=arguments) + query)

    def get(self, path: str) -> Answer:
        """Open a page by its path."""
        return self.client.get(path)

    def form(self, page: str, *arguments: Any, query: str = "") -> dict[str, Any]:
        """Return what a page's form would send if nothing were changed."""
        answer = self.see(page, *arguments, query=query)
        assert answer.status_code == 200, answer
        parser = _Form()
        parser.feed(answer.content.decode())
        return max(parser.forms, key=len)

    def send(self, page: str, *arguments: Any, query: str = "", **changes: Any) -> Answer:
        """Open a page, change these fields of its form (None unchecks), send it, follow."""
        fields = self.form(page, *arguments, query=query) | changes
        return self.post(page, *arguments, query=query, **fields)

    def post(self, page: str, *arguments: Any, query: str = "", **fields: Any) -> Answer:
        """Send these fields and follow where the answer leads."""
        given = {name: value for name, value in fields.items() if value is not None}
        path = reverse(f"admin:{page}", args=arguments) + query
        return self.client.post(path, given, follow=True)


def words(answer: Answer) -> str:
    """Return the text of a page, without its markup."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def lines(answer: Answer) -> str:
    """Return a page's text as it is laid out, for what must stand under what."""
    return html.unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


def errors(answer: Answer, field: str | None = None) -> str:
    """Return what is wrong with a form: with one field, or with the whole."""
    form = answer.context["adminform"].form
    found = form.errors.get(field or "__all__", [])
    return "\n".join(found)
