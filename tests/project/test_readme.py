"""The README names every setting that there is, and the guides that it leads to are there."""

from __future__ import annotations

import re
from typing import Final

from tests.running import ROOT

README: Final = (ROOT / "README.md").read_text()
OF_OTHER_USE: Final = {
    "DEBUG": "development alone",
    "STATIC_MANIFEST": "set by the image",
    "STATIC_ROOT": "set by the image",
}
"""Settings that are nobody's to choose, and why."""


def test_every_setting_is_explained() -> None:
    readers = r"env\.\w+|optional_seconds|rate_limit|origins|networks|trusted_proxies|seconds"
    read = rf"(?:{readers})\(\s*\"([A-Z_]+)\""
    files = [
        path for name in ("config", "routing", "agents") for path in ROOT.glob(f"{name}/**/*.py")
    ]
    settings = {name for path in files for name in re.findall(read, path.read_text())}
    assert {"RATE_LIMIT", "CALLBACK_ALLOW_PRIVATE", "TASK_RETENTION_DAYS"} <= settings
    assert not {name for name in settings if f"`{name}`" not in README} - set(OF_OTHER_USE)


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
