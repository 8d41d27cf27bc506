"""Query through a transaction pooler from many threads; report wrong answers and errors.

`python -m tests.races.pooled auto|on`: whether statements are prepared by discovery, or anyway.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections import Counter
from typing import Any

import django

django.setup()

from django.db import DatabaseError, connection  # noqa: E402 - they need the settings above

from routing import models  # noqa: E402
from routing.db.compiled import CompiledQuery  # noqa: E402
from tests import factories  # noqa: E402

THREADS = 8
ROUNDS = 60
# Two statements of the same shape: swapped, each answers with a row of the wrong table.
_WORKSPACE = CompiledQuery(lambda sid: models.Workspace.objects.filter(sid=sid))
_QUEUE = CompiledQuery(lambda sid: models.TaskQueue.objects.filter(sid=sid))


def ask(number: int, sids: list[tuple[str, str]], counted: Counter[str]) -> None:
    """Look rows up by their sids, in an order of this thread's own."""
    for turn in range(ROUNDS):
        workspace_sid, queue_sid = sids[(turn + number) % len(sids)]
        pairs: list[tuple[CompiledQuery[Any], str]] = [
            (_WORKSPACE, workspace_sid),
            (_QUEUE, queue_sid),
        ]
        for query, sid in pairs if number % 2 else reversed(pairs):
            try:
                found = [str(row.sid) for row in query(sid)]
            except DatabaseError:
                counted["errors"] += 1
                connection.close()
            else:
                counted["right" if found == [sid] else "wrong"] += 1
    connection.close()


def main(prepare: str) -> None:
    """Make rows, ask for them from many threads, and print what came."""
    connection.settings_dict["PREPARE"] = True if prepare == "on" else None
    said = io.StringIO()
    logging.getLogger("config").addHandler(logging.StreamHandler(said))
    floors = [factories.workspace() for _ in range(THREADS)]
    sids = [(floor.sid, factories.queue(floor).sid) for floor in floors]
    counted: Counter[str] = Counter(right=0, wrong=0, errors=0)
    threads = [
        threading.Thread(target=ask, args=(number, sids, counted)) for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({**counted, "said": said.getvalue()}))  # noqa: T201 - the report


if __name__ == "__main__":
    main(sys.argv[1])
