"""Each event type has its sentence for the agent concerned, or none."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from agents import sentences
from agents.sentences import Happening
from routing.core.decisions import Reason
from routing.core.event_catalog import EventType as E
from tests import factories

NAMES = {"WK2": "Bob", "WQ1": "Billing", "TC1": "Chat"}

COLLEAGUE = {"actor_type": "worker", "by": "Bob"}
SUPERVISOR = {"actor_type": "user", "by": "Olga", "source": "admin"}
API = {"actor_type": "api-key", "source": "api"}
ROUTER = {"actor_type": "system", "source": "taskrouter"}
NO_DESK = {"actor_type": "system", "source": "desk"}

CANCELED = {"task_assignment_status": "canceled"}
TO_BOB = {"transfer_to": "WK2", "transfer_type": "WORKER", "transfer_mode": "COLD"}
TO_QUEUE = {"transfer_to": "WQ1", "transfer_type": "QUEUE", "transfer_mode": "COLD"}
WARM = TO_BOB | {"transfer_mode": "WARM"}
CHAT = {"task_channel_sid": "TC1", "task_channel_unique_name": "chat"}
CAPACITY = CHAT | {
    "worker_channel_previous_capacity": "3",
    "worker_channel_available_capacity": "5",
}
KEPT = CAPACITY | {"worker_channel_available_capacity": "3"}
OFFLINE = {"worker_activity_name": "Offline"}

CASES: list[tuple[E, dict[str, str], dict[str, Any], str | None]] = [
    (E.RESERVATION_CREATED, ROUTER, {}, None),
    (E.RESERVATION_ACCEPTED, API, {}, "The API accepted “Parcel” for you."),
    (
        E.RESERVATION_ACCEPTED,
        SUPERVISOR,
        {"reservation_origin": "assigned"},
        "Supervisor Olga gave you “Parcel”.",
    ),
    (E.RESERVATION_REJECTED, SUPERVISOR, {}, "Supervisor Olga rejected “Parcel” for you."),
    (E.RESERVATION_TIMEOUT, ROUTER, {}, "You missed “Parcel”: the time to answer was over."),
    (E.RESERVATION_CANCELED, API, CANCELED, "The API canceled “Parcel”."),
    (
        E.RESERVATION_CANCELED,
        SUPERVISOR,
        CANCELED | {"reason": "duplicate"},
        "Supervisor Olga canceled “Parcel”: duplicate",
    ),
    (
        E.RESERVATION_CANCELED,
        ROUTER,
        CANCELED | {"reason": Reason.EXPIRED},
        "Cordboard canceled “Parcel”: it waited too long.",
    ),
    (
        E.RESERVATION_CANCELED,
        ROUTER,
        CANCELED | {"reason": Reason.WORKFLOW_TIMEOUT},
        "Cordboard canceled “Parcel”: its workflow ended.",
    ),
    (
        E.RESERVATION_CANCELED,
        COLLEAGUE,
        {"transfer_status": "canceled"},
        "Bob took the transfer of “Parcel” back.",
    ),
    (E.RESERVATION_CANCELED, SUPERVISOR, {}, "Supervisor Olga withdrew the offer of “Parcel”."),
    (E.RESERVATION_RESCINDED, COLLEAGUE, {}, "Bob accepted “Parcel” first."),
    (E.RESERVATION_RESCINDED, API, {}, "The API gave “Parcel” to another agent."),
    (
        E.RESERVATION_RESCINDED,
        NO_DESK,
        {},
        "You had no desk open, so Cordboard took the offer of “Parcel” back.",
    ),
    (
        E.TASK_TAKEN_BACK,
        SUPERVISOR,
        {},
        "Supervisor Olga took “Parcel” back from you. It waits again.",
    ),
    (
        E.TASK_TAKEN_BACK,
        SUPERVISOR,
        {"reason": "you are gone"},
        "Supervisor Olga took “Parcel” back from you: you are gone",
    ),
    (E.RESERVATION_WRAPUP, SUPERVISOR, {}, "Supervisor Olga began to wrap up “Parcel”."),
    (
        E.RESERVATION_COMPLETED,
        API,
        {"task_assignment_status": "completed"},
        "The API completed “Parcel”.",
    ),
    (
        E.RESERVATION_COMPLETED,
        ROUTER,
        {"task_assignment_status": "completed", "reason": Reason.WRAP_UP_OVER},
        "Cordboard completed “Parcel”: the time for wrapping up was over.",
    ),
    (
        E.RESERVATION_COMPLETED,
        COLLEAGUE,
        {"task_assignment_status": "wrapping"},
        "Bob began to wrap up “Parcel”.",
    ),
    (
        E.RESERVATION_COMPLETED,
        SUPERVISOR,
        {"task_assignment_status": "assigned"},
        "Supervisor Olga removed “Parcel” from your tasks.",
    ),
    (E.RESERVATION_FAILED, ROUTER, {}, None),
    (E.RESERVATION_CALLBACK_FAILED, ROUTER, {}, None),
    (
        E.TASK_TRANSFER_INITIATED,
        API,
        TO_QUEUE,
        "The API began to transfer “Parcel” to Billing.",
    ),
    (E.TASK_TRANSFER_ATTEMPT_FAILED, COLLEAGUE, TO_QUEUE, None),
    (E.TASK_TRANSFER_FAILED, COLLEAGUE, TO_BOB, "Bob declined “Parcel”. It is yours again."),
    (
        E.TASK_TRANSFER_FAILED,
        API,
        TO_BOB,
        "The API declined “Parcel” for Bob. It is yours again.",
    ),
    (
        E.TASK_TRANSFER_FAILED,
        ROUTER,
        TO_BOB,
        "Bob did not answer in time. “Parcel” is yours again.",
    ),
    (
        E.TASK_TRANSFER_FAILED,
        ROUTER,
        TO_QUEUE,
        "No agent of Billing accepted “Parcel” in time. It is yours again.",
    ),
    (
        E.TASK_TRANSFER_CANCELED,
        SUPERVISOR,
        TO_BOB,
        "Supervisor Olga ended the transfer of “Parcel” to Bob. It is yours again.",
    ),
    (E.TASK_TRANSFER_COMPLETED, COLLEAGUE, TO_BOB, "Bob accepted “Parcel” from you."),
    (E.TASK_TRANSFER_COMPLETED, API, TO_QUEUE, "The API accepted “Parcel” from you for Billing."),
    (E.TASK_TRANSFER_COMPLETED, COLLEAGUE, WARM, "Bob accepted “Parcel”. You are still with it."),
    (
        E.TASK_TRANSFER_COMPLETED,
        API,
        WARM | {"transfer_to": "WK9"},
        "The API accepted “Parcel” for a colleague. You are still with it.",
    ),
    (E.WORKER_ACTIVITY_UPDATE, SUPERVISOR, OFFLINE, "Supervisor Olga set you to “Offline”."),
    (
        E.WORKER_ACTIVITY_UPDATE,
        NO_DESK,
        OFFLINE,
        "You had no desk open, so Cordboard set you to “Offline”.",
    ),
    (
        E.WORKER_CAPACITY_UPDATE,
        SUPERVISOR,
        CAPACITY,
        "Supervisor Olga changed your capacity for Chat from 3 to 5.",
    ),
    (
        E.WORKER_CAPACITY_UPDATE,
        SUPERVISOR,
        KEPT,
        "Supervisor Olga changed how many slots of Chat you keep for grabbing.",
    ),
    (
        E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
        SUPERVISOR,
        CHAT | {"worker_channel_available": "false"},
        "Supervisor Olga switched Chat off for you.",
    ),
    (
        E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
        API,
        CHAT | {"task_channel_sid": "TC9", "worker_channel_available": "true"},
        "The API switched chat on for you.",
    ),
    *(
        (event_type, SUPERVISOR, {}, None)
        for event_type in (
            *(E.WORKSPACE_CREATED, E.WORKSPACE_UPDATED, E.WORKSPACE_DELETED),
            *(E.ACTIVITY_CREATED, E.ACTIVITY_UPDATED, E.ACTIVITY_DELETED),
            *(E.OUTCOME_CODE_CREATED, E.OUTCOME_CODE_UPDATED, E.OUTCOME_CODE_DELETED),
            *(E.THRESHOLD_CREATED, E.THRESHOLD_UPDATED, E.THRESHOLD_DELETED),
            *(E.ALERT_RAISED, E.ALERT_CHANGED, E.ALERT_CLEARED, E.ALERT_ACKNOWLEDGED),
            *(E.TASK_CHANNEL_CREATED, E.TASK_CHANNEL_UPDATED, E.TASK_CHANNEL_DELETED),
            *(E.TASK_QUEUE_CREATED, E.TASK_QUEUE_DELETED, E.TASK_QUEUE_UPDATED),
            *(E.TASK_QUEUE_EXPRESSION_UPDATED, E.TASK_QUEUE_ENTERED, E.TASK_QUEUE_TIMEOUT),
            *(E.TASK_QUEUE_MOVED, E.WORKFLOW_CREATED, E.WORKFLOW_UPDATED, E.WORKFLOW_DELETED),
            *(E.WORKFLOW_ENTERED, E.WORKFLOW_TARGET_MATCHED, E.WORKFLOW_TIMEOUT),
            *(E.WORKFLOW_SKIPPED, E.WORKER_CREATED, E.WORKER_DELETED),
            # Programs may write attributes every minute.
            E.WORKER_ATTRIBUTES_UPDATE,
            # The events of the worker's reservation tell these.
            E.RESERVATION_WRAPUP_EXTENDED,
            *(E.TASK_CREATED, E.TASK_UPDATED, E.TASK_WRAPUP, E.TASK_COMPLETED),
            *(E.TASK_CANCELED, E.TASK_DELETED, E.TASK_SYSTEM_DELETED),
        )
    ),
]


def happening(event_type: E, **given: Any) -> Happening:
    """Make a happening about a task."""
    values: dict[str, Any] = {
        "sid": "EV1",
        "at": factories.NOW,
        "actor_type": "system",
        "source": "taskrouter",
        "task": "Parcel",
    }
    return Happening(event_type=event_type, **values | given)


@pytest.mark.parametrize(
    ("event_type", "actor", "data", "sentence"), CASES, ids=lambda value: str(value)[:40]
)
def test_an_event_is_told_in_this_sentence(
    event_type: E, actor: dict[str, str], data: dict[str, Any], sentence: str | None
) -> None:
    told = sentences.describe(happening(event_type, data=data, **actor), NAMES)
    assert told == sentence


def test_the_table_above_names_every_event_type() -> None:
    assert {case[0] for case in CASES} == set(E)


def test_sentences_are_translated_when_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"%(who)s completed “%(task)s”.": "%(task)s: von %(who)s erledigt", "The API": "API"}
    monkeypatch.setattr(sentences, "_", lambda text: texts.get(text, text))
    with translation.override("de"):
        done = happening(
            E.RESERVATION_COMPLETED, data={"task_assignment_status": "completed"}, **API
        )
        assert sentences.describe(done, {}) == "Parcel: von API erledigt"


def test_a_title_with_percent_signs_is_shown_as_it_is() -> None:
    missed = happening(E.RESERVATION_TIMEOUT, task="100 %(who)s %s")
    assert "“100 %(who)s %s”" in (sentences.describe(missed, {}) or "")


# --- What belongs together ------------------------------------------------------------------------


def test_a_missed_offer_includes_the_move_that_it_caused() -> None:
    move = happening(E.WORKER_ACTIVITY_UPDATE, data=OFFLINE, task="")
    first, second = (
        happening(E.RESERVATION_TIMEOUT, sid=sid, data={"task_sid": sid}) for sid in ("1", "2")
    )
    told = sentences.merge([move, second, first])
    assert [sentences.describe(each, NAMES) for each in told] == [
        "You missed “Parcel” and were set to “Offline”."
    ] * 2


def test_a_move_at_another_moment_is_not_part_of_a_missed_offer() -> None:
    move = happening(E.WORKER_ACTIVITY_UPDATE, at=factories.later(1), data=OFFLINE, **SUPERVISOR)
    missed = happening(E.RESERVATION_TIMEOUT)
    assert sentences.merge([move, missed]) == [move, missed]


def test_moves_that_follow_from_the_life_of_offers_are_not_told() -> None:
    returned = happening(E.WORKER_ACTIVITY_UPDATE, data=OFFLINE, **COLLEAGUE)
    reserved = happening(E.WORKER_ACTIVITY_UPDATE, data=OFFLINE, **ROUTER)
    assert sentences.merge([returned, reserved]) == []


def test_an_accepted_transfer_includes_the_end_of_the_own_part() -> None:
    data = TO_BOB | {"task_sid": "WT1"}
    accepted = happening(E.TASK_TRANSFER_COMPLETED, data=data, **COLLEAGUE)
    ended = happening(E.RESERVATION_COMPLETED, data={"task_sid": "WT1"}, **COLLEAGUE)
    other = happening(E.RESERVATION_COMPLETED, data={"task_sid": "WT2"}, **COLLEAGUE)
    assert sentences.merge([ended, accepted, other]) == [accepted, other]


def test_a_task_taken_back_includes_the_end_of_its_reservation() -> None:
    ended = happening(E.RESERVATION_COMPLETED, data={"task_sid": "WT1"}, **SUPERVISOR)
    taken = happening(E.TASK_TAKEN_BACK, data={"task_sid": "WT1"}, **SUPERVISOR)
    assert sentences.merge([ended, taken]) == [taken]


@pytest.mark.parametrize(
    ("event_type", "data", "sentence"),
    [
        (
            E.WORKER_CAPACITY_UPDATE,
            CAPACITY,
            "Your capacity for Chat is now 5 (was 3): covering for voice – Olga",
        ),
        (
            E.WORKER_CAPACITY_UPDATE,
            KEPT,
            "The slots of Chat that you keep for grabbing changed: covering for voice – Olga",
        ),
        (
            E.WORKER_ACTIVITY_UPDATE,
            OFFLINE,
            "Supervisor Olga set you to “Offline”. Note: “covering for voice”",
        ),
    ],
)
def test_the_note_of_a_supervisor_is_told_with_the_change(
    event_type: E, data: dict[str, Any], sentence: str
) -> None:
    noted = data | {"note": "covering \n for voice"}
    told = sentences.describe(happening(event_type, data=noted, **SUPERVISOR), NAMES)
    assert told == sentence


def test_a_deleted_task_includes_the_end_of_its_transfer() -> None:
    data = TO_BOB | {"task_sid": "WT1"}
    canceled = happening(E.TASK_TRANSFER_CANCELED, data=data, **SUPERVISOR)
    ended = happening(E.RESERVATION_COMPLETED, data={"task_sid": "WT1"}, **SUPERVISOR)
    assert sentences.merge([ended, canceled]) == [ended]
