"""Effort: time in which a worker had several tasks in hand, divided among them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Span = tuple[int, int]
"""The beginning and the end of work, in one unit of time."""


def share_time(spans: Sequence[Span]) -> list[float]:
    """Return the effort of each span of one worker.

    Every moment is divided by the number of spans that cover it. So the efforts add up to the time
    that is covered at all.
    """
    steps: dict[int, int] = {}
    for begin, end in spans:
        if begin < end:
            steps[begin] = steps.get(begin, 0) + 1
            steps[end] = steps.get(end, 0) - 1
    moments = sorted(steps)
    # Up to each moment, the effort of a span that covers everything before it.
    shared = dict.fromkeys(moments[:1], 0.0)
    total, in_hand = 0.0, 0
    for moment, following in pairwise(moments):
        in_hand += steps[moment]
        if in_hand:
            total += (following - moment) / in_hand
        shared[following] = total
    return [shared[end] - shared[begin] if begin < end else 0.0 for begin, end in spans]
