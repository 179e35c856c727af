"""Make of a drawn map what goes to a GIS: a table for each layer, with class, name and source.

Signs that stand side by side on the sheet keep their true places and are told how far they stand
beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from urbangeo.maps.circlelayer import CircleLayer
from urbangeo.maps.drawing import metres_per_mm, window
from urbangeo.maps.layers import StyledLayer
from urbangeo.maps.paper import MM_PER_INCH
from urbangeo.maps.qgis.circle import circle_tables
from urbangeo.maps.qgis.ground import ground_names, ground_tables
from urbangeo.maps.qgis.records import (
    CLASS,
    SHIFT_X,
    SHIFT_Y,
    Box,
    ExportClass,
    ExportLayer,
    ExportMap,
    Kind,
    NameStyle,
    Provenance,
    ascii_name,
)
from urbangeo.maps.qgis.tables import Written, places, table_of, written_names
from urbangeo.maps.style import SIZES, Weight
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle, colour

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from matplotlib.axes import Axes

    from urbangeo.maps.base import Ground
    from urbangeo.maps.pieces import Piece
    from urbangeo.maps.prepare import Prepared
    from urbangeo.maps.records import ClassRecord, FigureRecord, LayerRecord, Names

__all__ = ["export_figure", "export_map"]

_KINDS: dict[type, Kind] = {AreaStyle: "area", LineStyle: "line", PointStyle: "point"}
_OURS = "CC BY 4.0（urbangeo 整理）"
"""Licence of the tables in ``layers/`` and of what is computed from them."""


def export_figure(
    prepared: Prepared,
    maps: Sequence[Axes],
    *,
    title: str,
    heading: str = "",
    inset: Axes | None = None,
    note: Sequence[str] = (),
) -> list[ExportMap]:
    """Turn a drawn figure into tables, map by map.

    Parameters
    ----------
    prepared
        What was drawn.
    maps
        Where each of its parts was drawn, in their order, with its names written.
    title, heading
        Number and title as printed; the plan's title.
    inset
        The enlarged part, if there is one.
    note
        Paragraphs of the sheet's note.
    """
    return [
        export_map(
            prepared.figure,
            part.layers,
            part.ground,
            axes,
            crs=prepared.crs,
            title=title,
            heading=heading,
            extent=part.extent,
            boundaries=prepared.frames,
            inset=inset,
            note=note,
            part=part.title,
        )
        for part, axes in zip(prepared.parts, maps, strict=True)
    ]


def export_map(
    figure: FigureRecord,
    layers: Sequence[StyledLayer | CircleLayer],
    ground: Ground,
    axes: Axes,
    *,
    crs: pyproj.CRS,
    title: str,
    heading: str = "",
    extent: Any = None,
    boundaries: Sequence[gpd.GeoDataFrame | None] = (),
    inset: Axes | None = None,
    note: Sequence[str] = (),
    part: str = "",
) -> ExportMap:
    """Turn a drawn map into tables.

    Parameters
    ----------
    figure
        The manifest's entry.
    layers, ground
        As they were drawn.
    axes
        The map, with its names written.
    crs
        Its projection.
    title, heading
        Number and title as printed; the plan's title.
    extent
        What the map is about, if it is about one.
    boundaries
        The tables that the ground was made of, for their provenance.
    inset
        The enlarged part, if there is one.
    note
        Paragraphs of the sheet's note.
    part
        Title of one of several maps on a sheet.
    """
    stem = ascii_name(f"{figure.key} {part}")
    scale = metres_per_mm(axes)
    names = written_names(axes)
    enlarged = {} if inset is None else written_names(inset)
    region = "base"
    if extent is not None:
        parts = [str(getattr(extent, part, "")) for part in ("plan", "name")]
        region = ascii_name(" ".join(parts).strip() or extent.title)
    elif ground.whole:
        region = "province"
    outline = [figure.extent_label] if figure.extent_label else []
    made = ground_tables(ground, region, crs, boundaries, *outline)
    owned = {key for layer in layers for key in _name_keys(layer)}
    others = {key: one for key, one in names.items() if key not in owned}
    made += ground_names(stem, ground, crs, others, enlarged)
    for number, layer in enumerate(layers, start=1):
        table = f"{stem}__{number:02d}"
        if isinstance(layer, CircleLayer):
            made += circle_tables(f"{table}_circle", layer, crs, names, window(axes), _OURS)
        else:
            made += _tables(table, layer, figure, crs, names, scale)
    sheet = axes.get_figure(root=True)
    assert sheet is not None
    width, height = (float(side) * MM_PER_INCH for side in sheet.get_size_inches())
    return ExportMap(
        figure=figure.key,
        part=part,
        title=title,
        heading=heading,
        crs=crs,
        window=_window(axes),
        scale=round(1000 * scale, 3),
        page=(round(width, 3), round(height, 3)),
        frame=_frame(axes, width, height),
        layers=tuple(sorted(made, key=lambda one: one.zorder)),
        inset=None if inset is None else (_window(inset), _frame(inset, width, height)),
        bar_km=figure.scale_bar_km or _round_km(scale),
        note=tuple(note),
    )


def _name_keys(layer: StyledLayer | CircleLayer) -> list[str]:
    """Give the keys of a layer's names; see :meth:`StyledLayer.labels`."""
    if isinstance(layer, StyledLayer):
        return [f"{layer.record.name}:{piece.key}" for piece in layer.pieces]
    count = 0 if layer.towns is None else len(layer.towns)
    numbers = layer.links["ref"].astype(str).str.split(";").str[0]
    return [
        *(f"centre:{row}" for row in range(len(layer.centres))),
        *(f"town:{row}" for row in range(count)),
        *(f"road:{number}" for number in dict.fromkeys(numbers)),
    ]


def _window(axes: Axes) -> Box:
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    return (float(west), float(south), float(east), float(north))


def _frame(axes: Axes, width: float, height: float) -> Box:
    box = axes.get_position()
    return (box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height)


def _round_km(scale: float) -> float:
    """Give a round length of at most 40 mm on paper, of three equal parts; kilometres."""
    most = 0.04 * scale
    return max(
        (3.0 * step * 10.0**power for step in (1, 2, 5, 10, 25) for power in range(-3, 4)
         if 3 * step * 10.0**power <= most),
        default=most,
    )  # fmt: skip


def _tables(
    table: str,
    layer: StyledLayer,
    figure: FigureRecord,
    crs: pyproj.CRS,
    names: Mapping[str, Written],
    scale: float,
) -> list[ExportLayer]:
    """Give a layer of the manifest, a table for each kind of geometry in it."""
    record = layer.record
    kind_of_source, _, rest = record.source.partition(":")
    source = ascii_name(rest.rpartition("/")[2] or kind_of_source)
    values = _values(record.classes, record.name)
    shifts = _shifts(layer, scale)
    made = []
    for style, kind in _KINDS.items():
        pieces = [piece for piece in layer.pieces if isinstance(piece.row.style, style)]
        if not pieces:
            continue
        drawn = {id(piece.row) for piece in pieces}
        classes = tuple(
            ExportClass(
                value=values[id(row)],
                label=row.label,
                style=row.style,
                names=None if row.names is None else _name_style(row.names),
            )
            for row in record.classes
            if id(row) in drawn
        )
        ours: dict[str, Any] = {CLASS: [values[id(piece.row)] for piece in pieces]}
        keys = [f"{record.name}:{piece.key}" for piece in pieces]
        texts = [piece.name if piece.row.names is not None else "" for piece in pieces]
        if any(texts):
            ours |= places(keys, texts, names, crs)
        if kind == "point" and any(any(shifts[piece.key]) for piece in pieces):
            ours[SHIFT_X] = [shifts[piece.key][0] for piece in pieces]
            ours[SHIFT_Y] = [shifts[piece.key][1] for piece in pieces]
        cells = [_cells(piece, layer, figure) for piece in pieces]
        frame = table_of([piece.geometry for piece in pieces], kind, crs, cells, ours)
        made.append(
            ExportLayer(
                table=f"{table}_{source}_{kind}",
                title=_title(classes, record, figure),
                kind=kind,
                frame=frame,
                classes=classes,
                zorder=float(layer.zorder(pieces[0])),
                provenance=_provenance(layer, figure, frame),
            )
        )
    return made


def _title(classes: Sequence[ExportClass], record: LayerRecord, figure: FigureRecord) -> str:
    """Give a layer's only entry of the legend, if no other layer has it too; else its name."""
    only = classes[0].label if len(classes) == 1 else ""
    labels = [row.label for layer in figure.layers for row in layer.classes]
    return only if only and labels.count(only) == 1 else record.name


def _values(rows: Sequence[ClassRecord], name: str) -> dict[int, str]:
    """Give each class a value: its label, else what it holds, else the layer's name."""
    taken: set[str] = set()
    found = {}
    for row in rows:
        base = row.label or ("、".join(row.value) if len(rows) > 1 else "") or name
        value, count = base, 1
        while value in taken:
            count += 1
            value = f"{base}（{count}）"
        taken.add(value)
        found[id(row)] = value
    return found


def _name_style(names: Names) -> NameStyle:
    tone = colour(names.colour)
    return NameStyle(
        size=SIZES[names.size] if isinstance(names.size, str) else float(names.size),
        weight=cast("Weight", names.weight),
        colour=tone,
        priority=names.priority,
        badge=tone if names.badge else "",
    )


def _plan_of(layer: StyledLayer, figure: FigureRecord) -> str:
    source = layer.record.source
    if not source.startswith("plan:"):
        return ""
    return source.removeprefix("plan:").rpartition("/")[0] or figure.plan


def _cells(piece: Piece, layer: StyledLayer, figure: FigureRecord) -> dict[str, Any]:
    """Give the columns of a row, its plan before them."""
    cells = {name: cell for name, cell in piece.cells.items() if name != "geometry"}
    plan = _plan_of(layer, figure)
    return {"plan": plan, **cells} if plan and "plan" not in cells else cells


def _shifts(layer: StyledLayer, scale: float) -> dict[str, tuple[float, float]]:
    """Give how far each sign stands right of and below its place, millimetres."""
    signs = [piece for piece in layer.pieces if isinstance(piece.row.style, PointStyle)]
    if not signs:
        return {}
    true = np.array([shapely.get_coordinates(piece.geometry)[0] for piece in signs])
    off = np.round((layer.positions(scale) - true) / scale, 3)
    return {
        piece.key: (float(right) + 0.0, float(-up) + 0.0)
        for piece, (right, up) in zip(signs, off, strict=True)
    }


def _provenance(layer: StyledLayer, figure: FigureRecord, frame: gpd.GeoDataFrame) -> Provenance:
    source, fetched = layer.record.source, layer.fetched
    licence = str(fetched.frame.attrs.get("provenance", {}).get("licence", ""))
    if source.startswith(("plan:", "network", "circle")):
        licence = licence or _OURS
    elif source.startswith(("extent:", "members:")):
        from urbangeo.catalog import record

        licence = licence or record("counties").licence
    cites = frame["cite"].dropna().astype(str) if "cite" in frame else []
    year = fetched.year or layer.record.year
    return Provenance(
        plan=_plan_of(layer, figure),
        cites=tuple(dict.fromkeys(one for one in cites if one)),
        sources=fetched.sources,
        attributions=fetched.attributions,
        licences=(licence,) if licence else (),
        network=fetched.digest,
        year=f"{year} 年末" if year else "",
        schematic=layer.schematic,
    )
