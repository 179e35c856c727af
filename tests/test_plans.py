from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from urbangeo import plans
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.layer import load
from urbangeo.plans import Plan, PlanTable, plan

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"


@pytest.fixture
def invented() -> Plan:
    return plan(INVENTED)


# Extents -----------------------------------------------------------------------------------------


def test_the_33_counties_have_the_area_that_the_plan_states() -> None:
    extent = plans.extent("qianzhong")
    assert len(extent.members) == 33
    assert extent.area_km2 == pytest.approx(53_800, rel=0.005)


def test_members_of_the_cluster_by_prefecture() -> None:
    # Counted in the plan's sentence; 贵阳市 is printed whole and has ten units.
    counts = plans.extent("qianzhong").counties["prefecture"].value_counts().to_dict()
    assert counts == {
        "贵阳市": 10,
        "遵义市": 5,
        "安顺市": 4,
        "毕节市": 5,
        "黔东南苗族侗族自治州": 2,
        "黔南布依族苗族自治州": 7,
    }


def test_every_member_is_in_the_boundaries_under_its_name() -> None:
    extent = plans.extent("qianzhong")
    assert extent.counties["adcode"].tolist() == extent.members["adcode"].tolist()
    assert extent.counties["name"].tolist() == extent.members["name"].tolist()


def test_the_outline_is_one_piece_of_that_area() -> None:
    extent = plans.extent("qianzhong")
    assert extent.outline.geom_type == "Polygon"
    assert extent.outline.is_valid
    inside = extent.counties.geometry.representative_point().within(extent.outline)
    assert inside.all()


@pytest.mark.parametrize(
    "name", ["qianzhong", "黔中城市群", "qianzhong-2023/qianzhong", "qianzhong-2023/黔中城市群"]
)
def test_names_of_an_extent(name: str) -> None:
    assert plans.extent(name) == plans.extent("qianzhong")


@pytest.mark.parametrize("name", ["guizhou", "Guizhou", "贵州省", "贵州"])
def test_the_whole_region_comes_from_no_plan(name: str) -> None:
    extent = plans.extent(name)
    assert (extent.name, extent.plan) == ("guizhou", "")
    assert extent.members["adcode"].tolist() == load("counties")["adcode"].tolist()
    assert list(extent.members.columns) == ["adcode", "name", "role", "cite", "line"]


def test_an_extent_given_back() -> None:
    extent = plans.extent("qianzhong")
    assert plans.extent(extent) is extent
    assert plans.extent(extent, source="amap").source == "amap"


def test_the_other_source_moves_the_area_little_but_does_move_it() -> None:
    one, other = plans.extent("qianzhong"), plans.extent("qianzhong", source="amap")
    assert other.area_km2 == pytest.approx(one.area_km2, rel=0.005)
    assert other.area_km2 != one.area_km2


def test_what_it_hands_out_is_the_callers_own() -> None:
    extent = plans.extent("qianzhong")
    members, counties = extent.members, extent.counties
    members.loc[0, "name"] = counties.loc[0, "name"] = "changed"
    assert "changed" not in {*extent.members["name"], *extent.counties["name"]}


def test_unknown_extents_and_plans_suggest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean qianzhong"):
        plans.extent("qianzong")
    with pytest.raises(UnknownNameError, match="黔中城市群"):
        plans.extent("黔中")
    with pytest.raises(UnknownNameError, match="qianzhong-2023"):
        plans.plan_record("qianzhong-2022")
    with pytest.raises(InputError, match="name of an extent"):
        plans.extent(33)  # type: ignore[arg-type]


def test_a_member_that_the_boundaries_lack_is_named() -> None:
    extent = plans.Extent("test", "试", "", ("520102", "529999"))
    with pytest.raises(TableError, match="member 529999"):
        _ = extent.area_km2


def test_units_that_are_no_county_are_named_and_not_drawn(invented: Plan) -> None:
    core = invented.extent("core")
    assert core.adcodes == ("990101", "990102")
    assert core.members["name"].tolist() == ["云江县", "白石县"]
    (other,) = core.other_units.to_dict("records")
    assert (other["name"], other["role"], other["line"]) == ("湖口新区", "non_county", 8)
    assert "990103" in other["note"]
    # Two cells of half a degree: 48.2 by 55.4 km each at 30.25° north.
    assert core.area_km2 == pytest.approx(2 * 48.2 * 55.4, rel=0.005)


def test_an_extent_of_extents_has_their_counties_once(invented: Plan) -> None:
    parts = invented.extent("各组团")
    assert parts.adcodes == ("990101", "990102", "990104", "990103")
    assert parts.other_units["name"].tolist() == ["湖口新区"]


def test_the_latest_plan_draws_an_extent_of_several_plans() -> None:
    drawn_by = [
        key for key in plans.plans()["key"] if "qianzhong" in set(plan(key).extents["extent"])
    ]
    assert plans.extent("qianzhong").plan == drawn_by[0] == "qianzhong-2023"


# Plans -------------------------------------------------------------------------------------------


def test_the_bundled_plans_are_listed_latest_first() -> None:
    listed = plans.plans()
    assert listed["key"].iloc[0] == "qianzhong-2023"
    assert listed["date"].is_monotonic_decreasing
    assert listed["sha256"].str.fullmatch("[0-9a-f]{64}").all()


def test_which_towns_the_plan_named_in_a_county() -> None:
    towns = plan("qianzhong-2023").towns
    nodes = towns[towns["list"] == "特色节点城镇"]
    # 专栏5, read by county.
    assert nodes.of("织金县")["name"].tolist() == ["桂果", "牛场", "猫场", "马场", "以那"]
    assert nodes.of("织金").equals(nodes.of("520524"))
    assert len(nodes.within("毕节市")) == 18
    assert len(nodes) == 98
    assert len(nodes.drop_duplicates(["adcode", "name"])) == 93


def test_of_within_and_touching_differ(invented: Plan) -> None:
    roads = invented.transport
    first, second = roads["name"]
    assert roads.of("白石县")["name"].tolist() == []
    assert roads.touching("白石县")["name"].tolist() == [first]
    assert roads.within("core")["name"].tolist() == [first]
    assert roads.within("松湖组团")["name"].tolist() == [second]
    assert roads.within("澜川市")["name"].tolist() == [first, second]
    assert roads.touching("澜川")["name"].tolist() == [first, second]


def test_a_former_name_finds_the_county(invented: Plan) -> None:
    assert invented.county_codes("白石州") == {"990102"}
    assert plan("qianzhong-2023").county_codes("遵义县") == {"520304"}


def test_a_current_name_wins_over_a_short_and_a_former_one() -> None:
    found = plan("qianzhong-2023")
    assert len(found.county_codes("毕节市")) == 8
    assert found.county_codes("黔西市") == found.county_codes("黔西") == {"520581"}


def test_questions_that_cannot_be_answered_say_why(invented: Plan) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 云江, 云江县"):
        invented.towns.of("云江乡")
    with pytest.raises(InputError, match=r"Expected one county, found 4 under '澜川市'.*within"):
        invented.towns.of("澜川市")
    with pytest.raises(InputError, match="'indicators' names no counties"):
        invented.indicators.within("澜川市")
    with pytest.raises(UnknownNameError, match="Did you mean parks"):
        invented.table("park")


def test_rows_without_county_are_kept_apart(invented: Plan) -> None:
    nodes = invented.structures
    assert nodes.without_county()["node"].tolist() == ["湖口新区"]
    assert len(nodes.touching("澜川市")) + 1 == len(nodes)


def test_a_table_stays_a_table_of_its_plan(invented: Plan) -> None:
    towns = invented.towns
    some = towns[towns["list"] == "特色城镇"].sort_values("id").reset_index(drop=True)
    assert isinstance(some, PlanTable)
    assert some.of("松林县")["name"].tolist() == ["青渡", "高坪"]
    assert isinstance(some["name"], pd.Series)


def test_a_table_of_several_plans_says_that_it_has_none(invented: Plan) -> None:
    both = pd.concat([invented.towns, plan("qianzhong-2023").towns])
    with pytest.raises(InputError, match="does not know its plan any more"):
        both.of("松林县")
    with pytest.raises(InputError, match="does not know its plan any more"):
        both.geo()


def test_a_plan_is_not_changed_by_its_tables(invented: Plan) -> None:
    towns = invented.towns
    towns.loc[0, "name"] = "改名"
    assert invented.towns.loc[0, "name"] == "青渡"


def test_projects_of_a_list_of_tasks_and_of_tables(invented: Plan) -> None:
    assert invented.projects["id"].tolist() == ["lc30-transport-001", "lc30-transport-002"]
    assert set(invented.projects["table"]) == {"transport"}
    listed = plan("zunyi-metro-2022")
    projects = listed.projects
    assert len(projects) == (listed.tasks["kind"] == "project").sum() > 0
    touching = projects.touching("湄潭县")
    assert 0 < len(touching) < len(projects)
    assert touching["adcodes"].str.contains("520328").all()


def test_a_citation_says_where_a_row_stands(invented: Plan) -> None:
    found = invented.cite("lc30-park-001")
    assert repr(found) == (
        "《澜川市城镇发展规划》（澜川市人民政府，2025-01）第二章，文本第 15 行："
        "“云江经济开发区首位产业为食品加工”"
    )
    assert (found.plan, found.line) == ("lanchuan-2030", 15)
    assert invented.cite("lc30-contradiction-002").cite == "专栏2"
    with pytest.raises(UnknownNameError, match="Did you mean lc30-park-001"):
        invented.cite("lc30-park-002")


def test_plans_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean qianzhong-2023"):
        plan("qianzhong-2024")
    with pytest.raises(InputError, match=r"no plan\.toml"):
        plan(tmp_path)
    with pytest.raises(InputError, match="not the path of a local file"):
        plan("https://example.org/plan")


def test_a_plan_given_back_and_a_changed_folder_read_again(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(INVENTED, tmp_path / INVENTED.name))
    first = plan(folder)
    assert plan(first) is first
    assert plan(folder) is first
    path = folder / "parks.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("食品加工,,", "食品加工,机械,"), "utf-8"
    )
    assert plan(folder).parks["other_industries"].tolist() == ["机械"]


def test_the_text_may_be_given(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(INVENTED, tmp_path / INVENTED.name))
    text = Path(shutil.move(folder / "plan.txt", tmp_path / "plan.txt"))
    assert plan(folder, text=text).key == plan(folder, text=tmp_path).key == "lanchuan-2030"
    towns = folder / "towns.csv"
    towns.write_text(towns.read_text(encoding="utf-8").replace("青渡、高坪", "青渡、低坪"), "utf-8")
    plan(folder)
    with pytest.raises(TableError, match=r"towns\.csv, row 5, column 'quote'"):
        plan(folder, text=text)
    with pytest.raises(InputError, match="does not exist"):
        plan(folder, text=tmp_path / "other.txt")


def test_a_plan_is_cut_to_a_county_whole() -> None:
    whole = plan("qianzhong-2023")
    cut = whole.touching("织金县")
    assert set(cut.towns.query("list == '特色节点城镇'")["name"]) == {
        "桂果",
        "牛场",
        "猫场",
        "马场",
        "以那",
    }
    assert cut.parks["name"].tolist() == ["织金经济开发区"]
    assert len(cut.indicators) == 0
    # the reservoir, the gallery, the mining area, and three about the metropolitan area
    assert [key[-3:] for key in cut.contradictions["id"]] == [
        "015",
        "052",
        "069",
        "086",
        "087",
        "089",
    ]
    assert len(cut.extents) == len(whole.extents)
    assert len(whole.towns) > 98
    # what lies in the county alone lies within its prefecture, which touches more
    alone, within = whole.of("织金县"), whole.within("毕节市")
    touching = whole.touching("毕节市")
    for name in ("towns", "parks", "transport", "ecology"):
        ids = [set(one.table(name)["id"]) for one in (alone, within, touching)]
        assert ids[0] <= ids[1] <= ids[2]
    assert within.within("qianzhong").towns["id"].tolist() == within.towns["id"].tolist()
