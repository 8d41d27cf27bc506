"""Run all tests, as `make test` does: `python -m tests [arguments of pytest]`.

They run in two pytests side by side. One has everything but the browser tests, in several
processes, as many tests wait most of the time; those of one file stay in one process and share what
they have started. The other drives a browser: Playwright's event loop and
Django's guard against blocking calls do not go together in one process. The last line counts both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

NOTHING_COLLECTED = 5
PROCESSES = str(1 + max(2, min(os.cpu_count() or 1, 4)))
"""One more than cores, as tests of servers mostly wait."""
MOST = ("-m", "not browser and not bench and not chaos")
BROWSER = ("-m", "browser and not bench")
FAST = ("-m", "not system and not postgres and not browser and not bench and not chaos")
SIDE_BY_SIDE = ("-p", "tests.forks", "--forks", PROCESSES) if sys.platform == "linux" else ()
"""Elsewhere system libraries do not survive a fork."""


def main(arguments: list[str]) -> int:
    """Run the tests, print what they counted together, and return the exit code of the whole.

    With `--fast` first, only those run that need no server process, no browser and no PostgreSQL.
    """
    # A run starts some 150 programs, and each would otherwise compile all modules.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if arguments[:1] == ["--fast"]:
        runs: list[tuple[str, ...]] = [(*FAST, *SIDE_BY_SIDE, *arguments[1:])]
    elif arguments:
        # A few tests finish sooner in one process.
        runs = [(*MOST, *arguments), (*BROWSER, *arguments)]
    else:
        runs = [(*MOST, *SIDE_BY_SIDE), (*BROWSER, "tests/browser")]
    total: Counter[str] = Counter()
    codes = []
    with tempfile.TemporaryDirectory(prefix="cordboard-count-") as directory:
        for code, report, said in run_together(runs, Path(directory)):
            sys.stdout.write(said)
            codes.append(code)
            total += count(report)
    passed, failed, skipped = total["passed"], total["failed"], total["skipped"]
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)  # noqa: T201 - a command's voice
    return exit_code(codes, passed=passed, failed=failed)


def run_together(runs: list[tuple[str, ...]], directory: Path) -> list[tuple[int, Path, str]]:
    """Run pytests side by side; return the exit code, the report and the unseen output of each.

    The first prints as it goes; what the others print comes after it.
    """
    started = []
    for number, arguments in enumerate(runs):
        report, output = directory / f"{number}.xml", directory / f"{number}.out"
        command = [sys.executable, "-m", "pytest", "-rs", f"--junit-xml={report}", *arguments]
        with open(output, "w") as file:
            sink = file if number else None
            started.append((subprocess.Popen(command, stdout=sink), report, output))
    return [(process.wait(), report, output.read_text()) for process, report, output in started]


def count(report: Path) -> Counter[str]:
    """Return how many tests passed, failed and were skipped; none when there is no report."""
    if not report.exists():
        return Counter()
    total: Counter[str] = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - our own
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        passed = int(suite.get("tests", 0)) - failed - skipped
        total += Counter(passed=passed, failed=failed, skipped=skipped)
    return total


def exit_code(codes: list[int], *, passed: int, failed: int) -> int:
    """Return 0 only if something ran and all that ran passed."""
    wrong = [code for code in codes if code not in (0, NOTHING_COLLECTED)]
    if wrong:
        return wrong[0]
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
