"""Migrated databases, and other directories, that are made once per run and then copied.

All processes of one run share it: a run has a directory of its own, named in the environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg

from config.environment import DATABASE_FILE
from tests import launcher

POSTGRES_TEMPLATE = "migrated"
RUN_DIRECTORY = "CORDBOARD_TEST_RUN"
"""The variable that names the directory which the processes of a run share."""


def migrated_sqlite() -> Path:
    """Return the path of a migrated SQLite database without any rows; copy it, do not open it."""
    with make_once("sqlite") as (home, is_made):
        if not is_made:
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
def make_once(name: str) -> Iterator[tuple[Path, bool]]:
    """Yield a directory of the run and whether it is filled; the first caller fills it.

    Callers in other processes wait until the block has ended. A block that fails is tried again by
    the next caller.
    """
    home = Path(os.environ[RUN_DIRECTORY]) / name
    home.mkdir(parents=True, exist_ok=True)
    mark = home / ".made"
    with open(home / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield home, mark.exists()
        mark.touch()


def _manage(*arguments: str, **environment: str) -> None:
    """Run a management command with the real settings."""
    ran = launcher.run(
        "manage.py",
        *arguments,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "only-for-the-template-of-a-database",
            **environment,
        },
    )
    assert ran.returncode == 0, ran.stderr
