"""Durations as the cockpit shows them; its script does the same on the server's clock."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _


def format_duration(seconds: float) -> str:
    """Return a duration: 48 s, 12:45, 3:05 h, 2 d 4 h."""
    whole = max(int(seconds), 0)
    minutes, hours = whole // 60, whole // 3600
    if hours >= 24:
        return _("%(days)s d %(hours)s h") % {"days": hours // 24, "hours": hours % 24}
    if hours:
        return _("%(hours)s:%(minutes)s h") % {"hours": hours, "minutes": f"{minutes % 60:02}"}
    if minutes:
        return f"{minutes}:{whole % 60:02}"
    return _("%(seconds)s s") % {"seconds": whole}


_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?")


def isolate_date(text: str) -> str:
    """Return a text in which a date keeps its order after Arabic letters.

    Without the isolating characters, 2026-12-31 would be shown as 31-12-2026 there.
    """
    return _DATE.sub("\u2066\\g<0>\u2069", text) if get_language_bidi() else text
