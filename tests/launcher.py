"""Start Python programs as forks of a process that has loaded the libraries they need.

Importing Django, Celery and Twisted takes 0.9 s of CPU, and a run starts some 150 programs. A
launcher imports them once per test process, has no threads, connections or settings, and forks for
each program. The fork then runs the program as `python PROGRAM` or `python -m MODULE` would.

Elsewhere than on Linux, where system libraries do not survive a fork, each is a new interpreter.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
PRELOADED = (
    *("axes.apps", "channels.auth", "channels.generic.websocket", "channels.routing"),
    *("celery.apps.beat", "celery.apps.worker", "celery.backends.base", "celery.contrib.django"),
    *("celery.concurrency.thread", "celery.fixups.django", "celery.loaders.app"),
    *("celery.worker.components", "celery.worker.consumer", "channels_redis.core"),
    *("cryptography.fernet", "django.contrib.admin.filters"),
    *("django.contrib.admin.sites", "django.contrib.auth.hashers"),
    *("django.contrib.staticfiles.storage", "django.core.cache.backends.redis"),
    *("django.core.handlers.asgi", "django.core.management.commands.migrate"),
    *("django.db.backends.postgresql.base", "django.db.backends.sqlite3.base"),
    *("django.db.migrations.executor", "django.forms", "django.template.backends.django"),
    *("django.template.defaultfilters", "django.template.defaulttags", "django.urls"),
    *("django.template.loader_tags", "django.views.debug", "django.views.generic"),
    *("django.views.i18n", "environs", "jwt", "kombu.transport.redis", "psycopg"),
    *("redis.asyncio", "rest_framework.exceptions", "rest_framework.fields", "rich.traceback"),
    *("structlog.dev", "autobahn.twisted.websocket", "twisted.internet.asyncioreactor"),
    *("twisted.internet.endpoints", "twisted.web.http", "whitenoise.middleware"),
)
"""Modules that load what is slow to import, without settings, and open nothing."""
ANSWER_BYTES = 64
REQUEST_BYTES = 1024 * 1024


class Program:
    """A program that the launcher started, with those methods of `subprocess.Popen` in use here."""

    def __init__(self, pid: int, status: int) -> None:
        """Follow a process.

        Arguments:
            status: a file descriptor that brings the exit code when the process has ended.
        """
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, or None while the program runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when the program has ended.

        Raises:
            subprocess.TimeoutExpired: after `timeout` seconds.
        """
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the program has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the program to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the program at once."""
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
                found = os.read(self._status, ANSWER_BYTES)
                os.close(self._status)
                self.returncode = int(found) if found else -signal.SIGKILL
            return self.returncode


Started = Program | subprocess.Popen[bytes]


def start(
    *arguments: str,
    env: Mapping[str, str],
    stdout: IO[Any] | int,
    stderr: IO[Any] | int | None = None,
    preloaded: bool = True,
) -> Started:
    """Start a Python program in the project's directory, without input.

    Arguments:
        arguments: as after `python`: a file, or `-m` and a module, and what they are given.
        env: the whole environment.
        stdout: where its output goes; its errors go there too unless `stderr` is given.
        preloaded: whether it may be a fork; False starts a new interpreter, as a user does.
    """
    if not preloaded or sys.platform != "linux":
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT if stderr is None else stderr,
        )
    with open(os.devnull) as nothing:
        return _launcher().start(arguments, env, [nothing, stdout, stderr or stdout])


def run(
    *arguments: str, env: Mapping[str, str], timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end and return what it printed; see `start`."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        program = start(*arguments, env=env, stdout=output, stderr=errors)
        try:
            code = program.wait(timeout)
        except BaseException:
            program.kill()
            raise
        printed = []
        for file in (output, errors):
            file.seek(0)
            printed.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess(arguments, code, *printed)


class _Launcher:
    """The test process's end of its launcher."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.launcher", str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def start(
        self, arguments: Sequence[str], env: Mapping[str, str], streams: Sequence[Any]
    ) -> Program:
        """Start a program; `streams` are its input, output and errors."""
        mine, theirs = os.pipe()
        descriptors = [each if isinstance(each, int) else each.fileno() for each in streams]
        request = json.dumps({"arguments": arguments, "env": dict(env)}).encode()
        with self._lock:
            socket.send_fds(self._socket, [request], [*descriptors, theirs])
            os.close(theirs)
            answer = self._socket.recv(ANSWER_BYTES)
        assert answer, "the launcher has ended; its errors stand above"
        return Program(int(answer), mine)

    def end(self) -> None:
        """End the launcher; what it has started goes on."""
        self._socket.close()
        self._process.wait()


@functools.cache
def _launcher() -> _Launcher:
    launcher = _Launcher()
    atexit.register(launcher.end)
    return launcher


def serve(connection: socket.socket) -> tuple[list[str], dict[str, str]] | None:
    """Fork for each request; return the request in the fork, and None at the end."""
    statuses: dict[int, int] = {}
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable = select.select([connection, ended], [], [])[0]
        if ended in readable:
            os.read(ended, 4096)
            _report(statuses)
        if connection not in readable:
            continue
        message, descriptors, _, _ = socket.recv_fds(connection, REQUEST_BYTES, 4)
        if not message:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            # The second is ignored under `nohup`, and a program is ended by it.
            for number in (signal.SIGCHLD, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            # It is ignored where a shell has started the tests in the background.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for target, descriptor in enumerate(descriptors[:3]):
                os.dup2(descriptor, target)
            for descriptor in (*descriptors, *statuses.values(), ended, wake):
                os.close(descriptor)
            connection.close()
            request = json.loads(message)
            return request["arguments"], request["env"]
        statuses[pid] = descriptors[3]
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        connection.send(str(pid).encode())


def _report(statuses: dict[int, int]) -> None:
    """Write the exit code of each process that has ended where its test reads it."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with open(statuses.pop(pid), "wb") as reader:
            try:
                reader.write(str(os.waitstatus_to_exitcode(status)).encode())
            except BrokenPipeError:
                continue


def run_program(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    """Do what `python ARGUMENTS` does in this environment."""
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    name, *rest = arguments
    sys.path[0] = str(ROOT)
    if name == "-m":
        name, *rest = rest
        sys.argv = [name, *rest]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [name, *rest]
        runpy.run_path(name, run_name="__main__")


def main(descriptor: int) -> None:
    """Load the libraries, then start programs until the test process ends."""
    # Before Autobahn is imported, which reads it then.
    os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, REQUEST_BYTES)
        request = serve(connection)
    if request is not None:
        run_program(*request)


if __name__ == "__main__":
    main(int(sys.argv[1]))
