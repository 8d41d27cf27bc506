"""Check one process of this machine from outside, as a container's health check does."""

from __future__ import annotations

import socket
import sys
from argparse import ArgumentParser
from typing import Any, Final

from celery import Celery
from django.core.management.base import BaseCommand
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config import celery_app, heartbeats, jobs

LONGEST_WAIT_SECONDS: Final = 3.0
LONGEST_JOB_SECONDS: Final = 120.0
"""Seconds of its oldest job after which a runner counts as hung."""
BROKEN: Final = (RedisError, OperationalError, OSError)


class Found(Exception):
    """The expected answer has arrived."""


class Command(BaseCommand):
    """Exit with 0 if a process is alive, else with 1; print one sentence in both cases."""

    help = "Check whether the job runner, the callbacks runner or beat of this machine is alive."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("part", choices=[*heartbeats.RUNNERS, "beat"])
        parser.add_argument(
            "--host", default=socket.gethostname(), help="the host part of the runner's node name"
        )

    def handle(self, *_: Any, part: str, host: str, **__: Any) -> None:
        """Check the part."""
        try:
            is_alive, sentence = check_beat() if part == "beat" else check_runner(part, host)
        except BROKEN as error:
            is_alive, sentence = False, f"Redis does not answer, so {part} cannot be asked: {error}"
        self.stdout.write(sentence)
        if not is_alive:
            sys.exit(1)


def check_beat() -> tuple[bool, str]:
    """Return whether beat is alive, with a sentence."""
    seconds = heartbeats.BEAT_LIFETIME_MS // 1000
    if heartbeats.beat_is_alive():
        return True, f"beat has ticked in the last {seconds} seconds."
    return False, f"beat has not ticked for {seconds} seconds."


def check_runner(part: str, host: str) -> tuple[bool, str]:
    """Return whether this host's runner answers and does not hang, with a sentence."""
    answer = ask(celery_app, queue=jobs.QUEUES[part], host=host)
    if answer is None:
        wait = f"{LONGEST_WAIT_SECONDS:.0f} seconds"
        return False, f"{part}: no runner on {host} has answered within {wait}."
    node, age = answer
    if age > LONGEST_JOB_SECONDS:
        return False, f"{part}: {node} answers, but its oldest job has run for {age:.0f} seconds."
    return True, f"{part}: {node} answers; its oldest job has run for {age:.0f} seconds."


def ask(app: Celery, *, queue: str, host: str) -> tuple[str, float] | None:
    """Return the node and the age of the oldest job of this host's runner of a queue."""
    found: list[tuple[str, float]] = []

    def take(reply: dict[str, dict[str, Any]]) -> None:
        for node, answer in reply.items():
            if node.rpartition("@")[2] == host and queue in answer.get("queues", []):
                found.append((node, float(answer["oldest_job_seconds"])))
                raise Found

    try:
        app.control.broadcast(
            heartbeats.ALIVE, reply=True, timeout=LONGEST_WAIT_SECONDS, callback=take
        )
    except Found:
        return found[0]
    return None
