"""Databases with the present schema, made once a run and copied by every test that needs one.

All processes of one run share them: a run has a directory of its own, named in the environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from config.environment import BASE_DIR, DATABASE_FILE

POSTGRES_TEMPLATE = "migrated"
RUN_DIRECTORY = "CORDBOARD_TEST_RUN"
"""The variable that names the directory which the processes of a run share."""


def migrated_sqlite() -> Path:
    """Return the path of a migrated SQLite database without any rows; copy it, do not open it."""
    home = Path(os.environ[RUN_DIRECTORY]) / "sqlite"
    with _locked(home):
        if not (home / DATABASE_FILE).exists():
            _manage("migrate", "--verbosity", "0", DATA_DIR=str(home), DATABASE_URL="")
    return home / DATABASE_FILE


def migrated_postgres(url: str) -> str:
    """Return the name of a migrated database without any rows, on the private server at `url`.

    `CREATE DATABASE … TEMPLATE` copies it, as long as no connection to it is open.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [POSTGRES_TEMPLATE]
        ).fetchone():
            connection.execute(f"CREATE DATABASE {POSTGRES_TEMPLATE}")
            place = url.replace("/postgres?", f"/{POSTGRES_TEMPLATE}?")
            _manage("migrate", "--verbosity", "0", DATABASE_URL=place)
    return POSTGRES_TEMPLATE


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the lock of a template, so that one process makes it and the others wait."""
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _manage(*arguments: str, **environment: str) -> None:
    """Run a management command with the real settings."""
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "only-for-the-template-of-a-database",
            **environment,
        },
        check=True,
    )
