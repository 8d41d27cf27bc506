"""Read the attributes of a row, or say in the log, once, that they cannot be read.

Actions let nothing but JSON objects of bounded depth in. Whoever writes past them must not be able
to stop the router.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from workflows.caches import SizedCache

logger = logging.getLogger(__name__)


_read: Final[SizedCache[Mapping[str, Any] | None]] = SizedCache(16_000_000)


def read(text: str, *, of: str) -> Mapping[str, Any] | None:
    """Return attributes, or None when they are not a JSON object.

    Arguments:
        of: the sid of the row, for the log.
    """
    return _read.get((text, of), lambda: (_parsed(text, of), len(text)))


def _parsed(text: str, of: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        logger.error("the attributes of %s cannot be read: %s", of, error)
        return None
    if not isinstance(parsed, dict):
        logger.error("the attributes of %s are no JSON object", of)
        return None
    return parsed
