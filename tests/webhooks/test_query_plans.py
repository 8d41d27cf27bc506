"""Due deliveries are found by an index, however many there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models, sids
from routing.db import bulk_insert
from routing.webhook_delivery import event_deliveries
from tests.factories import NOW

MANY = 20_000


@pytest.fixture
def backlog(db: None) -> str:
    """Return the sid of a workspace with many deliveries, beside one without any due."""
    first, other = sids.new_sid("WS"), sids.new_sid("WS")
    rows = [
        models.CallbackDelivery(
            event_id=number,
            workspace_sid=first if number % 2 else other,
            order_key=number // 10,
            status="pending" if number % 2 and number > MANY // 2 else "delivered",
            date_created=NOW,
            date_due=NOW,
        )
        for number in range(MANY)
    ]
    bulk_insert.insert(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return first


def plan(captured: CaptureQueriesContext) -> str:
    """Return the query plan of the last query."""
    sql = captured.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        words = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{words} {sql}")
        return "\n".join(" ".join(str(each) for each in row) for row in cursor.fetchall())


def test_the_heads_are_found_by_indexes_alone(backlog: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = event_deliveries.load_next_deliveries(backlog, NOW)
    assert len(found) == 8
    assert len({each.order_key for each in found}) == 8
    used = plan(captured)
    assert "callback_deliveries_due" in used
    assert "callback_deliveries_in_order" in used
    assert "TEMP B-TREE" not in used
    assert "Seq Scan" not in used


def test_the_sweep_reads_receivers_and_not_their_deliveries(backlog: str) -> None:
    models.CallbackReceiver.objects.create(sid=backlog, url="https://example.com/")
    with CaptureQueriesContext(connection) as captured:
        assert event_deliveries.list_due_workspaces(NOW) == [backlog]
    assert "SCAN callback_deliveries" not in plan(captured).replace(
        "SCAN U0", "SCAN callback_deliveries"
    )
