"""Present a task to an agent: a title, the person it is about, and its attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext

from routing import models, subjects
from routing.core.clock import SECOND, microseconds
from routing.core.vocabulary import ReservationStatus
from routing.task_layouts import Layout, Path

_MAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){1,8}")
_PHONE: Final = re.compile(r"\+[0-9][0-9 ()./-]{5,20}")
"""A telephone number with its country code; without one, an order number looks the same."""
MOST_ATTRIBUTES: Final = 40
LONGEST_ATTRIBUTE: Final = 600
DEEPEST_PATH: Final = 4
"""The depth from which a nested object is shown as one value."""

ICONS: Final = frozenset({"voice", "chat", "sms", "video", "email", "default"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A task channel on a card: a name, and an icon from static/shared/icons.svg."""

    sid: str
    name: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of a task; `link` is the URL behind the value, or ""."""

    name: str
    value: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A task as an agent reads it."""

    sid: str
    title: str
    person: str
    channel: Channel
    queue: str
    priority: int
    created: datetime
    attributes: list[Attribute]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How long a task has been in one state; `limit` is in seconds."""

    wrapping: bool
    since: datetime
    limit: int | None


def list_clocks(row: models.Reservation) -> list[Clock]:
    """Return the clocks of a task in hand: since acceptance, and since the wrap-up began."""
    queue = row.task.task_queue
    clocks = [
        Clock(
            wrapping=False,
            # A task accepted before this column existed has no other moment.
            since=row.date_accepted or row.date_created,
            limit=None if queue is None else queue.expected_handling_time,
        )
    ]
    if row.reservation_status == ReservationStatus.WRAPPING:
        clocks.append(
            Clock(
                wrapping=True,
                since=row.date_wrapping or row.date_updated,
                # Both are set when the wrap-up begins; the queue may have changed since.
                limit=None
                if row.wrap_up_deadline_us is None or row.date_wrapping is None
                else (row.wrap_up_deadline_us - microseconds(row.date_wrapping)) // SECOND,
            )
        )
    return clocks


def build_card(task: models.Task, layout: Layout, *, with_attributes: bool = True) -> Card:
    """Return the card of a task; its channel and queue must have been loaded with it.

    Arguments:
        with_attributes: whether to list the attributes, too.
    """
    known = layout.read_attributes(task.attributes)
    picture = describe_channel(task.task_channel)
    title, titled = subjects.first_text(known, layout.titles)
    person, named = subjects.first_text(known, layout.subtitles)
    if not title:
        title, person = person or _name_untitled(picture.name), ""
    return Card(
        sid=task.sid,
        title=title,
        person=person,
        channel=picture,
        queue="" if task.task_queue is None else task.task_queue.friendly_name,
        priority=task.priority,
        created=task.date_created,
        attributes=list_attributes(known, layout, but={titled, named}) if with_attributes else [],
    )


def name_task(attributes: str, channel: str, layout: Layout) -> str:
    """Return the title of a task's card, from its attributes and the name of its channel."""
    known = layout.read_attributes(attributes)
    texts = (subjects.first_text(known, names)[0] for names in (layout.titles, layout.subtitles))
    return next(filter(None, texts), "") or _name_untitled(channel)


def _name_untitled(channel: str) -> str:
    return gettext("%(channel)s task") % {"channel": channel}


def describe_channel(row: models.TaskChannel) -> Channel:
    """Return how a task channel is shown; a custom one gets the general icon."""
    icon = row.unique_name if row.unique_name in ICONS else "default"
    return Channel(sid=row.sid, name=row.friendly_name, icon=icon)


def list_attributes(
    known: Mapping[str, Any], layout: Layout, *, but: Collection[Path] = ()
) -> list[Attribute]:
    """Return attributes line by line, those of nested objects under their path.

    Arguments:
        but: paths to leave out, as they are shown elsewhere.
    """
    found = [
        (*layout.describe_path(path), value)
        for path, value in _flatten(known, ())
        if path not in but
    ]
    found.sort(key=lambda each: each[0])
    lines = []
    for _, name, value in found[:MOST_ATTRIBUTES]:
        text = subjects.shorten(_format_value(value), LONGEST_ATTRIBUTE)
        lines.append(Attribute(name=name, value=text, link=_find_link(text)))
    if len(found) > MOST_ATTRIBUTES:
        lines.append(Attribute(name="…", value=gettext("there are more"), link=""))
    return lines


def _find_link(text: str) -> str:
    """Return the link for a web, mail or telephone address, else ""."""
    if text.endswith("…"):
        return ""
    if text.startswith(("https://", "http://")):
        return text
    if _MAIL.fullmatch(text):
        return f"mailto:{text}"
    return f"tel:{re.sub(r'[^+0-9]', '', text)}" if _PHONE.fullmatch(text) else ""


def _flatten(known: Mapping[str, Any], prefix: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in known.items():
        path = (*prefix, name)
        if isinstance(value, dict) and value and len(path) < DEEPEST_PATH:
            yield from _flatten(value, path)
        else:
            yield path, value


def _format_value(value: Any) -> str:
    match value:
        case None:
            return "—"
        case bool():
            return gettext("yes") if value else gettext("no")
        case str():
            return value or "—"
        case list() if all(isinstance(item, str | int | float) for item in value):
            return ", ".join(map(str, value)) or "—"
        case _:
            return json.dumps(value, ensure_ascii=False)
