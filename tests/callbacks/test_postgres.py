"""The same on PostgreSQL, where transactions run beside each other and a pool lends connections."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.postgres
FILES = (
    "test_events.py",
    "test_deliveries.py",
    "test_offers.py",
    "test_questions.py",
    "test_plans.py",
)


def test_callbacks_do_on_postgresql_what_they_do_on_sqlite(postgres_url: str) -> None:
    here = Path(__file__).parent
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(str(here / name) for name in FILES)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.races.settings",
            "RACES_DATABASE_URL": postgres_url,
        },
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
