"""Names of the websocket groups: doors publish to them and sockets join them."""

from __future__ import annotations


def worker(sid: str) -> str:
    """Return the group of everything that concerns one worker."""
    return f"worker.{sid}"


def task_queue(sid: str) -> str:
    """Return the group of everything that waits in, enters or leaves one queue."""
    return f"task_queue.{sid}"


def is_of_worker(name: str) -> bool:
    """Return whether this is the group of a worker."""
    return name.startswith("worker.")


def is_of_task_queue(name: str) -> bool:
    """Return whether this is the group of a task queue."""
    return name.startswith("task_queue.")


def workspace(sid: str) -> str:
    """Return the group of everything that concerns the configuration of a workspace."""
    return f"workspace.{sid}"


def sessions(worker_sid: str) -> str:
    """Return the group of a worker's SDK sessions, for messages between them."""
    return f"sessions.{worker_sid}"


def desks(worker_sid: str) -> str:
    """Return the group of a worker's open desks, for messages about their sessions."""
    return f"desks.{worker_sid}"
