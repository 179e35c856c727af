"""The parts of which exported tables are made: rows of one kind, names where they stand.

Everything is given in EPSG:4326, in which the package exchanges all layers and which colleagues
expect of a file; the map's own projection is the project's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from urbangeo.crs import WGS84
from urbangeo.maps.qgis.records import (
    CLASS,
    LABEL,
    LABEL_ANGLE,
    LABEL_LAT,
    LABEL_LEADER,
    LABEL_LON,
    LABEL_SIZE,
    ExportClass,
    ExportLayer,
    Kind,
    NameStyle,
)
from urbangeo.maps.shapes import outlines
from urbangeo.maps.style import COLOURS, LINES, Weight
from urbangeo.maps.symbols import LineStyle, PointStyle

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

    from urbangeo.maps.symbols import Style

__all__ = [
    "NOTHING",
    "Written",
    "area_table",
    "line_table",
    "names_table",
    "places",
    "records",
    "table_of",
    "written_names",
]

NOTHING = PointStyle(())
"""Sign of a table that only bears names."""


@dataclass(frozen=True, slots=True)
class Written:
    """A name as it stands on a map: text, middle in the map's metres, type, leader line, turn."""

    text: str
    x: float
    y: float
    style: NameStyle
    leader: bool
    angle: float = 0.0


def written_names(axes: Axes) -> dict[str, Written]:
    """Read from a map what :func:`urbangeo.maps.labels.write` wrote on it, by the labels' keys."""
    from matplotlib.colors import to_hex

    leaders = {_key(line, "leader:") for line in axes.lines}
    halos = {_key(text, "halo:"): text for text in axes.texts}
    weights: dict[Any, Weight] = {400: "regular", 500: "medium", 700: "bold"}
    found = {}
    for text in axes.texts:
        key = _key(text, "label:")
        if key is None:
            continue
        halo, box = halos.get(key), text.get_bbox_patch()
        x, y = text.get_position()
        style = NameStyle(
            size=float(text.get_fontsize()),
            weight=weights.get(text.get_fontweight(), "regular"),
            colour=to_hex(text.get_color()),
            halo=COLOURS["paper"] if halo is None else to_hex(halo.get_color()),
            badge="" if box is None else to_hex(box.get_edgecolor()),
        )
        turn = float(text.get_rotation())
        turn = turn - 360 if turn > 180 else turn
        found[key] = Written(text.get_text(), float(x), float(y), style, key in leaders, turn)
    return found


def _key(artist: Any, prefix: str) -> str | None:
    gid = str(artist.get_gid() or "")
    return gid.removeprefix(prefix) if gid.startswith(prefix) else None


# Rows ---------------------------------------------------------------------------------------------


def records(frame: pd.DataFrame, *left_out: str) -> list[Mapping[str, Any]]:
    """Give the cells of each row, without its geometry and some columns."""
    kept = pd.DataFrame(frame.drop(columns=["geometry", *left_out]))
    return cast("list[Mapping[str, Any]]", kept.to_dict("records"))


def table_of(
    geometries: Iterable[BaseGeometry],
    kind: Kind,
    crs: pyproj.CRS,
    cells: Sequence[Mapping[str, Any]],
    ours: Mapping[str, Any],
) -> gpd.GeoDataFrame:
    """Make a table of shapes of one kind, the rows' own columns after ours.

    Parameters
    ----------
    geometries
        In the map's projection; the result is in EPSG:4326.
    cells
        What each row holds.
    ours
        Columns that styles and names need; a column of the same name becomes ``…_given``.
    """
    shapes = gpd.GeoSeries([_uniform(one, kind) for one in geometries], crs=crs).to_crs(WGS84)
    if kind != "area":
        # To the centimetre, so that places come back from the projection as they were.
        shapes = shapes.transform(lambda xy: np.round(xy, 7))
    own = _plain(pd.DataFrame(list(cells), index=range(len(cells))))
    first = pd.DataFrame(dict(ours))
    taken = {column.lower() for column in first.columns} | {"fid", "geom", "geometry"}
    renamed = {}
    for column in own.columns:
        name = str(column)
        while name.lower() in taken:
            name += "_given"
        taken.add(name.lower())
        renamed[column] = name
    own = own.rename(columns=renamed)
    return gpd.GeoDataFrame(pd.concat([first, own], axis=1), geometry=shapes.to_numpy(), crs=WGS84)


def _uniform(shape: BaseGeometry, kind: Kind) -> BaseGeometry:
    parts = shapely.get_parts(shapely.force_2d(shape))
    if kind == "point":
        return cast("BaseGeometry", parts[0])
    wanted = 1 if kind == "line" else 2
    kept = [part for part in parts if shapely.get_dimensions(part) == wanted]
    if kind == "line":
        return shapely.MultiLineString([shapely.LineString(part.coords) for part in kept])
    return shapely.MultiPolygon(kept)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns of text, numbers and truth values that every GIS reads."""
    made: dict[Any, Any] = {}
    for column in frame.columns:
        cells = frame[column]
        known = [one for one in cells if not _missing(one)]
        if len(known) == len(cells) and all(isinstance(one, bool | np.bool_) for one in known):
            made[column] = np.array(known, dtype=bool)
        elif known and all(_is_number(one) for one in known):
            numbers = pd.to_numeric(cells.astype(object).where(cells.notna(), None))
            made[column] = numbers.to_numpy()
        else:
            texts = [None if _missing(one) else str(one) for one in cells]
            made[column] = np.array(texts, dtype=object)
    return pd.DataFrame(made, index=frame.index)


def _missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and np.isnan(cell))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def places(
    keys: Sequence[str], texts: Sequence[str], names: Mapping[str, Written], crs: pyproj.CRS
) -> dict[str, Any]:
    """Give the columns that tell what is written for each row, and where the sheet has it.

    Parameters
    ----------
    keys
        Of the rows' names.
    texts
        What is written where the sheet has no room for it.
    names
        What the sheet shows.
    """
    spots = [names.get(key) for key in keys]
    points = gpd.GeoSeries(
        [None if spot is None else shapely.Point(spot.x, spot.y) for spot in spots], crs=crs
    ).to_crs(WGS84)
    return {
        LABEL: np.array(
            [
                spot.text if spot is not None else text or None
                for spot, text in zip(spots, texts, strict=True)
            ],
            dtype=object,
        ),
        LABEL_LON: points.x.to_numpy(),
        LABEL_LAT: points.y.to_numpy(),
        LABEL_SIZE: np.array([np.nan if spot is None else spot.style.size for spot in spots]),
        LABEL_ANGLE: np.array([np.nan if spot is None else round(spot.angle, 2) for spot in spots]),
        LABEL_LEADER: [int(spot is not None and spot.leader) for spot in spots],
    }


# Tables of one class ------------------------------------------------------------------------------


def line_table(
    table: str, title: str, shape: BaseGeometry, line: str, zorder: float, crs: pyproj.CRS, *,
    value: str = "", listed: bool = True,
) -> ExportLayer:  # fmt: skip
    """Give lines, or the outline of an area, in a style of the style sheet, a row for each part.

    Parameters
    ----------
    value
        Of the class; the title if empty.
    listed
        The legend has it.
    """
    value, label = value or title, title if listed else ""
    whole = outlines([shape]) if shapely.get_dimensions(shape) == 2 else shape
    parts = [part for part in shapely.get_parts(whole) if shapely.get_dimensions(part) == 1]
    return ExportLayer(
        table=f"{table}_line",
        title=title,
        kind="line",
        frame=table_of(parts, "line", crs, [{} for _ in parts], {CLASS: [value] * len(parts)}),
        classes=(ExportClass(value=value, label=label, style=LineStyle((LINES[line],))),),
        zorder=zorder,
    )


def area_table(
    table: str, title: str, shape: BaseGeometry, style: Style, zorder: float, crs: pyproj.CRS, *,
    value: str = "", inside: bool = False, listed: bool = True,
) -> ExportLayer:  # fmt: skip
    """Give one area; as :func:`line_table`, and :class:`urbangeo.maps.qgis.records.ExportClass`."""
    value, label = value or title, title if listed else ""
    return ExportLayer(
        table=f"{table}_area",
        title=title,
        kind="area",
        frame=table_of([shape], "area", crs, [{}], {CLASS: [value]}),
        classes=(ExportClass(value=value, label=label, style=style, inside=inside),),
        zorder=zorder,
    )


def names_table(
    table: str,
    title: str,
    groups: Mapping[str, Mapping[str, Written]],
    crs: pyproj.CRS,
    zorder: float,
    hidden: frozenset[str] = frozenset(),
) -> list[ExportLayer]:
    """Give names as points where they stand, a class for each group; nothing where none stands.

    Parameters
    ----------
    hidden
        Keys of names that another map shows, the enlarged part: written only at other scales.
    """
    rows = [(group, key, one) for group, found in groups.items() for key, one in found.items()]
    if not rows:
        return []
    keys = [key for _, key, _ in rows]
    shown = {key: one for _, key, one in rows if key not in hidden}
    ours = {
        CLASS: [group for group, *_ in rows],
        **places(keys, [one.text for *_, one in rows], shown, crs),
    }
    cells = [
        {"name": one.text.replace("\n", "").replace(" ", ""), "code": key.rpartition(":")[2]}
        for _, key, one in rows
    ]
    classes = tuple(
        ExportClass(
            value=group,
            label="",
            style=NOTHING,
            names=replace(next(iter(found.values())).style, priority=row),
        )
        for row, (group, found) in enumerate(groups.items())
        if found
    )
    points = [shapely.Point(one.x, one.y) for *_, one in rows]
    frame = table_of(points, "point", crs, cells, ours)
    about = {"table": f"{table}_point", "title": title, "zorder": zorder}
    return [ExportLayer(kind="point", frame=frame, classes=classes, **about)]  # type: ignore[arg-type]
