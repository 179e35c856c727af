"""A commuting circle as a layer: its entries, its list of times, its names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import minimap
import pytest
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import CRSError, InputError
from urbangeo.maps.circlelayer import CircleLayer, circle_bands, make_circle
from urbangeo.maps.drawing import window
from urbangeo.maps.sheet import new_sheet
from urbangeo.maps.style import settings

CRS = equal_area((10, 46, 13, 48))
NONE: frozenset[int] = frozenset()


def made(**changes: Any) -> CircleLayer:
    return make_circle(minimap.circle(**changes), CRS)


def seen(*bounds: float) -> BaseGeometry:
    """A window, degrees, in the map's metres."""
    return gpd.GeoSeries([box(*bounds)], crs=WGS84).to_crs(CRS).iloc[0].envelope


ALL = seen(9, 45, 14, 49)
NEAR = seen(11.4, 46.9, 11.8, 47.15)


def test_the_entries_of_all_that_is_seen() -> None:
    entries = [(one.text, one.other) for one in made().entries(ALL)]
    assert entries == [
        ("通勤中心", "Centre"),
        ("前往中心行程时间", "Time to the centre"),
        ("0–30 分钟", "0–30 min"),
        ("30–60 分钟", "30–60 min"),
        ("60–90 分钟", "60–90 min"),
        ("60 分钟圈界", "Limit of 60 min"),
        ("城镇", "Towns"),
        ("圈内（3 处）", "Inside (3)"),
        ("临界（余量小于路网误差）（1 处）", "Borderline (within its error) (1)"),
        ("圈外（1 处）", "Outside (1)"),
        ("不可达（1 处）", "Not reachable (1)"),
        ("未接入路网（1 处）", "Not on the network (1)"),
        ("路网（骨架）", "Network (skeleton)"),
        ("高速铁路", "High-speed railway"),
        ("高速公路", "Expressway"),
        ("普通国道", "National road"),
        ("省道及以下公路", "Provincial and lesser road"),
    ]


def test_towns_beyond_the_window_are_counted_all_the_same() -> None:
    """桥头 at 11.7° E is seen, so are 中心镇 and 近城县; a fourth inside lies beyond."""
    towns = minimap.circle().towns
    towns.loc[towns["name"] == "远山县", ["status", "minutes"]] = ["inside", 50.0]
    texts = [one.text for one in made(towns=towns).entries(NEAR)]
    assert "圈内（4 处，图内 3 处）" in texts
    assert not any(text.startswith("不可达") for text in texts)
    others = [one.other for one in made(towns=towns).entries(NEAR)]
    assert "Inside (4, 3 on the map)" in others


def test_title_heading_and_footer_in_two_languages() -> None:
    circle = made()
    assert circle.title() == "中心市60分钟通勤圈"
    assert circle.title("en") == "60-minute commuting circle of 中心市"
    assert (circle.heading(), circle.heading("en")) == ("通勤圈分析", "Commuting circle")
    assert circle.footer(ALL) == ["大号符号为市县驻地，小号为城镇", "2022 年末路网；速度方案：常态"]
    assert circle.footer(ALL, "en") == [
        "Large signs: seats; small ones: towns",
        "Network at the end of 2022; speeds: nominal",
    ]
    bare = made(network={})
    assert bare.footer(ALL)[-1] == "路网年份未定；速度方案：未注明"
    assert bare.footer(ALL, "en")[-1] == "Network of no stated year; speeds: not stated"
    # A network that does not say so is no survey.
    assert bare.schematic
    about = SimpleNamespace(title="某规划区")
    assert made(extent=about).heading() == "某规划区"


def test_seats_within_by_their_minutes() -> None:
    assert made().times() == ("圈内市县驻地（分钟）", [("中心镇", "3"), ("近城县", "21")])
    towns = minimap.circle().towns
    assert made(towns=towns.assign(kind="town")).times("en") == (
        "Towns inside (minutes)",
        [("中心镇", "3"), ("近城县", "21"), ("桥头", "40"), ("河口", "59")],
    )
    assert made(towns=towns.iloc[:0]).times() == ("", [])


def test_names_of_centres_seats_towns_and_roads() -> None:
    with settings():
        west, south, east, north = made().bounds
        axes = new_sheet((west, south, east, north), CRS).map
        labels = {one.texts[0]: one for one in made().labels(axes, NONE)}
        assert window(axes).covers(box(west, south, east, north))
    assert {"中心市", "中心镇", "近城县", "桥头", "河口", "远山县", "孤岛", "G1"} == set(labels)
    assert labels["中心市"].required
    # Seats inside must be named, towns and seats outside may be.
    assert [labels[one].required for one in ("近城县", "桥头", "远山县")] == [True, False, False]
    assert labels["G1"].badge
    assert len(labels["G1"].spots) == 11
    # A national road bears no number.
    assert "G101" not in labels


def test_a_road_bears_its_first_number_if_it_is_seen() -> None:
    with settings():
        axes = new_sheet((-50_000, -50_000, 50_000, 50_000), CRS).map
    edge = axes.get_xlim()[1]
    links = gpd.GeoDataFrame(
        {"class": ["expressway"] * 3, "ref": ["G1;G2", "G9", ""]},
        geometry=[
            LineString([(0, 0), (9000, 0)]),
            LineString([(edge, 0), (edge + 9000, 0)]),
            LineString([(0, 5), (9000, 5)]),
        ],
        crs=CRS,
    )
    circle = made(net=SimpleNamespace(links=links))
    roads = [one.texts[0] for one in circle.labels(axes, NONE) if one.key.startswith("road")]
    assert roads == ["G1"]


def test_what_lies_beneath_another_sign_is_not_named() -> None:
    circle = made()
    with settings():
        axes = new_sheet(circle.bounds, CRS).map
    count = len(circle.symbols(axes))
    # The centre comes first among the signs.
    hidden = frozenset({1})
    named = {one.texts[0] for one in circle.labels(axes, hidden)}
    assert "中心镇" not in named
    assert "中心市" in named
    assert count == 1 + 6


def test_bands_are_drawn_near_to_far_and_empty_ones_left_out() -> None:
    bands = minimap.circle().bands.iloc[::-1].reset_index(drop=True)
    bands.loc[0, "geometry"] = Point(0, 0).buffer(0)
    circle = made(bands=bands)
    assert list(circle.bands["minutes_from"]) == [0, 30, 60]
    assert [high for _, high, *_ in circle._drawn_bands()] == [30, 60]


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="has no centre"):
        circle_bands(minimap.circle(centres=[]))
    empty = minimap.circle().bands.set_geometry([Point(0, 0).buffer(0)] * 3)
    with pytest.raises(InputError, match=r"has no band.*reach its centre"):
        circle_bands(minimap.circle(bands=empty))
    links = minimap.circle().net.links.set_crs(None, allow_override=True)
    with pytest.raises(CRSError, match="links of the network"):
        made(net=SimpleNamespace(links=links))
