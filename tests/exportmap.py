"""A map made by hand for the tests of what goes to a GIS: every kind of style, names."""

from __future__ import annotations

import geopandas as gpd
import pyproj
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Point, box

from urbangeo.maps.qgis.records import (
    CLASS,
    LABEL,
    LABEL_ANGLE,
    LABEL_LAT,
    LABEL_LEADER,
    LABEL_LON,
    LABEL_SIZE,
    SHIFT_X,
    SHIFT_Y,
    ExportClass,
    ExportLayer,
    ExportMap,
    NameStyle,
    Provenance,
)
from urbangeo.maps.style import Line
from urbangeo.maps.symbols import AreaStyle, LineStyle, Mark, PointStyle

CRS = pyproj.CRS.from_user_input("+proj=laea +lat_0=27 +lon_0=107 +datum=WGS84 +units=m +no_defs")
SCALE = 1_000_000.0
WINDOW = (-60_000.0, -40_000.0, 60_000.0, 40_000.0)


def land() -> ExportLayer:
    """An area over the whole window, which all maps share."""
    frame = gpd.GeoDataFrame(
        {CLASS: ["省域"]}, geometry=[MultiPolygon([box(106.2, 26.5, 107.8, 27.5)])], crs=4326
    )
    return ExportLayer(
        table="base__land_area",
        title="省域",
        kind="area",
        frame=frame,
        classes=(ExportClass(value="省域", label="", style=AreaStyle("#F0F0E0")),),
        zorder=2,
        provenance=Provenance(attributions=("某测绘单位",), licences=("不得转发",)),
        ground=True,
    )


def belt() -> ExportLayer:
    """A hatched area with an outline that stays inside."""
    style = AreaStyle("#CC79A7", 0.5, "#0000C0", 45.0, 2.0, 0.3, Line("#B3202A", 0.8))
    frame = gpd.GeoDataFrame(
        {CLASS: ["带"], "cite": ["第一章"]},
        geometry=[MultiPolygon([box(106.5, 26.7, 106.9, 27.0)])],
        crs=4326,
    )
    return ExportLayer(
        table="fig__01_belt_area",
        title="带",
        kind="area",
        frame=frame,
        classes=(ExportClass(value="带", label="带", style=style, inside=True),),
        zorder=6,
        provenance=Provenance(
            plan="示例", cites=("第一章",), sources=("示例规划",), schematic=True
        ),
    )


def roads() -> ExportLayer:
    """Two classes of lines: cased with gaps, and dashed with arrow heads."""
    cased = LineStyle((Line("#101010", 1.0, (2.0, 2.0), 0.6, "#404040", "#FFFFFF"),))
    arrow = LineStyle((Line("#E69F00", 1.2, (4.0, 1.2)),), arrow="both", opacity=0.8)
    lines = [LineString([(106.5, 27.1), (107.5, 27.1)]), LineString([(106.6, 26.6), (107.4, 27.3)])]
    frame = gpd.GeoDataFrame(
        {CLASS: ["铁路", "轴线"], "ref": ["HK", None]},
        geometry=[MultiLineString([line]) for line in lines],
        crs=4326,
    )
    return ExportLayer(
        table="fig__02_network_line",
        title="交通",
        kind="line",
        frame=frame,
        classes=(
            ExportClass(value="轴线", label="轴线", style=arrow),
            ExportClass(value="铁路", label="", style=cased),
        ),
        zorder=8,
        provenance=Provenance(network="0123456789abcdef", year="2022 年末", schematic=True),
    )


def towns() -> ExportLayer:
    """Signs of two classes, one beside its place, with names; one name is not on the sheet."""
    city = PointStyle((Mark("o", 4.0, "#FFFFFF", "#101010", 0.3), Mark("*", 2.7, "#D00000")))
    town = PointStyle((Mark("hall", 3.0, "#0072B2", "#FFFFFF", 0.1),))
    frame = gpd.GeoDataFrame(
        {
            CLASS: ["城", "镇", "镇"],
            LABEL: ["甲城", "乙\n镇", "丙'镇"],
            LABEL_LON: [107.06, 106.62, None],
            LABEL_LAT: [27.0, 27.2, None],
            LABEL_SIZE: [9.0, 5.0, None],
            LABEL_ANGLE: [30.0, 0.0, None],
            LABEL_LEADER: [0, 1, 0],
            SHIFT_X: [0.0, 3.0, 0.0],
            SHIFT_Y: [0.0, -1.0, 0.0],
            "cite": ["第一章", "", None],
        },
        geometry=[Point(107, 27), Point(106.7, 27.2), Point(107.3, 26.8)],
        crs=4326,
    )
    big = NameStyle(size=9.0, weight="bold", priority=1)
    small = NameStyle(size=6.0, colour="#2F7FB5", badge="#B3202A")
    return ExportLayer(
        table="fig__03_towns_point",
        title="城镇",
        kind="point",
        frame=frame,
        classes=(
            ExportClass(value="城", label="城市", style=city, names=big),
            ExportClass(value="镇", label="", style=town, names=small),
        ),
        zorder=20,
    )


def names() -> ExportLayer:
    """Names without signs."""
    frame = gpd.GeoDataFrame(
        {
            CLASS: ["县名"],
            LABEL: ["丁县"],
            LABEL_LON: [106.4],
            LABEL_LAT: [26.8],
            LABEL_LEADER: [0],
        },
        geometry=[Point(106.4, 26.8)],
        crs=4326,
    )
    one = ExportClass(value="县名", label="", style=PointStyle(()), names=NameStyle(size=7.0))
    return ExportLayer(
        table="fig__names_point",
        title="地名注记",
        kind="point",
        frame=frame,
        classes=(one,),
        zorder=58,
    )


def export_map() -> ExportMap:
    """All of them, 120 by 80 mm, with a note."""
    return ExportMap(
        figure="my/fig-1",
        title="图1 示例",
        crs=CRS,
        window=WINDOW,
        scale=SCALE,
        page=(297.0, 210.0),
        frame=(20.0, 40.0, 140.0, 120.0),
        layers=(land(), belt(), roads(), towns(), names()),
        inset=((-10_000.0, -10_000.0, 10_000.0, 10_000.0), (100.0, 90.0, 130.0, 115.0)),
        note=("注一。", "注二。"),
    )
