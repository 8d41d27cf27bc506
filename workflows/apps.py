"""Register the workflow language with Django; it has no tables of its own."""

from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """The app of the workflow language."""

    name = "workflows"
