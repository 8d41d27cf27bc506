"""The statements that PostgreSQL prepares say their places as PostgreSQL does."""

from __future__ import annotations

import pytest

from config.postgresql.base import _numbered


@pytest.mark.parametrize(
    ("written", "numbered"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT %s, %s::bigint[]", "SELECT $1, $2::bigint[]"),
        ("name LIKE '%%s' AND id = %s", "name LIKE '%s' AND id = $1"),
    ],
)
def test_places_are_numbered_and_doubled_signs_are_single(written: str, numbered: str) -> None:
    assert _numbered(written) == numbered
