"""The app of the agent's desk."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """What an agent sees and does; it has no tables of its own."""

    name = "agents"
    verbose_name = "Agent's desk"
