"""Why acts are refused: each sentence of the engine is read back, and said in other languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from django.utils import translation

from routing.actions.supervision import batch_rows
from routing.core.vocabulary import Refusal
from supervisors.refusals import SENTENCES, compile_pattern, translate_reason
from tests.server import ROOT
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_acting import post

ACTIONS = ROOT / "routing" / "actions"
MODULES = (
    *("supervision/batches.py", "supervision/commands.py", "supervision/queue_commands.py"),
    *("supervision/task_commands.py", "supervision/worker_commands.py", "task_moves.py"),
    *("task_transitions.py", "support/transfer_progress.py", "support/task_places.py"),
    "transfers.py",
)
"""The modules whose refusals an act may store; what is stale is stored as one sentence."""
NOT_OF_ACTS = ("Reservation X is", "X: X", "X X")


def list_messages(path: str) -> Iterator[str]:
    """Yield the messages of the refusals of a module, with an X for each value."""
    for node in ast.walk(ast.parse((ACTIONS / path).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            text = write_text(node.args[0])
            if node.func.id in ("NotNow", "ChangedSince", "NeedsTelephone") and text:
                yield text
        if isinstance(node, ast.FunctionDef) and node.name == "explain_no_undo":
            for each in ast.walk(node):
                if isinstance(each, ast.Return) and each.value and (text := write_text(each.value)):
                    yield text


def write_text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else "X" for each in node.values]
        return "".join(map(str, parts))
    return ""


def test_every_refusal_of_the_engine_has_a_sentence() -> None:
    patterns = [compile_pattern(sentence) for sentence in SENTENCES]
    messages = [each for path in MODULES for each in list_messages(path)]
    assert len(messages) > 25
    unknown = [each for each in messages if not any(one.fullmatch(each) for one in patterns)]
    # A worker's name and a refusal; a hint that may be empty.
    assert set(unknown) <= {"X: X", "Cannot X task X: it is X, not pending.X"}


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        (batch_rows.CHANGED, "seit der Anzeige geändert"),
        ("Cannot move task WT1: it is assigned, not pending.", "nicht verschieben"),
        ("priority has changed since: it is '3' now, not '9'", "Priorität wurde seitdem geändert"),
        ("Ada: " + Refusal.NO_CAPACITY.third_person, "Ada: "),
        ("the worker WK1 no longer exists", "WK1"),
    ],
)
def test_a_reason_is_said_in_the_language_of_the_page(reason: str, german: str) -> None:
    assert translate_reason(reason) == reason
    with translation.override("de"):
        said = translate_reason(reason)
    assert german in said
    assert said != reason


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    with translation.override("de"):
        assert translate_reason("something new: and strange") == "something new: and strange"
        assert translate_reason("") == ""


def test_a_refused_act_gives_its_reason_in_the_language_of_the_page(cockpit: Cockpit) -> None:
    task = cockpit.task()
    given = {"to": "Ben", "hand_over": "true", "confirmed": "1"}
    german = {"Accept": "application/json", "Accept-Language": "de"}
    answer = post(cockpit, "tasks.assign", task, headers=german, **given)
    message = answer.json()["error"]["message"]  # type: ignore[attr-defined]
    assert message.startswith("Abgelehnt: Ben: ")
    assert Refusal.WORKER_UNAVAILABLE.third_person not in message
