"""Password hashing at a bounded cost: OWASP's recommended parameters, few hashes at a time."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

from django.contrib.auth import hashers

HASHES_AT_ONCE: Final = min(max((os.cpu_count() or 1) - 1, 1), 2)
"""Number of concurrent hashes; the other processors serve other requests."""

_lane: Final = threading.BoundedSemaphore(HASHES_AT_ONCE)


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one thread.

    Hashes with other parameters still match, and are replaced at the user's next login.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: Any, salt: Any) -> str:
        """Return the hash of a password."""
        with _lane:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether a password is the hashed one."""
        with _lane:
            return super().verify(password, encoded)
