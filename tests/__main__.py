"""Run all tests, as `make test` does: `python -m tests [what pytest takes]`.

Those that drive a browser run in a pytest of their own, as their event loop and Django's guard
against blocking calls do not go together. The last line counts both runs.

All of them run in several processes, as many wait most of the time: for a system to start, or for
what is due. Those of one file stay together, as they share what they have started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

RUNS = ("not browser and not bench", "browser and not bench")
NOTHING_COLLECTED = 5
PROCESSES = str(max(2, min(os.cpu_count() or 1, 4)))
SIDE_BY_SIDE = ("-n", PROCESSES, "--dist", "loadfile", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    """Run both, print what they counted together, and return the exit code of the whole."""
    total: Counter[str] = Counter()
    codes = []
    # Some few are over sooner in one process.
    several = [] if arguments else SIDE_BY_SIDE
    with tempfile.TemporaryDirectory(prefix="cordboard-count-") as directory:
        for number, markers in enumerate(RUNS):
            report = Path(directory) / f"{number}.xml"
            command = [sys.executable, "-m", "pytest", "-rs", "-m", markers]
            codes.append(subprocess.call([*command, f"--junit-xml={report}", *several, *arguments]))
            total += count(report)
    passed, failed, skipped = total["passed"], total["failed"], total["skipped"]
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)  # noqa: T201 - a command's voice
    return exit_code(codes, passed=passed, failed=failed)


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
