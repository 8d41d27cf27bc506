"""Name the websocket groups: what a door publishes to and a socket joins."""

from __future__ import annotations


def worker(sid: str) -> str:
    """Return the group of everything that concerns one worker."""
    return f"worker.{sid}"


def task_queue(sid: str) -> str:
    """Return the group of everything that waits in, enters or leaves one queue."""
    return f"task_queue.{sid}"


def is_of_worker(name: str) -> bool:
    """Tell whether a group is of everything that concerns one worker."""
    return name.startswith("worker.")


def is_of_task_queue(name: str) -> bool:
    """Tell whether a group is of what happens in one queue."""
    return name.startswith("task_queue.")


def workspace(sid: str) -> str:
    """Return the group of everything that concerns the configuration of a workspace."""
    return f"workspace.{sid}"


def sessions(worker_sid: str) -> str:
    """Return the group of a worker's sessions of the SDK, for what they tell each other."""
    return f"sessions.{worker_sid}"


def desks(worker_sid: str) -> str:
    """Return the group of a worker's open desks, for what concerns their sessions."""
    return f"desks.{worker_sid}"
