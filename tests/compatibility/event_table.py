"""Write the table of `docs/events.md` that shows who gets each event type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agents import dashboard
from routing.core.event_catalog import EventType
from routing.core.vocabulary import Audience
from routing.sdk import event_payloads
from routing.statistics import cumulative
from tests.server import ROOT

PAGE: Final = ROOT / "docs" / "events.md"
BEGIN: Final = "<!-- begin: written by `make docs` -->\n"
END: Final = "<!-- end: written by `make docs` -->\n"


def written_by_hand() -> str:
    """Return the page without the table."""
    before, _, after = _parts()
    return before + after


def page() -> str:
    """Return the whole page, with a current table."""
    before, _, after = _parts()
    return before + BEGIN + "".join(f"{line}\n" for line in _table()) + END + after


def _parts() -> tuple[str, str, str]:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after


def _table() -> Iterator[str]:
    yield "| event | websockets | router | panels of the desk | worker SDK | counted as |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in EventType:
        groups = ", ".join(group for group in Audience if group in each.spec.audience)
        wakes = "wakes" if each.spec.wakes_router else ""
        panels = ", ".join(sorted(dashboard.PANELS.get(each, ())))
        name, _ = cumulative.COUNTED.get(each, ("", None))
        counted = f"`{name}`" if name else ""
        cells = (f"`{each}`", groups, wakes, panels, _for_the_sdk(each), counted)
        yield "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _for_the_sdk(event_type: EventType) -> str:
    if event_type in event_payloads.PUSHED:
        return "pushed"
    return "reads its lists again" if event_type in event_payloads.OUTDATES_LISTS else ""
