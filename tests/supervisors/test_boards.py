"""Boards, and the links that show them without a login."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from routing import models
from routing.actions import boards
from routing.core.tiles import Tile, TileFigure, TileKind
from supervisors import following, pictures, reading
from supervisors.boards import drawing, rendering, values
from tests import factories
from tests.supervisors.conftest import Cockpit

WALL = "/supervisor/wall/"


def post(cockpit: Cockpit, path: str, *, who: str = "member", **given: Any) -> HttpResponse:
    address = f"/supervisor/{path}?workspace={cockpit.workspace.sid}"
    found: HttpResponse = cockpit.people[who].post(address, given)  # type: ignore[assignment]
    return found


def make_board(cockpit: Cockpit, *tiles: Tile, name: str = "Room", **given: Any) -> models.Board:
    return boards.save_board(
        workspace=cockpit.workspace,
        board=None,
        name=name,
        tiles=tiles or (Tile(),),
        now=timezone.now(),
        **given,
    )


def make_link(
    cockpit: Cockpit, *shown: models.Board, **given: Any
) -> tuple[Client, models.KioskLink]:
    """Return a fresh browser that has entered the wall by a new link."""
    values: dict[str, Any] = {
        "name": "Wall",
        "turn_seconds": 30,
        "days": 90,
        "created_by": "lead",
    } | given
    values.setdefault("now", timezone.now())
    link, token = boards.create_link(workspace=cockpit.workspace, boards=shown, **values)
    browser = Client()
    assert browser.post(f"{WALL}enter", {"token": token}).status_code == 204
    return browser, link


def forget() -> None:
    """Let the next look read everything again."""
    pictures.forget_pictures()
    following.forget_versions()
    rendering.forget_tiles()
    values.forget_books()


def draw(cockpit: Cockpit, *tiles: Tile) -> list[drawing.Shown]:
    board = models.Board(workspace=cockpit.workspace, tiles=[tile.to_json() for tile in tiles])
    picture = pictures.find_picture(cockpit.workspace)
    return drawing.draw_board(cockpit.workspace, board, picture, now=timezone.now())


# --- What tiles show ------------------------------------------------------------------------------


def test_each_figure_is_shown_for_the_workspace_and_for_a_queue(cockpit: Cockpit) -> None:
    factories.accepted(cockpit.workspace, now=timezone.now())
    cockpit.task()
    queues = (cockpit.queue.sid,)
    tiles = [Tile(figure=figure) for figure in TileFigure]
    tiles += [Tile(figure=figure, queues=queues, channel="chat") for figure in TileFigure]
    shown = draw(cockpit, *tiles)
    assert all(tile.value for tile in shown)
    by_figure = dict(zip(TileFigure, shown[len(TileFigure) :], strict=True))
    assert by_figure[TileFigure.WAITING].value == "1"
    assert by_figure[TileFigure.IN_WORK].value == "1"
    assert by_figure[TileFigure.AVAILABLE].value == "1"
    assert by_figure[TileFigure.SLOTS_FREE].value == "2"
    assert by_figure[TileFigure.LONGEST_WAIT].since_ms is not None


def test_a_limit_makes_a_tile_severe(cockpit: Cockpit) -> None:
    cockpit.task()
    (tile,) = draw(cockpit, Tile(watch=1))
    assert tile.severity_word == "Watch"


def test_a_line_has_a_point_for_each_minute(cockpit: Cockpit) -> None:
    (tile,) = draw(cockpit, Tile(kind=TileKind.LINE, figure=TileFigure.ANSWERED))
    assert len(tile.points.split()) == drawing.LINE_MINUTES


def test_the_worst_queues_and_the_states_are_listed(cockpit: Cockpit) -> None:
    cockpit.task()
    worst, states = draw(cockpit, Tile(kind=TileKind.WORST), Tile(kind=TileKind.STATES))
    assert [row.name for row in worst.rows] == ["Chats"]
    assert {row.name: row.value for row in states.rows}["Away"] == "1"


def test_a_tile_of_a_deleted_queue_counts_nothing(cockpit: Cockpit) -> None:
    cockpit.task()
    (tile,) = draw(cockpit, Tile(queues=("WQ" + "0" * 32,)))
    assert tile.value == "0"


@contextlib.contextmanager
def redis_away(settings: Any) -> Iterator[None]:
    """Let every command of the shared Redis fail, as while it is stopped."""
    before = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    reading.forget_connected()
    yield
    settings.REDIS_URL = before
    reading.forget_connected()


def test_a_board_stays_true_while_redis_is_away_and_marks_what_only_redis_knows(
    cockpit: Cockpit, real_redis: Any, settings: Any
) -> None:
    board = make_board(cockpit, Tile(), Tile(figure=TileFigure.NO_DESK))
    browser, _link = make_link(cockpit, board)

    def look() -> list[str]:
        forget()
        answer = browser.get(f"{WALL}tiles")
        assert answer.status_code == 200
        return re.findall(r"data-value[^>]*>([^<]*)<", answer.content.decode())

    cockpit.task()
    assert look() == ["1", "1"]  # Ada has no desk open
    with redis_away(settings):
        cockpit.task()
        assert look() == ["2", "–"]
    assert look() == ["2", "1"]


def test_a_malformed_tile_says_so_and_the_others_are_shown(cockpit: Cockpit) -> None:
    board = models.Board(workspace=cockpit.workspace, tiles=[{"kind": "pie"}, Tile().to_json()])
    picture = pictures.find_picture(cockpit.workspace)
    first, second = drawing.draw_board(cockpit.workspace, board, picture, now=timezone.now())
    assert "cannot be shown" in first.label
    assert second.value == "0"


# --- Boards in the cockpit ------------------------------------------------------------------------


def form(**given: Any) -> dict[str, Any]:
    """Return the form of a board with one tile."""
    return {
        "name": "Room",
        "tile-TOTAL_FORMS": 1,
        "tile-INITIAL_FORMS": 0,
        "tile-0-kind": "number",
        "tile-0-figure": "waiting",
        "tile-0-window": "30m",
        "tile-0-channel": "",
        "tile-0-label": "Tasks",
    } | given


def test_a_board_is_made_and_changed_and_deleted_by_its_form(cockpit: Cockpit) -> None:
    assert "Tile 1" in cockpit.read("boards/new/edit")
    assert post(cockpit, "boards/new/edit", **form()).status_code == 302
    board = models.Board.objects.get()
    assert [tile["label"] for tile in board.tiles] == ["Tasks"]
    changed = form(**{"tile-INITIAL_FORMS": 1, "tile-0-DELETE": "on", "name": "Empty"})
    post(cockpit, f"boards/{board.sid}/edit", **changed)
    board.refresh_from_db()
    assert (board.name, board.tiles) == ("Empty", [])
    assert "Empty" in cockpit.read("boards")
    post(cockpit, "do/boards.delete", sid=board.sid)
    assert not models.Board.objects.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"tile-0-kind": "line"}, "a line shows one of"),
        ({"tile-0-watch": 5, "tile-0-act": 5}, "must be larger than watch"),
        ({"quiet_from": "25:00"}, "Enter a valid value"),
        ({"quiet_from": "18:00"}, "set both ends of the quiet hours"),
        ({"tile-TOTAL_FORMS": 1000}, "at most 12 forms"),
    ],
)
def test_a_board_that_makes_no_sense_is_refused(
    cockpit: Cockpit, given: dict[str, Any], words: str
) -> None:
    answer = post(cockpit, "boards/new/edit", **form(**given))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not models.Board.objects.exists()


def test_two_boards_of_one_name_are_refused(cockpit: Cockpit) -> None:
    make_board(cockpit)
    answer = post(cockpit, "boards/new/edit", **form())
    assert "exists already in this workspace" in answer.content.decode()


# --- The wall -------------------------------------------------------------------------------------


def test_the_wall_shows_a_board_without_a_login_and_nothing_else(cockpit: Cockpit) -> None:
    cockpit.task()
    browser, _link = make_link(cockpit, make_board(cockpit, Tile(label="Open chats")))
    shown = browser.get(f"{WALL}tiles").content.decode()
    assert "Open chats" in shown
    assert "Ada" not in shown
    for path in ("", "queues", "boards", "panels/totals", "changes"):
        assert browser.get(f"/supervisor/{path}").status_code == 302
    assert browser.get("/v1/Workspaces").status_code == 401


def test_the_token_is_in_no_address_and_only_a_digest_is_stored(cockpit: Cockpit) -> None:
    board = make_board(cockpit)
    answer = post(
        cockpit, "do/boards.link", name="Wall", boards=[board.sid], turn_seconds=30, days=90
    )
    page = answer.content.decode()
    token = page.partition("/supervisor/wall/#")[2].partition("<")[0]
    link = models.KioskLink.objects.get()
    assert len(token) >= 43
    assert token not in str(models.KioskLink.objects.values())
    assert link.token_digest == boards.digest_token(token)
    assert token not in cockpit.read("boards")


def test_the_cookie_is_sent_to_the_wall_alone(cockpit: Cockpit) -> None:
    browser, _link = make_link(cockpit, make_board(cockpit))
    cookie = browser.cookies["cordboard_wall"]
    assert cookie["path"] == WALL
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"


def test_a_revoked_link_shows_nothing_at_once(cockpit: Cockpit) -> None:
    browser, link = make_link(cockpit, make_board(cockpit))
    post(cockpit, "do/boards.revoke", sid=link.sid)
    assert browser.get(f"{WALL}tiles").status_code == 403
    assert "Revoked" in cockpit.read("boards")


def test_a_link_ends_by_itself(cockpit: Cockpit) -> None:
    early = timezone.now() - timedelta(days=2)
    link, token = boards.create_link(
        workspace=cockpit.workspace,
        name="Old",
        boards=[make_board(cockpit)],
        turn_seconds=30,
        days=1,
        created_by="lead",
        now=early,
    )
    assert Client().post(f"{WALL}enter", {"token": token}).status_code == 403
    assert link.date_expires < timezone.now()


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
def test_a_wrong_token_opens_nothing(cockpit: Cockpit, token: str) -> None:
    assert Client().post(f"{WALL}enter", {"token": token}).status_code == 403
    assert Client().get(f"{WALL}tiles").status_code == 403


def test_boards_take_turns(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_board(cockpit, name="First"), make_board(cockpit, name="Second")
    browser, _link = make_link(cockpit, first, second, turn_seconds=10)
    begin = timezone.now().replace(microsecond=0)
    begin -= timedelta(seconds=begin.timestamp() % 20)
    seen = []
    for seconds in (0, 9, 10, 19):
        now = begin + timedelta(seconds=seconds)
        monkeypatch.setattr("supervisors.boards.wall.timezone.now", lambda now=now: now)
        forget()
        page = browser.get(f"{WALL}tiles").content.decode()
        seen.append(page.partition('data-board="')[2].partition('"')[0])
    assert seen == ["First", "First", "Second", "Second"]


def test_the_last_use_of_a_link_is_listed(cockpit: Cockpit) -> None:
    browser, link = make_link(cockpit, make_board(cockpit))
    browser.get(f"{WALL}tiles", REMOTE_ADDR="203.0.113.9")
    link.refresh_from_db()
    assert link.date_used is not None
    assert "203.0.113.9" in cockpit.read("boards")


@pytest.mark.parametrize(
    ("begin", "end", "hour", "quiet"),
    [("08:00", "18:00", 12, True), ("08:00", "18:00", 19, False), ("22:00", "06:00", 3, True)],
)
def test_a_board_is_quiet_within_its_hours(
    cockpit: Cockpit, begin: str, end: str, hour: int, quiet: bool
) -> None:
    board = make_board(cockpit, quiet_from=begin, quiet_until=end)
    cockpit.workspace.time_zone = "UTC"
    moment = timezone.now().replace(hour=hour)
    assert rendering.is_quiet(cockpit.workspace, board, moment) == quiet


@pytest.mark.parametrize(
    ("who", "status"), [("agent", 403), ("stranger", 404), ("anonymous", 302), ("member", 302)]
)
@pytest.mark.parametrize("path", ["do/boards.delete", "do/boards.revoke"])
def test_only_supervisors_of_the_workspace_change_boards_and_links(
    cockpit: Cockpit, path: str, who: str, status: int
) -> None:
    board = make_board(cockpit)
    _browser, link = make_link(cockpit, board)
    sid = board.sid if "delete" in path else link.sid
    assert post(cockpit, path, who=who, sid=sid).status_code == status
    link.refresh_from_db()
    untouched = models.Board.objects.exists() and link.date_revoked is None
    assert untouched == (who != "member")


def test_a_board_of_another_workspace_is_not_found(cockpit: Cockpit) -> None:
    board = make_board(cockpit)
    elsewhere = models.Workspace.objects.get(friendly_name="Elsewhere")
    for path in (f"boards/{board.sid}", f"boards/{board.sid}/tiles", f"boards/{board.sid}/edit"):
        address = f"/supervisor/{path}?workspace={elsewhere.sid}"
        assert cockpit.people["superuser"].get(address).status_code == 404
