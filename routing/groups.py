"""Names of the websocket groups: doors publish to them and sockets join them."""

from __future__ import annotations


def worker_group(sid: str) -> str:
    """Return the group of everything that concerns one worker."""
    return f"worker.{sid}"


def task_queue_group(sid: str) -> str:
    """Return the group of everything that waits in, enters or leaves one queue."""
    return f"task_queue.{sid}"


def is_worker_group(name: str) -> bool:
    """Return whether this is the group of a worker."""
    return name.startswith("worker.")


def is_task_queue_group(name: str) -> bool:
    """Return whether this is the group of a task queue."""
    return name.startswith("task_queue.")


def workspace_group(sid: str) -> str:
    """Return the group of everything that concerns the configuration of a workspace."""
    return f"workspace.{sid}"


def sessions_group(worker_sid: str) -> str:
    """Return the group of a worker's SDK sessions, for messages between them."""
    return f"sessions.{worker_sid}"


def desks_group(worker_sid: str) -> str:
    """Return the group of a worker's open desks, for messages about their sessions."""
    return f"desks.{worker_sid}"


def floor_group(workspace_sid: str) -> str:
    """Return the group of those who watch the floor of a workspace."""
    return f"floor.{workspace_sid}"
