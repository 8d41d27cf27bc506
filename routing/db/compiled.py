"""Compile hot queries to SQL once and run them again with new values.

Django compiles a query every time, which for a row found by its sid costs ten times the database's
work. Here a queryset is compiled once, with a `Parameter` in the place of each value. Its SQL is
cached, and values take the places in which the parameters are found again.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models.query import (  # type: ignore[attr-defined]
    ModelIterable,
    get_related_populators,
)
from django.db.models.sql.subqueries import UpdateQuery

from routing.db.pipeline import Pending, open_cursor

Row = TypeVar("Row")
Result = TypeVar("Result")

MAX_PREPARED_LENGTH: Final = 20
"""Longest sequence whose SQL is prepared; loading more rows costs more than planning does."""


class Parameter(models.Value):
    """The place of a value in a queryset: the compiled SQL has this very object as a parameter.

    Arguments:
        field: prepares the value for the database; needed where SQL computes with the value.
        is_sequence: whether the value is a sequence, for `__in`.
    """

    def __init__(
        self, field: models.Field[Any, Any] | None = None, *, is_sequence: bool = False
    ) -> None:
        super().__init__(None, output_field=field)
        self.value_field = field
        self.is_sequence = is_sequence

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return a placeholder, and this object as its parameter."""
        return "(%s)" if self.is_sequence else "%s", [self]

    as_sqlite = as_sql

    def copy(self) -> Parameter:
        """Return this object, because Django copies what it resolves."""
        return self

    __eq__ = object.__eq__
    __hash__ = object.__hash__


SEQUENCE: Final[Any] = functools.partial(Parameter, is_sequence=True)
"""Default of an argument for `__in`; an empty sequence finds no rows, without a query."""
MOMENT: Final[Any] = functools.partial(Parameter, models.DateTimeField())
"""Default of an argument that is a moment."""
TEXT: Final[Any] = functools.partial(Parameter, models.TextField())
"""Default of an argument that is a text or None."""
FLAG: Final[Any] = functools.partial(Parameter, models.BooleanField())
"""Default of an argument that is a boolean."""
INTEGER: Final[Any] = functools.partial(Parameter, models.IntegerField())
"""Default of an argument that is added to a column, or subtracted from it."""
BIG_INTEGER: Final[Any] = functools.partial(Parameter, models.BigIntegerField())
"""Default of an argument that SQL compares with other 64-bit integers, such as microseconds."""


class _Compiled(ABC, Generic[Result]):
    """A query or update with varying values, compiled at its first use on a kind of database.

    Arguments:
        make: makes the query, once, from one `Parameter` for each of its arguments. An argument's
            default says what kind of parameter it gets: `SEQUENCE`, `MOMENT` and so on.
    """

    _empty: Callable[[], Result]

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self.parameters: Final[list[Parameter]] = [
            Parameter() if argument.default is argument.empty else argument.default()
            for argument in inspect.signature(make).parameters.values()
        ]
        self._sequences = [i for i, each in enumerate(self.parameters) if each.is_sequence]
        self._statements: dict[str, _Statement[Result]] = {}

    def __call__(self, *values: Any) -> Result:
        """Run the statement with these values and return its result."""
        return self.send(*values).result()

    def send(self, *values: Any) -> Pending[Result]:
        """Send the statement with these values, see `pipeline`."""
        if len(values) != len(self.parameters):
            raise TypeError(f"{len(self.parameters)} values are needed, not {len(values)}")
        lengths = tuple([len(values[i]) for i in self._sequences])
        if not all(lengths):
            return Pending(self._empty)
        vendor = connection.vendor
        statement = self._statements.get(vendor)
        if statement is None:
            statement = self._statements[vendor] = self._compile(self._make(*self.parameters))
        return statement.send(values, lengths)

    @abstractmethod
    def _compile(self, made: Any) -> _Statement[Result]:
        """Return the statement of what `make` returned."""


class CompiledQuery(_Compiled[list[Row]], Generic[Row]):
    """A query for rows, or for some of their columns, run with new values each time.

    Arguments:
        make: returns the queryset, see `_Compiled`. It may use `select_related` and
            `annotate`.
    """

    _empty = list

    def __init__(self, make: Callable[..., models.QuerySet[Any, Row]]) -> None:
        super().__init__(make)

    def _compile(self, made: models.QuerySet[Any, Row]) -> _Query[Row]:
        return _Query(made, self.parameters)


class CompiledUpdate(_Compiled[int]):
    """A conditional update, run with new values each time; its result is the number of rows.

    Arguments:
        make: returns the queryset and the changes to its rows, see `_Compiled`.
    """

    _empty = int

    def __init__(self, make: Callable[..., tuple[models.QuerySet[Any], dict[str, Any]]]) -> None:
        super().__init__(make)

    def _compile(self, made: tuple[models.QuerySet[Any], dict[str, Any]]) -> _Update:
        return _Update(*made, self.parameters)


class _Statement(ABC, Generic[Result]):
    """The SQL of a statement, and the positions of its parameters."""

    def __init__(self, compiler: Any, parameters: Sequence[Parameter]) -> None:
        self._sql, values = compiler.as_sql()
        # What is not a parameter is a constant of the query.
        self._constants = list(values)
        index = {id(parameter): i for i, parameter in enumerate(parameters)}
        # From right to left: a sequence that is filled in moves only what is right of it.
        self._places = [
            (position, index[id(value)], value)
            for position, value in reversed([*enumerate(values)])
            if isinstance(value, Parameter)
        ]
        if {i for _, i, _ in self._places} != {*index.values()}:
            raise ValueError(f"a parameter is missing in the SQL: {self._sql}")
        self._texts: dict[tuple[int, ...], str] = {}

    def send(self, values: Sequence[Any], lengths: tuple[int, ...]) -> Pending[Result]:
        """Send the statement with these values, whose sequences have these lengths."""
        is_prepared = not lengths or max(lengths) <= MAX_PREPARED_LENGTH
        text = self._texts.get(lengths)
        if text is None:
            text = self._text(values)
            if is_prepared:
                self._texts[lengths] = text
        cursor = open_cursor() if is_prepared else connection.cursor()
        try:
            cursor.execute(text, self._fill(values))
        except BaseException:
            cursor.close()
            raise
        return Pending(functools.partial(self._read, cursor))

    def _text(self, values: Sequence[Any]) -> str:
        """Return the SQL with as many placeholders as the sequences have members."""
        marks = ["%s"] * len(self._constants)
        for position, i, parameter in self._places:
            if parameter.is_sequence:
                marks[position] = ", ".join(["%s"] * len(values[i]))
        parts = zip(self._sql.split("%s"), [*marks, ""], strict=True)
        return "".join(itertools.chain.from_iterable(parts))

    def _fill(self, values: Sequence[Any]) -> list[Any]:
        """Return the constants with these values in their places, as the driver expects them."""
        filled = self._constants.copy()
        for position, i, parameter in self._places:
            value = values[i]
            if parameter.is_sequence:
                filled[position : position + 1] = value
            elif parameter.value_field is None:
                filled[position] = value
            else:
                filled[position] = parameter.value_field.get_db_prep_value(value, connection, True)
        return filled

    @abstractmethod
    def _read(self, cursor: Any) -> Result:
        """Return the result, and close the cursor."""


class _Update(_Statement[int]):
    """A compiled update."""

    def __init__(
        self,
        rows: models.QuerySet[Any],
        changes: dict[str, Any],
        parameters: Sequence[Parameter],
    ) -> None:
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(changes)
        super().__init__(query.get_compiler(connection=connection), parameters)

    def _read(self, cursor: Any) -> int:
        with cursor:
            return int(cursor.rowcount)


class _Query(_Statement[list[Row]], Generic[Row]):
    """A compiled query, and how its columns become rows."""

    def __init__(self, rows: models.QuerySet[Any, Row], parameters: Sequence[Parameter]) -> None:
        compiler = rows.query.get_compiler(connection=connection)
        super().__init__(compiler, parameters)
        columns = [column for column, *_ in compiler.select]
        self._converters = sorted(compiler.get_converters(columns).items())
        self._model: type[models.Model] | None = None
        if issubclass(rows._iterable_class, ModelIterable):
            own = compiler.klass_info["select_fields"]
            self._model = rows.model
            self._own = slice(own[0], own[-1] + 1)
            self._names = [column.target.attname for column in columns[self._own]]
            assert self._names == [field.attname for field in self._model._meta.concrete_fields]
            self._related = get_related_populators(
                compiler.klass_info, compiler.select, connection.alias
            )
            self._annotations = [*compiler.annotation_col_map.items()]

    def _read(self, cursor: Any) -> list[Row]:
        with cursor:
            found = cursor.fetchall()
        if self._converters:
            found = [self._convert(list(columns)) for columns in found]
        return cast("list[Row]", found if self._model is None else [*map(self._row, found)])

    def _row(self, columns: Sequence[Any]) -> models.Model:
        assert self._model is not None
        row = self._model.from_db(connection.alias, self._names, columns[self._own])
        for populator in self._related:
            populator.populate(columns, row)
        for name, index in self._annotations:
            setattr(row, name, columns[index])
        return row

    def _convert(self, columns: list[Any]) -> list[Any]:
        for index, (functions, expression) in self._converters:
            for function in functions:
                columns[index] = function(columns[index], expression, connection)
        return columns
