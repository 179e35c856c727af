"""Where a name could stand, and how well: beside a point, in an area, along a line, aside.

A position has a cost: 0 is what a cartographer would choose, and a cost of 1 is about what it
takes to give up one side of a point for the next. All measures are millimetres on paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.maps.labels.room import AreaRoom, area_room
from urbangeo.maps.paper import FloatArray, to_page
from urbangeo.maps.textsize import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from urbangeo.maps.labels.records import Label

__all__ = ["BADGE_PAD", "Spots", "find_spots"]

BADGE_PAD = 0.45
"""Between a road number and its frame."""

_OTHER_TEXT = 2.5
"""Cost of each further way to write a name."""
_LEAN = 0.2
"""Share of a name that may lean over the edge of its area; beyond it seems to name another."""
_MARGIN = 0.9
"""An area's name keeps so far from its edge where it can."""

# Side, lift, shift, cost. Right before above, below and left (Imhof 1975; Yoeli 1972), and between
# them; the shift of a name above or below moves it so far that its end is above the symbol.
_SIDES = np.array(
    [
        (1, 0.0, 0, 0.0),
        (1, 0.6, 0, 0.3),
        (1, -0.6, 0, 0.5),
        (0, 1.0, 1, 0.8),
        (0, 1.0, 0, 0.9),
        (0, -1.0, 1, 1.2),
        (0, -1.0, 0, 1.3),
        (0, 1.0, -1, 1.6),
        (-1, 0.0, 0, 1.8),
        (0, -1.0, -1, 2.0),
        (-1, 0.6, 0, 2.1),
        (-1, -0.6, 0, 2.3),
    ]
)
_RINGS = ((0.45, 0.0), (1.0, 2.0), (1.8, 4.0))
"""Distance from the symbol, and its cost."""

_ASIDE = (3.0, 4.0, 5.5, 7.0, 9.0, 11.5, 14.5, 18.0, 22.0, 27.0, 32.0)
_STEEP = np.radians(60.0)
"""A Chinese name along a line steeper than this is written downwards, characters upright."""
_OFF = 0.4
"""Between a line and the name beside it."""
_BEND = 1.2
"""A line bends no farther than this away from a name along it."""


@dataclass(frozen=True)
class Spots:
    """Positions open to one label.

    Attributes
    ----------
    texts, text
        Ways to write it; which one each position takes.
    boxes
        Centre x and y, half width, half height, angle (radians).
    cost
        Of each position.
    leaders
        x, y at the label, x, y at what it names; NaN for none.
    """

    label: Label
    texts: tuple[str, ...]
    text: NDArray[np.intp]
    boxes: FloatArray
    cost: FloatArray
    leaders: FloatArray

    def __len__(self) -> int:
        """Give the number of positions."""
        return len(self.cost)

    def rows(self, chosen: NDArray[np.intp], cost: FloatArray) -> Spots:
        """Give some positions with costs of their own."""
        return Spots(
            self.label,
            self.texts,
            self.text[chosen],
            self.boxes[chosen],
            cost,
            self.leaders[chosen],
        )


class _Found:
    """Positions while they are collected."""

    def __init__(self, figure: Figure, label: Label) -> None:
        self.figure = figure
        self.label = label
        self.texts: list[str] = []
        self.parts: list[tuple[FloatArray, FloatArray, FloatArray, int]] = []

    def size(self, text: str) -> FloatArray:
        return measure(self.figure, text, self.label.size, self.label.weight)

    def add(
        self,
        text: str,
        centres: FloatArray,
        size: FloatArray,
        cost: FloatArray,
        *,
        angle: FloatArray | float = 0.0,
        leaders: FloatArray | None = None,
    ) -> None:
        if text not in self.texts:
            self.texts.append(text)
        count = len(centres)
        boxes = np.column_stack(
            [centres, np.tile(size / 2, (count, 1)), np.broadcast_to(angle, count)]
        )
        lines = np.full((count, 4), np.nan) if leaders is None else leaders
        self.parts.append((boxes, cost, lines, self.texts.index(text)))

    def spots(self) -> Spots:
        if not self.parts:
            empty = np.empty(0)
            return Spots(
                self.label,
                (),
                empty.astype(np.intp),
                np.empty((0, 5)),
                empty,
                np.empty((0, 4)),
            )
        text = [np.full(len(cost), which) for _, cost, _, which in self.parts]
        return Spots(
            self.label,
            tuple(self.texts),
            np.concatenate(text).astype(np.intp),
            np.vstack([boxes for boxes, *_ in self.parts]),
            np.concatenate([cost for _, cost, *_ in self.parts]),
            np.vstack([leaders for _, _, leaders, _ in self.parts]),
        )


def find_spots(
    axes: Axes,
    figure: Figure,
    label: Label,
    keep_off: Sequence[tuple[float, float, float, float]] = (),
) -> Spots:
    """Give all positions of a label, whatever lies beneath them.

    Parameters
    ----------
    keep_off
        Boxes of the page that hide the map: an area is named in the middle of what is seen of it.
    """
    found = _Found(figure, label)
    text = label.texts[0]
    (spot,) = to_page(axes, [(label.x, label.y)])
    if label.run is not None or label.spots:
        if label.run is not None:
            _along(found, axes, text)
        if label.spots:
            _on_spots(found, axes, text)
    elif label.area is not None:
        room = area_room(axes, label.area, keep_off)
        if room is None:
            return found.spots()
        for rank, way in enumerate(label.texts):
            _inside(found, room, way, rank)
        spot = room.pole
        text = min(label.texts, key=lambda way: float(np.prod(found.size(way))))
    else:
        for rank, way in enumerate(label.texts):
            _beside(found, spot, way, rank)
    if label.leader:
        _aside(found, spot, text)
    return found.spots()


def _on_spots(found: _Found, axes: Axes, text: str) -> None:
    spots = to_page(axes, found.label.spots)
    dear = 12.0 if found.label.run is not None else 0.0
    cost = np.arange(len(spots), dtype=float) + dear
    found.add(text, spots, found.size(text) + 2 * BADGE_PAD, cost)


def _beside(found: _Found, spot: FloatArray, text: str, rank: int) -> None:
    """Positions around a point symbol, near ones first."""
    size = found.size(text)
    width, height = size / 2
    radius = found.label.radius
    side, lift, shift, cost = _SIDES.T
    for gap, dear in _RINGS:
        away = radius + gap
        across = side * (away + width) + shift * max(width - radius, 0.0)
        centres = spot + np.stack([across, lift * (away + height)], axis=1)
        found.add(text, centres, size, cost + dear + _OTHER_TEXT * rank)


def _inside(found: _Found, room: AreaRoom, text: str, rank: int) -> None:
    """Positions within an area: cheapest in its middle; leaning out costs dear."""
    size = found.size(text)
    rows, columns = np.nonzero(room.inside)
    step = max(int(np.sqrt(len(rows) / 300)), 1)
    grid = (rows % step == step // 2) & (columns % step == step // 2)
    middle = room.middle
    centres = np.vstack([middle, room.pole, room.middles(rows[grid], columns[grid])])
    boxes = np.hstack([centres - size / 2, centres + size / 2])
    outside = room.outside(boxes)
    fine = outside <= _LEAN
    if not fine.any():
        return
    centres, outside = centres[fine], outside[fine]
    reach = max(float(np.hypot(*room.inside.shape)) * room.cell / 2, 1.0)
    off = np.hypot(*(centres - middle).T)
    margin = room.outside(boxes[fine] + np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN]))
    cost = 6 * off / reach + 60 * outside + 8 * margin + _OTHER_TEXT * rank
    found.add(text, centres, size, cost)


def _aside(found: _Found, spot: FloatArray, text: str) -> None:
    """Positions farther off, tied to the spot with a line."""
    size = found.size(text)
    half = size / 2
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rays = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    distance = np.repeat(_ASIDE, len(rays))
    rays = np.tile(rays, (len(_ASIDE), 1))
    centres = spot + rays * distance[:, None] + np.sign(np.round(rays, 6)) * half * 0.9
    # The line starts at the point of the label's edge that faces the spot.
    starts = centres + np.clip(spot - centres, -half, half)
    length = np.hypot(*(spot - starts).T)
    far = length > found.label.radius + 0.8
    centres, starts, length, distance = centres[far], starts[far], length[far], distance[far]
    ends = spot + (starts - spot) / length[:, None] * found.label.radius
    leaders = np.hstack([starts, ends])
    found.add(text, centres, size, 14 + 1.2 * distance, leaders=leaders)


def _along(found: _Found, axes: Axes, text: str) -> None:
    """Positions along a line, best where it is straight and in its middle.

    The name is not bent: it follows the chord of the stretch that it names, so that it stays one
    text. A Chinese name along a steep line is written downwards.
    """
    line = _longest_on_page(axes, found.label.run)
    if line is None:
        return
    ways = [(text, False)]
    if len(text) > 1 and not any(one.isascii() for one in text):
        ways.append(("\n".join(text), True))
    for way, down in ways:
        size = found.size(way)
        _written_along(found, line, way, size, down=down)


def _longest_on_page(axes: Axes, run: object) -> FloatArray | None:
    """Give the longest piece of a line on the page, a place every half millimetre."""
    parts = shapely.get_parts(np.atleast_1d(np.array(run, dtype=object)))
    parts = parts[(shapely.get_dimensions(parts) == 1) & ~shapely.is_empty(parts)]
    if not len(parts):
        return None
    longest = parts[int(np.argmax(shapely.length(parts)))]
    xy = to_page(axes, shapely.get_coordinates(longest))
    run_up = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T).cumsum()])
    if run_up[-1] < 1.0:
        return None
    at = np.linspace(0.0, run_up[-1], int(run_up[-1] / 0.5) + 1)
    return np.stack([np.interp(at, run_up, xy[:, 0]), np.interp(at, run_up, xy[:, 1])], axis=1)


def _written_along(
    found: _Found, line: FloatArray, text: str, size: FloatArray, *, down: bool
) -> None:
    length = size[1] if down else size[0]
    window = int(np.ceil(length / 0.5)) + 1
    if window > len(line):
        return
    pieces = np.lib.stride_tricks.sliding_window_view(line, window, axis=0).transpose(0, 2, 1)
    pieces = pieces[:: max(len(pieces) // 120, 1)]
    share = np.linspace(-1, 1, len(pieces)) if len(pieces) > 1 else np.zeros(1)
    chord = pieces[:, -1] - pieces[:, 0]
    angle = np.arctan2(chord[:, 1], chord[:, 0])
    angle = (angle + np.pi / 2) % np.pi - np.pi / 2  # never upside down
    steep = np.abs(angle) > _STEEP
    turned = np.full(len(pieces), np.pi / 2) if down else angle
    normal = np.stack([-np.sin(turned), np.cos(turned)], axis=1)
    off = np.einsum("ijk,ik->ij", pieces - pieces.mean(axis=1, keepdims=True), normal)
    above, below = off.max(axis=1), -off.min(axis=1)
    bend = np.maximum(above, below)
    straight = bend <= _BEND
    if not found.label.radius:
        # A belt is wide: a name may lie askew in it.
        straight = bend <= 2 * _BEND
    cost = 3.0 * np.abs(share) + 3.0 * bend + 4.0 * (steep != down)
    middle = pieces.mean(axis=1)
    angles = np.zeros(len(pieces)) if down else np.where(np.abs(angle) < 0.02, 0.0, angle)
    away = found.label.radius
    sides = [(0.0, 0.0)] if not away else [(1.0, 0.0), (-1.0, 0.5)]
    half = (size[0] if down else size[1]) / 2
    for side, dear in sides:
        out = np.where(side > 0, above, below) + away + _OFF + half
        centres = middle + side * out[:, None] * normal
        found.add(text, centres[straight], size, (cost + dear)[straight], angle=angles[straight])
