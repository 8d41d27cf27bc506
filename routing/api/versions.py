"""Read and write the versions of rows: `If-Match` in all its spellings, and `ETag`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from routing.actions.errors import StaleState


def expected(row: Any, if_match: str) -> int | None:
    """Return the version that a change of a row must find, if the client named one.

    Raises `StaleState` when the row, as it was found, has none of the versions named.
    """
    named = if_match.strip()
    if not named or named == "*" or not hasattr(row, "version"):
        return None
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in named.split(",")}
    if str(row.version) not in tags and "*" not in tags:
        raise StaleState(
            f"If-Match is {named[:60]}, but {row.sid} has the version {row.version}: read it"
            " again and decide anew"
        )
    return int(row.version)


def of_page(rows: Sequence[Any]) -> dict[str, str] | None:
    """Return the ETag of a page whose rows have versions: a digest of those."""
    if not rows or not hasattr(rows[0], "version"):
        return None
    versions = " ".join(f"{row.sid}:{row.version}" for row in rows)
    return {"ETag": f'"{hashlib.sha256(versions.encode()).hexdigest()[:32]}"'}
