"""By car, on foot, by train, and together: every time derived on paper.

On foot a kilometre takes 10 minutes, by car 1 on a national road and 2 on a county road, and 5 off
the network. Being dropped at a station takes 6, being met there 7, parking 3. A train is entered in
10 and left in 5 minutes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from shapely.geometry import Point

from urbangeo.access import commuting_circle, travel_times
from urbangeo.errors import InputError, NetworkError
from urbangeo.network import Network
from urbangeo.network.profiles import AccessRule, CarRule
from urbangeo.network.snap import entry_nodes, open_roads

WALK, WALK_RAIL, ALL = ("walk",), ("walk", "rail"), ("road", "walk", "rail")
PROFILE = replace(
    PROFILE,
    walk=AccessRule(kmh=6.0, circuity=1.0, max_km=2.0),
    car=CarRule(drop_off_min=6.0, pick_up_min=7.0, park_min=3.0),
)
KM = 1 / 110.77  # of latitude at 27 N, degrees


def made(*rows: Any, **facts: Any) -> Network:
    return replace(network(*rows, **facts), profile=PROFILE)


def table(**spots: tuple[float, float]) -> gpd.GeoDataFrame:
    points = [Point(*one) for one in spots.values()]
    return gpd.GeoDataFrame({"name": list(spots)}, geometry=points, crs=4326)


def minutes(
    net: Network, begin: tuple[float, float], end: tuple[float, float], modes: tuple[str, ...]
) -> float:
    """Time from place to place, which a circle round either confirms."""
    times = travel_times(net, table(a=begin), table(b=end), modes=modes)
    found = float(times.iloc[0, 0])
    for centre, place, direction in ((end, begin, "to"), (begin, end, "from")):
        circle = commuting_circle(
            centre, 600, net, places=table(a=place), modes=modes, direction=direction
        )
        assert circle.towns["minutes"].iloc[0] == pytest.approx(found, abs=1e-9, nan_ok=True)
    return found


A, B, NORTH_OF_B = (107.0, 27.0), (107.04, 27.0), (107.04, 27.0 + 0.6 * KM)


def street(**more: Any) -> Network:
    """A national road of 4 km from A to B, and a county road of 30 km back."""
    nodes = [node("A", *A), node("B", *B), node("C", 107.02, 26.9)]
    links = [link("A", "B", 4, **more), link("A", "C", 15, "county"), link("C", "B", 15, "county")]
    return made(nodes, links)


# -- on foot ---------------------------------------------------------------------------------


def test_on_foot_a_kilometre_takes_as_long_on_any_road_and_off_it() -> None:
    net = street()
    assert minutes(net, A, B, WALK) == 40
    assert minutes(net, A, (107.02, 26.9), WALK) == 150
    assert minutes(net, A, NORTH_OF_B, WALK) == pytest.approx(40 + 6, abs=0.01)
    # by car: a minute a kilometre, 5 off the road, 3 to park
    assert minutes(net, A, NORTH_OF_B, ("road",)) == pytest.approx(4 + 3 + 3, abs=0.01)


def test_on_foot_one_comes_no_farther_to_the_road_than_the_profile_says() -> None:
    net = street()
    far = (107.04, 27.0 + 2.5 * KM)
    assert np.isnan(travel_times(net, table(a=A), table(b=far), modes=WALK).iloc[0, 0])
    assert minutes(net, A, far, ("road",)) == pytest.approx(4 + 12.5 + 3, abs=0.05)
    towns = commuting_circle(A, 60, net, places=table(b=far), modes=WALK).towns
    assert towns["status"].iloc[0] == "unsnapped"
    assert towns["reason"].iloc[0] == "距最近可进入的道路或车站 2.5 千米，超过 2 千米"


def test_one_way_streets_are_walked_both_ways() -> None:
    net = street(oneway=1)
    assert minutes(net, B, A, WALK) == minutes(net, A, B, WALK) == 40
    assert minutes(net, A, B, ("road",)) == 4 + 3
    assert minutes(net, B, A, ("road",)) == 60 + 3
    middle = (107.02, 27.0)
    assert minutes(net, B, middle, WALK) == pytest.approx(20, abs=0.01)
    assert minutes(net, B, middle, ("road",)) == pytest.approx(60 + 2 + 3, abs=0.01)


def motorway() -> Network:
    """Ten kilometres of expressway between X and Y, and 30 of county road between them."""
    nodes = [
        node("X", 107.0, 27.0, "interchange"),
        node("Y", 107.1, 27.0, "interchange"),
        node("V", 107.05, 27.1),
    ]
    links = [link("X", "Y", 10, "expressway")]
    links += [link("X", "V", 15, "county"), link("V", "Y", 15, "county")]
    return made(nodes, links)


def test_nobody_walks_on_an_expressway() -> None:
    net = motorway()
    assert minutes(net, (107.0, 27.0), (107.1, 27.0), WALK) == 300
    assert minutes(net, (107.0, 27.0), (107.1, 27.0), ("road",)) == 5 + 3
    ids = net._tables.links["id"].to_numpy()
    assert ids[open_roads(net, "walk")].tolist() == ["X-V", "V-Y"]
    assert not {"X", "Y"} & set(net.nodes["id"].to_numpy()[entry_nodes(net, WALK, "walk")])
    alone = made(
        [node("X", 107.0, 27.0, "interchange"), node("Y", 107.1, 27.0, "interchange")],
        [link("X", "Y", 10, "expressway")],
    )
    with pytest.raises(NetworkError, match="no link for the modes walk"):
        alone.graph(WALK)


def test_walking_needs_a_rule() -> None:
    net = replace(motorway(), profile=replace(PROFILE, walk=None))
    with pytest.raises(NetworkError, match=r"has no rule for walking; add .*\[paper\.walk\]"):
        net.graph(WALK)
    with pytest.raises(NetworkError, match="no rule for walking"):
        travel_times(net, (107.0, 27.0), modes=ALL)


def test_roads_that_are_slow_for_cars_are_not_for_walkers() -> None:
    net = street()
    assert minutes(net.scaled(0.5), A, B, WALK) == 40
    assert minutes(net.scaled(0.5), A, B, ("road",)) == 8 + 3
    assert minutes(net.scaled(0.5), A, NORTH_OF_B, WALK) == pytest.approx(46, abs=0.01)


# -- car and foot ----------------------------------------------------------------------------


def test_one_does_not_leave_the_car_on_the_way() -> None:
    # C - B 5 km, and B - A is one-way towards B: by car round 30 km, on foot straight
    nodes = [node("A", 107.0, 27.0), node("B", 107.01, 27.0), node("C", 107.06, 27.0)]
    nodes += [node("D", 107.0, 27.1)]
    links = [link("A", "B", 1, oneway=1), link("B", "C", 5)]
    links += [link("B", "D", 15), link("D", "A", 15)]
    net = made(nodes, links)
    begin, end = (107.06, 27.0), (107.0, 27.0)
    assert minutes(net, begin, end, WALK) == 60
    # the car to B and on foot to A would take 5 + 10
    assert minutes(net, begin, end, ("road", "walk")) == 5 + 30 + 3
    # from B the shorter of 10 on foot and 30 + 3 by car
    assert minutes(net, (107.01, 27.0), end, ("road", "walk")) == 10
    assert minutes(net, (107.01, 27.0), end, ("road",)) == 33


def test_parking_counts_once_and_at_the_end_only() -> None:
    net = street()
    assert minutes(net, A, B, ("road",)) == 4 + 3
    assert minutes(net, B, A, ("road",)) == 4 + 3
    # along one road and across the fields too
    assert minutes(net, (107.01, 27.0), (107.03, 27.0), ("road",)) == pytest.approx(2 + 3, abs=0.01)
    beside = (107.02, 27.0 + 4 * KM), (107.02, 27.0 + 4.1 * KM)
    assert minutes(net, *beside, ("road",)) == pytest.approx(0.5 + 3, abs=0.01)
    # the walker needs none, so for 400 m one walks
    near = (107.004, 27.0)
    assert minutes(net, A, near, ("road", "walk")) == pytest.approx(0.4 + 3, abs=0.01)
    nearer = (107.002, 27.0)
    assert minutes(net, A, nearer, ("road", "walk")) == pytest.approx(2, abs=0.01)


# -- with trains -----------------------------------------------------------------------------


def corridor() -> Network:
    """Trains from S to T in 30 minutes every 20; roads of a kilometre from A to S and T to B.

    From T it is 4 km to D. A road of 200 km leads round.
    """
    nodes = [
        node("A", 107.00, 27.0, name="甲"),
        node("S", 107.01, 27.0, "station", name="甲站"),
        node("T", 107.99, 27.0, "station", name="乙站"),
        node("B", 108.00, 27.0, name="乙"),
        node("D", 107.99, 27.04, name="丁"),
    ]
    links = [
        link("A", "S", 1, name="站前路"),
        link("T", "B", 1, name="站后路"),
        link("T", "D", 4, name="北路"),
        link("S", "T", 200, name="大路"),
    ]
    return made(nodes, links, service("G1", ["S", "T"], [30], name="城际"))


PLACES = {"A": (107.0, 27.0), "B": (108.0, 27.0), "D": (107.99, 27.04)}


def test_on_foot_to_the_train_and_from_it() -> None:
    net = corridor()
    # 10 on foot, enter 10, wait 10, ride 30, leave 5, 10 on foot
    assert minutes(net, PLACES["A"], PLACES["B"], WALK_RAIL) == 10 + 10 + 10 + 30 + 5 + 10
    assert minutes(net, PLACES["A"], PLACES["D"], WALK_RAIL) == 10 + 10 + 10 + 30 + 5 + 40


def test_by_car_one_is_dropped_and_met_and_parks() -> None:
    net = corridor()
    ride = 10 + 10 + 30 + 5
    # 1 by car, dropped 6, ride, met 7, 1 by car, parked 3
    assert minutes(net, PLACES["A"], PLACES["B"], ("road", "rail")) == 1 + 6 + ride + 7 + 1 + 3
    assert minutes(net, PLACES["A"], PLACES["D"], ("road", "rail")) == 1 + 6 + ride + 7 + 4 + 3


def test_with_all_three_each_end_takes_what_is_faster() -> None:
    net = corridor()
    ride = 10 + 10 + 30 + 5
    # to the train 7 by car and 10 on foot; from it to B 11 and 10, to D 14 and 40
    assert minutes(net, PLACES["A"], PLACES["B"], ALL) == 7 + ride + 10
    assert minutes(net, PLACES["A"], PLACES["D"], ALL) == 7 + ride + 14
    # back from D: 4 + 6 by car, and from S 10 on foot or 11 by car
    assert minutes(net, PLACES["D"], PLACES["A"], ALL) == 10 + ride + 10


def test_more_modes_never_take_longer() -> None:
    net, spots = corridor(), table(**PLACES)
    times = {
        modes: travel_times(net, spots, spots, modes=modes).fillna(np.inf)
        for modes in (WALK, ("road",), WALK_RAIL, ("road", "rail"), ("road", "walk"), ALL)
    }
    for few, many in product(times, times):
        if set(few) <= set(many):
            assert (times[many].to_numpy() <= times[few].to_numpy()).all()


def test_by_rail_alone_one_comes_and_goes_by_car() -> None:
    net = corridor()
    # beside the stations: no leg, but dropped 6, met 7 and parked 3
    ends = (107.01, 27.0), (107.99, 27.0)
    assert minutes(net, *ends, ("rail",)) == 6 + 10 + 10 + 30 + 5 + 7 + 3
    assert minutes(net, *ends, WALK_RAIL) == 10 + 10 + 30 + 5


# -- circles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("modes", [WALK, WALK_RAIL, ("road", "walk"), ("road", "rail"), ALL])
def test_circles_and_tables_of_times_agree(modes: tuple[str, ...]) -> None:
    net = corridor()
    rng = np.random.default_rng(4)
    xy = np.concatenate(
        [
            rng.uniform([106.99, 26.985], [107.03, 27.015], (10, 2)),
            rng.uniform([107.97, 26.99], [108.01, 27.05], (10, 2)),
        ]
    )
    spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4326).assign(name="x")
    centre = table(c=(107.005, 27.002))
    for direction in ("to", "from"):
        begin, end = (spots, centre) if direction == "to" else (centre, spots)
        times = travel_times(net, begin, end, modes=modes).to_numpy().ravel()
        circle = commuting_circle(centre, 90, net, places=spots, modes=modes, direction=direction)
        towns = circle.towns
        assert towns["minutes"].to_numpy() == pytest.approx(times, abs=1e-9, nan_ok=True)
        inside = np.nan_to_num(times, nan=np.inf) <= 90
        assert ((towns["status"] == "inside") == inside).all()
        assert inside.sum() > 0
        for route, total in zip(circle.routes, times, strict=True):
            if route is not None:
                assert sum(leg.minutes for leg in route.legs) == pytest.approx(total, abs=1e-6)


def test_the_polygon_of_a_walking_circle() -> None:
    # a grid of kilometre blocks; 15 minutes on foot reach 1.5 km along it
    net = replace(square_grid(5), profile=PROFILE)
    centre = (107.02, 27.02)
    rng = np.random.default_rng(1)
    xy = rng.uniform([106.99, 26.99], [107.05, 27.05], (150, 2))
    spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=4326).assign(name="x")
    circle = commuting_circle(centre, 15, net, places=spots, modes=WALK)
    towns = circle.towns
    clear = np.abs(towns["minutes"].fillna(99) - 15) > 3  # a cell of 250 m is 2.5 minutes wide
    drawn = towns.within(circle.polygon)
    assert clear.sum() > 100
    assert (drawn == (towns["status"] == "inside"))[clear].all()
    for lon, lat, inside in (
        (107.032, 27.02, True),  # 1.2 km along the road
        (107.038, 27.02, False),  # 1.8
        (107.03, 27.022, True),  # 1 and 0.2 round the corner
        (107.03, 27.029, False),
    ):
        assert circle.polygon.contains(Point(lon, lat)) is inside
    driving = commuting_circle(centre, 15, net, places=spots, modes=("road",))
    assert driving.polygon.area > 4 * circle.polygon.area


def test_the_polygon_of_a_walk_leaves_out_the_expressway() -> None:
    circle = commuting_circle(
        (107.0, 27.0), 20, motorway(), places=table(a=(107.0, 27.01)), modes=WALK
    )
    assert circle.polygon.contains(Point(107.0, 27.001))
    # by the expressway 5 minutes, on foot 300
    assert not circle.polygon.contains(Point(107.1, 27.0))
    driving = commuting_circle(
        (107.0, 27.0), 20, motorway(), places=table(a=(107.0, 27.01)), modes=("road",)
    )
    assert driving.polygon.contains(Point(107.1, 27.0))


def told(begin: str, end: tuple[float, float], modes: tuple[str, ...]) -> pd.Series:
    place = table(**{begin: PLACES[{"甲": "A", "乙": "B", "丁": "D"}[begin]]})
    net = corridor()
    centre = table(家=end)
    return commuting_circle(centre, 200, net, places=place, modes=modes).towns.iloc[0]


def test_legs_are_told_in_chinese() -> None:
    row = told("甲", PLACES["B"], WALK_RAIL)
    assert row["legs"] == (
        "步行 站前路（甲—甲站） 10 分 → 城际（甲站—乙站） 55 分（含进站候车） → "
        "步行 站后路（乙站—家） 10 分"
    )
    assert row["modes"] == "walk+rail"
    row = told("甲", PLACES["D"], ALL)
    # dropped and met are told with the train
    assert row["legs"].startswith("站前路（甲—甲站） 1 分 → 城际（甲站—乙站） 68 分（含进站候车）")
    assert row["legs"].endswith("—家） 3 分")
    assert "北路" in row["legs"].split(" → ")[-2]
    assert "停车" in row["legs"].split(" → ")[-1]
    assert row["modes"] == "road+rail"
    row = told("甲", PLACES["B"], ALL)
    assert row["modes"] == "road+walk+rail"
    off = told("甲", (108.0, 27.0 + 0.3 * KM), WALK_RAIL)["legs"].split(" → ")
    assert off[-2].startswith("步行 站后路")
    assert off[-1].startswith("步行接驳")
    assert off[-1].endswith("—家） 3 分")


def test_walking_along_one_road_is_told_as_walking() -> None:
    net = street()
    place = table(甲=(107.01, 27.0))
    row = commuting_circle((107.03, 27.0), 60, net, places=place, modes=WALK).towns.iloc[0]
    assert row["legs"] == "步行 国道（甲—(107.03, 27)） 20 分"
    assert row["modes"] == "walk"


def test_no_traffic_jam_stops_a_walker() -> None:
    net = corridor()
    near = table(a=(107.004, 27.0))
    for modes in (WALK, ("road", "walk"), ALL):
        # 4 minutes on foot; by car 3.4, but the walk holds for ever
        row = commuting_circle((107.0, 27.0), 20, net, places=near, modes=modes).towns.iloc[0]
        assert row["breakeven"] == np.inf
    by_train = told("甲", PLACES["B"], WALK_RAIL)
    assert by_train["breakeven"] == np.inf
    # by car 0.4 f + 3 <= 20
    row = commuting_circle((107.0, 27.0), 20, net, places=near, modes=("road",)).towns.iloc[0]
    assert row["breakeven"] == pytest.approx(17 / 0.4, rel=0.02)


def test_the_breakeven_counts_what_the_car_does_not_do() -> None:
    net = corridor()
    place, centre = table(d=PLACES["D"]), (107.0, 27.0)
    # by car 4 f, dropped 6, ride 55, on foot 10: inside 100 until 4 f = 29; on foot 40 + 55 + 10
    row = commuting_circle(centre, 100, net, places=place, modes=ALL).towns.iloc[0]
    assert row["minutes"] == 75
    assert row["breakeven"] == pytest.approx(29 / 4, abs=0.01)
    # within 106 minutes one may walk to the train and from it
    row = commuting_circle(centre, 106, net, places=place, modes=ALL).towns.iloc[0]
    assert row["breakeven"] == np.inf


def test_a_centre_that_no_walker_reaches() -> None:
    with pytest.raises(InputError, match="km from the nearest road or station"):
        commuting_circle((107.02, 27.0 + 3 * KM), 30, street(), places=table(a=A), modes=WALK)
