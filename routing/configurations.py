"""Load workflow revisions; each is parsed once per process and cached, up to a total size."""

from __future__ import annotations

from typing import Final

from routing import models
from workflows import configuration
from workflows.caches import SizedCache

_parsed: Final[SizedCache[configuration.Configuration]] = SizedCache(16_000_000)


def load_configuration(revision_id: int) -> configuration.Configuration:
    """Return a revision's configuration; it never changes, and its id is never used again."""
    return _parsed.get(revision_id, lambda: _parse(revision_id))


def load_text(revision_id: int) -> str:
    """Return the text of a revision."""
    rows = models.WorkflowRevision.objects.filter(pk=revision_id)
    return rows.values_list("configuration", flat=True).get()


def _parse(revision_id: int) -> tuple[configuration.Configuration, int]:
    text = load_text(revision_id)
    return configuration.parse_configuration(text), len(text)
