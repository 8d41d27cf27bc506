"""Clients that guess credentials are slowed down, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings

from routing import models
from routing.api import authentication, failures
from routing.redis import clients
from tests import redis
from tests.api.conftest import TOKEN, Answer, Api, basic
from tests.factories import NOW

HERE = "192.0.2.1"
ELSEWHERE = "192.0.2.2"


@pytest.fixture(autouse=True)
def _forget_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "valid_credentials", failures.ValidCredentials())


@pytest.fixture(params=["in this process", "in Redis"])
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Return the clock; counts are kept in this process, or in a real Redis."""
    if request.param == "in this process":
        with time_machine.travel(NOW, tick=False) as traveller:
            yield traveller.shift
        return
    with redis.private_server(tmp_path / "redis.sock") as url, override_settings(REDIS_URL=url):
        client = clients.client_of(url)
        assert client is not None

        def shift(seconds: float) -> None:
            for key in client.keys("cordboard:*"):
                left = client.pttl(key)
                client.pexpire(key, max(left - int(seconds * 1000), 0))

        yield shift
        client.close()


def ask(account: models.Account, secret: str, path: str, address: str = HERE) -> Answer:
    client = Client(REMOTE_ADDR=address)
    return Api(account, basic(account.sid, secret), client).get(path)


def fail(account: models.Account, path: str, times: int, address: str = HERE) -> None:
    for number in range(times):
        assert ask(account, f"guess {number}", path, address).status == 401


def test_a_handful_of_failures_has_no_consequence(
    account: models.Account, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES)
    assert ask(account, TOKEN, root).status == 200


def test_each_further_failure_locks_the_address_for_longer(
    account: models.Account, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES)
    for wait in (2, 4, 8, 16, 32, 60, 60):
        fail(account, root, 1)
        refused = ask(account, "guess", root)
        assert (refused.status, refused["code"]) == (429, 20429)
        assert refused.response.headers["Retry-After"] == str(wait)
        clock(wait)


def test_during_a_lock_the_right_token_is_refused_like_a_wrong_one(
    account: models.Account, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES + 1)
    right, wrong = ask(account, TOKEN, root), ask(account, "guess", root)
    assert right.status == wrong.status == 429
    clock(2)
    assert ask(account, TOKEN, root).status == 200


def test_a_client_from_another_address_is_let_in(
    account: models.Account, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES + 1)
    assert ask(account, TOKEN, root, ELSEWHERE).status == 200


def test_a_client_that_was_let_in_before_is_let_in_beside_one_that_guesses(
    account: models.Account, root: str, clock: Any
) -> None:
    assert ask(account, TOKEN, root).status == 200
    fail(account, root, failures.FREE_FAILURES + 1)
    assert ask(account, "guess", root).status == 429
    assert ask(account, TOKEN, root).status == 200


def test_another_account_is_not_slowed_down(
    account: models.Account, stranger: Api, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES + 1)
    assert ask(stranger.account, TOKEN, "Workspaces").status == 200


def test_failures_are_forgotten_after_a_while(
    account: models.Account, root: str, clock: Any
) -> None:
    fail(account, root, failures.FREE_FAILURES)
    clock(failures.MEMORY_SECONDS)
    fail(account, root, failures.FREE_FAILURES)
    assert ask(account, TOKEN, root).status == 200


def test_an_unknown_sid_is_slowed_down_as_a_known_one_is(
    account: models.Account, root: str, clock: Any
) -> None:
    @contextmanager
    def as_unknown() -> Iterator[None]:
        known, account.sid = account.sid, "AC" + "f" * 32
        yield
        account.sid = known

    with as_unknown():
        fail(account, root, failures.FREE_FAILURES + 1)
        assert ask(account, "guess", root).status == 429


@override_settings(REDIS_URL="unix:///nowhere/redis.sock")
def test_without_redis_no_client_is_slowed_down(account: models.Account, root: str) -> None:
    fail(account, root, failures.FREE_FAILURES + 5)
    assert ask(account, TOKEN, root).status == 200


def test_the_memory_of_failures_is_bounded() -> None:
    here = failures._LocalFailures(most=5)
    for number in range(20):
        here.add(str(number), 0.0)
    assert len(here.counts) <= 5
    regulars = failures.ValidCredentials(most=5)
    for number in range(20):
        regulars.add(str(number), account_sid=f"AC{number}")
    assert [regulars.find_account(str(number)) for number in (14, 15, 19)] == [None, "AC15", "AC19"]
