"""Write the page that says path by path and parameter by parameter what is supported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.compatibility import comparison
from tests.compatibility.comparison import ABSENT, TELEPHONY, YES, Fact

HEAD = """\
# Compatible with TaskRouter, parameter by parameter

*Written by `make docs` from the API's own description and the facts in
[`tests/compatibility/taskrouter.txt`](../tests/compatibility/taskrouter.txt); a test keeps it
current. Do not edit it by hand.*

Every path, method, parameter and property of version 1 of the TaskRouter API is listed.

- *yes*: it is there and does the same;
- *501*: the parameter is checked, and the request is answered 501: Cordboard has no telephone
  network;
- *ours*: Cordboard has it and TaskRouter does not; clients that do not know it can ignore it.

What has the same name and behaves otherwise on purpose is listed in the
[README](../README.md#like-taskrouter-and-unlike-it).
"""


def render_page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_summary(), *_operations(), *_shapes()]).rstrip() + "\n"


def _summary() -> Iterator[str]:
    facts = comparison.reference_operations()
    rows = [row for fact in facts for row in _parameters(fact)]
    theirs = [row for row in rows if row[2] != "ours"]
    idle = [row for row in theirs if row[2] == TELEPHONY]
    there = [row for row in theirs if row[2].startswith(YES)]
    paths = {fact.head.split(" ")[1] for fact in facts}
    yield (
        f"{len(paths)} paths, {len(facts)} operations, {len(theirs)} parameters:"
        f" {len(there)} supported, {len(idle)} answered 501,"
        f" {len(theirs) - len(there) - len(idle)} absent.\n"
    )


def _parameters(fact: Fact) -> list[tuple[str, str, str]]:
    operation = comparison.our_operations().get(comparison.path_without_names(fact.head))
    if operation is None:
        return [(name, kind, "no") for name, kind in fact.names.items()]
    ours = {name: (kind, acted) for name, kind, _, acted in comparison.our_parameters(operation)}
    rows = []
    for name, kind in fact.names.items():
        bare = name.removesuffix("*")
        if bare not in ours:
            rows.append((name, kind, ABSENT.get((fact.head, bare), "no")))
            continue
        mine, acted = ours.pop(bare)
        note = comparison.kind_difference(mine, kind)
        supported = YES if note is None else f"{YES}: {note}"
        rows.append((name, kind, supported if acted else TELEPHONY))
    return rows + [(name, kind, "ours") for name, (kind, _) in ours.items()]


def _operations() -> Iterator[str]:
    yield "## Paths and parameters\n"
    yield "`*` marks what is required.\n"
    theirs = comparison.reference_operations()
    for fact in theirs:
        yield f"### `{fact.head}`\n"
        yield f"Answers {fact.answers}.\n"
        rows = _parameters(fact)
        if rows:
            yield from _table(("parameter", "kind", "here"), rows)
    known = {comparison.path_without_names(fact.head) for fact in theirs}
    yield "## Paths that only Cordboard has\n"
    # In an order that does not depend on which module was imported first.
    ours = sorted(comparison.our_operations().items(), key=lambda item: (item[1].path, item[0]))
    for head, operation in ours:
        if head not in known:
            yield f"- `{operation.method.upper()} {operation.path}`: {operation.summary}"
    yield ""


def _shapes() -> Iterator[str]:
    yield "## Properties of answers\n"
    shown: set[str] = set()
    for fact in comparison.reference_operations():
        operation = comparison.our_operations().get(comparison.path_without_names(fact.head))
        words = fact.answers.split()
        if operation is None or len(words) < 2 or words[1] in shown:
            continue
        shown.add(words[1])
        mine = comparison.our_answer(operation)[2]["properties"]
        known = comparison.reference_shapes()[words[1]].names
        rows = [
            (
                name,
                comparison.general_kind(kind) if name == "links" else kind,
                YES if name in mine else "no",
            )
            for name, kind in known.items()
        ]
        rows += [
            (n, comparison.kind_of_schema(s), "ours") for n, s in mine.items() if n not in known
        ]
        yield f"### {words[1].replace('_', ' ').capitalize()}\n"
        yield from _table(("property", "kind", "here"), rows)


def _table(head: Sequence[str], rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "| --- | --- | --- |"
    for name, kind, here in rows:
        yield f"| `{name}` | {kind.replace(' | ', ', ')} | {here} |"
    yield ""
