"""A running server, workspaces on it, and the published SDK in Node."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant
from twilio.rest import Client

from tests.javascript_sdk.node import HERE, Node, Session
from tests.javascript_sdk.npm_install import install_npm_packages
from tests.server import Cordboard, wait_until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all of these as running the whole system."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def package() -> Path:
    """Return a directory in which the SDK is installed."""
    return install_npm_packages()


@pytest.fixture
def node(package: Path) -> Iterator[Node]:
    """Return a Node of this test's own."""
    node = Node(package)
    try:
        yield node
    finally:
        node.end()


@dataclass
class Office:
    """A workspace of its own with one queue, and its REST client."""

    server: Cordboard
    node: Node
    keys: dict[str, str]
    sid: str
    rest: Any
    queue: Any
    workflow: Any
    activities: dict[str, str]
    _names: dict[str, int] = field(default_factory=dict)

    def worker(self, name: str = "Alice", *, activity: str = "Available", **capacity: int) -> Any:
        """Make a worker, with a capacity per channel."""
        made = self.rest.workers.create(
            friendly_name=name, activity_sid=self.activities[activity], attributes="{}"
        )
        for channel, configured in capacity.items():
            self.set_capacity(made, channel, capacity=configured)
        return made

    def set_capacity(self, worker: Any, channel: str, **changes: Any) -> None:
        """Change a worker's channel."""
        self.rest.workers(worker.sid).worker_channels(channel).update(**changes)

    def task(self, **given: Any) -> Any:
        """Make a task on the channel chat."""
        values = {"task_channel": "chat", "workflow_sid": self.workflow.sid} | given
        return self.rest.tasks.create(**values)

    def wait_for_offer(self, worker: Any) -> str:
        """Return the sid of a worker's offer as soon as there is one."""
        found: list[Any] = []
        pending = self.rest.workers(worker.sid).reservations

        def has_offer() -> bool:
            found[:] = pending.list(reservation_status="pending")
            return bool(found)

        wait_until(has_offer, "the worker has an offer")
        sid: str = found[0].sid
        return sid

    def mint_token(self, worker: Any = None, *, role: str = "worker", ttl: int = 600) -> str:
        """Mint a token as an application's back end does, with the official library."""
        grant = TaskRouterGrant(
            workspace_sid=self.sid,
            worker_sid=None if worker is None else worker.sid,
            role=role,
        )
        key, secret = self.keys["API_KEY_SID"], self.keys["API_KEY_SECRET"]
        token = AccessToken(self.keys["ACCOUNT_SID"], key, secret, ttl=ttl, identity="tests")
        token.add_grant(grant)
        jwt: str = token.to_jwt()
        return jwt

    def open_session(
        self, worker: Any = None, *, kind: str = "worker", token: str = "", **options: Any
    ) -> Session:
        """Open a session of the SDK, and wait until it is ready (a Workspace is at once)."""
        session = self.begin_session(worker, kind=kind, token=token, **options)
        if kind != "workspace":
            session.next_event("ready")
        return session

    def begin_session(
        self, worker: Any = None, *, kind: str = "worker", token: str = "", **options: Any
    ) -> Session:
        """Open a session of the SDK without waiting for anything."""
        name = worker.friendly_name if worker is not None else kind
        self._names[name] = count = self._names.get(name, 0) + 1
        session = Session(self.node, name if count == 1 else f"{name} {count}")
        role = "admin" if worker is None else "supervisor" if kind == "supervisor" else "worker"
        host = f"127.0.0.1:{self.server.port}"
        self.node.call(
            session.name,
            "make",
            kind=kind,
            token=token or self.mint_token(worker, role=role),
            options={
                "ebServer": f"http://{host}/v1/wschannels",
                "wsServer": f"ws://{host}/v1/wschannels",
                "logLevel": "silent",
                **options,
            },
        )
        return session


@pytest.fixture
def office(cordboard: Cordboard, node: Node) -> Office:
    """Return a new workspace on the running server."""
    keys = cordboard.credentials()
    client = Client(keys["ACCOUNT_SID"], keys["AUTH_TOKEN"])
    client.taskrouter.base_url = cordboard.url
    workspaces = client.taskrouter.v1.workspaces
    made = workspaces.create(friendly_name=f"Office {uuid.uuid4().hex[:8]}")
    rest = workspaces(made.sid)
    queue = rest.task_queues.create(friendly_name="Chats")
    document = json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}})
    workflow = rest.workflows.create(friendly_name="All", configuration=document)
    activities = {each.friendly_name: each.sid for each in rest.activities.list()}
    return Office(cordboard, node, keys, made.sid, rest, queue, workflow, activities)
