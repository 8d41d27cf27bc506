"""The state of this web process's shutdown, read by probes and connections."""

from __future__ import annotations


class Draining:
    """The two stages of the shutdown.

    `is_asked` is set by SIGTERM: `/readyz` answers 503 from then on. `is_closed` is set when no new
    connection is accepted any more: requests on open connections are still answered, and each
    answer closes its connection.

    `shared_listener` is the descriptor of the listening socket if other processes serve it too.
    """

    shared_listener: int | None = None

    def __init__(self) -> None:
        """Create the state of a process that is not shutting down."""
        self.is_asked = False
        self.is_closed = False


state = Draining()
