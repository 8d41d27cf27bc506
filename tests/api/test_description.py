"""The API's description is complete and valid, and people and tools can read it."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.test import Client

from routing.api.error_catalog import ERRORS
from routing.api.openapi import reference
from routing.api.openapi.description import document, value_schema
from routing.api.openapi.operations import Operation, operations
from tests import factories
from tests.api import conformance
from tests.api.conftest import Api

OPERATIONS = list(operations())
PARAMETERS = [
    pytest.param(operation, param, id=f"{operation.name}-{param.name}")
    for operation in OPERATIONS
    for param in (*operation.query, *operation.form)
]


def described(operation: Operation) -> dict[str, Any]:
    paths = conformance.described_document()["paths"]
    found: dict[str, Any] = paths[operation.path][operation.method]
    return found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_says_what_it_does_and_shows_an_example(operation: Operation) -> None:
    found = described(operation)
    assert re.fullmatch(r"[A-Z][^.\n]{5,60}", operation.summary)
    for status, answer in found["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if content is None:
            assert status == "204" or "$ref" in answer
        else:
            assert valid(content["schema"], content["example"]) is None
    for content in found.get("requestBody", {}).get("content", {}).values():
        assert valid(content["schema"], content["example"]) is None


@pytest.mark.parametrize(("operation", "param"), PARAMETERS)
def test_a_parameter_says_what_it_means(operation: Operation, param: Any) -> None:
    assert param.words.endswith(".")
    if param.example is not None:
        assert valid(value_schema(param), param.example) is None


def valid(schema: dict[str, Any], example: Any) -> str | None:
    error = next(conformance.validator(json.dumps(schema)).iter_errors(example), None)
    return None if error is None else str(error)


def test_names_of_operations_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_the_description_is_openapi(client: Client) -> None:
    answer = client.get("/api/schema")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json() == document()
    assert answer.json()["openapi"] == "3.1.0"
    for schema in document()["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator(schema | {"components": document()["components"]})


@pytest.mark.parametrize(("query", "accept"), [("?format=yaml", "*/*"), ("", "application/yaml")])
def test_the_description_in_yaml_is_the_same(client: Client, query: str, accept: str) -> None:
    answer = client.get(f"/api/schema{query}", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/yaml; charset=utf-8"
    assert yaml.load(answer.content, yaml.CSafeLoader) == document()


def test_the_reference_shows_every_operation_and_fetches_nothing_from_elsewhere(
    client: Client,
) -> None:
    answer = client.get("/api/docs", headers={"Host": "localhost:9000"})
    page = answer.content.decode()
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
    assert "{base}" not in page
    assert "http://localhost:9000/v1/Workspaces" in page
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert not re.search(r"<script(?! type=\"module\" src)|\son\w+=| style=", page)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
def test_more_info_leads_to_a_page_about_the_error(client: Client, error: Any) -> None:
    answer = client.get(f"/docs/errors/{error.code}")
    assert answer.status_code == 200
    assert error.title in html.unescape(answer.content.decode())
    assert f"/docs/errors/{error.code}" in client.get("/docs/errors/").content.decode()


def test_a_code_that_is_never_answered_has_no_page(client: Client) -> None:
    assert client.get("/docs/errors/99999").status_code == 404


def test_every_error_code_of_the_api_has_a_text() -> None:
    folder = Path(reference.__file__).parent
    used = {
        int(code)
        for file in folder.glob("*.py")
        for code in re.findall(r"code=(\d{5})\b(?! \+)", file.read_text())
    }
    assert used <= {error.code for error in ERRORS}


def test_the_commands_of_the_reference_name_every_required_parameter() -> None:
    for section in reference.sections():
        for shown in section["operations"]:
            body = [row for place in shown["places"] for row in place["rows"] if row["required"]]
            for row in body:
                assert row["name"] in shown["command"] or row["name"].endswith(("Sid", "Number"))


class Answered:
    """An answer that no test of ours gives."""

    def __init__(self, status: int, body: Any) -> None:
        self.status_code, self.body, self.content = status, body, b"{}"
        self.headers = {"Content-Type": "application/json", "ETag": '"0"'}

    def json(self) -> Any:
        """Return the body."""
        return self.body


def test_an_undocumented_operation_fails_a_test(api: Api) -> None:
    workspace = factories.workspace(account=api.account)
    path = f"/v1/Workspaces/{workspace.sid}"
    right = api.get(path).json
    conformance.check("GET", path, Answered(200, right))
    for status, body in (
        (418, right),
        (200, right | {"more": 1}),
        (200, right | {"date_created": "2026-03-02T09:30:00.5Z"}),
        (200, {name: right[name] for name in right if name != "sid"}),
        (200, right | {"multi_task_enabled": None}),
    ):
        with pytest.raises(AssertionError):
            conformance.check("GET", path, Answered(status, body))
