"""Deadlines follow the database, not the beat: beats may be two, late, or stopped."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.factories import filter_
from tests.worlds.world import World

TEN_MINUTES = 600
BEATS = {
    "a beat every second": [float(second) for second in range(1, TEN_MINUTES + 1)],
    "two beats": [second for tick in range(1, 61) for second in (float(tick), float(tick))],
    "a beat that misses every other tick": [float(second) for second in range(2, 61, 2)],
    "a late beat": [12.0, 12.4, 25.9, 40.0],
    "a beat that stood still for ten minutes": [float(TEN_MINUTES)],
    "a clock that was set back in between": [3.0, -3600.0, 12.0, 5.0, -60.0, 60.0],
}
NOBODY = 'skill == "none"'


def opened(office: World) -> dict[str, str]:
    """Furnish an office in which deadlines alone move things; return its queues' names by sid.

    Alice lets an offer run out. `short` has 10 s in one step and 10 s in the next, then
    nowhere to go; `long` has a later filter; `patient` waits without a deadline.
    """
    office.worker("alice")
    names = {office.queue("everyone"): "everyone"}
    names |= {office.queue(name, target_workers=NOBODY): name for name in ("one", "two", "last")}
    sids = {name: sid for sid, name in names.items()}
    steps = [{"queue": sids["one"], "timeout": 10}, {"queue": sids["two"], "timeout": 10}]
    routing = [
        filter_('kind == "offered"', {"queue": sids["everyone"], "timeout": 10}, steps[1]),
        filter_('kind == "short"', *steps),
        filter_('kind == "long"', *steps),
        filter_('kind != "short"', {"queue": sids["last"]}),
    ]
    office.workflow(*routing)
    return names


def state(office: World, names: dict[str, str]) -> dict[str, object]:
    """Return where every task waits, or what became of it, and whether Alice is there."""
    found: dict[str, object] = {"alice": office.is_available("alice")}
    for task in ("offered", "short", "long", "patient"):
        status = office.status(task)
        waits = status == "pending"
        found[task] = names[office.queue_of(task) or ""] if waits else status
    return found


def play(office: World, beats: Iterable[float]) -> dict[str, object]:
    """Create tasks, run the router at these seconds, and return the state at the end."""
    names = opened(office)
    for task in ("offered", "short", "long", "patient"):
        office.task(task, kind=task)
    office.run()
    assert office.offers("alice") == ["offered"]
    for second in beats:
        office.seconds = second
        office.run()
    return state(office, names)


@pytest.mark.parametrize("beats", BEATS.values(), ids=BEATS)
def test_the_state_follows_the_deadlines_whenever_beats_come(
    office: World, beats: list[float]
) -> None:
    found = play(office, [*beats, TEN_MINUTES])
    assert found == {
        # The offer ran out at 120 s; by then both its steps had too, and the last filter takes it.
        "offered": "last",
        "short": "canceled",
        "long": "last",
        "patient": "last",
        "alice": False,
    }


@pytest.mark.parametrize(
    ("second", "short", "long"),
    [
        (9.9, "one", "one"),
        (10.0, "two", "two"),
        (19.9, "two", "two"),
        (20.0, "canceled", "last"),
    ],
)
@pytest.mark.parametrize("missed", [False, True], ids=["every tick came", "all before were missed"])
def test_a_deadline_takes_effect_at_its_moment_and_not_before(
    office: World, second: float, short: str, long: str, missed: bool
) -> None:
    found = play(office, [second] if missed else [*range(1, int(second) + 1), second])
    assert (found["short"], found["long"]) == (short, long)


def test_an_offer_expires_at_its_moment_however_late_the_cycle_runs(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("a")
    office.run()
    office.wait(119.9)
    assert office.offers("alice") == ["a"]
    office.seconds = TEN_MINUTES
    office.run()
    assert office.offers("alice") == []
    assert not office.is_available("alice")
    assert office.status("a") == "pending"
