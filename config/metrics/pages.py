"""The text of each page, cached for a second and bounded in size."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cachetools import TTLCache
from django.conf import settings
from prometheus_client import generate_latest

from config.metrics import catalog
from config.metrics.backlog import add_backlog
from config.metrics.floor import add_picture, add_totals
from config.metrics.queues import Floors, add_queues
from config.metrics.sheet import Sheet
from routing import instruments
from routing.models import Workspace
from supervisors import pictures

CACHE_SECONDS: Final = 1.0
MOST_SERIES: Final = 20_000
"""The number of series above which the label `channel` is left out."""
MOST_WORKSPACES: Final = 200
"""The number of workspaces that are shown, oldest first."""

_lock: Final = threading.Lock()
_pages: Final[TTLCache[str, bytes]] = TTLCache(maxsize=2, ttl=CACHE_SECONDS)


def forget_pages() -> None:
    """Forget the texts."""
    with _lock:
        _pages.clear()


def read_floor(*, now: datetime) -> bytes:
    """Return the metrics of workspaces and channels."""
    return _read_page("floor", _build_whole_floor, now)


def read_queues(*, now: datetime) -> bytes:
    """Return the metrics of queues."""
    return _read_page("queues", functools.partial(_build, _build_queues), now)


def _read_page(name: str, build: Callable[[datetime], bytes], now: datetime) -> bytes:
    """Return a page of the last second, or build it, once for all who wait."""
    with _lock:
        found = _pages.get(name)
        if found is None:
            found = _pages[name] = build(now)
        return found


def _build(build: Callable[[Floors, datetime], Sheet], now: datetime) -> bytes:
    workspaces = list(Workspace.objects.order_by("pk")[: MOST_WORKSPACES + 1])
    floors = [
        (workspace, pictures.find_picture(workspace, now=now))
        for workspace in workspaces[:MOST_WORKSPACES]
    ]
    sheet = build(floors, now)
    is_long = sheet.count_series() > MOST_SERIES
    if is_long:
        sheet = sheet.without_channels()
    sheet.put(catalog.TRUNCATED, is_long or len(workspaces) > MOST_WORKSPACES)
    return sheet.render()


def _build_whole_floor(now: datetime) -> bytes:
    """Return the floor, and behind it what the processes of this machine have measured."""
    text = _build(_build_floor, now)
    measured = instruments.find_instruments()
    return text if measured is None else text + generate_latest(measured.registry())


def _build_floor(floors: Floors, now: datetime) -> Sheet:
    sheet = Sheet(catalog.FLOOR)
    add_backlog(sheet, now=now)
    for workspace, picture in floors:
        add_picture(sheet, workspace, picture, now=now)
    add_totals(sheet, floors)
    return sheet


def _build_queues(floors: Floors, now: datetime) -> Sheet:
    sheet = Sheet(catalog.QUEUES)
    add_queues(sheet, floors, most=settings.METRICS_MAX_QUEUES, now=now)
    return sheet
