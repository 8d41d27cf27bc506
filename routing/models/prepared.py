"""Put the questions of every request together once, and then only ask them.

Django makes the SQL of a query anew each time, which for a row found by its sid costs ten times
what the database takes. Here a queryset is made once, of samples; its SQL is kept, and values take
the samples' places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


class Prepared(Generic[Row]):
    """A query for whole rows of one model, without relations, asked with values given each time.

    Arguments:
        make: gives the queryset for these values; called once for each kind of database.
        samples: one value for each of its arguments, of the type of those that will be given, and
            all of them different.
    """

    def __init__(self, make: Callable[..., models.QuerySet[Row]], *samples: Any) -> None:
        self.make = make
        self.samples = samples
        self._compiled: dict[str, _Compiled[Row]] = {}

    def __call__(self, *values: Any) -> list[Row]:
        """Return the rows for these values."""
        compiled = self._compiled.get(connection.vendor)
        if compiled is None:
            compiled = _Compiled(self.make(*self.samples), self.samples)
            self._compiled[connection.vendor] = compiled
        return compiled.rows(values)


class _Compiled(Generic[Row]):
    """A query's SQL, where its values stand in it, and how its columns are read."""

    def __init__(self, queryset: models.QuerySet[Row], samples: Sequence[Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        self.sql, parameters = compiler.as_sql()
        self.places = [samples.index(parameter) for parameter in parameters]
        assert {*self.places} == {*range(len(samples))}, "a sample is lost, or given twice"
        self.model: type[Row] = queryset.model
        self.names = [field.attname for field in self.model._meta.concrete_fields]
        columns = [column for column, *_ in compiler.select]
        assert [column.target.attname for column in columns] == self.names
        self.converters = sorted(compiler.get_converters(columns).items())

    def rows(self, values: Sequence[Any]) -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [values[place] for place in self.places])
            found = cursor.fetchall()
        return [
            self.model.from_db(connection.alias, self.names, self._read(list(row))) for row in found
        ]

    def _read(self, row: list[Any]) -> list[Any]:
        for index, (functions, expression) in self.converters:
            for function in functions:
                row[index] = function(row[index], expression, connection)
        return row
