"""Choose a lane's index key: one equality that every eligible worker must satisfy.

With 100,000 customers there may be 100,000 lanes, and the free workers can serve few of them. Lanes
are stored with their key, and looked up by the values that the free workers have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from routing.core.lanes import Identity
from routing.core.matching.conditions import is_load_path
from routing.core.matching.value_index import equality_key, list_equality_keys, read_value
from routing.core.snapshot import Worker
from workflows.expressions import Expression
from workflows.expressions.nodes import And, Comparison, Literal, Node, Path, split

ANYONE: Final = ""
"""The path of lanes without a key: they must be checked for every worker."""
REGARDLESS: Final = "*"
"""The path of lanes that ignore capacity: their tasks go to workers without a free slot too."""
_SID: Final = "~sid"
_NAME: Final = "~name"
_LONGEST: Final = 60
_LONGEST_PATH: Final = 200


@dataclass(frozen=True, slots=True)
class LaneKey:
    """A lane's key: a path into the worker and the value required there, as text to be stored."""

    path: str = ANYONE
    value: str = ""


def choose_lane_key(identity: Identity, expression: Expression | None) -> LaneKey:
    """Return the key of a lane, from its identity and its parsed expression."""
    if identity.ignore_capacity:
        return LaneKey(REGARDLESS)
    if identity.known_worker_sid is not None:
        return LaneKey(_SID, _text(identity.known_worker_sid))
    if identity.known_worker_name is not None:
        return LaneKey(_NAME, _text(identity.known_worker_name))
    if expression is None:
        return LaneKey()
    found = [each for part in split(expression.node, And) for each in _find_keys(part)]
    # An exact value is rarer than a list that contains the value.
    return min(found, key=lambda pair: pair[0] != "==", default=("", LaneKey()))[1]


def list_worker_keys(worker: Worker, path: str) -> frozenset[str]:
    """Return the values of a worker that can equal the keys of lanes with this path."""
    found = worker.lane_key_values.get(path)
    if found is None:
        found = worker.lane_key_values[path] = frozenset(map(_text, _list_values(worker, path)))
    return found


def _list_values(worker: Worker, path: str) -> Iterable[Hashable]:
    if path == _SID:
        return (worker.sid,)
    if path == _NAME:
        return (worker.friendly_name.casefold(),)
    _, value = read_value(worker, tuple(json.loads(path)))
    return list_equality_keys(value)


def _find_keys(part: Node) -> Iterator[tuple[str, LaneKey]]:
    """Yield the key of a condition that requires a certain value at a worker's path."""
    if not isinstance(part, Comparison) or part.operator not in ("==", "HAS"):
        return
    path, fixed = part.left, part.right
    if not isinstance(path, Path) or path.root != "worker" or is_load_path(path.segments):
        return
    way = json.dumps(path.segments)
    if isinstance(fixed, Literal) and fixed.value is not None and len(way) <= _LONGEST_PATH:
        yield part.operator, LaneKey(way, _text(equality_key(fixed.value)))


def _text(value: Hashable) -> str:
    """Return a likeness as a short text: equal values give equal texts, in every process."""
    if isinstance(value, str):
        if len(value) <= _LONGEST and value.isprintable():
            return f"text {value}"
        digest = hashlib.sha256(value.encode(errors="surrogatepass"))
        return f"long {digest.hexdigest()}"
    if isinstance(value, tuple):
        return f"flag {value[0]}"
    return f"number {hash(value)}"
