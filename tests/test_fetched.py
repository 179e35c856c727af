"""Rows of a layer: which a filter keeps, how a cell is written, how a name is put together."""

from __future__ import annotations

import math

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point

from urbangeo.errors import UnknownNameError
from urbangeo.maps.fetched import (
    Remark,
    attribution,
    cell_text,
    chosen,
    matches,
    name_columns,
    name_of,
)
from urbangeo.maps.records import LayerRecord


def frame() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "name": ["甲", "乙", "丙", "丁"],
            "grade": ["AAAAA", "AAAA", None, ""],
            "year": [2022, 2025, 2030, 2035],
        },
        geometry=[Point(0, 0)] * 4,
        crs=4326,
    )


def kept(**filters: dict[str, tuple[str, ...]]) -> list[str]:
    layer = LayerRecord(name="某层", source="file:x.gpkg", **filters)  # type: ignore[arg-type]
    return list(chosen(frame(), layer)["name"])


def test_a_filter_keeps_values_and_patterns() -> None:
    assert kept() == ["甲", "乙", "丙", "丁"]
    assert kept(where={"grade": ("AAAAA",)}) == ["甲"]
    assert kept(where={"grade": ("AAA*",)}) == ["甲", "乙"]
    assert kept(where={"year": ("2022", "2035")}) == ["甲", "丁"]


def test_an_empty_cell_is_the_empty_text() -> None:
    assert kept(where={"grade": ("",)}) == ["丙", "丁"]
    assert kept(where_not={"grade": ("",)}) == ["甲", "乙"]


def test_all_filters_hold_together() -> None:
    assert kept(where={"grade": ("A*",), "year": ("2025", "2030")}) == ["乙"]
    assert kept(where={"year": ("20*",)}, where_not={"name": ("甲", "丁")}) == ["乙", "丙"]


def test_a_column_that_is_missing_is_named() -> None:
    words = "Unknown field of 'file:x.gpkg' 'grad'. Did you mean grade"
    with pytest.raises(UnknownNameError, match=words):
        kept(where={"grad": ("A",)})
    with pytest.raises(UnknownNameError, match=r"'level'. Known: name, grade, year"):
        kept(where_not={"level": ("A",)})


def test_patterns_see_the_case_of_letters() -> None:
    assert matches("G75", ("G7*",))
    assert not matches("g75", ("G7*",))
    assert not matches("G75", ())


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("仁怀市", "仁怀市"),
        (None, ""),
        (pd.NA, ""),
        (math.nan, ""),
        (26, "26"),
        (26.0, "26"),
        (2.5, "2.5"),
        (True, "True"),
    ],
)
def test_a_cell_as_it_is_written(cell: object, text: str) -> None:
    assert cell_text(cell) == text


def test_a_name_is_a_column_or_a_text_with_columns() -> None:
    row = {"name": "仁怀", "count": 26.0, "year": pd.NA}
    assert name_of(row, "name") == "仁怀"
    assert name_of(row, "{name} {count}项") == "仁怀 26项"
    assert name_of(row, "{name}（{year}）") == "仁怀（）"
    assert name_of(row, "no such column") == ""
    assert name_columns("name") == ["name"]
    assert name_columns("{name} {count}项") == ["name", "count"]


def test_what_a_table_asks_to_be_said() -> None:
    table = frame()
    assert attribution(table) == ()
    table.attrs["provenance"] = {"attribution": "某测绘单位"}
    assert attribution(table) == ("某测绘单位",)


def test_a_remark_in_the_figures_language() -> None:
    remark = Remark("无。", "None. ")
    assert [remark.told(lang) for lang in ("zh", "both", "en")] == ["无。", "无。", "None. "]
