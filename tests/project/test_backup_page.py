"""The scripts of docs/backup.md copy a database that is being written to."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.required_programs import find_program
from tests.server import ROOT

PAGE = (ROOT / "docs" / "backup.md").read_text()


@pytest.mark.parametrize("language", ["sh", "python"])
def test_a_backup_contains_every_committed_row(tmp_path: Path, language: str) -> None:
    program = find_program("sqlite3") and "sh" if language == "sh" else sys.executable
    script = next(
        text
        for text in re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
        if "cordboard.sqlite3" in text
    )
    data, backups = tmp_path / "data", tmp_path / "backups"
    data.mkdir()
    backups.mkdir()
    live = sqlite3.connect(data / "cordboard.sqlite3", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE tasks (sid TEXT)")
    live.execute("INSERT INTO tasks VALUES ('WT1')")
    live.execute("BEGIN IMMEDIATE")
    live.execute("INSERT INTO tasks VALUES ('WT2')")
    environment = os.environ | {"DATA_DIR": str(data), "BACKUPS": str(backups)}
    subprocess.run([program, "-c", script], env=environment, check=True)
    live.execute("COMMIT")
    copy = backups / "cordboard.sqlite3"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT sid FROM tasks").fetchall() == [("WT1",)]
    live.close()
