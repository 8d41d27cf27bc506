"""Create the demo: a support team with queues and a workflow, and logins for agents."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from routing import models
from routing.actions import (
    activities,
    boards,
    outcome_codes,
    queue_targets,
    task_queues,
    thresholds,
    worker_channels,
    workers,
    workflows,
    workspaces,
)
from routing.actions.supervision import batch_rows, batches
from routing.actors import Actor
from routing.demo import contents

ACTOR = Actor(type="system", source="demo")


class Command(BaseCommand):
    """Create the demo once; if it exists, nothing is changed."""

    help = "Make a demo workspace: a small support team, and logins for its agents."

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        """Read AGENT_USER and AGENT_PASSWORD from the environment, or generate a password."""
        account = models.Account.objects.order_by("pk").first()
        if account is None:
            raise CommandError("There is no account yet: start with `make run`.")
        if account.workspaces.filter(friendly_name=contents.WORKSPACE).exists():
            return
        given = os.environ.get("AGENT_PASSWORD")
        password = given or secrets.token_urlsafe(9)
        first = os.environ.get("AGENT_USER") or contents.WORKERS[0][0]
        names = [first, *(name for name, *_ in contents.WORKERS[1 : contents.LOGINS])]
        users = [self._user(name, password) for name in names]
        create_demo(account, users=users, now=timezone.now())
        if options["verbosity"] == 0:
            return
        self.stdout.write(
            f"Made the demo workspace {contents.WORKSPACE!r}; agents: {', '.join(names)},"
            f" password: {'as AGENT_PASSWORD says' if given else password}"
        )

    def _user(self, name: str, password: str) -> User:
        """Return a login with this name; an existing one keeps its password."""
        user, made = User.objects.get_or_create(
            username=name, defaults={"first_name": name.capitalize()}
        )
        if made:
            user.set_password(password)
            user.save()
        return user


def create_demo(account: models.Account, *, users: list[User], now: datetime) -> models.Workspace:
    """Create the workspace in an account; its first workers get these logins."""
    workspace = workspaces.create_workspace(
        account=account,
        friendly_name=contents.WORKSPACE,
        rejection_pause=contents.REJECTION_PAUSE,
        rejection_reasons=contents.REJECTION_REASONS,
        attribute_labels=contents.ATTRIBUTE_LABELS,
        hidden_attributes=contents.HIDDEN_ATTRIBUTES,
        actor=ACTOR,
        now=now,
    )
    activities.create_activity(
        workspace=workspace, friendly_name="Break", available=False, actor=ACTOR, now=now
    )
    for position, (unique_name, friendly_name) in enumerate(contents.OUTCOMES.items()):
        outcome_codes.create_outcome_code(
            workspace=workspace,
            unique_name=unique_name,
            friendly_name=friendly_name,
            position=position,
            actor=ACTOR,
            now=now,
        )
    made = {
        name: task_queues.create_task_queue(
            workspace=workspace, friendly_name=name, actor=ACTOR, now=now, **given
        )
        for name, given in contents.QUEUES.items()
    }
    channels = {channel.unique_name: channel for channel in workspace.task_channels.all()}
    for (name, unique_name), target in contents.TARGETS.items():
        queue_targets.set_target(
            queue=made[name], channel=channels[unique_name], actor=ACTOR, now=now, **target
        )
    for limits in contents.THRESHOLDS:
        thresholds.create_threshold(workspace=workspace, actor=ACTOR, now=now, **limits)
    boards.save_board(
        workspace=workspace, board=None, name=contents.BOARD, tiles=contents.TILES, now=now
    )
    queues = {name: queue.sid for name, queue in made.items()}
    workflows.create_workflow(
        workspace=workspace,
        friendly_name="Customer service",
        configuration=json.dumps(contents.build_configuration(queues), indent=2),
        task_reservation_timeout=45,
        actor=ACTOR,
        now=now,
    )
    logins: list[User | None] = [*users, *[None] * len(contents.WORKERS)]
    for (name, languages, skills, level, capacity), user in zip(
        contents.WORKERS, logins, strict=False
    ):
        worker = workers.create_worker(
            workspace=workspace,
            friendly_name=name.capitalize(),
            attributes=json.dumps({"languages": languages, "skills": skills, "level": level}),
            user=user,
            actor=ACTOR,
            now=now,
        )
        for channel in worker.channels.select_related("task_channel"):
            worker_channels.update_worker_channel(
                channel=channel,
                configured_capacity=capacity[channel.task_channel.unique_name],
                actor=ACTOR,
                now=now,
            )
    _note_a_change(workspace, made["Billing"], channels["chat"], now)
    return workspace


def _note_a_change(
    workspace: models.Workspace,
    queue: models.TaskQueue,
    channel: models.TaskChannel,
    now: datetime,
) -> None:
    """Let a supervisor change a target, so that the list of changes has an act with a note."""
    batch = batches.create_batch(
        workspace=workspace,
        command="queues.set_target",
        arguments={"channel": channel.sid, "threshold": 60},
        subjects=[batches.Subject(sid=queue.sid)],
        note="As agreed with Finance",
        actor=Actor(type="user", sid="admin", source="supervisor"),
        now=now,
    )
    batch_rows.run_slice(batch, most=1)
