"""Before and after, on a network whose answers are derived on paper."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from grids import link, network, node, service
from openpyxl import load_workbook

from urbangeo.access import commuting_circle
from urbangeo.access.compare import Comparison, compare
from urbangeo.errors import InputError
from urbangeo.network import Network

CENTRE = (107.0, 27.0)


def whole() -> Network:
    """A centre C with towns around it, and what is planned.

    T  90 min by the old road; 50 by the planned expressway (一号高速).
    F  behind T, 10 more: 100 before, 60 after.
    S  70 by the old road; 45 by either of two planned roads, 二号路 and 三号路.
    N  30, nothing planned.
    G  station towns: 80 by road from C; 5 + 10 + 10 + 20 + 5 + 0 by the planned train.
    L  20 by a road that is closed by then.
    """
    planned = {"status": "在建", "planned_year": 2025}
    at = {
        "C": (107, 27), "T": (107.5, 27), "F": (107.6, 27), "S": (107, 27.5), "N": (107, 26.7),
        "L": (106.8, 26.8), "G": (106, 27), "X": (107.05, 27.05), "Y": (106.95, 27.05),
    }  # fmt: skip
    kinds = {"C": "station", "G": "station", "X": "junction", "Y": "junction"}
    nodes = [node(name, *where, kinds.get(name, "place")) for name, where in at.items()]
    built = {"open_year": 2010}
    links = [
        link("C", "T", 90, **built), link("T", "F", 10, **built), link("C", "S", 70, **built),
        link("C", "N", 30, **built), link("C", "L", 20, **built), link("C", "G", 80, **built),
        link("C", "T", 100, "expressway", id="one", name="一号高速", cite="p:1", **planned),
        link("C", "X", 15, id="two-1", name="二号路", cite="p:2", **planned),
        link("X", "S", 30, id="two-2", name="二号路", cite="p:2", **planned),
        link("C", "Y", 15, id="three-1", name="三号路", cite="p:3", **planned),
        link("Y", "S", 30, id="three-2", name="三号路", cite="p:3", **planned),
    ]  # fmt: skip
    train = service("K", ["C", "G"], [20], name="快线", cite="p:4", **planned)
    old = service("O", ["C", "G"], [60], name="慢车", open_year=2010)
    return network(nodes, links, [*train, *old])


def towns(names: str = "TFSNLG", **columns: list[object]) -> gpd.GeoDataFrame:
    nodes = whole().nodes.set_index("id").loc[list(names)]
    frame = gpd.GeoDataFrame(
        {"name": list(names), "adcode": ["1"] * 3 + ["2"] * (len(names) - 3),
         "county": ["甲县"] * 3 + ["乙县"] * (len(names) - 3), **columns},
        geometry=list(nodes.geometry), crs=4326, index=[f"#{name}" for name in names],
    )  # fmt: skip
    return frame.assign(kind="town")


@pytest.fixture(scope="module")
def result() -> Comparison:
    net = whole()
    people = towns(people=[10, 20, 30, 40, 50, 0])
    return compare(net.at(2022), net.at(2025).without("C-L"), CENTRE, 60, places=people,
                   population="people")  # fmt: skip


def test_what_is_gained_and_lost(result: Comparison) -> None:
    towns = result.towns
    assert towns.index.tolist() == ["#T", "#F", "#S", "#N", "#L", "#G"]
    assert towns["change"].tolist() == ["gained", "gained", "gained", "stayed", "lost", "gained"]
    assert towns["minutes_before"].to_numpy() == pytest.approx([90, 100, 70, 30, 20, 80])
    after = towns["minutes_after"].to_numpy()
    # K and the old train share the wait: both in 20 min, K alone is boarded if that is less
    assert after == pytest.approx([50, 60, 45, 30, np.nan, 45], nan_ok=True)
    assert towns["saved_min"].to_numpy() == pytest.approx([40, 40, 25, 0, np.nan, 35], nan_ok=True)
    assert result.gained.index.tolist() == ["#G", "#S", "#T", "#F"]
    assert result.lost.index.tolist() == ["#L"]
    assert result.stayed.index.tolist() == ["#N"]


def test_because_of_what_it_is_confirmed_by_leaving_it_out(result: Comparison) -> None:
    rows = result.because.set_index(["place", "title"])
    one = rows.loc[("#T", "一号高速")]
    assert one["minutes_without"] == pytest.approx(90)
    assert one["effect_min"] == pytest.approx(40)
    assert (one["decisive"], one["confirmed"], one["together"]) == (True, True, False)
    assert (one["cite"], one["status"], one["planned_year"]) == ("p:1", "在建", "2025")
    assert one["ids"] == "one"
    assert rows.loc[("#F", "一号高速"), "minutes_without"] == pytest.approx(100)
    train = rows.loc[("#G", "快线")]
    assert train["ids"] == "K"
    assert train["minutes_without"] == pytest.approx(80)
    assert set(rows.index.get_level_values("place")) == {"#T", "#F", "#S", "#G"}
    assert result.towns["because"].to_dict() == {
        "#T": "一号高速", "#F": "一号高速", "#S": "", "#N": "", "#L": "", "#G": "快线",
    }  # fmt: skip


def test_a_road_beside_an_equal_one_is_no_reason(result: Comparison) -> None:
    """S comes inside by one of two new roads, and would by the other: neither decides it."""
    rows = result.because[result.because["place"] == "#S"]
    assert len(rows) == 1
    row = rows.iloc[0]
    assert row["title"] in ("二号路", "三号路")
    assert row["minutes_without"] == pytest.approx(45)
    assert (row["confirmed"], row["decisive"]) == (False, False)
    assert "S进圈不取决于任何一个新项目" in result.summary()


def test_two_that_only_help_each_other_are_left_out_together() -> None:
    """To B by two new roads in a row, each with another new one beside it, 2 minutes slower."""
    plan = {"status": "前期", "planned_year": 2030}
    nodes = [node("C", 107, 27), node("B", 107.9, 27), node("M", 107.4, 27, "junction"),
             node("P", 107.2, 27.2, "junction"), node("Q", 107.7, 27.2, "junction")]  # fmt: skip
    links = [
        link("C", "B", 100, open_year=2010),
        link("C", "M", 20, id="a", name="甲", **plan),
        link("M", "B", 20, id="b", name="乙", **plan),
        link("C", "P", 11, id="c", name="丙", **plan),
        link("P", "M", 11, id="d", name="丙", **plan),
        link("M", "Q", 11, id="e", name="丁", **plan),
        link("Q", "B", 11, id="f", name="丁", **plan),
    ]
    net = network(nodes, links)
    town = gpd.GeoDataFrame({"name": ["B"]}, geometry=[net.nodes.geometry.iloc[1]], crs=4326)
    found = compare(net.at(2022), net.at(2030), CENTRE, 60, places=town)
    rows = found.because.set_index("title")
    assert rows["together"].to_dict() == {"甲 + 乙": True, "甲": False, "乙": False}
    assert rows["minutes_without"].to_dict() == pytest.approx({"甲 + 乙": 44, "甲": 42, "乙": 42})
    assert rows["decisive"].tolist() == [False] * 3
    assert rows["confirmed"].tolist() == [True] * 3
    alone = compare(net.at(2022), net.at(2030), CENTRE, 43, places=town).because.set_index("title")
    assert alone["decisive"].to_dict() == {"甲 + 乙": True, "甲": False, "乙": False}


def test_counties_and_people(result: Comparison) -> None:
    counties = result.counties.set_index("adcode")
    assert counties.loc["1", ["places", "before", "after", "gained", "lost"]].tolist() == [
        3, 0, 3, 3, 0,
    ]  # fmt: skip
    assert counties.loc["2", ["places", "before", "after", "gained", "lost"]].tolist() == [
        3, 2, 2, 1, 1,
    ]  # fmt: skip
    assert counties.loc["1", "saved_min"] == pytest.approx(35)
    assert counties.loc["2", "saved_min"] == pytest.approx(17.5)  # L is not reached afterwards
    assert counties["share_after"].tolist() == pytest.approx([1, 2 / 3])
    assert counties["people_before"].tolist() == [0, 90]
    assert counties["people_after"].tolist() == [60, 40]
    assert dict(result.population or {}) == {
        "before": 90, "after": 100, "gained": 60, "lost": 50,
    }  # fmt: skip


def test_the_summary_can_be_quoted(result: Comparison) -> None:
    text = result.summary()
    assert text.startswith("到(107, 27) 60 分钟以内：2022 年末 2 处，2025 年末 5 处（所问 6 处）。")
    assert "新进圈 4 处：G、S、T、F。" in text
    assert "掉出圈 1 处：L。" in text
    assert "没有一号高速，T、F就不在圈内。" in text
    assert "没有快线，G就不在圈内。" in text
    assert "圈内人口由 90 增至 100。" in text
    assert repr(result) == text


def test_area_from_the_polygons(result: Comparison) -> None:
    area = result.area["area_km2"]
    assert area["after"] - area["before"] == pytest.approx(area["gained"] - area["lost"], rel=1e-6)
    assert area["gained"] > 0
    assert area["lost"] > 0
    assert result.area.crs == "EPSG:4326"


def test_files_hold_everything(result: Comparison, tmp_path: Path) -> None:
    for suffix in (".csv", ".xlsx", ".json", ".gpkg"):
        result.to_file(tmp_path / f"r{suffix}")
        result.to_file(tmp_path / f"again{suffix}")
    for suffix in (".csv", ".xlsx", ".json"):
        assert (tmp_path / f"r{suffix}").read_bytes() == (tmp_path / f"again{suffix}").read_bytes()
    table = pd.read_csv(tmp_path / "r.csv")
    assert table["change"].tolist() == result.towns["change"].tolist()
    assert table["index"].tolist() == result.towns.index.tolist()
    assert load_workbook(tmp_path / "r.xlsx").sheetnames == ["城镇", "县（市、区）", "原因", "说明"]
    record = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert record["towns"][4]["minutes_after"] is None
    assert record["population"]["gained"] == 60
    assert len(record["because"]) == len(result.because)
    layers = {str(name) for name, _ in pyogrio.list_layers(tmp_path / "r.gpkg")}
    assert layers == {"towns", "area", "because", "counties", "about"}
    with pytest.raises(InputError, match=r"end it in \.csv, \.xlsx, \.json, \.gpkg"):
        result.to_file(tmp_path / "r.doc")


def test_two_circles_give_the_same_as_two_networks(result: Comparison) -> None:
    net, asked = whole(), towns()
    one = commuting_circle(CENTRE, 60, net.at(2022), places=asked)
    other = commuting_circle(CENTRE, 60, net.at(2025).without("C-L"), places=asked)
    found = compare(one, other)
    pd.testing.assert_frame_equal(found.because, result.because)
    assert found.towns["change"].tolist() == result.towns["change"].tolist()
    assert found.population is None
    assert "people" not in found.counties.columns


def test_from_the_centre_too() -> None:
    net = whole()
    there = compare(net.at(2022), net.at(2025), CENTRE, 60, places=towns(), direction="from")
    assert there.towns["change"].tolist()[:3] == ["gained", "gained", "gained"]
    assert there.towns.loc["#T", "because"] == "一号高速"


def test_nothing_changes_when_a_scenario_is_undone() -> None:
    net = whole().at(2022)
    undone = net.without("C-T").with_links("C-T")
    found = compare(net, undone, CENTRE, 60, places=towns())
    assert (found.towns["saved_min"] == 0).all()
    assert found.because.empty
    assert "圈内外没有变化。" in found.summary()


def test_faster_roads_need_no_project_to_be_the_reason() -> None:
    net = whole().at(2022)
    found = compare(net, net.scaled(2.0), CENTRE, 60, places=towns())
    assert found.towns.loc["#T", "change"] == "gained"
    assert found.because.empty
    assert found.towns["because"].tolist() == [""] * 6


def test_only_what_saves_enough_is_explained() -> None:
    net = whole()
    few = compare(net.at(2022), net.at(2025), CENTRE, 30, places=towns(), least_min=38)
    assert set(few.because["place"]) == {"#T", "#F"}  # S saves 25, G 35


def test_a_place_reached_for_the_first_time_is_explained() -> None:
    plan = {"status": "在建", "planned_year": 2025}
    nodes = [node(name, 107 + x, 27) for name, x in (("C", 0), ("D", 0.2), ("Z", 0.6))]
    net = network(nodes, [link("C", "D", 20, open_year=2010),
                          link("D", "Z", 100, id="z", name="末路", **plan)])  # fmt: skip
    town = gpd.GeoDataFrame({"name": ["Z"]}, geometry=[net.nodes.geometry.iloc[2]], crs=4326)
    found = compare(net.at(2022), net.at(2025), CENTRE, 60, places=town)
    assert found.towns["change"].tolist() == ["never"]
    row = found.because.iloc[0]
    assert (row["title"], row["confirmed"], row["decisive"]) == ("末路", True, False)
    assert np.isinf(row["minutes_without"])


def test_answers_of_the_callers_own_are_kept() -> None:
    net = whole()
    mine = towns(change=["mine"] * 6)
    found = compare(net.at(2022), net.at(2025), CENTRE, 60, places=mine)
    assert found.towns["change_given"].tolist() == ["mine"] * 6
    again = compare(found.before, found.after)
    assert again.towns["change"].tolist() == found.towns["change"].tolist()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"minutes": 45}, "differ in minutes: 60.* before, 45"),
        ({"direction": "from"}, "differ in direction: to before, from after"),
        ({"modes": ("road",)}, "differ in modes"),
        ({"centre": (107.01, 27.0)}, r"differ in centre: \(107, 27\)"),
        ({"places": "TFSN"}, "different places .6 before, 4 after"),
    ],
)
def test_circles_that_were_asked_something_else(change: dict[str, object], told: str) -> None:
    net = whole().at(2022)
    asked = {"centre": CENTRE, "minutes": 60, "network": net, "places": "TFSNLG", **change}
    one = commuting_circle(CENTRE, 60, net, places=towns())
    other = commuting_circle(**{**asked, "places": towns(str(asked["places"]))})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=told):
        compare(one, other)


def test_what_cannot_be_compared_is_named() -> None:
    net = whole().at(2022)
    circle = commuting_circle(CENTRE, 60, net, places=towns())
    with pytest.raises(InputError, match="centre is missing"):
        compare(net, net)
    with pytest.raises(InputError, match="before is a Network, after a CommutingCircle"):
        compare(net, circle)
    with pytest.raises(InputError, match="have their own centre"):
        compare(circle, circle, CENTRE)
    with pytest.raises(InputError, match="least_min is -1"):
        compare(net, net, CENTRE, least_min=-1)
    with pytest.raises(InputError, match="minutes is 0"):
        compare(net, net, CENTRE, 0)
    with pytest.raises(InputError, match="'folk', which is no column"):
        compare(circle, circle, population="folk")


def test_networks_that_cover_different_places_are_asked_about_all() -> None:
    old, new = Network.backbone(2022), Network.backbone(2025)
    found = compare(old, new, "贵阳", 30)
    assert len(found.towns) == len(found.before.towns) == len(found.after.towns)
    assert (found.towns["saved_min"].dropna() >= -1e-9).all()  # a new road never lengthens a time
