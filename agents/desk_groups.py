"""Send a frame to all open desks of a worker: what one tab changes, the others show."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Any, Final

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from routing import groups
from routing.redis import clients

logger = logging.getLogger(__name__)

FRAME: Final = "desk.frame"
"""The message whose frame a desk passes on to its page."""


def send_to_desks(
    worker_sids: Iterable[str], event: str, *, stale: Collection[str] = (), **more: Any
) -> None:
    """Send a frame to the open desks of these workers.

    Arguments:
        event: the frame's event, such as `desk.happenings`.
        stale: the panels that the pages fetch again.
        more: further keys of the frame.
    """
    layer = get_channel_layer()
    message = {"type": FRAME, "frame": {"event": event, "stale": sorted(stale), **more}}
    for sid in worker_sids:
        try:
            async_to_sync(layer.group_send)(groups.desks_group(sid), message)
        except clients.BROKEN as error:
            # A page fetches everything again when its connection is back.
            logger.warning("desks.not_told worker=%s error=%s", sid, error)
