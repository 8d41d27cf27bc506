"""The ASGI application for HTTP requests and websockets."""

from __future__ import annotations

import os
import sys

# Autobahn's native code is no faster for small frames, and has crashed on some processors.
os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - need the apps loaded
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.urls import re_path  # noqa: E402

from agents.urls import websocket_urlpatterns  # noqa: E402
from config import interpreter, proxies  # noqa: E402
from config.metrics.port import keep_port_for_metrics  # noqa: E402
from config.patches import asgi_handler, daphne_requests, daphne_sockets  # noqa: E402
from config.sockets import (  # noqa: E402
    limit_per_user,
    refuse_socket,
    require_own_origin,
    with_session_key,
)
from routing.sdk.urls import websocket_urlpatterns as sdk_urlpatterns  # noqa: E402
from supervisors.urls import websocket_urlpatterns as cockpit_urlpatterns  # noqa: E402

interpreter.shorten_switch_interval()
if connection.vendor == "postgresql":
    connection.watch()  # type: ignore[attr-defined]
daphne_requests.install()
daphne_sockets.install()
proxies.install_daphne_flag()
if "daphne.cli" in sys.modules:
    # Imported only under Daphne, as the import chooses Twisted's reactor.
    from config.patches import daphne_server

    daphne_server.install()
sockets = [
    *websocket_urlpatterns,
    *cockpit_urlpatterns,
    # Unknown paths are refused here without an error. (An ASGI application is a valid view.)
    re_path(r"", refuse_socket),  # type: ignore[arg-type]
]
websockets = URLRouter(
    [
        # The SDK authenticates by token, not by cookie: any origin is allowed.
        *sdk_urlpatterns,
        # Desk and cockpit load their sessions themselves and repeatedly, so no middleware does.
        re_path(r"", require_own_origin(with_session_key(limit_per_user(URLRouter(sockets))))),  # type: ignore[arg-type]
    ]
)
metrics_port = settings.METRICS_PORT if settings.METRICS else 0
application = ProtocolTypeRouter(
    {
        "http": keep_port_for_metrics(
            proxies.with_client_addresses(asgi_handler.application()), metrics_port
        ),
        "websocket": keep_port_for_metrics(proxies.with_client_addresses(websockets), metrics_port),
    }
)
