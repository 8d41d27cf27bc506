"""Preflight checks: one server per data directory, a free port, and a database that answers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import psycopg
from django.db import connection

LOCK_FILE = "serve.lock"
LONGEST_WAIT_SECONDS: Final = 5.0
"""Seconds to wait for the lock of a server whose process has ended."""


class StartRefused(Exception):
    """The server cannot start; the message gives the reason."""


@contextlib.contextmanager
def hold_directory(directory: Path, url: str) -> Iterator[None]:
    """Hold the directory's lock, which the kernel releases however this process ends.

    The lock file contains the process id and the URL.
    """
    with open(directory / LOCK_FILE, "a+") as file:
        _lock_directory(file, directory)
        file.truncate(0)
        file.write(f"{os.getpid()}\n{url}\n")
        file.flush()
        yield


def _lock_directory(file: TextIO, directory: Path) -> None:
    """Lock a directory; wait a little for the parts of a server that was just killed.

    They hold the lock too, until the kernel has ended them.
    """
    give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.readline().strip()
            if _is_alive(holder) or time.monotonic() > give_up_at:
                raise StartRefused(
                    f"Another Cordboard (process {holder or '?'}) runs on {directory}. "
                    "Stop it, or start this one with another directory and port: "
                    "DATA_DIR=… PORT=… make run"
                ) from None
            time.sleep(0.05)
        else:
            return


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def check_start(directory: Path, host: str, port: int) -> None:
    """Raise `StartRefused` if no server can start here, before anything is created."""
    if os.path.isdir(directory) and not os.access(directory, os.W_OK | os.X_OK):
        raise StartRefused(
            f"DATA_DIR: {directory} cannot be written by this user; set a writable directory"
        )
    if os.path.exists(directory / LOCK_FILE):
        with open(directory / LOCK_FILE, "a+") as file:
            _lock_directory(file, directory)
    check_port(host, port)


def check_port(host: str, port: int) -> None:
    """Raise `StartRefused` if the port cannot be listened on."""
    if not 0 < port < 65536:
        raise StartRefused(f"PORT is {port}; it must be a number from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # With the server's own option: a port that was in use a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise StartRefused(f"HOST={host} is not an address of this machine.") from None
    except PermissionError:
        raise StartRefused(
            f"Port {port} is reserved for the system; choose one above 1023."
        ) from None
    except OSError as error:
        raise StartRefused(
            f"Port {port} on {host} cannot be used ({error.strerror}). "
            f"Choose another one: PORT={port + 1 if port < 65535 else 8000} make run"
        ) from None


def check_web_processes(count: int, host: str) -> None:
    """Raise `StartRefused` if so many web processes cannot share the port."""
    if count == 1:
        return
    if sys.platform != "linux":
        raise StartRefused(f"WEB_PROCESSES is {count}; several need Linux, so set it to 1.")
    if ":" in host:
        raise StartRefused(
            f"WEB_PROCESSES is {count}, and several need an IPv4 address, but HOST is {host}."
            " Set HOST to one such as 0.0.0.0, or WEB_PROCESSES to 1."
        )


def check_database() -> None:
    """Raise `StartRefused` if PostgreSQL does not answer; SQLite needs no server."""
    database: Any = connection
    if database.vendor != "postgresql":
        return
    try:
        database.probe()
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise StartRefused(
            f"DATABASE_URL: PostgreSQL cannot be used ({reason}). Start it, or correct the URL."
        ) from None
