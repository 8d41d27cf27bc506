"""A new task with its first offer, written only if the worker is as they were read."""

from __future__ import annotations

from collections.abc import Sequence

from routing.db.sql import rows

_LATEST = "GREATEST(COALESCE(last_reserved_us, %s), %s)"

_CLAIM = f"""
    WITH chosen AS MATERIALIZED (
        SELECT slot.id FROM workers AS worker
        JOIN worker_channels AS slot ON slot.worker_id = worker.id
        WHERE worker.id = %s AND worker.version = %s AND worker.workload_version = %s
            AND slot.id = %s AND slot.worker_available AND slot.available
            AND slot.consumed < slot.configured_capacity - slot.reserved_for_manual
            AND {{guards}}
        FOR NO KEY UPDATE OF worker, slot SKIP LOCKED
    ), claimed_slot AS (
        UPDATE worker_channels SET consumed = consumed + 1, last_reserved_us = {_LATEST}
        FROM chosen WHERE worker_channels.id = chosen.id RETURNING worker_id
    ), claimed_worker AS (
        UPDATE workers SET version = version + 1, workload_version = workload_version + 1,
            last_reserved_us = {_LATEST}
        FROM claimed_slot WHERE workers.id = claimed_slot.worker_id RETURNING workers.id
    ), first AS (
        INSERT INTO {{table}} ({{names}}) SELECT {{given}} FROM claimed_worker RETURNING id
    ), offer AS (
        INSERT INTO {{offer_table}} (task_id, {{offer_names}})
        SELECT first.id, {{offer_given}} FROM first RETURNING id
    ), {{later}}
    SELECT 0 AS part, id FROM first UNION ALL SELECT 1, id FROM offer
    UNION ALL SELECT 2, id FROM later ORDER BY part, id
"""  # noqa: S608 - made of the constants above


def insert_offered_task(
    table: str,
    columns: Sequence[tuple[str, str]],
    offer_table: str,
    offer_columns: Sequence[tuple[str, str]],
    *,
    guards: Sequence[tuple[str, str]],
    later: str,
) -> str:
    """Return a statement that claims a slot, and inserts a task, its offer and other rows.

    Nothing is written if a row of the worker is locked, or not as it was read, or if a guard does
    not hold. So it never waits for a lock of a worker, and no lock waits for it in return. Each
    part needs the row of the part before. PostgreSQL only.

    The parameters are the worker's id, version and workload version, the slot's id, those of the
    guards, four times the moment of the offer, the values of the task, those of the offer, and
    those of the other rows. It reads the primary keys only.

    Arguments:
        columns: the names and types of the task's columns.
        offer_columns: those of the offer, without the task's id.
        guards: see `rows.insert_together`.
        later: the part that inserts the other rows, see `rows.insert_later`.
    """
    return _CLAIM.format(
        guards=rows.join_guards(guards),
        table=table,
        names=", ".join(name for name, _ in columns),
        given=", ".join(f"%s::{type_}" for _, type_ in columns),
        offer_table=offer_table,
        offer_names=", ".join(name for name, _ in offer_columns),
        offer_given=", ".join(f"%s::{type_}" for _, type_ in offer_columns),
        later=later,
    )
