"""Run programs of the tests, each on a new database of the private PostgreSQL.

The programs are separate processes because the database of the tests themselves is SQLite.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import psycopg

from tests import database_templates, launcher


def run_program(
    postgres_url: str, module: str, *arguments: str, through: str | None = None, **environment: str
) -> dict[str, Any]:
    """Run a module in a new process on a new database, and return its JSON report.

    Arguments:
        through: URL of a pooler by which the module reaches the database.
    """
    name = f"race_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        template = database_templates.migrated_postgres(postgres_url)
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
    """Run tests in another pytest, whose test database is on PostgreSQL; fail if one fails.

    Each call has its own database, so two calls may run concurrently.
    """
    ran = launcher.run(
        *("-m", "pytest", "-q", "--ds=tests.races.settings", "--create-db"),
        *("-p", "no:cacheprovider", *arguments),
        env={
            **os.environ,
            "RACES_DATABASE_URL": postgres_url,
            "RACES_TEMPLATE": database_templates.migrated_postgres(postgres_url),
            **environment,
        },
        timeout=900,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
