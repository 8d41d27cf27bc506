"""Let Django's admin be ours."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class CordboardAdmin(AdminConfig):
    """The admin, with the site that knows who supervises what."""

    default_site = "routing.admin.site.the_site"
