"""Statistics beside the number of rows: real-time figures must not follow the backlog.

On SQLite, and on PostgreSQL if it is installed; with the cost of counting for writers.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.conftest import Table
from tests.benchmarks.statistics_cost import SIZES, Figures, measure_all
from tests.races.runner import run_program

pytestmark = pytest.mark.bench


def show(table: Table, vendor: str, figures: Figures) -> None:
    """Add what was measured to the table."""
    small, large = SIZES
    for name in ("a workspace's", "a queue's", "20 queues'"):
        few, many = (figures[f"{name} at {size}"] for size in (small, large))
        table.add(
            f"{vendor}: {name} real-time figures, 500k pending beside 5k (bar: 1.2)",
            f"{few:.1f} → {many:.1f} ms",
            f"{many / few:.2f}x",
            many / few <= 1.2,
        )
    for act in ("insert", "update", "update of one"):
        with_, without = (figures[f"{act}, {name}"] for name in ("counted", "not counted"))
        what = "1 task" if act == "update of one" else "500 tasks"
        table.add(
            f"{vendor}: {act.partition(' ')[0]} of {what}, not counted → counted",
            f"{without:.2f} → {with_:.2f} ms",
            f"{with_ / without:.2f}x",
        )
    few, many = (figures[name] for name in figures if name.startswith("past at"))
    table.add(
        f"{vendor}: 15 minutes of events beside ten times as many older ones",
        f"{few:.1f} → {many:.1f} ms",
        f"{many / few:.2f}x",
    )


@pytest.mark.django_db(transaction=True)
def test_real_time_figures_cost_the_same_for_any_backlog(table: Table) -> None:
    show(table, "SQLite", measure_all())


@pytest.mark.postgres
def test_real_time_figures_cost_the_same_for_any_backlog_on_postgresql(
    table: Table, postgres_url: str
) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}
    figures = run_program(postgres_url, "tests.benchmarks.statistics_cost", **settings)
    show(table, "PostgreSQL", figures)
