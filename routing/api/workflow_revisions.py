"""Views for the revisions of a workflow: list, compare and restore them."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from routing import models
from routing.api.base import POST_ONLY, READ_ONLY, InstanceView, ListView, ResourceView
from routing.api.responses import ApiResponse
from routing.api.workflows import represent_workflow
from routing.fields.declarations import date_text
from routing.fields.queues import WORKFLOW
from routing.fields.schemas import date, document, flag, listing, sid, text, whole
from routing.fields.shapes import Answer, Shape
from routing.operations import parameters
from routing.operations.workflow_revisions import (
    AGAINST,
    CURRENT,
    RevisionInstanceOperation,
    RevisionListOperation,
    RevisionRestoreOperation,
)

REVISION: Final = Shape(
    "Revision",
    {
        "account_sid": sid("The account.", "AC"),
        "workspace_sid": sid("The workspace.", "WS"),
        "workflow_sid": sid("The workflow.", "WW"),
        "number": whole("Its number, from 1 for each workflow.", 3, least=1),
        "is_current": flag("Whether new tasks follow it.", True),
        "actor_type": text("The kind of its author; empty for the oldest revisions.", "user"),
        "actor_sid": text("Who wrote it: a sid, or the name of a user.", "kim", null=True),
        "author": text("The author's name as it was then.", "kim"),
        "source": text("The door by which it was written.", "admin"),
        "message": text("What it is about, in the author's words.", "Ask VIPs first"),
        "restored_from": whole(
            "The number of the revision whose text it is again.", None, least=1, null=True
        ),
        "waiting_tasks": whole("The number of waiting and offered tasks that follow it.", 2),
        "date_created": date("When it was written."),
        "configuration": document(
            "The workflow's JSON document; not included in lists.",
            '{"task_routing": {"default_filter": {"queue": "WQ0b6a…"}, "filters": []}}',
        ),
    },
    "One text of a workflow's configuration, which never changes.",
    optional=frozenset({"configuration"}),
)

DIFFERENCE: Final = Shape(
    "RevisionDifference",
    {
        "number": whole("The revision.", 3, least=1),
        "against": whole("The revision that it is compared with.", 7, least=1, null=True),
        "formatting_only": flag("Whether only the layout of the texts differs.", False),
        "lines": listing(
            text("", '-        "timeout": 30'),
            "The lines that differ, with three around them: `-` stands here alone, `+` there alone;"
            " `@@` begins a part. Both texts are laid out the same way first.",
        ),
        "left_out": whole("The number of lines that are not listed.", 0),
    },
    "What differs between two revisions.",
)


class _Revisions(ResourceView):
    shape = REVISION

    def represent(self, row: Any) -> Answer:
        return {
            "account_sid": self.caller.account.sid,
            "workspace_sid": self.workspace.sid,
            "workflow_sid": self.operation.workflow.sid,
            "number": row.number,
            "is_current": row.pk == self.operation.workflow.revision_id,
            "actor_type": row.actor_type,
            "actor_sid": row.actor_sid,
            "author": row.actor_name,
            "source": row.source,
            "message": row.message,
            "restored_from": row.restored_from,
            "waiting_tasks": row.waiting_tasks,
            "date_created": date_text(row.date_created),
        }

    def represent_one(self, row: models.WorkflowRevision) -> Answer:
        """Return a revision with its text."""
        return self.represent(row) | {"configuration": row.configuration}


class RevisionList(_Revisions, ListView):
    """The revisions of a workflow."""

    http_method_names = READ_ONLY
    operation_class = RevisionListOperation
    key = "revisions"
    about = {
        "get": "List the revisions of a workflow\n\nNewest first. The newest 100 are kept, and"
        " those that tasks still refer to."
    }


class RevisionInstance(_Revisions, InstanceView):
    """One revision of a workflow."""

    http_method_names = READ_ONLY
    operation_class = RevisionInstanceOperation
    about = {"get": "Fetch a revision of a workflow"}


class RevisionDiff(ResourceView):
    """What differs between a revision and another."""

    http_method_names = READ_ONLY
    operation_class = RevisionInstanceOperation
    shape = DIFFERENCE
    filters = (AGAINST,)
    about = {"get": "Compare two revisions of a workflow"}

    def get(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return the lines that differ."""
        operation: RevisionInstanceOperation = self.operation
        revision = operation.find()
        given = parameters.read_arguments(self.filters, self.read_query())
        other, found = operation.compare(given.get("against", CURRENT))
        return ApiResponse(
            {
                "number": revision.number,
                "against": other.number,
                "formatting_only": found.formatting_only,
                "lines": list(found.lines),
                "left_out": found.left_out,
            }
        )


class RevisionRestore(ResourceView):
    """The restoration of a revision."""

    http_method_names = POST_ONLY
    operation_class = RevisionRestoreOperation
    shape = WORKFLOW
    about = {
        "post": "Restore a revision of a workflow\n\nIts text becomes a new revision. Waiting tasks"
        " stay on theirs, unless ReEvaluateTasks is true. Refused if the text names a queue that is"
        " gone."
    }

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Restore the revision, and return the workflow."""
        operation: RevisionRestoreOperation = self.operation
        workflow = operation.restore(operation.read_arguments(self.form))
        return ApiResponse(represent_workflow(workflow, base=self.base))
