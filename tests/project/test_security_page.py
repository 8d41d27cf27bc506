"""The page about security states the bounds that the code has."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final

import pytest

from config import settings
from tests.server import ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text()
ROWS: Final = re.findall(r"^\| .+ \| ([0-9.]+).* \| (setting )?`([\w.]+)` \|$", PAGE, re.MULTILINE)
BY_ENVIRONMENT: Final = {"WEB_THREADS"}
"""Settings that are read where they are used."""


def test_the_security_page_lists_bounds() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize(("bound", "is_setting", "name"), ROWS)
def test_each_listed_bound_equals_that_of_the_code(bound: str, is_setting: str, name: str) -> None:
    if name in BY_ENVIRONMENT:
        assert f'"{name}", {bound}' in (ROOT / "config" / "patches" / "asgi_handler.py").read_text()
        return
    module, _, constant = name.rpartition(".")
    found = getattr(settings if is_setting else import_module(module), constant)
    if constant == "HASHES_AT_ONCE":
        assert found in (1, 2)
    else:
        assert float(bound) == found
