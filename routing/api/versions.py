"""Read `If-Match` and write `ETag` for the versions of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from routing.actions.support.errors import StaleState


def expected(row: Any, if_match: str) -> int | None:
    """Return the version that a change requires, if the client named one.

    Raises `StaleState` if the row has none of the named versions.
    """
    named = if_match.strip()
    if not named or named == "*" or not hasattr(row, "version"):
        return None
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in named.split(",")}
    if str(row.version) not in tags and "*" not in tags:
        raise StaleState(
            f"If-Match is {named[:60]}, but {row.sid} has the version {row.version}: read it"
            " again before you change it"
        )
    return int(row.version)


def of_page(rows: Sequence[Any]) -> dict[str, str] | None:
    """Return the ETag of a page whose rows have versions: a digest of those."""
    if not rows or not hasattr(rows[0], "version"):
        return None
    versions = " ".join(f"{row.sid}:{row.version}" for row in rows)
    return {"ETag": f'"{hashlib.sha256(versions.encode()).hexdigest()[:32]}"'}
