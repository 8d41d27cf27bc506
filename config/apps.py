"""Make the package an installed app, so that its commands and jobs are found."""

from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The app of the project itself."""

    name = "config"
    verbose_name = "Cordboard"

    def ready(self) -> None:
        """Register the checks of the settings."""
        from config import checks  # noqa: F401 - registers what it holds
