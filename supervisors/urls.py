"""URLs of the cockpit: its pages and its panels."""

from __future__ import annotations

from django.urls import path

from supervisors import (
    acting,
    alerting,
    changing,
    consumers,
    creating,
    saving,
    selecting,
    trying,
    views,
)
from supervisors.boards.urls import urlpatterns as board_urls
from supervisors.boards.urls import wall_urlpatterns
from supervisors.reports.urls import urlpatterns as report_urls

app_name = "supervisors"
urlpatterns = [
    path("", views.show_now, name="now"),
    path("queues", views.show_queues, name="queues"),
    path("queues/<str:sid>", views.show_queue, name="queue"),
    path("agents", views.show_agents, name="agents"),
    path("agents/<str:sid>", views.show_agent, name="agent"),
    path("tasks", views.show_tasks, name="tasks"),
    path("tasks/new", creating.create_task, name="new_task"),
    path("tasks/<str:sid>", views.show_task, name="task"),
    path("try", trying.show_trial, name="trial"),
    path("help", views.show_help, name="help"),
    path("find", views.find, name="find"),
    path("panels/<slug:name>.csv", views.show_panel_csv, name="panel_csv"),
    path("panels/<slug:name>", views.show_panel, name="panel"),
    path("do/views.save", saving.save_view, name="save_view"),
    path("do/views.delete", saving.delete_view, name="delete_view"),
    path("do/alerts.acknowledge", alerting.acknowledge, name="acknowledge"),
    path("do/alerts.call", alerting.save_alarm, name="save_alarm"),
    path("do/thresholds.delete", alerting.delete_threshold, name="delete_threshold"),
    path("do/thresholds.mute", alerting.mute_threshold, name="mute_threshold"),
    path("do/selection.check", selecting.check_selection, name="check_selection"),
    *board_urls,
    *wall_urlpatterns,
    path("do/<str:name>", acting.do, name="do"),
    *report_urls,
    path("alerts", alerting.show_alerts, name="alerts"),
    path("alerts/thresholds/<str:sid>", alerting.edit_threshold, name="threshold"),
    path("changes", changing.show_changes, name="changes"),
    path("changes.csv", changing.show_changes_csv, name="changes_csv"),
    path("changes/<str:sid>", changing.show_batch, name="batch"),
    path("changes/<str:sid>/rows.csv", changing.show_batch_csv, name="batch_csv"),
    path("changes/<str:sid>/<slug:verb>", changing.steer_batch, name="steer_batch"),
]
websocket_urlpatterns = [
    path("supervisor/socket", consumers.CockpitConsumer.as_asgi()),
]
