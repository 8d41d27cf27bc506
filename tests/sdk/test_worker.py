"""A worker's session of the published SDK."""

from __future__ import annotations

from tests.sdk.conftest import Office


def test_a_session_gets_ready_with_its_lists(office: Office) -> None:
    alice = office.worker(chat=3)
    session = office.session(alice)
    seen = session.look()
    assert seen["sid"] == alice.sid
    assert {each["name"] for each in seen["activities"].values()} == set(office.activities)
    chat = [c for c in seen["channels"].values() if c["taskChannelUniqueName"] == "chat"]
    assert chat[0]["capacity"] == 3
    session.tell("setAttributes", {"languages": ["et"]})
    assert session.hears("attributesUpdated")["attributes"] == {"languages": ["et"]}
