"""The page Now: the whole floor at a glance."""

from __future__ import annotations

from typing import Final

from supervisors.panel import Context, Panel, Scene


def load_totals(scene: Scene) -> Context:
    """Return the sums over the floor, on the chosen channels or on all."""
    picture, channels = scene.picture, scene.channel_ids
    everyone = picture.everyone
    return {
        "tasks": picture.tasks_of(None, channels),
        "longest": picture.longest_of(None, channels),
        "workers": everyone.workers,
        "available": everyone.available,
        "free": everyone.free_for(channels) if channels else everyone.free,
        "slots": scene.sum_slots(everyone),
    }


PANELS: Final = (Panel(name="totals", load=load_totals),)
