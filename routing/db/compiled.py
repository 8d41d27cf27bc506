"""Compile hot queries to SQL once and run them again with new parameters.

Django compiles a query every time, which for a row found by its sid costs ten times the database's
work. Here a queryset is compiled once with sample values. Its SQL is cached, and real values take
their places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models.query import (  # type: ignore[attr-defined]
    ModelIterable,
    get_related_populators,
)
from django.db.models.sql.subqueries import UpdateQuery

from routing.db.pipeline import cursor

Row = TypeVar("Row")


class _Many:
    """Placeholder for a sequence of values of one type.

    Arguments:
        sample: makes a sample from a place and a number; all samples must differ.
    """

    def __init__(self, sample: Callable[[int, int], Any]) -> None:
        self.sample = sample


MANY: Final = _Many(lambda place, number: -(place + 1) * 1_000_000 - number)
"""Placeholder for a sequence of ids."""
MANY_SIDS: Final = _Many(lambda place, number: f"sample {place}.{number}")
"""Placeholder for a sequence of sids."""
MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Sample of a moment."""
FEW: Final = 20
"""Longer sequences are compiled each time, because loading their rows costs more than that."""


class _Asked:
    """A query or update with varying values, and its compiled statements."""

    def __init__(self, make: Callable[..., Any], *samples: Any) -> None:
        self.make = make
        self.samples = samples
        self._statements: dict[tuple[str, ...], Any] = {}

    def _lengths(self, values: Sequence[Any]) -> list[int]:
        pairs = zip(values, self.samples, strict=True)
        return [len(value) for value, sample in pairs if isinstance(sample, _Many)]

    def _statement(self, kind: Callable[..., Any], values: Sequence[Any]) -> Any:
        """Return the compiled statement for these sequence lengths, on this kind of database."""
        key = (connection.vendor, *map(str, self._lengths(values)))
        found = self._statements.get(key)
        if found is None:
            samples = [
                [s.sample(place, i) for i in range(len(value))] if isinstance(s, _Many) else s
                for place, (s, value) in enumerate(zip(self.samples, values, strict=True))
            ]
            found = self._statements[key] = kind(self.make(*samples), _flat(samples))
        return found


class CompiledQuery(_Asked, Generic[Row]):
    """A query for rows, or for some of their columns, run with new values each time.

    Arguments:
        make: returns the queryset for these values. It is called once for each kind of database
            and each combination of sequence lengths. It may use `select_related`.
        samples: one value for each argument of `make`, of its type, and all of them different;
            `MANY` for a sequence of ids, `MANY_SIDS` for one of sids.
    """

    def __init__(self, make: Callable[..., models.QuerySet[Any, Row]], *samples: Any) -> None:
        super().__init__(make, *samples)

    def __call__(self, *values: Any) -> list[Row]:
        """Return the rows for these values."""
        return self.ask(*values)()

    def ask(self, *values: Any) -> Callable[[], list[Row]]:
        """Send the query for these values; the returned function gives the rows, see `pipeline`."""
        lengths = self._lengths(values)
        if not all(lengths):
            return list
        if lengths and max(lengths) > FEW:
            found = list(self.make(*values))
            return lambda: found
        query: _Query[Row] = self._statement(_Query, values)
        return query.ask(_flat(values))


class CompiledUpdate(_Asked):
    """A conditional update, run with new values each time.

    Arguments:
        make: returns the queryset for these values, and the changes to its rows.
        samples: as for `CompiledQuery`.
    """

    def __init__(
        self, make: Callable[..., tuple[models.QuerySet[Any], dict[str, Any]]], *samples: Any
    ) -> None:
        super().__init__(make, *samples)

    def __call__(self, *values: Any) -> int:
        """Return how many rows were changed."""
        return self.ask(*values)()

    def ask(self, *values: Any) -> Callable[[], int]:
        """Send the update; the returned function gives the number of rows, see `pipeline`."""
        lengths = self._lengths(values)
        if not all(lengths):
            return int
        if lengths and max(lengths) > FEW:
            asked = connection.cursor()
            asked.execute(*_updating(*self.make(*values)).as_sql())
            return _changed(asked)
        update: _Update = self._statement(_Update, values)
        return update.ask(_flat(values))


def _updating(rows: models.QuerySet[Any], changes: dict[str, Any]) -> Any:
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(changes)
    return query.get_compiler(connection=connection)


def _changed(asked: Any) -> Callable[[], int]:
    """Return a function that waits for an update and returns the number of changed rows."""

    def changed() -> int:
        with asked:
            return int(asked.rowcount)

    return changed


def _flat(values: Sequence[Any]) -> list[Any]:
    """Return values in one flat list."""
    return [one for v in values for one in (v if isinstance(v, list | tuple | set) else (v,))]


class _Statement:
    """A statement's SQL, and the positions of its parameters."""

    def __init__(self, compiler: Any, samples: Sequence[Any]) -> None:
        self.sql, parameters = compiler.as_sql()
        # Parameters that equal no sample are constants of the query.
        known = [*map(_told_apart, map(_adapted, samples))]
        self.fixed = list(parameters)
        self.places = [
            # Django wraps some integers in a type that fixes their size.
            (position, known.index(_told_apart(parameter)), _size_of(parameter))
            for position, parameter in enumerate(parameters)
            if _told_apart(parameter) in known
        ]
        used = {place for _, place, _ in self.places}
        assert used == {*range(len(samples))}, "a sample is lost, or given twice"

    def sent(self, values: Sequence[Any]) -> Any:
        """Return the cursor after sending the statement."""
        asked = cursor()
        try:
            asked.execute(self.sql, self.parameters(values))
        except BaseException:
            asked.close()
            raise
        return asked

    def parameters(self, values: Sequence[Any]) -> list[Any]:
        found = self.fixed.copy()
        for position, place, sized in self.places:
            value = _adapted(values[place])
            found[position] = value if sized is None else sized(value)
        return found


def _size_of(value: Any) -> type[Any] | None:
    """Return psycopg's type for integers of a fixed size, if the value has one.

    Compared by module name: importing psycopg takes a tenth of a start that uses SQLite.
    """
    kind = type(value)
    return kind if kind.__module__ == "psycopg.types.numeric" else None


def _told_apart(value: Any) -> tuple[type[Any], Any]:
    """Return a value with its type, because `True == 1`."""
    return (int if _size_of(value) else type(value)), value


def _adapted(value: Any) -> Any:
    """Return a value in the form that the database driver expects."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


class _Update(_Statement):
    """A compiled update."""

    def __init__(
        self, made: tuple[models.QuerySet[Any], dict[str, Any]], samples: Sequence[Any]
    ) -> None:
        super().__init__(_updating(*made), samples)

    def ask(self, values: Sequence[Any]) -> Callable[[], int]:
        return _changed(self.sent(values))


class _Query(_Statement, Generic[Row]):
    """A compiled query, and how its columns are converted to rows."""

    def __init__(self, rows: models.QuerySet[Any, Row], samples: Sequence[Any]) -> None:
        compiler = rows.query.get_compiler(connection=connection)
        super().__init__(compiler, samples)
        columns = [column for column, *_ in compiler.select]
        self.converters = sorted(compiler.get_converters(columns).items())
        self.model: type[models.Model] | None = None
        if issubclass(rows._iterable_class, ModelIterable):
            own = compiler.klass_info["select_fields"]
            self.model = rows.model
            self.own = slice(own[0], own[-1] + 1)
            self.names = [column.target.attname for column in columns[self.own]]
            assert self.names == [field.attname for field in self.model._meta.concrete_fields]
            self.related = get_related_populators(
                compiler.klass_info, compiler.select, connection.alias
            )

    def ask(self, values: Sequence[Any]) -> Callable[[], list[Row]]:
        asked = self.sent(values)

        def rows() -> list[Row]:
            with asked:
                found = asked.fetchall()
            if self.converters:
                found = [self._read(list(row)) for row in found]
            return cast("list[Row]", found if self.model is None else [*map(self._row, found)])

        return rows

    def _row(self, columns: Sequence[Any]) -> models.Model:
        assert self.model is not None
        row = self.model.from_db(connection.alias, self.names, columns[self.own])
        for populator in self.related:
            populator.populate(columns, row)
        return row

    def _read(self, row: list[Any]) -> list[Any]:
        for index, (functions, expression) in self.converters:
            for function in functions:
                row[index] = function(row[index], expression, connection)
        return row
