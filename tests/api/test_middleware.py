"""The API skips middleware that only pages need; its answers are the same as with all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings

from config.patches.asgi_handler import ThreadedHandler
from routing import models
from tests.api.conftest import TOKEN, basic

FORM = {"content_type": "application/x-www-form-urlencoded"}


def answer(handler: ThreadedHandler, method: str, path: str, **given: Any) -> Any:
    """Return status, headers and body of an answer, without its sids and times."""
    request = RequestFactory(SERVER_NAME="localhost").generic(method, path, **given)
    response: Any = handler.get_response(request)
    found = (response.status_code, sorted(response.items()), response.content.decode())
    return re.sub(r"[0-9a-f]{32}|\d\d:\d\d:\d\dZ", "…", str(found))


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_answer_is_the_same_without_what_only_pages_need(
    account: models.Account, root: str, secure: bool
) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("alice"))
    session = (
        f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    )
    signed = {"Authorization": basic(account.sid, TOKEN)}
    with override_settings(
        SECURE_SSL_REDIRECT=secure,
        SECURE_HSTS_SECONDS=60 if secure else 0,
        CORS_ORIGINS=["https://shop.example"],
    ):
        chosen = ThreadedHandler(threads=1)
        with override_settings(PAGE_MIDDLEWARE=set()):
            whole = ThreadedHandler(threads=1)
        for method, path, given in (
            ("GET", root, {"headers": signed}),
            ("GET", root, {"headers": signed, "secure": True}),
            ("POST", f"{root}/Activities", {"headers": signed, "data": "FriendlyName=x%2C"} | FORM),
            ("POST", f"{root}/Activities", {"headers": signed, "data": "{}", "secure": True}),
            ("GET", root, {"secure": True}),
            ("GET", root, {"headers": {"Cookie": session}, "secure": True}),
            ("GET", "/v1/Nothing", {"headers": {"Accept-Language": "de"}, "secure": True}),
            ("PUT", root, {"headers": signed, "secure": True}),
            ("OPTIONS", root, {"headers": {"Origin": "https://shop.example"}, "secure": True}),
            ("GET", root, {"headers": signed | {"Host": "elsewhere.example"}, "secure": True}),
            ("POST", "/v1/nothing/", {"headers": {"Cookie": session}, "secure": True}),
        ):
            assert answer(chosen, method, path, **given) == answer(whole, method, path, **given)


def test_pages_have_all_of_it(db: None) -> None:
    handler = ThreadedHandler(threads=1)
    browser = RequestFactory(SERVER_NAME="localhost")
    assert handler.get_response(browser.post("/accounts/login/")).status_code == 403
    assert "csrftoken" in handler.get_response(browser.get("/accounts/login/")).cookies
