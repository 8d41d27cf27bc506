"""The one thing that keeps a worker from a lane, and the change of attributes that gives it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from routing.core import snapshot
from workflows.expressions import View, compile_node
from workflows.expressions.nodes import And, Comparison, Literal, Node, Path, Scalar, split
from workflows.expressions.unparser import unparse


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A comparison that is false for a worker, and what makes it true.

    Arguments:
        term: the comparison as the language writes it.
        kind: `set` an attribute, or `add` to a list.
        path: the path of the attribute, such as `languages`.
    """

    term: str
    kind: str
    path: str
    value: Scalar

    @property
    def fields(self) -> dict[str, str]:
        """Return the arguments of the command that gives it."""
        return {"operation": self.kind, "path": self.path, "value": json.dumps(self.value)}


def find_lack(lane: snapshot.Lane, worker: View, task: View, clock: View) -> Lack | None:
    """Return the only comparison of a lane that is false for a worker.

    None if there are none or several, or if no change of one attribute makes it true.
    """
    if lane.expression is None or lane.known_worker_sid or lane.known_worker_name:
        return None
    return find_only_lack(lane.expression.node, worker, task, clock)


def find_only_lack(condition: Node, worker: View, task: View, clock: View) -> Lack | None:
    """Return the only comparison of a condition that is false for a worker; see `find_lack`."""
    false: list[Node] = []
    for node in split(condition, And):
        if not compile_node(node).function(worker, task, clock, None):
            false.append(node)
            if len(false) > 1:
                return None
    return _describe(false[0], worker) if false else None


def _describe(node: Node, worker: View) -> Lack | None:
    if not isinstance(node, Comparison):
        return None
    for path, value, is_list in (
        (node.left, node.right, node.operator == "HAS"),
        (node.right, node.left, node.operator == "IN"),
    ):
        if not isinstance(path, Path) or not isinstance(value, Literal):
            continue
        if path.root != "worker" or path.segments[:1] == ("channel",):
            return None
        if not all(isinstance(segment, str) for segment in path.segments):
            return None
        if not is_list and node.operator != "==":
            continue
        return Lack(
            term=unparse(node),
            kind="add" if is_list else "set",
            path=".".join(map(str, path.segments)),
            value=value.value,
        )
    return None
