"""Turn the rows of a layer into what is drawn: its geometry, class and name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.fetched import ALONG, Fetched, Remark, cell_text, matches, name_columns, name_of
from urbangeo.maps.records import ClassRecord, LayerRecord
from urbangeo.maps.shapes import belt, curve, hull, middle
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle

if TYPE_CHECKING:
    import pyproj
    from shapely.geometry.base import BaseGeometry

__all__ = ["Piece", "pieces_of"]

_KINDS = {PointStyle: 0, LineStyle: 1, AreaStyle: 2}
_KIND_NAMES = ("a point", "a line", "an area")
_JOINED = ("cite", "line")


@dataclass(frozen=True)
class Piece:
    """One thing that is drawn.

    Attributes
    ----------
    key
        Its number in the layer.
    name
        As written on the map.
    geometry
        In the map's projection.
    row, rank
        Its class, and the class's place in the layer.
    axis
        The line along which a band is named.
    cells
        The row that it was made of; of several rows, what they share.
    """

    key: str
    name: str
    geometry: BaseGeometry
    row: ClassRecord
    rank: int
    axis: BaseGeometry | None = None
    cells: Mapping[str, Any] = field(default_factory=dict, compare=False)


def pieces_of(
    layer: LayerRecord, fetched: Fetched, where: str, crs: pyproj.CRS
) -> tuple[list[Piece], list[Remark]]:
    """Give a layer's pieces, those of the first class last, and sentences for the note.

    Parameters
    ----------
    where
        Names the layer in messages.

    Raises
    ------
    InputError
        If a field is missing, a style is for another kind of geometry, or nothing has a place.
    """
    frame = fetched.frame
    names = [row.names.field for row in layer.classes if row.names and not row.names.text]
    name_fields = {column for text in names for column in name_columns(text)}
    classed = name_columns(layer.field) if layer.field else []
    node_layer = layer.source.rpartition("/")[2].removeprefix("plan:") == "structures"
    grouped = layer.shape in {"curve", "belt", "hull", "union"}
    group = layer.group or ("structure" if node_layer and layer.shape and grouped else "")
    order = layer.sort or ("seq" if node_layer and "seq" in frame.columns else "")
    asked = (*classed, group, "" if order == ALONG else order, *name_fields)
    for name in filter(None, asked):
        if name not in frame.columns and fetched.total:
            known = [one for one in frame.columns if one != "geometry"]
            raise InputError(f"{where}: {UnknownNameError('field', name, known)}")
    notes = list(fetched.notes)
    placed = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    missing = frame.drop(placed.index) if frame.index.is_unique else frame.iloc[:0]
    label, english = layer.name, layer.name_en or layer.name
    if len(missing):
        notes.append(_missing_note(label, english, len(frame), missing))
    if fetched.total and placed.empty and not layer.optional:
        raise InputError(
            f"{where}: none of the {fetched.total} rows of {layer.source!r} has a place, so the "
            "layer is empty. Set optional = true to leave it out with a note."
        )
    pieces, strays, single = _pieces(placed.to_crs(crs), layer, group, order, where)
    if single:
        notes.append(
            Remark(
                f"“{label}”有{single}项只有一处可定位，不成线，未绘。",
                f"{single} of “{english}” have one place only, which makes no line; not drawn. ",
            )
        )
    if strays:
        notes.append(
            Remark(
                f"“{label}”有{strays}项不属图例所列各类，未绘。",
                f"{strays} of “{english}” belong to no class of the legend and are not drawn. ",
            )
        )
    return pieces, notes


def _missing_note(label: str, other: str, total: int, missing: gpd.GeoDataFrame) -> Remark:
    column = next((one for one in ("name", "title", "node") if one in missing.columns), "")
    names = [str(one) for one in dict.fromkeys(missing[column])] if column else []
    names = [one for one in names if one]
    several = len(names) > 3
    told = f"（{'、'.join(names[:3])}{'等' if several else ''}）" if names else ""
    english = f" ({', '.join(names[:3])}{' …' if several else ''})" if names else ""
    return Remark(
        f"“{label}”{total}项中{len(missing)}项文本未给出可定位的地点，未绘{told}。",
        f"Of {total} of “{other}” the text gives no place for {len(missing)}, not drawn{english}. ",
    )


def _pieces(
    frame: gpd.GeoDataFrame, layer: LayerRecord, group: str, order: str, where: str
) -> tuple[list[Piece], int, int]:
    """Give the pieces, how many rows no class takes, and how many lines have one point only."""
    single = 0
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
                if shape.is_empty:
                    single += 1
                    continue
                rows.append((_shared_cells(members), shape, axis))
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
        names = class_row.names
        text = (names.text or name_of(row, names.field)) if names else ""
        pieces.append(Piece(str(number), text, fitted, class_row, rank, axis, row))
    return sorted(pieces, key=lambda piece: (-piece.rank, int(piece.key))), strays, single


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
        braces = "{" in layer.field
        cell = name_of(row, layer.field) if braces else row.get(layer.field)
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
        told = f"the class {row.label!r} has a style for {_KIND_NAMES[wanted]}"
        hint = "set shape (curve, belt, hull, union), or use another style"
        raise InputError(f"{where}: {told}, found {_KIND_NAMES[max(found, 0)]}; {hint}.")
    return shape


def _shared_cells(members: gpd.GeoDataFrame) -> dict[Any, Any]:
    """Give what the rows of one shape have in common; chapters and lines are joined."""
    plain = pd.DataFrame(members.drop(columns="geometry"))
    first = plain.iloc[0].to_dict()
    for column in plain.columns if len(plain) > 1 else ():
        told = list(dict.fromkeys(map(cell_text, plain[column])))
        if column in _JOINED:
            first[column] = "、".join(one for one in told if one)
        elif len(told) > 1 and column not in {"title", "structure", "kind"}:
            first[column] = ""
    return first
