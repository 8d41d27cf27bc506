"""Limits of reports: how many a user asks for, and how many a process builds at once.

Each may read thousands of rows, and the same process answers the desks.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from routing.operations import rate_limits
from supervisors.access import Supervisor
from supervisors.reports.request import wants_json

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Supervisor, P], HttpResponse]

MOST_A_MINUTE: Final = 60
"""Reports, files, and pages of the tasks behind a figure, that a user may ask for in one minute.

Over all processes.
"""
_SECONDS: Final = 60
WAIT_SECONDS: Final = 5.0
"""Seconds that a report waits for others of its process."""
_RETRY_SECONDS: Final = 5
_building: Final = threading.BoundedSemaphore(2)
"""The reports that a process builds at once."""


def limit_reports(view: View[P]) -> View[P]:
    """Answer 429 to a user with too many reports in this minute, and 503 while others are built."""

    @functools.wraps(view)
    def limited(
        request: HttpRequest, supervisor: Supervisor, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        now = timezone.now().timestamp()
        minute = int(now // _SECONDS)
        key = f"cordboard:reports:{supervisor.user.pk}:{minute}"
        if rate_limits.increment_counter(key, seconds=_SECONDS) > MOST_A_MINUTE:
            wait = max(math.ceil((minute + 1) * _SECONDS - now), 1)
            return _refuse(request, 429, _describe_many(wait), wait)
        if not _building.acquire(timeout=WAIT_SECONDS):
            return _refuse(request, 503, _describe_busy(_RETRY_SECONDS), _RETRY_SECONDS)
        try:
            return view(request, supervisor, *args, **kwargs)
        finally:
            _building.release()

    return limited


def _describe_many(wait: int) -> str:
    return ngettext(
        "You have asked for more than %(most)d reports, files or lists of tasks in this minute. "
        "Try again in %(seconds)d second.",
        "You have asked for more than %(most)d reports, files or lists of tasks in this minute. "
        "Try again in %(seconds)d seconds.",
        wait,
    ) % {"most": MOST_A_MINUTE, "seconds": wait}


def _describe_busy(wait: int) -> str:
    return _("Other reports are being made. Try again in %(seconds)d seconds.") % {"seconds": wait}


def _refuse(request: HttpRequest, status: int, words: str, wait: int) -> HttpResponse:
    if wants_json(request):
        answer: HttpResponse = JsonResponse({"message": words, "status": status}, status=status)
    else:
        more = {"words": words, "again": request.get_full_path()}
        answer = render(request, "supervisors/too_many.html", more, status=status)
    answer["Retry-After"] = str(wait)
    return answer
