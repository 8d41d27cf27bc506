"""Start a private PostgreSQL from the machine's own programs: no root, no port that others know."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.required_programs import find_program

PROGRAM_DIRECTORIES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/opt/homebrew/bin",
)
ACCOUNTS = ("postgres", "nobody")


@contextlib.contextmanager
def private_server(*, durable: bool = False, preload: str = "") -> Iterator[str]:
    """Run a server on a socket in a directory of its own; yield its URL, and end it after.

    Arguments:
        durable: whether each commit waits for the disk, as in production.
        preload: libraries that the server loads at its start.
    """
    initdb = find_program("initdb", places=PROGRAM_DIRECTORIES)
    # Next to it, as the versions of the two must agree; through the link that a PATH may hold.
    programs = Path(initdb).resolve().parent
    # Not where TMPDIR may say: the path of a socket has to be short.
    home = Path(tempfile.mkdtemp(prefix="cb-pg-", dir="/tmp"))
    account = _unprivileged()
    if account:
        os.chown(home, account.pw_uid, account.pw_gid)
    data = home / "data"
    options = f"-k {home} -c listen_addresses='' -c shared_preload_libraries='{preload}'"
    if not durable:
        # Nothing of it outlives the tests, so nothing of it need survive a power cut.
        options += " -c fsync=off -c synchronous_commit=off"
    try:
        _run(account, str(programs / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-N")
        control = (str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(home / "log"))
        _run(account, *control, "-o", options + " -c max_connections=200", "start")
        try:
            yield f"postgres://tests@/postgres?host={quote(str(home), safe='')}"
        finally:
            _run(account, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the account to run the server as; None unless we are root, which it refuses."""
    if os.getuid() != 0:
        return None
    for name in ACCOUNTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError(f"PostgreSQL will not run as root, and there is none of {ACCOUNTS}")


def _run(account: pwd.struct_passwd | None, *command: str) -> None:
    """Run one of the server's programs, as `account` if any; raise what it said if it failed."""
    # A file for what it says: the server would inherit a pipe, and keep it open.
    with tempfile.TemporaryFile() as said:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        said.seek(0)
        if result.returncode:
            raise RuntimeError(f"{command[0]} failed: {said.read().decode(errors='replace')}")
