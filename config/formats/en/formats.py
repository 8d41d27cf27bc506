"""Date formats to the second, sortable, with the name of the time zone."""

from __future__ import annotations

DATETIME_FORMAT = "Y-m-d H:i:s T"
