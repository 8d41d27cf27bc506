"""URLs of the worker SDK's HTTP requests; its websockets have the same paths."""

from __future__ import annotations

from django.urls import path

from routing.sdk import consumers, views

urlpatterns = [
    path("wschannels", views.wschannels),
    path("wschannels/<str:account_sid>/<str:channel>", views.wschannels),
]
websocket_urlpatterns = [
    path("v1/wschannels", consumers.SdkConsumer.as_asgi()),
    path("v1/wschannels/<str:account_sid>/<str:channel>", consumers.SdkConsumer.as_asgi()),
]
