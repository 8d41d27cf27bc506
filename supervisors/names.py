"""Drop from a view the sids and names that its workspace does not have."""

from __future__ import annotations

from routing import models
from supervisors.picture import Picture
from supervisors.query import Fault, View


def drop_unknown_names(
    view: View, picture: Picture, workspace: models.Workspace
) -> tuple[View, list[Fault]]:
    """Return the view with the sids and names that exist, and what was dropped.

    One of another workspace is treated as one that does not exist.
    """
    setup = picture.setup
    known = {
        "queue": {queue.sid for queue in setup.queues.values()},
        "channel": {channel.unique_name for channel in setup.channels.values()},
        "activity": {activity.sid for activity in setup.activities.values()},
    }
    if view.worker:
        known["worker"] = {worker.sid for worker in picture.workers.values()}
    if view.workflow:
        rows = models.Workflow.objects.filter(workspace=workspace, sid__in=view.workflow)
        known["workflow"] = set(rows.values_list("sid", flat=True))
    faults: list[Fault] = []
    kept: dict[str, tuple[str, ...]] = {}
    for parameter, names in known.items():
        given: tuple[str, ...] = getattr(view, parameter)
        kept[parameter] = tuple(name for name in given if name in names)
        faults.extend(
            Fault(parameter=parameter, value=name, code="missing")
            for name in given
            if name not in names
        )
    return view.change(**kept) if faults else view, faults
