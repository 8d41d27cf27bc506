"""Whether this web process is about to end: what it refuses by then, and what others read of it."""

from __future__ import annotations


class Draining:
    """The state of this process's end.

    `is_asked` is set by SIGTERM: `/readyz` answers 503 from then on. `is_closed` is set when no new
    connection is accepted any more: what still comes by open connections is answered, and each
    answer ends its connection.
    """

    def __init__(self) -> None:
        """Begin with a process that is to go on."""
        self.is_asked = False
        self.is_closed = False


state = Draining()
