"""Check that the tables agree with each other, and that every secret can be decrypted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from routing import diagnosis
from routing.actions import repairs
from routing.statistics import counting


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
            help="First recount the live tasks, which statistics use.",
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
        if repair:
            self.stdout.write(f"{repairs.recount_slots()} worker channels were corrected.")
        with _consistent_snapshot():
            found = list(diagnosis.find_problems())
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} problems found.")
        self.stdout.write(
            "Nothing to report: every counter and status agrees with the rows, and every secret can"
            " be read."
        )


@contextlib.contextmanager
def _consistent_snapshot() -> Iterator[None]:
    """Read everything from one snapshot, without blocking writers."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django's own transactions would lock out all writers.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
