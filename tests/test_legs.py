"""The way told as legs."""

from __future__ import annotations

import geopandas as gpd
import pytest
from grids import link, network, node, service
from shapely.geometry import Point

from urbangeo.access import commuting_circle
from urbangeo.access.legs import Leg, describe_legs
from urbangeo.network import Network


def corridor() -> Network:
    nodes = [
        node("A", 107.0, 27.0, name="甲"),
        node("X", 107.02, 27.0, "interchange", name="甲东"),
        node("W", 107.10, 27.0, "waypoint", name=""),
        node("Y", 107.20, 27.0, "interchange", name="乙西"),
        node("B", 107.22, 27.0, name="乙"),
        node("S", 107.0, 27.02, "station", name="甲北"),
        node("T", 108.0, 27.02, "station", name="丙北"),
        node("C", 108.0, 27.0, name="丙"),
    ]
    links = [
        link("A", "X", 2, "county", name="县道"),
        link("X", "W", 8, "expressway", ref="G60", name="沪昆高速;旧名"),
        link("W", "Y", 10, "expressway", ref="G60", name="沪昆高速"),
        link("Y", "B", 2),
        link("A", "S", 3, "county", name="县道"),
        link("T", "C", 3, "county"),
    ]
    return network(nodes, links, service("G1", ["S", "T"], [25], name="沪昆高铁"))


def towns(**spots: tuple[float, float]) -> gpd.GeoDataFrame:
    points = [Point(*one) for one in spots.values()]
    return gpd.GeoDataFrame({"name": list(spots)}, geometry=points, crs=4326)


def test_pieces_of_one_road_become_one_leg() -> None:
    circle = commuting_circle((107.22, 27.0), 60, corridor(), places=towns(甲=(107.0, 27.0)))
    legs = circle.routes[0].legs  # type: ignore[union-attr]
    told = [(leg.name, leg.start, leg.end, round(leg.minutes, 2), leg.km) for leg in legs]
    # county road 2 km at 30, expressway 18 km at 120, national road 2 km at 60
    assert told == [
        ("县道", "甲", "甲东", 4, 2),
        ("G60 沪昆高速", "甲东", "乙西", 9, 18),
        ("国道", "乙西", "(107.22, 27)", 2, 2),
    ]
    assert circle.towns["minutes"].iloc[0] == pytest.approx(15)
    assert circle.towns["modes"].iloc[0] == "road"


def test_from_the_centre_the_legs_run_the_other_way() -> None:
    there = commuting_circle((107.22, 27.0), 60, corridor(), places=towns(甲=(107.0, 27.0)))
    back = commuting_circle(
        (107.22, 27.0), 60, corridor(), places=towns(甲=(107.0, 27.0)), direction="from"
    )
    names = [leg.name for leg in there.routes[0].legs]  # type: ignore[union-attr]
    assert [leg.name for leg in back.routes[0].legs] == names[::-1]  # type: ignore[union-attr]
    assert back.routes[0].legs[-1].end == "甲"  # type: ignore[union-attr]


def test_a_train_is_one_leg_with_its_stations_and_all_its_time() -> None:
    circle = commuting_circle((107.0, 27.0), 90, corridor(), places=towns(丙=(108.0, 27.0)))
    legs = circle.routes[0].legs  # type: ignore[union-attr]
    rail = [leg for leg in legs if leg.mode == "rail"]
    # enter 10, wait 10, ride 25, leave 5
    assert [(leg.name, leg.start, leg.end, leg.minutes) for leg in rail] == [
        ("沪昆高铁", "丙北", "甲北", 50)
    ]
    assert circle.towns["modes"].iloc[0] == "road+rail"


def test_the_legs_add_up_to_the_time() -> None:
    spots = towns(a=(107.05, 27.01), b=(107.99, 27.01), c=(107.21, 27.005), d=(107.0, 27.0))
    circle = commuting_circle((107.001, 27.001), 120, corridor(), places=spots)
    for route, minutes in zip(circle.routes, circle.towns["minutes"], strict=True):
        assert route is not None
        assert sum(leg.minutes for leg in route.legs) == pytest.approx(minutes)
        assert route.road_ms + route.other_ms == pytest.approx(minutes * 60_000)


def test_in_words() -> None:
    legs = [
        Leg("access", "接驳", "甲", "", 3.2, 0.6),
        Leg("road", "G60 沪昆高速", "甲东", "乙西", 9.4, 18.0),
    ]
    assert describe_legs(legs) == "接驳 3 分 → G60 沪昆高速（甲东—乙西） 9 分"
    assert legs[0].as_dict()["from"] == "甲"
    assert Leg("rail", "", "", "", 1, float("nan")).as_dict()["km"] is None
