"""Filters of the worker list: by channel, queue, skill and login."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from routing import models, subjects
from routing.admin import access, eligible_workers
from routing.admin.filters import RelatedFilter

MOST_SKILLS: Final = 50
"""Maximum number of skills to choose from; the most frequent ones."""
MOST_READ: Final = 2000
"""Maximum number of workers whose attributes are read for these choices."""
MOST_FILTERED: Final = 20_000


class WorkerChannelFilter(RelatedFilter):
    """Filter workers by channel."""

    title = "channel"
    parameter_name = "channel"
    related = models.TaskChannel

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the workers with a capacity above 0 on a switched-on channel."""
        if not (value := self.value()):
            return queryset
        held = models.WorkerChannel.objects.filter(
            task_channel__sid=value, available=True, configured_capacity__gt=0
        )
        return queryset.filter(pk__in=held.values("worker"))


class WorkerQueueFilter(RelatedFilter):
    """Filter workers by the queue that they serve, available or not."""

    title = "queue they serve"
    parameter_name = "queue"
    related = models.TaskQueue

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the workers whose attributes match, with the same limit as the queue's page."""
        if not (value := self.value()):
            return queryset
        here = access.visible_workspaces(request.user)
        queue = models.TaskQueue.objects.filter(workspace__in=here, sid=value).first()
        if queue is None:
            return queryset.none()
        found, _ = eligible_workers.find_eligible_workers(queue)
        return queryset.filter(pk__in=[worker.id for worker in found])


class WorkerSkillFilter(admin.SimpleListFilter):
    """Filter workers by a skill in their attribute `skills` or `routing.skills`."""

    title = "skill"
    parameter_name = "skill"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the most frequent skills of the first workers, sorted by name."""
        here = access.visible_workspaces(request.user)
        if sid := request.GET.get("workspace"):
            here = here.filter(sid=sid)
        rows = models.Worker.objects.filter(workspace__in=here, attributes__contains="skills")
        count = Counter[str]()
        for text in rows.order_by("pk").values_list("attributes", flat=True)[:MOST_READ]:
            count.update(set(skills(text)))
        names = sorted(name for name, _ in count.most_common(MOST_SKILLS))
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the workers with the chosen skill."""
        if not (value := self.value()):
            return queryset
        rows = queryset.filter(attributes__contains="skills").order_by("pk")
        read = rows.values_list("pk", "attributes")[:MOST_FILTERED]
        return queryset.filter(pk__in=[pk for pk, text in read if value in skills(text)])


def skills(attributes: str) -> Iterator[str]:
    """Yield the skills in a worker's attributes."""
    known = subjects.parse_attributes(attributes)
    nested = known.get("routing")
    for place in (known, nested if isinstance(nested, dict) else {}):
        listed = place.get("skills")
        for skill in listed if isinstance(listed, list) else ():
            if isinstance(skill, str) and skill:
                yield skill


class LoginFilter(admin.SimpleListFilter):
    """Filter workers by whether they can log in at the desk."""

    title = "login"
    parameter_name = "login"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the three states of a login."""
        return [("yes", "has a login"), ("no", "has none"), ("off", "deactivated")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the workers of the chosen kind."""
        match self.value():
            case "yes":
                return queryset.filter(user__is_active=True)
            case "no":
                return queryset.filter(user=None)
            case "off":
                return queryset.filter(user__is_active=False)
        return queryset
