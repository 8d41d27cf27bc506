"""Check that the tables agree with each other, and that every secret can be read."""

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
    """Report counters and statuses that the rows contradict, and secrets that no key can read."""

    help = (
        "Recompute every counter and status from the rows, unseal every secret, and report what"
        " differs or cannot be read. Without an option nothing is changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to set right first."""
        parser.add_argument(
            "--recount",
            action="store_true",
            help="First count the live tasks again, by which statistics are shown.",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First do what --recount does, and count every worker's slots in use again, by"
            " which tasks are routed.",
        )

    def handle(self, *, recount: bool, repair: bool, **options: Any) -> None:
        """End with an error when anything differs."""
        if recount or repair:
            counting.recount()
        if repair:
            self.stdout.write(f"{repairs.count_slots()} worker channels were set right.")
        with _one_moment():
            found = list(diagnosis.problems())
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} problems found.")
        self.stdout.write(
            "Nothing to report: every counter and status agrees with the rows, and every secret can"
            " be read."
        )


@contextlib.contextmanager
def _one_moment() -> Iterator[None]:
    """Let everything be read as it is now, while others go on changing it and wait for nobody."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django's own transactions begin by keeping all others from writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
