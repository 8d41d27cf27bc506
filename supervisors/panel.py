"""What a panel is: a part of a page that is rendered, cached and fetched by itself."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from routing import models
from routing.core.event_catalog import EventType
from supervisors.access import Supervisor
from supervisors.picture import Channel, Picture, Queue
from supervisors.query import View
from supervisors.staff import ChannelStaff, Staff

Context = dict[str, Any]
Rows = Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a panel is loaded from.

    The HTML is shared by all who ask for the same view in the same language with the same rights,
    so a panel may depend on `may_configure`, but on nothing else of the supervisor.
    """

    supervisor: Supervisor = field(repr=False)
    view: View
    picture: Picture = field(repr=False)
    now: datetime

    @property
    def workspace(self) -> models.Workspace:
        """Return the workspace that is shown."""
        return self.supervisor.workspace

    @property
    def channels(self) -> list[Channel]:
        """Return the channels that the view is limited to; none for all."""
        wanted = set(self.view.channel)
        channels = self.picture.setup.channels.values()
        return [each for each in channels if each.unique_name in wanted]

    @property
    def channel_ids(self) -> frozenset[int]:
        """Return the ids of the channels that the view is limited to; none for all."""
        return frozenset(each.id for each in self.channels)

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of the view."""
        name = self.view.tz
        return zoneinfo.ZoneInfo(name) if name else timezone.get_current_timezone()

    def queue_link(self, sid: str) -> str:
        """Return the address of a queue's page, for the same channels and window."""
        view = View(workspace=self.view.workspace, channel=self.view.channel, tz=self.view.tz)
        return f"{reverse('supervisors:queue', args=[sid])}?{view.canonical}"

    def task_link(self, sid: str) -> str:
        """Return the address of a task's page."""
        address = reverse("supervisors:task", args=[sid])
        return f"{address}?{View(workspace=self.view.workspace, tz=self.view.tz).canonical}"

    def worker_link(self, sid: str) -> str:
        """Return the address of an agent's page."""
        address = reverse("supervisors:agent", args=[sid])
        return f"{address}?{View(workspace=self.view.workspace, tz=self.view.tz).canonical}"

    def agents_link(self, **filters: Any) -> str:
        """Return the address of the agents that pass some filters."""
        view = View(workspace=self.view.workspace, tz=self.view.tz, **filters)
        return f"{reverse('supervisors:agents')}?{view.canonical}"

    def tasks_link(self, sid: str) -> str:
        """Return the address of the tasks that an agent has in hand and on offer."""
        view = View(workspace=self.view.workspace, worker=(sid,), tz=self.view.tz)
        return f"{reverse('supervisors:tasks')}?{view.canonical}"

    def list_link(self, **filters: Any) -> str:
        """Return the address of the tasks that pass some filters."""
        view = View(workspace=self.view.workspace, tz=self.view.tz, **filters)
        return f"{reverse('supervisors:tasks')}?{view.canonical}"

    def find_queue(self) -> Queue:
        """Return the queue that the view names; raises `Http404` if it names none, or several."""
        named = self.view.queue
        for queue in self.picture.setup.queues.values():
            if (queue.sid,) == named:
                return queue
        raise Http404

    def sum_slots(self, staff: Staff) -> ChannelStaff | None:
        """Return the slots of some workers on the view's channels.

        None with multitasking off, where a worker is one slot over all channels.
        """
        if not self.picture.setup.multi_task:
            return None
        wanted = self.channel_ids
        total = ChannelStaff()
        for pk, each in staff.channels.items():
            if not wanted or pk in wanted:
                total.slots = [a + b for a, b in zip(total.slots, each.slots, strict=True)]
        return total

    @property
    def may_configure(self) -> bool:
        """Return whether the pages of the admin are open to the user."""
        return self.supervisor.may_configure


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel.

    Arguments:
        name: its name in URLs, and the id of its element; its template is
            `supervisors/panels/NAME.html`.
        load: returns the context of its template. It raises `Http404` where the view names a row
            that is not there.
        from_picture: whether it shows only what the picture has. Such a panel is rendered once for
            each picture; another one at most once a second.
        stale_on: the event types that make a panel stale which is not from the picture.
        shows_desks: whether it is stale, too, when it becomes known who has a desk open.
        write: returns its figures as a file, the header first; None if it has no file.
    """

    name: str
    load: Callable[[Scene], Context]
    from_picture: bool = True
    stale_on: frozenset[EventType] = frozenset()
    shows_desks: bool = False
    write: Callable[[Scene], Rows] | None = None

    @property
    def template(self) -> str:
        """Return the name of its template."""
        return f"supervisors/panels/{self.name}.html"
