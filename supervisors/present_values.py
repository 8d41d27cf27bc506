"""What an act on one row would change, as it is now: a dialog shows it above its form."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from routing import models
from routing.core.rates import Target
from supervisors import pictures
from supervisors.commands import Act
from supervisors.durations import format_duration
from supervisors.picture import Load, Picture
from supervisors.wording import GRAB_POLICIES, isolate, join_words


def describe_present(act: Act, workspace: models.Workspace, sids: list[str]) -> list[str]:
    """Return the present values of the one row of an act, a line for each channel."""
    if len(sids) != 1:
        return []
    picture = pictures.find_picture(workspace)
    match act.name:
        case "queues.set_target":
            return list(_describe_targets(picture, sids[0]))
        case "queues.set_grab_policy":
            policies = [q.grab_policy for q in picture.setup.queues.values() if q.sid == sids[0]]
            return [str(GRAB_POLICIES.get(policy, policy)) for policy in policies]
        case "workers.set_capacity" | "workers.set_kept" | "workers.set_available":
            return list(_describe_loads(picture, sids[0], act.name))
        case _:
            return []


def _describe_targets(picture: Picture, sid: str) -> Iterator[str]:
    """Yield each target of a queue with the channels that have it."""
    setup = picture.setup
    for queue in (one for one in setup.queues.values() if one.sid == sid):
        names: dict[Target, list[str]] = {}
        for channel in setup.channels.values():
            target = setup.target_of((queue.id, channel.id))
            names.setdefault(target, []).append(isolate(channel.name))
        words = _(
            "%(channel)s: %(goal)s %% within %(time)s, formula %(formula)s, short abandon %(short)s"
        )
        for target, channels in names.items():
            yield words % {
                "channel": join_words(channels, _("%(first)s and %(last)s")),
                "goal": target.goal,
                "time": format_duration(target.threshold),
                "formula": target.formula.value,
                "short": format_duration(target.short_abandon),
            }


def _describe_loads(picture: Picture, sid: str, name: str) -> Iterator[str]:
    channels = picture.setup.channels
    for worker in (one for one in picture.workers.values() if one.sid == sid):
        for load in (one for one in worker.loads if one.channel in channels):
            channel = isolate(channels[load.channel].name)
            yield _("%(channel)s: %(value)s") % {"channel": channel, "value": _read(load, name)}


def _read(load: Load, name: str) -> str:
    match name:
        case "workers.set_capacity":
            return str(load.capacity)
        case "workers.set_kept":
            return str(load.kept)
        case _:
            return _("on") if load.on else _("off")
