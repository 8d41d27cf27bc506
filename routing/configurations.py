"""Read workflow revisions: each is parsed once per process and kept."""

from __future__ import annotations

import functools

from routing import models
from workflows import configuration


@functools.lru_cache(maxsize=1024)
def _parsed(revision_id: int) -> configuration.Configuration:
    text = (
        models.WorkflowRevision.objects.filter(pk=revision_id)
        .values_list("configuration", flat=True)
        .get()
    )
    return configuration.parse(text)


def of(revision_id: int) -> configuration.Configuration:
    """Return a revision's configuration, which never changes, nor is its id ever used again."""
    return _parsed(revision_id)
