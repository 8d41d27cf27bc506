"""Measurements of processes for `/metrics`. With `METRICS` off nothing is measured or loaded.

Where the environment names a directory in `PROMETHEUS_MULTIPROC_DIR`, all processes of a machine
write into it, and a scrape of one web process reads those of all. The program that starts them
makes the directory and empties it. Without one, a web process shows its own measurements.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that the client library reads when it is imported."""
_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges of buckets, in seconds."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_creating: Final = threading.Lock()


class Instruments:
    """The measurements of this process."""

    def __init__(self) -> None:
        """Register them; the library is loaded here, as it decides then where to write."""
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.own = CollectorRegistry()
        self.requests: Histogram = Histogram(
            "cordboard_http_request_seconds",
            "Time to answer a request.",
            ["door", "method", "status"],
            buckets=_FAST,
            registry=self.own,
        )
        self.cycles: Histogram = Histogram(
            "cordboard_cycle_seconds",
            "Time of a round of the router in one workspace, by what began its cycle.",
            ["cause"],
            buckets=_FAST,
            registry=self.own,
        )
        self.offers: Counter = Counter(
            "cordboard_cycle_offers",
            "Offers that rounds of the router have made, by what began the cycle.",
            ["cause"],
            registry=self.own,
        )
        self.offer_latency: Histogram = Histogram(
            "cordboard_offer_latency_seconds",
            "From the creation of a task to its first offer, if a worker was free for it.",
            buckets=_FAST,
            registry=self.own,
        )
        self.deliveries: Histogram = Histogram(
            "cordboard_delivery_seconds",
            "Age of an event when it is published.",
            buckets=_FAST,
            registry=self.own,
        )
        self.pictures: Histogram = Histogram(
            "cordboard_picture_seconds",
            "Time to read or renew the picture of a floor.",
            buckets=_FAST,
            registry=self.own,
        )
        self.sockets: Gauge = Gauge(
            "cordboard_websockets",
            "Open websockets.",
            ["door"],
            multiprocess_mode="livesum",
            registry=self.own,
        )
        self.frames: Counter = Counter(
            "cordboard_websocket_frames", "Frames sent.", ["door"], registry=self.own
        )
        self.callbacks: Counter = Counter(
            "cordboard_callbacks",
            "Callbacks sent, by whether the receiver took them.",
            ["kind", "outcome"],
            registry=self.own,
        )
        self.finds: Counter = Counter(
            "cordboard_sweep_finds",
            "What a sweep found left behind by a process that died.",
            ["kind"],
            registry=self.own,
        )

    def registry(self) -> CollectorRegistry:
        """Return the measurements of all processes of this machine, or of this one."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        if DIRECTORY not in os.environ:
            return self.own
        whole = CollectorRegistry()
        MultiProcessCollector(whole)  # type: ignore[no-untyped-call]
        return whole


@functools.cache
def find_instruments() -> Instruments | None:
    """Return the measurements; None if metrics are off."""
    if not settings.METRICS:
        return None
    with _creating:
        return _create()


@functools.cache
def _create() -> Instruments:
    """Create the measurements, once: two that write into one file would overwrite each other."""
    return Instruments()


def observe_request(door: str, method: str, status: int, seconds: float) -> None:
    """Measure an answered request."""
    if (found := find_instruments()) is not None:
        known = method if method in _METHODS else "other"
        found.requests.labels(door, known, f"{status // 100}xx").observe(seconds)


class Cause(StrEnum):
    """What began a cycle of the router."""

    WAKE = "wake"
    SWEEP = "sweep"


@dataclass(slots=True)
class Cycle:
    """A cycle that is measured.

    Arguments:
        offers: those that its rounds have made while no deadline was due.
    """

    cause: Cause = Cause.WAKE
    offers: int = 0


_cycle: ContextVar[Cycle | None] = ContextVar("cycle", default=None)


@contextmanager
def measure_cycle(cause: Cause) -> Iterator[Cycle]:
    """Measure the rounds within as those of a cycle that this began."""
    cycle = Cycle(cause)
    token = _cycle.set(cycle)
    try:
        yield cycle
    finally:
        _cycle.reset(token)


def observe_round(seconds: float, offers: int, *, by_clock: bool) -> None:
    """Measure a round of the router.

    Arguments:
        by_clock: whether a deadline was due.
    """
    if (found := find_instruments()) is not None:
        cycle = _cycle.get() or Cycle()
        found.cycles.labels(cycle.cause.value).observe(seconds)
        if offers:
            found.offers.labels(cycle.cause.value).inc(offers)
        if not by_clock:
            cycle.offers += offers


def observe_offer(seconds: float) -> None:
    """Measure how long a task has waited for its first offer."""
    if (found := find_instruments()) is not None:
        found.offer_latency.observe(max(seconds, 0.0))


def is_measuring() -> bool:
    """Return whether metrics are on."""
    return find_instruments() is not None


def observe_delivery(seconds: float) -> None:
    """Measure how old an event was when it was published."""
    if (found := find_instruments()) is not None:
        found.deliveries.observe(max(seconds, 0.0))


@contextmanager
def measure_picture() -> Iterator[None]:
    """Measure how long a picture takes."""
    begun = time.monotonic()
    yield
    if (found := find_instruments()) is not None:
        found.pictures.observe(time.monotonic() - begun)


def count_sockets(door: str, difference: int) -> None:
    """Count a websocket that opens, or one that closes."""
    if (found := find_instruments()) is not None:
        found.sockets.labels(door).inc(difference)


def count_frame(door: str) -> None:
    """Count a frame that is sent."""
    if (found := find_instruments()) is not None:
        found.frames.labels(door).inc()


def count_callback(kind: str, *, is_taken: bool) -> None:
    """Count a callback that was sent."""
    if (found := find_instruments()) is not None:
        found.callbacks.labels(kind, "taken" if is_taken else "failed").inc()


def count_finds(kind: str, number: int) -> None:
    """Count what a sweep found left behind."""
    if number and (found := find_instruments()) is not None:
        found.finds.labels(kind).inc(number)
