"""The panel *Try a task*, for pages of the admin and the cockpit: its form, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from routing import models, subjects
from routing.actions.support.errors import ActionError, InvalidInput
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.core.dry_run import MOST_STEPS, FilterTrial, Floor, RouteStep
from routing.core.verdicts import Verdict
from routing.explanations import dry_run, dry_run_wording, wording
from routing.explanations.dry_run import DryRun, TriedStep
from workflows.expressions import FailedComparison

BUTTON: Final = "_try"
"""The name of the buttons that try a task; the value says which attributes are tried."""
FROM_TASK: Final = "task"
"""The value of the button that tries the attributes of a task that exists."""
MOST_TASKS: Final = 10
"""Newest tasks of a workspace to choose from."""
MOST_WORKERS: Final = 80
"""Workers that a page lists."""
PREFIX: Final = "try"

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWords:
    """The functions that write a dry run as sentences, in one language.

    Arguments:
        describe_filter: returns the expression of a filter in words; "" shows the expression.
        translate_refusal: returns why a task is refused, from the English.
    """

    summarize: Callable[[DryRun], str]
    describe_end: Callable[[DryRun], str]
    describe_failure: Callable[[FailedComparison], str]
    describe_time: Callable[[DryRun, RouteStep], str]
    describe_skip: Callable[[RouteStep], str]
    list_conditions: Callable[[RouteStep], Iterable[str]]
    describe_task_side: Callable[[TriedStep], str | None]
    describe_verdict: Callable[[Verdict, TriedStep], str]
    describe_filter: Callable[[str], str] = lambda _expression: ""
    translate_refusal: Callable[[str], str] = str


ENGLISH: Final = TrialWords(
    summarize=dry_run_wording.summarize,
    describe_end=dry_run_wording.describe_end,
    describe_failure=dry_run_wording.describe_failure,
    describe_time=dry_run_wording.describe_time,
    describe_skip=dry_run_wording.describe_skip,
    list_conditions=dry_run_wording.list_conditions,
    describe_task_side=wording.describe_task_side,
    describe_verdict=wording.describe_verdict,
)
"""The words of REST and of the admin."""


class TrialForm(forms.Form):
    """The task to try, and the floor that is supposed."""

    attributes = forms.CharField(required=False, max_length=4096, strip=False)
    task = forms.ChoiceField(required=False)
    task_channel = forms.ChoiceField(required=False)
    priority = forms.IntegerField(required=False, min_value=0, max_value=MAX_PRIORITY)
    floor = forms.ChoiceField(
        required=False,
        choices=[
            (Floor.NOW.value, gettext_lazy("as it is now")),
            (Floor.READY.value, gettext_lazy("everyone available and without work")),
            (Floor.BUSY.value, gettext_lazy("everyone available, with the work they have")),
        ],
    )
    at = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    step = forms.IntegerField(required=False, min_value=1, max_value=MOST_STEPS)

    def __init__(self, workspace: models.Workspace, data: Mapping[str, Any] | None) -> None:
        """Create the form of a workspace.

        Arguments:
            data: what was sent; None shows the form with its defaults.
        """
        super().__init__(data, prefix=PREFIX, initial={"attributes": "{}", "priority": 0})
        self.workspace = workspace
        channels = workspace.task_channels.order_by("pk")
        self.channels = {channel.unique_name: channel for channel in channels}
        self._choices("task_channel", [(each, each) for each in self.channels])
        self._choices("task", [("", "–"), *_list_tasks(workspace)])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def try_task(
        self,
        *,
        workflow: models.Workflow | None,
        configuration: str | None,
        now: datetime,
        say: TrialWords = ENGLISH,
    ) -> DryRun | None:
        """Return the dry run, or None with the errors of the form."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        at: datetime | None = given["at"]
        try:
            return dry_run.try_task(
                workspace=self.workspace,
                attributes=given["attributes"],
                task_channel=self.channels.get(given["task_channel"]),
                priority=given["priority"] or 0,
                workflow=workflow,
                configuration=configuration,
                # The field is in UTC, as `taskrouter.…` is.
                at=None if at is None else at.replace(tzinfo=UTC),
                floor=Floor(given["floor"] or Floor.NOW),
                step=given["step"],
                now=now,
            )
        except ActionError as refusal:
            named = refusal.field if isinstance(refusal, InvalidInput) else None
            self.add_error(
                named if named in self.fields else None, say.translate_refusal(refusal.message)
            )
            return None


def build_trial(
    workspace: models.Workspace,
    sent: QueryDict | None,
    *,
    workflow: models.Workflow | None,
    configuration: str | None = None,
    now: datetime,
    say: TrialWords = ENGLISH,
) -> Shown:
    """Return what the panel of a page shows.

    Arguments:
        sent: the form that was sent; without one of the panel's buttons nothing is tried.
        configuration: the text to try, instead of the stored workflow.
    """
    if sent is None or BUTTON not in sent:
        return {"trial_form": TrialForm(workspace, None), "trial": None}
    form = TrialForm(workspace, _fill_from_task(workspace, sent))
    run = form.try_task(workflow=workflow, configuration=configuration, now=now, say=say)
    return {"trial_form": form, "trial": None if run is None else show_run(run, say)}


def _fill_from_task(workspace: models.Workspace, sent: QueryDict) -> QueryDict:
    """Return the sent form with the values of the task that it names, if it asks for them."""
    rows = workspace.tasks.filter(sid=sent.get(f"{PREFIX}-task", "")).select_related("task_channel")
    if sent[BUTTON] != FROM_TASK or (task := rows.first()) is None:
        return sent
    filled = sent.copy()
    filled[f"{PREFIX}-attributes"] = task.attributes
    filled[f"{PREFIX}-task_channel"] = task.channel_name
    filled[f"{PREFIX}-priority"] = str(task.priority)
    return filled


def _list_tasks(workspace: models.Workspace) -> list[tuple[str, str]]:
    rows = workspace.tasks.order_by("-date_created", "-pk")[:MOST_TASKS]
    return [
        (row.sid, f"{subjects.describe_task(row.attributes) or row.sid} ({row.date_created:%H:%M})")
        for row in rows
    ]


def show_run(run: DryRun, say: TrialWords = ENGLISH) -> Shown:
    """Return a dry run as lines of text."""
    tried = run.tried
    entered = {each.step.filter_index for each in run.route.steps}
    verdicts = () if tried is None else tried.verdicts.inside
    return {
        "summary": say.summarize(run),
        "problems": run.problems,
        "filters": [
            _show_filter(trial, say, entered=index in entered)
            for index, trial in enumerate(run.trials)
        ],
        "filters_left_out": run.filter_count - len(run.trials),
        "steps": [
            _show_step(number, run, each, say) for number, each in enumerate(run.route.steps, 1)
        ],
        "end": "" if run.problems else say.describe_end(run),
        "step": None if tried is None else tried.number,
        "queue": "" if tried is None else dry_run_wording.describe_queue(run, tried.number),
        "task_side": None if tried is None else say.describe_task_side(tried),
        "workers": [
            _show_worker(verdict, tried, say)
            for verdict in verdicts[:MOST_WORKERS]
            if tried is not None
        ],
        "workers_left_out": max(len(verdicts) - MOST_WORKERS, 0),
    }


def _show_filter(trial: FilterTrial, say: TrialWords, *, entered: bool) -> Shown:
    return {
        "name": trial.name,
        "matches": trial.matches,
        "entered": entered,
        "expression": wording.shorten(trial.expression),
        "words": say.describe_filter(trial.expression) if trial.matches else "",
        "failures": [say.describe_failure(each) for each in trial.because],
    }


def _show_step(number: int, run: DryRun, step: RouteStep, say: TrialWords) -> Shown:
    return {
        "number": number,
        "time": say.describe_time(run, step),
        "filter": step.filter_name,
        "queue": dry_run_wording.describe_queue(run, number),
        "priority": step.priority,
        "conditions": list(say.list_conditions(step)),
        "skip": say.describe_skip(step),
        "skipped": step.skipped,
        "judged": run.tried is not None and run.tried.number == number,
    }


def _show_worker(verdict: Verdict, tried: TriedStep, say: TrialWords) -> Shown:
    return {
        "rank": verdict.rank,
        "name": verdict.worker.friendly_name,
        "activity": verdict.worker.activity_name,
        "words": say.describe_verdict(verdict, tried),
    }


def normalize_text(text: str) -> str:
    """Return a text as it would be stored: browsers send other line ends."""
    return text.replace("\r\n", "\n")
