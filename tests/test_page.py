"""One page that opens with no network."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from grids import link, network, node, square_grid
from shapely.geometry import Point

from urbangeo.access import CommutingCircle, commuting_circle
from urbangeo.errors import InputError
from urbangeo.page import circle_page

pytest.importorskip("bokeh", reason="the extra html is not installed")


class Parts(HTMLParser):
    """The parts of a page: tags with their attributes, cells of the table, text by tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag == "th":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag = self._open[-1] if self._open else ""
        if tag == "td":
            self.rows[-1][-1] += data
        elif tag == "th":
            self.headings[-1] += data
        self.text[tag] = self.text.get(tag, "") + data


def figure_of(text: str) -> dict[str, object]:
    found = re.search(
        r'<script type="application/json" id="figure">(.*?)</script>', text, re.DOTALL
    )
    assert found is not None
    made: dict[str, object] = json.loads(found[1])
    return made


def sources(text: str) -> dict[str, dict[str, list[object]]]:
    """Columns of the named sources of a page's figure."""
    found = {}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            inside = value.get("attributes", {})
            name = inside.get("name") if isinstance(inside, dict) else None
            if value.get("name") == "ColumnDataSource" and name:
                found[name] = dict(inside["data"]["entries"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(figure_of(text))
    return found


@pytest.fixture(scope="module")
def circle() -> CommutingCircle:
    """Four places on a schematic road: 10, 58 and 100 minutes away, and off it."""
    nodes = [node("A", 107.0, 27.0), node("B", 107.1, 27.0), node("C", 107.6, 27.0)]
    nodes += [node("D", 108.0, 27.0)]
    links = [link("A", "B", 10, ref="G1"), link("B", "C", 48), link("C", "D", 42)]
    net = network(nodes, links, schematic=True, attribution=("纸面（测试）",))
    places = gpd.GeoDataFrame(
        {
            "name": ["乙", "</script><b>丙", "丁", "戊"],
            "kind": ["county_seat", "town", "town", "town"],
            "county": ["乙县", "乙县", "丁县", "丁县"],
            "adcode": ["520001", "520001", "520002", "520002"],
        },
        geometry=[Point(107.1, 27), Point(107.6, 27), Point(108, 27), Point(107.3, 27.4)],
        crs=4326,
        index=["k", "k", "l", "m"],
    )
    return commuting_circle((107.0, 27.0), 60, net, places=places)


@pytest.fixture(scope="module")
def text(circle: CommutingCircle) -> str:
    return circle_page(circle).text


def test_nothing_is_fetched(text: str) -> None:
    parts = Parts(text)
    for tag, attributes in parts.tags:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}, tag
        assert not {"src", "href", "srcset", "data", "action"} & set(attributes), (tag, attributes)
    policy = next(one for _, one in parts.tags if one.get("http-equiv"))
    assert policy["content"] is not None
    assert policy["content"].startswith("default-src 'none';")
    assert "http" not in policy["content"]
    assert not re.search(r"@import|url\(", parts.text["style"])


def test_the_table_stands_beside_the_map_and_finds_its_points(
    circle: CommutingCircle, text: str
) -> None:
    parts = Parts(text)
    assert parts.headings == [
        *("名称", "县（市、区）", "结论", "分钟", "余量", "可慢倍数", "方式", "路径")
    ]
    body = [row for row in parts.rows if row]
    assert [row[0] for row in body] == ["乙", "</script><b>丙", "丁", "戊"]
    assert [row[2] for row in body] == ["圈内", "圈内", "圈外", "未接入"]
    assert [row[3] for row in body] == ["10.0", "58.0", "100.0", "—"]
    points = sources(text)
    marked = [one for tag, one in parts.tags if tag == "tr" and "data-s" in one]
    for row, attributes in zip(body, marked, strict=True):
        source = points[f"places:{attributes['data-s']}"]
        assert source["name"][int(attributes["data-i"] or -1)] == row[0]


def test_hover_tells_minutes_margin_and_legs(text: str) -> None:
    inside = sources(text)["places:inside"]
    assert inside["minutes"] == ["10.0", "58.0"]
    assert inside["margin"] == ["50.0", "2.0"]
    assert inside["breakeven"] == ["6.00", "1.03"]
    assert inside["way"][0] == "G1（乙—(107, 27)） 10 分"
    tooltip = json.dumps(figure_of(text), ensure_ascii=False)
    for field in ("@name", "@minutes", "@margin", "@way"):
        assert field in tooltip


def test_a_name_can_neither_end_a_script_nor_become_a_tag(text: str) -> None:
    parts = Parts(text)
    assert "b" not in {tag for tag, _ in parts.tags}
    assert text.count("</script>") == len([1 for tag, _ in parts.tags if tag == "script"])
    assert sources(text)["labels"]["name"][-1] == "戊"


def test_it_says_what_it_is_and_where_from(circle: CommutingCircle, text: str) -> None:
    parts = Parts(text)
    assert parts.text["title"] == "(107, 27) 60 分钟通勤圈（示意）"
    assert parts.text["span"] == "示意"
    notes = parts.text["li"]
    for one in (circle.network["digest"], "纸面网（全部年份，示意）", "纸面（测试）", "替代指标"):
        assert one in notes
    assert "所问 4 处中有 2 处在圈内" in parts.text["p"]
    assert 'lang="zh-CN"' in text


def test_every_layer_has_its_entry_in_the_legend(text: str) -> None:
    labels: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if value.get("name") == "LegendItem":
                labels.append(value["attributes"]["label"]["value"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(figure_of(text))
    assert labels[:4] == ["0–30 分钟", "30–60 分钟", "60–90 分钟", "60 分钟圈界"]
    assert labels[4:] == ["普通国道", "圈外", "未接入路网", "圈内", "中心"]


def test_the_same_circle_gives_the_same_bytes(circle: CommutingCircle, text: str) -> None:
    assert circle_page(circle).text == text
    assert circle.explore().text == text


def test_a_network_that_is_none_of_a_sketch_is_not_called_one() -> None:
    circle = commuting_circle((107.0, 27.0), 2, square_grid(), places=(107.01, 27.0))  # type: ignore[arg-type]
    page = circle_page(circle)
    assert page.title == "(107, 27) 2 分钟通勤圈"
    assert '<span class="badge">' not in page.text


def test_several_centres_name_whose_each_place_is() -> None:
    both = gpd.GeoDataFrame(
        {"name": ["西", "东"]}, geometry=[Point(107, 27), Point(107.04, 27)], crs=4326
    )
    places = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(107.01, 27)], crs=4326)
    page = circle_page(commuting_circle(both, 3, square_grid(), places=places))
    parts = Parts(page.text)
    row = next(row for row in parts.rows if row)
    assert row[parts.headings.index("中心")] == "西"
    assert sources(page.text)["places:inside"]["centre"] == ["西"]


def test_chance_is_shown_where_it_was_asked_for(circle: CommutingCircle) -> None:
    sure = circle.how_sure(runs=20)
    parts = Parts(circle.explore(sure).text)
    place = parts.headings.index("圈内机会")
    body = [row for row in parts.rows if row]
    assert body[0][place] == "100%"
    assert body[3][place : place + 2] == ["0%", "—"]
    shown = [row[place] for row in body]
    assert shown == [f"{100 * one:.0f}%" for one in sure["share_inside"]]
    with pytest.raises(InputError, match="sure is not of this circle"):
        circle.explore(sure.iloc[:2])
    with pytest.raises(InputError, match="share_inside"):
        circle.explore(circle.how_sure())


def test_small_roads_are_left_out_where_there_are_too_many(
    circle: CommutingCircle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urbangeo.page.MOST_POINTS", 3)
    text = circle_page(circle).text
    assert "图上未画较小的道路 3 段（仍参加计算）" in Parts(text).text["li"]


def test_bokeh_that_is_missing_is_named(
    circle: CommutingCircle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "bokeh" else find(name))
    monkeypatch.delitem(sys.modules, "bokeh", raising=False)
    with pytest.raises(InputError, match=r'pip install "urbangeo\[html\]"'):
        circle.to_html(tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_written_whole(circle: CommutingCircle, text: str, tmp_path: Path) -> None:
    circle.to_html(tmp_path / "a.html")
    circle.to_file(tmp_path / "b.html")
    for name in ("a.html", "b.html"):
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    frame = circle.explore()._repr_html_()
    assert frame.startswith("<iframe srcdoc=")


def test_all_coordinates_are_numbers(text: str) -> None:
    for name, columns in sources(text).items():
        assert np.isfinite(np.array([columns["x"], columns["y"]], dtype=float)).all(), name
