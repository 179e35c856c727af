"""The parts of exported tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
import pytest
from matplotlib.figure import Figure
from shapely.geometry import GeometryCollection, LineString, MultiPoint, Point, box

from urbangeo.maps.labels import Label, place, write
from urbangeo.maps.qgis.records import CLASS, LABEL, LABEL_LON, NameStyle
from urbangeo.maps.qgis.tables import (
    Written,
    area_table,
    line_table,
    names_table,
    places,
    table_of,
    written_names,
)
from urbangeo.maps.style import LINES
from urbangeo.maps.symbols import AreaStyle

LAEA = pyproj.CRS.from_user_input("+proj=laea +lat_0=27 +lon_0=107 +datum=WGS84 +units=m")
SMALL = NameStyle(size=6.0)


def test_columns_become_text_numbers_and_truth_values() -> None:
    cells = [
        {"n": 1, "x": 1.5, "t": "a", "b": True, "mixed": 1, "gap": np.nan, "empty": None},
        {"n": 2, "x": np.nan, "t": None, "b": False, "mixed": "一", "gap": 3, "empty": pd.NA},
    ]
    frame = table_of([Point(0, 0), Point(1, 1)], "point", LAEA, cells, {CLASS: ["a", "b"]})
    assert frame["n"].dtype.kind == "i"
    assert frame["x"].tolist()[0] == 1.5
    assert frame["t"].isna().tolist() == [False, True]
    assert frame["b"].dtype.kind == "b"
    assert frame["mixed"].tolist() == ["1", "一"]
    assert frame["gap"].dtype.kind == "f"
    assert frame["empty"].isna().all()


def test_a_column_of_the_same_name_steps_aside() -> None:
    cells = [{"Class": 1, "fid": 2, "geom": 3, "class_given": 4}]
    frame = table_of([Point(0, 0)], "point", LAEA, cells, {CLASS: ["a"]})
    assert [name for name in frame.columns if name != "geometry"] == [
        *("class", "Class_given", "fid_given", "geom_given", "class_given_given"),
    ]


def test_shapes_are_of_one_kind() -> None:
    mixed = GeometryCollection([LineString([(0, 0), (1, 1)]), box(0, 0, 1, 1)])
    shapes = [
        table_of([shape], kind, LAEA, [{}], {CLASS: ["a"]}).geom_type[0]  # type: ignore[arg-type]
        for shape, kind in (
            (box(0, 0, 9, 9), "area"),
            (mixed, "area"),
            (mixed, "line"),
            (MultiPoint([(0, 0), (1, 1)]), "point"),
        )
    ]
    assert shapes == ["MultiPolygon", "MultiPolygon", "MultiLineString", "Point"]


def test_coordinates_are_degrees() -> None:
    frame = table_of([Point(0, 0)], "point", LAEA, [{}], {CLASS: ["a"]})
    assert (frame.geometry[0].x, frame.geometry[0].y) == pytest.approx((107.0, 27.0))


def test_what_is_written_is_read_again() -> None:
    figure = Figure(figsize=(4, 3))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 100), ylim=(0, 75))
    labels = [
        Label(key="a:0", texts=("甲",), x=30, y=40, size=9, weight="bold", colour="#B3202A"),
        Label(key="a:1", texts=("G75",), x=70, y=40, size=6, badge="#D55E00"),
    ]
    write(axes, place(axes, labels))
    found = written_names(axes)
    assert set(found) == {"a:0", "a:1"}
    one = found["a:0"]
    assert (one.text, one.style.size, one.style.weight) == ("甲", 9.0, "bold")
    assert (one.style.colour, one.style.halo, one.style.badge) == ("#b3202a", "#ffffff", "")
    assert found["a:1"].style.badge == "#d55e00"
    assert not one.leader


def test_places_are_those_of_the_sheet_and_missing_elsewhere() -> None:
    names = {"a": Written("甲\n乙", 0.0, 0.0, SMALL, leader=True)}
    made = places(["a", "b", "c"], ["甲乙", "丙", ""], names, LAEA)
    assert made[LABEL].tolist() == ["甲\n乙", "丙", None]
    assert made[LABEL_LON][0] == pytest.approx(107.0)
    assert np.isnan(made[LABEL_LON][1:]).all()


def test_lines_and_areas_of_one_class() -> None:
    line = line_table("t", "界", box(0, 0, 1000, 1000), "county", 3, LAEA, value="v", listed=False)
    assert line.table == "t_line"
    assert [(one.value, one.label) for one in line.classes] == [("v", "")]
    area = area_table("t", "面", box(0, 0, 1, 1), AreaStyle(edge=LINES["extent"]), 5, LAEA)
    assert (area.table, area.classes[0].label, len(area.frame)) == ("t_area", "面", 1)


def test_hidden_names_have_no_place_on_the_map() -> None:
    groups = {
        "县名": {"990101": Written("甲 乙", 0.0, 0.0, SMALL, leader=False)},
        "局部": {"990102": Written("丙", 5.0, 0.0, SMALL, leader=False)},
    }
    (made,) = names_table("t", "注记", groups, LAEA, 58, frozenset({"990102"}))
    assert made.frame["name"].tolist() == ["甲乙", "丙"]
    assert made.frame["code"].tolist() == ["990101", "990102"]
    assert made.frame[LABEL_LON].notna().tolist() == [True, False]
    assert names_table("t", "注记", {}, LAEA, 58) == []
