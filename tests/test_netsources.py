"""Rows of the network and of circles: towns with years and verdicts, areas, what is missed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import minimap
import pytest
from shapely.geometry import Point, box

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps import netsources
from urbangeo.maps.fetched import Fetched
from urbangeo.maps.netsources import circle_of, from_circle, from_network, town_verdicts
from urbangeo.maps.records import LayerRecord

CIRCLE = minimap.circle()


def layer(source: str, **record: Any) -> LayerRecord:
    return LayerRecord(**{"name": "某层", "source": source, **record})


# Towns --------------------------------------------------------------------------------------------


def of_given(**record: Any) -> Fetched:
    return from_circle(layer("circle:towns", **record), {"circle": CIRCLE})


def test_towns_with_their_verdict_and_whole_minutes() -> None:
    """河口 is inside by less than the network's error; 孤岛 and 天边 have no time."""
    frame = of_given().frame.set_index("name")
    assert frame["verdict"].to_dict() == {
        "中心镇": "inside",
        "近城县": "inside",
        "桥头": "inside",
        "河口": "borderline",
        "远山县": "outside",
        "孤岛": "unreachable",
        "天边": "unsnapped",
    }
    assert frame["rounded"].to_list() == ["3", "21", "40", "59", "80", "", ""]
    assert frame["since"].to_list() == ["inside"] * 4 + ["outside"] * 3


def test_a_town_has_its_short_name_too() -> None:
    names = ["道真仡佬族苗族自治县", "仁怀市", *CIRCLE.towns["name"][2:]]
    given = {"circle": minimap.circle(towns=CIRCLE.towns.assign(name=names))}
    frame = from_circle(layer("circle:towns"), given).frame
    assert frame["short"].to_list()[:3] == ["道真县", "仁怀市", "桥头"]


def test_towns_are_filtered_as_other_rows() -> None:
    found = of_given(where={"kind": ("county_seat",)}, where_not={"verdict": ("outside",)})
    assert found.frame["name"].to_list() == ["中心镇", "近城县"]
    assert found.total == 2
    with pytest.raises(UnknownNameError, match="'verdikt'"):
        of_given(where={"verdikt": ("inside",)})


def test_a_circle_says_whose_network_it_rests_on() -> None:
    found = of_given()
    assert (found.year, found.digest) == (2022, "0123456789abcdef")
    assert found.attributions == ("示例路网提供者",)
    assert found.schematic
    real = minimap.circle(network={**CIRCLE.network, "schematic": False})
    assert not from_circle(layer("circle:towns"), {"circle": real}).schematic


def reached(*inside: str) -> SimpleNamespace:
    """A circle within which these of four towns lie."""
    rows = [
        minimap.town_row(
            name, "town", 11.5, 47, "inside" if name in inside else "outside", 50 + number
        )
        for number, name in enumerate("甲乙丙丁")
    ]
    towns = gpd.GeoDataFrame(rows, crs=4326).assign(adcode=["520302", "520382", "520102", ""])
    return minimap.circle(towns=towns)


@pytest.fixture
def three_years(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """甲 is inside from 2022, 乙 from 2025, 丙 from 2035, 丁 never; what was asked is kept."""
    circles = {2022: reached("甲"), 2025: reached("甲", "乙"), 2035: reached("甲", "乙", "丙")}
    asked = []

    def stand_in(centres: Any, minutes: Any, year: Any, direction: Any, profile: Any) -> Any:
        asked.append((centres, minutes, year, direction, profile))
        return circles[year]

    monkeypatch.setattr(netsources, "computed_circle", stand_in)
    return asked


ASKED = {"centres": ("贵阳",), "minutes": 90.0, "years": (2022, 2025, 2035), "direction": "from"}


def test_towns_tell_since_when_they_are_inside(three_years: list[tuple[Any, ...]]) -> None:
    found = from_circle(layer("circle:towns", **ASKED), {})
    assert found.frame["since"].to_list() == ["2022", "2025", "2035", "outside"]
    # Verdict and minutes are those of the last year.
    assert found.frame["verdict"].to_list() == ["inside"] * 3 + ["outside"]
    assert three_years == [(("贵阳",), 90.0, year, "from", "") for year in (2022, 2025, 2035)]


def test_towns_within_an_extent(three_years: list[tuple[Any, ...]]) -> None:
    """红花岗区 and 仁怀市 belong to the metropolitan area of 遵义, 南明区 does not."""
    record = layer("circle:towns", within="zunyi-metro-2022/zunyi-metro", **ASKED)
    assert from_circle(record, {}).frame["name"].to_list() == ["甲", "乙"]


def test_a_circle_that_is_given_stands_for_all_years() -> None:
    found = of_given(years=(2022, 2025))
    assert found.frame["since"].to_list() == ["2025"] * 4 + ["outside"] * 3


def test_an_unknown_status_is_named() -> None:
    towns = CIRCLE.towns.assign(status="maybe")
    with pytest.raises(InputError, match="the status 'maybe'; known: inside, borderline"):
        town_verdicts(towns)
    without = CIRCLE.towns.drop(columns="borderline")
    assert town_verdicts(without).to_list()[3] == "inside"


# Areas --------------------------------------------------------------------------------------------


def test_the_area_of_a_circle() -> None:
    found = from_circle(layer("circle:area", centres=("甲", "乙")), {"circle": CIRCLE})
    (row,) = found.frame.to_dict("records")
    assert (row["name"], row["minutes"], row["year"]) == ("甲、乙", 60.0, "2022")
    assert row["geometry"].equals(CIRCLE.polygon)


def test_an_area_for_each_year(three_years: list[tuple[Any, ...]]) -> None:
    assert from_circle(layer("circle:area", **ASKED), {}).total == 3


def test_what_of_an_extent_a_circle_misses() -> None:
    """A circle that covers all south of 27.5° N: the rest of the extent lies north of it."""
    from urbangeo.plans import extent

    name = "zunyi-metro-2022/zunyi-metro"
    south = box(100, 20, 115, 27.5)
    circle = minimap.circle(polygon=south)
    found = from_circle(layer("circle:missing", within=name), {"circle": circle})
    (missing,) = found.frame.geometry
    outline = extent(name).outline
    assert missing.bounds[1] == pytest.approx(27.5)
    assert missing.area + outline.intersection(south).area == pytest.approx(outline.area)
    everything = minimap.circle(polygon=box(100, 20, 115, 35))
    (nothing,) = from_circle(
        layer("circle:missing", within=name), {"circle": everything}
    ).frame.geometry
    assert nothing.is_empty


# Which network ------------------------------------------------------------------------------------


class Net:
    """A network that tells which year it was asked for."""

    def __init__(self, year: int | None = None) -> None:
        self.year = year
        rows = {"class": ["expressway", "national"], "ref": ["G75", "G210"]}
        points = [Point(107, 27), Point(108, 28)]
        self.links = gpd.GeoDataFrame(rows, geometry=points, crs=4326)

    def at(self, year: int) -> Net:
        return Net(year)

    def describe(self) -> dict[str, Any]:
        return {"year": self.year, "schematic": False, "attribution": ["某网", ""]}


def test_links_of_a_network_that_is_given() -> None:
    record = layer("network", where={"class": ("expressway",)})
    found = from_network(record, {"network": Net(2030)})
    assert found.frame["ref"].to_list() == ["G75"]
    assert (found.year, found.schematic, found.attributions) == (2030, False, ("某网",))
    assert found.digest == ""
    assert from_network(layer("network", year=2025), {"network": Net(2030)}).year == 2025
    assert from_network(layer("network"), {"network": Net()}).year is None


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Keeps what circles were asked for, and computes none."""
    from urbangeo.access import circle

    asked = []

    def stand_in(centre: Any, minutes: Any, network: Any, *, direction: str) -> Any:
        year = network.year if isinstance(network, Net) else network
        asked.append({"centre": centre, "minutes": minutes, "net": year, "direction": direction})
        return CIRCLE

    monkeypatch.setattr(circle, "commuting_circle", stand_in)
    monkeypatch.setattr(netsources, "skeleton", lambda year, profile: (year, profile))
    netsources.computed_circle.cache_clear()
    yield asked
    netsources.computed_circle.cache_clear()


def test_a_circle_is_computed_as_the_layer_says(made: list[dict[str, Any]]) -> None:
    record = layer("circle", centres=("贵阳",), minutes=45.0, direction="from", profile="peak")
    assert circle_of(record, {}) is CIRCLE
    assert made == [
        {"centre": ["贵阳"], "minutes": 45.0, "net": (2022, "peak"), "direction": "from"}
    ]


def test_what_is_given_goes_before_and_the_rest_stays(made: list[dict[str, Any]]) -> None:
    record = layer("circle", centres=("贵阳",), minutes=45.0, direction="from", year=2035)
    circle_of(record, {"centre": "遵义", "minutes": None})
    circle_of(record, {"network": Net(2030)})
    assert made == [
        {"centre": "遵义", "minutes": 45.0, "net": (2035, ""), "direction": "from"},
        {"centre": ["贵阳"], "minutes": 45.0, "net": 2030, "direction": "from"},
    ]
    assert circle_of(record, {"circle": "given"}) == "given"


def test_towns_are_asked_of_the_network_that_is_given(made: list[dict[str, Any]]) -> None:
    record = layer("circle:towns", centres=("贵阳",), years=(2025, 2035))
    from_circle(record, {"network": Net(2022)})
    assert [one["net"] for one in made] == [2025, 2035]
    made.clear()
    from_circle(layer("circle:area", centres=("贵阳",)), {"network": Net(2030)})
    assert [one["net"] for one in made] == [2030]


def test_minutes_without_a_number_are_blank() -> None:
    frame = of_given().frame
    blank = frame.loc[frame["minutes"].map(math.isnan), "rounded"]
    assert blank.to_list() == ["", ""]
