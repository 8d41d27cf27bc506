"""URLs of the desk: its pages and its socket."""

from __future__ import annotations

from django.urls import path

from agents import consumers, views

app_name = "agents"
urlpatterns = [
    path("", views.desk, name="desk"),
    path("panels/<slug:name>", views.panel, name="panel"),
    path("transfer/<str:sid>", views.transfer, name="transfer"),
    path("reject/<str:sid>", views.reject, name="reject"),
    path("calling", views.save_calling, name="calling"),
    path("complete/<str:sid>", views.complete, name="complete"),
    path("help", views.show_help, name="help"),
    path("me", views.me, name="me"),
    path("day", views.day, name="day"),
    path("day/<str:sid>", views.past_task, name="past-task"),
    path("log-out", views.log_out, name="log-out"),
    path("do/<str:name>", views.command, name="command"),
]
websocket_urlpatterns = [
    path("agent/socket", consumers.AgentConsumer.as_asgi()),
]
