"""Drive the published worker SDK in a Node process: send commands, read events."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LONGEST_WAIT_SECONDS = 60.0
"""Seconds; generous, as a machine that is busy must not fail a test that measures nothing."""

Line = dict[str, Any]


class SdkError(Exception):
    """The SDK refused, with the name and the message that an application sees."""

    def __init__(self, failed: Any) -> None:
        said = failed if isinstance(failed, dict) else {"message": str(failed)}
        super().__init__(said.get("message", ""))
        self.name = said.get("error", "")


class Node:
    """A Node process with any number of the SDK's objects in it."""

    def __init__(self, home: Path) -> None:
        """Start it in `home`, where the package is installed."""
        self.process = subprocess.Popen(
            ["node", "driver.js"],
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ids = itertools.count(1)
        self._arrived = threading.Condition()
        self._lines: list[Line] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait(lambda line: "started" in line, "Node has started")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            if text.startswith("{"):
                with self._arrived:
                    self._lines.append(json.loads(text))
                    self._arrived.notify_all()

    def wait(
        self, wanted: Callable[[Line], bool], what: str, *, seconds: float = LONGEST_WAIT_SECONDS
    ) -> Line:
        """Take the first line that meets a condition, now or as soon as it comes."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for index, line in enumerate(self._lines):
                    if wanted(line):
                        return self._lines.pop(index)
                left = deadline - time.monotonic()
                assert left > 0, f"waited in vain until {what}; there is: {self._lines}"
                self._arrived.wait(left)

    def lines(self, wanted: Callable[[Line], bool]) -> list[Line]:
        """Return the lines so far that meet a condition, without taking them."""
        with self._arrived:
            return [line for line in self._lines if wanted(line)]

    def call(self, of: str, do: str, **more: Any) -> Any:
        """Call a method of an object, and return its result; raises `SdkError`."""
        number = next(self._ids)
        assert self.process.stdin is not None
        command = {"id": number, "of": of, "do": do, **more}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        reply = self.wait(lambda line: line.get("reply") == number, f"{do} has been answered")
        if "failed" in reply:
            raise SdkError(reply["failed"])
        return reply.get("result")

    def end(self) -> None:
        """End it, and check that no error was left unread."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(LONGEST_WAIT_SECONDS)
        self._reader.join()
        self.process.stdout.close()
        wrong = self.lines(lambda line: "uncaught" in line or "unhandled" in line)
        assert not wrong, wrong


class Session:
    """One object of the SDK: a Worker, a Supervisor or a Workspace."""

    def __init__(self, node: Node, name: str) -> None:
        """Represent the object of this name."""
        self.node = node
        self.name = name

    def next_event(self, event: str, sid: str | None = None) -> Any:
        """Return the payload of the next event of this name, for this sid if one is given."""

        def wanted(line: Line) -> bool:
            data = line.get("data") or {}
            return (
                line.get("of") == self.name
                and line.get("event") == event
                and (sid is None or data.get("sid") == sid)
            )

        return self.node.wait(wanted, f"{self.name} hears {event}").get("data")

    def unread_events(self, event: str) -> list[Any]:
        """Return the payloads of this event that `next_event` has not returned."""
        lines = self.node.lines(
            lambda line: line.get("of") == self.name and line.get("event") == event
        )
        return [line.get("data") for line in lines]

    def call(self, do: str, *args: Any, **target: Any) -> Any:
        """Call a method of the object, or of what `target` names in it."""
        return self.node.call(self.name, do, args=list(args), **target)

    def read_state(self, **target: Any) -> Any:
        """Return the object as the SDK has it."""
        return self.node.call(self.name, "look", **target)
