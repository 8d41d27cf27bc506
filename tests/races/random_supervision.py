"""Random operations of supervisors: capacity, activities, queues, channels and workers change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from routing import models
from routing.actions import (
    activities,
    offers,
    reservations,
    task_channels,
    task_moves,
    task_queues,
    worker_channels,
    workers,
    workflows,
)
from routing.core.vocabulary import AssignmentStatus
from tests.races.random_operations import RandomOperations


class RandomSupervision(RandomOperations):
    """Operations that also change the configuration of the workspace."""

    _hired = 0

    def weighted_operations(self) -> dict[Callable[[], object], int]:
        return super().weighted_operations() | {
            self.change_capacity: 5,
            self.switch_channel: 4,
            self.change_activity: 8,
            self.assign_task: 6,
            self.take_task_back: 4,
            self.move_task: 3,
            self.route_task_again: 2,
            self.withdraw_offers: 3,
            self.describe_worker: 2,
            self.rename_activity: 1,
            self.change_queue: 1,
            self.change_workflow: 1,
            self.create_channel: 1,
            self.delete_channel: 1,
            self.create_worker: 1,
            self.delete_worker: 1,
        }

    # --- what workers may take ---

    def _pick_worker_channel(self) -> models.WorkerChannel | None:
        channels = models.WorkerChannel.objects.filter(worker__friendly_name__in=self.names)
        return self.pick_row(channels.filter(worker=self.pick_worker()))

    def change_capacity(self) -> object:
        channel = self._pick_worker_channel()
        changes: dict[str, Any] = {"configured_capacity": self.dice.randint(0, 3)}
        if self.dice.random() < 0.2:
            changes["reserved_for_manual"] = self.dice.randint(0, 1)
        return channel and self.run_action(
            worker_channels.update_worker_channel, channel=channel, **changes
        )

    def switch_channel(self) -> object:
        channel, on = self._pick_worker_channel(), self.dice.random() < 0.7
        return channel and self.run_action(
            worker_channels.update_worker_channel, channel=channel, available=on
        )

    def change_activity(self) -> object:
        leaving = self.dice.random() < 0.2
        name = "Unavailable" if leaving else "Available"
        activity = models.Activity.objects.get(workspace=self.floor, friendly_name=name)
        return self.run_action(
            workers.set_activity,
            worker=self.pick_worker(),
            activity=activity,
            reject_pending_reservations=leaving and self.dice.random() < 0.7,
        )

    # --- where tasks go ---

    def assign_task(self) -> object:
        task = self.pick_row(self.tasks_in(AssignmentStatus.PENDING))
        return task and self.run_action(
            offers.assign_task,
            task=task,
            worker=self.pick_worker(),
            hand_over=self.dice.random() < 0.5,
            ignore_expressions=self.dice.random() < 0.3,
        )

    def take_task_back(self) -> object:
        """Sometimes into another queue."""
        held = self.tasks_in(AssignmentStatus.ASSIGNED, AssignmentStatus.WRAPPING)
        task = self.pick_row(held)
        to = self._pick_queue() if self.dice.random() < 0.3 else None
        return task and self.run_action(task_moves.take_back_task, task=task, to=to)

    def move_task(self) -> object:
        task = self.pick_row(self.tasks_in(AssignmentStatus.PENDING))
        to: object = self._pick_queue()
        if self.dice.random() < 0.5:
            to = models.Workflow.objects.get(workspace=self.floor)
        return task and self.run_action(task_moves.move_task, task=task, to=to)

    def route_task_again(self) -> object:
        task = self.pick_row(self.tasks_in(AssignmentStatus.PENDING))
        return task and self.run_action(task_moves.reevaluate_task, task=task)

    def withdraw_offers(self) -> object:
        task = self.pick_row(self.tasks_in(AssignmentStatus.RESERVED))
        return task and self.run_action(reservations.withdraw_offers, task=task)

    def _pick_queue(self) -> models.TaskQueue | None:
        return self.pick_row(models.TaskQueue.objects.filter(workspace=self.floor))

    # --- the floor itself changes ---

    def describe_worker(self) -> object:
        given = json.dumps({"level": self.dice.randint(0, 3)})
        return self.run_action(workers.update_worker, worker=self.pick_worker(), attributes=given)

    def rename_activity(self) -> object:
        """The activity of most workers is renamed, to the same name, because others look it up."""
        activity = models.Activity.objects.get(workspace=self.floor, available=True)
        return self.run_action(
            activities.rename_activity, activity=activity, friendly_name=activity.friendly_name
        )

    def change_queue(self) -> object:
        queue = self._pick_queue()
        reserved = self.dice.randint(1, 3)
        return queue and self.run_action(
            task_queues.update_task_queue, queue=queue, max_reserved_workers=reserved
        )

    def change_workflow(self) -> object:
        """Sometimes every waiting task is routed again."""
        workflow = models.Workflow.objects.get(workspace=self.floor)
        re_evaluate = self.dice.random() < 0.3
        return self.run_action(
            workflows.update_workflow, workflow=workflow, re_evaluate_tasks=re_evaluate
        )

    def create_channel(self) -> object:
        name = f"custom{self.dice.randint(1, 5)}"
        return self.run_action(
            task_channels.create_task_channel,
            workspace=self.floor,
            friendly_name=name,
            unique_name=name,
        )

    def delete_channel(self) -> object:
        channel = self.pick_row(self.custom_channels())
        if channel is None:
            return None
        return self.run_action(task_channels.delete_task_channel, channel=channel) or True

    def create_worker(self) -> object:
        self._hired += 1
        made = self.run_action(
            workers.create_worker,
            workspace=self.floor,
            friendly_name=f"{self.names[0]} and {self._hired} more",
            activity=models.Activity.objects.get(workspace=self.floor, friendly_name="Available"),
            attributes=json.dumps({"level": self.dice.randint(0, 3)}),
        )
        assert isinstance(made, models.Worker)
        self.names.append(made.friendly_name)
        return made

    def delete_worker(self) -> object:
        hired = [name for name in self.names if " more" in name]
        if not hired:
            return None
        name = self.dice.choice(hired)
        leaving = models.Worker.objects.get(workspace=self.floor, friendly_name=name)
        self.run_action(workers.delete_worker, worker=leaving)
        self.names.remove(name)
        return True
