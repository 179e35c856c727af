"""What legs off the network must not cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from urbangeo.access.pieces import Buckets, Pieces, boxes_meet
from urbangeo.network.snap import TOUCH_M

__all__ = ["Barred"]

FloatArray = NDArray[np.float64]


class Barred:
    """What legs off the network must not cross.

    Parameters
    ----------
    shapes
        LineStrings, and Polygons, into which no leg leads; metres.
    """

    def __init__(self, shapes: NDArray[np.object_]) -> None:
        whole = shapely.get_parts(shapely.get_parts(shapes))  # collections hold multi-parts
        area = shapely.get_dimensions(whole) == 2
        self._areas = whole[area]
        self._tree = shapely.STRtree(self._areas)
        lines = shapely.get_parts(
            np.concatenate([whole[~area], shapely.boundary(self._areas)]).astype(object)
        )
        self._lines, self._count = lines, len(shapes)
        self._bounds = shapely.bounds(lines).reshape(-1, 4)
        self.buckets = Buckets.of(Pieces.of(np.empty(0, dtype=object)))

    def __len__(self) -> int:
        return self._count

    def within(self, box: Sequence[float]) -> Barred:
        """Give the barriers whose bounds meet a box; ready to be asked."""
        west, south, east, north = box
        near = boxes_meet(self._bounds, (west, south), (east, north))
        some = Barred.__new__(Barred)
        some._areas, some._tree, some._lines = self._areas, self._tree, self._lines[near]
        some._bounds, some._count = self._bounds[near], self._count
        some.buckets = Buckets.of(Pieces.of(some._lines))
        return some

    def covers(self, xy: FloatArray) -> NDArray[np.bool_]:
        """Whether points lie within an area."""
        inside = np.zeros(len(xy), dtype=bool)
        if len(self._areas) and len(xy):
            low, high = xy.min(axis=0), xy.max(axis=0)
            for row in self._tree.query(shapely.box(*low, *high)):
                area = self._areas[row]
                west, south, east, north = area.bounds
                some = np.flatnonzero(
                    (xy[:, 0] >= west)
                    & (xy[:, 0] <= east)
                    & (xy[:, 1] >= south)
                    & (xy[:, 1] <= north)
                    & ~inside
                )
                shapely.prepare(area)
                inside[some] = shapely.contains_xy(area, xy[some, 0], xy[some, 1])
        return inside

    def clear_m(self, xy: FloatArray, limit_m: float) -> FloatArray:
        """Metres around points that are free of barriers, or less; infinite above a limit."""
        ends = self.buckets.pieces.ends
        if not len(ends):
            return np.full(len(xy), np.inf)
        middles = cKDTree((ends[:, :2] + ends[:, 2:]) / 2)
        bound = limit_m + self.buckets.half
        clear: FloatArray = middles.query(xy, distance_upper_bound=bound)[0] - self.buckets.half
        return clear

    def crossed(self, begin: FloatArray, end: FloatArray) -> NDArray[np.bool_]:
        """Whether straight legs cross a barrier; to end on one is not to cross it."""
        hit = np.zeros(len(begin), dtype=bool)
        if not len(self.buckets.pieces.owner):
            return hit
        middle = (begin + end) / 2
        leg, piece = self.buckets.near(middle, np.abs(end - begin).max(axis=1) / 2)
        (px, py), (fx, fy) = begin[leg].T, end[leg].T
        ax, ay, bx, by = self.buckets.pieces.ends[piece].T
        side_a = (fx - px) * (ay - py) - (fy - py) * (ax - px)
        side_b = (fx - px) * (by - py) - (fy - py) * (bx - px)
        side_p = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        side_f = (bx - ax) * (fy - ay) - (by - ay) * (fx - ax)
        slack = TOUCH_M * np.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        beyond = ((side_p > 0) & (side_f < -slack)) | ((side_p < 0) & (side_f > slack))
        hit[leg[((side_a >= 0) != (side_b >= 0)) & beyond]] = True
        return hit
