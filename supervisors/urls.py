"""URLs of the cockpit: its pages and its panels."""

from __future__ import annotations

from django.urls import path

from supervisors import consumers, views

app_name = "supervisors"
urlpatterns = [
    path("", views.show_now, name="now"),
    path("queues", views.show_queues, name="queues"),
    path("queues/<str:sid>", views.show_queue, name="queue"),
    path("find", views.find, name="find"),
    path("panels/<slug:name>", views.show_panel, name="panel"),
]
websocket_urlpatterns = [
    path("supervisor/socket", consumers.CockpitConsumer.as_asgi()),
]
