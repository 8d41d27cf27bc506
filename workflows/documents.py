"""Read JSON and report every error with its path."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from workflows.expressions.errors import point_at

MAXIMUM_BYTES = 1_038_576
# NUL and lone surrogates; JSON can contain either only as an escape.
_ESCAPED = re.compile(r"\\u(0000|[dD][89a-fA-F])")
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Problem:
    """An error and its place: `path` starts at the root, as in task_routing.filters[2]."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class _ConstantError(ValueError):
    """The document contains NaN or Infinity, which Python's reader would accept."""


class _Object(dict[str, Any]):
    """A JSON object that records its duplicate keys."""

    repeated: tuple[str, ...] = ()


def read_document(document: str, problems: list[Problem]) -> Any:
    """Return the value of `document`, or None; record what is wrong with it as JSON."""
    size = len(document.encode("utf-8", "surrogatepass"))
    if size > MAXIMUM_BYTES:
        message = f"The configuration has {size:,} bytes; at most {MAXIMUM_BYTES:,} are allowed"
        problems.append(Problem("", message))
        return None
    if not document.strip():
        problems.append(Problem("", "The configuration is empty"))
        return None
    repeating: list[_Object] = []
    try:
        value = json.loads(
            document,
            object_pairs_hook=lambda pairs: _object(pairs, repeating),
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        shown = point_at(document, (error.pos, error.pos))
        problems.append(Problem("", f"Not JSON at {place}: {error.msg}\n{shown}"))
        return None
    except RecursionError:
        problems.append(Problem("", "The configuration is nested too deeply"))
        return None
    except _ConstantError as error:
        problems.append(Problem("", f"Not JSON: {error}"))
        return None
    except ValueError:
        problems.append(Problem("", "A number in the configuration has too many digits"))
        return None
    if repeating:
        _note_repeated(value, problems)
    if _ESCAPED.search(document):
        _note_no_characters(value, problems)
    if value is None:
        problems.append(Problem("", 'Expected an object with the key "task_routing"'))
    return value


def _object(pairs: list[tuple[str, Any]], repeating: list[_Object]) -> _Object:
    """Return an object, and list it if it has duplicate keys."""
    value = _Object(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice: dict[str, None] = {}
        for key, _ in pairs:
            if key in seen:
                twice[key] = None
            seen.add(key)
        value.repeated = tuple(twice)
        repeating.append(value)
    return value


def _note_repeated(root: Any, problems: list[Problem]) -> None:
    """Record the duplicate keys of every object under `root`, in document order."""
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _Object):
            for key in value.repeated:
                place = f"{path}.{key}" if path else key
                problems.append(Problem(place, "This key occurs more than once in its object"))
            children = [(f"{path}.{key}" if path else key, value[key]) for key in value]
        elif isinstance(value, list):
            children = [(f"{path}[{index}]", each) for index, each in enumerate(value)]
        else:
            continue
        stack.extend(reversed(children))


def _note_no_characters(root: Any, problems: list[Problem]) -> None:
    """Record every text under `root` with a character that databases cannot store."""
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            if found := _NO_CHARACTER.search(value):
                message = f"U+{ord(found[0]):04X} is not allowed in a text"
                problems.append(Problem(path, message))
        elif isinstance(value, dict):
            named = [(f"{path}.{key}" if path else key, each) for key, each in value.items()]
            stack.extend(reversed(named))
            stack.extend((path, key) for key in value)
        elif isinstance(value, list):
            stack.extend((f"{path}[{i}]", each) for i, each in reversed(list(enumerate(value))))


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(f"{name} is not a JSON value")
