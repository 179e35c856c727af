"""The ground of a map as tables."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import minimap
import pyproj
import pytest

from urbangeo.maps.base import Ground, ground_of
from urbangeo.maps.qgis.ground import ground_names, ground_tables
from urbangeo.maps.qgis.records import LABEL, LABEL_LON, ExportLayer, NameStyle
from urbangeo.maps.qgis.tables import Written
from urbangeo.maps.style import LINES
from urbangeo.maps.symbols import AreaStyle

LAEA = pyproj.CRS.from_user_input("+proj=laea +lat_0=47 +lon_0=12 +datum=WGS84 +units=m")


def ground(codes: tuple[str, ...] | None = None, **options: Any) -> Ground:
    given: dict[str, Any] = minimap.layers()
    members = minimap.extent().adcodes if codes is None else codes
    if not members:
        given = {name: given[name] for name in ("counties", "province")}
    return ground_of(members, LAEA, **given, **options)


def tables(one: Ground, stem: str = "my_extent") -> list[ExportLayer]:
    return ground_tables(one, stem, LAEA, [minimap.counties(), minimap.province()])


def test_it_is_drawn_in_the_order_of_the_sheet() -> None:
    found = [(layer.table, layer.title, layer.zorder) for layer in tables(ground())]
    assert found == [
        ("base__neighbours_line", "邻省界线", 1.5),
        ("base__province_line", "省界色带", 2),
        ("base__land_area", "省域", 2.1),
        ("my_extent__extent_area", "规划范围", 2.6),
        ("my_extent__county_line", "县域边界", 3),
        ("my_extent__prefecture_line", "市域边界", 4),
        ("my_extent__extent_area", "规划范围边界", 5),
        ("base__province_line", "省域边界", 6),
    ]


def test_only_what_the_sheets_legend_has_is_explained() -> None:
    listed = [layer.title for layer in tables(ground()) if layer.classes[0].label]
    assert listed == ["县域边界", "市域边界", "规划范围边界", "省域边界"]


def test_the_outline_of_the_extent_stays_inside() -> None:
    (edge,) = [layer for layer in tables(ground()) if layer.title == "规划范围边界"]
    (one,) = edge.classes
    assert one.inside
    assert one.style == AreaStyle(edge=LINES["extent"])
    area = edge.frame.to_crs(LAEA).geometry.area.sum()
    assert area == pytest.approx(ground().outline.area, rel=1e-6)


def test_a_map_of_the_whole_province_has_no_outline() -> None:
    whole = ground(tuple(minimap.counties()["adcode"]), whole=True)
    titles = [layer.title for layer in tables(whole, "province")]
    assert "规划范围" in titles
    assert "规划范围边界" not in titles


def test_without_an_extent_there_are_only_boundaries() -> None:
    found = [(layer.table, layer.zorder) for layer in tables(ground(()), "base")]
    assert found == [
        ("base__province_line", 2),
        ("base__land_area", 2.1),
        ("base__county_line", 3),
        ("base__province_line", 3.5),
    ]


def test_it_tells_whose_boundaries_it_holds() -> None:
    found = tables(ground())
    assert all(layer.ground for layer in found)
    assert {layer.provenance.attributions for layer in found} == {("行政区划界线：某测绘单位",)}
    own = ground_tables(ground(), "x", LAEA, [gpd.GeoDataFrame(geometry=[], crs=4326), None])
    assert own[0].provenance.attributions == ("行政区划界线：使用者提供",)


def test_names_are_points_where_they_stand() -> None:
    one = ground()
    members = one.members["adcode"].tolist()
    others = sorted(set(one.counties["adcode"]) - set(members))
    style = NameStyle(size=7.0)

    def name(text: str) -> Written:
        return Written(text, 0.0, 0.0, style, leader=False)

    shown = {members[0]: name("甲县"), others[0]: name("乙县"), "region:北邻省:0": name("北 邻 省")}
    enlarged = {members[0]: name("甲县"), members[1]: name("丙\n县")}
    (made,) = ground_names("fig", one, LAEA, shown, enlarged)
    frame = made.frame.set_index("name")
    assert frame["class"].to_dict() == {
        "甲县": "县名（范围内）",
        "丙县": "县名（范围内，局部放大）",
        "乙县": "县名",
        "北邻省": "区域名",
    }
    assert frame[LABEL]["北邻省"] == "北 邻 省"
    # What only the enlarged part shows has no place on the map.
    assert frame[LABEL_LON].isna().to_dict() == {
        "甲县": False,
        "丙县": True,
        "乙县": False,
        "北邻省": False,
    }
    assert (made.table, made.kind) == ("fig__names_point", "point")


def test_names_of_another_type_are_a_class_of_their_own() -> None:
    wide, narrow = (
        Written(text, 0.0, 0.0, NameStyle(size=size), leader=False)
        for text, size in (("北邻省", 11.0), ("东海市", 9.5))
    )
    (made,) = ground_names("fig", ground(), LAEA, {"region:1": wide, "region:2": narrow}, {})
    assert made.frame["class"].tolist() == ["区域名", "区域名（2）"]
    assert [one.names.size for one in made.classes if one.names] == [11.0, 9.5]


def test_no_name_no_table() -> None:
    assert ground_names("fig", ground(), LAEA, {}, {}) == []
