"""The locks: each package is pinned and checked, and no place of download is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+( ; .+)?")


def pins(lock: Path) -> dict[str, list[str]]:
    """Return what a lock pins, each with its hashes."""
    found: dict[str, list[str]] = {}
    for line in lock.read_text().splitlines():
        text = line.strip().removesuffix("\\").strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("--hash="):
            found[list(found)[-1]].append(text.removeprefix("--hash="))
        else:
            found[text] = []
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_line_of_a_lock_pins_one_version_with_its_hashes(lock: Path) -> None:
    for pin, hashes in pins(lock).items():
        assert PIN.fullmatch(pin), pin
        assert hashes, pin
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", value) for value in hashes), pin


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_lock_names_a_download_address(lock: Path) -> None:
    assert "://" not in lock.read_text()


def test_an_environment_for_the_tests_also_runs() -> None:
    runtime, dev = (pins(ROOT / "requirements" / f"{kind}.txt") for kind in ("runtime", "dev"))
    assert runtime.items() <= dev.items()
