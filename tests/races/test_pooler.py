"""PgBouncer in transaction mode: no statement ever answers for another client's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.races.runner import run_program
from tests.required_programs import find_program
from tests.server import wait_until

pytestmark = pytest.mark.postgres
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}


@pytest.fixture(scope="module")
def pooler_url(postgres_url: str) -> Iterator[str]:
    """Return the URL of a PgBouncer with three connections to the private PostgreSQL."""
    program = find_program("pgbouncer", places=("/usr/sbin",))
    (server,) = parse_qs(urlsplit(postgres_url).query)["host"]
    with tempfile.TemporaryDirectory(prefix="cb-pool-", dir="/tmp") as home:
        owner = os.stat(server)
        settings = Path(home) / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={server} user=tests\n[pgbouncer]\npool_mode = transaction\n"
            f"unix_socket_dir = {home}\nlisten_port = 5432\nauth_type = any\n"
            "default_pool_size = 3\nmax_client_conn = 100\n"
        )
        os.chmod(home, 0o755)  # noqa: S103 - the pooler may run as another user
        is_root = os.getuid() == 0
        if is_root:
            os.chown(home, owner.st_uid, owner.st_gid)
        process = subprocess.Popen(
            [program, "-q", str(settings)],
            stderr=subprocess.DEVNULL,
            user=owner.st_uid if is_root else None,
            group=owner.st_gid if is_root else None,
            extra_groups=[] if is_root else None,
        )
        try:
            wait_until(lambda: _listens(Path(home) / ".s.PGSQL.5432"), "the pooler listens")
            yield postgres_url.replace(server.replace("/", "%2F"), home.replace("/", "%2F"))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def test_a_transaction_pooler_disables_prepared_statements_with_a_warning(
    postgres_url: str, pooler_url: str
) -> None:
    report = run_program(postgres_url, "tests.races.pooler", "auto", through=pooler_url, **SETTINGS)
    assert (report["wrong"], report["errors"]) == (0, 0)
    assert report["right"] > 0
    assert report["said"].count("there is a pooler in front of PostgreSQL") == 1


def test_statements_prepared_behind_a_pooler_may_fail_but_never_answer_wrongly(
    postgres_url: str, pooler_url: str
) -> None:
    report = run_program(postgres_url, "tests.races.pooler", "on", through=pooler_url, **SETTINGS)
    assert report["wrong"] == 0
    # Or else this would prove nothing: transactions were really shared among connections.
    assert report["errors"] > 0
    assert report["said"] == ""


def test_statements_are_prepared_without_a_warning_if_there_is_no_pooler(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.pooler", "auto", **SETTINGS)
    assert (report["wrong"], report["errors"], report["said"]) == (0, 0, "")
