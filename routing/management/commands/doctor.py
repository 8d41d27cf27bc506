"""Check that the tables agree with each other."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routing import diagnosis
from routing.statistics import counting


class Command(BaseCommand):
    """Report every counter and status that the rows themselves contradict."""

    help = "Recompute every counter and status from the rows, and report what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether to count tasks anew."""
        parser.add_argument(
            "--recount", action="store_true", help="First count all live tasks anew."
        )

    def handle(self, *, recount: bool, **options: Any) -> None:
        """End with an error when anything differs."""
        if recount:
            counting.recount()
        found = list(diagnosis.problems())
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} differences found.")
        self.stdout.write("Nothing to report: every counter and status agrees with the rows.")
