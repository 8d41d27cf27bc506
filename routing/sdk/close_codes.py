"""Codes and reasons with which sessions are closed, listed in docs/build-your-own-desk.md."""

from __future__ import annotations

from typing import Final

EXPIRED: Final = 4401
GONE: Final = 4404
TOO_SLOW: Final = 4408
REPLACED: Final = 4409
RESYNC: Final = 4410
CROWDED: Final = 4411
TALKING: Final = 4429

MADE_ROOM: Final = "Closed for a newer session, as the worker has too many"
LISTS_CHANGED: Final = "Activities or channels have changed; read all lists again"
MISSED: Final = "Events may have been missed; read all lists again"
