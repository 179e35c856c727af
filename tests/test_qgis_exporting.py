"""A drawn figure as tables: what stands in them is what the sheet shows."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import minimap
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from shapely.geometry import LineString, Point

from urbangeo.maps.compose import lay_out
from urbangeo.maps.manifest import read_manifest
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.qgis.exporting import export_figure
from urbangeo.maps.qgis.records import (
    CLASS,
    LABEL,
    LABEL_LAT,
    LABEL_LON,
    SHIFT_X,
    SHIFT_Y,
    ExportLayer,
    ExportMap,
)
from urbangeo.maps.sheet import DPI

FIGURE = """
[[figure]]
key = "my/sites"
title = "厂址"
number = "图 1"
scale_bar_km = 30
view = "extent"

[[figure.layer]]
name = "路"
source = "file:roads.geojson"
style = "channel-road"
label = "公路"

[[figure.layer]]
name = "环"
source = "file:sites.geojson"
where = { kind = "big" }
shape = "hull"
width_km = 10
style = "group"
label = "组团"

[[figure.layer]]
name = "厂"
source = "file:sites.geojson"
field = "kind"
names = { size = "town", priority = 2 }
classes = [
  { value = "big", style = "park-national", label = "大厂", names = { required = true } },
  { value = "small", style = "park-municipal", label = "" },
  { value = "none", style = "station", label = "无" },
]
"""


def write(folder: Path) -> Path:
    """A manifest with its files: five sites, two of them at one place, and a road."""
    sites = gpd.GeoDataFrame(
        {
            "name": ["甲厂", "乙厂", "丙厂", "丁厂", "戊厂"],
            "kind": ["big", "big", "small", "small", "small"],
            "class": ["x"] * 5,
            "jobs": [10, 20, 30, 40, 50],
        },
        geometry=[Point(10.8, 46.8), Point(10.8, 46.8), Point(12.3, 46.8), Point(12.4, 47.3),
                  Point(10.3, 47.2)],
        crs=4326,
    )  # fmt: skip
    sites.to_file(folder / "sites.geojson")
    line = gpd.GeoDataFrame({"name": ["路"]}, geometry=[LineString([(10, 46.6), (13, 47.4)])],
                            crs=4326)  # fmt: skip
    line.to_file(folder / "roads.geojson")
    path = folder / "figures.toml"
    path.write_text(FIGURE, encoding="utf-8")
    return path


def exported(prepared: Prepared, figure: Figure) -> tuple[ExportMap, Axes]:
    """The figure's map, found by the names on it, and its axes."""
    axes = next(one for one in figure.axes if one.get_zorder() == 1)
    inset = next((one for one in figure.axes if one.get_zorder() == 11), None)
    (made,) = export_figure(prepared, [axes], title="图 1 厂址", inset=inset, note=["注。"])
    return made, axes


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportMap, Axes]:
    path = write(tmp_path_factory.mktemp("manifest"))
    record = read_manifest(path).figure("my/sites")
    prepared = prepare(record, {"extent": minimap.extent(), **minimap.layers()})
    return exported(prepared, lay_out(prepared))


def table(made: ExportMap, end: str) -> ExportLayer:
    (found,) = [layer for layer in made.layers if layer.table.endswith(end)]
    return found


def test_layers_lie_as_on_the_sheet(drawn: tuple[ExportMap, Axes]) -> None:
    order = [layer.title for layer in drawn[0].layers]
    assert order == [
        *("邻省界线", "省界色带", "省域", "规划范围", "县域边界", "市域边界", "规划范围边界"),
        *("省域边界", "组团", "公路", "厂", "地名注记"),
    ]
    assert sorted(layer.zorder for layer in drawn[0].layers) == [
        layer.zorder for layer in drawn[0].layers
    ]


def test_everything_is_in_degrees_of_one_kind_and_has_its_class(
    drawn: tuple[ExportMap, Axes],
) -> None:
    kinds = {"point": "Point", "line": "MultiLineString", "area": "MultiPolygon"}
    for layer in drawn[0].layers:
        assert layer.frame.crs.to_epsg() == 4326
        assert set(layer.frame.geom_type) == {kinds[layer.kind]}
        assert set(layer.frame[CLASS]) == {one.value for one in layer.classes}
        assert layer.table.isascii()


def test_rows_keep_their_columns_and_true_places(drawn: tuple[ExportMap, Axes]) -> None:
    sites = table(drawn[0], "__03_sites_geojson_point").frame.set_index("name").sort_index()
    given = {"甲厂": (10.8, 46.8), "丁厂": (12.4, 47.3)}
    for name, place in given.items():
        point = sites.geometry[name]
        assert (point.x, point.y) == place
    assert sites["jobs"].to_dict() == {"甲厂": 10, "乙厂": 20, "丙厂": 30, "丁厂": 40, "戊厂": 50}
    # Ours is the class of the style; the file's own column of that name is kept beside it.
    assert sites[CLASS].to_dict()["甲厂"] == "大厂"
    assert sites[CLASS].to_dict()["丙厂"] == "small"
    assert set(sites["class_given"]) == {"x"}


def test_a_class_without_rows_is_left_out(drawn: tuple[ExportMap, Axes]) -> None:
    layer = table(drawn[0], "__03_sites_geojson_point")
    assert [(one.value, one.label) for one in layer.classes] == [("大厂", "大厂"), ("small", "")]


def test_signs_side_by_side_are_told_apart_in_millimetres(drawn: tuple[ExportMap, Axes]) -> None:
    sites = table(drawn[0], "__03_sites_geojson_point").frame.set_index("name")
    pair = sites.loc[["甲厂", "乙厂"], [SHIFT_X, SHIFT_Y]].to_numpy()
    assert np.hypot(*(pair[0] - pair[1])) >= 3.2  # the size of park-national, millimetres
    assert sites.loc[["丙厂", "丁厂", "戊厂"], [SHIFT_X, SHIFT_Y]].to_numpy() == pytest.approx(0)


def test_names_stand_where_the_sheet_has_them(drawn: tuple[ExportMap, Axes]) -> None:
    made, axes = drawn
    transform = made.crs
    for layer in (table(made, "__03_sites_geojson_point"), table(made, "__names_point")):
        spots = gpd.GeoSeries.from_xy(
            layer.frame[LABEL_LON], layer.frame[LABEL_LAT], crs=4326
        ).to_crs(transform)
        shown = {
            text.get_text(): text.get_position()
            for text in axes.texts
            if (text.get_gid() or "").startswith("label:")
        }
        written = layer.frame[LABEL][layer.frame[LABEL_LON].notna()]
        assert len(written)
        for row, text in written.items():
            assert (spots[row].x, spots[row].y) == pytest.approx(shown[text], abs=0.01)


def test_every_name_of_the_sheet_is_in_a_table(drawn: tuple[ExportMap, Axes]) -> None:
    made, axes = drawn
    figure = axes.get_figure(root=True)
    assert figure is not None
    shown = [
        text.get_text()
        for text in figure.findobj(Text)
        if isinstance(text, Text) and (text.get_gid() or "").startswith("label:")
    ]
    told = {
        text
        for layer in made.layers
        if LABEL in layer.frame
        for text in layer.frame[LABEL].dropna()
    }
    assert shown
    assert set(shown) <= told


def test_the_window_and_scale_are_the_sheets(drawn: tuple[ExportMap, Axes]) -> None:
    made, axes = drawn
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    assert made.window == (west, south, east, north)
    assert made.page == pytest.approx((297.0, 210.0))
    width = made.frame[2] - made.frame[0]
    assert (east - west) / width == pytest.approx(made.scale / 1000, rel=1e-6)
    # Scales of the sheets are multiples of 50 000.
    assert made.scale / 50_000 == pytest.approx(round(made.scale / 50_000), abs=1e-6)
    assert axes.get_window_extent().width / DPI * 25.4 == pytest.approx(width, rel=1e-3)
    assert made.bar_km == 30
    assert made.note == ("注。",)


def test_a_shape_made_of_words_is_schematic(drawn: tuple[ExportMap, Axes]) -> None:
    layer = table(drawn[0], "__02_sites_geojson_area")
    assert layer.provenance.schematic
    assert "示意" in layer.provenance.words()
    assert not table(drawn[0], "__01_roads_geojson_line").provenance.schematic
