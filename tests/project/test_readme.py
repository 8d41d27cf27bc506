"""The README names every setting and leads to every page, and every reference resolves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.server import ROOT

README: Final = (ROOT / "README.md").read_text()
PAGES: Final = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "docs").rglob("*.md"),
)
OF_OTHER_USE: Final = {
    "DEBUG": "development alone",
    "STATIC_MANIFEST": "set by the image",
    "STATIC_ROOT": "set by the image",
}
"""Settings that users do not choose, and why."""


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def references(pattern: str) -> dict[str, list[str]]:
    """Return what the Python files cite by a pattern, and the files that do."""
    found: dict[str, list[str]] = {}
    for folder in ("config", "agents", "supervisors", "routing", "workflows", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for reference in re.findall(pattern, path.read_text()):
                found.setdefault(reference, []).append(str(path.relative_to(ROOT)))
    return found


def test_every_setting_is_explained() -> None:
    readers = r"env\.\w+|parse_\w+|trusted_proxies"
    read = rf"(?:{readers})\(\s*\"([A-Z_]+)\""
    files = [
        path
        for name in ("config", "routing", "agents", "supervisors")
        for path in ROOT.glob(f"{name}/**/*.py")
    ]
    settings = {name for path in files for name in re.findall(read, path.read_text())}
    assert {"RATE_LIMIT", "CALLBACK_ALLOW_PRIVATE", "TASK_RETENTION_DAYS"} <= settings
    assert not {name for name in settings if f"`{name}`" not in README} - set(OF_OTHER_USE)


def test_every_link_resolves() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_link_to_a_heading_resolves() -> None:
    for page in PAGES:
        for link, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
            target = (page.parent / link) if link else page
            assert heading in headings(target), f"{page.name}: {link}#{heading}"


def test_the_readme_links_to_every_page() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert {"docs/glossary.md", "docs/behaviour.md"} <= pages
    assert not {page for page in pages | {"CONTRIBUTING.md"} if f"({page}" not in README}


def test_every_section_of_behaviour_md_that_the_code_cites_exists() -> None:
    text = (ROOT / "docs" / "behaviour.md").read_text()
    sections = re.findall(r"^#+ ([\d.]+\d) ", text, re.MULTILINE)
    assert len(sections) == len(set(sections))
    cited = references(r"behaviour\.md[ ,]*§\s*([\d.]*\d)")
    assert {"4.2", "9.1"} <= cited.keys()
    assert not {section: cited[section] for section in cited.keys() - set(sections)}


def test_every_page_and_decision_that_the_code_cites_exists() -> None:
    pages = references(r"(?<![\w/])(docs/[\w/-]+\.\w+)")
    assert "docs/websocket.md" in pages
    assert not {page: places for page, places in pages.items() if not (ROOT / page).exists()}
    decisions = {path.name[:4] for path in (ROOT / "docs" / "adr").glob("*.md")}
    cited = references(r"(?i)\badr[ /-]*(\d{4})")
    assert not {number: cited[number] for number in cited.keys() - decisions}


def test_the_pages_for_contributors_name_existing_files() -> None:
    for page in ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md"):
        for name in re.findall(r"`((?:\w+/)+[\w.]*)`", (ROOT / page).read_text()):
            assert (ROOT / name).exists(), f"{page}: {name}"
    for name in re.findall(r"`((?:config|routing|agents|workflows|tests)/[\w./]*)`", README):
        assert (ROOT / name).exists(), f"README.md: {name}"
