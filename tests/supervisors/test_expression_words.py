"""What tasks and queues ask for, in words."""

from __future__ import annotations

import pytest
from django.utils import translation

from supervisors.expression_words import MOST_TERMS, describe_expression
from tests import factories
from tests.supervisors.conftest import Cockpit


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ('languages HAS "es"', "languages includes “es”"),
        ("'es' IN languages", "languages includes “es”"),
        ("'es' NOT IN languages", "languages does not include “es”"),
        ("team == 'billing'", "team is “billing”"),
        ("team != 'billing'", "team is not “billing”"),
        ("vip == true", "vip is yes"),
        ("manager != null", "manager is set"),
        ("manager == null", "manager is not set"),
        ("level >= 3", "level is at least 3"),
        ("3 > level", "level is less than 3"),
        ("level <= 3 AND level > 1.5", "level is at most 3 and level is more than 1.5"),
        ("team IN ['a', 'b', 'c']", "team is one of “a”, “b” or “c”"),
        ("team NOT IN ['a']", "team is none of “a”"),
        ("email CONTAINS '@example'", "email contains “@example”"),
        ("skills.chat HAS 1", "skills.chat includes 1"),
        (
            "team == 'a' AND (languages HAS 'es' OR languages HAS 'pt')",
            "team is “a” and either languages includes “es” or languages includes “pt”",
        ),
        ("a == 1 AND b == 2 OR c == 3", "a is 1 and b is 2, or c is 3"),
        ("a == 1 AND b == 2 AND c == 3", "a is 1, b is 2 and c is 3"),
        ("", ""),
        ("1 == 1", ""),
        ("1 == 2", "nothing that a worker can have"),
        ("level >=", ""),
        ("level == rank", "level is rank"),
    ],
)
def test_a_condition_is_said_in_words(expression: str, words: str) -> None:
    assert describe_expression(expression) == words


def test_what_a_task_brings_along_is_named_as_such() -> None:
    expression = "task.language IN worker.languages"
    words = describe_expression(expression, subject="target")
    assert words == "languages includes the task’s language"


def test_the_channel_of_a_task_is_named_as_such() -> None:
    words = describe_expression('task_channel_unique_name == "voice"', subject="task")
    assert words == "the task’s channel is “voice”"


def test_the_load_of_an_agent_is_named_as_slots_and_tasks() -> None:
    expression = (
        "worker.channel.voice.available_capacity_percentage == 100"
        " AND worker.channel.chat.assigned_tasks <= 1"
    )
    assert describe_expression(expression, subject="target") == (
        "the share of free voice slots is 100 % and the number of chat tasks is at most 1"
    )


def test_pages_show_the_words_with_the_expression_beside(cockpit: Cockpit) -> None:
    target = factories.target(cockpit.queue, expression="task.language IN worker.languages")
    workflow = factories.workflow(cockpit.workspace, default=target)
    task = cockpit.task(workflow=workflow, attributes={"language": "es"})
    asked = cockpit.read("panels/asked", queue=cockpit.queue.sid)
    assert '<span class="asked">languages includes “es”</span>' in asked
    assert "worker.languages HAS &quot;es&quot;</code>" in asked
    text = cockpit.read("panels/explanation", task=task.sid)
    assert '<span class="asked">languages includes the task’s language</span>' in text
    assert '<span class="asked">languages includes “es”</span>' in text


def test_a_long_condition_is_not_said_in_words() -> None:
    terms = [f"skill{number} == 1" for number in range(MOST_TERMS + 1)]
    assert describe_expression(" AND ".join(terms[:-1])).count("is 1") == MOST_TERMS
    assert describe_expression(" AND ".join(terms)) == ""


def test_names_and_values_keep_their_direction_in_arabic() -> None:
    with translation.override("ar"):
        words = describe_expression("languages HAS 'es'")
    assert "\u2066languages\u2069" in words
    assert "\u2066es\u2069" in words
