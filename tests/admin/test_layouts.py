"""The layout of tasks at the desk, in the admin."""

from __future__ import annotations

from routing import models
from tests.admin.visitors import Visitor, errors


def test_a_supervisor_sets_the_layout(alice: Visitor, workspace: models.Workspace) -> None:
    page = "routing_workspace_change"
    wrong = alice.send(page, workspace.pk, attribute_labels="order = Order\r\na..b = B\r\n")
    assert "line 2" in str(errors(wrong, "attribute_labels"))
    alice.send(
        page,
        workspace.pk,
        title_attributes="order.subject\r\n",
        attribute_labels="vip = VIP\r\norder = Order\r\n",
        hidden_attributes="customer.risk",
    )
    workspace.refresh_from_db()
    assert workspace.title_attributes == "order.subject"
    assert workspace.attribute_labels == "vip = VIP\norder = Order"
    assert workspace.hidden_attributes == "customer.risk"
