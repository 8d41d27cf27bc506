"""All commands of supervisors by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from routing.actions.supervision import queue_commands, task_commands, worker_commands
from routing.actions.supervision.commands import Command

COMMANDS: Final[Mapping[str, Command]] = {
    **worker_commands.COMMANDS,
    **task_commands.COMMANDS,
    **queue_commands.COMMANDS,
}
