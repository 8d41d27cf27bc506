"""Create a task channel while a worker changes activity, in both orders; print a report as JSON.

`python -m tests.races.channel_contests`; see `runner`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.races import transfer_contests  # isort: skip - it sets Django up

from django.core.management import call_command

from routing.actions import task_channels, workers
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW
from tests.races.contest import Contest, TransferSetup

ACTIVITIES = {"goes": ("Available", "Unavailable"), "comes": ("Unavailable", "Available")}


def move_while_channel_is_created(from_: str, to: str) -> Contest:
    """Bob changes his activity while the channel *post* is created for all workers."""
    setup = TransferSetup()
    there, then = (factories.activity(setup.floor, name) for name in (from_, to))
    bob = workers.set_activity(worker=setup.bob, activity=there, actor=SYSTEM, now=NOW)
    opened = {"workspace": setup.floor, "friendly_name": "Post", "unique_name": "post", "now": NOW}
    moved = {"worker": bob, "activity": then, "now": NOW}
    return setup.contest(
        bob, move=(workers.set_activity, moved), open=(task_channels.create_task_channel, opened)
    )


def run_channel_contest(names: tuple[str, str], order: list[str]) -> dict[str, Any]:
    contest = move_while_channel_is_created(*names)
    played = transfer_contests.run_contest(contest, order)
    post = contest.floor.task_channels.get(unique_name="post")
    bob = post.worker_channels.get(worker__friendly_name="Bob")
    return played | {"available": bob.worker_available}


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report = {
        title: {
            order[0]: run_channel_contest(names, order)
            for order in (["move", "open"], ["open", "move"])
        }
        for title, names in ACTIVITIES.items()
    }
    print(json.dumps(report))  # noqa: T201 - the report is the output
