"""The whole application, but HTTP through Django's own handler: what bar 14 is measured beside."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from config.asgi import application as shipped

application = ProtocolTypeRouter({**shipped.application_mapping, "http": get_asgi_application()})
