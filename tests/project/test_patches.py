"""Overrides of other packages' internals are listed, and their packages pinned exactly."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATCHES = ROOT / "config" / "patches"
ROWS = re.findall(
    r"^\| `([\w/.]+)` \| ([\w-]+) ([\d.]+) \|.*\| `(tests/[\w/.]+)` \|$",
    (PATCHES / "README.md").read_text(),
    re.MULTILINE,
)
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def test_each_override_is_listed_in_the_readme() -> None:
    modules = {
        str(path.relative_to(PATCHES))
        for path in PATCHES.rglob("*.py")
        if path.name != "__init__.py"
    }
    assert modules == {module for module, *_ in ROWS}


@pytest.mark.parametrize(("module", "package", "pin", "test"), ROWS)
def test_the_package_of_an_override_is_pinned(
    module: str, package: str, pin: str, test: str
) -> None:
    (wanted,) = [each for each in DEPENDENCIES if re.match(rf"{package}(\[|=|~)", each)]
    assert re.sub(r"\[.*\]", "", wanted) in (f"{package}=={pin}", f"{package}~={pin}.8")
    assert version(package) == pin or version(package).startswith(f"{pin}.")


@pytest.mark.parametrize(("module", "package", "pin", "test"), ROWS)
def test_the_test_of_an_override_exists(module: str, package: str, pin: str, test: str) -> None:
    assert (ROOT / test).exists()
