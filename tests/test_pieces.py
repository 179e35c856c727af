"""From rows to what is drawn: shapes, classes, names, and what the note says of the rest.

Coordinates are metres of the figure's projection, so that nothing has to be projected.
"""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiPoint, Point, box
from shapely.geometry.base import BaseGeometry

from urbangeo.crs import equal_area
from urbangeo.errors import InputError
from urbangeo.maps.fetched import Fetched, Remark
from urbangeo.maps.pieces import Piece, pieces_of
from urbangeo.maps.records import ClassRecord, LayerRecord, Names
from urbangeo.maps.symbols import named_style

CRS = equal_area((10, 46, 13, 48))
SIGN, LINE, AREA = (named_style(name) for name in ("park-national", "axis", "zone-farm"))
KM = 1000.0


def table(geometry: list[BaseGeometry | None], **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def made(frame: gpd.GeoDataFrame, **record: Any) -> tuple[list[Piece], list[Remark]]:
    layer = LayerRecord(**{"name": "某层", "source": "file:x.gpkg", **record})
    return pieces_of(layer, Fetched(frame, len(frame)), "x.toml, a, 某层", CRS)


def one_class(style: Any = SIGN, names: Names | None = None) -> tuple[ClassRecord, ...]:
    return (ClassRecord(label="一类", style=style, names=names),)


ROW = [Point(0, 0), Point(10 * KM, 0), Point(20 * KM, 0)]

# Shapes -------------------------------------------------------------------------------------------


def test_each_row_is_a_piece_as_it_is() -> None:
    pieces, notes = made(table(ROW, name=["甲", "乙", "丙"]), classes=one_class(names=Names()))
    assert [one.name for one in pieces] == ["甲", "乙", "丙"]
    assert [one.geometry for one in pieces] == ROW
    assert [one.cells["name"] for one in pieces] == ["甲", "乙", "丙"]
    assert notes == []


def test_a_curve_for_each_group_in_the_order_that_is_asked() -> None:
    frame = table(
        [Point(20 * KM, 0), Point(0, 0), Point(10 * KM, 0), Point(0, 5 * KM), Point(0, 9 * KM)],
        axis=["一", "一", "一", "二", "二"],
        seq=["10", "2", "9", "1", "2"],
    )
    pieces, _ = made(frame, shape="curve", group="axis", sort="seq", classes=one_class(LINE))
    lines = {one.cells["axis"]: one.geometry for one in pieces}
    ends = {name: (line.coords[0], line.coords[-1]) for name, line in lines.items()}
    # 2 before 9 before 10: numbers, not texts.
    assert ends == {"一": ((0, 0), (20 * KM, 0)), "二": ((0, 5 * KM), (0, 9 * KM))}
    assert lines["一"].length == pytest.approx(20 * KM)


def test_members_along_the_line_that_fits_them_stand_west_to_east() -> None:
    frame = table([ROW[1], ROW[2], ROW[0]], name=["中", "东", "西"])
    (piece,), _ = made(frame, shape="curve", sort="along", classes=one_class(LINE))
    assert piece.geometry.coords[0] == (0, 0)
    assert piece.geometry.length == pytest.approx(20 * KM)


def test_a_belt_is_named_along_its_axis() -> None:
    """20 km long, 6 km wide, with half a disc at each end."""
    (piece,), _ = made(table(ROW), shape="belt", width_km=6, classes=one_class(AREA))
    expected = 20 * KM * 6 * KM + math.pi * (3 * KM) ** 2
    assert piece.geometry.area == pytest.approx(expected, rel=0.005)
    assert piece.axis is not None
    assert piece.axis.length == pytest.approx(20 * KM)


def test_a_hull_goes_half_its_width_round_its_members() -> None:
    """Steiner's formula: area, perimeter times margin, a disc."""
    frame = table([box(0, 0, 10 * KM, 10 * KM)])
    (piece,), _ = made(frame, shape="hull", width_km=4, classes=one_class(AREA))
    margin = 2 * KM
    expected = 100e6 + 40 * KM * margin + math.pi * margin**2
    assert piece.geometry.area == pytest.approx(expected, rel=0.005)
    assert piece.axis is None


def test_areas_become_one() -> None:
    frame = table([box(0, 0, 10, 10), box(10, 0, 20, 10), box(0, 50, 10, 60)], g=["一", "一", "二"])
    pieces, _ = made(frame, shape="union", group="g", classes=one_class(AREA))
    assert [one.geometry.area for one in pieces] == [200, 100]
    assert pieces[0].geometry.geom_type == "Polygon"


def test_lines_are_smoothed_one_by_one_where_nothing_groups_them() -> None:
    lines = [LineString([(0, 0), (10, 0)]), LineString([(0, 5), (0, 25)])]
    pieces, _ = made(table(lines), shape="curve", classes=one_class(LINE))
    assert [one.geometry.length for one in pieces] == [10, 20]


def test_what_the_rows_of_one_shape_share() -> None:
    frame = table(
        ROW,
        structure=["轴"] * 3,
        title=["甲丙轴"] * 3,
        node=["甲", "乙", "丙"],
        cite=["第一章", "第二章", "第一章"],
        line=[3, 8, 3],
        kind=["axis"] * 3,
    )
    names = Names(field="title")
    classes = one_class(LINE, names)
    (piece,), _ = made(frame, shape="curve", group="structure", classes=classes)
    assert piece.name == "甲丙轴"
    assert (piece.cells["node"], piece.cells["cite"], piece.cells["line"]) == (
        *("", "第一章、第二章", "3、8"),
    )


def test_one_point_makes_no_line_which_is_told() -> None:
    frame = table([ROW[0], *ROW], axis=["一", "二", "二", "二"])
    (piece,), (note,) = made(frame, shape="curve", group="axis", classes=one_class(LINE))
    assert piece.geometry.length == pytest.approx(20 * KM)
    assert note.zh == "“某层”有1项只有一处可定位，不成线，未绘。"
    assert note.en == "1 of “某层” have one place only, which makes no line; not drawn. "


def test_an_area_drawn_with_a_sign_stands_at_a_point_inside() -> None:
    # A hook, whose centroid lies beyond it.
    hook = box(0, 0, 10, 1).union(box(0, 0, 1, 10))
    (piece,), _ = made(table([hook]), classes=one_class())
    assert piece.geometry.geom_type == "Point"
    assert hook.contains(piece.geometry)
    (middle,), _ = made(table([LineString([(0, 0), (10, 0)])]), classes=one_class())
    assert middle.geometry == Point(5, 0)


def test_several_points_of_one_row_are_one_sign() -> None:
    (piece,), _ = made(table([MultiPoint([(0, 0), (4, 0)])]), classes=one_class())
    assert piece.geometry in (Point(0, 0), Point(4, 0))


# Classes and names --------------------------------------------------------------------------------


def test_the_first_class_that_fits_counts_and_lies_on_top() -> None:
    classes = (
        ClassRecord(label="国家级", value=("国家级",), style=SIGN),
        ClassRecord(label="其他", value=("*级",), style=SIGN),
    )
    frame = table(ROW, level=["国家级", "省级", ""])
    pieces, notes = made(frame, field="level", classes=classes)
    # Drawn in this order, so that the first class comes last.
    assert [(one.row.label, one.rank) for one in pieces] == [("其他", 1), ("国家级", 0)]
    assert [note.zh for note in notes] == ["“某层”有1项不属图例所列各类，未绘。"]
    assert notes[0].en == "1 of “某层” belong to no class of the legend and are not drawn. "


def test_bounds_hold_their_lower_end_and_not_their_upper() -> None:
    classes = (
        ClassRecord(label="18—20项", at_least=18, below=21, style=SIGN),
        ClassRecord(label="21项以上", at_least=21, style=SIGN),
    )
    frame = table([*ROW, Point(1, 1), Point(2, 2)], count=[18, 20, 21, 17, None])
    pieces, notes = made(frame, field="count", classes=classes)
    labels = {one.geometry.x: one.row.label for one in pieces}
    assert labels == {0: "18—20项", 10 * KM: "18—20项", 20 * KM: "21项以上"}
    assert "有2项不属" in notes[0].zh


def test_a_class_may_be_made_of_several_columns() -> None:
    classes = (
        ClassRecord(label="两部规划", value=("contradiction ?*",), style=SIGN),
        ClassRecord(label="一部规划", value=("contradiction ",), style=SIGN),
    )
    frame = table(ROW[:2], kind=["contradiction"] * 2, plan_b=["", "qianzhong-2017"])
    pieces, _ = made(frame, field="{kind} {plan_b}", classes=classes)
    assert {one.geometry.x: one.row.label for one in pieces} == {
        0: "一部规划",
        10 * KM: "两部规划",
    }


def test_a_class_without_value_takes_the_rest() -> None:
    classes = (
        ClassRecord(label="国", value=("国家级",), style=SIGN),
        ClassRecord(label="余", style=SIGN),
    )
    pieces, notes = made(table(ROW, level=["国家级", None, pd.NA]), field="level", classes=classes)
    assert sorted(one.row.label for one in pieces) == ["余", "余", "国"]
    assert notes == []


def test_a_name_of_columns_or_one_for_all() -> None:
    frame = table(ROW[:2], name=["仁怀", "湄潭"], count=[26, 25])
    pieces, _ = made(frame, classes=one_class(names=Names(field="{name} {count}项")))
    assert [one.name for one in pieces] == ["仁怀 26项", "湄潭 25项"]
    # A text needs no column.
    pieces, _ = made(frame, classes=one_class(names=Names(text="开发区", field="no such column")))
    assert [one.name for one in pieces] == ["开发区", "开发区"]
    pieces, _ = made(frame, classes=one_class())
    assert [one.name for one in pieces] == ["", ""]


@pytest.mark.parametrize(
    ("record", "column"),
    [
        ({"field": "levl", "classes": one_class()}, "levl"),
        ({"field": "{level} {levl}", "classes": one_class()}, "levl"),
        ({"classes": one_class(names=Names(field="{levl}级"))}, "levl"),
        ({"shape": "curve", "group": "levl", "classes": one_class(LINE)}, "levl"),
        ({"shape": "curve", "sort": "levl", "classes": one_class(LINE)}, "levl"),
    ],
)
def test_a_column_that_is_missing_is_named(record: dict[str, Any], column: str) -> None:
    words = f"x.toml, a, 某层: Unknown field '{column}'. Did you mean level"
    with pytest.raises(InputError, match=words):
        made(table(ROW, level=["一", "二", "三"]), **record)


@pytest.mark.parametrize(
    ("shape", "style", "words"),
    [
        (Point(0, 0), LINE, "has a style for a line, found a point; set shape"),
        (Point(0, 0), AREA, "has a style for an area, found a point"),
        (LineString([(0, 0), (1, 0)]), AREA, "has a style for an area, found a line"),
        (box(0, 0, 1, 1), LINE, "has a style for a line, found an area"),
    ],
)
def test_a_style_for_another_geometry_is_named(shape: BaseGeometry, style: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"x.toml, a, 某层: the class '一类' {words}"):
        made(table([shape]), classes=one_class(style))


# What has no place --------------------------------------------------------------------------------


def test_rows_without_a_place_are_told_with_their_names() -> None:
    frame = table([Point(0, 0), None, Point(), None, None], name=["甲", "乙", "丙", "丁", "戊"])
    pieces, (note,) = made(frame, classes=one_class())
    assert len(pieces) == 1
    assert note.zh == "“某层”5项中4项文本未给出可定位的地点，未绘（乙、丙、丁等）。"
    assert note.en == "Of 5 of “某层” the text gives no place for 4, not drawn (乙, 丙, 丁 …). "


def test_the_same_name_is_told_once_and_none_where_there_is_no_name() -> None:
    frame = table([Point(0, 0), None, None], title=["甲", "乙", "乙"])
    _, (note,) = made(frame, classes=one_class())
    assert note.zh == "“某层”3项中2项文本未给出可定位的地点，未绘（乙）。"
    _, (note,) = made(table([Point(0, 0), None], level=["", ""]), classes=one_class())
    assert note.zh == "“某层”2项中1项文本未给出可定位的地点，未绘。"


def test_a_layer_of_which_nothing_has_a_place_is_an_error_unless_optional() -> None:
    frame = table([None, None], name=["甲", "乙"])
    words = "none of the 2 rows of 'file:x.gpkg' has a place, so the layer is empty. Set optional"
    with pytest.raises(InputError, match=words):
        made(frame, classes=one_class())
    pieces, (note,) = made(frame, classes=one_class(), optional=True)
    assert pieces == []
    assert "未绘（甲、乙）" in note.zh
