"""Results for people and machines."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from grids import link, network, node
from shapely.geometry import Point

from urbangeo.access import CommutingCircle, commuting_circle
from urbangeo.errors import InputError, OutputError
from urbangeo.report import (
    by_time,
    circle_record,
    circle_table,
    people_table,
    summarise,
    write_circle,
)


@pytest.fixture(scope="module")
def circle() -> CommutingCircle:
    """A centre and four places: 10 and 58 minutes away, 100, and nowhere."""
    nodes = [node("A", 107.0, 27.0), node("B", 107.1, 27.0), node("C", 107.6, 27.0)]
    nodes += [node("D", 108.0, 27.0)]
    net = network(
        nodes, [link("A", "B", 10), link("B", "C", 48), link("C", "D", 42)], schematic=True
    )
    places = gpd.GeoDataFrame(
        {
            "name": ["乙", "丙", "丁", "戊"],
            "kind": ["county_seat", "town", "town", "town"],
            "county": ["乙县", "乙县", "丁县", "丁县"],
            "adcode": ["520001", "520001", "520002", "520002"],
        },
        geometry=[Point(107.1, 27), Point(107.6, 27), Point(108, 27), Point(107.3, 27.4)],
        crs=4326,
    )
    return commuting_circle((107.0, 27.0), 60, net, places=places)


def test_summary_says_who_how_many_how_sure_and_what_it_is(circle: CommutingCircle) -> None:
    text = summarise(circle)
    assert "60 分钟以内" in text
    assert "所问 4 处中有 2 处在圈内，其中县城（城区）1 个、镇 1 个" in text
    assert "圈内最远的是丙，58.0 分钟" in text
    assert "余量不足 5 分钟的有丙" in text
    assert "道路用时增加 10%，丙掉出圈外" in text
    assert "未接入的有戊" in text
    assert "替代指标" in text
    assert "示意" in text


def test_summary_of_an_empty_circle() -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 30)])
    far = gpd.GeoDataFrame({"name": ["乙"]}, geometry=[Point(107.1, 27)], crs=4326)
    text = summarise(commuting_circle((107.0, 27.0), 20, net, places=far))
    assert "所问 1 处中有 0 处在圈内。" in text
    assert "最远" not in text
    assert "示意" not in text


def test_table_for_people_is_nearest_first_in_chinese(circle: CommutingCircle) -> None:
    table = circle_table(circle)
    assert table["名称"].tolist() == ["乙", "丙", "丁", "戊"]
    assert table["结论"].tolist() == ["圈内", "圈内", "圈外", "未接入"]
    assert table["分钟"].tolist()[:3] == [10, 58, 100]
    assert table["路径"].iloc[3].startswith("距最近可进入")
    assert circle_table(circle, all_rows=False)["名称"].tolist() == ["乙", "丙"]


def test_several_centres_have_a_column() -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 30)])
    spots = gpd.GeoDataFrame(
        {"name": ["a", "b"]}, geometry=[Point(107, 27), Point(107.1, 27)], crs=4326
    )
    table = circle_table(commuting_circle(spots, 10, net, places=spots))
    assert table["中心"].tolist() == ["a", "b"]


def test_summary_of_several_centres_says_whose_the_places_are() -> None:
    nodes = [node(name, 107 + place / 10, 27.0) for place, name in enumerate("ABCDE")]
    links = [link(a, b, 10) for a, b in ("AB", "BC", "CD", "DE")]
    net = network(nodes, links)
    spots = gpd.GeoDataFrame(
        {"name": list("abcde")}, geometry=[Point(107 + one / 10, 27) for one in range(5)], crs=4326
    )
    # 20 minutes from a reach a, b, c; from d all but a
    text = summarise(commuting_circle(spots.iloc[[0, 3]], 20, net, places=spots))
    assert "按最近的中心分：a 2 处、d 3 处；同时在几个中心圈内的 2 处（b、c）；" in text
    assert "哪个中心都到不了的 0 处。" in text
    near = summarise(commuting_circle(spots.iloc[[0, 3]], 5, net, places=spots))
    assert "同时在几个中心圈内的 0 处；哪个中心都到不了的 3 处。" in near
    assert "按最近的中心" not in summarise(commuting_circle(spots.iloc[[0]], 20, net, places=spots))


def test_table_in_the_order_of_the_towns(circle: CommutingCircle) -> None:
    backwards = commuting_circle(
        (107.0, 27.0), 60, circle.net, places=circle.towns.iloc[::-1][["name", "geometry"]]
    )
    assert people_table(backwards)["名称"].tolist() == ["戊", "丁", "丙", "乙"]
    order = by_time(backwards)
    assert order.tolist() == [3, 2, 1, 0]
    assert people_table(backwards)["名称"].iloc[order].tolist() == ["乙", "丙", "丁", "戊"]
    full = people_table(circle, full_legs=True)["路径"].iloc[0]
    assert full == "国道（乙—(107, 27)） 10 分"


def test_counties_for_people_without_what_nobody_knows(tmp_path: Path) -> None:
    spots = gpd.GeoDataFrame(
        {
            "name": ["乙", "丙"],
            "kind": ["county_seat", "town"],
            "county": ["乙县", "乙县"],
            "adcode": ["520001", "520001"],
            "people": [300, 100],
        },
        geometry=[Point(107, 27), Point(107.1, 27)],
        crs=4326,
    )
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 30)])
    commuting_circle((107.0, 27.0), 20, net, places=spots).to_file(tmp_path / "a.xlsx")
    sheet = pd.read_excel(tmp_path / "a.xlsx", sheet_name="县（市、区）")
    assert sheet["县城结论"].tolist() == ["圈内"]
    assert "人口" not in sheet.columns
    known = commuting_circle((107.0, 27.0), 20, net, places=spots, population="people")
    known.to_file(tmp_path / "b.xlsx")
    sheet = pd.read_excel(tmp_path / "b.xlsx", sheet_name="县（市、区）")
    row = sheet.iloc[0]
    assert (row["人口"], row["圈内人口"], row["人口占比"]) == (400, 300, 0.75)
    assert row["人口口径"] == "按地点"


def test_record_is_plain_json(circle: CommutingCircle) -> None:
    record = json.loads(json.dumps(circle_record(circle), allow_nan=False))
    assert set(record) >= {"centre", "minutes", "network", "towns", "counties"}
    first = record["towns"][0]
    assert (first["name"], first["status"], first["minutes"]) == ("乙", "inside", 10)
    assert first["legs"] == [
        {"mode": "road", "name": "国道", "minutes": 10, "km": 10, "from": "乙", "to": "(107, 27)"}
    ]
    assert record["towns"][3]["minutes"] is None
    assert len(record["network"]["digest"]) == 64


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "geojson", "gpkg"])
def test_the_same_bytes_every_time(
    circle: CommutingCircle, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / "later" / f"a.{suffix}"
    write_circle(circle, first)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    write_circle(circle, second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([first.name, "later"])


def test_csv_reads_back(circle: CommutingCircle, tmp_path: Path) -> None:
    circle.to_file(tmp_path / "a.csv")
    back = pd.read_csv(tmp_path / "a.csv", dtype={"adcode": str})
    assert back["adcode"].tolist() == ["520001", "520001", "520002", "520002"]
    assert back["minutes"].tolist()[:3] == [10, 58, 100]


def test_geopackage_holds_layers_and_what_was_asked(
    circle: CommutingCircle, tmp_path: Path
) -> None:
    path = tmp_path / "a.gpkg"
    circle.to_file(path)
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert names == {"towns", "circle", "bands", "centres", "about"}
    assert gpd.read_file(path, layer="towns")["status"].tolist() == circle.towns["status"].tolist()
    assert gpd.read_file(path, layer="circle").crs == "EPSG:4326"
    about = pyogrio.read_dataframe(path, layer="about").set_index("key")["value"]
    assert about["network.digest"] == circle.network["digest"]
    assert "示意" in about["summary"]


def test_columns_that_a_geopackage_keeps_for_itself(tmp_path: Path) -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 30)])
    mine = gpd.GeoDataFrame(
        {"fid": [7, 7], "Name": ["甲", "乙"], "geom": ["x", "y"], "status": ["s", "t"], 5: [1, 2]},
        geometry=[Point(107, 27), Point(107.1, 27)],
        crs=4326,
    )
    circle = commuting_circle((107.0, 27.0), 60, net, places=mine)
    for name, layer in (("a.gpkg", "towns"), ("a.geojson", "a")):
        circle.to_file(tmp_path / name)
        back = gpd.read_file(tmp_path / name, layer=layer)
        assert back["fid_given"].tolist() == [7, 7]
        assert back["status"].tolist() == ["inside", "inside"]
        assert back["status_given"].tolist() == ["s", "t"]
        assert back["Name_given"].tolist() == ["甲", "乙"]


def test_geojson_says_what_was_asked(circle: CommutingCircle, tmp_path: Path) -> None:
    circle.to_file(tmp_path / "a.geojson")
    about = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["description"]
    assert circle.network["digest"] in about
    assert "示意" in about


def test_the_callers_index_is_a_column(tmp_path: Path) -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 30)])
    mine = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(107, 27)], crs=4326, index=["k9"])
    commuting_circle((107.0, 27.0), 60, net, places=mine).to_file(tmp_path / "a.csv")
    assert pd.read_csv(tmp_path / "a.csv")["index"].tolist() == ["k9"]


def test_workbook_has_towns_counties_and_what_was_asked(
    circle: CommutingCircle, tmp_path: Path
) -> None:
    circle.to_file(tmp_path / "a.xlsx")
    sheets = pd.read_excel(tmp_path / "a.xlsx", sheet_name=None)
    assert list(sheets) == ["城镇", "县（市、区）", "说明"]
    assert sheets["城镇"]["名称"].tolist() == ["乙", "丙", "丁", "戊"]


def test_an_unknown_suffix_is_named(circle: CommutingCircle, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"end it in \.csv, \.xlsx"):
        circle.to_file(tmp_path / "a.docx")


def test_where_nothing_can_be_written_nothing_is_left(
    circle: CommutingCircle, tmp_path: Path
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(OutputError, match="Cannot write"):
        circle.to_file(blocker / "a.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        circle.to_file(tmp_path / "a.csv")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "file"]
