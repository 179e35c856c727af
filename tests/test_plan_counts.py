"""The bundled plans are encoded whole: the counts that one gets by counting in their texts."""

from __future__ import annotations

import pandas as pd
import pytest

from urbangeo.names import stem
from urbangeo.plans import plan, plans


@pytest.mark.parametrize(
    ("key", "extent", "counties", "others"),
    [
        ("qianzhong-2023", "qianzhong", 33, {"贵安新区"}),
        ("qianzhong-2023", "guiyang-metro", 20, {"贵安新区"}),
        ("guizhou-urbanization-2022", "qianzhong", 33, set()),
        ("guizhou-urbanization-2022", "guiyang-metro", 20, {"贵安新区"}),
        ("guizhou-urbanization-2022", "zunyi-metro", 8, set()),
        # Nine units, one of which is no county.
        ("zunyi-metro-2022", "zunyi-metro", 8, {"新蒲新区"}),
        ("zunyi-urbanization-2022", "zunyi-metro", 8, {"新蒲新区"}),
        ("zunyi-urbanization-2022", "zunyi-city", 14, {"新蒲新区"}),
    ],
)
def test_members_of_an_extent(key: str, extent: str, counties: int, others: set[str]) -> None:
    found = plan(key).extent(extent)
    assert len(found.adcodes) == counties
    # A plan may print further units; these are in it.
    assert others <= set(found.other_units["name"])


def test_towns_of_box_5_by_prefecture() -> None:
    towns = pd.DataFrame(plan("qianzhong-2023").towns)
    towns = towns[towns["list"] == "特色节点城镇"]
    assert towns["city"].value_counts().to_dict() == {
        "贵阳市": 27,
        "遵义市": 18,
        "安顺市": 11,
        "毕节市": 18,
        "黔东南州": 12,
        "黔南州": 12,
    }
    assert len(towns) == 98
    assert (towns["repeat_of"] != "").sum() == 5


def test_zones_of_box_21_by_level() -> None:
    levels = plan("qianzhong-2023").parks["level"].value_counts()
    assert levels.to_dict() == {"国家级": 7, "省级": 29, "市级": 1}


def test_county_towns_of_box_3() -> None:
    cities = pd.DataFrame(plan("qianzhong-2023").cities)
    seats = cities[(cities["cite"] == "专栏3") & (cities["attribute"] == "城区常住人口")]
    assert len(seats) == seats["name"].nunique() == 19
    assert seats["value_number"].sum() == pytest.approx(325.2)
    assert seats["tier"].value_counts().tolist() == [8, 7, 3, 1]


@pytest.mark.parametrize(
    ("key", "count"),
    [
        ("qianzhong-2023", 29),
        ("guizhou-urbanization-2022", 38),
        ("zunyi-urbanization-2022", 36),
        ("zunyi-metro-2022", 30),
    ],
)
def test_indicators(key: str, count: int) -> None:
    assert len(plan(key).indicators) == count


def test_records_of_tasks() -> None:
    kinds = plan("zunyi-metro-2022").tasks["kind"].value_counts()
    assert kinds.to_dict() == {"goal": 30, "task": 136, "project": 132}


@pytest.mark.parametrize(
    ("key", "placed"),
    [
        ("qianzhong-2023", 63),
        ("qianzhong-2017", 10),
        ("guizhou-urbanization-2022", 35),
        ("zunyi-metro-2022", 35),
        ("zunyi-urbanization-2022", 38),
    ],
)
def test_contradictions_with_a_place_are_found_there(key: str, placed: int) -> None:
    rows = plan(key).contradictions.geo()
    assert rows["geometry_from"].isin(["place", "places, in order", "counties", "county", ""]).all()
    # a place that the gazetteer does not have would leave the counties
    named = rows[rows["place"] != ""]
    assert set(named["geometry_from"]) <= {"place", "places, in order"}
    assert ((rows["adcodes"] != "") == rows.geometry.notna()).all()
    assert rows.geometry.notna().sum() == placed


@pytest.mark.parametrize("key", list(plans()["key"]))
def test_counties_of_a_contradiction_are_printed_or_marked_inferred(key: str) -> None:
    one = plan(key)
    names = dict(zip(one.county_layer["adcode"], one.county_layer["name"], strict=True))
    for row in one.contradictions.to_dict("records"):
        codes = [code for code in row["adcodes"].split(";") if code]
        assert row["adcodes_source"] in (["printed", "inferred"] if codes else [""]), row["id"]
        if row["adcodes_source"] == "printed":
            words = row["subject"] + row["quote_a"] + row["quote_b"]
            assert [code for code in codes if stem(names[code]) not in words] == [], row["id"]
