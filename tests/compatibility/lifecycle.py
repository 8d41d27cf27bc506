"""Write `docs/lifecycle.md` from the transition tables of the core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from routing.core.lifecycle import RESERVATION_TRANSITIONS, TASK_TRANSITIONS
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from tests.server import ROOT

PAGE: Final = ROOT / "docs" / "lifecycle.md"

HEAD: Final = """\
# The lives of tasks and reservations

*Written by `make docs` from [`routing/core/lifecycle.py`](../routing/core/lifecycle.py); a test
keeps it current. Do not edit it by hand.*

The status of a live task follows from its reservations. An accepted one makes it *assigned*, a
wrapping one *wrapping*, a pending one *reserved*; without any of these it is *pending*. During a
transfer the task is *reserved*, although its worker still holds it.
[Behaviour](behaviour.md#3-task-lifecycle) says what each change causes.
"""

TASK_MEANINGS: Final[Mapping[StrEnum, str]] = {
    AssignmentStatus.PENDING: "waits in a queue",
    AssignmentStatus.RESERVED: "is on offer to one worker or several",
    AssignmentStatus.ASSIGNED: "one worker has it",
    AssignmentStatus.WRAPPING: "the conversation is over, the paperwork is not",
    AssignmentStatus.COMPLETED: "done",
    AssignmentStatus.CANCELED: "ended without being done",
}

RESERVATION_MEANINGS: Final[Mapping[StrEnum, str]] = {
    ReservationStatus.PENDING: "the offer waits for the worker's answer",
    ReservationStatus.ACCEPTED: "the worker has the task",
    ReservationStatus.WRAPPING: "the worker finishes the paperwork",
    ReservationStatus.COMPLETED: "the work is done",
    ReservationStatus.REJECTED: "the worker declined",
    ReservationStatus.TIMEOUT: "the worker did not answer in time",
    ReservationStatus.CANCELED: (
        "the offer was withdrawn: its task ended, or its callbacks failed"
    ),
    ReservationStatus.RESCINDED: (
        "the offer was withdrawn: another worker accepted, or its worker left the desk"
    ),
}


def render_page() -> str:
    """Return the whole page."""
    tasks = _section("Tasks", TASK_TRANSITIONS, TASK_MEANINGS)
    reservations = _section("Reservations", RESERVATION_TRANSITIONS, RESERVATION_MEANINGS)
    return "\n".join([HEAD, *tasks, *reservations]).rstrip() + "\n"


def _section(
    title: str,
    transitions: Mapping[AssignmentStatus, frozenset[AssignmentStatus]]
    | Mapping[ReservationStatus, frozenset[ReservationStatus]],
    meanings: Mapping[StrEnum, str],
) -> Iterator[str]:
    table: dict[StrEnum, set[StrEnum]] = {key: set(after) for key, after in transitions.items()}
    order = list(table)
    yield f"## {title}\n"
    yield "```mermaid\nstateDiagram-v2"
    yield f"    [*] --> {order[0]}"
    for status, after in table.items():
        yield from (f"    {status} --> {each}" for each in order if each in after)
        if not after:
            yield f"    {status} --> [*]"
    yield "```\n"
    yield "| status | meaning | may become |"
    yield "| --- | --- | --- |"
    for status, after in table.items():
        following = ", ".join(f"`{each}`" for each in order if each in after) or "final"
        yield f"| `{status}` | {meanings[status]} | {following} |"
    yield ""
