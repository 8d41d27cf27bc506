"""Keep everything but metrics away from the port that is for metrics alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

Application = Callable[..., Awaitable[None]]
PATHS: Final = ("/metrics", "/metrics/queues")


def keep_port_for_metrics(application: Application, port: int) -> Application:
    """Return an application that answers only metrics at a port; the others are as before."""
    if not port:
        return application

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        _host, arrived_at = scope.get("server") or ("", None)
        if arrived_at != port or (scope["type"] == "http" and scope["path"] in PATHS):
            await application(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 404, "headers": headers})
            await send({"type": "http.response.body", "body": b"Metrics are at /metrics.\n"})
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4404})

    return answer
