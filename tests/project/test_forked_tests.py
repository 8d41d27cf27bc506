"""`--forks` runs each test once, in a process beside others, and reports what a process did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = """
import os, signal
from pathlib import Path

import pytest

@pytest.fixture(scope="session", autouse=True)
def process():
    Path(f"set-up-{__name__}-{os.getpid()}").touch()
    yield
    Path(f"set-up-{__name__}-{os.getpid()}").unlink()

@pytest.mark.parametrize("number", range(3))
def test_passes(number, tmp_path):
    with open("passed", "a") as file:
        file.write(f"{os.getpid()} {__name__} {number}\\n")

def test_skipped():
    pytest.skip("no reason")

def test_fails():
    print("printed before it")
    assert os.environ.get("RIGHT"), "wrong"

def test_dies():
    if "DIE" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def run_tests(home: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    for name in ("test_one.py", "test_other.py"):
        (home / name).write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.forks", "--forks", "2", "-rfs"]
    command += ["-c", "/dev/null", "--rootdir", str(home), *arguments]
    command += [f"-pno:{name}" for name in ("django", "asyncio", "hypothesispytest", "randomly")]
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(
        command,
        cwd=home,
        env=environment | {"PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_each_test_runs_once_and_a_file_stays_in_one_process(tmp_path: Path) -> None:
    code, output = run_tests(tmp_path, RIGHT="1")
    assert code == 0, output
    assert "10 passed, 2 skipped" in output
    runs = [line.split() for line in (tmp_path / "passed").read_text().splitlines()]
    assert len(runs) == 6
    assert len({(name, number) for _, name, number in runs}) == 6
    assert len({(pid, name) for pid, name, _ in runs}) == 2


def test_a_failure_is_reported_with_what_was_printed(tmp_path: Path) -> None:
    code, output = run_tests(tmp_path)
    assert code == 1
    assert "2 failed, 8 passed, 2 skipped" in output
    assert "printed before it" in output


def test_a_test_whose_process_dies_has_failed(tmp_path: Path) -> None:
    code, output = run_tests(tmp_path, "test_one.py", RIGHT="1", DIE="1")
    assert code == 1, output
    assert "test_one.py::test_dies - the process ended with exit code -9" in output
    assert "5 of 6 tests have run" in output


def test_after_the_first_failure_every_process_ends_and_tears_down(tmp_path: Path) -> None:
    code, output = run_tests(tmp_path, "-x")
    assert code == 1, output
    assert "1 failed" in output
    assert not list(tmp_path.glob("set-up-*"))
