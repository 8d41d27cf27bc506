"""What supervisors do in a rush hour: slots, activities, and the floor itself change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from routing import models
from routing.actions import (
    activities,
    task_channels,
    task_queues,
    worker_channels,
    workers,
    workflows,
)
from tests.races.desks import Desk


class SupervisedDesk(Desk):
    """A desk that changes the configuration under the others."""

    _hired = 0

    def chances(self) -> dict[Callable[[], object], int]:
        return super().chances() | {
            self.change_capacity: 5,
            self.switch_channel: 4,
            self.change_activity: 8,
            self.describe_worker: 2,
            self.rename_activity: 1,
            self.change_queue: 1,
            self.change_workflow: 1,
            self.create_channel: 1,
            self.delete_channel: 1,
            self.hire: 1,
            self.dismiss: 1,
        }

    # --- what workers may take ---

    def _slots(self) -> models.WorkerChannel | None:
        channels = models.WorkerChannel.objects.filter(worker__friendly_name__in=self.names)
        return self.any(channels.filter(worker=self.person()))

    def change_capacity(self) -> object:
        slots = self._slots()
        changes: dict[str, Any] = {"configured_capacity": self.dice.randint(0, 3)}
        if self.dice.random() < 0.2:
            changes["reserved_for_manual"] = self.dice.randint(0, 1)
        return slots and self.do(worker_channels.update_worker_channel, channel=slots, **changes)

    def switch_channel(self) -> object:
        slots, on = self._slots(), self.dice.random() < 0.7
        return slots and self.do(worker_channels.update_worker_channel, channel=slots, available=on)

    def change_activity(self) -> object:
        leaving = self.dice.random() < 0.2
        name = "Unavailable" if leaving else "Available"
        activity = models.Activity.objects.get(workspace=self.floor, friendly_name=name)
        return self.do(
            workers.set_activity,
            worker=self.person(),
            activity=activity,
            reject_pending_reservations=leaving and self.dice.random() < 0.7,
        )

    # --- the floor itself changes ---

    def describe_worker(self) -> object:
        given = json.dumps({"level": self.dice.randint(0, 3)})
        return self.do(workers.update_worker, worker=self.person(), attributes=given)

    def rename_activity(self) -> object:
        """The activity of most workers is renamed, to the same name, because others look it up."""
        activity = models.Activity.objects.get(workspace=self.floor, available=True)
        return self.do(
            activities.rename_activity, activity=activity, friendly_name=activity.friendly_name
        )

    def change_queue(self) -> object:
        queue = self.any(models.TaskQueue.objects.filter(workspace=self.floor))
        reserved = self.dice.randint(1, 3)
        return queue and self.do(
            task_queues.update_task_queue, queue=queue, max_reserved_workers=reserved
        )

    def change_workflow(self) -> object:
        """Sometimes every waiting task is routed again."""
        workflow = models.Workflow.objects.get(workspace=self.floor)
        anew = self.dice.random() < 0.3
        return self.do(workflows.update_workflow, workflow=workflow, re_evaluate_tasks=anew)

    def create_channel(self) -> object:
        name = f"custom{self.dice.randint(1, 5)}"
        return self.do(
            task_channels.create_task_channel,
            workspace=self.floor,
            friendly_name=name,
            unique_name=name,
        )

    def delete_channel(self) -> object:
        channel = self.any(self.customs())
        if channel is None:
            return None
        return self.do(task_channels.delete_task_channel, channel=channel) or True

    def hire(self) -> object:
        self._hired += 1
        made = self.do(
            workers.create_worker,
            workspace=self.floor,
            friendly_name=f"{self.names[0]} and {self._hired} more",
            activity=models.Activity.objects.get(workspace=self.floor, friendly_name="Available"),
            attributes=json.dumps({"level": self.dice.randint(0, 3)}),
        )
        assert isinstance(made, models.Worker)
        self.names.append(made.friendly_name)
        return made

    def dismiss(self) -> object:
        hired = [name for name in self.names if " more" in name]
        if not hired:
            return None
        name = self.dice.choice(hired)
        leaving = models.Worker.objects.get(workspace=self.floor, friendly_name=name)
        self.do(workers.delete_worker, worker=leaving)
        self.names.remove(name)
        return True
