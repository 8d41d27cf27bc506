"""Files for the browser: vendored files as listed, nothing from other hosts, nothing inline."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from agents import cards, commands, consumers, dashboard
from config.environment import BASE_DIR
from routing.core.vocabulary import Refusal

VENDOR = BASE_DIR / "static" / "vendor"
TEMPLATES = sorted((BASE_DIR / "templates").rglob("*.html"))
OURS = [
    path
    for path in sorted((BASE_DIR / "static").rglob("*"))
    if path.suffix in {".js", ".css"} and VENDOR not in path.parents
]


def test_the_manifest_lists_every_vendored_file_as_it_is() -> None:
    packages = json.loads((VENDOR / "manifest.json").read_text())
    noted = {name: file["sha256"] for one in packages for name, file in one["files"].items()}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.iterdir()
        if path.name not in {"manifest.json", "fetch"}
    }
    assert found == noted
    for package in packages:
        assert all(package[key] for key in ("name", "version", "licence", "integrity"))
        assert any("LICENSE" in name for name in package["files"])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_own_files_fetch_nothing_from_elsewhere(path: Path) -> None:
    assert "//" not in re.sub(r"^\s*//.*$|/\*.*?\*/", "", path.read_text(), flags=re.M | re.S)


def test_every_icon_that_templates_and_channels_name_is_drawn() -> None:
    drawn = set(re.findall(r'symbol id="(\w+)"', (VENDOR.parent / "shared/icons.svg").read_text()))
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'icon(?:.html" with name=| )"(\w+)"', path.read_text())
    }
    assert named | cards.ICONS <= drawn


def test_the_websocket_page_names_every_command_panel_and_close_code() -> None:
    text = (BASE_DIR / "docs" / "websocket.md").read_text()
    codes = (consumers.LOGGED_OUT, consumers.NO_DESK, consumers.FLOODING)
    grabs = set(Refusal) - {Refusal.KEPT_FOR_MANUAL, Refusal.RECENTLY_REJECTED}
    for word in (*commands.COMMANDS, consumers.PING, *dashboard.Panel, *grabs, *map(str, codes)):
        assert word in text


PHYSICAL = re.compile(
    r"(?:^|[{;\s])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)\b"
    r"|border-(?:top|bottom)-(?:left|right)-radius|(?:left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b)"
)
FOUR_SIDES = re.compile(r"\b(margin|padding|inset|border-width|border-radius):([^;{}]+);")


def words_of(value: str) -> list[str]:
    """Return the parts of a value; those of functions stay together."""
    while (flat := re.sub(r"\(([^() ]*) ([^()]*)\)", r"(\1\2)", value)) != value:
        value = flat
    return value.replace("!important", "").split()


@pytest.mark.parametrize(
    "path", [path for path in OURS if path.suffix == ".css"], ids=lambda path: path.name
)
def test_a_style_sheet_names_no_physical_side(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    assert not PHYSICAL.findall(text)
    for name, value in FOUR_SIDES.findall(text):
        parts = words_of(value)
        if len(parts) == 4:
            pairs = [(0, 1), (2, 3)] if name == "border-radius" else [(1, 3)]
            assert all(parts[a] == parts[b] for a, b in pairs), f"{name}:{value}"


@pytest.mark.parametrize(
    ("style", "is_physical"),
    [
        ("a { margin-left: 0 }", True),
        ("a{left:0}", True),
        ("a { text-align: right; }", True),
        ("a { border-top-left-radius: 0 }", True),
        ("a { margin-inline-start: 0 }", False),
        ("a { stroke: var(--left, 1) }", False),
        ("a { text-align: start; }", False),
    ],
)
def test_the_check_of_sides_knows_physical_ones(style: str, is_physical: bool) -> None:
    assert bool(PHYSICAL.search(style)) == is_physical
