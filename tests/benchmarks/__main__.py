"""Measure everything, as `make bench` does: on SQLite, then on PostgreSQL what a database decides.

`BACKLOG=1000,10000,100000,1000000` names how many tasks wait in the cycles that are measured.
With `--quick`, only what shows most changes runs, on small floors, in less than three minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests import postgres

BASE = [sys.executable, "-m", "pytest", "-m", "bench", "-s", "-q", "-p", "no:randomly"]
ON_POSTGRES = [
    "tests/benchmarks/test_cycle.py",
    "tests/benchmarks/test_books.py",
    "tests/benchmarks/test_batches.py",
    "tests/benchmarks/test_customers.py",
    "tests/benchmarks/test_create.py",
    "tests/benchmarks/test_callbacks.py",
    "tests/benchmarks/test_expiry.py",
    "tests/benchmarks/test_tenants.py",
    "tests/benchmarks/test_metrics.py",
    "tests/benchmarks/test_floor.py",
    "tests/benchmarks/test_reports.py",
    "tests/benchmarks/test_large_floor.py",
    "tests/benchmarks/test_task_pages.py",
]
QUICK = [
    "tests/benchmarks/test_steps.py",
    "tests/benchmarks/test_engine.py",
    "tests/benchmarks/test_panels.py",
    "tests/benchmarks/test_latency.py",
]
QUICK_ON_POSTGRES = ["tests/benchmarks/test_create.py"]
QUICK_SIZES = {"BACKLOG": "2000,20000", "RATES": "50"}


def main(arguments: list[str]) -> int:
    """Run the benchmarks on both databases; they print what they find, and nothing can fail."""
    if arguments == ["--quick"]:
        os.environ.update(QUICK_SIZES)
        return subprocess.call([*BASE, *QUICK]) or call_on_postgres(QUICK_ON_POSTGRES)
    code = subprocess.call([*BASE, *(arguments or ["tests/benchmarks"])])
    if arguments and not {argument.partition("::")[0] for argument in arguments} & {*ON_POSTGRES}:
        return code
    return call_on_postgres(arguments or ON_POSTGRES) or code


def call_on_postgres(arguments: list[str]) -> int:
    """Run benchmarks on a private PostgreSQL whose commits wait for the disk."""
    with postgres.private_server(durable=True) as url:
        env = dict(os.environ, RACES_DATABASE_URL=url)
        settings = ["--ds=tests.races.settings", "--create-db"]
        return subprocess.call([*BASE, *settings, *arguments], env=env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
