"""The expression language: text that is compiled once and evaluated for tasks and workers."""

from __future__ import annotations

from .advice import Advice, missing_prefixes, warnings
from .compiled import Expression, compile, compile_node, compile_once  # noqa: A004 - as re.compile
from .errors import ExpressionError, ExpressionSyntaxError
from .ordering import Ordering, compile_ordering, compile_task_path
from .parser import MAXIMUM_DEPTH, MAXIMUM_LENGTH
from .subjects import Subject
from .views import NOTHING, VOLATILE, View, lookup, time_of_day

__all__ = [
    "MAXIMUM_DEPTH",
    "MAXIMUM_LENGTH",
    "NOTHING",
    "VOLATILE",
    "Advice",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "Ordering",
    "Subject",
    "View",
    "compile",
    "compile_node",
    "compile_once",
    "compile_ordering",
    "compile_task_path",
    "lookup",
    "missing_prefixes",
    "time_of_day",
    "warnings",
]
