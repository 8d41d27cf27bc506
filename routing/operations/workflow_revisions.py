"""Operations on the revisions of a workflow."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from routing import models
from routing.actions import workflows
from routing.core.vocabulary import AssignmentStatus
from routing.operations import keysets, parameters
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.operations.errors import ApiError, NotFound
from routing.operations.workflows import MESSAGE
from workflows.differences import Difference, compare_texts

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_WAITING: Final = (AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
CURRENT: Final = "current"
AGAINST: Final = parameters.text("Against", limit=10).describe(
    "The number of the revision to compare with, or `current`, the default.", CURRENT
)


class _RevisionsOperation(Operation):
    @cached_property
    def workflow(self) -> models.Workflow:
        """Return the workflow in the path."""
        rows = self.workspace.workflows.select_related("revision")
        workflow: models.Workflow = self.first_row(rows.filter(sid=self.sid("parent_sid", "WW")))
        workflow.workspace = self.workspace
        return workflow

    def rows(self) -> QuerySet[models.WorkflowRevision]:
        """Return the numbered revisions, each with how many tasks wait by it."""
        waiting = models.Task.objects.filter(
            revision=OuterRef("pk"), assignment_status__in=[each.value for each in _WAITING]
        )
        counted = waiting.order_by().values("revision").annotate(count=Count("pk"))
        return self.workflow.revisions.filter(number__isnull=False).annotate(
            waiting_tasks=Coalesce(Subquery(counted.values("count")[:1]), 0)
        )

    def find_numbered(self, number: str) -> models.WorkflowRevision:
        """Return the revision with a number; raises `NotFound`."""
        if not _NUMBER.fullmatch(number):
            raise NotFound(self.context.path)
        return self.first_row(self.rows().filter(number=int(number)))


class RevisionListOperation(_RevisionsOperation, ListOperation[models.WorkflowRevision]):
    """The revisions of a workflow, newest first."""

    # A number is unique in its workflow.
    order = (keysets.Clause("number", True),)


class RevisionInstanceOperation(_RevisionsOperation, InstanceOperation[models.WorkflowRevision]):
    """One revision of a workflow."""

    def find(self) -> models.WorkflowRevision:
        return self.find_numbered(self.names["number"])

    def compare(self, against: str) -> tuple[models.WorkflowRevision, Difference]:
        """Return the other revision, and what differs from this one to it."""
        revision = self.find()
        if against == CURRENT:
            assert self.workflow.revision is not None
            other = self.workflow.revision
        else:
            try:
                other = self.find_numbered(against)
            except NotFound:
                raise ApiError(
                    f"Against is {against!r}; it must be {CURRENT!r} or the number of a revision"
                ) from None
        return other, compare_texts(revision.configuration, other.configuration)


class RevisionRestoreOperation(RevisionInstanceOperation):
    """The restoration of one revision."""

    params = (
        MESSAGE,
        parameters.boolean("ReEvaluateTasks").describe(
            "Whether waiting tasks are routed again. Defaults to false.", True
        ),
    )

    def restore(self, arguments: Arguments) -> models.Workflow:
        """Give the workflow the text of this revision again."""
        found: Any = self.find()
        return workflows.restore_revision(
            workflow=self.workflow,
            number=found.number,
            actor=self.actor,
            now=self.now,
            **arguments,
        )
