"""Barriers that legs off the network do not cross."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString

from urbangeo.access.barred import Barred


def test_legs_and_barriers_by_hand() -> None:
    # a wall from (0, 0) to (10, 0) and on to (10, 10); legs upwards through it
    wall = Barred(np.array([LineString([(0, 0), (10, 0), (10, 10)])])).within((-99, -99, 99, 99))
    begin = np.array([(5, -5), (5, -5), (-3, -5), (10, -5), (5, 5), (5, -5.0), (2, 3)])
    end = np.array([(5, 5), (5, 0), (-3, 5), (4, 5), (15, 5), (5, -1.5), (9, 4)])
    crossed = [True, False, False, True, True, False, False]
    assert wall.crossed(begin, end).tolist() == crossed


def test_crossing_as_shapely_tells_it() -> None:
    rng = np.random.default_rng(8)
    lines = shapely.linestrings(rng.uniform(0, 3000, (40, 5, 2)))
    begin, end = rng.uniform(0, 3000, (2, 3000, 2))
    told = Barred(lines).within((0, 0, 3000, 3000)).crossed(begin, end)
    legs = shapely.linestrings(np.stack([begin, end], axis=1))
    crosses = shapely.intersects(legs[:, None], lines[None, :]).any(axis=1)
    # shapely counts a leg that ends less than a metre beyond; ours takes it to end on the wall
    shorter = shapely.line_interpolate_point(legs, shapely.length(legs) - 30)
    clear = shapely.linestrings(np.stack([begin, shapely.get_coordinates(shorter)], axis=1))
    surely = shapely.intersects(clear[:, None], lines[None, :]).any(axis=1)
    assert not (told & ~crosses).any()
    assert (told != crosses).mean() < 0.01
    assert (told & ~surely).sum() <= (crosses & ~surely).sum()
