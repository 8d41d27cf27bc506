"""Erase the data that finished tasks and their events hold of a customer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing.actions import erasures
from routing.actions.support.errors import InvalidInput
from routing.actors import SYSTEM

MOST_NAMED = 10
"""Number of unfinished tasks that the error names."""


class Command(BaseCommand):
    """Find tasks by their attributes, and erase attributes and reasons in them and their events."""

    help = (
        "Erase the attributes and reasons of finished tasks, and of all their events, by a value of"
        " an attribute. Without --yes it only counts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the workspace, the condition and the confirmation."""
        parser.add_argument("workspace", metavar="WS…", help="a workspace's sid, deleted or not")
        parser.add_argument(
            "where", help="an expression as in a workflow's filter: \"customer.id == '4711'\""
        )
        parser.add_argument("--yes", action="store_true", help="erase what was found")

    def handle(self, *, workspace: str, where: str, yes: bool, **_: Any) -> None:
        """Erase or count; raise `CommandError` if matching tasks are left."""
        try:
            done = erasures.erase_tasks(
                workspace_sid=workspace,
                where=where,
                count_only=not yes,
                actor=SYSTEM,
                now=timezone.now(),
            )
        except InvalidInput as error:
            raise CommandError(error.message) from None
        what = f"{done.tasks} finished or deleted tasks, and {done.events} of their events"
        if done.views:
            what += f", and {done.views} saved views of the cockpit that search for the value"
        if yes:
            self.stdout.write(f"Erased: {what}.")
        else:
            self.stdout.write(f"Found: {what}. Nothing was changed; --yes erases them.")
        if done.unfinished:
            named = ", ".join(done.unfinished[:MOST_NAMED])
            raise CommandError(
                f"{len(done.unfinished)} tasks that match are not finished ({named}). Complete or"
                " cancel them, and run this again."
            )
        if done.more:
            again = "; run this again for the others" if yes else ""
            raise CommandError(f"More than {erasures.MOST_TASKS} tasks match{again}.")
