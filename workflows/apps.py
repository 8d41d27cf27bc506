"""Register the language of workflows with Django; it has no tables of its own."""

from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Name the application."""

    name = "workflows"
