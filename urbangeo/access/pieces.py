"""Lines cut into short pieces, and the pieces sorted by place.

Only those near a point need be looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["PIECE_M", "Buckets", "Pieces", "boxes_meet"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

PIECE_M = 500.0
"""Pieces of roads and barriers are no longer than this where there are barriers, metres."""

_NARROWEST_M = 50.0  # of a bucket


@dataclass(frozen=True, eq=False)
class Pieces:
    """Straight pieces of lines, and points as pieces of no length.

    Attributes
    ----------
    ends
        x and y of the beginning, x and y of the end; shape (n, 4).
    owner
        Row of the line of each.
    share
        Share of the line's length at beginning and end; shape (n, 2).
    """

    ends: FloatArray
    owner: IntArray
    share: FloatArray

    @classmethod
    def of(cls, shapes: NDArray[np.object_], longest_m: float = PIECE_M) -> Pieces:
        """Cut LineStrings, and take Points as they are."""
        xy, line = shapely.get_coordinates(shapes, return_index=True)
        is_point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
        follows = np.flatnonzero(line[1:] == line[:-1])
        owner = line[follows]
        begin, step = xy[follows], xy[follows + 1] - xy[follows]
        length = np.hypot(step[:, 0], step[:, 1])
        passed = np.cumsum(length) - length
        first = np.r_[True, owner[1:] != owner[:-1]] if len(owner) else np.empty(0, dtype=bool)
        passed -= np.repeat(passed[first], np.diff(np.r_[np.flatnonzero(first), len(owner)]))
        whole = np.bincount(owner, weights=length, minlength=len(shapes))
        whole = np.where(whole > 0, whole, 1.0)[owner]
        parts = np.maximum(1, np.ceil(length / longest_m)).astype(np.int64)
        which = np.repeat(np.arange(len(owner)), parts)
        part = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
        low, high = part / parts[which], (part + 1) / parts[which]
        ends = np.column_stack(
            [
                begin[which] + low[:, None] * step[which],
                begin[which] + high[:, None] * step[which],
            ]
        )
        share = np.column_stack(
            [(passed[which] + one * length[which]) / whole[which] for one in (low, high)]
        )
        spots = np.flatnonzero(is_point[line])
        return cls(
            np.concatenate([ends, np.column_stack([xy[spots], xy[spots]])]),
            np.concatenate([owner[which], line[spots]]),
            np.concatenate([share, np.zeros((len(spots), 2))]),
        )

    def take(self, rows: NDArray[Any]) -> Pieces:
        """Give some of them."""
        return Pieces(self.ends[rows], self.owner[rows], self.share[rows])


@dataclass(frozen=True, eq=False)
class Buckets:
    """Pieces by the square in which their middles lie.

    Attributes
    ----------
    pieces
        The pieces, by rows of squares from south to north, each from west to east.
    west, south, width
        Corner and width of the squares, metres.
    rows, columns
        How many there are.
    starts
        The pieces of square ``i`` are ``starts[i]`` to ``starts[i + 1]``.
    half
        No end lies farther than this from the middle of its piece, metres.
    """

    pieces: Pieces
    west: float
    south: float
    width: float
    rows: int
    columns: int
    starts: IntArray
    half: float

    @classmethod
    def of(cls, pieces: Pieces) -> Buckets:
        """Sort pieces into squares that hold about two each, where they are spread evenly."""
        middle = (pieces.ends[:, :2] + pieces.ends[:, 2:]) / 2
        if not len(middle):
            return cls(pieces, 0.0, 0.0, 1.0, 1, 1, np.zeros(2, dtype=np.int64), 0.0)
        low, span = middle.min(axis=0), np.ptp(middle, axis=0)
        width = max(_NARROWEST_M, math.sqrt(2 * float(np.prod(span + PIECE_M)) / len(middle)))
        columns, rows = (int(one) + 1 for one in span // width)
        column, row = ((middle - low) // width).astype(np.int64).T
        square = row * columns + column
        order = np.argsort(square, kind="stable")
        starts = np.zeros(rows * columns + 1, dtype=np.int64)
        np.cumsum(np.bincount(square, minlength=rows * columns), out=starts[1:])
        reach = np.hypot(*(pieces.ends[:, 2:] - pieces.ends[:, :2]).T).max() / 2
        west, south = low
        return cls(
            pieces.take(order),
            float(west),
            float(south),
            width,
            rows,
            columns,
            starts,
            float(reach) + 1e-6,
        )

    @property
    def frame(self) -> FloatArray:
        """Corner, width, columns, rows and half, for the compiled loop."""
        return np.array([self.west, self.south, self.width, self.columns, self.rows, self.half])

    def gaps(self, chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How many squares each square is from the nearest that holds a chosen piece.

        Diagonal steps count as one; a million where no piece is chosen.
        """
        from scipy.ndimage import distance_transform_cdt

        if not chosen.any():
            return np.full(self.rows * self.columns, 1_000_000, dtype=np.int32)
        held = np.zeros(self.rows * self.columns, dtype=bool)
        square = np.repeat(np.arange(self.rows * self.columns), np.diff(self.starts))
        held[square[chosen]] = True
        steps = distance_transform_cdt(~held.reshape(self.rows, self.columns), metric="chessboard")
        return np.asarray(steps, dtype=np.int32).ravel()

    def square(self, xy: FloatArray) -> tuple[IntArray, FloatArray]:
        """Give the nearest square of each point, and how far it lies from all squares, metres."""
        size = np.array([self.columns, self.rows])
        low = np.array([self.west, self.south])
        inside = np.clip(xy, low, low + size * self.width)
        column, row = np.clip((inside - low) // self.width, 0, size - 1).astype(np.int64).T
        return row * self.columns + column, np.hypot(*(xy - inside).T)

    def near(self, xy: FloatArray, radius: FloatArray) -> tuple[IntArray, IntArray]:
        """Pairs of points and pieces: all within the radius, and others.

        Points ascend.
        """
        size = np.array([self.columns, self.rows])
        low = np.array([self.west, self.south])
        wide = (radius + self.half)[:, None]
        first = np.floor((xy - wide - low) / self.width).astype(np.int64)
        last = np.floor((xy + wide - low) / self.width).astype(np.int64)
        misses = ((last < 0) | (first >= size)).any(axis=1)
        first, last = np.maximum(first, 0), np.minimum(last, size - 1)
        heights = np.where(misses, 0, last[:, 1] - first[:, 1] + 1)
        point, step = _runs(heights)
        row = (first[point, 1] + step) * self.columns
        start = self.starts[row + first[point, 0]]
        counts = self.starts[row + last[point, 0] + 1] - start
        run, step = _runs(counts)
        return point[run], start[run] + step


def _runs(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Number of the run, and place in it, of all members of runs of some lengths."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)


def boxes_meet(
    bounds: FloatArray, low: Sequence[float], high: Sequence[float]
) -> NDArray[np.bool_]:
    """Whether bounds meet a box."""
    west, south, east, north = bounds.T
    met: NDArray[np.bool_] = (west <= high[0]) & (south <= high[1]) & (east >= low[0])
    met &= north >= low[1]
    return met
