"""The app of the supervisor's cockpit."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupervisorsConfig(AppConfig):
    """The cockpit; it has no tables of its own."""

    name = "supervisors"
    verbose_name = _("Supervisor's cockpit")
