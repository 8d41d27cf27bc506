"""Shared parts of the tables: sids, dates, choices from the vocabulary."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models


def sid_field() -> models.CharField[str, str]:
    """Return the column of a sid.

    Its uniqueness is a constraint of each table (`unique_sid`), not of the column. On PostgreSQL a
    unique text column gets a second index for LIKE, which no query here uses.
    """
    return models.CharField("SID", max_length=34, editable=False)


def unique_sid(table: str) -> models.UniqueConstraint:
    """Return the constraint that makes a table's sid unique."""
    return models.UniqueConstraint(fields=["sid"], name=f"{table}_sid")


def choices(vocabulary: type[StrEnum]) -> list[tuple[str, str]]:
    """Return a closed vocabulary as a column's choices."""
    return [(member.value, member.value) for member in vocabulary]


def words(values: Any) -> list[str]:
    """Return enum members as plain text for migrations and SQL conditions."""
    return sorted(str(value.value) for value in values)


@models.CharField.register_lookup
class Spelled(models.Lookup):  # type: ignore[type-arg]  # not subscriptable when it runs
    """`status__spelled=["pending"]`: one of these words, as a literal in the SQL.

    SQLite uses a partial index only if the query text implies the index's condition, which a
    parameter cannot do. The words come from a vocabulary, never from user input.
    """

    lookup_name = "spelled"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the comparison with the literals of the partial indexes."""
        column, parameters = self.process_lhs(compiler, connection)
        status = [word for word in words(self.rhs) if word.isalpha()]
        assert len(status) == len(list(self.rhs))
        if len(status) == 1:
            return f"{column} = '{status[0]}'", parameters
        return f"{column} IN ({', '.join(repr(word) for word in status)})", parameters


class Dated(models.Model):
    """Creation and last change of a row; actions set both from their `now`."""

    date_created = models.DateTimeField(editable=False)
    date_updated = models.DateTimeField(editable=False)

    class Meta:
        abstract = True
