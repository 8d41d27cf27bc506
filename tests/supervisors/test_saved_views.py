"""Names for what a page shows: of one supervisor or shared, within limits."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse

from routing import models
from routing.actions import saved_views
from tests.supervisors.conftest import Cockpit, browser

Answer = HttpResponse


def save(cockpit: Cockpit, *, who: str = "member", **given: Any) -> Answer:
    """Save a view of the tasks by a request."""
    values = {"name": "Spanish", "page": "tasks", "query": "priority=>=5&q=es"} | given
    return cockpit.people[who].post(  # type: ignore[return-value]
        f"/supervisor/do/views.save?workspace={cockpit.workspace.sid}",
        values,
        headers={"Accept": "application/json"},
    )


def delete(cockpit: Cockpit, view: models.SavedView, *, who: str) -> Answer:
    """Delete a view by a request."""
    return cockpit.people[who].post(  # type: ignore[return-value]
        f"/supervisor/do/views.delete?workspace={cockpit.workspace.sid}",
        {"id": view.pk},
        headers={"Accept": "application/json"},
    )


def add_member(cockpit: Cockpit, name: str) -> None:
    """Let another person supervise the workspace."""
    cockpit.people[name] = browser(name)
    user = User.objects.get(username=name)
    models.Membership.objects.create(user=user, workspace=cockpit.workspace)


def test_an_address_names_a_view_and_parameters_beside_it_win(cockpit: Cockpit) -> None:
    assert save(cockpit).status_code == 201
    text = cockpit.read("tasks", view="spanish")
    assert "Text: es" in text
    assert "Priority: &gt;=5" in text
    assert "Spanish" in text, "the menu lists it"
    text = cockpit.read("tasks", view="spanish", q="de")
    assert "Text: de" in text
    assert "Priority: &gt;=5" in text
    assert 'data-view="priority=%3E%3D5&amp;q=de&amp;workspace=' in text


def test_an_unknown_name_is_named_and_ignored(cockpit: Cockpit) -> None:
    assert "No view is saved as “nothing”" in cockpit.read("tasks", view="nothing")


def test_a_view_is_seen_by_its_owner_alone_unless_it_is_shared(cockpit: Cockpit) -> None:
    add_member(cockpit, "kim")
    save(cockpit)
    assert "No view is saved as" in cockpit.read("tasks", view="spanish", who="kim")
    save(cockpit, name="Everyone", shared="1")
    assert "No view is saved as" not in cockpit.read("tasks", view="everyone", who="kim")
    assert "shared by lead" in cockpit.read("tasks", who="kim")
    assert "Everyone" not in cockpit.people["stranger"].get("/supervisor/tasks").content.decode()


def test_of_two_views_of_one_name_the_own_one_is_meant(cockpit: Cockpit) -> None:
    save(cockpit, shared="1", query="q=shared")
    save(cockpit, query="q=own")
    assert "Text: own" in cockpit.read("tasks", view="spanish")


def test_a_view_is_saved_without_workspace_and_place(cockpit: Cockpit) -> None:
    save(cockpit, query=f"workspace={cockpit.workspace.sid}&after=1.2&priority=nonsense&q=es")
    assert models.SavedView.objects.get().query == "q=es"


def test_names_are_refused_that_are_taken_empty_or_too_many(
    cockpit: Cockpit, monkeypatch: Any
) -> None:
    save(cockpit)
    for given, words in (
        ({"name": "spanish!"}, "of this name exists"),
        ({"name": "…"}, "letters or digits"),
        ({"name": "x" * 65}, "at most 64 of them"),
        ({"page": "changes"}, "cannot be saved"),
    ):
        answer = save(cockpit, **given)
        assert answer.status_code == 400
        assert words in answer.json()["error"]["message"]  # type: ignore[attr-defined]
    monkeypatch.setattr(saved_views, "MOST_OWN", 1)
    answer = save(cockpit, name="Another")
    assert "too many views" in answer.json()["error"]["message"]  # type: ignore[attr-defined]
    assert save(cockpit, name="Another", shared="1").status_code == 201


def test_names_of_any_script_are_addresses(cockpit: Cockpit) -> None:
    save(cockpit, name="مهام عاجلة")
    assert "Text: es" in cockpit.read("tasks", view="مهام-عاجلة")


def test_a_view_is_deleted_by_its_owner_and_a_shared_one_by_any_supervisor(
    cockpit: Cockpit,
) -> None:
    add_member(cockpit, "kim")
    save(cockpit)
    save(cockpit, name="For all", shared="1")
    own = models.SavedView.objects.get(name="Spanish")
    shared = models.SavedView.objects.get(name="For all")
    assert delete(cockpit, own, who="kim").status_code == 404
    assert delete(cockpit, shared, who="stranger").status_code == 404
    assert delete(cockpit, shared, who="kim").status_code == 200
    assert delete(cockpit, own, who="member").status_code == 200
    assert not models.SavedView.objects.exists()


def test_only_supervisors_save_views(cockpit: Cockpit) -> None:
    for who, status in (("agent", 403), ("stranger", 404), ("anonymous", 302)):
        assert save(cockpit, who=who).status_code == status
    assert not models.SavedView.objects.exists()


def test_without_scripts_a_saved_view_is_the_page_that_follows(cockpit: Cockpit) -> None:
    answer = cockpit.people["member"].post(
        f"/supervisor/do/views.save?workspace={cockpit.workspace.sid}",
        {"name": "Busy ones", "page": "agents", "query": "state=full"},
        follow=True,
    )
    assert answer.request["PATH_INFO"] == "/supervisor/agents"
    assert "Saved as “Busy ones”" in answer.content.decode()
