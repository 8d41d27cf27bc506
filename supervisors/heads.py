"""The heads of tables: which columns are shown, and the queries that sort by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from supervisors.panel import Scene


class Titled(Protocol):
    """A column."""

    @property
    def title(self) -> Any:
        """Return what its head says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A column's head, with the query that sorts by it; `direction` as `aria-sort` has it.

    A column by which rows cannot be sorted has no query. `note` is the key of its figure's note.
    """

    name: str
    title: Any
    query: str
    direction: str
    is_number: bool = True
    note: str = ""


def list_choices(
    scene: Scene, columns: Mapping[str, Titled], shown: Iterable[str]
) -> list[dict[str, Any]]:
    """Return for each column the query that adds it, or takes it away."""
    chosen = list(shown)
    found = []
    for name, column in columns.items():
        wanted = [each for each in chosen if each != name] if name in chosen else [*chosen, name]
        ordered = tuple(each for each in columns if each in wanted)
        link = scene.view.link(show=ordered)
        found.append({"title": column.title, "query": link, "current": name in chosen})
    return found
