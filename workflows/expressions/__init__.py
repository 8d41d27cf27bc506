"""The expression language: text that is compiled once and evaluated for tasks and workers."""

from __future__ import annotations

from workflows.expressions.advice import Advice, find_warnings, missing_prefixes
from workflows.expressions.compiled import (
    Expression,
    compile_expression,
    compile_node,
    compile_once,
)
from workflows.expressions.failures import FailedComparison, find_failures
from workflows.expressions.views import NOTHING, VOLATILE, View, look_up_path, time_of_day

from .errors import ExpressionError, ExpressionSyntaxError
from .ordering import Ordering, compile_ordering, compile_task_path
from .parser import MAXIMUM_DEPTH, MAXIMUM_LENGTH
from .subjects import Subject

__all__ = [
    "MAXIMUM_DEPTH",
    "MAXIMUM_LENGTH",
    "NOTHING",
    "VOLATILE",
    "Advice",
    "Expression",
    "ExpressionError",
    "ExpressionSyntaxError",
    "FailedComparison",
    "Ordering",
    "Subject",
    "View",
    "compile_expression",
    "compile_node",
    "compile_once",
    "compile_ordering",
    "compile_task_path",
    "find_failures",
    "find_warnings",
    "look_up_path",
    "missing_prefixes",
    "time_of_day",
]
