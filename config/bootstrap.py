"""Bring `.venv` in line with the lock files, before anything is installed.

python3 config/bootstrap.py runtime|dev

Runs on any supported Python with only the standard library, and uses `uv` for speed if it can be
installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "cordboard.stamp"
LOCKS = ROOT / "requirements"
OLDEST, TOO_NEW = (3, 11), (3, 15)
PROGRESS_SECONDS = 5

NO_VENV = """\
This Python cannot create a virtual environment: neither `venv` nor `pip` is complete.
On Debian or Ubuntu:  apt install python3-venv
Elsewhere install uv, or a Python that has both; then run this again."""
NOT_OURS = """\
{} cannot be written or run by this user.
Run this as the owner of the checkout, or make your own clone."""
NO_PACKAGES = """\
The packages could not be installed; see the lines above for the reason.
After a network failure, run this again: downloaded files are kept."""


def main() -> None:
    """Bring the environment up to date, if it is not."""
    kind = sys.argv[1]
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Cordboard needs Python 3.11, 3.12, 3.13 or 3.14; this is {found}.")
    # Two commands may start at once in one checkout; the second then finds nothing to do.
    with open(LOCKS / "runtime.txt") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kind, fits = inspect(kind)
        if not fits:
            place = VENV if VENV.exists() else ROOT
            if not os.access(place, os.W_OK | os.X_OK):
                sys.exit(NOT_OURS.format(place))
            say(f"Setting up .venv with the {kind} packages; this takes about a minute, once …")
            STAMP.unlink(missing_ok=True)
            uv = make_environment()
            install(kind, uv)
            STAMP.write_text(stamp(kind))
            say("Done.")


def inspect(kind: str) -> tuple[str, bool]:
    """Return which lock to install, and whether it is already installed.

    The development lock contains the whole runtime lock. So an environment made for the tests can
    also run the server, and is kept for both.
    """
    found = STAMP.read_text() if STAMP.exists() and os.access(PYTHON, os.X_OK) else ""
    # An interrupted update has left no stamp.
    if found.startswith("dev ") or (not found and (VENV / "bin" / "pytest").exists()):
        kind = "dev"
    return kind, found == stamp(kind)


def stamp(kind: str) -> str:
    """Return the identity of an environment made from this lock, at this path."""
    digest = hashlib.sha256((LOCKS / f"{kind}.txt").read_bytes()).hexdigest()
    return f"{kind} {digest} {VENV}\n"


def make_environment() -> str | None:
    """Create `.venv` unless a working one exists; return the path of uv, or None."""
    uv = shutil.which("uv")
    if not works():
        shutil.rmtree(VENV, ignore_errors=True)
        if not (
            (uv and run(uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(VENV)))
            or run(sys.executable, "-m", "venv", str(VENV), quiet=True)
            or run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV), quiet=True)
        ):
            sys.exit(NO_VENV)
    if uv:
        return uv
    own = VENV / "bin" / "uv"
    if not own.exists():
        say("  fetching uv, which installs packages …")
        if not pip("--require-hashes", "-r", str(LOCKS / "bootstrap.txt")):
            return None
    return str(own)


def works() -> bool:
    """Return whether `.venv` has a Python of a supported version."""
    check = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] < {TOO_NEW})"
    return PYTHON.exists() and run(str(PYTHON), "-c", check, quiet=True)


def install(kind: str, uv: str | None) -> None:
    """Install exactly the packages of the lock, each file checked against its hash."""
    lock = str(LOCKS / f"{kind}.txt")
    count = len(re.findall(r"^[\w.-]+(?:\[.*\])?==", Path(lock).read_text(), re.MULTILINE))
    say(f"  installing up to {count} packages …")
    if uv:
        options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON)]
        if run(uv, "pip", "sync", *options, lock):
            return
        say("uv failed; trying pip, which has its own settings …")
    if not pip("--require-hashes", "-r", lock):
        sys.exit(NO_PACKAGES)


def pip(*arguments: str) -> bool:
    """Install with the environment's own pip, else with that of the running Python."""
    command = ["install", "--quiet", "--disable-pip-version-check", *arguments]
    if run(str(PYTHON), "-m", "pip", "--version", quiet=True):
        return run(str(PYTHON), "-m", "pip", *command)
    if run(sys.executable, "-m", "pip", "--version", quiet=True):
        return run(sys.executable, "-m", "pip", "--python", str(PYTHON), *command)
    sys.exit(NO_VENV)


def run(*command: str, quiet: bool = False) -> bool:
    """Run a command, and return whether it succeeded."""
    # With this variable, uv or pip would install into another environment.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    sink = subprocess.DEVNULL if quiet else None
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=sink, stderr=sink, env=environment) as process:
        while True:
            try:
                return process.wait(PROGRESS_SECONDS) == 0
            except subprocess.TimeoutExpired:
                say(f"  … {time.monotonic() - begun:.0f} s")


def say(text: str) -> None:
    """Print a message to stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command's voice


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
