"""Every door has decided about every event type: it shows the type, or it says that it does not."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import Final

import pytest

from agents import dashboard
from routing.core.event_catalog import EventType
from routing.sdk import event_payloads
from routing.statistics import cumulative

Tables = dict[str, Collection[EventType]]
DOORS: Final[dict[str, Tables]] = {
    "agents/dashboard.py": {
        "PANELS": dashboard.PANELS,
        "NOT_SHOWN": dashboard.NOT_SHOWN,
    },
    "routing/sdk/event_payloads.py": {
        "PUSHED": event_payloads.PUSHED,
        "OUTDATES_LISTS": event_payloads.OUTDATES_LISTS,
        "NOT_PUSHED": event_payloads.NOT_PUSHED,
    },
    "routing/statistics/cumulative.py": {
        "COUNTED": cumulative.COUNTED,
        "ENDS_STAY": cumulative.ENDS_STAY,
        "NOT_COUNTED": cumulative.NOT_COUNTED,
    },
}
"""The module of each door, and its tables of event types."""


@pytest.mark.parametrize("module", DOORS)
def test_every_event_type_is_in_a_table_of_every_door(module: str) -> None:
    tables = DOORS[module]
    forgotten = set(EventType).difference(*tables.values())
    assert not forgotten, (
        f"{module} forgets {', '.join(sorted(forgotten))}: add it to {' or to '.join(tables)}"
    )


@pytest.mark.parametrize("module", DOORS)
def test_no_event_type_is_in_two_tables_of_a_door(module: str) -> None:
    for (name, table), (other_name, other) in combinations(DOORS[module].items(), 2):
        assert not set(table) & set(other), f"both in {name} and in {other_name} of {module}"
