"""Check that the tables agree with each other, and that every secret can be decrypted."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing import diagnosis
from routing.actions import repairs
from routing.db.consistent import consistent_snapshot
from routing.statistics import counting, recounts


class Command(BaseCommand):
    """Report counters and statuses that disagree with the rows, and unreadable secrets."""

    help = (
        "Recompute every counter and status from the rows, unseal every secret, and report what"
        " differs or cannot be read. Without an option nothing is changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options for repairs."""
        parser.add_argument(
            "--recount",
            action="store_true",
            help="First recount the live tasks, which statistics use, and the figures of all"
            " quarters whose events are kept.",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First do what --recount does, and recount every worker's slots in use, which"
            " routing uses.",
        )

    def handle(self, *, recount: bool, repair: bool, **options: Any) -> None:
        """Raise `CommandError` if anything differs."""
        if recount or repair:
            counting.recount_tasks()
            counted = recounts.recount_figures(now=timezone.now())
            self.stdout.write(f"The figures of {counted} quarters were counted again.")
        if repair:
            self.stdout.write(f"{repairs.recount_slots()} worker channels were corrected.")
        with consistent_snapshot():
            found = list(diagnosis.find_problems())
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} problems found.")
        self.stdout.write(
            "Nothing to report: every counter and status agrees with the rows, and every secret can"
            " be read."
        )
