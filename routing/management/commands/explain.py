"""Explain in words why a task is in its current state."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing import models
from routing.explanations import facts, wording


class Command(BaseCommand):
    """Print the content of GET …/Tasks/WT…/Explanation as sentences."""

    help = (
        "Explain why a task waits, or who has it: its steps, its next deadline, and every worker."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the task."""
        parser.add_argument("task", metavar="WT…", help="the sid of a task")

    def handle(self, **options: Any) -> None:
        """Print the explanation; raise `CommandError` if there is no such task."""
        sid = options["task"]
        task = models.Task.objects.select_related(*facts.READ_WITH).filter(sid=sid).first()
        if task is None:
            raise CommandError(f"There is no task {sid}.")
        for line in wording.write_report(facts.explain_task(task, now=timezone.now())):
            self.stdout.write(line)
