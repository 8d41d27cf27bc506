"""Create logins for the agent's desk, and change how they log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from routing.actions.support import inputs
from routing.actions.support.errors import InvalidInput

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def create_login(*, username: str, password: str) -> User:
    """Create a login without any permissions.

    Raises `InvalidInput` for a username that is malformed or taken, or a password that is too easy
    to guess.
    """
    users = get_user_model()
    user = users(username=username.strip())
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="username") from None
    _set_password(user, password)
    with inputs.refuse_duplicates(
        f"a login named {user.get_username()!r} exists already", field="username"
    ):
        user.save(force_insert=True)
    return user


@transaction.atomic
def reset_password(*, user: User, password: str) -> None:
    """Set a new password for a login, which ends its sessions.

    Raises `InvalidInput` for a password that is too easy to guess.
    """
    _set_password(user, password)
    user.save(update_fields=["password"])


@transaction.atomic
def set_active(*, user: User, active: bool) -> None:
    """Enable or disable a login; disabling ends its sessions."""
    user.is_active = active
    user.save(update_fields=["is_active"])


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from None
    user.set_password(password)
