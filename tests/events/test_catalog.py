"""The catalog of event types agrees with itself and with the actions that record events."""

from __future__ import annotations

import string

import pytest

from routing import models
from routing.core.event_catalog import EventType
from routing.core.vocabulary import Audience
from routing.events import payloads
from tests import factories
from tests.server import ROOT

ACTIONS = "\n".join(path.read_text() for path in (ROOT / "routing/actions").rglob("*.py"))


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_type_is_recorded_by_an_action(event_type: EventType) -> None:
    # Actions find the type of a change of status by the status.
    recorded = event_type.spec.status is not None or f"EventType.{event_type.name}" in ACTIONS
    assert recorded, f"no module of routing/actions records EventType.{event_type.name}"


@pytest.mark.parametrize("event_type", [each for each in EventType if each.spec.carries_data])
def test_only_messages_to_workers_carry_data(event_type: EventType) -> None:
    assert Audience.WORKER in event_type.spec.audience


def test_a_new_event_type_needs_no_migration() -> None:
    assert not models.Event._meta.get_field("event_type").choices


@pytest.mark.django_db
def test_descriptions_name_only_fields_of_events() -> None:
    floor = factories.workspace()
    factories.worker(floor)
    offer = factories.offered(floor)
    data = payloads.describe_workspace(offer.task.workspace) | payloads.describe_reservation(offer)
    alert = models.Alert(place=0, figure="waiting", level="act", limit=1, date_raised=factories.NOW)
    data |= payloads.describe_alert(alert, now=factories.NOW)
    named = {
        field
        for event_type in EventType
        for _, field, _, _ in string.Formatter().parse(event_type.spec.description)
        if field is not None
    }
    assert named
    assert named <= data.keys()
