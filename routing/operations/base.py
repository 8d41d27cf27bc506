"""Operations on resources, the same for every door: arguments in, rows out.

An operation declares its parameters and its rows, and calls the action that makes a change. Only
actions change rows. A door reads its own request, builds a `Context`, and renders the rows.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar, cast

from django.db import models as db
from django.db.models import QuerySet

from routing import models, sids
from routing.actions.support.errors import StaleState
from routing.actors import Actor
from routing.db.compiled import CompiledQuery
from routing.db.guarded import GuardedQuery
from routing.operations import keysets, pagination, parameters
from routing.operations.context import Context
from routing.operations.errors import NotFound
from routing.operations.forms import Form
from routing.operations.scan_limits import limit_scans

Row = TypeVar("Row", bound=db.Model)
Arguments = Mapping[str, Any]
"""Arguments read from a form, by the names of the actions' parameters."""

_WORKSPACE: Final = GuardedQuery(
    lambda account, sid: models.Workspace.objects.filter(account_id=account, sid=sid)
)
_UNIQUE_NAME: Final = re.compile(r"[A-Za-z0-9_$]{1,64}")


def load_workspace(account: models.Account, sid: str, *, path: str) -> models.Workspace:
    """Return a workspace of an account; raises `NotFound` if the account has no such workspace.

    Arguments:
        path: the path that the error names.
    """
    if sids.is_valid(sid, "WS"):
        for row in _WORKSPACE(account.pk, sid):
            row.account = account
            return row
    raise NotFound(path)


class Operation:
    """Base of all operations: one request on one resource.

    Arguments:
        names: the sids and unique names in the path, without the workspace's.
    """

    params: ClassVar[tuple[parameters.Param, ...]] = ()
    """The parameters of the form of a creation or a change."""

    def __init__(self, context: Context, **names: str) -> None:
        self.context = context
        self.names = names

    @property
    def workspace(self) -> models.Workspace:
        """Return the workspace in the path."""
        workspace = self.context.workspace
        assert workspace is not None
        return workspace

    @property
    def actor(self) -> Actor:
        """Return the actor that changes are recorded under."""
        return self.context.actor

    @property
    def now(self) -> datetime:
        """Return the time of the request."""
        return self.context.now

    def read_arguments(self, form: Form) -> dict[str, Any]:
        """Return the arguments that a form gives. Raises `ApiError`."""
        return parameters.read_arguments(self.params, form, workspace=self.context.workspace)

    def sid(self, name: str, prefix: str) -> str:
        """Return a sid of the path; raises `NotFound` if it is malformed."""
        value = self.names[name]
        if not sids.is_valid(value, prefix):
            raise NotFound(self.context.path)
        return value

    def unique_name(self, name: str) -> str:
        """Return a unique name of the path; raises `NotFound` if it is malformed."""
        value = self.names[name]
        if not _UNIQUE_NAME.fullmatch(value):
            raise NotFound(self.context.path)
        return value.lower()

    def first_row(self, rows: Iterable[Row]) -> Row:
        """Return the first of these rows; raises `NotFound` if there is none."""
        for row in rows:
            return row
        raise NotFound(self.context.path)

    def load_row(self, query: CompiledQuery[Row], *names: str) -> Row:
        """Return the workspace's row with these names; raises `NotFound` if there is none.

        Arguments:
            query: see `references.compile_lookup`.
        """
        row: Any = self.first_row(query(self.workspace.pk, *names))
        row.workspace = self.workspace
        return cast(Row, row)


class ListOperation(Operation, ABC, Generic[Row]):
    """Operations on a list: select its rows, and create one."""

    filters: ClassVar[tuple[parameters.Param, ...]] = ()
    """The parameters that select rows."""
    python_filters: ClassVar[tuple[str, ...]] = ()
    """The names of those filters that must be evaluated in Python."""
    scanned_columns: ClassVar[tuple[str, ...]] = ()
    """The columns that these filters and the orders read; without any, rows are loaded whole."""
    order: ClassVar[keysets.Order] = keysets.OLDEST_FIRST
    indexed_orders: ClassVar[tuple[keysets.Order, ...]] = ()
    """Further orders that have an index."""

    @abstractmethod
    def rows(self) -> QuerySet[Row]:
        """Return all rows that the list may show, with the relations that it shows."""

    def filter_rows(self, rows: QuerySet[Row], arguments: Arguments) -> QuerySet[Row]:
        """Return the rows that match the filters."""
        return rows

    def filter_page(
        self, rows: QuerySet[Row], arguments: Arguments, token: keysets.Token | None
    ) -> QuerySet[Row]:
        """Return the rows that match the filters, among which the page begins at a token."""
        return self.filter_rows(rows, arguments)

    def python_filter(self, arguments: Arguments) -> pagination.RowFilter | None:
        """Return the filter that must be evaluated in Python, if any."""
        return None

    def choose_order(self, arguments: dict[str, Any]) -> keysets.Order:
        """Return the order, and remove it from the arguments."""
        return cast(keysets.Order, arguments.pop("ordering", self.order))

    @contextmanager
    def open_query(self, form: Form) -> Iterator[ListQuery[Row]]:
        """Yield the query that a form describes. Raises `ApiError`.

        Only one such query of an account evaluates a filter in Python at a time.
        """
        rows = self.rows()
        is_scan = any(name in form for name in self.python_filters)
        with limit_scans(self.context.account.sid, is_scan):
            arguments = parameters.read_arguments(
                self.filters, form, workspace=self.context.workspace
            )
            is_ordered = "ordering" in arguments
            order = self.choose_order(arguments)
            yield ListQuery(self, rows, arguments, order, is_ordered)

    def create(self, arguments: Arguments) -> Row:
        """Create a row."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ListQuery(Generic[Row]):
    """The filters and the order of one request for a list.

    Arguments:
        rows: all rows of the list.
        is_ordered: whether the request chose the order.
    """

    operation: ListOperation[Row]
    rows: QuerySet[Row]
    arguments: Arguments
    order: keysets.Order
    is_ordered: bool

    def load_page(self, wanted: pagination.PageRequest) -> pagination.Page[Row]:
        """Load one page of the selected rows."""
        operation = self.operation
        return pagination.load_page(
            operation.filter_page(self.rows, self.arguments, wanted.token),
            wanted,
            self.order,
            indexed=self.order in (operation.order, *operation.indexed_orders),
            accept=operation.python_filter(self.arguments),
            scanned_columns=operation.scanned_columns,
        )


class InstanceOperation(Operation, ABC, Generic[Row]):
    """Operations on one row: find, change and delete it."""

    @abstractmethod
    def find(self) -> Row:
        """Return the row that the path names; raises `NotFound`."""

    def change(self, row: Row, form: Form) -> Row:
        """Change a row as a form demands, and return it; an empty form changes nothing."""
        arguments = self.read_arguments(form)
        if not arguments:
            self.expected_version(row)
            return row
        return self.update(row, arguments)

    def update(self, row: Row, arguments: dict[str, Any]) -> Row:
        """Change a row by an action; there is at least one argument."""
        raise NotImplementedError

    def remove(self, row: Row) -> None:
        """Delete a row by an action."""
        raise NotImplementedError

    def expected_version(self, row: Any) -> int | None:
        """Return the version that a change requires, if the client named one.

        Raises `StaleState` if the row has none of the named versions.
        """
        named = self.context.if_match.strip()
        if not named or named == "*" or not hasattr(row, "version"):
            return None
        tags = {tag.strip().removeprefix("W/").strip('"') for tag in named.split(",")}
        if str(row.version) not in tags and "*" not in tags:
            raise StaleState(
                f"If-Match is {named[:60]}, but {row.sid} has the version {row.version}: read it"
                " again before you change it"
            )
        return int(row.version)
