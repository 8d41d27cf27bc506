"""Parse and apply order_by, which sorts eligible workers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from workflows.expressions.views import View, look_up_path

from .nodes import Path, Segment
from .parser import MAXIMUM_LENGTH, Parser
from .unparser import operand_text

_LAST = (1, 0)


@dataclass(frozen=True, slots=True)
class Clause:
    """An integer attribute of the worker and its sort direction."""

    path: tuple[Segment, ...]
    descending: bool


@dataclass(frozen=True, slots=True)
class Ordering:
    """The clauses of an order_by, most important first."""

    clauses: tuple[Clause, ...]

    @property
    def source(self) -> str:
        """Return the canonical text."""
        return ", ".join(
            f"{operand_text(Path('worker', clause.path))} {'DESC' if clause.descending else 'ASC'}"
            for clause in self.clauses
        )

    def __str__(self) -> str:
        return self.source

    def key(self, worker: View) -> tuple[tuple[int, int], ...]:
        """Return the sort key of a worker: smaller comes first.

        A worker whose value is missing or not an integer comes last, in both directions.
        """
        key = []
        for clause in self.clauses:
            value = look_up_path(worker, clause.path)
            if isinstance(value, int) and not isinstance(value, bool):
                key.append((0, -value if clause.descending else value))
            else:
                key.append(_LAST)
        return tuple(key)


class _OrderingParser(Parser):
    """The grammar rules of an order_by."""

    def ordering(self) -> Ordering:
        """order_by = clause , { "," , clause } , end ;"""
        if self.token.kind == "end":
            raise self.fail("The order is empty")
        clauses = [self.clause()]
        while self.take(","):
            clauses.append(self.clause())
        if self.token.kind != "end":
            raise self.fail("Expected a comma or the end of the order")
        ordering = Ordering(tuple(clauses))
        if len(ordering.source) > MAXIMUM_LENGTH:
            # The canonical text is stored, so it must be parsable again.
            raise self.fail("The order has too many clauses")
        return ordering

    def clause(self) -> Clause:
        """clause = path , ( ASC | DESC ) ;"""
        token = self.token
        if token.kind != "name" or token.word in ("ASC", "DESC"):
            raise self.fail("Expected an attribute of the worker, as in worker.level")
        path = self.path()
        if self.take("ASC"):
            return Clause(path.segments, descending=False)
        if self.take("DESC"):
            return Clause(path.segments, descending=True)
        raise self.fail(f"Expected ASC or DESC after {self.text_since(token.start)}")


@lru_cache(maxsize=1_024)
def compile_ordering(source: str) -> Ordering:
    """Return the parsed order; raises ExpressionSyntaxError."""
    return _OrderingParser(source, subject="order").ordering()


class _PathParser(Parser):
    """The grammar rule of a single path."""

    def lone_path(self) -> Path:
        """lone_path = path , end ;"""
        if self.token.kind != "name":
            raise self.fail("Expected an attribute of the task, as in task.agent_sid")
        path = self.path()
        if self.token.kind != "end":
            raise self.fail("Expected nothing after the attribute")
        return path


def compile_task_path(source: str) -> tuple[Segment, ...]:
    """Return the path of a task attribute; raises ExpressionSyntaxError."""
    parser = _PathParser(source, subject="task")
    path = parser.lone_path()
    if path.root != "task":
        raise parser.fail("Expected an attribute of the task", (0, len(source.rstrip())))
    return path.segments
