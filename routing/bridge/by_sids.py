"""Ask for rows by their sids, quickly when there are few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from routing.models.prepared import Prepared


class BySids:
    """Rows of one kind by their sids, asked for by a statement that is made once for each number.

    Making it takes several times as long as asking it, and a frame is waited for.
    """

    most = 20
    """Of more sids than this the query is made each time: reading their rows costs more."""

    def __init__(self, make: Callable[[list[str]], Any]) -> None:
        """Remember what gives the queryset for some sids."""
        self._make = make
        self._made: dict[int, Prepared[Any]] = {}

    def __call__(self, sids: Iterable[str]) -> list[Any]:
        """Return the rows, by no query where there are no sids."""
        wanted = list(dict.fromkeys(sids))
        if not wanted or len(wanted) > self.most:
            return list(self._make(wanted)) if wanted else []
        asked = self._made.get(len(wanted))
        if asked is None:
            samples = [f"sample {number}" for number in range(len(wanted))]
            asked = Prepared(lambda *each: self._make(list(each)), *samples)
            self._made[len(wanted)] = asked
        return asked(*wanted)
