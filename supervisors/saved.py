"""Saved views of a supervisor: the parameter `view` names one, and the menu lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from django.urls import reverse
from django.utils.http import urlencode

from routing import models
from routing.actions.saved_views import MOST_OWN, MOST_SHARED
from supervisors.access import Supervisor
from supervisors.query import Fault, View

PAGES: Final = ("now", "queues", "agents", "tasks")
"""The pages whose view can be saved."""

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLink:
    """A saved view as the menu shows it."""

    id: int
    name: str
    address: str
    is_shared: bool
    saved_by: str


def expand_query(query: Query, supervisor: Supervisor) -> tuple[Query, list[Fault]]:
    """Return a query with what its saved view stands for, and what is ignored.

    Parameters beside `view` win. Of two views of one name, the user's own is meant.
    """
    slug = next(iter(query.get("view", ())), "").strip()
    if not slug:
        return query, []
    rows = models.SavedView.objects.visible(supervisor.workspace, supervisor.user)
    found = sorted(rows.filter(slug=slug[:64]), key=lambda row: row.owner_id is None)
    if not found:
        return query, [Fault(parameter="view", value=slug[:60], code="view")]
    return {**parse_qs(found[0].query), **query}, []


def list_saved(supervisor: Supervisor) -> list[SavedLink]:
    """Return the views that a supervisor sees, by name."""
    rows = models.SavedView.objects.visible(supervisor.workspace, supervisor.user)
    return [
        SavedLink(
            id=row.pk,
            name=row.name,
            address=build_address(row),
            is_shared=row.owner_id is None,
            saved_by=row.saved_by,
        )
        for row in rows.select_related("workspace").order_by("name", "pk")[: MOST_OWN + MOST_SHARED]
        if row.page in PAGES
    ]


def build_address(row: models.SavedView) -> str:
    """Return the address of a saved view."""
    query = urlencode({"workspace": row.workspace.sid, "view": row.slug})
    return f"{reverse(f'supervisors:{row.page}')}?{query}"


def write_query(view: View) -> str:
    """Return what of a view is saved: not the workspace, nor the place among the pages."""
    return view.change(workspace="").canonical
