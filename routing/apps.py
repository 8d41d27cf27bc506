"""Tell Django about the routing app: the domain's tables, actions and doors."""

from __future__ import annotations

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """The engine and the domain."""

    name = "routing"
    default_auto_field = "django.db.models.BigAutoField"
