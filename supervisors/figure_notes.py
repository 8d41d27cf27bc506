"""What each figure of the cockpit counts, in a sentence; docs/supervisors.md says more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from supervisors import task_figures, worker_figures
from supervisors.figure_note import FigureNote

NOTES: Final[Mapping[str, FigureNote]] = {
    note.key: note for note in (*task_figures.NOTES, *worker_figures.NOTES)
}
"""The figures by key."""
