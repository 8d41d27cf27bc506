"""Parse the attributes of rows, and log each unreadable text once.

Actions accept only JSON objects of bounded depth. Rows that were written past the actions must not
stop the router.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from workflows.caches import SizedCache

logger = logging.getLogger(__name__)


_attributes: Final[SizedCache[Mapping[str, Any] | None]] = SizedCache(16_000_000)


def parse_attributes(text: str, *, sid: str) -> Mapping[str, Any] | None:
    """Return attributes, or None when they are not a JSON object.

    Arguments:
        sid: the sid of the row, for the log.
    """
    return _attributes.get((text, sid), lambda: (_parse(text, sid), len(text)))


def _parse(text: str, sid: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        logger.error("unreadable attributes sid=%s: %s", sid, error)
        return None
    if not isinstance(parsed, dict):
        logger.error("unreadable attributes sid=%s: not a JSON object", sid)
        return None
    return parsed
