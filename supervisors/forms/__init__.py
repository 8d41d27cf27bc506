"""The arguments of the cockpit's commands, as forms.

A form's fields are named as in the addresses that prefill it. `arguments` returns what the command
of `routing.actions.supervision` takes, which is stored with the act.
"""

from __future__ import annotations

from supervisors.forms.base import ActForm
from supervisors.forms.queues import GrabPolicyForm, TargetForm
from supervisors.forms.tasks import (
    AssignForm,
    MoveForm,
    PriorityForm,
    ReasonForm,
    TakeBackForm,
    TransferForm,
    WrapUpForm,
)
from supervisors.forms.workers import ActivityForm, AttributeForm, SlotsForm, SwitchForm

__all__ = [
    "ActForm",
    "ActivityForm",
    "AssignForm",
    "AttributeForm",
    "GrabPolicyForm",
    "MoveForm",
    "PriorityForm",
    "ReasonForm",
    "SlotsForm",
    "SwitchForm",
    "TakeBackForm",
    "TargetForm",
    "TransferForm",
    "WrapUpForm",
]
