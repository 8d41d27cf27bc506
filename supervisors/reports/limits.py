"""A limit on how many reports one user asks for, as each may read thousands of rows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext

from routing.operations import rate_limits
from supervisors.access import Supervisor
from supervisors.reports.request import wants_json

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Supervisor, P], HttpResponse]

MOST_A_MINUTE: Final = 60
"""Reports and files of reports that a user may ask for in one minute, over all processes."""
_SECONDS: Final = 60


def limit_reports(view: View[P]) -> View[P]:
    """Answer 429 to a user who has asked for too many reports in this minute."""

    @functools.wraps(view)
    def limited(
        request: HttpRequest, supervisor: Supervisor, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        now = timezone.now().timestamp()
        minute = int(now // _SECONDS)
        key = f"cordboard:reports:{supervisor.user.pk}:{minute}"
        if rate_limits.increment_counter(key, seconds=_SECONDS) <= MOST_A_MINUTE:
            return view(request, supervisor, *args, **kwargs)
        return _refuse(request, max(math.ceil((minute + 1) * _SECONDS - now), 1))

    return limited


def _refuse(request: HttpRequest, wait: int) -> HttpResponse:
    words = ngettext(
        "You have asked for more than %(most)d reports in this minute. Try again in "
        "%(seconds)d second.",
        "You have asked for more than %(most)d reports in this minute. Try again in "
        "%(seconds)d seconds.",
        wait,
    ) % {"most": MOST_A_MINUTE, "seconds": wait}
    if wants_json(request):
        answer: HttpResponse = JsonResponse({"message": words, "status": 429}, status=429)
    else:
        more = {"words": words, "again": request.get_full_path()}
        answer = render(request, "supervisors/too_many.html", more, status=429)
    answer["Retry-After"] = str(wait)
    return answer
