"""Credentials of the first start: generated or from the environment, kept in a shell file."""

from __future__ import annotations

import os
import secrets
import shlex
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from django.contrib.auth import get_user_model, hashers
from django.db import transaction

from config.environment import env
from routing import sids
from routing.actions import accounts, api_keys
from routing.models import Account

FILE = "credentials.env"
GENERATED: dict[str, Callable[[], str]] = {
    "ACCOUNT_SID": lambda: sids.new_sid("AC"),
    "AUTH_TOKEN": lambda: secrets.token_hex(16),
    "API_KEY_SID": lambda: sids.new_sid("SK"),
    "API_KEY_SECRET": lambda: secrets.token_hex(16),
    "ADMIN_USER": lambda: "admin",
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
}
GENERATED_FOR_DEMO: dict[str, Callable[[], str]] = {
    "AGENT_USER": lambda: "alice",
    "AGENT_PASSWORD": lambda: secrets.token_urlsafe(9),
}

Credentials = dict[str, str]


def ensure_credentials(directory: Path, *, demo: bool) -> Credentials | None:
    """Return the installation's credentials, created at the first start.

    Returns None if the file is missing although there are accounts. Its contents cannot be
    restored, as tokens are shown once and passwords are hashed, and new ones would go unnoticed.
    """
    path = directory / FILE
    known = read_credentials(path)
    if known is None and Account.objects.exists():
        return None
    names = GENERATED | (GENERATED_FOR_DEMO if demo else {})
    values = dict(known or {})
    for name, generate in names.items():
        if name not in values:
            values[name] = env.str(name, "") or generate()
    with transaction.atomic():
        if not Account.objects.exists():
            _create(values)
        if values != known:
            # Written before the commit: a file without rows is repaired by the next start, but rows
            # without the file could not be.
            write_credentials(path, values)
    return values


def _create(values: Credentials) -> None:
    """Create the account, its API key and the first administrator."""
    now = datetime.now(UTC)
    account, _ = accounts.create_account(
        friendly_name="Cordboard",
        sid=values["ACCOUNT_SID"],
        auth_token=values["AUTH_TOKEN"],
        now=now,
    )
    api_keys.create_api_key(
        account=account,
        friendly_name="First start",
        sid=values["API_KEY_SID"],
        secret=values["API_KEY_SECRET"],
        now=now,
    )
    users = get_user_model().objects
    if not users.filter(username=values["ADMIN_USER"]).exists():
        users.create_superuser(username=values["ADMIN_USER"], password=values["ADMIN_PASSWORD"])


def outdated_users(values: Credentials) -> set[str]:
    """Return the users whose password is no longer the one in these credentials."""
    given = {
        name: values[f"{who}_PASSWORD"]
        for who in ("ADMIN", "AGENT")
        if (name := values.get(f"{who}_USER"))
    }
    users = get_user_model().objects.filter(username__in=given, is_active=True)
    current = {
        user.username
        for user in users
        if hashers.check_password(given[user.username], user.password)
    }
    return given.keys() - current


def read_credentials(path: Path) -> Credentials | None:
    """Return the contents of the file, with any quoting; None if it does not exist."""
    try:
        words = shlex.split(path.read_text(), comments=True)
    except FileNotFoundError:
        return None
    pairs = (word.removeprefix("export ").partition("=") for word in words if "=" in word)
    return {name: value for name, _, value in pairs}


def write_credentials(path: Path, values: Credentials) -> None:
    """Write the file atomically, readable by this user only, in a form that a shell can source."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in values.items()]
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{FILE}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.writelines(lines)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
