"""Every operation gets valid and invalid requests that schemathesis derives from the description.

The seed is fixed: a run can be repeated. Sids in paths and forms are now and then those of things
that exist, so that requests come further than to "not found".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from routing.api.openapi.description import document
from routing.api.openapi.operations import Operation, operations
from tests.api.conftest import Api, path_parts

EXAMPLES = {GenerationMode.POSITIVE: 7, GenerationMode.NEGATIVE: 4}
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
FAULTS = {500, 503}


@pytest.fixture(scope="module")
def described() -> Iterator[Any]:
    """Return the description as schemathesis loads it, before the application."""
    schema = schemathesis.openapi.from_dict(document())
    schema.app = WSGIHandler()
    # As the test client does: the end of a request must not close the test's own connection.
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield schema
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.name)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_described_and_is_no_server_error(
    described: Any, api: Api, existing: dict[str, str], operation: Operation, mode: GenerationMode
) -> None:
    of_schemathesis = described[operation.path][operation.method]
    cases = of_schemathesis.as_strategy(generation_mode=mode)

    @hypothesis.seed(4)
    @hypothesis.settings(
        max_examples=EXAMPLES[mode],
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=cases, known=st.sampled_from([True, True, True, False]))
    def send(case: Any, known: bool) -> None:
        if known:
            case.path_parameters = path_parts(operation, existing)
            if isinstance(case.body, dict):
                case.body = {name: real(value, existing) for name, value in case.body.items()}
        response = case.call(headers={"Authorization": api.authorization})
        assert response.status_code not in FAULTS, (case.body, response.text)
        case.validate_response(response, checks=CHECKS)

    send()


def real(value: Any, existing: dict[str, str]) -> Any:
    """Return an existing sid instead of a made-up one."""
    sid = isinstance(value, str) and len(value) == 34
    return existing.get(value[:2], value) if sid else value
