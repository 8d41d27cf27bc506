"""The laws of routing hold after any actions in any order.

`ROUTER_EXAMPLES` and `ROUTER_STEPS` in the environment make it run longer.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.first_offer_machine import FirstOfferMachine
from tests.properties.router_machine import RouterMachine
from tests.properties.router_transfers import TransferMachine


@pytest.mark.django_db
def test_the_laws_of_routing_hold_after_any_actions() -> None:
    run_state_machine_as_test(
        RouterMachine,
        settings=settings(
            max_examples=int(os.environ.get("ROUTER_EXAMPLES", "10")),
            stateful_step_count=int(os.environ.get("ROUTER_STEPS", "25")),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_the_laws_of_routing_hold_with_transfers() -> None:
    run_state_machine_as_test(
        TransferMachine,
        settings=settings(
            max_examples=int(os.environ.get("ROUTER_EXAMPLES", "10")),
            stateful_step_count=int(os.environ.get("ROUTER_STEPS", "25")),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_an_offer_at_creation_is_the_offer_of_the_next_cycle() -> None:
    run_state_machine_as_test(
        FirstOfferMachine,
        settings=settings(
            max_examples=int(os.environ.get("ROUTER_EXAMPLES", "3")),
            stateful_step_count=int(os.environ.get("ROUTER_STEPS", "25")),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
