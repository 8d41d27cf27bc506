"""The table of commands: how each is named, which arguments it takes, and how it is confirmed.

`routing.actions.supervision` carries them out. Everything that shows a command uses this table: the
dialog, the menus of rows, the selection bar, the page of an act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing.actions.supervision.registry import COMMANDS as ENGINE
from supervisors import forms

ASK_NUMBER_FROM: Final = 100
"""The number of rows from which a supervisor types the number to confirm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A command as the cockpit shows it.

    Arguments:
        label: what its button says.
        consequence: what it does, in one sentence.
        form: the form of its arguments.
    """

    name: str
    label: Promise
    consequence: Promise
    form: type[forms.ActForm] = forms.ActForm

    @property
    def title(self) -> str:
        """Return the label as a title, without the mark of a dialog."""
        return str(self.label).rstrip("…")

    @property
    def subject(self) -> str:
        """Return the sid prefix of its rows."""
        return ENGINE[self.name].subject

    @property
    def undoable(self) -> bool:
        """Return whether it can be undone."""
        return ENGINE[self.name].undo is not None

    @property
    def needs_waiting(self) -> bool:
        """Return whether it is for waiting tasks alone."""
        return self.name in _FOR_WAITING

    def asks(self, count: int, *, all_match: bool = False) -> str:
        """Return how it is confirmed for so many rows: not at all, `once`, or by the `number`."""
        if all_match or count >= ASK_NUMBER_FROM:
            return "number"
        return "" if count == 1 and self.undoable else "once"


_FOR_WAITING: Final = frozenset({"tasks.assign", "tasks.move", "tasks.reevaluate"})

COMMANDS: Final[Mapping[str, Act]] = {
    act.name: act
    for act in (
        Act(
            name="workers.set_activity",
            label=_("Set activity…"),
            consequence=_("Only an available activity gets new tasks. Tasks in hand go on in any."),
            form=forms.ActivityForm,
        ),
        Act(
            name="workers.set_capacity",
            label=_("Set capacity…"),
            consequence=_("How many tasks of a channel an agent takes at once. Running ones stay."),
            form=forms.SlotsForm,
        ),
        Act(
            name="workers.set_available",
            label=_("Switch a channel…"),
            consequence=_("A channel that is off brings no new tasks. Its capacity is kept."),
            form=forms.SwitchForm,
        ),
        Act(
            name="workers.set_kept",
            label=_("Keep slots for grabbing…"),
            consequence=_("The router never fills these slots. Agents fill them by hand."),
            form=forms.SlotsForm,
        ),
        Act(
            name="workers.set_attributes",
            label=_("Edit an attribute…"),
            consequence=_("Queues and workflows choose agents by their attributes."),
            form=forms.AttributeForm,
        ),
        Act(
            name="tasks.assign",
            label=_("Assign…"),
            consequence=_("The agent is offered the task, or has it at once."),
            form=forms.AssignForm,
        ),
        Act(
            name="tasks.set_priority",
            label=_("Set priority…"),
            consequence=_("Tasks of a higher priority are served first."),
            form=forms.PriorityForm,
        ),
        Act(
            name="tasks.move",
            label=_("Move…"),
            consequence=_("The task keeps its age. In a queue it leaves its workflow."),
            form=forms.MoveForm,
        ),
        Act(
            name="tasks.reevaluate",
            label=_("Route again"),
            consequence=_("The task begins again at the first step of its workflow."),
        ),
        Act(
            name="tasks.withdraw_offers",
            label=_("Withdraw offers"),
            consequence=_("Its offers end, and the task waits again."),
        ),
        Act(
            name="tasks.transfer",
            label=_("Transfer…"),
            consequence=_("The task stays with its agent until the receiver accepts it."),
            form=forms.TransferForm,
        ),
        Act(
            name="tasks.take_back",
            label=_("Take back…"),
            consequence=_("Its agent loses the task. It waits again, with its age."),
            form=forms.TakeBackForm,
        ),
        Act(
            name="tasks.wrap_up",
            label=_("Wrap up…"),
            consequence=_("The conversation is over. The task keeps its slot."),
            form=forms.WrapUpForm,
        ),
        Act(
            name="tasks.complete",
            label=_("Complete…"),
            consequence=_("The task is done, and its slot is free."),
            form=forms.ReasonForm,
        ),
        Act(
            name="tasks.cancel",
            label=_("Cancel…"),
            consequence=_("The task ends without being done. It counts as canceled by staff."),
            form=forms.ReasonForm,
        ),
        Act(
            name="queues.set_target",
            label=_("Set the target…"),
            consequence=_("Figures of the past follow the new target at once."),
            form=forms.TargetForm,
        ),
        Act(
            name="queues.set_grab_policy",
            label=_("Set what may be grabbed…"),
            consequence=_("It holds at once, for all agents who serve the queue."),
            form=forms.GrabPolicyForm,
        ),
    )
}
