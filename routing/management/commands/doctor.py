"""Check that the tables agree with each other."""

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
    """Report every counter and status that the rows themselves contradict."""

    help = "Recompute every counter and status from the rows, and report what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to set right first."""
        parser.add_argument(
            "--recount", action="store_true", help="First count all live tasks anew."
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First count live tasks and slots in use anew, and note who is available.",
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
            raise CommandError(f"{len(found)} differences found.")
        self.stdout.write("Nothing to report: every counter and status agrees with the rows.")


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
