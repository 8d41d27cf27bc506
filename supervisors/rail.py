"""The links of the rail and the bar: to the other pages, and to the channels of this one."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from supervisors.panels import PAGES, Page
from supervisors.picture import Picture
from supervisors.query import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of the rail; `key` leads to it after `g`."""

    name: str
    title: Promise
    address: str
    key: str
    current: bool


def list_links(page: Page, view: View) -> list[Link]:
    """Return the links to all pages that have a key."""
    common = View(workspace=view.workspace, channel=view.channel, window=view.window)
    return [
        Link(
            name=each.name,
            title=each.title,
            address=f"{reverse(f'supervisors:{each.name}')}?{common.canonical}",
            key=each.key,
            current=each.name in (page.name, page.belongs_to),
        )
        for each in PAGES.values()
        if each.key
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLink:
    """A link that adds a channel to the view, takes it away, or shows all channels."""

    name: str
    query: str
    current: bool


def list_channel_links(view: View, picture: Picture) -> list[ChannelLink]:
    """Return the links to this page for other channels."""
    chosen = set(view.channel)
    every = ChannelLink(name=_("All channels"), query=view.link(channel=()), current=not chosen)
    channels = picture.setup.channels.values()
    return [
        every,
        *(
            ChannelLink(
                name=each.name,
                query=view.link(channel=tuple(sorted(chosen ^ {each.unique_name}))),
                current=each.unique_name in chosen,
            )
            for each in channels
        ),
    ]


def name_channels(view: View, picture: Picture) -> list[str]:
    """Return the names of the channels that the view is limited to."""
    wanted = set(view.channel)
    return [each.name for each in picture.setup.channels.values() if each.unique_name in wanted]
