"""Workers of the world in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.core import snapshot
from tests.worlds.core_tasks import CHANNELS


def new_worker(
    number: int,
    name: str,
    capacity: Mapping[str, int],
    *,
    available: bool,
    attributes: Mapping[str, Any],
) -> snapshot.Worker:
    """Return an idle worker, with a capacity of 1 by default."""
    return snapshot.Worker(
        id=number,
        sid=f"WK{number:032x}",
        friendly_name=name,
        activity_sid="WA" + "0" * 32,
        activity_name="Available" if available else "Unavailable",
        available=available,
        attributes=attributes,
        channels={
            CHANNELS.index(channel): snapshot.WorkerChannel(
                task_channel_id=CHANNELS.index(channel),
                unique_name=channel,
                configured_capacity=capacity.get(channel, 1),
            )
            for channel in CHANNELS
        },
    )
