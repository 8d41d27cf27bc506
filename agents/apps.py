"""The app of the agents' desk."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """The agents' desk; it has no tables of its own."""

    name = "agents"
    verbose_name = "Agent's desk"
