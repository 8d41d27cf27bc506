"""Durations as the cockpit shows them; its script does the same on the server's clock."""

from __future__ import annotations

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
