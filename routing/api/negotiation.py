"""Choose in which form to answer: there is one."""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysJson(BaseContentNegotiation):
    """Answers in JSON whatever a client says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        """Leave bodies to `routing.api.parsers`."""

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer that there is."""
        return renderers[0], renderers[0].media_type or ""
