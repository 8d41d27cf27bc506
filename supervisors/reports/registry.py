"""The reports by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors.query import Texts
from supervisors.reports import service
from supervisors.reports.request import Request
from supervisors.reports.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report.

    Arguments:
        about: what it answers, in a sentence.
        dimensions: by what its rows may be grouped; the first is the usual one.
        filters: what it may be limited to.
        build: reads its rows.
    """

    name: str
    title: Promise
    about: Promise
    dimensions: Sequence[Texts]
    filters: Texts
    build: Callable[[Request], Table]


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
    )
}
