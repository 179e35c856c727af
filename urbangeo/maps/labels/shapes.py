"""Boxes and lines of many labels as arrays: which meet which.

A box is a row of centre x and y, half width, half height and angle (radians); NaN meets nothing.
All measures are millimetres on paper.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from urbangeo.maps.paper import FloatArray

__all__ = [
    "CLEARANCE",
    "boxes_meet",
    "corners",
    "lines_cross",
    "lines_meet",
    "lines_near",
    "upright",
]

CLEARANCE = 0.35
"""Free space between two labels, in all, millimetres."""

BoolArray = NDArray[np.bool_]


def corners(boxes: FloatArray) -> FloatArray:
    """Give the four corners of each box; shape (n, 4, 2)."""
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    along = np.stack([cos, sin], axis=1) * boxes[:, 2:3]
    up = np.stack([-sin, cos], axis=1) * boxes[:, 3:4]
    middle = boxes[:, :2]
    found: FloatArray = np.stack(
        [middle - along - up, middle + along - up, middle + along + up, middle - along + up], axis=1
    )
    return found


def upright(boxes: FloatArray) -> FloatArray:
    """Give the upright box around each: left, bottom, right, top."""
    cos, sin = np.abs(np.cos(boxes[:, 4])), np.abs(np.sin(boxes[:, 4]))
    half = np.stack(
        [boxes[:, 2] * cos + boxes[:, 3] * sin, boxes[:, 2] * sin + boxes[:, 3] * cos], axis=1
    )
    half[boxes[:, 4] == 0] = boxes[boxes[:, 4] == 0, 2:4]
    return np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])


def boxes_meet(
    ours: FloatArray,
    theirs: FloatArray,
    gap: float = CLEARANCE,
    *,
    our_uprights: FloatArray | None = None,
    their_uprights: FloatArray | None = None,
) -> BoolArray:
    """Tell which boxes come nearer to which others than a gap; shape (n, m).

    Parameters
    ----------
    our_uprights, their_uprights
        What :func:`upright` gives, where it is known.
    """
    a = (upright(ours) if our_uprights is None else our_uprights)[:, None, :]
    b = (upright(theirs) if their_uprights is None else their_uprights)[None, :, :]
    meets: BoolArray = (
        (a[..., 0] < b[..., 2] + gap)
        & (a[..., 2] > b[..., 0] - gap)
        & (a[..., 1] < b[..., 3] + gap)
        & (a[..., 3] > b[..., 1] - gap)
    )
    if (ours[:, 4] != 0).any() or (theirs[:, 4] != 0).any():
        askew = (ours[:, 4] != 0)[:, None] | (theirs[:, 4] != 0)[None, :]
        one, other = np.nonzero(meets & askew)
        meets[one, other] = ~_apart(ours[one], theirs[other], gap)
    return meets


def _apart(ours: FloatArray, theirs: FloatArray, gap: float) -> BoolArray:
    """Tell which pairs of boxes a straight line parts (separating axes); shape (n,)."""
    away = theirs[:, :2] - ours[:, :2]
    apart = np.zeros(len(ours), dtype=bool)
    for frame in (ours, theirs):
        for turn in (0.0, np.pi / 2):
            axis = np.stack([np.cos(frame[:, 4] + turn), np.sin(frame[:, 4] + turn)], axis=1)
            reach = sum(_reach(one, axis) for one in (ours, theirs))
            apart |= np.abs((away * axis).sum(axis=1)) >= reach + gap
    return apart


def _reach(boxes: FloatArray, axis: FloatArray) -> FloatArray:
    """Give how far boxes reach from their centres along an axis."""
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    along = np.abs(axis[:, 0] * cos + axis[:, 1] * sin)
    up = np.abs(axis[:, 1] * cos - axis[:, 0] * sin)
    reach: FloatArray = boxes[:, 2] * along + boxes[:, 3] * up
    return reach


def lines_meet(lines: FloatArray, boxes: FloatArray, gap: float = 0.2) -> BoolArray:
    """Tell which lines come nearer to which upright boxes than a gap (Liang and Barsky 1984)."""
    begin, step = lines[..., :2], lines[..., 2:] - lines[..., :2]
    first = np.zeros(np.broadcast_shapes(lines.shape[:-1], boxes.shape[:-1]))
    last = np.ones_like(first)
    inside = np.ones(first.shape, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in (0, 1):
            low = boxes[..., axis] - gap - begin[..., axis]
            high = boxes[..., axis + 2] + gap - begin[..., axis]
            one, other = low / step[..., axis], high / step[..., axis]
            still = step[..., axis] == 0
            inside &= ~still | ((low <= 0) & (high >= 0))
            first = np.where(still, first, np.maximum(first, np.minimum(one, other)))
            last = np.where(still, last, np.minimum(last, np.maximum(one, other)))
        meets: BoolArray = inside & (first <= last) & ~np.isnan(lines[..., 0] + boxes[..., 0])
    return meets


def lines_cross(ours: FloatArray, theirs: FloatArray) -> BoolArray:
    """Tell which lines cross or touch which others."""

    def side(line: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        along = (line[..., 2] - line[..., 0]) * (y - line[..., 1])
        return np.sign(along - (line[..., 3] - line[..., 1]) * (x - line[..., 0]))

    with np.errstate(invalid="ignore"):
        a = side(ours, theirs[..., 0], theirs[..., 1]) * side(ours, theirs[..., 2], theirs[..., 3])
        b = side(theirs, ours[..., 0], ours[..., 1]) * side(theirs, ours[..., 2], ours[..., 3])
        crosses: BoolArray = (a <= 0) & (b <= 0)
    return crosses


def lines_near(lines: FloatArray, discs: FloatArray) -> BoolArray:
    """Tell which lines run through which discs (x, y, radius); shape (n, m)."""
    begin, step = lines[:, None, :2], (lines[:, 2:] - lines[:, :2])[:, None]
    away = discs[None, :, :2] - begin
    length = np.maximum((step**2).sum(axis=-1), 1e-12)
    share = np.clip((away * step).sum(axis=-1) / length, 0.0, 1.0)
    off = away - share[..., None] * step
    near: BoolArray = (off**2).sum(axis=-1) < discs[None, :, 2] ** 2
    return near
