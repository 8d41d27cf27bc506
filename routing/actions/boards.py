"""Save boards, and make and revoke the links that show them; this changes no routing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from routing import models, sids
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput
from routing.core.tiles import MOST_TILES, Tile

MOST_BOARDS: Final = 50
MOST_LINKS: Final = 50
"""Links of a workspace that are neither revoked nor over."""
MOST_TURNS: Final = 6
"""Boards that take turns on one link."""
USUAL_DAYS: Final = 90
MOST_DAYS: Final = 400
LEAST_TURN, MOST_TURN = 10, 120
USE_EVERY: Final = timedelta(minutes=1)
"""The time between two notes of a link's last use."""
TOKEN_BYTES: Final = 32


@transaction.atomic
def save_board(
    *,
    workspace: models.Workspace,
    board: models.Board | None,
    name: str,
    tiles: Sequence[Tile],
    quiet_from: str = "",
    quiet_until: str = "",
    now: datetime,
) -> models.Board:
    """Create or change a board; raises `InvalidInput`."""
    locking.lock_row(workspace)
    if board is None:
        if workspace.boards.count() >= MOST_BOARDS:
            raise InvalidInput(
                f"a workspace has at most {MOST_BOARDS} boards; delete one first", field="name"
            )
        board = models.Board(sid=sids.new_sid("BD"), workspace=workspace, date_created=now)
    if len(tiles) > MOST_TILES:
        raise InvalidInput(f"a board has at most {MOST_TILES} tiles", field="tiles")
    board.name = inputs.check_name(name, field="name")
    board.tiles = [tile.to_json() for tile in tiles]
    board.quiet_from, board.quiet_until = _check_hours(quiet_from, quiet_until)
    board.date_updated = now
    with inputs.refuse_duplicates(
        f"a board named {board.name!r} exists already in this workspace", field="name"
    ):
        board.save()
    return board


def _check_hours(begin: str, end: str) -> tuple[str, str]:
    for field, text in (("quiet_from", begin), ("quiet_until", end)):
        try:
            if text:
                datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of the day
        except ValueError:
            raise InvalidInput(f"{field} {text!r} is no time such as 18:30", field=field) from None
    if bool(begin) != bool(end):
        raise InvalidInput("set both ends of the quiet hours, or none", field="quiet_until")
    return begin, end


def delete_board(board: models.Board) -> None:
    """Delete a board; links that show it go on with their others."""
    board.delete()


@transaction.atomic
def create_link(
    *,
    workspace: models.Workspace,
    name: str,
    boards: Sequence[models.Board],
    turn_seconds: int,
    days: int,
    created_by: str,
    now: datetime,
) -> tuple[models.KioskLink, str]:
    """Create a link, and return it with its token, which is never shown again.

    Raises `InvalidInput`.
    """
    locking.lock_row(workspace)
    live = workspace.kiosk_links.filter(date_revoked__isnull=True, date_expires__gt=now)
    if live.count() >= MOST_LINKS:
        raise InvalidInput(
            f"a workspace has at most {MOST_LINKS} links; revoke one first", field="name"
        )
    if not 1 <= len(boards) <= MOST_TURNS:
        raise InvalidInput(f"a link shows 1 to {MOST_TURNS} boards", field="boards")
    days = inputs.check_integer(days, field="days", least=1, most=MOST_DAYS)
    turn = inputs.check_integer(
        turn_seconds, field="turn_seconds", least=LEAST_TURN, most=MOST_TURN
    )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = models.KioskLink.objects.create(
        sid=sids.new_sid("KL"),
        workspace=workspace,
        name=inputs.check_name(name, field="name"),
        boards=[board.sid for board in boards],
        turn_seconds=turn,
        token_digest=digest_token(token),
        created_by=created_by,
        date_created=now,
        date_expires=now + timedelta(days=days),
    )
    return row, token


def digest_token(token: str) -> str:
    """Return what is stored of a token; it has 256 random bits, so that no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def revoke_link(link: models.KioskLink, *, now: datetime) -> None:
    """Revoke a link; it shows nothing from then on."""
    models.KioskLink.objects.filter(pk=link.pk, date_revoked__isnull=True).update(date_revoked=now)


def note_use(link: models.KioskLink, *, ip_address: str | None, now: datetime) -> None:
    """Store when and from where a link was used last, at most once in `USE_EVERY`."""
    if link.date_used is None or now - link.date_used >= USE_EVERY or link.used_from != ip_address:
        models.KioskLink.objects.filter(pk=link.pk).update(date_used=now, used_from=ip_address)
