"""Operations on task channels."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from routing import models, sids
from routing.actions import task_channels
from routing.actions.support.inputs import NAME_LIMIT
from routing.fields.workspaces import TASK_CHANNEL
from routing.operations import parameters
from routing.operations.base import Arguments, InstanceOperation, ListOperation

_WRITABLE: Final = parameters.derive_parameters(TASK_CHANNEL)


class TaskChannelListOperation(ListOperation[models.TaskChannel]):
    """The task channels of a workspace."""

    params = (
        parameters.friendly_name(required=True).describe("The display name.", "Web leads"),
        parameters.text("UniqueName", required=True).describe(
            "The name in expressions and requests: letters, digits, `_` and `$`, no digit first;"
            " kept in lower case.",
            "leads",
            minLength=1,
            maxLength=NAME_LIMIT,
            pattern="^[A-Za-z_$][A-Za-z0-9_$]*$",
        ),
        *_WRITABLE,
    )

    def rows(self) -> QuerySet[models.TaskChannel]:
        return self.workspace.task_channels.all()

    def create(self, arguments: Arguments) -> models.TaskChannel:
        return task_channels.create_task_channel(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class TaskChannelInstanceOperation(InstanceOperation[models.TaskChannel]):
    """One task channel, found by sid or unique name."""

    params = (parameters.friendly_name().describe("The display name.", "Leads"), *_WRITABLE)

    def find(self) -> models.TaskChannel:
        rows = self.workspace.task_channels.all()
        if sids.is_valid(self.names["sid"], "TC"):
            return self.first_row(rows.filter(sid=self.names["sid"]))
        return self.first_row(rows.filter(unique_name=self.unique_name("sid")))

    def update(self, row: models.TaskChannel, arguments: dict[str, Any]) -> models.TaskChannel:
        return task_channels.update_task_channel(
            channel=row, actor=self.actor, now=self.now, **arguments
        )

    def remove(self, row: models.TaskChannel) -> None:
        task_channels.delete_task_channel(channel=row, actor=self.actor, now=self.now)
