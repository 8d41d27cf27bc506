"""Every path of the API, below `/v1/`."""

from __future__ import annotations

from django.urls import path, re_path

from routing.api.activities import ActivityInstance, ActivityList
from routing.api.auth_tokens import AuthTokenPromotion, SecondaryAuthToken
from routing.api.dry_runs import WorkflowDryRun, WorkspaceDryRun
from routing.api.events import EventInstance, EventList
from routing.api.explanations import TaskExplanation
from routing.api.grabs import TaskGrab
from routing.api.outcome_codes import OutcomeCodeInstance, OutcomeCodeList
from routing.api.reservations import (
    TaskReservationInstance,
    TaskReservationList,
    WorkerReservationInstance,
    WorkerReservationList,
)
from routing.api.statistics import (
    WorkflowCumulativeStatistics,
    WorkflowRealTimeStatistics,
    WorkflowStatistics,
    WorkspaceCumulativeStatistics,
    WorkspaceRealTimeStatistics,
    WorkspaceStatistics,
)
from routing.api.task_channels import TaskChannelInstance, TaskChannelList
from routing.api.task_queue_statistics import (
    TaskQueueBulkRealTimeStatistics,
    TaskQueueCumulativeStatistics,
    TaskQueueRealTimeStatistics,
    TaskQueuesStatisticsList,
    TaskQueueStatistics,
)
from routing.api.task_queues import TaskQueueInstance, TaskQueueList
from routing.api.tasks import TaskInstance, TaskList
from routing.api.tokens import WorkspaceToken
from routing.api.worker_channels import WorkerChannelInstance, WorkerChannelList
from routing.api.worker_statistics import (
    WorkersCumulativeStatistics,
    WorkersRealTimeStatistics,
    WorkersStatistics,
    WorkerStatistics,
)
from routing.api.workers import WorkerInstance, WorkerList
from routing.api.workflow_revisions import (
    RevisionDiff,
    RevisionInstance,
    RevisionList,
    RevisionRestore,
)
from routing.api.workflows import WorkflowInstance, WorkflowList
from routing.api.workspaces import WorkspaceInstance, WorkspaceList
from routing.operations.error_answers import answer_not_found

_WS = "Workspaces/<str:workspace_sid>"
_REVISIONS = f"{_WS}/Workflows/<str:parent_sid>/Revisions"

urlpatterns = [
    # Patterns are tried in order, so what is requested most comes first.
    path(f"{_WS}/Tasks", TaskList.as_view()),
    path(f"{_WS}/Tasks/<str:sid>", TaskInstance.as_view()),
    path(f"{_WS}/Tasks/<str:task_sid>/Grab", TaskGrab.as_view()),
    path(f"{_WS}/Tasks/<str:task_sid>/Explanation", TaskExplanation.as_view()),
    path(f"{_WS}/Tasks/<str:parent_sid>/Reservations", TaskReservationList.as_view()),
    path(f"{_WS}/Tasks/<str:parent_sid>/Reservations/<str:sid>", TaskReservationInstance.as_view()),
    path("AuthTokens/Secondary", SecondaryAuthToken.as_view()),
    path("AuthTokens/Promote", AuthTokenPromotion.as_view()),
    path("Workspaces", WorkspaceList.as_view()),
    path(_WS, WorkspaceInstance.as_view()),
    path(f"{_WS}/Statistics", WorkspaceStatistics.as_view()),
    path(f"{_WS}/RealTimeStatistics", WorkspaceRealTimeStatistics.as_view()),
    path(f"{_WS}/CumulativeStatistics", WorkspaceCumulativeStatistics.as_view()),
    path(f"{_WS}/Activities", ActivityList.as_view()),
    path(f"{_WS}/Activities/<str:sid>", ActivityInstance.as_view()),
    path(f"{_WS}/Events", EventList.as_view()),
    path(f"{_WS}/Events/<str:sid>", EventInstance.as_view()),
    path(f"{_WS}/OutcomeCodes", OutcomeCodeList.as_view()),
    path(f"{_WS}/OutcomeCodes/<str:sid>", OutcomeCodeInstance.as_view()),
    path(f"{_WS}/TaskChannels", TaskChannelList.as_view()),
    path(f"{_WS}/TaskChannels/<str:sid>", TaskChannelInstance.as_view()),
    path(f"{_WS}/TaskQueues", TaskQueueList.as_view()),
    # Collections come before sids, which have the same form in a path of one part.
    path(f"{_WS}/TaskQueues/Statistics", TaskQueuesStatisticsList.as_view()),
    path(f"{_WS}/TaskQueues/RealTimeStatistics", TaskQueueBulkRealTimeStatistics.as_view()),
    path(f"{_WS}/TaskQueues/<str:sid>", TaskQueueInstance.as_view()),
    path(f"{_WS}/TaskQueues/<str:parent_sid>/Statistics", TaskQueueStatistics.as_view()),
    path(
        f"{_WS}/TaskQueues/<str:parent_sid>/RealTimeStatistics",
        TaskQueueRealTimeStatistics.as_view(),
    ),
    path(
        f"{_WS}/TaskQueues/<str:parent_sid>/CumulativeStatistics",
        TaskQueueCumulativeStatistics.as_view(),
    ),
    path(f"{_WS}/Workflows", WorkflowList.as_view()),
    path(f"{_WS}/Workflows/<str:sid>", WorkflowInstance.as_view()),
    path(f"{_WS}/Workflows/<str:parent_sid>/Statistics", WorkflowStatistics.as_view()),
    path(
        f"{_WS}/Workflows/<str:parent_sid>/RealTimeStatistics",
        WorkflowRealTimeStatistics.as_view(),
    ),
    path(
        f"{_WS}/Workflows/<str:parent_sid>/CumulativeStatistics",
        WorkflowCumulativeStatistics.as_view(),
    ),
    path(f"{_WS}/Workflows/<str:parent_sid>/DryRuns", WorkflowDryRun.as_view()),
    path(_REVISIONS, RevisionList.as_view()),
    path(f"{_REVISIONS}/<str:number>", RevisionInstance.as_view()),
    path(f"{_REVISIONS}/<str:number>/Diff", RevisionDiff.as_view()),
    path(f"{_REVISIONS}/<str:number>/Restore", RevisionRestore.as_view()),
    path(f"{_WS}/DryRuns", WorkspaceDryRun.as_view()),
    path(f"{_WS}/Workers", WorkerList.as_view()),
    path(f"{_WS}/Workers/Statistics", WorkersStatistics.as_view()),
    path(f"{_WS}/Workers/RealTimeStatistics", WorkersRealTimeStatistics.as_view()),
    path(f"{_WS}/Workers/CumulativeStatistics", WorkersCumulativeStatistics.as_view()),
    path(f"{_WS}/Workers/<str:sid>", WorkerInstance.as_view()),
    path(f"{_WS}/Workers/<str:worker_sid>/Statistics", WorkerStatistics.as_view()),
    path(f"{_WS}/Workers/<str:worker_sid>/Channels", WorkerChannelList.as_view()),
    path(f"{_WS}/Workers/<str:worker_sid>/Channels/<str:sid>", WorkerChannelInstance.as_view()),
    path(f"{_WS}/Workers/<str:parent_sid>/Reservations", WorkerReservationList.as_view()),
    path(
        f"{_WS}/Workers/<str:parent_sid>/Reservations/<str:sid>",
        WorkerReservationInstance.as_view(),
    ),
    path(f"{_WS}/Tokens", WorkspaceToken.as_view()),
    # All other paths below /v1/ get the API's own error body.
    re_path(r"", answer_not_found),
]
