"""Steps of a session's beginning: its lists are read, tasks are offered."""

from __future__ import annotations

from channels.testing import WebsocketCommunicator as Socket
from django.utils import timezone

from routing import models
from tests import factories
from tests.sdk.conftest import Floor
from tests.sdk.sockets import do, heard


async def read_lists(floor: Floor, token: str) -> None:
    """Send the requests of a starting SDK, in its order."""
    await do(floor.send, "GET", "{K}", token)
    await do(floor.send, "GET", "{K}/Reservations", token, Active="true")


async def offer(floor: Floor) -> models.Reservation:
    """Offer a task to Alice."""
    made: models.Reservation = await do(factories.offered, floor.workspace, now=timezone.now())
    return made


async def next_event(socket: Socket) -> tuple[str, str]:
    """Return the type of the next message, and the sid of its resource."""
    message = await heard(socket)
    return message["event_type"], message["payload"]["sid"]
