"""Fill a server's database with logged-in workers for `test_push`, and print their credentials.

This is a separate process with the settings of the server; it prints JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402 - they need the settings above
from django.contrib import auth  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.utils import timezone  # noqa: E402

from config.patches.session_store import SessionStore  # noqa: E402
from routing import models, tokens  # noqa: E402
from routing.actions import accounts, api_keys, task_queues, workflows, workspaces  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from tests.benchmarks import bulk_rows  # noqa: E402

BACKEND = "config.patches.session_store.Backend"


def main(workers: int, sessions: int) -> None:
    """Make workers who all serve one queue; each has a login, and the last has many sessions."""
    now = timezone.now()
    account, _ = accounts.create_account(friendly_name="Audience", now=now)
    floor = workspaces.create_workspace(
        account=account, friendly_name="Audience", actor=SYSTEM, now=now
    )
    queue = task_queues.create_task_queue(
        workspace=floor, friendly_name="Audience", actor=SYSTEM, now=now
    )
    target = {"queue": queue.sid}
    workflows.create_workflow(
        workspace=floor,
        friendly_name="Audience",
        configuration=json.dumps({"task_routing": {"default_filter": target}}),
        actor=SYSTEM,
        now=now,
    )
    made = bulk_rows.add_workers(floor, workers, side="audience")
    there = floor.activities.get(friendly_name="Available")
    floor.workers.update(activity=there)
    models.WorkerChannel.objects.filter(worker__workspace=floor).update(worker_available=True)
    key, secret = api_keys.create_api_key(account=account, friendly_name="Audience", now=now)

    def token(worker: models.Worker, number: int) -> str:
        return tokens.mint_token(
            account=account,
            key_sid=key.sid,
            secret=secret,
            workspace_sid=floor.sid,
            worker_sid=worker.sid,
            # Makes every token different.
            ttl=tokens.DEFAULT_TTL + number,
            now=now,
        )

    print(  # noqa: T201 - what it is run for
        json.dumps(
            {
                "workspace": floor.sid,
                "queue": queue.sid,
                "workers": [worker.sid for worker in made],
                "cookies": log_in_all(made, now),
                "tokens": [token(worker, 0) for worker in made],
                "sessions": [token(made[-1], 1 + number) for number in range(sessions)],
            }
        )
    )


def log_in_all(workers: list[models.Worker], now: datetime) -> list[str]:
    """Give each worker a login, and return a session cookie of each."""
    password = make_password(None)
    users = User.objects.bulk_create(
        (User(username=worker.sid.lower(), password=password) for worker in workers),
        batch_size=1_000,
    )
    for worker, user in zip(workers, users, strict=True):
        worker.user = user
    models.Worker.objects.bulk_update(workers, ["user"], batch_size=300)
    return open_sessions(users, now)


def open_sessions(users: list[User], now: datetime) -> list[str]:
    """Return the cookie of a new session of each user."""
    store = SessionStore()
    rows = Session.objects.bulk_create(
        (
            Session(
                session_key=store._get_new_session_key(),  # type: ignore[attr-defined]
                session_data=store.encode(
                    {
                        auth.SESSION_KEY: str(user.pk),
                        auth.BACKEND_SESSION_KEY: BACKEND,
                        auth.HASH_SESSION_KEY: user.get_session_auth_hash(),
                    }
                ),
                expire_date=now + timedelta(days=1),
            )
            for user in users
        ),
        batch_size=1_000,
    )
    return [f"{settings.SESSION_COOKIE_NAME}={row.session_key}" for row in rows]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
