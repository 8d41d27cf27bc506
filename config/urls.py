"""The URLs of the project."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver
from django.views.generic import RedirectView

from config import views
from config.metrics.views import show_floor, show_queues
from routing.api.openapi import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.show_home),
    path("metrics", show_floor),
    path("metrics/queues", show_queues),
    path("api/docs", pages.docs, name="api-docs"),
    path("api/schema", pages.schema, name="api-schema"),
    path("docs/", RedirectView.as_view(pattern_name="api-docs")),
    path("docs/errors/", pages.errors, name="api-errors"),
    path("docs/errors/<int:code>", pages.error, name="api-error"),
    # Before the API, which answers all other paths below v1/.
    path("v1/", include("routing.sdk.urls")),
    path("v1/", include("routing.api.urls")),
    path("agent/", include("agents.urls")),
    path("supervisor/", include("supervisors.urls")),
    path("admin/", admin.site.urls),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/password/", views.ChangePassword.as_view(), name="password"),
    path("accounts/logout/", views.LogOut.as_view(), name="logout"),
]

handler400 = "config.views.bad_request"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
