"""CI runs the tests, the linters and exactly one injected fault."""

from __future__ import annotations

import re
from typing import Final

from tests.server import ROOT

CI: Final = (ROOT / ".ci" / "run").read_text()


def test_ci_selects_one_fault_by_its_marker() -> None:
    selected = re.search(r"^make chaos .*ARGS='-m (\w+)'", CI, re.MULTILINE)
    assert selected, ".ci/run selects its fault by a marker, so that a renamed test is still run"
    marked = re.compile(rf"^@pytest\.mark\.{selected[1]}$", re.MULTILINE)
    sources = (path.read_text() for path in (ROOT / "tests" / "chaos").glob("test_*.py"))
    assert sum(len(marked.findall(source)) for source in sources) == 1
