"""Play contests about a new channel: `python -m tests.races.opening`, with the report as JSON.

A worker comes or goes at the moment at which the channel is created, in both orders.
"""

from __future__ import annotations

import json
from typing import Any

from tests.races import handing_on  # isort: skip - it sets Django up

from django.core.management import call_command

from routing.actions import task_channels, workers
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW
from tests.races.hall import Contest, Hall

ACTIVITIES = {"goes": ("Available", "Unavailable"), "comes": ("Unavailable", "Available")}


def moving_as_a_channel_opens(from_: str, to: str) -> Contest:
    """Bob changes his activity while the channel *post* is made for everybody."""
    hall = Hall()
    there, then = (factories.activity(hall.floor, name) for name in (from_, to))
    bob = workers.set_activity(worker=hall.bob, activity=there, actor=SYSTEM, now=NOW)
    opened = {"workspace": hall.floor, "friendly_name": "Post", "unique_name": "post", "now": NOW}
    moved = {"worker": bob, "activity": then, "now": NOW}
    return hall.contest(
        bob, move=(workers.set_activity, moved), open=(task_channels.create_task_channel, opened)
    )


def play(names: tuple[str, str], order: list[str]) -> dict[str, Any]:
    contest = moving_as_a_channel_opens(*names)
    played = handing_on.play(contest, order)
    post = contest.floor.task_channels.get(unique_name="post")
    bob = post.worker_channels.get(worker__friendly_name="Bob")
    return played | {"available": bob.worker_available}


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report = {
        title: {order[0]: play(names, order) for order in (["move", "open"], ["open", "move"])}
        for title, names in ACTIVITIES.items()
    }
    print(json.dumps(report))  # noqa: T201 - the report is the output
