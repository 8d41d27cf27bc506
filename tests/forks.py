"""Run collected tests in forks of the process that has collected them: `--forks N`.

Importing and collecting all tests takes longer than most files of tests. The forks take it over,
with whatever the modules computed while they were imported. Each fork takes the next file when it
is done with one, so that the tests of a file share a process and what they have started in it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

Location = tuple[str, int | None, str]
Place = tuple[str, Location]
"""A test's node id, and where it is written."""

_NUMBER = struct.Struct("H")
_CONTEXT = multiprocessing.get_context("fork")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--forks", type=int, default=0, help="number of processes that run tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in forks, if it is asked for and all were collected."""
    option = session.config.option
    if not option.forks or option.collectonly or session.testsfailed:
        return None
    by_file: dict[Path, list[pytest.Item]] = {}
    for item in session.items:
        by_file.setdefault(item.path, []).append(item)
    files = list(by_file.values())
    # The forks make their own in it.
    _temporary_paths(session.config).getbasetemp()
    # Each fork is in another file, so a file's name would stand before every other result.
    if (reporter := session.config.pluginmanager.getplugin("terminalreporter")) is not None:
        reporter.showfspath = False
    forks: list[_Fork] = []
    waiting = _queue(len(files))
    for number in range(option.forks):
        forks.append(_start(session, number, waiting, files, forks))
    os.close(waiting)
    try:
        _report(session, forks)
    finally:
        for fork in forks:
            fork.stop()
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    finished = sum(fork.finished for fork in forks)
    if finished != len(session.items) and not session.shouldfail:
        session.shouldfail = f"{finished} of {len(session.items)} tests have run"
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    return True


def _queue(length: int) -> int:
    """Return a file descriptor from which each number below `length` can be read once."""
    reader, writer = os.pipe()
    os.write(writer, b"".join(map(_NUMBER.pack, range(length))))
    os.close(writer)
    return reader


@dataclass
class _Fork:
    """A process that runs tests, as the process that started it sees it."""

    process: multiprocessing.process.BaseProcess
    messages: Connection
    running: Place | None = None
    finished: int = 0

    def stop(self) -> None:
        """Wait until the test that is running has ended, and what it needed is torn down."""
        with contextlib.suppress(OSError, EOFError):
            self.messages.send("stop")
            while True:
                self.messages.recv()
        self.messages.close()
        self.process.join()


def _start(
    session: pytest.Session,
    number: int,
    waiting: int,
    files: list[list[pytest.Item]],
    others: list[_Fork],
) -> _Fork:
    mine, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(
        target=_run,
        args=(session, number, waiting, files, theirs, [mine, *(each.messages for each in others)]),
    )
    process.start()
    theirs.close()
    return _Fork(process, mine)


def _report(session: pytest.Session, forks: list[_Fork]) -> None:
    """Report what the forks send until all have ended, or as many tests failed as are allowed."""
    hook = session.config.hook
    open_forks = {fork.messages: fork for fork in forks}
    while open_forks:
        for messages in connection.wait(list(open_forks)):
            assert isinstance(messages, Connection)
            if session.shouldfail or session.shouldstop:
                return
            fork = open_forks[messages]
            try:
                name, content = messages.recv()
            except (EOFError, OSError):
                del open_forks[messages]
                fork.process.join()
                if fork.process.exitcode:
                    _report_end(session, fork)
                continue
            if name == "start":
                fork.running = content
                hook.pytest_runtest_logstart(nodeid=content[0], location=content[1])
            elif name == "finish":
                fork.running = None
                fork.finished += 1
                hook.pytest_runtest_logfinish(nodeid=content[0], location=content[1])
            else:
                report = hook.pytest_report_from_serializable(config=session.config, data=content)
                hook.pytest_runtest_logreport(report=report)


def _report_end(session: pytest.Session, fork: _Fork) -> None:
    """Report a fork that ended by itself as the failure of the test that it was running."""
    nodeid, location = fork.running or ("tests", ("tests", None, "tests"))
    session.config.hook.pytest_runtest_logreport(
        report=pytest.TestReport(
            nodeid=nodeid,
            location=location,
            keywords={},
            outcome="failed",
            longrepr=f"the process ended with exit code {fork.process.exitcode}",
            when="call",
        )
    )


class _Messages:
    """What a fork sends in place of printing it."""

    def __init__(self, config: pytest.Config, sink: Connection) -> None:
        self._config = config
        self._sink = sink

    def pytest_runtest_logstart(self, nodeid: str, location: Location) -> None:
        """Send which test begins."""
        self._sink.send(("start", (nodeid, location)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send how a phase of a test ended."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._sink.send(("report", data))

    def pytest_runtest_logfinish(self, nodeid: str, location: Location) -> None:
        """Send which test is done."""
        self._sink.send(("finish", (nodeid, location)))


def _run(
    session: pytest.Session,
    number: int,
    waiting: int,
    files: list[list[pytest.Item]],
    sink: Connection,
    others: list[Connection],
) -> None:
    """Run files of tests in a fork as long as some wait."""
    # If the first process is killed, the next message then fails.
    for messages in others:
        messages.close()
    config = session.config
    # What plugins know a process of pytest-xdist by: databases get its name.
    vars(config)["workerinput"] = {"workerid": f"fork{number}"}
    _separate(config, number)
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(_Messages(config, sink))
    tests = _take(waiting, files)
    following = next(tests, None)
    try:
        while following and not (session.shouldfail or session.shouldstop or sink.poll()):
            test, following = following, next(tests, None)
            config.hook.pytest_runtest_protocol(item=test, nextitem=following)
    finally:
        session._setupstate.teardown_exact(None)


def _take(waiting: int, files: list[list[pytest.Item]]) -> Iterator[pytest.Item]:
    """Yield the tests of each file that no other fork has taken."""
    while number := os.read(waiting, _NUMBER.size):
        yield from files[_NUMBER.unpack(number)[0]]


def _separate(config: pytest.Config, number: int) -> None:
    """Give this fork files of its own for temporary files and for captured output."""
    factory = _temporary_paths(config)
    factory._basetemp = factory.mktemp(f"fork{number}", numbered=False)
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()
    capture.start_global_capturing()
    capture.suspend_global_capture()


def _temporary_paths(config: pytest.Config) -> pytest.TempPathFactory:
    factory: pytest.TempPathFactory = vars(config)["_tmp_path_factory"]
    return factory
