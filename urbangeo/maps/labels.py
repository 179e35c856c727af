"""Place names on a map so that none covers another, a symbol, or the frame.

The search is plain and gives the same answer every time: each label has candidate positions, each
with a cost; labels are placed in order of priority, those with the fewest free candidates first;
a label that finds no room may turn out less important ones, which then look again. What has no
room in its area, or beside its point, stands aside and is tied to it with a leader line.

All measures here are millimetres on paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.patheffects import Stroke
from matplotlib.text import Text
from numpy.typing import NDArray

from urbangeo.maps.style import COLOURS, LINES, Weight, font, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "Label",
    "Placed",
    "Placement",
    "has_room",
    "measure",
    "page_box",
    "place",
    "to_page",
    "write",
]

MM_PER_INCH = 25.4
CLEARANCE = 0.35
"""Free space between two labels, in all, millimetres."""

_BADGE_PAD = 0.45
_OWN = 0.15
"""A leader line ends no farther than this from the symbol that it names, millimetres."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name to be placed.

    Attributes
    ----------
    key
        Identifies the label; given back with its place.
    texts
        What may be written, best first; further ones are for narrow places.
    x, y
        The point that is named, in the map's coordinates (metres). For an area, any point of it.
    area
        The area that is named, in the map's coordinates, or None for a point.
    radius
        Half the width of the point's symbol.
    size, weight, colour
        Of the type; points.
    priority
        Lower is placed first.
    required
        Never left out in favour of another that is not required.
    leader
        Whether it may stand aside with a leader line.
    spots
        If given, the label is centred on one of these points of the map, best first.
    halo
        Colour of the halo; best that of the ground.
    badge
        Colour of a frame around it, as a road number has one; empty for none.
    """

    key: str
    texts: tuple[str, ...]
    x: float
    y: float
    area: BaseGeometry | None = None
    radius: float = 0.0
    size: float
    weight: Weight = "regular"
    colour: str = COLOURS["ink"]
    priority: int = 0
    required: bool = False
    leader: bool = False
    spots: tuple[tuple[float, float], ...] = ()
    halo: str = COLOURS["paper"]
    badge: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with its place: centre and box in millimetres from the page's lower left corner.

    ``leader`` holds the ends of the leader line, at the label and at what it names.
    """

    label: Label
    text: str
    x: float
    y: float
    box: tuple[float, float, float, float]
    leader: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Labels that found room, in the order given, and those that did not."""

    placed: tuple[Placed, ...]
    left_out: tuple[Label, ...]


@dataclass
class _Candidates:
    """Positions open to one label, cheapest first."""

    label: Label
    text: list[str] = field(default_factory=list)
    box: list[tuple[float, float, float, float]] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    leader: list[tuple[tuple[float, float], tuple[float, float]] | None] = field(
        default_factory=list
    )

    def add(
        self,
        text: str,
        boxes: FloatArray,
        cost: FloatArray,
        leaders: Sequence[tuple[tuple[float, float], tuple[float, float]] | None] | None = None,
    ) -> None:
        self.text += [text] * len(boxes)
        self.box += [tuple(row) for row in boxes.tolist()]
        self.cost += cost.tolist()
        self.leader += list(leaders) if leaders is not None else [None] * len(boxes)

    def keep(self, rows: Iterable[int]) -> None:
        rows = list(rows)
        self.text = [self.text[row] for row in rows]
        self.box = [self.box[row] for row in rows]
        self.cost = [self.cost[row] for row in rows]
        self.leader = [self.leader[row] for row in rows]


def measure(figure: Figure, text: str, size: float, weight: Weight = "regular") -> FloatArray:
    """Measure a text as it will be drawn.

    Returns
    -------
    numpy.ndarray
        Width and height, millimetres.
    """
    artist = Text(0, 0, text, fontproperties=font(size, weight), linespacing=1.05, ha="center")
    artist.set_figure(figure)
    extent = artist.get_window_extent(renderer=figure.canvas.get_renderer())  # type: ignore[attr-defined]
    return np.array([extent.width, extent.height]) * MM_PER_INCH / figure.dpi


def to_page(axes: Axes, xy: Any) -> FloatArray:
    """Turn map coordinates into millimetres from the page's lower left corner; shape (n, 2)."""
    pixels: FloatArray = axes.transData.transform(np.asarray(xy, float).reshape(-1, 2))
    return pixels * MM_PER_INCH / axes.get_figure(root=True).dpi  # type: ignore[union-attr]


def page_box(axes: Axes) -> tuple[float, float, float, float]:
    """Give the frame of a map in millimetres of the page: left, bottom, right, top."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    extent = np.asarray(axes.get_window_extent().extents, float) * MM_PER_INCH / figure.dpi
    left, bottom, right, top = extent.tolist()
    return left, bottom, right, top


def _geometry_to_page(axes: Axes, geometry: BaseGeometry) -> BaseGeometry:
    turned: BaseGeometry = shapely.transform(geometry, lambda xy: to_page(axes, xy))
    return turned


def place(
    axes: Axes,
    labels: Sequence[Label],
    *,
    keep_off: Sequence[tuple[float, float, float, float]] = (),
    lines: BaseGeometry | None = None,
    symbols: Sequence[tuple[float, float, float]] = (),
) -> Placement:
    """Find a place for each label.

    Parameters
    ----------
    axes
        The map. Its size and limits must be final.
    labels
        The names, with unique keys.
    keep_off
        Boxes on the page that no label may touch: legend, scale bar, inset; millimetres.
    lines
        Lines in map coordinates that a label should rather not cover.
    symbols
        Point symbols that no label may cover: x, y in map coordinates, half width in millimetres.

    Returns
    -------
    Placement
        No two boxes overlap, none leaves the map's frame nor touches what must be kept off.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    frame = page_box(axes)
    blocked = [tuple(map(float, box)) for box in keep_off]
    if symbols:
        marks = to_page(axes, [(x, y) for x, y, _ in symbols])
        radii = np.array([radius for *_, radius in symbols])
        blocked += [
            (x - r, y - r, x + r, y + r) for (x, y), r in zip(marks.tolist(), radii, strict=True)
        ]
    obstacles = np.array(blocked, dtype=float).reshape(-1, 4)
    discs = shapely.STRtree(_discs(axes, symbols))
    tree = _line_tree(axes, lines)
    sizes: dict[tuple[str, float, Weight], FloatArray] = {}
    options = []
    for label in labels:
        made = _candidates(axes, label, figure, sizes)
        _prune(made, frame, obstacles, tree, discs)
        options.append(made)
    return _choose(options)


def has_room(axes: Axes, label: Label) -> bool:
    """Tell whether the area that a label names has room for its name, nothing else considered."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return bool(_candidates(axes, replace(label, leader=False), figure, {}).box)


def _line_tree(axes: Axes, lines: BaseGeometry | None) -> shapely.STRtree | None:
    if lines is None or lines.is_empty:
        return None
    page = shapely.simplify(_geometry_to_page(axes, lines), 0.1)
    parts = shapely.get_parts(page)
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    same = owner[1:] == owner[:-1]
    return shapely.STRtree(shapely.linestrings(np.stack([xy[:-1][same], xy[1:][same]], axis=1)))


def _candidates(
    axes: Axes, label: Label, figure: Figure, sizes: dict[tuple[str, float, Weight], FloatArray]
) -> _Candidates:
    made = _Candidates(label)
    if label.spots:
        size = measure(figure, label.texts[0], label.size, label.weight) + 2 * _BADGE_PAD
        spots = to_page(axes, label.spots)
        made.add(label.texts[0], _boxes(spots, size), np.arange(len(spots), dtype=float))
        return made
    (x, y), *_ = to_page(axes, [(label.x, label.y)]).tolist()
    area = None
    if label.area is not None:
        area = shapely.simplify(_geometry_to_page(axes, label.area), 0.15)
        if not area.is_valid:
            area = shapely.make_valid(area)
        area = shapely.intersection(area, shapely.box(*page_box(axes)))
        if area.is_empty:
            return made
    for rank, text in enumerate(label.texts):
        key = (text, label.size, label.weight)
        if key not in sizes:
            sizes[key] = measure(figure, text, label.size, label.weight)
        size = sizes[key]
        if area is not None:
            _inside(made, area, text, size, rank)
        else:
            _beside(made, x, y, label.radius, text, size, rank)
    if label.leader:
        text = min(label.texts, key=lambda t: float(np.prod(sizes[(t, label.size, label.weight)])))
        text = label.texts[0] if area is None else text
        spot = (x, y)
        if area is not None:
            spot = tuple(shapely.get_coordinates(_pole(area))[0].tolist())
        _aside(made, spot, label.radius, text, sizes[(text, label.size, label.weight)])
    return made


def _pole(area: BaseGeometry) -> BaseGeometry:
    """Give the point of an area farthest from its edge."""
    parts = shapely.get_parts(area)
    parts = parts[shapely.get_dimensions(parts) == 2]
    largest = parts[int(np.argmax(shapely.area(parts)))]
    tolerance = max(0.05, float(np.sqrt(shapely.area(largest))) / 100)
    return shapely.get_point(shapely.maximum_inscribed_circle(largest, tolerance), 0)


def _boxes(centres: FloatArray, size: FloatArray) -> FloatArray:
    return np.hstack([centres - size / 2, centres + size / 2])


def _inside(made: _Candidates, area: BaseGeometry, text: str, size: FloatArray, rank: int) -> None:
    """Positions within an area: cheapest in its middle; leaning out costs dear."""
    parts = shapely.get_parts(area)
    parts = parts[shapely.get_dimensions(parts) == 2]
    if not len(parts):
        return
    largest = parts[int(np.argmax(shapely.area(parts)))]
    circle = shapely.maximum_inscribed_circle(largest, 0.1)
    pole = shapely.get_coordinates(circle)[0]
    middle = shapely.get_coordinates(shapely.centroid(largest))[0]
    left, bottom, right, top = shapely.bounds(largest)
    step = float(np.clip(np.sqrt((right - left) * (top - bottom)) / 22, 0.4, 2.0))
    across, up = np.arange(left, right + step, step), np.arange(bottom, top + step, step)
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    centres = np.vstack([pole, middle, grid])
    shapely.prepare(largest)
    centres = centres[shapely.contains_xy(largest, centres[:, 0], centres[:, 1])]
    boxes = _boxes(centres, size)
    cells = shapely.box(*boxes.T)
    whole = shapely.contains(largest, cells)
    outside = np.zeros(len(cells))
    out = ~whole
    outside[out] = 1 - shapely.area(shapely.intersection(cells[out], largest)) / np.prod(size)
    # A label may lean over the edge of its area by a fifth; beyond that it seems to name another.
    fine = outside <= 0.2
    if not fine.any():
        return
    centres, boxes, outside = centres[fine], boxes[fine], outside[fine]
    reach = max(float(np.hypot(right - left, top - bottom)) / 2, 1.0)
    # The centroid looks like the middle, unless it lies near the edge or outside.
    depth = shapely.distance(shapely.points(middle), shapely.boundary(largest))
    deep = shapely.contains_xy(largest, *middle) and depth > 0.7 * shapely.length(circle)
    off = np.hypot(*(centres - (middle if deep else pole)).T)
    cost = 6 * off / reach + 60 * outside + 2.5 * rank
    made.add(text, boxes, cost)


_SIDES = ((1, 0.0), (1, 0.6), (-1, 0.0), (1, -0.6), (-1, 0.6), (0, 1.0), (0, -1.0), (-1, -0.6))
"""Where a point's label may stand, best first (Imhof 1975: right, a little above)."""


def _beside(
    made: _Candidates, x: float, y: float, radius: float, text: str, size: FloatArray, rank: int
) -> None:
    """Positions around a point symbol, near ones first."""
    width, height = size / 2
    for ring, gap in enumerate((0.45, 1.3, 2.2)):
        centres = []
        for side, lift in _SIDES:
            if side:
                dx = side * (radius + gap + width)
                dy = lift * (radius + gap + height)
            else:
                dx, dy = 0.0, lift * (radius + gap + height)
            centres.append((x + dx, y + dy))
        cost = np.arange(len(_SIDES), dtype=float) * 0.5 + 3.0 * ring + 2.5 * rank
        made.add(text, _boxes(np.array(centres), size), cost)


def _aside(
    made: _Candidates, spot: tuple[float, float], radius: float, text: str, size: FloatArray
) -> None:
    """Positions farther off, tied to the spot with a line."""
    centres, leaders, cost = [], [], []
    half = size / 2
    for distance in (4.0, 5.5, 7.0, 9.0, 11.5, 14.5, 18.0, 22.0, 27.0, 32.0):
        for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
            ray = np.array([np.cos(angle), np.sin(angle)])
            centre = np.array(spot) + ray * distance + np.sign(np.round(ray, 6)) * half * 0.9
            # The line starts at the point of the label's edge that faces the spot.
            back = np.array(spot) - centre
            start = centre + np.clip(back, -half, half)
            length = float(np.hypot(*(np.array(spot) - start)))
            if length <= radius + 0.8:
                continue
            end = np.array(spot) + (start - np.array(spot)) / length * radius
            centres.append(centre)
            leaders.append(((float(start[0]), float(start[1])), (float(end[0]), float(end[1]))))
            cost.append(14 + 1.2 * distance)
    made.add(text, _boxes(np.array(centres), size), np.array(cost), leaders)


def _discs(axes: Axes, symbols: Sequence[tuple[float, float, float]]) -> NDArray[np.object_]:
    """Give the symbols as discs on the page."""
    if not symbols:
        return np.array([], dtype=object)
    radii = np.array([radius for *_, radius in symbols])
    marks = shapely.points(to_page(axes, [(x, y) for x, y, _ in symbols]))
    discs: NDArray[np.object_] = shapely.buffer(marks, radii, quad_segs=4)
    return discs


def _free_leaders(made: _Candidates, free: NDArray[np.bool_], discs: shapely.STRtree) -> None:
    """Drop leader lines that run through another symbol than the one that they name."""
    rows = [row for row in np.flatnonzero(free) if made.leader[row] is not None]
    if not rows or not len(discs.geometries):
        return
    lines = shapely.linestrings([made.leader[row] for row in rows])
    tips = shapely.get_point(lines, -1)
    line, disc = discs.query(lines, predicate="intersects")
    own = shapely.distance(tips[line], discs.geometries[disc]) < _OWN
    free[np.array(rows)[np.unique(line[~own])]] = False


def _prune(
    made: _Candidates,
    frame: tuple[float, float, float, float],
    obstacles: FloatArray,
    tree: shapely.STRtree | None,
    discs: shapely.STRtree,
) -> None:
    """Drop what leaves the frame or meets an obstacle; add the cost of lines; sort."""
    if not made.box:
        return
    boxes = np.array(made.box)
    gap = 0.6
    free = (
        (boxes[:, 0] >= frame[0] + gap)
        & (boxes[:, 1] >= frame[1] + gap)
        & (boxes[:, 2] <= frame[2] - gap)
        & (boxes[:, 3] <= frame[3] - gap)
    )
    if len(obstacles):
        free &= ~_overlap(boxes, obstacles).any(axis=1)
    _free_leaders(made, free, discs)
    cost = np.array(made.cost)
    if tree is not None:
        rows = np.flatnonzero(free)
        cells = shapely.box(*boxes[rows].T)
        cell, segment = tree.query(cells, predicate="intersects")
        covered = shapely.length(shapely.intersection(cells[cell], tree.geometries[segment]))
        cost[rows] += 0.5 * np.bincount(cell, weights=covered, minlength=len(rows))
    made.cost = cost.tolist()
    made.keep(row for row in np.argsort(cost, kind="stable") if free[row])


def _overlap(boxes: FloatArray, others: FloatArray) -> NDArray[np.bool_]:
    """Tell which boxes come nearer to which others than the clearance; shape (n, m)."""
    a, b = boxes[:, None, :], others[None, :, :]
    meets: NDArray[np.bool_] = (
        (a[..., 0] < b[..., 2] + CLEARANCE)
        & (a[..., 2] > b[..., 0] - CLEARANCE)
        & (a[..., 1] < b[..., 3] + CLEARANCE)
        & (a[..., 3] > b[..., 1] - CLEARANCE)
    )
    return meets


class _Board:
    """What has been placed so far: the boxes and leader lines of all labels as arrays.

    A label that has no place, or no leader, holds NaN, which meets nothing.
    """

    def __init__(self, options: list[_Candidates]) -> None:
        self.options = options
        self.boxes = [np.array(option.box, dtype=float).reshape(-1, 4) for option in options]
        self.leaders = [_as_lines(option.leader) for option in options]
        self.taken: dict[int, int] = {}
        self._box = np.full((len(options), 4), np.nan)
        self._leader = np.full((len(options), 4), np.nan)

    def take(self, item: int, row: int) -> None:
        """Put a label onto one of its candidates."""
        self.taken[item] = row
        self._box[item] = self.boxes[item][row]
        self._leader[item] = self.leaders[item][row]

    def leave(self, item: int) -> int:
        """Take a label off; the candidate that it held."""
        self._box[item] = self._leader[item] = np.nan
        return self.taken.pop(item)

    def clashes(self, item: int, row: int) -> list[int]:
        """Give the placed labels that a candidate would meet, leader lines included."""
        met = self._meets(self.boxes[item][row : row + 1], self.leaders[item][row : row + 1])[0]
        met[item] = False
        return [int(one) for one in np.flatnonzero(met)]

    def best(self, item: int) -> int | None:
        """Give the cheapest candidate of a label that meets nothing."""
        met = self._meets(self.boxes[item], self.leaders[item])
        met[:, item] = False
        free = np.flatnonzero(~met.any(axis=1))
        return int(free[0]) if len(free) else None

    def _meets(self, boxes: FloatArray, leaders: FloatArray) -> NDArray[np.bool_]:
        """Tell which candidates meet which placed labels; shape (candidates, labels)."""
        meets = _overlap(boxes, self._box)
        led = np.flatnonzero(~np.isnan(leaders[:, 0]))
        if len(led):
            meets[led] |= _lines_meet(leaders[led, None], self._box[None])
            meets[led] |= _lines_cross(leaders[led, None], self._leader[None])
        others = np.flatnonzero(~np.isnan(self._leader[:, 0]))
        if len(others):
            meets[:, others] |= _lines_meet(self._leader[None, others], boxes[:, None])
        return meets


_Leader = tuple[tuple[float, float], tuple[float, float]] | None


def _as_lines(leaders: Sequence[_Leader]) -> FloatArray:
    """Leader lines as x, y, x, y; NaN for none."""
    rows = [(np.nan,) * 4 if one is None else (*one[0], *one[1]) for one in leaders]
    return np.array(rows, dtype=float).reshape(-1, 4)


def _lines_meet(lines: FloatArray, boxes: FloatArray, gap: float = 0.2) -> NDArray[np.bool_]:
    """Tell which lines come nearer to which boxes than a gap (Liang and Barsky 1984)."""
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
        meets: NDArray[np.bool_] = (
            inside & (first <= last) & ~np.isnan(lines[..., 0] + boxes[..., 0])
        )
    return meets


def _lines_cross(ours: FloatArray, theirs: FloatArray) -> NDArray[np.bool_]:
    """Tell which lines cross or touch which others."""

    def side(line: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        along = (line[..., 2] - line[..., 0]) * (y - line[..., 1])
        return np.sign(along - (line[..., 3] - line[..., 1]) * (x - line[..., 0]))

    with np.errstate(invalid="ignore"):
        a = side(ours, theirs[..., 0], theirs[..., 1]) * side(ours, theirs[..., 2], theirs[..., 3])
        b = side(theirs, ours[..., 0], ours[..., 1]) * side(theirs, ours[..., 2], ours[..., 3])
        crosses: NDArray[np.bool_] = (a <= 0) & (b <= 0)
    return crosses


def _choose(options: list[_Candidates]) -> Placement:
    board = _Board(options)
    order = sorted(
        range(len(options)),
        key=lambda i: (options[i].label.priority, len(options[i].box), options[i].label.key),
    )
    for item in order:
        row = board.best(item)
        if row is not None:
            board.take(item, row)
    for _ in range(4):
        if not _make_room(board, order):
            break
    # With everything in place, each may move to a cheaper position that has come free.
    for _ in range(2):
        for item in order:
            held = board.taken.get(item)
            row = board.best(item)
            if row is not None and (held is None or row < held):
                board.take(item, row)
    placed = []
    for item in sorted(board.taken):
        option, row = options[item], board.taken[item]
        left, bottom, right, top = option.box[row]
        placed.append(
            Placed(
                option.label,
                option.text[row],
                (left + right) / 2,
                (bottom + top) / 2,
                option.box[row],
                option.leader[row],
            )
        )
    missing = [options[i].label for i in range(len(options)) if i not in board.taken]
    return Placement(tuple(placed), tuple(missing))


def _make_room(board: _Board, order: list[int]) -> bool:
    """Let each label without a place turn out others, if it may; tell whether any did."""
    moved = False
    for item in order:
        if item in board.taken:
            continue
        label = board.options[item].label
        for row in range(len(board.boxes[item])):
            met = board.clashes(item, row)
            if not label.required and any(board.options[other].label.required for other in met):
                continue
            held = {other: board.leave(other) for other in met}
            board.take(item, row)
            again = {}
            for other in met:
                new = board.best(other)
                if new is not None:
                    board.take(other, new)
                    again[other] = new
            lost = [board.options[other].label for other in met if other not in again]
            if all(
                not theirs.required and (label.required or theirs.priority > label.priority)
                for theirs in lost
            ):
                moved = True
                break
            board.leave(item)
            for other in again:
                board.leave(other)
            for other, before in held.items():
                board.take(other, before)
    return moved


def write(
    axes: Axes, placement: Placement, *, halo: float = 0.45, zorder: float = 60
) -> list[Text]:
    """Write placed labels onto the map.

    A halo is a text of its own beneath the name: matplotlib turns a text with a path effect into
    outlines, and the name itself must remain text in SVG and PDF.

    Parameters
    ----------
    halo
        Width of the white halo on each side of a stroke, millimetres.

    Returns
    -------
    list of Text
        The names, in the order of the placement, each with the gid ``label:<key>``.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    per_mm = figure.dpi / MM_PER_INCH
    back = axes.transData.inverted()
    written = []
    line = LINES["leader"]
    for spot in placement.placed:
        label = spot.label
        x, y = back.transform((spot.x * per_mm, spot.y * per_mm))
        shared: dict[str, Any] = {
            "fontproperties": font(label.size, label.weight),
            "ha": "center",
            "va": "center",
            "multialignment": "center",
            "linespacing": 1.05,
            "clip_on": False,
        }
        if spot.leader is not None:
            ends = back.transform(np.array(spot.leader) * per_mm)
            axes.plot(
                *ends.T,
                color=line.colour,
                linewidth=points(line.width),
                solid_capstyle="round",
                zorder=zorder - 2,
                gid=f"leader:{label.key}",
            )
        if label.badge:
            shared["bbox"] = {
                "boxstyle": f"round,pad={points(_BADGE_PAD) / label.size:.4f},rounding_size=0.25",
                "facecolor": COLOURS["paper"],
                "edgecolor": label.badge,
                "linewidth": points(0.15),
            }
        elif halo:
            effect = [Stroke(linewidth=2 * points(halo), foreground=label.halo, joinstyle="round")]
            axes.text(
                x,
                y,
                spot.text,
                path_effects=effect,
                zorder=zorder - 1,
                color=label.halo,
                gid=f"halo:{label.key}",
                **shared,
            )
        written.append(
            axes.text(
                x,
                y,
                spot.text,
                color=label.colour,
                zorder=zorder,
                gid=f"label:{label.key}",
                **shared,
            )
        )
    return written
