"""Hand requests on as they came: Twisted would read their forms first, for nobody.

It would read each form a second time, and answer one that it cannot read with an empty 400.
"""

from __future__ import annotations

from daphne import http_protocol


class PlainRequest(http_protocol.WebRequest):  # type: ignore[misc]
    """A request whose body only the application reads."""

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Take the request in once it is whole."""
        self._parsePOSTFormSubmission = False
        super().requestReceived(command, path, version)


def install() -> None:
    """Let Daphne take all requests in like this."""
    http_protocol.WebRequest = PlainRequest
