"""The whole application with Django's own HTTP handler: the reference of bar 14."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

from config.asgi import application as shipped

application = ProtocolTypeRouter({**shipped.application_mapping, "http": get_asgi_application()})
