"""What happens amid the beginning of a session: its lists are read, tasks are offered."""

from __future__ import annotations

from channels.testing import WebsocketCommunicator as Socket
from django.utils import timezone

from routing import models
from tests import factories
from tests.bridge.conftest import Floor
from tests.bridge.sockets import do, heard


async def read_lists(floor: Floor, token: str) -> None:
    """Ask for what the SDK asks for as it begins, in its order."""
    await do(floor.send, "GET", "{K}", token)
    await do(floor.send, "GET", "{K}/Reservations", token, Active="true")


async def offer(floor: Floor) -> models.Reservation:
    """Offer a task to Alice."""
    made: models.Reservation = await do(factories.offered, floor.workspace, now=timezone.now())
    return made


async def told(socket: Socket) -> tuple[str, str]:
    """Return the type of what is told next, and the sid of what it is about."""
    message = await heard(socket)
    return message["event_type"], message["payload"]["sid"]
