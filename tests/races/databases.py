"""A database of its own for each play, in the private PostgreSQL of the tests."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import psycopg

from tests import launcher, templates


def play(
    postgres_url: str, module: str, *arguments: str, through: str | None = None, **environment: str
) -> dict[str, Any]:
    """Run a module in a process and a database of its own, and return what it reports.

    Arguments:
        through: URL of a pooler by which the module reaches the database.
    """
    name = f"race_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        template = templates.migrated_postgres(postgres_url)
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    played = launcher.run(
        *("-m", module, *arguments),
        env={
            **os.environ,
            "RACES_DATABASE_URL": (through or postgres_url).replace("/postgres?", f"/{name}?"),
            **environment,
        },
        timeout=300,
    )
    assert played.returncode == 0, played.stderr
    report: dict[str, Any] = json.loads(played.stdout.splitlines()[-1])
    return report


def run_pytest(postgres_url: str, *arguments: str, **environment: str) -> None:
    """Run tests in a pytest of their own, whose test database is on PostgreSQL; fail if one does.

    Each call has a database of its own, so that two may run at once.
    """
    ran = launcher.run(
        *("-m", "pytest", "-q", "--ds=tests.races.settings", "--create-db"),
        *("-p", "no:cacheprovider", *arguments),
        env={
            **os.environ,
            "RACES_DATABASE_URL": postgres_url,
            "RACES_TEMPLATE": templates.migrated_postgres(postgres_url),
            **environment,
        },
        timeout=900,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
