"""Bars in lanes: the drawing of a time line, without what its bars mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MOST_TRACKS: Final = 10
"""The number of tracks for tasks of one channel at the same time; others share the last one."""

WIDTH: Final = 960
HEIGHT: Final = 18
"""Height of a track."""
GAP: Final = 10
"""Space between two lanes, and above the first for the hours."""
SECOND_US: Final = 1_000_000


@dataclass(slots=True, kw_only=True)
class Bar:
    """A stay in an activity, a task in hand, or a lost offer, which has no length.

    Arguments:
        kind: `open` or `shut` for activities; `work` or `lost`.
        lane: the name of the channel; "" for activities.
        track: the place among the bars of the lane at the same time.
    """

    kind: str
    lane: str
    name: str
    begin_us: int
    end_us: int
    link: str = ""
    what: str = ""
    is_running: bool = False
    track: int = 0


@dataclass(slots=True, kw_only=True)
class Lane:
    """The bars of one channel, or the activities."""

    name: str
    y: int
    height: int
    bars: list[dict[str, Any]] = field(default_factory=list)


def place_bars(bars: Sequence[Bar], begin_us: int, end_us: int) -> tuple[list[Lane], int]:
    """Return the lanes with the bars in their places, and the height of the drawing."""
    scale = WIDTH / max(end_us - begin_us, SECOND_US)
    lanes: list[Lane] = []
    y = GAP * 2
    for name in sorted({bar.lane for bar in bars}):
        own = sorted((bar for bar in bars if bar.lane == name), key=lambda bar: bar.begin_us)
        tracks = _share_tracks(own)
        lane = Lane(name=name, y=y, height=tracks * HEIGHT)
        for bar in own:
            x = round((bar.begin_us - begin_us) * scale, 1)
            lane.bars.append(
                {
                    "bar": bar,
                    "x": x,
                    "y": y + bar.track * HEIGHT,
                    "width": max(round((bar.end_us - bar.begin_us) * scale, 1), 2),
                    "height": HEIGHT - 2,
                }
            )
        lanes.append(lane)
        y += tracks * HEIGHT + GAP
    return lanes, y


def _share_tracks(bars: Iterable[Bar]) -> int:
    """Give each bar the first track that is free from its beginning on; return their number."""
    ends: list[int] = []
    for bar in bars:
        free = next((n for n, end in enumerate(ends) if end <= bar.begin_us), len(ends))
        bar.track = min(free, MOST_TRACKS - 1)
        ends[bar.track : bar.track + 1] = [bar.end_us]
    return max(len(ends), 1)
