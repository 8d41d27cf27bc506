"""Tiles of boards: what is accepted, and how severe a value is."""

from __future__ import annotations

from typing import Any

import pytest

from routing.core.tiles import BadTile, Tile, TileFigure, TileKind, read_tile


def test_a_tile_is_the_same_after_it_was_stored() -> None:
    tile = Tile(figure=TileFigure.SPEED, queues=("WQ1",), channel="chat", watch=5, label="ASA")
    assert read_tile(tile.to_json()) == tile


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": TileKind.LINE, "figure": TileFigure.WAITING}, "figure"),
        ({"watch": 5, "act": 5}, "act"),
        ({"figure": TileFigure.FREE, "watch": 2, "act": 3}, "act"),
        ({"label": "x" * 41}, "label"),
        ({"queues": tuple(f"WQ{n}" for n in range(21))}, "queues"),
    ],
)
def test_a_tile_that_makes_no_sense_is_refused_at_its_field(
    given: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadTile) as refused:
        Tile(**given)
    assert refused.value.field == field


@pytest.mark.parametrize("stored", [{"kind": "pie"}, {"watch": "5"}, {"act": -1}, {"figure": 7}])
def test_a_malformed_row_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"pie|watch is|act is|7"):
        read_tile(stored)


@pytest.mark.parametrize(
    ("figure", "value", "level"),
    [
        (TileFigure.WAITING, 4, "ok"),
        (TileFigure.WAITING, 5, "watch"),
        (TileFigure.WAITING, 9, "act"),
        (TileFigure.WAITING, None, "ok"),
        (TileFigure.FREE, 10, "ok"),
        (TileFigure.FREE, 9, "watch"),
        (TileFigure.FREE, 5, "act"),
    ],
)
def test_a_value_is_judged_by_the_limits(
    figure: TileFigure, value: float | None, level: str
) -> None:
    low_is_bad = figure is TileFigure.FREE
    limits: dict[str, Any] = {"watch": 9, "act": 5} if low_is_bad else {"watch": 5, "act": 9}
    assert Tile(figure=figure, **limits).find_level(value) == level
