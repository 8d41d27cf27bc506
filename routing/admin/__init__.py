"""The admin, one model per module; importing a module registers its model."""

from __future__ import annotations

from routing.admin import (
    accounts,
    activities,
    api_keys,
    callbacks,
    events,
    memberships,
    outcome_codes,
    reservations,
    task_channels,
    task_queues,
    tasks,
    users,
    workers,
    workflows,
    workspaces,
)

__all__ = [
    "accounts",
    "activities",
    "api_keys",
    "callbacks",
    "events",
    "memberships",
    "outcome_codes",
    "reservations",
    "task_channels",
    "task_queues",
    "tasks",
    "users",
    "workers",
    "workflows",
    "workspaces",
]
