"""A commuting circle as tables: bands of time, its limit, the network, towns, centres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from urbangeo.maps.circlelayer import _SEAT_MM, _TOWN_MM, _TOWNS, LINK_KINDS, LINK_ORDER
from urbangeo.maps.qgis.records import CLASS, ExportClass, ExportLayer, NameStyle, Provenance
from urbangeo.maps.qgis.tables import (
    Written,
    line_table,
    names_table,
    places,
    records,
    table_of,
)
from urbangeo.maps.style import BANDS, COLOURS, LINES, SIZES
from urbangeo.maps.symbols import STYLES, AreaStyle, LineStyle

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from shapely.geometry.base import BaseGeometry

    from urbangeo.maps.circlelayer import CircleLayer

__all__ = ["circle_tables"]

_CENTRE = "通勤中心"


def circle_tables(
    table: str,
    layer: CircleLayer,
    crs: pyproj.CRS,
    names: Mapping[str, Written],
    view: BaseGeometry,
    licence: str,
) -> list[ExportLayer]:
    """Give what :meth:`urbangeo.maps.circlelayer.CircleLayer.draw` draws, at the same heights.

    Parameters
    ----------
    table
        Begins the tables' names.
    names
        What the map shows.
    view
        The map's window, by which it numbers the names of towns.
    licence
        Of the network and of what is computed on it.
    """
    about = layer.circle.network
    title = str(about.get("title", ""))
    origin = Provenance(
        sources=(title,) if title else (),
        attributions=tuple(str(one) for one in about.get("attribution", ()) if one),
        licences=(licence,),
        network=str(about.get("digest", "")),
        year=f"{about['year']} 年末" if about.get("year") else "",
        schematic=layer.schematic,
    )
    made = [_bands(table, layer, crs)]
    if not layer.limit.is_empty:
        words = f"{layer.circle.minutes:g} 分钟圈界"
        made.append(line_table(f"{table}_limit", words, layer.limit, "limit", 4.5, crs))
    if len(layer.links):
        made.append(_links(table, layer, crs))
    numbers = {"公路编号": {key: one for key, one in names.items() if key.startswith("road:")}}
    made += names_table(f"{table}_numbers", "公路编号", numbers, crs, 59)
    if layer.towns is not None and len(layer.towns):
        made.append(_towns(table, layer.towns, crs, names, view))
    made.append(_centres(table, layer, crs, names))
    return [replace(one, provenance=origin) for one in made]


def _bands(table: str, layer: CircleLayer, crs: pyproj.CRS) -> ExportLayer:
    bands = layer.bands[~(layer.bands.geometry.isna() | layer.bands.geometry.is_empty)]
    spans = zip(bands["minutes_from"], bands["minutes_to"], strict=True)
    words = [f"{low:g}–{high:g} 分钟" for low, high in spans]
    return ExportLayer(
        table=f"{table}_bands_area",
        title="行程时间",
        kind="area",
        frame=table_of(bands.geometry, "area", crs, records(bands), {CLASS: words}),
        classes=tuple(
            ExportClass(value=one, label=one, style=AreaStyle(BANDS[min(row, len(BANDS) - 1)]))
            for row, one in enumerate(words)
        ),
        zorder=2.3,
    )


def _links(table: str, layer: CircleLayer, crs: pyproj.CRS) -> ExportLayer:
    order = layer.links["line"].map({line: row for row, line in enumerate(LINK_ORDER)})
    links = layer.links.iloc[order.argsort(kind="stable").to_numpy()]
    held = set(links["line"])
    ours = {CLASS: [LINK_KINDS[line][0] for line in links["line"]]}
    return ExportLayer(
        table=f"{table}_links_line",
        title="路网（骨架）" if layer.schematic else "路网",
        kind="line",
        frame=table_of(links.geometry, "line", crs, records(links, "line"), ours),
        classes=tuple(
            ExportClass(
                value=LINK_KINDS[line][0],
                label=LINK_KINDS[line][0],
                style=LineStyle((LINES[LINK_KINDS[line][2]],)),
            )
            for line in reversed(LINK_ORDER)
            if line in held
        ),
        zorder=5,
    )


def _towns(
    table: str,
    towns: gpd.GeoDataFrame,
    crs: pyproj.CRS,
    names: Mapping[str, Written],
    view: BaseGeometry,
) -> ExportLayer:
    # As the layer does: names are counted over the towns within the window.
    inside = np.asarray(towns.within(view))
    keys = np.where(inside, np.char.add("town:", (np.cumsum(inside) - 1).astype(str)), "")
    ours = {
        CLASS: [
            _town_class(status, seat=seat)
            for status, seat in zip(towns["drawn"], towns["seat"], strict=True)
        ],
        **places(keys.tolist(), towns["name"].astype(str).tolist(), names, crs),
    }
    frame = table_of(towns.geometry, "point", crs, records(towns, "drawn", "seat"), ours)
    # Seats are drawn over towns.
    order = np.argsort(towns["seat"].to_numpy(), kind="stable")
    drawn = set(ours[CLASS])
    classes = []
    for status, style in _TOWNS.items():
        for seat in (True, False):
            value = _town_class(status, seat=seat)
            names_style = NameStyle(
                size=SIZES["seat" if seat else "town"],
                weight="medium" if seat else "regular",
                colour=COLOURS["ink" if seat else "soft_ink"],
                priority=1 if seat else 4,
            )
            sign = style.sign(_SEAT_MM if seat else _TOWN_MM)
            if value in drawn:
                classes.append(ExportClass(value=value, label=value, style=sign, names=names_style))
    return ExportLayer(
        table=f"{table}_towns_point",
        title="城镇",
        kind="point",
        frame=frame.iloc[order].reset_index(drop=True),
        classes=tuple(classes),
        zorder=20,
    )


def _town_class(status: str, *, seat: bool) -> str:
    return f"{_TOWNS[status].text}：{'市县驻地' if seat else '城镇'}"


def _centres(
    table: str, layer: CircleLayer, crs: pyproj.CRS, names: Mapping[str, Written]
) -> ExportLayer:
    texts = layer.centres["name"].astype(str).tolist()
    keys = [f"centre:{row}" for row in range(len(texts))]
    ours = {CLASS: [_CENTRE] * len(texts), **places(keys, texts, names, crs)}
    bold = NameStyle(size=SIZES["centre"], weight="bold", colour=COLOURS["centre"], priority=0)
    return ExportLayer(
        table=f"{table}_centres_point",
        title=_CENTRE,
        kind="point",
        frame=table_of(
            layer.centres.geometry, "point", crs, [{"name": one} for one in texts], ours
        ),
        classes=(ExportClass(value=_CENTRE, label=_CENTRE, style=STYLES["centre"], names=bold),),
        zorder=30,
    )
