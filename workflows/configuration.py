"""Parse the document of a workflow: from JSON text to filters and targets."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from workflows.documents import MAXIMUM_BYTES, Problem, read_document
from workflows.expressions import (
    Expression,
    ExpressionSyntaxError,
    Ordering,
    compile_expression,
    compile_ordering,
    compile_task_path,
    find_warnings,
    missing_prefixes,
)

from .unknown_keys import (
    DEFAULT,
    FILTER,
    ROOT,
    ROUTING,
    TARGET,
    describe_unknown_key,
    find_resembling_key,
    shorten_key,
)

__all__ = [
    "HIGHEST",
    "MAXIMUM_BYTES",
    "Configuration",
    "ConfigurationError",
    "Filter",
    "Problem",
    "Target",
    "parse_configuration",
]

HIGHEST = 2**31 - 1  # of a priority, and of a timeout in seconds

Compiled = TypeVar("Compiled")
TaskPath = tuple[str | int, ...]

_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,18})\s*", re.ASCII)
MOST_PROBLEMS = 200
"""Maximum number of problems, and of warnings, listed for one document."""
LONGEST_PATH = 500
"""Maximum characters of a problem's path, which contains the document's own keys."""
_NOT_IN_DEFAULT = ("timeout", "skip_if", "known_worker_sid", "known_worker_friendly_name")


@dataclass(frozen=True, slots=True)
class Target:
    """A step of a filter: the queue, the condition on workers, and the `timeout` in seconds."""

    queue: str
    expression: Expression | None = None
    expression_text: str = ""  # as it was written
    priority: int | None = None
    timeout: int | None = None
    order_by: Ordering | None = None
    order_by_source: str = ""
    skip_if: Expression | None = None
    known_worker_sid: TaskPath | None = None
    known_worker_friendly_name: TaskPath | None = None
    grab_expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: a condition on tasks, and the targets of matching tasks."""

    name: str
    expression: Expression
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole workflow; `queues` are the sids of all queues that it names."""

    filters: tuple[Filter, ...]
    default: Target | None
    warnings: tuple[Problem, ...]
    queues: frozenset[str]


class ConfigurationError(Exception):
    """All problems of a workflow's configuration."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([str(problem) for problem in self.problems])


def parse_configuration(
    document: str, *, queue_sids: Collection[str] | None = None
) -> Configuration:
    """Return the parsed `document`; raises ConfigurationError with every problem in it.

    `queue_sids` are the queues of the workspace; with None, the existence of queues is not checked.
    """
    problems: list[Problem] = []
    root = read_document(document, problems)
    reader = _Reader(problems, queue_sids)
    configuration = None
    if root is not None:
        with contextlib.suppress(_TooManyProblems):
            configuration = reader.configuration(root)
    if problems or configuration is None:
        # A missing key may be present under a misspelled name.
        raise ConfigurationError(_listed([*problems, *reader.misspelled_keys]))
    return configuration


def _listed(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the problems to report, limited in number and length."""
    told = [Problem(p.path[:LONGEST_PATH], p.message) for p in problems[:MOST_PROBLEMS]]
    if more := len(problems) - len(told):
        told.append(Problem("", f"and {more:,} more"))
    return tuple(told)


class _TooManyProblems(Exception):
    """There are so many problems that the rest of the document is not read."""


class _Reader:
    """Reads the parts of a document, collecting all problems."""

    def __init__(self, problems: list[Problem], queue_sids: Collection[str] | None) -> None:
        self.problems = problems
        self.warnings: list[Problem] = []
        self.unknown_keys: list[Problem] = []
        self.misspelled_keys: list[Problem] = []
        self.queue_sids = None if queue_sids is None else frozenset(queue_sids)
        self.queues: set[str] = set()

    def refuse(self, path: str, message: str) -> None:
        """Record a problem; raises `_TooManyProblems` once there are too many to report."""
        self.problems.append(Problem(path, message))
        if len(self.problems) == MOST_PROBLEMS - 1:
            self.problems.append(Problem(path, "The document was read up to here; more may follow"))
            raise _TooManyProblems

    def warn(self, path: str, message: str) -> None:
        """Record a warning: allowed, but probably unintended."""
        self.warnings.append(Problem(path, message))

    def check_keys(self, path: str, value: dict[str, Any], known: Collection[str]) -> None:
        """Record the unknown keys of an object."""
        for key in value:
            if len(self.unknown_keys) == MOST_PROBLEMS:
                return
            if key in known:
                continue
            place = f"{path}.{shorten_key(key)}" if path else shorten_key(key)
            meant = find_resembling_key(key, known)
            self.unknown_keys.append(Problem(place, describe_unknown_key(key, known, meant)))
            if meant is not None:
                self.misspelled_keys.append(self.unknown_keys[-1])

    def configuration(self, root: Any) -> Configuration | None:
        """Read the whole document."""
        if isinstance(root, dict):
            self.check_keys("", root, ROOT)
        if not isinstance(root, dict) or "task_routing" not in root:
            self.refuse("", 'Expected an object with the key "task_routing"')
            return None
        routing = root["task_routing"]
        if not isinstance(routing, dict):
            self.refuse("task_routing", "Expected an object")
            return None
        self.check_keys("task_routing", routing, ROUTING)
        listed, default = routing.get("filters"), routing.get("default_filter")
        if listed is not None and not isinstance(listed, list):
            self.refuse("task_routing.filters", "Expected a list of filters")
            return None
        if not listed and default is None:
            self.refuse("task_routing", "Expected at least one filter, or a default_filter")
            return None
        filters = [
            self.filter(f"task_routing.filters[{index}]", each)
            for index, each in enumerate(listed or ())
        ]
        return Configuration(
            filters=tuple(each for each in filters if each is not None),
            default=None if default is None else self.default(default),
            warnings=_listed([*self.unknown_keys, *self.warnings]),
            queues=frozenset(self.queues),
        )

    def filter(self, path: str, value: Any) -> Filter | None:
        """Read a filter; None if it has no valid expression."""
        if not isinstance(value, dict):
            self.refuse(path, "Expected an object with an expression and targets")
            return None
        self.check_keys(path, value, FILTER)
        key = "filter_friendly_name"
        if value.get(key) is None:
            key = "friendly_name"
        name = self.text(f"{path}.{key}", value.get(key))
        expression = self.expression(f"{path}.expression", value.get("expression"), "task")
        if expression is None and not self.text_given(value.get("expression")):
            self.refuse(f"{path}.expression", "A filter needs an expression over the task")
        listed = value.get("targets")
        if not isinstance(listed, list) or not listed:
            self.refuse(f"{path}.targets", "A filter needs a list of at least one target")
            listed = []
        targets = self.targets(f"{path}.targets", listed)
        return None if expression is None else Filter(name, expression, targets)

    def targets(self, path: str, listed: list[Any]) -> tuple[Target, ...]:
        """Read the targets of a filter; a target without a queue inherits the previous one's."""
        targets: list[Target] = []
        inherited: str | None = None
        for index, value in enumerate(listed):
            target = self.target(f"{path}[{index}]", value, inherited)
            if isinstance(value, dict):
                self.check_keys(f"{path}[{index}]", value, TARGET)
            if target is not None:
                targets.append(target)
                inherited = target.queue
            elif inherited is None:
                inherited = ""  # already recorded; do not repeat it for later targets
        return tuple(targets)

    def target(self, path: str, value: Any, inherited: str | None) -> Target | None:
        """Read a target; None if it is not an object."""
        if not isinstance(value, dict):
            self.refuse(path, "Expected an object with a queue")
            return None
        sid = self.known_worker(path, value, "known_worker_sid")
        name = self.known_worker(path, value, "known_worker_friendly_name")
        if sid is not None and name is not None:
            self.refuse(path, "known_worker_sid and known_worker_friendly_name exclude each other")
        order, order_source = self.order_by(f"{path}.order_by", value.get("order_by"))
        queue = self.queue(f"{path}.queue", value.get("queue"), inherited)
        asked = self.expression(f"{path}.expression", value.get("expression"), "target")
        return Target(
            queue=queue,
            expression=asked,
            expression_text="" if asked is None else value["expression"],
            priority=self.whole(f"{path}.priority", value.get("priority"), lowest=0),
            timeout=self.whole(f"{path}.timeout", value.get("timeout"), lowest=1),
            order_by=order,
            order_by_source=order_source,
            skip_if=self.expression(f"{path}.skip_if", value.get("skip_if"), "workers"),
            known_worker_sid=sid,
            known_worker_friendly_name=name,
            grab_expression=self.expression(
                f"{path}.grab_expression", value.get("grab_expression"), "target"
            ),
        )

    def default(self, value: Any) -> Target | None:
        """Read the default filter: a target without the keys that only steps can have."""
        path = "task_routing.default_filter"
        if isinstance(value, dict):
            self.check_keys(path, value, DEFAULT)
            for key in _NOT_IN_DEFAULT:
                if value.get(key) is not None:
                    message = f"{key} has no meaning in the default filter and is ignored"
                    self.warn(f"{path}.{key}", message)
            value = {key: each for key, each in value.items() if key not in _NOT_IN_DEFAULT}
        return self.target(path, value, None)

    def queue(self, path: str, value: Any, inherited: str | None) -> str:
        """Read the sid of a queue, or inherit it."""
        sid = self.text(path, value)
        if not sid:
            if inherited is None and (value is None or isinstance(value, str)):
                self.refuse(path, "Expected the sid of a task queue (WQ…)")
            return inherited or ""
        self.queues.add(sid)
        if self.queue_sids is not None and sid not in self.queue_sids:
            self.refuse(path, f"There is no task queue {sid[:100]} in this workspace")
        return sid

    def text_given(self, value: Any) -> bool:
        """Return whether the value was given, so that `text` or a compiler has checked it."""
        return value is not None and (not isinstance(value, str) or bool(value.strip()))

    def text(self, path: str, value: Any) -> str:
        """Read a text; missing and null are empty."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(path, "Expected a text")
            return ""
        return value.strip()

    def whole(self, path: str, value: Any, *, lowest: int) -> int | None:
        """Read a whole number, also from a text; None if missing, null or empty."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        number: int | None = None
        if isinstance(value, str) and (found := _WHOLE.fullmatch(value)):
            number = int(found.group(1))
        elif isinstance(value, float) and value.is_integer():
            number = int(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        if number is None or not lowest <= number <= HIGHEST:
            self.refuse(path, f"Expected a whole number from {lowest} to {HIGHEST}")
            return None
        return number

    def compiled(
        self, path: str, value: Any, compiler: Callable[[str], Compiled]
    ) -> Compiled | None:
        """Compile a text; None if it is missing, blank or invalid."""
        source = self.text(path, value)
        if not source:
            return None
        try:
            return compiler(value)
        except ExpressionSyntaxError as error:
            self.refuse(path, str(error))
            return None

    def expression(self, path: str, value: Any, subject: Any) -> Expression | None:
        """Read an expression, and record warnings about it."""
        expression = self.compiled(
            path, value, lambda text: compile_expression(text, subject=subject)
        )
        if expression is not None:
            for doubt in (*missing_prefixes(value, subject=subject), *find_warnings(expression)):
                self.warn(path, doubt.message)
        return expression

    def order_by(self, path: str, value: Any) -> tuple[Ordering | None, str]:
        """Read an order_by, and return it with its canonical text."""
        ordering = self.compiled(path, value, compile_ordering)
        return ordering, ("" if ordering is None else ordering.source)

    def known_worker(self, path: str, value: dict[str, Any], key: str) -> TaskPath | None:
        """Read the path of the task attribute that names a worker."""
        return self.compiled(f"{path}.{key}", value.get(key), compile_task_path)
