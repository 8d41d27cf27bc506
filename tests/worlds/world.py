"""The interface of a scenario's world: workers, queues, one workflow, tasks and a clock.

`CoreWorld` applies the decisions of the core to values in memory. `DatabaseWorld` calls actions on
tables. A scenario runs in both, and its results must agree.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any

from routing.core.clock import microseconds
from tests.factories import NOW


class World(ABC):
    """Workers, queues, one workflow, tasks by name, and a clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @property
    def now(self) -> datetime:
        """Return the present moment of the world."""
        return NOW + timedelta(seconds=self.seconds)

    @property
    def now_us(self) -> int:
        """Return the present moment in microseconds."""
        return microseconds(self.now)

    def wait(self, seconds: float) -> None:
        """Move the clock, then let the router run."""
        self.seconds += seconds
        self.run()

    def workflow(
        self, *filters: dict[str, Any], default: str | dict[str, Any] | None = None
    ) -> None:
        """Set the workflow of the tasks; `default` is a queue's sid or a target."""
        routing: dict[str, Any] = {"filters": list(filters)}
        if default is not None:
            routing["default_filter"] = {"queue": default} if isinstance(default, str) else default
        self.configure(json.dumps({"task_routing": routing}))

    def tasks(self, *names: str, **given: Any) -> None:
        """Create several tasks alike, one second apart, oldest first."""
        for name in names:
            self.task(name, **given)
            self.seconds += 1

    @abstractmethod
    def queue(self, name: str, **given: Any) -> str:
        """Make a queue and return its sid; see `TaskQueue` for what can be given."""

    @abstractmethod
    def configure(self, document: str, *, reservation_timeout: int = 120) -> None:
        """Set the workflow's configuration."""

    @abstractmethod
    def worker(
        self,
        name: str,
        *,
        capacity: dict[str, int] | None = None,
        available: bool = True,
        **attributes: Any,
    ) -> None:
        """Make a worker with these attributes."""

    @abstractmethod
    def task(
        self,
        name: str,
        *,
        channel: str = "chat",
        priority: int = 0,
        started: float = 0,
        **attributes: Any,
    ) -> None:
        """Create a task with these attributes; the router has not run yet.

        Arguments:
            started: how many seconds ago its virtual start lies.
        """

    @abstractmethod
    def update(self, task: str, **attributes: Any) -> None:
        """Give a task these attributes and no others."""

    @abstractmethod
    def run(self) -> None:
        """Run the router now."""

    @abstractmethod
    def status(self, task: str) -> str:
        """Return a task's assignment status."""

    @abstractmethod
    def offers(self, worker: str) -> list[str]:
        """Return the names of the tasks on offer to a worker, oldest offer first."""

    @abstractmethod
    def queue_of(self, task: str) -> str | None:
        """Return the sid of the queue a task is in."""

    @abstractmethod
    def answer(self, worker: str, task: str, answer: str) -> None:
        """Accept, reject, wrap up or complete: `accepted`, `rejected`, `wrapping`, `completed`."""

    @abstractmethod
    def cancel(self, task: str) -> None:
        """Cancel a waiting task."""

    @abstractmethod
    def delete(self, task: str) -> None:
        """Delete a task, whatever its state."""

    @abstractmethod
    def grab(self, worker: str, task: str) -> str | None:
        """Grab a task for a worker; return the refusal, or None if they have it."""

    @abstractmethod
    def set_channel(self, worker: str, channel: str, **changes: Any) -> None:
        """Change `configured_capacity`, `available` or `reserved_for_manual`."""

    @abstractmethod
    def percentage(self, worker: str, channel: str) -> int:
        """Return the available capacity percentage."""

    @abstractmethod
    def assigned(self, worker: str, channel: str) -> int:
        """Return how many tasks count as assigned."""

    @abstractmethod
    def sid(self, worker: str) -> str:
        """Return a worker's sid."""

    @abstractmethod
    def sign(self, worker: str, *, available: bool) -> None:
        """Move a worker to an available or an unavailable activity."""

    @abstractmethod
    def is_available(self, worker: str) -> bool:
        """Return whether a worker's activity is available."""

    @abstractmethod
    def set_multitasking(self, enabled: bool) -> None:
        """Switch multitasking on or off."""

    @abstractmethod
    def pause_after_rejections(self, seconds: int) -> None:
        """Set for how long a task is not offered again to a worker who has rejected it."""

    @abstractmethod
    def serve_first(self, order: str) -> None:
        """Set which kind of queue is served first: FIFO or LIFO."""
