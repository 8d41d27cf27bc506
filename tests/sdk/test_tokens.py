"""Tokens: which are valid, what each may do, and every refusal."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from twilio.jwt.taskrouter.capabilities import (
    TaskQueueCapabilityToken,
    WorkerCapabilityToken,
    WorkspaceCapabilityToken,
)

from routing import models, tokens
from routing.actions import accounts, api_keys, workers
from routing.actors import SYSTEM
from tests import factories
from tests.sdk.conftest import AUTH_TOKEN, Floor


def verify(token: object) -> tokens.Grant:
    return tokens.verify_token(token, now=timezone.now())


def claims(token: str) -> dict[str, object]:
    found: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_the_official_library_s_token_is_valid(floor: Floor) -> None:
    grant = verify(floor.token(floor.alice, identity="mari", ttl=60))
    assert (grant.account, grant.workspace, grant.worker) == (
        floor.account,
        floor.workspace,
        floor.alice,
    )
    assert (grant.role, grant.key_sid, grant.policies) == ("worker", floor.key.sid, None)
    assert 55 < grant.expires - time.time() <= 60


def test_the_auth_token_may_sign_too(floor: Floor) -> None:
    by_account: dict[str, Any] = {"signing_key_sid": floor.account.sid, "secret": AUTH_TOKEN}
    assert verify(floor.token(floor.alice, **by_account)).worker == floor.alice


def unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def swapped(token: str) -> str:
    """Put another grant under the signature."""
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    said["grants"]["task_router"]["role"] = "admin"
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token[: len(token) // 2],
        lambda token: token.rsplit(".", 1)[0],
        swapped,
        unsigned,
        lambda token: "",
        lambda token: "x" * 50_000,
        lambda token: "ü.ä.ö",
        lambda token: None,
        lambda token: {"alg": "HS256"},
    ],
    ids=["cut", "halved", "bare", "swapped", "unsigned", "empty", "huge", "odd", "null", "object"],
)
def test_an_invalid_token_is_refused(floor: Floor, spoil: Callable[[str], object]) -> None:
    good = floor.token(floor.alice)
    verify(good)
    with pytest.raises(tokens.TokenRefused):
        verify(spoil(good))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_though_the_signature_is_right(
    floor: Floor, algorithm: str
) -> None:
    secret = floor.secret * 3
    with pytest.raises(tokens.TokenRefused, match="not signed by HS256"):
        verify(jwt.encode(claims(floor.token(floor.alice)), secret, algorithm=algorithm))


def test_a_token_ends_and_begins_in_time(floor: Floor) -> None:
    verify(floor.token(floor.alice, nbf=int(time.time()) + 5))
    with pytest.raises(tokens.TokenRefused, match="not valid yet"):
        verify(floor.token(floor.alice, nbf=int(time.time()) + 60))
    with pytest.raises(tokens.TokenExpired):
        verify(floor.token(floor.alice, valid_until=int(time.time()) - 1))
    timeless = claims(floor.token(floor.alice))
    del timeless["exp"]
    with pytest.raises(tokens.TokenRefused, match="no expiry time"):
        verify(jwt.encode(timeless, floor.secret, algorithm="HS256"))


def test_tokens_of_a_revoked_key_are_refused(floor: Floor) -> None:
    token = floor.token(floor.alice)
    verify(token)
    api_keys.revoke_api_key(key=floor.key, now=timezone.now())
    with pytest.raises(tokens.TokenRefused, match="unknown or revoked"):
        verify(token)


def test_a_renewed_auth_token_ends_what_the_old_one_signed(floor: Floor) -> None:
    token = floor.token(floor.alice, signing_key_sid=floor.account.sid, secret=AUTH_TOKEN)
    verify(token)
    accounts.renew_auth_token(account=floor.account, now=timezone.now())
    with pytest.raises(tokens.TokenRefused):
        verify(token)


def test_another_account_s_rows_are_out_of_reach(floor: Floor) -> None:
    elsewhere = factories.workspace(account=factories.account())
    stranger = factories.worker(elsewhere)
    for token in (
        floor.token(floor.alice, account_sid=elsewhere.account.sid),
        floor.token(stranger),
        floor.token(stranger, workspace=elsewhere),
        floor.token(workspace=elsewhere),
        floor.token(floor.alice, secret="somebody else's secret, of a decent length"),
        floor.token(floor.alice, signing_key_sid="SK" + "0" * 32),
    ):
        with pytest.raises(tokens.TokenRefused):
            verify(token)


def test_a_worker_who_is_gone_has_no_token_and_a_role_is_one_of_three(floor: Floor) -> None:
    for role in ("worker", "supervisor", "admin", None):
        verify(floor.token(floor.alice, role=role))
    with pytest.raises(tokens.TokenRefused, match="role"):
        verify(floor.token(floor.alice, role="emperor"))
    token = floor.token(floor.alice)
    workers.delete_worker(worker=floor.alice, actor=SYSTEM, now=timezone.now())
    with pytest.raises(tokens.TokenRefused, match="worker"):
        verify(token)


# --- What each may do ----------------------------------------------------------------------


def test_a_worker_reads_the_workspace_and_changes_only_themselves(floor: Floor) -> None:
    bob = factories.worker(floor.workspace, "Bob")
    task = factories.task(floor.workspace, now=timezone.now())
    for path in (f"{{W}}/Workers/{bob.sid}", "{W}/Workers", f"{{W}}/Tasks/{task.sid}"):
        assert floor.send("GET", path)[0] == 200
    assert floor.send("POST", "{K}", Attributes={"a": 1})[0] == 200
    for path, params in (
        (f"{{W}}/Workers/{bob.sid}", {"Attributes": {}}),
        (f"{{W}}/Tasks/{task.sid}", {"Attributes": {}}),
        ("{W}/Tasks", {"RoutingTarget": bob.sid, "Attributes": {}}),
        ("{W}/Tasks", {"Attributes": {}}),
    ):
        status, error = floor.send("POST", path, **params)
        assert (status, error["code"]) == (403, 20403)
    boss = floor.token(floor.alice, role="supervisor")
    assert floor.send("POST", f"{{W}}/Workers/{bob.sid}", boss, Attributes={"a": 1})[0] == 200
    assert floor.send("POST", f"{{W}}/Tasks/{task.sid}", boss, Attributes={"a": 1})[0] == 200


def test_a_task_is_changed_by_the_worker_who_holds_it(floor: Floor) -> None:
    offer = factories.accepted(floor.workspace, now=timezone.now())
    path = f"{{W}}/Tasks/{offer.task.sid}"
    assert floor.send("POST", path, Attributes={"a": 1})[0] == 200
    bob = factories.worker(floor.workspace, "Bob")
    assert floor.send("POST", path, floor.token(bob), Attributes={"a": 2})[0] == 403


def test_another_workspace_is_forbidden_and_a_worker_s_token_alone_writes(floor: Floor) -> None:
    other = factories.workspace(account=floor.account)
    assert floor.send("GET", f"Workspaces/{other.sid}/Workers")[0] == 403
    reader = floor.token()
    assert floor.send("GET", "{W}/Workers", reader)[0] == 200
    assert floor.send("POST", "{K}", reader, Attributes={})[0] == 403
    assert floor.send("POST", "{K}", floor.token(role="admin"), Attributes={})[0] == 200


def capability(floor: Floor, **given: bool) -> str:
    token = WorkerCapabilityToken(
        floor.account.sid, AUTH_TOKEN, floor.workspace.sid, floor.alice.sid, **given
    )
    text: str = token.to_jwt()
    return text


def test_a_capability_token_allows_what_its_policies_say(floor: Floor) -> None:
    offer = factories.offered(floor.workspace, now=timezone.now())
    plain = capability(floor)
    for path in ("{K}", "{W}/Activities", "{K}/WorkerChannels", "{K}/Reservations"):
        assert floor.send("GET", path, plain)[0] == 200
    assert floor.send("GET", "{W}/Workers", plain)[0] == 403
    redis_switch = factories.activity(floor.workspace, "Unavailable").sid
    accept = f"{{K}}/Reservations/{offer.sid}"
    for path, params in (
        ("{K}", {"ActivitySid": redis_switch}),
        (accept, {"ReservationStatus": "accepted"}),
    ):
        assert floor.send("POST", path, plain, **params)[0] == 403
    more = capability(floor, allow_update_activities=True, allow_update_reservations=True)
    assert floor.send("POST", "{K}", more, Attributes={})[0] == 403
    assert floor.send("POST", accept, more, ReservationStatus="accepted")[0] == 200
    assert floor.send("POST", "{K}", more, ActivitySid=redis_switch)[0] == 200


def test_capability_tokens_of_queues_and_workspaces_are_held_to_their_policies(
    floor: Floor,
) -> None:
    queue = factories.queue(floor.workspace)
    arguments = floor.account.sid, AUTH_TOKEN, floor.workspace.sid
    of_queue = TaskQueueCapabilityToken(*arguments, queue.sid).to_jwt()
    assert floor.send("GET", f"{{W}}/TaskQueues/{queue.sid}", of_queue)[0] == 200
    assert floor.send("GET", "{W}/TaskQueues", of_queue)[0] == 403
    everything = {"allow_fetch_subresources": True, "allow_update_subresources": True}
    of_all = WorkspaceCapabilityToken(*arguments, **everything).to_jwt()
    assert floor.send("GET", "{W}/TaskQueues", of_all)[0] == 200
    assert floor.send("POST", "{K}", of_all, Attributes={})[0] == 200


def test_a_capability_token_signed_by_an_api_key_is_refused(floor: Floor) -> None:
    said = claims(capability(floor)) | {"iss": floor.key.sid}
    with pytest.raises(tokens.TokenRefused, match="auth token"):
        verify(jwt.encode(said, floor.secret, algorithm="HS256"))
    said = claims(capability(floor)) | {"policies": "all"}
    with pytest.raises(tokens.TokenRefused, match="policies"):
        verify(jwt.encode(said, AUTH_TOKEN, algorithm="HS256"))


# --- Made here -----------------------------------------------------------------------------


def test_a_token_is_made_by_rest_and_signed_by_the_key_of_the_request(floor: Floor) -> None:
    basic = base64.b64encode(f"{floor.key.sid}:{floor.secret}".encode()).decode()

    def post(form: str, authorization: str = f"Basic {basic}") -> tuple[int, dict[str, Any]]:
        answer = floor.client.generic(
            "POST",
            f"/v1/Workspaces/{floor.workspace.sid}/Tokens",
            form.encode(),
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": authorization},
        )
        return answer.status_code, json.loads(answer.content)

    status, said = post(f"WorkerSid={floor.alice.sid}&Role=supervisor&Ttl=120&Identity=mari")
    assert status == 201
    grant = verify(said["token"])
    assert (grant.worker, grant.role, grant.key_sid) == (floor.alice, "supervisor", floor.key.sid)
    assert grant.expires - time.time() <= 120
    assert jwt.get_unverified_header(said["token"])["cty"] == "twilio-fpa;v=1"
    stranger = factories.worker(factories.workspace())
    for form in (f"WorkerSid={stranger.sid}", "Role=emperor", "Ttl=0", "Ttl=90000"):
        assert post(form)[0] == 400
    assert post("", authorization="")[0] == 401


def test_a_token_is_made_by_command(floor: Floor) -> None:
    def said(*arguments: str) -> tokens.Grant:
        out = io.StringIO()
        call_command("token", *arguments, stdout=out)
        return verify(out.getvalue().strip())

    assert said(floor.alice.sid).worker == floor.alice
    grant = said(floor.workspace.sid, "--role", "admin", "--key", floor.key.sid, "--ttl", "60")
    assert (grant.worker, grant.role, grant.key_sid) == (None, "admin", floor.key.sid)
    stranger = models.ApiKey.objects.get(
        pk=api_keys.create_api_key(
            account=factories.account(), friendly_name="other", now=timezone.now()
        )[0].pk
    )
    for wrong in (
        ["WK" + "0" * 32],
        [floor.alice.sid, "--key", stranger.sid],
        [floor.alice.sid, "--ttl", "0"],
    ):
        with pytest.raises(CommandError):
            call_command("token", *wrong)


def signed(floor: Floor, **changed: Any) -> str:
    """Return a token of Alice's with these claims changed; None leaves one out."""
    given = claims(floor.token(floor.alice)) | changed
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(kept, floor.secret, algorithm="HS256")


@pytest.mark.parametrize(
    "lasts", [float("inf"), 10**400, 2**40, 90_000], ids=["inf", "400", "2**40", "25h"]
)
@pytest.mark.parametrize("dated", [False, True])
def test_a_token_that_is_valid_for_too_long_is_refused_however_it_was_made(
    floor: Floor, lasts: float, dated: bool
) -> None:
    now = int(time.time())
    exp, iat = now + lasts, now if dated else None
    with pytest.raises(tokens.TokenRefused, match="more than 86400 seconds"):
        verify(signed(floor, exp=exp, iat=iat, nbf=None))


def test_a_long_token_is_refused_on_its_last_day_too(floor: Floor) -> None:
    now = int(time.time())
    long = signed(floor, iat=now - 9 * 86_400, nbf=now - 9 * 86_400, exp=now + 3_600)
    with pytest.raises(tokens.TokenRefused, match="more than 86400 seconds"):
        verify(long)


def test_a_token_may_be_valid_for_a_day(floor: Floor) -> None:
    assert verify(floor.token(floor.alice, ttl=86_400)).worker == floor.alice
    now = int(time.time())
    assert verify(signed(floor, iat=None, nbf=None, exp=now + 86_400)).worker == floor.alice


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), "soon"])
def test_a_token_whose_beginning_is_not_a_time_is_refused(floor: Floor, moment: Any) -> None:
    with pytest.raises(tokens.TokenRefused):
        verify(signed(floor, iat=moment))
    with pytest.raises(tokens.TokenRefused):
        verify(signed(floor, exp=float("nan")))
