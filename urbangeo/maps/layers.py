"""A layer of a figure: rows with geometry and a class, how they are drawn, named and explained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.drawing import draw_area, draw_lines, draw_points, metres_per_mm, window
from urbangeo.maps.labels import Label
from urbangeo.maps.legend import Entry
from urbangeo.maps.manifest import ClassRecord, FigureRecord, LayerRecord, Names
from urbangeo.maps.shapes import belt, curve, hull, middle, spread
from urbangeo.maps.sources import ALONG, Fetched, matches
from urbangeo.maps.style import SIZES
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle, colour

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["Piece", "StyledLayer", "Symbol"]

_KINDS = {PointStyle: 0, LineStyle: 1, AreaStyle: 2}
_KIND_NAMES = ("point", "line", "area")
_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
_GAP = 0.15
"""Free space between two signs that stand side by side, millimetres."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A sign on a map: place in its metres, half width in millimetres, height in the pile."""

    x: float
    y: float
    radius: float
    zorder: float


@dataclass(frozen=True)
class Piece:
    """One thing that is drawn."""

    key: str
    name: str
    geometry: BaseGeometry
    row: ClassRecord
    rank: int
    axis: BaseGeometry | None = None
    """The line along which a band is named."""


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
    """

    record: LayerRecord
    number: int
    pieces: list[Piece]
    fetched: Fetched
    notes: list[str] = field(default_factory=list)

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
            Entry(row.label, style=row.style)
            for row in self.record.classes
            if row.label and id(row) in drawn
        ]

    # Drawing --------------------------------------------------------------------------------------

    def _zorder(self, piece: Piece) -> float:
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
        signs = self._signs()
        xy = np.array([shapely.get_coordinates(piece.geometry)[0] for piece, _ in signs])
        xy = xy.reshape(-1, 2)
        if not self.record.spread or len(xy) < 2:
            return xy
        return spread(xy, (max(style.size for _, style in signs) + _GAP) * scale)

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
                draw_area(axes, shape, style, zorder=self._zorder(piece), gid=gid, scale=scale)
            elif isinstance(style, LineStyle):
                draw_lines(
                    axes, piece.geometry, style, zorder=self._zorder(piece), gid=gid, scale=scale
                )
        signs = self._signs()
        for (piece, style), place in zip(signs, self.positions(scale), strict=True):
            if not shapely.contains_xy(view, *place):
                continue
            draw_points(
                axes,
                [tuple(place)],
                style,
                zorder=self._zorder(piece),
                gid=f"layer:{self.record.name}:{piece.row.label}",
            )

    def symbols(self, axes: Axes) -> list[Symbol]:
        """Give the signs, for labels to keep off."""
        places = self.positions(metres_per_mm(axes))
        return [
            Symbol(float(x), float(y), style.size / 2, self._zorder(piece))
            for (piece, style), (x, y) in zip(self._signs(), places, strict=True)
        ]

    def lines(self) -> BaseGeometry:
        """Give lines that names should rather not cover."""
        found = [p.geometry for p in self.pieces if isinstance(p.row.style, LineStyle)]
        return shapely.union_all(found) if found else shapely.LineString()

    def labels(self, axes: Axes, hidden: frozenset[int]) -> list[Label]:
        """Give the names of what stands in the window.

        Parameters
        ----------
        hidden
            Rows of :meth:`symbols` that lie beneath another sign and are not named.
        """
        view = window(axes)
        made: list[Label] = []
        places = self.positions(metres_per_mm(axes))
        sign = -1
        for piece in self.pieces:
            point = isinstance(piece.row.style, PointStyle)
            sign += point
            names = piece.row.names
            if names is None or not piece.name or (point and sign in hidden):
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
        runs = shapely.get_parts(shapely.line_merge(part))
        runs = runs[shapely.get_dimensions(runs) == 1]
        if not len(runs):
            return None
        run = runs[int(np.argmax(shapely.length(runs)))]
        spots = shapely.get_coordinates(
            shapely.line_interpolate_point(run, _SHARES, normalized=True)
        )
        x, y = spots[0].tolist()
        return self._label(piece, names, x, y, spots=tuple(map(tuple, spots.tolist())))


# --- Making a layer -----------------------------------------------------------------------------


def make_layer(
    layer: LayerRecord, fetched: Fetched, number: int, figure: FigureRecord, crs: pyproj.CRS
) -> StyledLayer:
    """Turn rows into pieces in the map's projection.

    Raises
    ------
    InputError
        If a field is missing, a style is for another kind of geometry, or nothing has a place.
    """
    frame = fetched.frame
    where = f"{figure.file.name or 'figure'}, {figure.key}, {layer.name}"
    name_fields = {row.names.field for row in layer.classes if row.names}
    node_layer = layer.source.rpartition("/")[2].removeprefix("plan:") == "structures"
    grouped = layer.shape in {"curve", "belt", "hull", "union"}
    group = layer.group or ("structure" if node_layer and layer.shape and grouped else "")
    order = layer.sort or ("seq" if node_layer and "seq" in frame.columns else "")
    asked = (layer.field, group, "" if order == ALONG else order, *name_fields)
    for name in filter(None, asked):
        if name not in frame.columns and fetched.total:
            known = [one for one in frame.columns if one != "geometry"]
            raise InputError(f"{where}: {UnknownNameError('field', name, known)}")
    notes = list(fetched.notes)
    placed = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    missing = frame.drop(placed.index) if frame.index.is_unique else frame.iloc[:0]
    label = layer.name
    if len(missing):
        notes.append(_missing_note(label, len(frame), missing))
    if fetched.total and placed.empty and not layer.optional:
        raise InputError(
            f"{where}: none of the {fetched.total} rows of {layer.source!r} has a place, so the "
            "layer is empty. Set optional = true to leave it out with a note."
        )
    pieces, strays = _pieces(placed.to_crs(crs), layer, group, order, where)
    if strays:
        notes.append(f"“{label}”有{strays}项不属图例所列各类，未绘。")
    return StyledLayer(layer, number, pieces, fetched, notes)


def _missing_note(label: str, total: int, missing: gpd.GeoDataFrame) -> str:
    column = next((one for one in ("name", "title", "node") if one in missing.columns), "")
    names = [str(one) for one in dict.fromkeys(missing[column])] if column else []
    names = [one for one in names if one]
    told = f"（{'、'.join(names[:3])}{'等' if len(names) > 3 else ''}）" if names else ""
    return f"“{label}”{total}项中{len(missing)}项文本未给出可定位的地点，未绘{told}。"


def _pieces(
    frame: gpd.GeoDataFrame, layer: LayerRecord, group: str, order: str, where: str
) -> tuple[list[Piece], int]:
    rows: list[tuple[dict[Any, Any], BaseGeometry, BaseGeometry | None]] = []
    if layer.shape in {"curve", "belt", "hull", "union"}:
        ordered = frame if order == ALONG else _in_order(frame, order)
        parts = ordered.groupby(group, sort=False) if group else [("", ordered)]
        if not group and _all_lines(ordered):
            parts = [(str(i), ordered.iloc[[i]]) for i in range(len(ordered))]
        for _, members in parts:
            if len(members):
                members = _in_order(members, order)
                shape, axis = _shaped(members, layer)
                if not shape.is_empty:
                    rows.append((members.iloc[0].to_dict(), shape, axis))
    else:
        records = pd.DataFrame(frame.drop(columns="geometry")).to_dict("records")
        rows = [(row, shape, None) for row, shape in zip(records, frame.geometry, strict=True)]
    pieces, strays = [], 0
    for number, (row, shape, axis) in enumerate(rows):
        found = _class_of(row, layer)
        if found is None:
            strays += 1
            continue
        rank, class_row = found
        fitted = _fitted(shape, class_row, where)
        text = str(row.get(class_row.names.field, "")) if class_row.names else ""
        pieces.append(Piece(str(number), text, fitted, class_row, rank, axis))
    return sorted(pieces, key=lambda piece: (-piece.rank, int(piece.key))), strays


def _in_order(frame: gpd.GeoDataFrame, order: str) -> gpd.GeoDataFrame:
    if not order:
        return frame
    if order == ALONG:
        return frame.iloc[_along(frame)]
    numbers = pd.to_numeric(frame[order], errors="coerce")
    key = numbers if numbers.notna().all() else frame[order].astype(str)
    return frame.iloc[key.argsort(kind="stable").to_numpy()]


def _along(frame: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """Order members along the line that fits them best, west to east."""
    xy = np.array([middle(shape) for shape in frame.geometry])
    if len(xy) < 2:
        return np.arange(len(xy))
    off = xy - xy.mean(axis=0)
    ray = np.linalg.svd(off, full_matrices=False)[2][0]
    ray = ray if ray[0] >= 0 else -ray
    order: NDArray[np.intp] = np.argsort(np.round(off @ ray, 3), kind="stable")
    return order


def _all_lines(frame: gpd.GeoDataFrame) -> bool:
    return bool((shapely.get_dimensions(frame.geometry.to_numpy()) == 1).all())


def _shaped(
    members: gpd.GeoDataFrame, layer: LayerRecord
) -> tuple[BaseGeometry, BaseGeometry | None]:
    """Give the shape of some members, and for a band the line that it follows."""
    shapes = members.geometry.to_numpy()
    width = layer.width_km * 1000
    if layer.shape == "union":
        return shapely.union_all(shapes, grid_size=1.0), None
    if layer.shape == "hull":
        return hull(shapely.GeometryCollection(list(shapes)), width / 2), None
    if len(shapes) == 1 and shapely.get_dimensions(shapes[0]) == 1:
        line = shapes[0]
    else:
        points = [middle(shape) for shape in shapes]
        line = shapely.LineString(points) if len(points) > 1 else shapely.Point(points[0])
    axis = curve(line)
    return (axis, None) if layer.shape == "curve" else (belt(line, width), axis)


def _class_of(row: dict[Any, Any], layer: LayerRecord) -> tuple[int, ClassRecord] | None:
    for rank, one in enumerate(layer.classes):
        if not layer.field or (not one.value and one.at_least is None and one.below is None):
            return rank, one
        cell = row.get(layer.field)
        if one.value:
            if matches("" if cell is None or cell is pd.NA else str(cell), one.value):
                return rank, one
            continue
        try:
            number = float(cell)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        low = -math.inf if one.at_least is None else one.at_least
        high = math.inf if one.below is None else one.below
        if low <= number < high:
            return rank, one
    return None


def _fitted(shape: BaseGeometry, row: ClassRecord, where: str) -> BaseGeometry:
    """Check that a style is for a geometry; an area drawn as a sign stands at a point inside."""
    wanted = _KINDS[type(row.style)]
    found = int(shapely.get_dimensions(shape))
    if wanted == 0:
        return shape if found == 0 and shape.geom_type == "Point" else shapely.Point(middle(shape))
    if found != wanted:
        told = f"the class {row.label!r} has a style for a {_KIND_NAMES[wanted]}"
        hint = "set shape (curve, belt, hull, union), or use another style"
        raise InputError(f"{where}: {told}, found a {_KIND_NAMES[max(found, 0)]}; {hint}.")
    return shape


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
