"""Lines as two arrays: fetched late, cut and measured rightly."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString

from urbangeo.crs import GEOD
from urbangeo.network.lines import Lines

SHAPES = np.array(
    [
        LineString([(107, 27), (107.01, 27)]),
        LineString([(107, 27), (107, 27.01), (107.02, 27.01)]),
        LineString([(108, 28), (108, 28.5)]),
    ]
)


def test_geometries_come_back_as_they_were() -> None:
    lines = Lines.of(SHAPES)
    assert len(lines) == 3
    assert lines.offsets.tolist() == [0, 2, 5, 7]
    assert shapely.equals_exact(lines.geometry, SHAPES).all()


def test_length_is_geodesic() -> None:
    expected = [GEOD.geometry_length(one) for one in SHAPES]
    assert Lines.of(SHAPES).length_m() == pytest.approx(expected, rel=1e-12)


def test_some_lines_in_another_order() -> None:
    some = Lines.of(SHAPES).take(np.array([2, 0]))
    assert shapely.equals_exact(some.geometry, SHAPES[[2, 0]]).all()


def test_straight_lines() -> None:
    lines = Lines.straight(np.array([[107.0, 27.0]]), np.array([[108.0, 28.0]]))
    assert lines.geometry[0].coords[:] == [(107, 27), (108, 28)]


def test_nothing_is_fetched_before_it_is_needed() -> None:
    fetched = []

    def make() -> tuple[np.ndarray, np.ndarray]:
        fetched.append(1)
        whole = Lines.of(SHAPES)
        return whole.xy, whole.offsets

    late = Lines.later(3, make)
    both = Lines.joined([late, Lines.of(SHAPES[:1])])
    assert len(both) == 4
    assert fetched == []
    assert shapely.equals_exact(both.geometry, [*SHAPES, SHAPES[0]]).all()
    assert late.offsets.tolist() == [0, 2, 5, 7]
    assert fetched == [1]


def test_no_lines() -> None:
    none = Lines.of(np.empty(0, dtype=object))
    assert len(none) == len(none.geometry) == len(none.length_m()) == 0
