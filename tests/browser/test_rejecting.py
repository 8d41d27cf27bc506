"""Rejecting with a reason in a browser: the task goes to another agent, and not back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Customers, LogIn
from tests.browser.test_main_job import choose, offer, press, waiting

pytestmark = pytest.mark.browser


def test_a_task_that_was_rejected_with_a_reason_goes_to_another_agent(
    log_in: LogIn, customers: Customers
) -> None:
    alice = log_in("alice")
    choose(alice, "Available")
    task = customers.post("Where is my refund?", channel="sms")
    press(offer(alice, "Where is my refund?").get_by_role("link", name="Reject with a reason"))
    question = alice.get_by_role("dialog")
    expect(question).to_contain_text("Reject “Where is my refund?”")
    expect(question).to_contain_text("not offered to you again for 60 seconds")
    question.get_by_role("button", name="Not my language").click()
    expect(question).to_have_count(0)

    # No other agent is available, and still it does not come back to her.
    expect(waiting(alice, "Where is my refund?")).to_be_visible()
    assert customers.reservations(task) == [("rejected", "Not my language")]
    bob = log_in("bob")
    choose(bob, "Available")
    expect(offer(bob, "Where is my refund?")).to_be_visible()
    expect(offer(alice, "Where is my refund?")).to_have_count(0)
    assert [status for status, _ in customers.reservations(task)] == ["rejected", "pending"]
