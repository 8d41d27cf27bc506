"""Revisions in the admin: who wrote which text, what differs, and the button that restores it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from routing import models
from routing.actions import workflows
from tests import factories
from tests.admin.visitors import Visitor, words


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    """Return a queue of workspace A."""
    return factories.queue(workspace, friendly_name="Support")


@pytest.fixture
def workflow(
    alice: Visitor, workspace: models.Workspace, queue: models.TaskQueue
) -> models.Workflow:
    """Return a workflow with two revisions, the second by Alice."""
    made = factories.workflow(workspace, default=queue)
    text = factories.configuration(
        factories.filter_("vip == true", factories.target(queue)), default=queue
    )
    alice.send("routing_workflow_change", made.pk, configuration=text, message="Ask VIPs first")
    made.refresh_from_db()
    return made


def restore(visitor: Visitor, workflow: models.Workflow, number: int, **fields: str) -> str:
    """Press the button of a revision's page; return the text of the page it leads to."""
    path = reverse("admin:routing_workflow_revision", args=[workflow.pk, number])
    return words(visitor.client.post(path, fields, follow=True))


def test_the_page_lists_who_wrote_which_text_and_why(
    alice: Visitor, workflow: models.Workflow
) -> None:
    text = words(alice.see("routing_workflow_change", workflow.pk))
    assert "2 current" in text
    assert "alice admin Ask VIPs first" in text


def test_a_revision_shows_what_it_changed_and_is_compared_with_any_other(
    alice: Visitor, workflow: models.Workflow
) -> None:
    text = words(alice.see("routing_workflow_revision", workflow.pk, 2))
    assert "From revision 1 to 2" in text
    assert '+ "expression": "vip == true",' in text
    assert "New tasks follow it." in text
    assert "Restore" not in text
    other = words(alice.see("routing_workflow_revision", workflow.pk, 1, query="?against=2"))
    assert "From revision 1 to 2" in other


def test_a_text_is_restored_with_a_message(alice: Visitor, workflow: models.Workflow) -> None:
    first = workflow.revisions.get(number=1).configuration
    text = restore(alice, workflow, 1, message="Too strict")
    assert "Revision 3 has the text of revision 1." in text
    workflow.refresh_from_db()
    assert workflows.current_configuration(workflow) == first
    newest = workflow.revisions.get(number=3)
    assert (newest.actor_name, newest.message, newest.restored_from) == ("alice", "Too strict", 1)


def test_what_cannot_be_restored_says_why(alice: Visitor, workflow: models.Workflow) -> None:
    assert "the text that the workflow has now" in restore(alice, workflow, 2)
    assert workflow.revisions.count() == 2


def test_markup_in_a_text_is_escaped(
    alice: Visitor, workflow: models.Workflow, queue: models.TaskQueue
) -> None:
    evil = factories.configuration(
        factories.filter_("vip == true", factories.target(queue), name="<script>x</script>")
    )
    alice.send("routing_workflow_change", workflow.pk, configuration=evil, message="<b>")
    for number in (2, 3):
        page = alice.see("routing_workflow_revision", workflow.pk, number, query="?against=3")
        assert "<script>x" not in page.content.decode()
        assert "<b>" not in page.content.decode()


def test_revisions_of_another_workspace_are_not_shown_or_restored(
    bob: Visitor, charlie: Visitor, workflow: models.Workflow
) -> None:
    for visitor in (bob, charlie):
        assert visitor.see("routing_workflow_revision", workflow.pk, 1).status_code in (302, 404)
        restore(visitor, workflow, 1)
    assert workflow.revisions.count() == 2


def test_an_unknown_number_is_not_found(alice: Visitor, workflow: models.Workflow) -> None:
    for number in (9, 2**40):
        assert alice.see("routing_workflow_revision", workflow.pk, number).status_code == 404
