"""Rows of plans for a layer: at their places, as areas, along the network, counted by county.

The plan of `data/lanchuan-2030` is invented: four counties on a grid of half degrees, 云江县
(990101) from 100° E, 30° N, 白石县 (990102) and 湖口区 (990103) east of it, 松林县 (990104) north.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely
from shapely.geometry import Point, box

from urbangeo.errors import UnknownNameError
from urbangeo.maps.fetched import Fetched
from urbangeo.maps.plansources import from_plan, plan_source, split_plan
from urbangeo.maps.records import FigureRecord, LayerRecord
from urbangeo.plans import plan, plan_record

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
TITLE = "《澜川市城镇发展规划》（澜川市人民政府，2025-01）"


def rows(table: str, figure: FigureRecord | None = None, **record: Any) -> Fetched:
    layer = LayerRecord(**{"name": "某层", "source": f"plan:{table}", **record})
    return from_plan(layer, figure or FigureRecord(key="a"))


def invented(table: str, **record: Any) -> Fetched:
    return rows(f"{INVENTED}/{table}", **record)


def test_a_source_names_a_table_and_perhaps_a_plan() -> None:
    assert split_plan("plan:parks", "qianzhong-2023") == ("qianzhong-2023", "parks")
    assert split_plan("plan:qianzhong-2017/parks", "qianzhong-2023") == ("qianzhong-2017", "parks")
    assert split_plan("plan:/some/folder/parks", "") == ("/some/folder", "parks")


def test_a_plan_as_a_source() -> None:
    """A title that has its own marks gets no second pair (主要目标… of zunyi-metro-2022)."""
    assert plan_source(plan(INVENTED).record) == TITLE
    assert plan_source(plan_record("zunyi-metro-2022")).count("《") == 1


def test_rows_stand_where_the_gazetteer_has_them() -> None:
    found = invented("parks")
    assert list(found.frame.geometry) == [Point(100.3, 30.2)]
    assert (found.total, found.schematic) == (1, False)
    assert found.sources == (f"{TITLE}第二章",)


def test_a_row_that_stands_somewhere_in_its_county_is_schematic() -> None:
    """高坪 is not in the gazetteer; four of the five are."""
    found = invented("towns")
    assert (found.total, found.schematic) == (5, True)
    assert not invented("towns", where_not={"name": ("高坪",)}).schematic


def test_rows_are_kept_by_county() -> None:
    assert list(invented("towns", within="云江县").frame["name"]) == ["青渡", "双桥", "青渡"]
    touching = invented("transport", touching="湖口区").frame
    assert list(touching["id"]) == ["lc30-transport-002"]
    # Its other county lies beyond.
    assert not invented("transport", within="湖口区").total


def test_another_column_may_name_the_place() -> None:
    """The seats of 云江县 and 松林县 instead of the towns in them."""
    found = invented("towns", place="county")
    assert list(found.frame.geometry.x) == [100.25, 100.25, 100.25, 100.5, 100.5]
    assert list(found.frame["name"]) == ["青渡", "双桥", "青渡", "青渡", "高坪"]


def test_a_row_as_the_counties_that_it_names() -> None:
    found = invented("transport", shape="counties")
    west, split = found.frame.geometry
    assert west.equals(box(100, 30, 101, 30.5))
    assert split.area == pytest.approx(0.25 + 0.5)
    assert not found.schematic
    assert list(found.frame["geometry_from"]) == ["counties", "counties"]


def test_a_row_that_names_no_county_has_no_area() -> None:
    found = invented("structures", shape="counties", where={"structure": ("core",)})
    assert found.total == 1
    assert list(found.frame.geometry) == [None]


@pytest.mark.parametrize("shape", ["points", "curve", "belt", "hull"])
def test_nodes_of_structures_one_by_one(shape: str) -> None:
    found = invented("structures", shape=shape, where={"structure": ("axis",)})
    assert list(found.frame.geometry) == [Point(100.25 + 0.5 * i, 30.25) for i in range(3)]
    assert list(found.frame["name"]) == ["云江", "白石", "湖口"]
    assert found.schematic


def test_structures_as_the_plan_has_them() -> None:
    found = invented("structures")
    assert list(found.frame["structure"]) == ["axis", "ring", "songhu", "core"]
    assert found.total == 4
    # 湖口新区 is in no gazetteer and names no county.
    assert list(found.frame.geometry.isna()) == [False, False, False, True]


def test_a_filter_that_keeps_nothing() -> None:
    found = invented("parks", where={"level": ("国家级",)})
    assert (found.total, len(found.frame), found.schematic) == (0, 0, False)
    assert found.frame.crs.to_epsg() == 4326


def test_unknown_tables_and_columns() -> None:
    with pytest.raises(UnknownNameError, match="table of a plan 'park'"):
        invented("park")
    with pytest.raises(UnknownNameError, match=r"'levl'\. Did you mean level"):
        invented("parks", where={"levl": ("x",)})


# Contradictions -----------------------------------------------------------------------------------


def test_a_contradiction_stands_at_what_it_is_about() -> None:
    found = invented("contradictions")
    at, nowhere = found.frame.geometry
    assert at == Point(100.25, 30.4)
    assert nowhere is None
    # Cited as where_a has it.
    assert found.sources == (f"{TITLE}专栏1、专栏2",)


@pytest.fixture(scope="module")
def everywhere() -> Fetched:
    return rows("*/contradictions")


def test_contradictions_of_all_plans(everywhere: Fetched) -> None:
    """Rows of the five tables of layers/plans, counted with wc: 104, 34, 67, 80, 61."""
    counts = everywhere.frame["plan"].value_counts().to_dict()
    assert counts == {
        "qianzhong-2023": 104,
        "qianzhong-2017": 34,
        "guizhou-urbanization-2022": 67,
        "zunyi-urbanization-2022": 80,
        "zunyi-metro-2022": 61,
    }
    assert everywhere.total == 346
    assert everywhere.schematic
    assert everywhere.frame["id"].is_unique
    assert everywhere.frame.index.is_unique


def test_contradictions_are_placed_where_they_say_where(everywhere: Fetched) -> None:
    """Without place and county there is no place; with either there is."""
    frame = everywhere.frame
    told = (frame["place"] != "") | (frame["adcodes"] != "")
    assert list(told) == list(~frame.geometry.isna())


def test_sources_of_all_plans_name_no_chapters(everywhere: Fetched) -> None:
    assert len(everywhere.sources) == 5
    assert all(one.endswith("）") for one in everywhere.sources)


# Counts -------------------------------------------------------------------------------------------

ZUNYI = FigureRecord(key="a", plan="zunyi-metro-2022", extent="zunyi-metro-2022/zunyi-metro")
PROJECTS = {"kind": ("project",)}


def test_each_county_with_how_many_rows_name_it() -> None:
    """Rows of kind project in tasks.csv that name each code, once each, counted in the table."""
    found = rows("tasks", ZUNYI, count="county", where=PROJECTS)
    counts = dict(zip(found.frame["name"], found.frame["count"], strict=True))
    assert counts == {
        "仁怀市": 26,
        "湄潭县": 25,
        "红花岗区": 25,
        "汇川区": 24,
        "桐梓县": 24,
        "播州区": 20,
        "绥阳县": 19,
        "金沙县": 18,
    }
    # 48 of the 132 name no county; 7 name 赤水, 习水, 正安, 道真 or 石阡, which lie beyond.
    assert [note.zh for note in found.notes] == [
        "“某层”132项中48项未点名县（市、区），未计入。",
        "“某层”另有7项涉及规划范围以外的县（市、区），其外未绘。",
    ]
    assert not found.schematic


def test_each_prefecture_with_how_many_rows_name_it() -> None:
    """84 name a county; 5 of them 金沙 of 毕节 alone (tasks 44, 99, 147, 181, 197), 18 金沙 at all.

    Task 69 names 石阡 of 铜仁 too.
    """
    found = rows("tasks", ZUNYI, count="prefecture", where=PROJECTS)
    counts = dict(zip(found.frame["adcode"], found.frame["count"], strict=True))
    assert counts == {"520300": 79, "520500": 18}
    assert "另有1项涉及" in found.notes[1].zh


def test_a_county_that_no_row_names_has_none() -> None:
    found = invented("parks", count="county")
    counts = dict(zip(found.frame["name"], found.frame["count"], strict=True))
    assert counts == {"云江县": 1, "白石县": 0, "湖口区": 0, "松林县": 0}
    assert found.notes == ()


# The network --------------------------------------------------------------------------------------

# In layers/places.csv, in the order of the words of the plan:
# 湄潭, 新舟机场, 绥阳, 桐梓, 仁怀, 茅台机场, 金沙, 播州.
RING = (
    *((107.481, 27.769), (107.246, 27.81), (107.187, 27.955), (106.823, 28.135)),
    *((106.409, 27.807), (106.333, 27.816), (106.218, 27.463), (106.826, 27.54)),
)


@pytest.fixture(scope="module")
def courses() -> Fetched:
    return rows("transport", ZUNYI, course="network", where={"mode": ("road", "metro")})


def test_a_road_runs_through_the_places_of_its_words(courses: Fetched) -> None:
    ring = courses.frame.set_index("id").geometry["zm22-transport-060"]
    assert ring.geom_type == "LineString"
    assert {ring.coords[0], ring.coords[-1]} == {RING[0], RING[-1]}
    far = shapely.distance(ring, shapely.points(RING))
    assert far.max() < 1e-9
    along = shapely.line_locate_point(ring, shapely.points(RING))
    assert list(along) in (sorted(along), sorted(along, reverse=True))
    # The plan does not say that it closes.
    assert not ring.is_closed


def test_an_item_that_is_not_drawn_on_the_network_has_no_course(courses: Fetched) -> None:
    """遵义市城市轨道交通2号线二期工程: where it begins and ends is not told."""
    frame = courses.frame.set_index("id")
    assert frame.geometry["zm22-transport-023"] is None
    assert frame["geometry_from"]["zm22-transport-023"] == ""
    assert frame["geometry_from"]["zm22-transport-060"] == "network"


def test_courses_are_schematic_and_say_whose_they_are(courses: Fetched) -> None:
    assert courses.schematic
    assert any("CC BY 4.0" in one for one in courses.attributions)


def test_an_item_that_is_a_node_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of projects is a stand-in: the first item is a node, the second is not in it."""
    from urbangeo.maps.netsources import skeleton
    from urbangeo.network.projects import Projects

    net = skeleton(None, "")
    node = net.nodes.iloc[0]
    table = pd.DataFrame({"item": ["zm22-transport-001"], "ids": [(node["id"],)]})
    monkeypatch.setattr(Projects, "of", lambda net: Projects(table, ()))
    found = rows("transport", ZUNYI, course="network", where={"id": ("zm22-transport-00[12]",)})
    first, second = found.frame.geometry
    assert first == node.geometry
    assert second is None
