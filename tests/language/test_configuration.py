"""Workflow documents: their meaning, and every problem they can have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows.configuration import (
    HIGHEST,
    LONGEST_PATH,
    MOST_PROBLEMS,
    Configuration,
    ConfigurationError,
    Target,
    parse_configuration,
)

OPERATORS = "one of ==, !=, <, <=, >, >=, HAS, IN, NOT IN, CONTAINS"
SUPPORT, SALES = f"WQ{1:032x}", f"WQ{2:032x}"


def target(**keys: Any) -> dict[str, Any]:
    return {"queue": SUPPORT, **keys}


def document(*targets: Any, default: Any = None, **filter_keys: Any) -> str:
    routing: dict[str, Any] = {}
    if targets:
        listed = {"filter_friendly_name": "Chats", "expression": "channel == 'chat'"}
        routing["filters"] = [listed | {"targets": list(targets)} | filter_keys]
    if default is not None:
        routing["default_filter"] = default
    return json.dumps({"task_routing": routing})


def only_target(**keys: Any) -> Target:
    return parse_configuration(document(target(**keys))).filters[0].targets[0]


def problems(text: str, queue_sids: list[str] | None = None) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(text, queue_sids=queue_sids)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_a_complete_workflow_is_parsed() -> None:
    configuration = parse_configuration(
        document(
            target(
                expression="task.language IN worker.languages",
                priority=5,
                timeout=10,
                order_by="level desc",
                skip_if="workers.available == 0",
                known_worker_sid="task.agent_sid",
                grab_expression="worker.level > 1",
            ),
            target(queue=SALES),
            default={"queue": SALES, "priority": 1},
        ),
        queue_sids=[SUPPORT, SALES],
    )
    (chats,) = configuration.filters
    first, second = chats.targets
    assert (chats.name, chats.expression.source) == ("Chats", 'task.channel == "chat"')
    assert str(first.expression) == "task.language IN worker.languages"
    assert (first.queue, first.priority, first.timeout) == (SUPPORT, 5, 10)
    assert (str(first.order_by), first.order_by_source) == ("worker.level DESC",) * 2
    assert str(first.skip_if) == "workers.available == 0"
    assert first.known_worker_sid == ("agent_sid",)
    assert str(first.grab_expression) == "worker.level > 1"
    assert second == Target(queue=SALES)
    assert configuration.default == Target(queue=SALES, priority=1)
    assert configuration.queues == {SUPPORT, SALES}
    assert configuration.warnings == ()


def test_filters_alone_and_a_default_alone_are_enough() -> None:
    assert parse_configuration(document(target())).default is None
    alone = parse_configuration(document(default={"queue": SALES}))
    assert alone.filters == ()
    assert alone.default == Target(queue=SALES)
    assert parse_configuration(
        '{"task_routing": {"filters": [], "default_filter": {"queue": "WQ1"}}}'
    ).default


def test_numbers_may_be_written_as_texts() -> None:
    assert only_target(priority="5", timeout=" 30 ") == Target(SUPPORT, priority=5, timeout=30)
    assert only_target(priority="007", timeout=30.0) == Target(SUPPORT, priority=7, timeout=30)
    assert only_target(priority="", timeout=None) == Target(SUPPORT)


def test_friendly_name_is_accepted_for_filter_friendly_name() -> None:
    assert (
        parse_configuration(document(target(), filter_friendly_name=None, friendly_name="x"))
        .filters[0]
        .name
        == "x"
    )
    assert parse_configuration(document(target(), friendly_name="x")).filters[0].name == "Chats"


def test_a_target_inherits_its_queue_and_nothing_else() -> None:
    given = target(queue=SALES, expression="worker.a == 1", timeout=5, priority=3)
    given |= {"order_by": "worker.a ASC", "skip_if": "1==1"}
    first, second, third = (
        parse_configuration(document(given, {}, {"timeout": 1})).filters[0].targets
    )
    assert first.expression is not None
    assert second == Target(queue=SALES)
    assert third == Target(queue=SALES, timeout=1)


def test_an_empty_text_is_absent() -> None:
    empty = dict.fromkeys(
        ("expression", "order_by", "skip_if", "grab_expression", "known_worker_sid"), " "
    )
    assert only_target(**empty) == Target(queue=SUPPORT)


def test_unknown_keys_are_ignored() -> None:
    assert only_target(comment={"deep": [1, {}]}) == Target(queue=SUPPORT)


@pytest.mark.parametrize("key", ["known_worker_sid", "known_worker_friendly_name"])
def test_a_known_worker_is_a_path_into_the_task(key: str) -> None:
    assert getattr(only_target(**{key: "task.crm.owner[0]"}), key) == ("crm", "owner", 0)
    assert getattr(only_target(**{key: "agent"}), key) == ("agent",)
    for wrong in ("worker.sid", "taskrouter.currentHour", "task.a == 1", "'WK1'", "task."):
        ((path, _),) = problems(document(target(**{key: wrong})))
        assert path == f"task_routing.filters[0].targets[0].{key}"


def test_the_default_filter_ignores_keys_of_steps_with_a_warning() -> None:
    configuration = parse_configuration(
        document(default=target(timeout=5, skip_if="nonsense", order_by="worker.level ASC"))
    )
    assert configuration.default is not None
    assert configuration.default.timeout is None
    assert configuration.default.skip_if is None
    assert configuration.default.order_by_source == "worker.level ASC"
    assert [(warning.path, warning.message) for warning in configuration.warnings] == [
        (
            f"task_routing.default_filter.{key}",
            f"{key} has no meaning in the default filter and is ignored",
        )
        for key in ("timeout", "skip_if")
    ]


def test_an_inverted_percentage_is_accepted_with_a_warning_at_its_path() -> None:
    expression = "worker.channel.chat.available_capacity_percentage < 75"
    configuration = parse_configuration(
        document(target(expression=expression), target(), default=target(expression=expression))
    )
    paths = [warning.path for warning in configuration.warnings]
    assert paths == [
        "task_routing.filters[0].targets[0].expression",
        "task_routing.default_filter.expression",
    ]
    assert all("busy_capacity_percentage < 75" in each.message for each in configuration.warnings)
    repaired = expression.replace("< 75", "> 25")
    assert parse_configuration(document(target(expression=repaired))).warnings == ()


def test_a_queue_of_another_workspace_is_refused() -> None:
    text = document(target(), target(queue=SALES), default=target(queue=SALES))
    assert parse_configuration(text, queue_sids={SUPPORT, SALES}).queues == {SUPPORT, SALES}
    assert problems(text, [SUPPORT]) == [
        (path, f"There is no task queue {SALES} in this workspace")
        for path in (
            "task_routing.filters[0].targets[1].queue",
            "task_routing.default_filter.queue",
        )
    ]


def test_every_problem_is_reported_with_its_path() -> None:
    text = json.dumps(
        {
            "task_routing": {
                "filters": [
                    {"targets": []},
                    {
                        "expression": "vip",
                        "targets": [
                            {},
                            {"timeout": 0, "priority": True},
                            {"expression": "worker.skill = = 1", "order_by": "worker.level"},
                            "WQ1",
                        ],
                    },
                    [],
                ],
                "default_filter": {"queue": 5},
            }
        }
    )
    whole = "Expected a whole number from {} to 2147483647"
    assert problems(text) == [
        ("task_routing.filters[0].expression", "A filter needs an expression over the task"),
        ("task_routing.filters[0].targets", "A filter needs a list of at least one target"),
        (
            "task_routing.filters[1].expression",
            f"Expected an operator after vip ({OPERATORS})\n    vip\n       ^",
        ),
        ("task_routing.filters[1].targets[0].queue", "Expected the sid of a task queue (WQ…)"),
        ("task_routing.filters[1].targets[1].priority", whole.format(0)),
        ("task_routing.filters[1].targets[1].timeout", whole.format(1)),
        (
            "task_routing.filters[1].targets[2].order_by",
            "Expected ASC or DESC after worker.level\n    worker.level\n                ^",
        ),
        (
            "task_routing.filters[1].targets[2].expression",
            (
                "Expected a value: an attribute, a text, a number or a list\n"
                "    worker.skill = = 1\n                   ^"
            ),
        ),
        ("task_routing.filters[1].targets[3]", "Expected an object with a queue"),
        ("task_routing.filters[2]", "Expected an object with an expression and targets"),
        ("task_routing.default_filter.queue", "Expected a text"),
    ]


def test_the_error_prints_every_problem_after_its_path() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(document(target(timeout="soon"), expression="a ="))
    assert (
        str(caught.value)
        == """\
task_routing.filters[0].expression: Expected a value: an attribute, a text, a number or a list
    a =
       ^
task_routing.filters[0].targets[0].timeout: Expected a whole number from 1 to 2147483647"""
    )


@pytest.mark.parametrize("value", [0, -1, "0", "1.5", 1.5, True, [], HIGHEST + 1, "x", "9" * 30])
def test_a_timeout_must_be_a_positive_whole_number(value: Any) -> None:
    assert only_target(timeout=HIGHEST).timeout == HIGHEST
    ((path, _),) = problems(document(target(timeout=value)))
    assert path.endswith(".timeout")


@pytest.mark.parametrize("value", [-1, "-1", HIGHEST + 1, 0.5, False, {}, "high"])
def test_a_priority_out_of_range_is_refused(value: Any) -> None:
    assert only_target(priority=0).priority == 0
    ((path, _),) = problems(document(target(priority=value)))
    assert path.endswith(".priority")


def test_a_target_may_name_its_known_worker_in_only_one_way() -> None:
    both = target(known_worker_sid="task.a", known_worker_friendly_name="task.b")
    assert problems(document(both)) == [
        (
            "task_routing.filters[0].targets[0]",
            "known_worker_sid and known_worker_friendly_name exclude each other",
        )
    ]


def test_a_refused_document_gives_no_configuration() -> None:
    result: Configuration | None = None
    with pytest.raises(ConfigurationError):
        result = parse_configuration(document(target(), target(timeout=-1)))
    assert result is None


def test_a_warning_about_an_unknown_key_suggests_a_similar_one() -> None:
    text = json.dumps(
        {
            "task_routing": {
                "filters": [
                    {
                        "filterFriendlyName": "a",
                        "expression": "1==1",
                        "targets": [target(timeot=5, skip_iff="1==1", comment="x")],
                    }
                ],
                "default_filter": {"queue": SALES, "Priority": 1, "friendly_name": "all else"},
                "version": 2,
            },
            "description": "ours",
        }
    )
    first = "task_routing.filters[0]"
    known = "expression, priority, timeout, order_by, skip_if, known_worker_sid"
    assert {each.path: each.message for each in parse_configuration(text).warnings} == {
        "description": "“description” is unknown here; known are task_routing",
        "task_routing.version": "“version” is unknown here; known are filters, default_filter",
        f"{first}.filterFriendlyName": (
            "“filterFriendlyName” is unknown here; did you mean “filter_friendly_name”?"
        ),
        f"{first}.targets[0].timeot": "“timeot” is unknown here; did you mean “timeout”?",
        f"{first}.targets[0].skip_iff": "“skip_iff” is unknown here; did you mean “skip_if”?",
        f"{first}.targets[0].comment": (
            f"“comment” is unknown here; known are queue, {known}, known_worker_friendly_name,"
            " grab_expression"
        ),
        "task_routing.default_filter.Priority": (
            "“Priority” is unknown here; did you mean “priority”?"
        ),
    }


def test_an_error_about_a_missing_part_names_the_misspelled_key() -> None:
    text = json.dumps({"task_routing": {"filters": [{"expresion": "1==1", "target": [target()]}]}})
    paths = [path for path, _ in problems(text)]
    first = "task_routing.filters[0]"
    assert paths == [f"{first}.{key}" for key in ("expression", "targets", "expresion", "target")]


def test_the_number_of_warnings_is_bounded() -> None:
    keys = {f"{'x' * 100}{index}": 1 for index in range(1_000)}
    warned = parse_configuration(document(target(**keys))).warnings
    assert len(warned) == MOST_PROBLEMS
    assert max(len(each.message) for each in warned) < 300


def test_every_expression_of_a_target_gets_warnings_about_missing_prefixes() -> None:
    text = document(target(expression="isSurveyTask==true", grab_expression="vip == true"))
    warned = parse_configuration(text).warnings
    assert [(each.path.rpartition(".")[2], each.message) for each in warned] == [
        (key, (f"“{name}” has no prefix, so it reads the task's attribute. Write “task.{name}” to"
              f" say so, or “worker.{name}” for the worker's attribute."))
        for key, name in (("expression", "isSurveyTask"), ("grab_expression", "vip"))
    ]  # fmt: skip


def test_only_the_first_problems_of_a_document_are_reported() -> None:
    wrong = json.dumps({"task_routing": {"filters": [1] * 100_000}})
    found = problems(wrong)
    assert len(found) == MOST_PROBLEMS
    assert found[0][0] == "task_routing.filters[0]"
    assert found[-1][1] == "The document was read up to here; more may follow"


def test_the_number_and_the_paths_of_problems_are_bounded() -> None:
    long_key = "k" * 10_000
    twice = f'{{"{long_key}": {{"a": 1, "a": 2}}}}'
    found = problems(f"[{','.join([twice] * 90)}]")
    assert max(len(path) for path, _ in found) == LONGEST_PATH
    found = problems("[" + ",".join(['{"a": 1, "a": 2}'] * 1_000) + "]")
    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1][1] == "and 801 more"


def test_warnings_have_the_same_bound_as_problems() -> None:
    doubtful = target(expression="worker.channel.chat.available_capacity_percentage < 50")
    routing = {"filters": [{"expression": "1 == 1", "targets": [doubtful] * 300}]}
    warned = parse_configuration(json.dumps({"task_routing": routing})).warnings
    assert len(warned) == MOST_PROBLEMS + 1
    assert warned[-1].message == "and 100 more"
