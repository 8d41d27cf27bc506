"""A database of its own for each play, in the private PostgreSQL of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from typing import Any

import psycopg

from tests.running import ROOT


def play(postgres_url: str, module: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run a module in a process and a database of its own, and return what it reports."""
    name = f"race_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    played = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "RACES_DATABASE_URL": postgres_url.replace("/postgres?", f"/{name}?"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert played.returncode == 0, played.stderr
    report: dict[str, Any] = json.loads(played.stdout.splitlines()[-1])
    return report
