from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from urbangeo import plans
from urbangeo.catalog import data_folder
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.layer import load
from urbangeo.vector import read_table

PLAN_TEXTS = Path(__file__).parents[2] / "shared" / "plans"


def text_of(key: str) -> Path:
    path = PLAN_TEXTS / plans.plan_record(key).text
    if not path.is_file():
        pytest.skip(f"the plan's text {path} is not on this machine")
    return path


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


def test_every_quote_stands_on_its_line() -> None:
    lines = text_of("qianzhong-2023").read_text(encoding="utf-8").split("\n")
    table = read_table(data_folder() / "plans" / "qianzhong-2023" / "extents.csv")
    for row in table.itertuples():
        assert row.quote, row.id
        assert row.quote in lines[int(row.line) - 1], row.id


def test_the_text_is_the_one_that_was_read() -> None:
    path = text_of("qianzhong-2023")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == plans.plan_record("qianzhong-2023").sha256


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


def test_faults_of_an_extent_table_are_all_named() -> None:
    import pandas as pd

    header = ["id", "extent", "title", "adcode", "name", "role", "cite", "line", "quote"]
    table = pd.DataFrame(
        [
            ["1", "a", "甲", "520102", "南明区", "member", "前言", "78", "贵阳市"],
            ["1", "a", "乙", "520102", "南明区", "member", "前言", "x", "贵阳市"],
            ["3", "a", "甲", "5201", "云岩区", "member", "前言", "78", "贵阳市"],
        ],
        columns=header,
    )
    findings = "\n".join(plans._extent_findings(table))
    for expected in (
        "row 2, column 'line'",
        "row 3, column 'adcode'",
        "row 1: id repeat",
        "row 2: extent and adcode repeat",
        "'a' has several titles",
    ):
        assert expected in findings
    assert plans._extent_findings(table.drop(columns="quote"))[0].startswith("column 'quote'")
