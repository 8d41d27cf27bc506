"""The query of a page: its canonical form, and what of it is ignored and named."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from supervisors.notes import describe_fault
from supervisors.query import CODES, Fault, View, parse_query
from tests import factories
from tests.supervisors.conftest import Cockpit

WQ = "WQ" + "a" * 32


def parse(query: str) -> tuple[View, list[str]]:
    """Return the view of a query, and the codes of its faults."""
    parsed = parse_query(parse_qs(query, keep_blank_values=True))
    return parsed.view, [fault.code for fault in parsed.faults]


def test_a_query_becomes_a_view() -> None:
    view, codes = parse(f"queue={WQ}&channel=voice&channel=chat&priority=>=10&older=60&size=100")
    assert codes == []
    assert view.queue == (WQ,)
    assert view.channel == ("chat", "voice")
    assert (view.priority, view.older, view.size) == (">=10", 60, 100)


def test_the_canonical_query_leaves_out_defaults_and_sorts_the_rest() -> None:
    view, _ = parse("window=30m&size=50&sort=-wait&channel=voice&channel=chat&channel=chat")
    assert view.canonical == "channel=chat&channel=voice&sort=-wait"
    assert parse(view.canonical)[0] == view


def test_chosen_columns_keep_their_order() -> None:
    view, codes = parse("show=waiting&show=asa_30m&show=waiting&sort=-asa_30m")
    assert view.show == ("waiting", "asa_30m")
    assert codes == []


def test_an_empty_value_is_no_restriction() -> None:
    assert parse("q=&channel=&size=") == (View(), [])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "unknown"),
        ("q=a&q=b", "repeated"),
        (f"where={'x' * 2001}", "too_long"),
        ("&".join(f"activity=WA{n:032x}" for n in range(51)), "too_many"),
        ("queue=WQ12", "sid"),
        (f"workflow={WQ}", "sid"),
        ("channel=A-B", "name"),
        ("q=%00", "name"),
        ("status=lost", "choice"),
        ("state=asleep", "choice"),
        ("size=51", "choice"),
        ("older=-1", "number"),
        ("older=99999999999", "number"),
        ("window=1h", "window"),
        ("window=2026-11-07..2026-11-01", "window"),
        ("window=2026-13-01..2026-13-02", "window"),
        ("tz=Mars/Olympus", "zone"),
        ("tz=../../etc/passwd", "zone"),
        ("sort=wait;drop", "sort"),
        ("priority=high", "priority"),
        ("after=%2Fx", "name"),
    ],
)
def test_a_malformed_value_is_named_and_ignored(query: str, code: str) -> None:
    view, codes = parse(query)
    assert codes == [code]
    if code not in ("repeated", "too_many"):
        assert view == View()


def test_good_values_beside_a_malformed_one_are_kept() -> None:
    view, codes = parse("status=pending&status=lost&window=7d")
    assert view == View(status=("pending",), window="7d")
    assert codes == ["choice"]


def test_a_window_of_days_is_understood() -> None:
    view, codes = parse("window=2026-11-01..2026-11-07")
    assert (view.window, codes) == ("2026-11-01..2026-11-07", [])


def test_each_reason_has_a_sentence() -> None:
    for code in CODES:
        text = describe_fault(Fault(parameter="queue", value="<b>", code=code))
        assert text.endswith(".")
        assert "%" not in text


def test_the_page_names_what_it_ignores_and_shows_the_rest(cockpit: Cockpit) -> None:
    other = factories.queue(factories.workspace())
    text = cockpit.read(size="7", queue=other.sid, colour="<b>")
    assert "“7” is none of the values of “size”" in text
    assert f"“{other.sid}” is not in this workspace" in text
    assert "“colour” is no filter" in text
    assert "Longest wait" in text


def test_ignored_values_are_escaped(cockpit: Cockpit) -> None:
    text = cockpit.read(status="<script>alert(1)</script>")
    assert "<script>alert" not in text


def test_a_link_keeps_the_view_and_begins_at_the_first_row() -> None:
    view = View(workspace="WS1", channel=("chat",), after="xyz")
    assert view.link(sort="-wait") == "?channel=chat&sort=-wait&workspace=WS1"


def test_sorts_and_columns_that_a_page_lacks_are_named_and_ignored(cockpit: Cockpit) -> None:
    for page, query, words in (
        ("queues", {"sort": "-wait"}, "The rows cannot be sorted by “-wait”"),
        ("agents", {"sort": "waiting"}, "The rows cannot be sorted by “waiting”"),
        ("tasks", {"sort": "name"}, "The rows cannot be sorted by “name”"),
        ("agents", {"show": "waiting"}, "“waiting” is none of the values of “show”"),
        ("queues", {"show": "handled"}, "“handled” is none of the values of “show”"),
        ("tasks", {"workflow": "WW" + "0" * 32}, "is not in this workspace"),
    ):
        assert words in cockpit.read(page, **query)
    for page, query in (("queues", {"sort": "-waiting"}), ("agents", {"show": "mosaic"})):
        assert 'class="note"' not in cockpit.read(page, **query)
