"""Make Django's admin use our site."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class CordboardAdmin(AdminConfig):
    """The admin app with our site, which limits users to their workspaces."""

    default_site = "routing.admin.site.build_site"
