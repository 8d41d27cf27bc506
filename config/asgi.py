"""Where HTTP requests and websockets come in."""

from __future__ import annotations

import os
import sys

# Autobahn's native code buys nothing for small frames, and has crashed on some processors.
os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - need the apps loaded
from django.db import connection  # noqa: E402
from django.urls import re_path  # noqa: E402

from agents.urls import websocket_urlpatterns  # noqa: E402
from config import daphne_requests, daphne_sockets, http, pauses, proxies  # noqa: E402
from config.sockets import few_per_user, only_from_our_pages, refuse, with_session_key  # noqa: E402
from routing.bridge.urls import websocket_urlpatterns as bridge  # noqa: E402

pauses.shorten()
if connection.vendor == "postgresql":
    connection.watch()  # type: ignore[attr-defined]
daphne_requests.install()
daphne_sockets.install()
proxies.install()
if "daphne.cli" in sys.modules:
    # Only then: importing it chooses Twisted's reactor.
    from config import daphne_server

    daphne_server.install()
sockets = [
    *websocket_urlpatterns,
    # Unknown addresses end here, in a refusal rather than an error. (An ASGI application is right.)
    re_path(r"", refuse),  # type: ignore[arg-type]
]
websockets = URLRouter(
    [
        # The SDK brings a token, not a cookie: from pages of any origin, and without one.
        *bridge,
        # The desk looks its session up itself, again and again, so nothing does before it.
        re_path(r"", only_from_our_pages(with_session_key(few_per_user(URLRouter(sockets))))),  # type: ignore[arg-type]
    ]
)
application = ProtocolTypeRouter(
    {
        "http": proxies.with_client_addresses(http.application()),
        "websocket": proxies.with_client_addresses(websockets),
    }
)
