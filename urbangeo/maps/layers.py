"""A layer of a figure: rows with geometry and a class, how they are drawn, named and explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.maps.drawing import draw_area, draw_lines, draw_points, metres_per_mm, window
from urbangeo.maps.labels import Label
from urbangeo.maps.legend import Entry
from urbangeo.maps.pieces import Piece, pieces_of
from urbangeo.maps.records import FigureRecord, LayerRecord, Names
from urbangeo.maps.shapes import longest_run, middle, spots_along, spread
from urbangeo.maps.style import SIZES
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle, colour

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

    from urbangeo.maps.fetched import Fetched, Remark

__all__ = ["StyledLayer", "Symbol", "hidden_symbols", "make_layer"]

_GAP = 0.15
"""Free space between two signs that stand side by side, millimetres."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A sign on a map: place in its metres, half width in millimetres, height in the pile."""

    x: float
    y: float
    radius: float
    zorder: float


@dataclass
class StyledLayer:
    """A layer with its pieces in the map's projection.

    Attributes
    ----------
    record
        The manifest's entry.
    pieces
        What is drawn, by class.
    notes
        Sentences for the figure's note.
    fetched
        Where the rows are from.
    fellows
        Layers, this one among them, that lay their signs out together; empty: it alone.
    """

    record: LayerRecord
    number: int
    pieces: list[Piece]
    fetched: Fetched
    notes: list[Remark] = field(default_factory=list)
    fellows: list[StyledLayer] = field(default_factory=list, repr=False, compare=False)
    _places: dict[float, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    # What is told ---------------------------------------------------------------------------------

    @property
    def schematic(self) -> bool:
        """Tell whether what is drawn was made from words."""
        made = self.record.shape in {"curve", "belt", "hull"}
        return bool(self.pieces) and (made or self.fetched.schematic)

    def entries(self, view: BaseGeometry) -> list[Entry]:
        """Give the legend of the classes that stand in a window."""
        drawn = {id(piece.row) for piece in self.pieces if piece.geometry.intersects(view)}
        return [
            Entry(row.label, style=row.style, other=row.label_en)
            for row in self.record.classes
            if row.label and id(row) in drawn
        ]

    # Drawing --------------------------------------------------------------------------------------

    def zorder(self, piece: Piece) -> float:
        """Give the height of a piece in the pile."""
        step = 0.02 * self.number - 0.0005 * piece.rank
        if isinstance(piece.row.style, PointStyle):
            return 20 + 5 * step
        above = self.record.above
        if isinstance(piece.row.style, LineStyle):
            return (8 if above is not False and self.record.source != "rivers" else 2.95) + step
        lifted = self.record.shape in {"belt", "hull"} if above is None else above
        return (6.5 if lifted else 2.7) + 0.5 * step

    def positions(self, scale: float) -> NDArray[np.float64]:
        """Give where the signs stand, side by side if need be; shape (n, 2), metres."""
        if scale not in self._places:
            self._places[scale] = self._placed(scale)
        return self._places[scale]

    def _placed(self, scale: float) -> NDArray[np.float64]:
        fellows = self.fellows or [self]
        runs = [layer._signs() for layer in fellows]
        signs = [sign for run in runs for sign in run]
        xy = np.array([shapely.get_coordinates(piece.geometry)[0] for piece, _ in signs])
        xy = xy.reshape(-1, 2)
        if self.record.spread and len(xy) > 1:
            xy = spread(xy, (max(style.size for _, style in signs) + _GAP) * scale)
        number = next(i for i, layer in enumerate(fellows) if layer is self)
        start = sum(map(len, runs[:number]))
        xy = xy[start : start + len(runs[number])]
        xy.flags.writeable = False
        return xy

    def _signs(self) -> list[tuple[Piece, PointStyle]]:
        styled = ((piece, piece.row.style) for piece in self.pieces)
        return [(piece, style) for piece, style in styled if isinstance(style, PointStyle)]

    def draw(self, axes: Axes) -> None:
        """Draw all pieces; each class bears the gid ``layer:<name>:<label>``."""
        scale = metres_per_mm(axes)
        view = window(axes)
        for piece in self.pieces:
            style = piece.row.style
            gid = f"layer:{self.record.name}:{piece.row.label}"
            if isinstance(style, AreaStyle):
                shape = shapely.intersection(piece.geometry, shapely.buffer(view, 5 * scale))
                if shape.is_empty:
                    continue
                draw_area(axes, shape, style, zorder=self.zorder(piece), gid=gid, scale=scale)
            elif isinstance(style, LineStyle):
                draw_lines(
                    axes, piece.geometry, style, zorder=self.zorder(piece), gid=gid, scale=scale
                )
        together: dict[int, tuple[Piece, PointStyle, list[tuple[float, float]]]] = {}
        for (piece, style), place in zip(self._signs(), self.positions(scale), strict=True):
            if shapely.contains_xy(view, *place):
                together.setdefault(id(piece.row), (piece, style, []))[2].append(tuple(place))
        for piece, style, places in together.values():
            gid = f"layer:{self.record.name}:{piece.row.label}"
            draw_points(axes, places, style, zorder=self.zorder(piece), gid=gid)

    def symbols(self, axes: Axes) -> list[Symbol]:
        """Give the signs, for labels to keep off."""
        places = self.positions(metres_per_mm(axes))
        return [
            Symbol(float(x), float(y), style.size / 2, self.zorder(piece))
            for (piece, style), (x, y) in zip(self._signs(), places, strict=True)
        ]

    @cached_property
    def lines(self) -> BaseGeometry:
        """Lines that names should rather not cover."""
        found = [p.geometry for p in self.pieces if isinstance(p.row.style, LineStyle)]
        return shapely.union_all(found) if found else shapely.LineString()

    def labels(self, axes: Axes, hidden: frozenset[int]) -> list[Label]:
        """Give the names of what stands in the window.

        Parameters
        ----------
        hidden
            Rows of :meth:`symbols` that lie beneath another sign; named only if they must be.
        """
        view = window(axes)
        made: list[Label] = []
        places = self.positions(metres_per_mm(axes))
        sign = -1
        for piece in self.pieces:
            point = isinstance(piece.row.style, PointStyle)
            sign += point
            names = piece.row.names
            if names is None or not piece.name:
                continue
            if point and sign in hidden and not names.required:
                continue
            label = (
                self._point_label(piece, names, places[sign])
                if point
                else self._other_label(piece, names, view)
            )
            if label is not None and (not point or shapely.contains_xy(view, label.x, label.y)):
                made.append(label)
        return made

    def _label(self, piece: Piece, names: Names, x: float, y: float, **options: Any) -> Label:
        size = SIZES[names.size] if isinstance(names.size, str) else float(names.size)
        tone = colour(names.colour)
        return Label(
            **{
                "key": f"{self.record.name}:{piece.key}",
                "texts": (piece.name,),
                "x": x,
                "y": y,
                "size": size,
                "weight": names.weight,
                "colour": tone,
                "priority": names.priority,
                "required": names.required,
                "leader": names.leader,
                "badge": tone if names.badge else "",
                **options,
            }
        )

    def _point_label(self, piece: Piece, names: Names, place: NDArray[np.float64]) -> Label:
        assert isinstance(piece.row.style, PointStyle)
        radius = piece.row.style.size / 2 + 0.1
        return self._label(piece, names, float(place[0]), float(place[1]), radius=radius)

    def _other_label(self, piece: Piece, names: Names, view: BaseGeometry) -> Label | None:
        part = shapely.intersection(piece.geometry, view)
        if part.is_empty:
            return None
        if isinstance(piece.row.style, AreaStyle):
            if piece.axis is None or piece.axis.is_empty:
                x, y = middle(part)
                return self._label(piece, names, x, y, area=part)
            part = shapely.intersection(piece.axis, view)
        run = longest_run(part)
        if run is None:
            return None
        spots = spots_along(run)
        shared: dict[str, Any] = {"spots": spots}
        if not names.badge:
            style = piece.row.style
            shared["run"] = run
            if isinstance(style, LineStyle):
                shared["radius"] = max(line.width + line.case for line in style.lines) / 2
        return self._label(piece, names, *spots[0], **shared)


def make_layer(
    layer: LayerRecord, fetched: Fetched, number: int, figure: FigureRecord, crs: pyproj.CRS
) -> StyledLayer:
    """Turn rows into pieces in the map's projection, with what the note says of them.

    Raises
    ------
    InputError
        If a field is missing, a style is for another kind of geometry, or nothing has a place.
    """
    where = f"{figure.file.name or 'figure'}, {figure.key}, {layer.name}"
    pieces, notes = pieces_of(layer, fetched, where, crs)
    return StyledLayer(layer, number, pieces, fetched, notes)


def hidden_symbols(layers: list[list[Symbol]], scale: float) -> list[frozenset[int]]:
    """Find signs that lie beneath larger ones drawn over them, by layer.

    Parameters
    ----------
    scale
        Metres for a millimetre of paper.
    """
    flat = [(i, row, sign) for i, signs in enumerate(layers) for row, sign in enumerate(signs)]
    if not flat:
        return [frozenset() for _ in layers]
    x, y, radius, z = np.array([(s.x, s.y, s.radius, s.zorder) for *_, s in flat]).T
    found: list[set[int]] = [set() for _ in layers]
    for n, (i, row, sign) in enumerate(flat):
        far = np.hypot(x - sign.x, y - sign.y) / scale
        over = (z > sign.zorder) & (far + 0.5 * sign.radius <= radius)
        over[n] = False
        if over.any():
            found[i].add(row)
    return [frozenset(rows) for rows in found]
