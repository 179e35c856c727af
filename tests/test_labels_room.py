"""Grids beneath the names: length of line under a box, share of a box in an area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from labelboards import board
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from urbangeo.maps.labels.room import LineRoom, area_room, segments_on_page


def upright_box(left: float, bottom: float, right: float, top: float) -> np.ndarray:
    """A box of the map, on the page."""
    return np.array(
        [
            [
                10 + (left + right) / 2,
                10 + (bottom + top) / 2,
                (right - left) / 2,
                (top - bottom) / 2,
                0,
            ]
        ]
    )


def test_the_pieces_of_an_outline_with_a_hole() -> None:
    shape = Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (2, 1), (2, 2)]])
    found = segments_on_page(board(), shape)
    assert found.shape == (4 + 3, 4)
    length = np.hypot(*(found[:, 2:] - found[:, :2]).T).sum()
    assert length == pytest.approx(shape.length)
    assert segments_on_page(board(), Point(1, 1)).shape == (0, 4)


def test_the_length_of_line_beneath_a_box() -> None:
    """A box of 10 mm across a line that runs through it covers 10 mm; beside it, none."""
    room = LineRoom(board(), LineString([(0, 50), (100, 50)]))
    boxes = np.vstack([upright_box(20, 48, 30, 52), upright_box(20, 50.5, 30, 54)])
    across, beside = room.beneath(boxes)
    assert across == pytest.approx(10, abs=0.5)
    assert beside == 0


def test_strong_lines_count_for_more() -> None:
    line = LineString([(0, 50), (100, 50)])
    weak, strong = (LineRoom(board(), [(line, weight)]) for weight in (1.0, 3.0))
    boxes = upright_box(20, 48, 30, 52)
    assert strong.beneath(boxes) == pytest.approx(3 * weak.beneath(boxes))
    assert LineRoom(board(), None).beneath(boxes).tolist() == [0]
    assert LineRoom(board(), LineString()).beneath(boxes).tolist() == [0]


def test_a_box_askew_covers_what_lies_beneath_it_alone() -> None:
    """20 mm long and 2 mm high along the diagonal: its upright box holds far more."""
    room = LineRoom(board(), LineString([(30, 70), (70, 30)]))
    along = np.array([[60.0, 60.0, 10.0, 1.0, -np.pi / 4]])
    assert room.beneath(along)[0] == pytest.approx(20, rel=0.35)
    aside = np.array([[64.0, 64.0, 10.0, 1.0, -np.pi / 4]])
    assert room.beneath(aside)[0] == 0


def test_a_line_beyond_the_frame_is_no_matter() -> None:
    room = LineRoom(board(), LineString([(-50, 150), (150, 150)]))
    assert room.beneath(upright_box(0, 90, 100, 100)).tolist() == [0]


def test_the_share_of_a_box_outside_an_area() -> None:
    room = area_room(board(), box(20, 20, 60, 40))
    assert room is not None
    boxes = np.array([[40, 40, 50, 45], [65, 40, 75, 45], [80, 80, 90, 90]], dtype=float)
    assert room.outside(boxes) == pytest.approx([0, 0.5, 1], abs=0.01)
    assert room.middle == pytest.approx([50, 40], abs=0.6)
    assert room.pole == pytest.approx([50, 40], abs=0.6)
    assert room.depth.max() == pytest.approx(10, abs=0.6)


def test_the_share_is_that_of_shapely() -> None:
    rng = np.random.default_rng(4)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach = rng.uniform(12, 30, 60)
    shape = Polygon(np.stack([50 + reach * np.cos(turn), 50 + reach * np.sin(turn)], axis=1))
    room = area_room(board(), shape)
    assert room is not None
    low = rng.uniform(20, 75, (200, 2))
    boxes = np.hstack([low, low + rng.uniform([4, 2], [12, 4], (200, 2))])
    cells = shapely.box(*(boxes - 10).T)
    share = 1 - shapely.area(shapely.intersection(cells, shape)) / shapely.area(cells)
    assert np.abs(room.outside(boxes) - share).max() < 0.12
    assert np.abs(room.outside(boxes) - share).mean() < 0.01


def test_the_middle_of_a_bent_area_lies_inside() -> None:
    """The centre of gravity of an L is near its inner corner, outside or at the edge."""
    shape = Polygon([(0, 0), (60, 0), (60, 10), (10, 10), (10, 60), (0, 60)])
    room = area_room(board(), shape)
    assert room is not None
    assert shape.contains(Point(room.middle - 10))
    assert not shape.contains(Point(room.centroid - 10))


def test_the_largest_part_that_is_seen() -> None:
    """The larger part lies beyond the frame but for a strip, or under the legend."""
    shape = MultiPolygon([box(10, 10, 40, 40), box(95, 0, 200, 100)])
    room = area_room(board(), shape)
    assert room is not None
    assert room.middle == pytest.approx([35, 35], abs=1.5)
    hidden = area_room(board(), shape, [(15, 15, 60, 60)])
    assert hidden is not None
    assert hidden.middle[0] > 105


def test_an_area_with_a_hole_is_named_beside_it() -> None:
    ring = box(20, 20, 80, 80).difference(box(30, 30, 70, 70))
    room = area_room(board(), ring)
    assert room is not None
    assert ring.contains(Point(room.middle - 10))
    assert room.outside(np.array([[50.0, 50, 60, 60]])) == pytest.approx([1], abs=0.01)


@pytest.mark.parametrize("shape", [box(200, 0, 300, 50), Polygon(), box(10, 10, 10, 10)])
def test_what_is_not_seen_has_no_room(shape: shapely.Geometry) -> None:
    assert area_room(board(), shape) is None


def test_all_of_it_hidden_has_no_room() -> None:
    assert area_room(board(), box(20, 20, 30, 30), [(0, 0, 120, 120)]) is None


def test_a_sliver_still_has_a_place() -> None:
    room = area_room(board(), box(20, 20, 80, 20.05))
    assert room is not None
    assert room.pole == pytest.approx([60, 30.025], abs=1.0)
