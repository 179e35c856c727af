"""Curves, belts, hulls, hatching and signs side by side: lengths and places derived on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, Point, box

from urbangeo.maps.layers import Symbol, hidden_symbols
from urbangeo.maps.shapes import belt, curve, hatching, hull, spread


def test_a_curve_passes_through_its_points() -> None:
    points = [(0.0, 0.0), (10_000.0, 5_000.0), (20_000.0, -3_000.0), (40_000.0, 0.0)]
    line = curve(LineString(points))
    assert all(line.distance(Point(point)) < 1e-6 for point in points)
    assert line.coords[0] == points[0]
    assert line.coords[-1] == points[-1]


def test_a_curve_through_points_in_a_line_is_that_line() -> None:
    line = curve(LineString([(0, 0), (1, 0), (3, 0), (7, 0)]))
    assert line.length == pytest.approx(7)
    assert curve(LineString([(0, 0), (3, 4)])).length == 5
    assert curve(MultiPoint([(1, 1)])).is_empty


def test_a_closed_curve_is_smooth_where_it_closes() -> None:
    ring = curve(LineString([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]), steps=200)
    xy = shapely.get_coordinates(ring)
    out, back = xy[1] - xy[0], xy[-1] - xy[-2]
    turn = np.degrees(np.arctan2(out[1], out[0]) - np.arctan2(back[1], back[0]))
    assert abs((turn + 180) % 360 - 180) < 2


def test_a_belt_is_as_wide_as_asked() -> None:
    """Two points 10 km apart, 2 km wide: a rectangle and two half discs."""
    band = belt(LineString([(0, 0), (10_000, 0)]), 2_000)
    assert band.area == pytest.approx(10_000 * 2_000 + math.pi * 1_000**2, rel=0.005)
    assert belt(Point(0, 0), 2_000).area == pytest.approx(math.pi * 1_000**2, rel=0.005)


def test_a_hull_holds_all_with_its_margin() -> None:
    soft = hull(MultiPoint([(0, 0), (10, 0), (0, 10)]), 2)
    # Area, perimeter times margin, a disc (Steiner's formula).
    expected = 50 + (20 + math.hypot(10, 10)) * 2 + math.pi * 4
    assert soft.area == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_hatching_covers_an_area_evenly(angle: float) -> None:
    """Lines at a distance d through an area A are A / d long in all."""
    disc = Point(3, 4).buffer(50, quad_segs=64)
    lines = hatching(disc, angle, 0.5)
    assert lines.length == pytest.approx(disc.area / 0.5, rel=0.01)
    assert disc.buffer(1e-6).contains(lines)
    assert hatching(shapely.Polygon(), angle, 1).is_empty


def test_hatching_of_neighbours_continues() -> None:
    left, right = hatching(box(0, 0, 5, 5), 0, 1), hatching(box(5, 0, 10, 5), 0, 1)
    heights = [{part.coords[0][1] for part in side.geoms if part.length} for side in (left, right)]
    assert heights[0] == heights[1]


def test_signs_at_one_place_stand_side_by_side() -> None:
    xy = np.array([[0.0, 0.0]] * 7 + [[1000.0, 0.0]])
    moved = spread(xy, 10.0)
    gaps = shapely.distance(*np.meshgrid(shapely.points(moved), shapely.points(moved)))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() == pytest.approx(10.0)
    assert moved[:7].mean(axis=0) == pytest.approx([0, 0], abs=1e-9)
    # One in the middle, six about it.
    assert np.hypot(*moved[:7].T).max() == pytest.approx(10.0)
    assert moved[7].tolist() == [1000.0, 0.0]


def test_a_heap_does_not_cover_its_neighbours() -> None:
    """Two signs at one place; laid out, one of them would stand 2 from a third that is 7 off.

    The heap has to go 8 away from it; it looks in steps of half a unit.
    """
    xy = np.array([(0.0, 0.0), (0.0, 0.0), (7.0, 0.0)])
    moved = spread(xy, 10.0)
    gaps = shapely.distance(*np.meshgrid(shapely.points(moved), shapely.points(moved)))
    np.fill_diagonal(gaps, np.inf)
    assert gaps.min() == pytest.approx(10.0)
    assert moved == pytest.approx(np.array([(-13.0, 0.0), (-3.0, 0.0), (7.0, 0.0)]))


def test_a_heap_without_room_stays() -> None:
    ring = [(30 * math.cos(turn), 30 * math.sin(turn)) for turn in np.linspace(0, 6.2, 60)]
    fence = [(x * size, y * size) for size in (0.2, 0.5, 0.8, 1.1, 1.4, 1.7) for x, y in ring]
    xy = np.array([(0.0, 0.0), (0.0, 0.0), *fence])
    moved = spread(xy, 10.0)
    assert moved[:2] == pytest.approx(np.array([(-5.0, 0.0), (5.0, 0.0)]))


@given(st.integers(1, 40))
def test_no_two_of_a_heap_are_nearer_than_asked(count: int) -> None:
    moved = spread(np.zeros((count, 2)), 1.0)
    for row in range(1, count):
        assert np.hypot(*(moved[:row] - moved[row]).T).min() > 1 - 1e-9


def test_a_dot_beneath_a_larger_sign_is_hidden() -> None:
    """Scale: 1000 m to the millimetre. The dot 300 m off a sign of 1 mm half width is covered."""
    seat = [Symbol(0, 0, 1.0, 21)]
    dots = [Symbol(300, 0, 0.5, 20), Symbol(1400, 0, 0.5, 20)]
    assert hidden_symbols([seat, dots], 1000) == [frozenset(), frozenset({0})]
    above = [Symbol(300, 0, 0.5, 22)]
    assert hidden_symbols([seat, above], 1000) == [frozenset(), frozenset()]
    assert hidden_symbols([[], []], 1000) == [frozenset(), frozenset()]
