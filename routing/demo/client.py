"""A REST client, as an integration would use: forms in, JSON out."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlencode


class ApiError(Exception):
    """The server refused a request; the message is the server's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Client:
    """A connection to one server, reused between requests."""

    def __init__(self, *, host: str, port: int, username: str, password: str) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=10)
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}

    def close(self) -> None:
        """Close the connection; a later request opens another."""
        self._connection.close()

    def get(self, path: str, **query: Any) -> Any:
        """Fetch a path below `/v1`."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, **form: Any) -> Any:
        """POST a form to a path below `/v1`."""
        return self._call("POST", path, urlencode(form))

    def create(self, path: str, key: str, **form: Any) -> Any:
        """POST a form that creates; repeated with its idempotency key it creates nothing new."""
        return self._call("POST", path, urlencode(form), key=key)

    def _call(self, method: str, path: str, body: str | None, *, key: str = "") -> Any:
        headers = dict(self._headers)
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self._connection.request(method, f"/v1{path}", body, headers)
            response = self._connection.getresponse()
            text = response.read()
        except BaseException:
            # Closed also when interrupted, as a half-sent request makes the connection unusable.
            self._connection.close()
            raise
        answer = json.loads(text or b"{}")
        if response.status >= 400:
            raise ApiError(response.status, str(answer.get("message", text[:200])))
        return answer
