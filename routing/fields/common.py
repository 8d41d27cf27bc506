"""Fields that several nouns have."""

from __future__ import annotations

from typing import Any, Final

from routing.fields.declarations import Field, moment
from routing.fields.schemas import date, sid, text

ACCOUNT: Final = sid("The account that it belongs to.", "AC")
WORKSPACE: Final = sid("The workspace that it is in.", "WS")


def own_sid(prefix: str, event: str = "") -> Field[Any]:
    """Return the field of a row's own sid.

    Arguments:
        event: its name in event data.
    """
    return Field("sid", sid("Its sid.", prefix), event=event)


def parents(workspace: str = "workspace") -> list[Field[Any]]:
    """Return the fields of a row's account and workspace.

    Arguments:
        workspace: the path from the row to its workspace.
    """
    return [
        Field("account_sid", ACCOUNT, f"{workspace}.account.sid"),
        Field("workspace_sid", WORKSPACE, f"{workspace}.sid"),
    ]


def friendly_name(words: str, example: str, event: str = "") -> Field[Any]:
    """Return the field of a display name.

    Arguments:
        event: its name in event data.
    """
    return Field("friendly_name", text(words, example, maxLength=64), event=event)


def dates(created: str = "") -> list[Field[Any]]:
    """Return the fields of a row's creation and last change.

    Arguments:
        created: the name of the first in event data.
    """
    updated = date("When it was changed last.", "2026-03-02T10:15:30Z")
    return [
        moment("date_created", date("When it was created."), event=created),
        moment("date_updated", updated),
    ]
