"""The reports by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors.query import Texts
from supervisors.reports import agents, alerts, occupancy, picking, service, staffing, tasks
from supervisors.reports.request import Request
from supervisors.reports.tables import Row, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.

    Arguments:
        about: what it answers, in a sentence.
        dimensions: by what its rows may be grouped; the first is the usual one.
        filters: what it may be limited to.
        build: reads its rows.
        window: the usual one.
        iterate: yields all rows for a file, where a page shows some only.
        is_comparable: whether it can be compared with the same window before.
    """

    name: str
    title: Promise
    about: Promise
    dimensions: Sequence[Texts]
    filters: Texts
    build: Callable[[Request], Table]
    window: str = "today"
    iterate: Callable[[Request], Iterator[Row]] | None = None
    is_comparable: bool = True

    @property
    def has_attributes(self) -> bool:
        """Return whether attributes of tasks may be columns."""
        return ("task",) in self.dimensions

    @property
    def has_intervals(self) -> bool:
        """Return whether rows may be intervals."""
        return any("interval" in by for by in self.dimensions)


REPORTS: Final[Mapping[str, Report]] = {
    report.name: report
    for report in (
        Report(
            name="service",
            title=_("Service"),
            about=_("Did tasks get their answers in time, and how did the others end?"),
            dimensions=service.DIMENSIONS,
            filters=service.FILTERS,
            build=service.build_table,
        ),
        Report(
            name="agents",
            title=_("Agents"),
            about=_("What did agents handle, how long did it take, and when were they there?"),
            dimensions=agents.DIMENSIONS,
            filters=agents.FILTERS,
            build=agents.build_table,
        ),
        Report(
            name="occupancy",
            title=_("Occupancy"),
            about=_("How much of the slots was used?"),
            dimensions=occupancy.DIMENSIONS,
            filters=occupancy.FILTERS,
            build=occupancy.build_table,
        ),
        Report(
            name="staffing",
            title=_("Staffing"),
            about=_("At which hours of the week do tasks come, and how many slots are free then?"),
            dimensions=staffing.DIMENSIONS,
            filters=staffing.FILTERS,
            build=staffing.build_table,
            window="28d",
        ),
        Report(
            name="picking",
            title=_("Picking by hand"),
            about=_("Which tasks do agents grab, and do they pass others over?"),
            dimensions=picking.DIMENSIONS,
            filters=picking.FILTERS,
            build=picking.build_table,
        ),
        Report(
            name="alerts",
            title=_("Alerts"),
            about=_("Which alerts were raised, for how long, and who took care of them?"),
            dimensions=alerts.DIMENSIONS,
            filters=alerts.FILTERS,
            build=alerts.build_table,
            iterate=alerts.iterate_rows,
            is_comparable=False,
        ),
        Report(
            name="tasks",
            title=_("Tasks"),
            about=_("What became of each task that was created in the window?"),
            dimensions=tasks.DIMENSIONS,
            filters=tasks.FILTERS,
            build=tasks.build_table,
            iterate=tasks.iterate_rows,
            is_comparable=False,
        ),
    )
}
