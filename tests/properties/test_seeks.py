"""Every eligible worker finds a lane by its key and the worker's values."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from routing.core.eligibility import build_worker_view
from routing.core.lanes import Identity
from routing.core.matching import lane_keys
from tests.core.test_matcher import worker
from workflows.expressions import View
from workflows.expressions import compile_expression as expression

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(
        ["1", "01", "1.0", "-2", "", "a", "A", "\u2028", "x" * 90, 1.0, 2.5, 0.0, 10**30]
    )
)
_values = _scalars | st.lists(_scalars, max_size=3)
_conditions = st.sampled_from(
    [
        "worker.a == task.a",
        "worker.a == task.a AND worker.b == task.b",
        "task.a IN worker.a",
        "worker.a HAS task.a AND worker.b == task.b",
        "worker.b != task.b AND worker.a == task.a",
        "worker.a == task.a OR worker.b == task.b",
        "worker.a == 1 AND task.b IN worker.b",
    ]
)


@given(_conditions, _values, _values, _scalars, _scalars)
def test_a_lane_that_a_worker_may_serve_is_found_by_the_worker_s_values(
    asked: str, a: object, b: object, task_a: object, task_b: object
) -> None:
    left = expression(asked, subject="target").bind(task=View({"a": task_a, "b": task_b}, {}))
    identity = Identity(task_channel_sid="TC", task_queue_sid="WQ", expression=left.source)
    seek = lane_keys.choose_lane_key(identity, left)
    someone = worker(attributes={"a": a, "b": b})
    if left.matches(worker=build_worker_view(someone)) and seek.path != lane_keys.ANYONE:
        assert seek.value in set(lane_keys.list_worker_keys(someone, seek.path))
        assert seek.path in ('["a"]', '["b"]')
        assert len(seek.value) <= 80
        assert json.dumps(seek.value)


def test_a_known_worker_is_found_by_sid_or_name() -> None:
    someone = worker()
    by_sid = Identity(task_channel_sid="TC", task_queue_sid="WQ", known_worker_sid=someone.sid)
    unserved = Identity(task_channel_sid="TC", task_queue_sid="WQ", known_worker_name="")
    for identity, found in ((by_sid, True), (unserved, False)):
        seek = lane_keys.choose_lane_key(identity, None)
        assert (seek.value in set(lane_keys.list_worker_keys(someone, seek.path))) == found


def test_a_task_that_ignores_capacity_is_always_read() -> None:
    identity = Identity(
        task_channel_sid="TC", task_queue_sid=None, known_worker_sid="WK1", ignore_capacity=True
    )
    assert lane_keys.choose_lane_key(identity, None) == lane_keys.LaneKey(lane_keys.REGARDLESS)
