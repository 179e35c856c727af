"""What stands beneath the names, as grids of the page whose sums over any box cost nothing.

Sums of a grid's cells over upright boxes are differences of four running sums (Crow 1984,
Summed-area tables for texture mapping). All measures are millimetres on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.maps.labels.shapes import upright
from urbangeo.maps.paper import FloatArray, page_box, to_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["AreaRoom", "LineRoom", "area_room"]

_LINE_CELL = 0.25
_LINE_STEP = 0.1


def _sums(cells: FloatArray) -> FloatArray:
    """Give running sums with a first row and column of zeros."""
    return np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def segments_on_page(axes: Axes, geometry: BaseGeometry) -> FloatArray:
    """Give the straight pieces of lines, or of outlines, on the page: x, y, x, y."""
    parts = shapely.get_parts(np.atleast_1d(geometry))
    parts = shapely.get_parts(parts)
    areas = shapely.get_dimensions(parts) == 2
    parts = np.concatenate(
        [parts[shapely.get_dimensions(parts) == 1], shapely.get_rings(parts[areas])]
    )
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    if len(xy) < 2:
        return np.empty((0, 4))
    page = to_page(axes, xy)
    same = owner[1:] == owner[:-1]
    return np.hstack([page[:-1][same], page[1:][same]])


class LineRoom:
    """Length of line beneath a box, weighed by how strong the line is."""

    def __init__(
        self,
        axes: Axes,
        lines: BaseGeometry | Sequence[tuple[BaseGeometry, float]] | None,
    ) -> None:
        self.origin = np.array(page_box(axes)[:2])
        frame = page_box(axes)
        size = (np.array(frame[2:]) - self.origin) / _LINE_CELL
        self.shape = (int(np.ceil(size[1])) + 1, int(np.ceil(size[0])) + 1)
        found = np.zeros(self.shape[0] * self.shape[1])
        if lines is None:
            weighed: Sequence[tuple[BaseGeometry, float]] = ()
        else:
            weighed = [(lines, 1.0)] if isinstance(lines, shapely.Geometry) else lines
        for geometry, weight in weighed:
            found += self._lengths(segments_on_page(axes, geometry)) * weight
        self._sums = _sums(found.reshape(self.shape))
        self.empty = not found.any()

    def _lengths(self, segments: FloatArray) -> FloatArray:
        """Give the length of line in each cell: each piece is cut short, each cut is counted."""
        length = np.hypot(*(segments[:, 2:] - segments[:, :2]).T)
        cuts = np.ceil(length / _LINE_STEP).astype(int)
        owner = np.repeat(np.arange(len(segments)), cuts)
        first = np.repeat(np.cumsum(cuts) - cuts, cuts)
        share = ((np.arange(len(owner)) - first) + 0.5) / cuts[owner]
        places = segments[owner, :2] + share[:, None] * (segments[owner, 2:] - segments[owner, :2])
        cell = np.floor((places - self.origin) / _LINE_CELL).astype(int)
        inside = ((cell >= 0) & (cell < self.shape[::-1])).all(axis=1)
        flat = cell[inside, 1] * self.shape[1] + cell[inside, 0]
        weights = (length / np.maximum(cuts, 1))[owner[inside]]
        count = self.shape[0] * self.shape[1]
        return np.bincount(flat, weights, minlength=count).astype(np.float64)

    def beneath(self, boxes: FloatArray) -> FloatArray:
        """Give the length of line in every cell that a box touches; shape (n,).

        A box that is askew is summed over as a row of squares.
        """
        if self.empty:
            return np.zeros(len(boxes))
        askew = np.flatnonzero(boxes[:, 4] != 0)
        found = self._over(upright(boxes))
        if len(askew):
            x, y, half, up, angle = boxes[askew].T
            count = np.maximum(np.ceil(half / up), 1).astype(int)
            owner = np.repeat(np.arange(len(askew)), count)
            order = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
            off = ((order + 0.5) / count[owner] * 2 - 1) * half[owner]
            middle = np.column_stack([x[owner], y[owner]])
            middle += off[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])[owner]
            # Squares so wide that they touch, and nothing is counted twice.
            half = (up * np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle))))[owner, None]
            squares = np.hstack([middle - half, middle + half])
            found[askew] = np.bincount(owner, self._over(squares), len(askew))
        return found

    def _over(self, boxes: FloatArray) -> FloatArray:
        low = np.floor((boxes[:, :2] - self.origin) / _LINE_CELL).astype(int)
        high = np.floor((boxes[:, 2:] - self.origin) / _LINE_CELL).astype(int) + 1
        limit = np.array(self.shape[::-1])
        low, high = np.clip(low, 0, limit), np.clip(high, 0, limit)
        sums = self._sums
        total: FloatArray = (
            sums[high[:, 1], high[:, 0]]
            - sums[low[:, 1], high[:, 0]]
            - sums[high[:, 1], low[:, 0]]
            + sums[low[:, 1], low[:, 0]]
        )
        return np.maximum(total, 0.0)


@dataclass(frozen=True)
class AreaRoom:
    """The largest visible part of an area as a grid.

    Attributes
    ----------
    origin, cell
        Lower left corner, and width of a cell.
    inside
        Whether a cell's middle is inside; rows run upwards.
    depth
        How far a cell's middle is from the edge; outside 0.
    """

    origin: FloatArray
    cell: float
    inside: NDArray[np.bool_]
    depth: FloatArray
    sums: FloatArray

    def middles(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
        """Give the middles of cells; shape (n, 2)."""
        return self.origin + (np.stack([columns, rows], axis=1) + 0.5) * self.cell

    @cached_property
    def centroid(self) -> FloatArray:
        """Centre of gravity, which may lie outside."""
        rows, columns = self.inside.sum(axis=1), self.inside.sum(axis=0)
        place = [
            np.average(np.arange(len(columns)), weights=columns),
            np.average(np.arange(len(rows)), weights=rows),
        ]
        return self.origin + (np.array(place) + 0.5) * self.cell

    @cached_property
    def pole(self) -> FloatArray:
        """The place farthest from the edge; of several the one nearest to the centre of gravity."""
        rows, columns = np.nonzero(self.depth >= self.depth.max() - 0.25 * self.cell)
        places = self.middles(rows, columns)
        nearest = int(np.argmin(np.round(np.hypot(*(places - self.centroid).T), 6)))
        place: FloatArray = places[nearest]
        return place

    @cached_property
    def middle(self) -> FloatArray:
        """What looks like the middle: the centre of gravity, unless it lies near the edge."""
        centre = self.centroid
        column, row = np.floor((centre - self.origin) / self.cell).astype(int)
        within = 0 <= row < self.inside.shape[0] and 0 <= column < self.inside.shape[1]
        deep = within and self.depth[row, column] > 0.7 * self.depth.max()
        return centre if deep else self.pole

    def outside(self, boxes: FloatArray) -> FloatArray:
        """Give the share of each upright box (left, bottom, right, top) that is outside."""
        covered = (
            self._sum(boxes[:, 3], boxes[:, 2])
            - self._sum(boxes[:, 1], boxes[:, 2])
            - self._sum(boxes[:, 3], boxes[:, 0])
            + self._sum(boxes[:, 1], boxes[:, 0])
        )
        whole = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        share: FloatArray = np.clip(1 - covered * self.cell**2 / whole, 0.0, 1.0)
        # The grid knows an edge to a fraction of a cell.
        return np.where(share < 1e-9, 0.0, share)

    def _sum(self, y: FloatArray, x: FloatArray) -> FloatArray:
        """Give the sum of cells below and left of places, between cells in proportion."""
        limit = np.array(self.inside.shape)
        place = (np.stack([y, x], axis=1) - self.origin[::-1]) / self.cell
        place = np.clip(place, 0, limit)
        low = np.minimum(place.astype(int), limit - 1)
        (up, along) = (place - low).T
        row, column = low.T
        s = self.sums
        return (  # type: ignore[no-any-return]
            s[row, column] * (1 - up) * (1 - along)
            + s[row + 1, column] * up * (1 - along)
            + s[row, column + 1] * (1 - up) * along
            + s[row + 1, column + 1] * up * along
        )


def area_room(
    axes: Axes, area: BaseGeometry, keep_off: Sequence[tuple[float, float, float, float]] = ()
) -> AreaRoom | None:
    """Give the largest part of an area that the map shows and nothing hides; None if none is.

    Parameters
    ----------
    keep_off
        Boxes of the page that hide the map, millimetres.
    """
    from scipy import ndimage

    segments = segments_on_page(axes, area)
    frame = np.array(page_box(axes))
    if not len(segments):
        return None
    both = segments.reshape(-1, 2)
    low = np.maximum(both.min(axis=0), frame[:2])
    high = np.minimum(both.max(axis=0), frame[2:])
    if (high <= low).any():
        return None
    width, height = high - low
    cell = float(np.clip(np.sqrt(width * height) / 70, 0.02, 0.8))
    cell = min(cell, max(min(width, height) / 8, 0.01))
    shape = (int(np.ceil(height / cell)), int(np.ceil(width / cell)))
    inside = _filled(segments, low, cell, shape)
    for left, bottom, right, top in keep_off:
        hidden = (np.array([[bottom, top], [left, right]]) - low[::-1, None]) / cell
        first, last = np.maximum(np.floor(hidden[:, 0]), 0), np.maximum(np.ceil(hidden[:, 1]), 0)
        if right > left and top > bottom:
            inside[int(first[0]) : int(last[0]), int(first[1]) : int(last[1])] = False
    parts, count = ndimage.label(inside)
    if not count:
        return None
    if count > 1:
        inside = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1] * cell
    return AreaRoom(low, cell, inside, depth, _sums(inside.astype(float)))


def _filled(
    segments: FloatArray, origin: FloatArray, cell: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Fill outlines by parity: inside is what has an odd number of edges on its left."""
    x0, y0, x1, y1 = ((segments - np.tile(origin, 2)) / cell - 0.5).T
    first = np.clip(np.ceil(np.minimum(y0, y1)), 0, shape[0]).astype(int)
    last = np.clip(np.ceil(np.maximum(y0, y1)), 0, shape[0]).astype(int)
    count = last - first
    owner = np.repeat(np.arange(len(segments)), count)
    row = first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    x = x0[owner] + (row - y0[owner]) / (y1 - y0)[owner] * (x1 - x0)[owner]
    column = np.clip(np.ceil(x), 0, shape[1]).astype(int)
    flips = np.bincount(row * (shape[1] + 1) + column, minlength=shape[0] * (shape[1] + 1))
    turned: NDArray[np.bool_] = flips.reshape(shape[0], -1).cumsum(axis=1)[:, :-1] % 2 == 1
    return turned
