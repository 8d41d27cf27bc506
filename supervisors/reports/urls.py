"""URLs of reports: each has a page, which is JSON for programs, and a file."""

from __future__ import annotations

from django.urls import path

from supervisors.reports import cell_views, views
from supervisors.reports.registry import REPORTS

urlpatterns = [
    path("reports", views.show_first, name="reports"),
    path("reports/cell", cell_views.show_cell, name="report_cell"),
    path("reports/cell.csv", cell_views.show_cell_file, name="report_cell_csv"),
]
for _name in REPORTS:
    _given = {"name": _name}
    urlpatterns += [
        path(f"reports/{_name}", views.show_report, _given, name=f"report_{_name}"),
        path(f"reports/{_name}.csv", views.show_file, _given, name=f"report_{_name}_csv"),
    ]
