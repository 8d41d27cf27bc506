"""Form errors for texts that do not parse."""

from __future__ import annotations

import json

from django import forms

from workflows.forms import ConfigurationFormField, ExpressionFormField

SID = f"WQ{1:032x}"


class QueueForm(forms.Form):
    target_workers = ExpressionFormField(subject="worker", required=False)


class WorkflowForm(forms.Form):
    configuration = ConfigurationFormField(queue_sids=lambda: {SID})


def workflow(**target: object) -> WorkflowForm:
    routing = {"default_filter": {"queue": SID, **target}}
    return WorkflowForm({"configuration": json.dumps({"task_routing": routing})})


def test_a_valid_expression_is_stored_as_written() -> None:
    form = QueueForm({"target_workers": "skills HAS 'x'"})
    assert form.is_valid()
    assert form.cleaned_data == {"target_workers": "skills HAS 'x'"}


def test_an_empty_expression_is_left_to_the_form() -> None:
    assert QueueForm({"target_workers": "  "}).is_valid()


def test_a_wrong_expression_is_shown_with_its_caret() -> None:
    form = QueueForm({"target_workers": "skill-level > 3"})
    assert form.errors.as_data()["target_workers"][0].message == (
        "A hyphen cannot be part of an attribute name; rename the attribute, "
        "for example skill_level\n    skill-level > 3\n    ^~~~~~~~~~~"
    )


def test_a_right_configuration_passes() -> None:
    assert workflow(priority=1).is_valid()


def test_every_problem_of_a_configuration_is_shown_with_its_path() -> None:
    form = workflow(priority=-1, expression="worker.skill == ", queue="WQ2")
    assert [str(message).split(":")[0] for message in form.errors["configuration"]] == [
        f"task_routing.default_filter.{key}" for key in ("queue", "expression", "priority")
    ]


def test_a_configuration_is_required() -> None:
    assert not WorkflowForm({"configuration": ""}).is_valid()
