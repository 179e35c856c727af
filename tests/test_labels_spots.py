"""Positions open to a name and what they cost, before anything stands in their way."""

from __future__ import annotations

import numpy as np
import pytest
from labelboards import board, named, point
from matplotlib.figure import Figure
from shapely.geometry import LineString, box

from urbangeo.maps.labels import Label
from urbangeo.maps.labels.spots import Spots, find_spots
from urbangeo.maps.style import settings


@pytest.fixture(autouse=True)
def _styled() -> object:
    with settings():
        yield


def spots_of(label: Label) -> Spots:
    axes = board()
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return find_spots(axes, figure, label)


def cheapest(spots: Spots, rows: np.ndarray) -> float:
    return float(spots.cost[rows].min())


def test_right_before_above_before_below_before_left() -> None:
    spots = spots_of(point("甲乙", 50, 50, radius=1.0))
    x, y = (spots.boxes[:, :2] - 60).T
    level, middle = np.abs(y) < 0.01, np.abs(x) < 0.01
    costs = [
        cheapest(spots, level & (x > 0)),
        cheapest(spots, middle & (y > 0)),
        cheapest(spots, middle & (y < 0)),
        cheapest(spots, level & (x < 0)),
    ]
    assert costs == sorted(set(costs))
    assert costs[0] == 0


def test_no_position_covers_the_sign() -> None:
    spots = spots_of(point("甲乙丙", 50, 50, radius=2.0, leader=True))
    off = np.abs(spots.boxes[:, :2] - 60) - spots.boxes[:, 2:4]
    assert (off.max(axis=1) >= 2.0).all()


def test_a_leader_joins_the_name_to_the_edge_of_the_sign() -> None:
    spots = spots_of(point("甲乙丙", 50, 50, radius=2.0, leader=True))
    led = ~np.isnan(spots.leaders[:, 0])
    assert led.any()
    start, end = spots.leaders[led, :2], spots.leaders[led, 2:]
    assert np.hypot(*(end - 60).T) == pytest.approx(2.0)
    off = np.abs(start - spots.boxes[led, :2]) - spots.boxes[led, 2:4]
    assert off.max(axis=1) == pytest.approx(0, abs=1e-9)
    assert spots.cost[led].min() > spots.cost[~led].max()


def test_the_whole_name_in_the_middle_is_best() -> None:
    spots = spots_of(named("甲县", box(20, 20, 60, 40), "甲县某某", "甲县"))
    best = int(np.argmin(spots.cost))
    assert spots.texts[spots.text[best]] == "甲县某某"
    assert spots.boxes[best, :2] == pytest.approx([50, 40], abs=0.6)


def test_a_name_leans_over_its_edge_by_a_fifth_at_most() -> None:
    area = box(20, 20, 30, 30)
    spots = spots_of(named("甲乙丙丁", area))
    cells = [box(x - w - 10, y - h - 10, x + w - 10, y + h - 10) for x, y, w, h, _ in spots.boxes]
    assert all(cell.intersection(area).area > 0.78 * cell.area for cell in cells)


def test_a_name_along_a_line_lies_on_it_never_upside_down() -> None:
    for ends in ([(10, 80), (90, 20)], [(90, 20), (10, 80)]):
        spots = spots_of(point("旅游带", 50, 50, run=LineString(ends)))
        turned = spots.boxes[spots.boxes[:, 4] != 0]
        assert len(turned)
        assert turned[:, 4] == pytest.approx(np.arctan2(-60, 80))
        assert 0.6 * (turned[:, 0] - 20) + 0.8 * (turned[:, 1] - 90) == pytest.approx(0, abs=1e-6)


def test_a_steep_line_is_named_downwards() -> None:
    spots = spots_of(point("旅游带", 50, 50, run=LineString([(50, 10), (52, 90)])))
    best = int(np.argmin(spots.cost))
    assert spots.texts[spots.text[best]] == "旅\n游\n带"
    assert spots.boxes[best, 4] == 0
    latin = spots_of(point("Belt", 50, 50, run=LineString([(50, 10), (52, 90)])))
    assert latin.texts == ("Belt",)


def test_a_straight_stretch_is_better_than_a_bent_one() -> None:
    """The middle of the line is a corner; a name stands on one of its arms."""
    run = LineString([(10, 10), (50, 50), (90, 10)])
    spots = spots_of(point("旅游带", 50, 50, run=run))
    best = int(np.argmin(spots.cost))
    assert np.abs(spots.boxes[best, 4]) == pytest.approx(np.pi / 4, abs=0.01)


def test_a_name_beside_a_line_does_not_touch_it() -> None:
    run = LineString([(10, 50), (90, 50)])
    spots = spots_of(point("乌江", 50, 50, run=run, radius=0.5))
    off = np.abs(spots.boxes[:, 1] - 60) - spots.boxes[:, 3]
    assert (off > 0.5).all()
    assert spots.boxes[int(np.argmin(spots.cost)), 1] > 60


def test_what_the_map_does_not_show_has_no_position() -> None:
    assert len(spots_of(named("甲", box(200, 0, 300, 50)))) == 0
    assert len(spots_of(point("甲乙", 50, 50, run=LineString()))) == 0
