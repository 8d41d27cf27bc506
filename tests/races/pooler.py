"""Query through a transaction pooler from many threads; count wrong answers and errors.

`python -m tests.races.pooler auto|on`: prepare statements unless a pooler is detected, or always.
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


def query_rows(number: int, sids: list[tuple[str, str]], outcomes: Counter[str]) -> None:
    """Look up rows by sid, in an order that differs per thread."""
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
                outcomes["errors"] += 1
                connection.close()
            else:
                outcomes["right" if found == [sid] else "wrong"] += 1
    connection.close()


def main(prepare: str) -> None:
    """Make rows, query them from many threads, and print the counts."""
    connection.settings_dict["PREPARE"] = True if prepare == "on" else None
    logged = io.StringIO()
    logging.getLogger("config").addHandler(logging.StreamHandler(logged))
    floors = [factories.workspace() for _ in range(THREADS)]
    sids = [(floor.sid, factories.queue(floor).sid) for floor in floors]
    outcomes: Counter[str] = Counter(right=0, wrong=0, errors=0)
    threads = [
        threading.Thread(target=query_rows, args=(number, sids, outcomes))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({**outcomes, "said": logged.getvalue()}))  # noqa: T201 - the report


if __name__ == "__main__":
    main(sys.argv[1])
