"""Errors by which a database that is away is recognised."""

from __future__ import annotations

from typing import Final

from django.db import InterfaceError, OperationalError

AWAY: Final = (OperationalError, InterfaceError)
"""Errors of a database that is away; a deadlock raises one of them too."""
