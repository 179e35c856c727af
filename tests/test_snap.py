"""Onto the graph: ordinary roads anywhere, expressways and railways only at their gates."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from grids import PROFILE, link, network, node, service
from shapely.geometry import Point

from urbangeo.crs import GEOD, equal_area
from urbangeo.network import Network
from urbangeo.network.snap import (
    DETOUR_M,
    NEVER,
    Snaps,
    entry_nodes,
    nearest_roads,
    open_roads,
    snap,
    snap_table,
)


def snapped(
    net: Network, *points: tuple[float, float], modes: tuple[str, ...] = ("road",)
) -> Snaps:
    return snap(net, gpd.GeoSeries([Point(*one) for one in points], crs=4326), modes)


def ways(net: Network, found: Snaps, point: int = 0) -> dict[str, tuple[int, int]]:
    ids = net.nodes["id"].to_numpy()
    rows = np.flatnonzero(found.point == point)
    return {ids[found.vertex[r]]: (int(found.out_ms[r]), int(found.in_ms[r])) for r in rows}


def motorway() -> Network:
    """An expressway with interchanges X and Y, a way point between them, and a village road."""
    nodes = [
        node("X", 107.00, 27.0, "interchange"),
        node("W", 107.05, 27.0, "waypoint"),
        node("Y", 107.10, 27.0, "interchange"),
        node("J", 107.12, 27.0, "junction"),
        node("V", 107.00, 27.03),
    ]
    links = [
        link("X", "W", 5, "expressway"),
        link("W", "Y", 5, "expressway"),
        link("Y", "J", 2, "expressway"),
        link("X", "V", 4),
    ]
    return network(nodes, links)


def test_an_expressway_is_never_entered_between_interchanges() -> None:
    net = motorway()
    # 111 m beside the way point; the nearest gate is Y or X, 5 km away
    found = snapped(net, (107.05, 27.001))
    assert "W" not in ways(net, found)
    assert set(ways(net, found)) <= {"X", "Y", "V"}
    _, _, apart = GEOD.inv(107.05, 27.001, 107.0, 27.0)
    assert found.nearest_m[0] == pytest.approx(apart, rel=0.002)


def test_junctions_and_way_points_are_no_gates() -> None:
    net = motorway()
    ids = net.nodes["id"].to_numpy()
    assert set(ids[entry_nodes(net, ("road",), "road")]) == {"X", "Y", "V"}
    assert net._tables.links["id"].iloc[open_roads(net, "road")].tolist() == ["X-V"]


def test_an_ordinary_road_is_entered_anywhere() -> None:
    nodes = [node("A", 107.0, 27.0), node("B", 107.04, 27.0)]
    net = network(nodes, [link("A", "B", 4)])
    # a quarter along, 1000 m to the north: leg 5 min, then 1 min back or 3 min on
    found = snapped(net, (107.01, 27.0 + 1000 / 110_770))
    leg, out = 5 * 60_000, ways(net, found)
    assert out["A"][0] == pytest.approx(leg + 60_000, abs=700)
    assert out["B"][0] == pytest.approx(leg + 180_000, abs=700)


def test_a_one_way_road_is_left_only_with_the_traffic() -> None:
    nodes = [node("A", 107.0, 27.0, "junction"), node("B", 107.04, 27.0, "junction")]
    net = network(nodes, [link("A", "B", 4, oneway=1)])
    out = ways(net, snapped(net, (107.01, 27.0)))
    assert out["A"] == (NEVER, pytest.approx(60_000, abs=500))
    assert out["B"] == (pytest.approx(180_000, abs=500), NEVER)


def test_too_far_is_not_snapped_but_measured() -> None:
    net = motorway()
    found = snapped(net, (107.0, 27.1), (107.0, 27.03))
    assert found.snapped.tolist() == [False, True]
    assert found.nearest_m[0] > PROFILE.access.max_km * 1000


def test_only_roads_about_as_near_as_the_nearest_are_tried() -> None:
    nodes = [
        node("A", 107, 27),
        node("B", 107.1, 27),
        node("C", 107, 27.03),
        node("D", 107.1, 27.03),
    ]
    net = network(nodes, [link("A", "B", 10), link("C", "D", 10)])
    between = ways(net, snapped(net, (107.05, 27.012)))  # 1.3 km and 2.0 km away
    beside = ways(net, snapped(net, (107.05, 27.008)))  # 0.9 km and 2.4 km: more than twice
    on_it = ways(net, snapped(net, (107.05, 27.0)))
    assert set(between) == {"A", "B", "C", "D"}
    assert set(beside) == set(on_it) == {"A", "B"}


def test_never_much_farther_than_the_nearest() -> None:
    nodes = [
        node("A", 107, 27),
        node("B", 107.1, 27),
        node("C", 107, 27.062),
        node("D", 107.1, 27.062),
    ]
    net = network(nodes, [link("A", "B", 10), link("C", "D", 10)])
    found = ways(net, snapped(net, (107.05, 27.0215)))  # 2.4 km and 4.5 km away
    assert DETOUR_M < 4.5e3 - 2.4e3
    assert set(found) == {"A", "B"}


def test_rail_alone_is_entered_at_stations() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 107.1, 27, "station"), node("V", 107, 27.001)]
    net = network(nodes, [link("S", "V", 1)], service("G", ["S", "T"], [9]))
    assert set(ways(net, snapped(net, (107, 27.001), modes=("rail",)))) == {"S"}
    assert "V" in ways(net, snapped(net, (107, 27.001), modes=("road", "rail")))


def test_no_points_no_ways() -> None:
    found = snap(motorway(), gpd.GeoSeries([], crs=4326), ("road",))
    assert len(found.point) == len(found.nearest_m) == 0


def with_island() -> Network:
    """A road of 4 km, and 200 m north of its middle a road of 1 km that nothing leads to."""
    step = 200 / 110_770
    nodes = [
        node("A", 107.0, 27.0, "junction"),
        node("B", 107.04, 27.0, "junction"),
        node("C", 107.06, 27.0, "junction"),
        node("I", 107.015, 27.0 + step, "junction"),
        node("K", 107.025, 27.0 + step, "junction"),
    ]
    return network(nodes, [link("A", "B", 4), link("B", "C", 2), link("I", "K", 1)])


def test_beside_an_island_the_main_network_is_entered_too() -> None:
    net = with_island()
    found = snapped(net, (107.02, 27.0 + 190 / 110_770))
    assert set(ways(net, found)) == {"A", "B", "I", "K"}
    assert found.island_m[0] == pytest.approx(10, abs=1)
    assert found.nearest_m[0] == pytest.approx(190, abs=1)
    # beside the main road the island is not tried: it is 90 m away against 10
    assert set(ways(net, snapped(net, (107.02, 27.0 + 10 / 110_770)))) == {"A", "B"}


def test_the_table_says_why() -> None:
    nodes = [
        *with_island()._tables.nodes.to_dict("records"),
        node("X", 107.3, 27.0, "interchange"),
        node("W", 107.5, 27.0, "waypoint"),
        node("Y", 107.7, 27.0, "interchange"),
    ]
    links = [link("A", "B", 4), link("B", "C", 2), link("I", "K", 1), link("C", "X", 25)]
    links += [link("X", "W", 20, "expressway"), link("W", "Y", 20, "expressway")]
    net = network(nodes, links)
    spots = gpd.GeoSeries(
        [
            Point(107.02, 27.0),
            Point(107.02, 27.0018 + 1.5 / 110.77),
            Point(107.5, 27.001),
            Point(107.02, 27.5),
        ],
        index=["on", "beside", "motorway", "nowhere"],
        crs=4326,
    )
    told = snap_table(net, spots, ("road",), tolerance_m=1600)
    assert told.index.tolist() == ["on", "beside", "motorway", "nowhere"]
    assert told["status"].tolist() == ["snapped", "island", "controlled", "too_far"]
    assert told["link"].tolist() == ["A-B", "I-K", "", ""]
    assert told["distance_m"].iloc[1] == pytest.approx(1500, rel=0.01)
    # 12 km/h off the network: 5 minutes for a kilometre
    assert told["leg_min"].iloc[1] == pytest.approx(7.5, rel=0.01)
    assert told["reason"].iloc[0] == ""
    assert "孤立" in told["reason"].iloc[1]
    assert "只有高速公路" in told["reason"].iloc[2]
    assert told["reason"].iloc[3].startswith("距最近可进入的道路或车站 55.")


def test_the_tolerance_may_be_narrowed() -> None:
    net = motorway()
    spot = gpd.GeoSeries([Point(107.0, 27.032)], crs=4326)  # 222 m from V
    assert snap(net, spot, ("road",), tolerance_m=300).snapped.all()
    assert not snap(net, spot, ("road",), tolerance_m=200).snapped.any()


def test_nearest_roads_prefer_the_main_network() -> None:
    net = with_island()
    spots = np.array([[107.02, 27.0 + 190 / 110_770], [107.02, 27.2]])
    link_row, along, foot, metres = nearest_roads(net, spots, 5000)
    assert net._tables.links["id"].iloc[link_row[0]] == "A-B"
    assert along[0] == pytest.approx(0.5, abs=1e-4)
    assert foot[0] == pytest.approx([107.02, 27.0], abs=1e-5)
    assert metres[0] == pytest.approx(190, abs=1)
    assert link_row[1] == -1
    assert np.isinf(metres[1])


def test_nearest_distances_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(3)
    nodes = [
        node(str(i), 107 + x, 27 + y, "junction")
        for i, (x, y) in enumerate(rng.random((60, 2)) / 5)
    ]
    ends = rng.integers(0, 60, (80, 2))
    links = [link(str(a), str(b), 60, id=f"l{i}") for i, (a, b) in enumerate(ends) if a != b]
    net = network(nodes, links)
    spots = gpd.GeoSeries(
        gpd.points_from_xy(*(np.array([[107.0], [27.0]]) + rng.random((2, 200)) / 4)), crs=4326
    )
    found = snap(net, spots, ("road",))
    metric = equal_area(net.bounds)
    lines = net.links.to_crs(metric).geometry
    expected = [lines.distance(one).min() for one in spots.to_crs(metric)]
    assert found.nearest_any_m == pytest.approx(expected, rel=1e-9)
