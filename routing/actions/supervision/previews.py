"""Find out what a command would do to rows, by running it and rolling each row back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from routing import models
from routing.actions.supervision.batch_rows import CHANGED
from routing.actions.supervision.batches import Subject
from routing.actions.supervision.commands import Gone, Order, Unchanged
from routing.actions.supervision.registry import COMMANDS
from routing.actions.support.errors import ActionError, StaleState
from routing.actors import Actor
from routing.core.vocabulary import RowOutcome

MOST_ROWS: Final = 99
"""Rows that a preview looks at."""
MOST_SECONDS: Final = 1.0
"""Time after which a preview looks at no further row."""
MOST_REASONS: Final = 5


@dataclass(slots=True)
class Preview:
    """What would become of the rows: how many of each outcome, and why some are refused."""

    looked_at: int = 0
    outcomes: Counter[RowOutcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def preview_batch(
    *,
    workspace: models.Workspace,
    command: str,
    arguments: Mapping[str, Any],
    subjects: Sequence[Subject],
    actor: Actor,
) -> Preview:
    """Return what a command would do now; nothing is changed, and each row is locked briefly."""
    found = Preview()
    end = time.monotonic() + MOST_SECONDS
    for subject in subjects[:MOST_ROWS]:
        order = Order(
            workspace=workspace,
            sid=subject.sid,
            arguments=arguments,
            actor=actor,
            now=timezone.now(),
            version=subject.version,
        )
        outcome, reason = _try(command, order)
        found.looked_at += 1
        found.outcomes[outcome] += 1
        if reason:
            found.reasons[reason] += 1
        if time.monotonic() > end:
            break
    return found


def _try(command: str, order: Order) -> tuple[RowOutcome, str]:
    try:
        with transaction.atomic():
            COMMANDS[command].run(order)
            transaction.set_rollback(True)
    except Unchanged:
        return RowOutcome.SAME, ""
    except Gone:
        return RowOutcome.GONE, ""
    except (StaleState, IntegrityError):
        return RowOutcome.REFUSED, CHANGED
    except ActionError as error:
        return RowOutcome.REFUSED, error.message
    return RowOutcome.DONE, ""
