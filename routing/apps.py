"""Django configuration of the routing app: the domain's tables, actions and doors."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutingConfig(AppConfig):
    """The engine and the domain."""

    name = "routing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the handlers that a database needs after a migration or a restore."""
        from routing import housekeeping
        from routing.statistics import counting

        post_migrate.connect(counting.install_triggers, sender=self)
        post_migrate.connect(housekeeping.place_restored_events, sender=self)
