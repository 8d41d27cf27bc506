"""Read the installation's environment variables strictly: a wrong value stops the start."""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import os
import secrets
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv, validate

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY_FILE = "secret-key"  # noqa: S105 - a file name
DATABASE_FILE = "cordboard.sqlite3"
LONGEST_SOCKET_PATH = 100
"""Bytes; the kernels' own limits are 104 (macOS) and 108 (Linux), the terminating zero included."""

# Every variable can also be given as NAME_FILE, the path of a file that contains the value.
env = FileAwareEnv(strip_whitespace=True)


def serve_options() -> tuple[str, int, bool]:
    """Return the host and port of `serve`, and whether it creates the demo."""
    return env.str("HOST", "") or "127.0.0.1", env.int("PORT", 8000), env.bool("DEMO", True)


def data_dir_path() -> Path:
    """Return the directory of all embedded files, whether or not it exists."""
    path = Path(env.str("DATA_DIR", "") or "var").expanduser()
    return path if path.is_absolute() else BASE_DIR / path


def data_dir() -> Path:
    """Return the directory of all embedded files, created if needed and private."""
    path = data_dir_path()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(
            f"DATA_DIR: {path} cannot be created ({error.strerror}); set a directory that this user"
            " may write to"
        ) from None
    _make_private(path)
    return path


def _make_private(directory: Path) -> None:
    """Remove other users' access to a data directory and its secret files.

    A shared directory is not changed: one of another user, one such as /tmp, and one that contains
    this checkout.
    """
    shared = directory.resolve() in (BASE_DIR, *BASE_DIR.parents)
    database_files = [f"{DATABASE_FILE}{end}" for end in ("", "-wal", "-shm")]
    for path in (directory, *(directory / each for each in (SECRET_KEY_FILE, *database_files))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            found = path.stat()
            mode = stat.S_IMODE(found.st_mode)
            skipped = path == directory and (shared or mode & stat.S_ISVTX)
            if mode & 0o077 and found.st_uid == os.getuid() and not skipped:
                path.chmod(mode & ~0o077)


def ensure_secret_key(directory: Path) -> None:
    """Write a new key into `directory`, mode 0600, unless it or the environment has one."""
    path = directory / SECRET_KEY_FILE
    if env.str("SECRET_KEY", "") or path.exists():
        return
    # Written under another name, then linked: of two starts one wins, and none reads a partial key.
    handle, draft = tempfile.mkstemp(dir=directory, prefix=f".{SECRET_KEY_FILE}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        os.unlink(draft)


def secret_key(directory: Path, *, debug: bool) -> str:
    """Return the environment's key, else the one in `directory`; raises if there is none."""
    if key := env.str("SECRET_KEY", ""):
        return key
    if debug:
        ensure_secret_key(directory)
    try:
        return (directory / SECRET_KEY_FILE).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        raise ImproperlyConfigured(
            f"No server has run on DATA_DIR={directory}, as it has no {SECRET_KEY_FILE}. Set the"
            " DATA_DIR of the server, start one with `make run`, or set SECRET_KEY (or"
            " SECRET_KEY_FILE) in production."
        ) from None
    except PermissionError:
        raise ImproperlyConfigured(
            f"DATA_DIR: {directory} belongs to another user; run this as that user, or set another"
            " directory"
        ) from None


def parse_optional_seconds(name: str) -> int | None:
    """Return a number of seconds of at least 1; None if the variable is empty."""
    return env.int(name, validate=validate.Range(min=1)) if env.str(name, "") else None


def parse_rate_limit(name: str) -> tuple[int, int] | None:
    """Return the requests and the seconds of a limit such as `100/second`; None means no limit."""
    if not (text := env.str(name, "")):
        return None
    count, _, unit = text.partition("/")
    seconds = {"second": 1, "minute": 60, "hour": 3600}.get(unit.strip())
    if seconds is None or not count.strip().isdecimal() or not 1 <= int(count) <= 10**9:
        raise ImproperlyConfigured(
            f"{name} is {text!r}; write 100/second, 6000/minute or 100000/hour"
        )
    return int(count), seconds


def parse_origins(name: str) -> list[str]:
    """Return the origins in an environment variable; `*` means all."""
    found: list[str] = [origin.strip() for origin in env.list(name, [], subcast=str)]
    for origin in found:
        parts = urlsplit(origin)
        whole = parts.scheme in ("http", "https") and parts.netloc
        if origin != "*" and (not whole or origin != f"{parts.scheme}://{parts.netloc}"):
            raise ImproperlyConfigured(
                f"{name}: {origin!r} is not an origin; write https://app.example.com, or * for all"
            )
    return found


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PRIVATE = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("::1/128", "fc00::/7"),
)
"""The networks that `1` stands for: this machine, and private networks."""


LOOPBACK = ("127.0.0.0/8", "::1/128")
"""The networks of this machine."""


def parse_networks(name: str, default: Sequence[str] = ()) -> list[Network]:
    """Return the networks in an environment variable; `1` means all private ones, `0` none."""
    found: list[str] = [each.strip() for each in env.list(name, list(default), subcast=str)]
    if found in (["0"], ["false"], ["no"]):
        return []
    if found in (["1"], ["true"], ["yes"]):
        found = list(PRIVATE)
    try:
        return [ipaddress.ip_network(each) for each in found]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}; write 0, 1, or networks such as 10.0.0.0/8,192.168.1.7"
        ) from None


def trusted_proxies(name: str) -> int | list[Network]:
    """Return the number of proxies in front of the server, or their networks."""
    text = env.str(name, "").strip()
    if text.isdecimal():
        if int(text) > 10:
            raise ImproperlyConfigured(f"{name}: {text} is more than 10 proxies")
        return int(text)
    try:
        return [ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: {error}; write how many proxies there are, or networks such as"
            " 10.0.0.0/8,192.168.1.7"
        ) from None


SHORTEST_TOKEN = 16
"""Characters that a token of the installation has at least."""


def parse_token(name: str) -> str:
    """Return a token that clients must send; empty if the variable is."""
    token = env.str(name, "")
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise ImproperlyConfigured(
            f"{name}: write at least {SHORTEST_TOKEN} characters of ASCII, such as of"
            " `openssl rand -hex 32`"
        )
    return token


TCP_DEFAULTS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""The driver's TCP options, unless the URL sets them; seconds, a count, and milliseconds."""


def parse_seconds(name: str, default: float) -> float:
    """Return a number of seconds; 0 means no limit."""
    return env.float(name, default, validate=validate.Range(min=0, max=86_400))


def database(url: str, directory: Path) -> dict[str, Any]:
    """Convert a database URL to Django's settings; an empty one means SQLite in `directory`."""
    if not url:
        return _sqlite(directory / DATABASE_FILE)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = unquote(parts.path)
        if parts.netloc or not path.strip("/"):
            raise ImproperlyConfigured(
                "DATABASE_URL: write sqlite:///relative or sqlite:////absolute"
            )
        return _sqlite(BASE_DIR / path[1:])
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(
            f"DATABASE_URL: {parts.scheme or 'nothing'}:// is unknown; use postgres:// or sqlite://"
        )
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {error}") from None
    # The query string is passed to the driver unchanged: sslmode, host of a socket, …
    options: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    options.setdefault("connect_timeout", 5)
    # A peer that has vanished is detected within seconds, as far as TCP can.
    for name, value in TCP_DEFAULTS.items():
        options.setdefault(name, value)
    # Opened lazily and per process; a thread that waits longer than the timeout gets an error.
    # Renewed every minute, as plans of prepared statements live as long as their connection, and
    # tables may have grown a thousandfold since.
    options["pool"] = {
        "min_size": 0,
        "max_size": env.int("DATABASE_POOL", 10),
        # Less than the ten seconds within which every client gets an answer.
        "timeout": 8,
        "max_lifetime": 60,
        # The next caller retries at once. With the pool's own growing delays, it would still wait
        # long after the database is back.
        "reconnect_timeout": 1,
    }
    return {
        "ENGINE": "config.patches.postgresql",
        # None: each new connection detects whether there is a pooler.
        "PREPARE": env.bool("DATABASE_PREPARE", None),
        # For web processes and job runners; commands such as `migrate` have none.
        "LIMITS": {
            "statement_timeout": parse_seconds("DATABASE_STATEMENT_SECONDS", 30),
            "idle_in_transaction_session_timeout": parse_seconds(
                "DATABASE_IDLE_TRANSACTION_SECONDS", 5
            ),
        },
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "") or options.pop("host", ""),
        "PORT": port or options.pop("port", ""),
        # The pool keeps connections; a thread returns its own after each request.
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _sqlite(path: Path) -> dict[str, Any]:
    """Return SQLite's settings for several writing processes."""
    return {
        "ENGINE": "config.patches.sqlite",
        "NAME": path,
        # Kept open: the threads are few and permanent, and opening one costs as much as a request.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that first reads and then writes must lock at its start to be able to
            # wait.
            "transaction_mode": "IMMEDIATE",
            # For opening a connection only; afterwards the engine retries by itself.
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=3;"
                # Five hundred assignments touch more pages than SQLite caches by default, and fill
                # its log at once. With more room, their events cost a third.
                "PRAGMA cache_size=-8000;PRAGMA wal_autocheckpoint=4000"
            ),
        },
    }


def embedded_redis_socket(directory: Path) -> Path:
    """Return the socket path of the private Redis of `directory`, the same in every process."""
    path = directory / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cordboard-{os.getuid()}-{name}" / "redis.sock"


def uses_embedded_redis() -> bool:
    """Return whether no Redis is configured, so that `serve` runs a private one."""
    return not env.str("REDIS_URL", "")


def redis_url(directory: Path) -> str:
    """Return the checked URL of Redis: the environment's, else the embedded one's."""
    url = env.str("REDIS_URL", "") or f"unix://{quote(str(embedded_redis_socket(directory)))}"
    parts = urlsplit(url)
    whole = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in ("redis", "rediss", "unix") or not whole:
        raise ImproperlyConfigured(
            "REDIS_URL: use redis://host:port/number, rediss://… or unix:///path?db=number"
        )
    return url


def broker_url(url: str) -> str:
    """Return a Redis URL in the broker's form."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    query = "&".join(
        f"virtual_host={value}" if name == "db" else f"{name}={value}"
        for name, value in parse_qsl(parts.query)
    )
    credentials = f"{parts.netloc}" if "@" in parts.netloc else ""
    return f"redis+socket://{credentials}{parts.path}" + (f"?{query}" if query else "")
