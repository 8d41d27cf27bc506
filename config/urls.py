"""Which door a request enters by."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
]
