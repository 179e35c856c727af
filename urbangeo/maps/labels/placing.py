"""Place names on a map so that none covers another, a symbol, or the frame.

Each name has positions, each with a cost (:mod:`urbangeo.maps.labels.spots`); what leaves the frame
or covers a symbol is dropped, what covers a line costs more; then every name is given one of them
(:mod:`urbangeo.maps.labels.board`). What has no room in its area, or beside its point, stands aside
and is tied to it with a leader line; a required one is set in smaller type before it is given up.

All measures here are millimetres on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.maps.labels.board import choose
from urbangeo.maps.labels.records import Label, Placed, Placement
from urbangeo.maps.labels.room import LineRoom
from urbangeo.maps.labels.shapes import (
    boxes_meet,
    corners,
    lines_meet,
    lines_near,
    upright,
)
from urbangeo.maps.labels.spots import Spots, find_spots
from urbangeo.maps.paper import FloatArray, page_box, to_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["LEAST_SIZE", "SAME_NAME_MM", "has_room", "place"]

LEAST_SIZE = 5.0
"""Type is set no smaller than this to make room, points."""
SAME_NAME_MM = 3.0
"""Of two equal names whose places are no farther apart than this, one is written."""

_SIZE_STEP = 0.5
_FRAME_GAP = 0.6
_LINE_COST = 0.5
"""Cost of covering a millimetre of line of weight 1."""
_NEAR = 1.1
_NEAR_COST = 1.0
"""A name nearer than this to the sign of another place may be taken for its name."""
_OWN = 0.05
"""A sign no farther than this from what a label names is its own."""


def place(
    axes: Axes,
    labels: Sequence[Label],
    *,
    keep_off: Sequence[tuple[float, float, float, float]] = (),
    lines: BaseGeometry | Sequence[tuple[BaseGeometry, float]] | None = None,
    symbols: Sequence[tuple[float, float, float]] = (),
) -> Placement:
    """Find a place for each label.

    Of equal names of one place only one is written, the required one, else that of the lower
    priority number, else the larger, else the first: equal but for spaces, their points no more
    than 3 mm apart on the page; or one names an area and the other a point in it.

    A required name that finds no room is set smaller, by half a point at a time down to 5 points;
    if that does not help, it may stand aside with a leader line.

    Parameters
    ----------
    axes
        The map. Its size and limits must be final.
    labels
        The names, with unique keys.
    keep_off
        Boxes on the page that no label may touch: legend, scale bar, inset; millimetres.
    lines
        Lines in map coordinates that a label should rather not cover; with weights, so that strong
        ones are covered last. An ordinary line weighs 1.
    symbols
        Point symbols that no label may cover: x, y in map coordinates, half width in millimetres.

    Returns
    -------
    Placement
        No two names overlap, none leaves the map's frame nor touches what must be kept off.
    """
    ground = _Ground(axes, keep_off, lines, symbols)
    repeated = _repeated(axes, labels)
    wanted = [label for row, label in enumerate(labels) if row not in repeated]
    options = [ground.open_spots(label) for label in wanted]
    rows = choose(options)
    for _ in range(_steps(wanted)):
        lost = [i for i, row in enumerate(rows) if row is None and wanted[i].required]
        smaller = {i: _eased(options[i].label) for i in lost}
        if all(label is None for label in smaller.values()):
            break
        for i, label in smaller.items():
            if label is not None:
                options[i] = ground.open_spots(label)
        if any(len(options[i]) for i in smaller):
            rows = choose(options, rows)
    placed = tuple(
        _placed(option, row) for option, row in zip(options, rows, strict=True) if row is not None
    )
    missing = tuple(label for label, row in zip(wanted, rows, strict=True) if row is None)
    return Placement(placed, missing, tuple(labels[row] for row in sorted(repeated)))


def has_room(axes: Axes, label: Label) -> bool:
    """Tell whether the area that a label names has room for its name, nothing else considered."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return len(find_spots(axes, figure, replace(label, leader=False))) > 0


def _steps(labels: Sequence[Label]) -> int:
    """Give how often type may be made smaller, and one more for leader lines."""
    sizes = [label.size for label in labels if label.required]
    return int(np.ceil(max((max(sizes, default=0.0) - LEAST_SIZE) / _SIZE_STEP, 0.0))) + 1


def _eased(label: Label) -> Label | None:
    """Give a label that asks for less room; None if nothing more can be given up."""
    if label.size > LEAST_SIZE:
        return replace(label, size=max(label.size - _SIZE_STEP, LEAST_SIZE))
    return None if label.leader or label.badge else replace(label, leader=True)


def _placed(option: Spots, row: int) -> Placed:
    box = option.boxes[row : row + 1]
    left, bottom, right, top = upright(box)[0].tolist()
    x, y, _, _, angle = box[0].tolist()
    line = option.leaders[row].tolist()
    return Placed(
        option.label,
        option.texts[option.text[row]],
        x,
        y,
        (left, bottom, right, top),
        None if np.isnan(line[0]) else ((line[0], line[1]), (line[2], line[3])),
        float(np.degrees(angle)),
        tuple((cx, cy) for cx, cy in corners(box)[0].tolist()),
    )


def _repeated(axes: Axes, labels: Sequence[Label]) -> set[int]:
    """Find the labels that another one says already."""
    groups: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        groups.setdefault("".join(label.texts[0].split()), []).append(row)
    found: set[int] = set()
    for rows in groups.values():
        if len(rows) < 2:
            continue
        best_first = sorted(
            rows,
            key=lambda i: (not labels[i].required, labels[i].priority, -labels[i].size, i),
        )
        places = to_page(axes, [(labels[i].x, labels[i].y) for i in best_first])
        kept: list[int] = []
        for number, row in enumerate(best_first):
            same = any(
                np.hypot(*(places[number] - places[other])) <= SAME_NAME_MM
                or _within(labels[row], labels[best_first[other]])
                for other in kept
            )
            if same:
                found.add(row)
            else:
                kept.append(number)
    return found


def _within(one: Label, other: Label) -> bool:
    """Tell whether one label names an area and the other a point in it."""
    area, point = (one, other) if one.area is not None else (other, one)
    if area.area is None or point.area is not None or point.run is not None or point.spots:
        return False
    return bool(shapely.contains_xy(area.area, point.x, point.y))


class _Ground:
    """What names have to keep off."""

    def __init__(
        self,
        axes: Axes,
        keep_off: Sequence[tuple[float, float, float, float]],
        lines: BaseGeometry | Sequence[tuple[BaseGeometry, float]] | None,
        symbols: Sequence[tuple[float, float, float]],
    ) -> None:
        figure = axes.get_figure(root=True)
        assert figure is not None
        self.axes, self.figure = axes, figure
        self.frame = page_box(axes)
        self.keep_off = [tuple(map(float, box)) for box in keep_off]
        kept = np.array(self.keep_off, dtype=float).reshape(-1, 4)
        self.panels = kept[(kept[:, 2] > kept[:, 0]) & (kept[:, 3] > kept[:, 1])]
        marks = to_page(axes, [(x, y) for x, y, _ in symbols])
        self.discs = np.column_stack([marks, [radius for *_, radius in symbols]])
        self.obstacles = np.vstack([_as_boxes(kept), _squares(self.discs)])
        self.lines = LineRoom(axes, lines)

    def open_spots(self, label: Label) -> Spots:
        """Give a label's positions that keep off everything, cheapest first."""
        spots = find_spots(self.axes, self.figure, label, self.panels.tolist())
        boxes, whole = spots.boxes, upright(spots.boxes)
        left, bottom, right, top = self.frame
        free = (
            (whole[:, 0] >= left + _FRAME_GAP)
            & (whole[:, 1] >= bottom + _FRAME_GAP)
            & (whole[:, 2] <= right - _FRAME_GAP)
            & (whole[:, 3] <= top - _FRAME_GAP)
        )
        if not len(spots):
            return spots
        reach = np.concatenate([whole[:, :2].min(axis=0), whole[:, 2:].max(axis=0)])
        close = _touching(self.obstacles, reach)
        free &= ~boxes_meet(boxes, self.obstacles[close], our_uprights=whole).any(axis=1)
        led = np.flatnonzero(free & ~np.isnan(spots.leaders[:, 0]))
        if len(led):
            free[led] = ~self._hampered(label, spots.leaders[led])
        rows = np.flatnonzero(free)
        cost = spots.cost[rows] + _LINE_COST * self.lines.beneath(boxes[rows])
        if label.area is None and label.run is None and len(self.discs):
            signs = self.discs[~self._own(label) & _touching(_squares(self.discs), reach)]
            # Signs of other places, close by.
            cost += _NEAR_COST * boxes_meet(boxes[rows], _squares(signs), _NEAR).sum(axis=1)
        order = np.argsort(cost, kind="stable")
        return spots.rows(rows[order], cost[order])

    def _own(self, label: Label, tip: FloatArray | None = None) -> NDArray[np.bool_]:
        """Tell which signs stand for what a label names; in an area, where its leader line ends."""
        place = to_page(self.axes, [(label.x, label.y)])[0] if tip is None else tip
        reach = _OWN if tip is None else self.discs[:, 2]
        own: NDArray[np.bool_] = np.hypot(*(self.discs[:, :2] - place).T) <= reach
        return own

    def _hampered(self, label: Label, leaders: FloatArray) -> NDArray[np.bool_]:
        """Tell which leader lines run through a panel, or another sign than that they name."""
        hampered = np.zeros(len(leaders), dtype=bool)
        if len(self.discs):
            own = self._own(label, leaders[0, 2:] if label.area is not None else None)
            hampered |= lines_near(leaders, self.discs[~own]).any(axis=1)
        if len(self.panels):
            hampered |= lines_meet(leaders[:, None], self.panels[None]).any(axis=1)
        return hampered


def _as_boxes(sides: FloatArray) -> FloatArray:
    """Turn left, bottom, right, top into boxes of :mod:`urbangeo.maps.labels.shapes`."""
    middle, half = (sides[:, :2] + sides[:, 2:]) / 2, (sides[:, 2:] - sides[:, :2]) / 2
    return np.column_stack([middle, half, np.zeros(len(sides))])


def _touching(boxes: FloatArray, reach: FloatArray) -> NDArray[np.bool_]:
    """Tell which boxes, none askew, stand near what is within reach (left, bottom, right, top)."""
    off = np.maximum(reach[:2] - boxes[:, :2], boxes[:, :2] - reach[2:])
    close = off <= boxes[:, 2:4] + 2 * _NEAR
    return close[:, 0] & close[:, 1]


def _squares(discs: FloatArray) -> FloatArray:
    return np.column_stack([discs[:, :2], discs[:, 2], discs[:, 2], np.zeros(len(discs))])
