"""Every parameter of every operation, tried with invalid values.

What is tried follows from the description. Whatever comes, the answer is a refusal that names the
parameter, or a change that was meant; never a fault, and nothing in the log.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import override_settings

from routing import models
from routing.api.openapi.operations import Operation, operations
from routing.operations.instructions import TELEPHONY
from routing.operations.parameters import Param
from tests.api.conftest import Api, path_to

FORM = "application/x-www-form-urlencoded"
ANYTHING = [
    "",
    " ",
    "\u202e\U0001f9ff",
    "x" * 70_000,
    "9" * 20,
    "1e999",
    "NaN",
    "null",
    "'; DROP TABLE tasks; --",
    "../../etc/passwd",
    "WS" + "0" * 32,
    "a == 1 OR " * 900 + "a == 1",
    "(" * 5_000,
    "%s%n{0}{__class__}",
]
"""Values that may be refused or accepted, depending on the parameter."""
CONTROL = ["\x00", "a\x00b", "\x1b[2J"]
NO_JSON_OBJECT = [
    "[" * 20_000,
    '{"a":' * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"a": 1, "a": 2}',
    '{"a": "\\ud800"}',
    '{"a": NaN}',
    '{"a": [-1e999]}',
    '{"a": 1',
    "[]",
    "7",
    '{"a": "\\u0000"}',
]
CLAMPED = {"PageSize"}
"""Parameters whose largest value is the limit of their type."""

OPERATIONS = list(operations())
QUERIES = [
    pytest.param(operation, param, id=f"{operation.name}-{param.name}")
    for operation in OPERATIONS
    for param in operation.query
]
FORMS = [
    pytest.param(operation, param, id=f"{operation.name}-{param.name}")
    for operation in OPERATIONS
    for param in operation.form
]
POSTS = [
    pytest.param(operation, id=operation.name)
    for operation in OPERATIONS
    if operation.method == "post"
]


def wrong(param: Param) -> Iterator[str]:
    """Yield values that a parameter's schema excludes."""
    schema = param.schema
    yield from CONTROL
    if schema.get("type") == "integer":
        yield from ("ten", "1.5", "0x10", "١٢", "--1", "9" * 5_000, "")
    if "minimum" in schema:
        yield str(schema["minimum"] - 1)
    if "maximum" in schema and param.name not in CLAMPED:
        yield from (str(schema["maximum"] + 1), "9" * 18)
    if "enum" in schema and not param.many:
        yield from ("nonsense", f"{schema['enum'][0]}x", "\U0001f9ff")
    if schema.get("format") == "date-time":
        yield from ("yesterday", "2026-13-45T00:00:00Z", "12", "-0001-01-01T00:00:00Z")
    if "{32}" in schema.get("pattern", ""):
        yield from ("W", "XX" + "0" * 32, "\U0001f9ff" * 34, "WK" + "g" * 32)
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("contentMediaType") == "application/json":
        yield from NO_JSON_OBJECT


def good(operation: Operation, existing: dict[str, str], workspace: models.Workspace) -> Any:
    """Return a form that an operation takes, with new names each time."""
    revision = workspace.workflows.all()[0].revision
    assert revision is not None
    known = {"Configuration": revision.configuration, "WorkerSid": existing["WK"]}
    known |= {"QueueSids": existing["WQ"]}
    for number in itertools.count():
        names = {"FriendlyName": f"name {number}", "UniqueName": f"name{number}"}
        yield {p.name: (known | names)[p.name] for p in operation.form if p.required}


def around(param: Param) -> dict[str, str]:
    """Return the other parameters without which a parameter is not read."""
    for word, params in TELEPHONY.items():
        named = param.name in {each.name for each in params}
        if named and param.words.startswith("For instruction"):
            required = {each.name: "there" for each in params if each.required}
            return {"Instruction": word, **required}
    return {}


def test_there_are_parameters_to_try() -> None:
    assert len(FORMS) > 150
    assert len(QUERIES) > 100


@pytest.mark.parametrize(("operation", "param"), FORMS)
def test_a_wrong_value_in_a_form_is_refused_by_name(
    api: Api,
    workspace: models.Workspace,
    existing: dict[str, str],
    operation: Operation,
    param: Param,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, forms = path_to(operation, existing), good(operation, existing, workspace)
    beside = around(param)
    for value in wrong(param):
        answer = api.post(path, **(next(forms) | beside | {param.name: value}))
        assert (answer.status, answer["code"]) == (400, 20001), (value[:40], answer.json)
        assert param.name in answer.message, answer.message
    for value in ANYTHING:
        answer = api.post(path, **(next(forms) | beside | {param.name: value}))
        assert answer.status in (200, 201, 400, 409, 501), (value[:40], answer.json)
        if answer.status == 400:
            assert param.name in answer.message or "exists already" in answer.message
    if param.required:
        form = next(forms)
        del form[param.name]
        answer = api.post(path, **form)
        assert (answer.status, answer.message) == (400, f"The {param.name} field is required")
    assert not caplog.records


@pytest.mark.parametrize(("operation", "param"), QUERIES)
def test_a_wrong_value_in_a_query_is_refused_by_name(
    api: Api,
    existing: dict[str, str],
    operation: Operation,
    param: Param,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = path_to(operation, existing)
    for value in wrong(param):
        answer = api.get(path, **{param.name: value})
        assert (answer.status, answer["code"]) == (400, 20001), (value[:40], answer.json)
        assert param.name in answer.message, answer.message
    for value in ANYTHING:
        answer = api.get(path, **{param.name: value})
        assert answer.status in (200, 400), (value[:40], answer.json)
        assert answer.status == 200 or param.name in answer.message
    assert not caplog.records


@pytest.mark.parametrize("operation", POSTS)
def test_a_body_of_another_type_or_cut_off_or_too_large_is_refused(
    api: Api, existing: dict[str, str], operation: Operation
) -> None:
    path = path_to(operation, existing)
    before = models.Event.objects.count()
    kinds = ["multipart/form-data; boundary=x", "text/plain", "", "application/xml"]
    if not operation.view.json_params:
        kinds.append("application/json")
    for kind in kinds:
        answer = api.send("POST", path, body=b"--x\r\nContent-Dispo", content_type=kind)
        assert (answer.status, answer["code"]) == (415, 20415), kind
    for body in (b"FriendlyName=\xc3", b"FriendlyName=%C3", b"\xed\xa0\x80=1", b"a=%F0%9F"):
        answer = api.send("POST", path, body=body)
        assert (answer.status, answer["code"]) == (400, 20001), body
    answer = api.send("POST", path, body="a=1&" * 1_001)
    assert (answer.status, answer["code"]) == (400, 20001)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000):
        answer = api.send("POST", path, body="FriendlyName=" + "x" * 1_000)
        assert (answer.status, answer["code"]) == (413, 20413)
    assert models.Event.objects.count() == before


@pytest.mark.parametrize(
    "body",
    [
        *("", "[", "[]", "null", "7", '"a"', "{}", "[" * 10_000, '{"queueSids":' * 10_000),
        *('{"queueSids": 7}', '{"queueSids": [null]}', '{"queueSids": []}'),
        *('{"queueSids": {"a": 1}}', '{"queueSids": ["\\u0000"]}'),
    ],
)
def test_a_json_body_of_another_shape_is_refused(api: Api, root: str, body: str) -> None:
    path = f"{root}/TaskQueues/RealTimeStatistics"
    answer = api.send("POST", path, body=body, content_type="application/json")
    assert (answer.status, answer["code"]) == (400, 20001), answer.json


@pytest.mark.parametrize("named", ["", '"', "W/", "\u202e", "x" * 7_000, '"0", "0" "', "0 0"])
def test_an_invalid_version_changes_nothing(
    api: Api, existing: dict[str, str], root: str, named: str
) -> None:
    path = f"{root}/Tasks/{existing['WT']}"
    answer = api.post(path, if_match=named, Priority="3")
    assert answer.status in (200, 412)
    assert (api.get(path)["priority"] == 3) == (answer.status == 200)


def test_a_value_given_twice_is_the_last_one(api: Api, existing: dict[str, str], root: str) -> None:
    body = urlencode([("Priority", "1"), ("Priority", "2")])
    answer = api.send("POST", f"{root}/Tasks/{existing['WT']}", body=body)
    assert (answer.status, answer["priority"]) == (200, 2)


def test_the_same_form_twice_creates_as_many_rows_as_unique_names_allow(
    api: Api, root: str
) -> None:
    form = {"FriendlyName": "Alice"}
    assert api.post(f"{root}/Workers", **form).status == 201
    assert api.post(f"{root}/Workers", **form).status == 400
    assert len(api.get(f"{root}/Workers", **form)["workers"]) == 1
