"""How a workspace shows tasks: title, subtitle, and the order and labels of attributes.

A layout is stored as four texts with one path on each line, such as `customer.name`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing import models, subjects

MOST_LINES: Final = 50
LONGEST_PATH: Final = 200
LONGEST_LABEL: Final = 60

_PATH: Final = re.compile(r"[^.=\x00-\x1f\x7f]+(\.[^.=\x00-\x1f\x7f]+){0,7}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

Path = tuple[str, ...]


class LayoutRefused(ValueError):
    """A line of a layout is invalid; the message names the line, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How tasks are shown.

    Arguments:
        titles: paths of which the first with a text is the title.
        subtitles: the same for the customer of a task.
        labels: for each path its place and its label; an empty label means the usual one.
        hidden: paths that agents do not see, with all below them.
    """

    titles: tuple[str, ...] = subjects.TITLES
    subtitles: tuple[str, ...] = subjects.PEOPLE
    labels: Mapping[Path, tuple[int, str]]
    hidden: frozenset[Path] = frozenset()

    def read_attributes(self, text: str) -> Mapping[str, Any]:
        """Return a task's attributes without the hidden ones."""
        known = subjects.parse_attributes(text)
        return _remove_paths(known, self.hidden, ()) if self.hidden else known

    def describe_path(self, path: Path) -> tuple[int, str]:
        """Return the place of an attribute, and its label; those below a labelled one share it."""
        for length in range(len(path), 0, -1):
            found = self.labels.get(path[:length])
            if found is not None:
                place, label = found
                first = [label] if label else map(_format_name, path[:length])
                return place, " › ".join([*first, *map(_format_name, path[length:])])
        return len(self.labels), " › ".join(map(_format_name, path))


def load_layout(workspace: models.Workspace) -> Layout:
    """Return the layout of a workspace."""
    return _parse_layout(
        workspace.title_attributes,
        workspace.subtitle_attributes,
        workspace.attribute_labels,
        workspace.hidden_attributes,
    )


def check_paths(text: str) -> str:
    """Return lines of paths as they are stored; raises `LayoutRefused`."""
    return "\n".join(path for path, _ in _check_lines(text, labelled=False))


def check_labels(text: str) -> str:
    """Return lines of paths and labels as they are stored; raises `LayoutRefused`."""
    lines = _check_lines(text, labelled=True)
    return "\n".join(f"{path} = {label}" if label else path for path, label in lines)


def _check_lines(text: str, *, labelled: bool) -> Iterator[tuple[str, str]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise LayoutRefused(f"has {len(lines)} lines; at most {MOST_LINES} are allowed")
    seen: dict[str, int] = {}
    for number, line in lines:
        path, label = _split_line(line) if labelled else (_normalize_path(line), "")
        if len(path) > LONGEST_PATH or not _PATH.fullmatch(path):
            right = "customer.name = Customer" if labelled else "customer.name"
            raise LayoutRefused(
                f"has {subjects.shorten(line.strip(), 40)!r} on line {number}; a path of up to 8"
                f" names separated by dots, of at most {LONGEST_PATH} characters, would be right,"
                f" such as {right}"
            )
        if len(label) > LONGEST_LABEL or _CONTROL.search(label):
            raise LayoutRefused(
                f"has a label of {len(label)} characters on line {number}; at most"
                f" {LONGEST_LABEL} characters, none of them control characters, are allowed"
            )
        if path in seen:
            raise LayoutRefused(
                f"has {path!r} on lines {seen[path]} and {number}; name each path once"
            )
        seen[path] = number
        yield path, label


def _split_line(line: str) -> tuple[str, str]:
    path, _, label = line.partition("=")
    return _normalize_path(path), label.strip()


def _normalize_path(path: str) -> str:
    return ".".join(name.strip() for name in path.split("."))


@functools.lru_cache(maxsize=64)
def _parse_layout(titles: str, subtitles: str, labels: str, hidden: str) -> Layout:
    lines = map(_split_line, labels.splitlines())
    return Layout(
        titles=(*titles.splitlines(), *subjects.TITLES),
        subtitles=(*subtitles.splitlines(), *subjects.PEOPLE),
        labels={
            tuple(path.split(".")): (place, label) for place, (path, label) in enumerate(lines)
        },
        hidden=frozenset(tuple(path.split(".")) for path in hidden.splitlines()),
    )


def _remove_paths(
    known: Mapping[str, Any], hidden: frozenset[Path], prefix: Path
) -> dict[str, Any]:
    kept = {}
    for name, value in known.items():
        path = (*prefix, name)
        if path not in hidden:
            kept[name] = _remove_within(value, hidden, path)
    return kept


def _remove_within(value: Any, hidden: frozenset[Path], path: Path) -> Any:
    """Return a value without hidden parts; the items of a list have the path of the list."""
    if isinstance(value, dict):
        return _remove_paths(value, hidden, path)
    if isinstance(value, list):
        return [_remove_within(item, hidden, path) for item in value]
    return value


def _format_name(name: str) -> str:
    return name.replace("_", " ")
