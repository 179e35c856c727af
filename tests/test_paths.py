"""Ways and alternatives, on networks where they can be counted on paper."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access import machine
from urbangeo.access.kernels import Kernels
from urbangeo.access.paths import _Between, routes
from urbangeo.access.points import as_points
from urbangeo.access.times import Asked, travel_times
from urbangeo.errors import InputError
from urbangeo.network import Network
from urbangeo.network.profiles import AccessRule


def bundle(common: float, *roads: float, ends: float = 1.0) -> Network:
    """Make roads side by side from X to B, of so many km in all, after a common one from A to X.

    Each has two junctions of its own, ``ends`` km from where it leaves and joins the others.
    """
    nodes = [node("A", 107.004, 27), node("X", 107.005, 27), node("B", 107.008, 27)]
    links = [link("A", "X", common, name="共同路")]
    for number, km in enumerate(roads):
        lat = 26.999 - number / 1000
        left, right = f"l{number}", f"r{number}"
        nodes += [node(left, 107.006, lat, "junction"), node(right, 107.007, lat, "junction")]
        name = f"路{number}"
        links += [
            link("X", left, ends, name=name),
            link(left, right, km - 2 * ends, name=name),
            link(right, "B", ends, name=name),
        ]
    return network(nodes, links)


def names(found: object) -> list[list[str]]:
    return [[leg.name for leg in way.legs] for way in found]  # type: ignore[attr-defined]


A, B = (107.004, 27.0), (107.008, 27.0)


def test_the_fastest_way_alone() -> None:
    found = routes(bundle(40, 20, 22), A, B)
    assert found.minutes == [60]
    assert names(found) == [["共同路", "路0"]]
    assert found.table.to_dict("list") == {
        "route": [1, 1],
        "leg": [1, 2],
        "mode": ["road", "road"],
        "name": ["共同路", "路0"],
        "from": ["(107.004, 27)", "X"],
        "to": ["X", "(107.008, 27)"],
        "minutes": [40, pytest.approx(20)],
        "km": [40, pytest.approx(20)],
    }
    assert repr(found).splitlines() == [
        "(107.004, 27) → (107.008, 27)",
        "60 分：共同路（(107.004, 27)—X） 40 分 → 路0（X—(107.008, 27)） 20 分",
    ]


def test_alternatives_within_a_tenth() -> None:
    # 60, 64, 66 and 66.5 minutes; a tenth more is 66. Each road is left and joined far from its
    # ends, where going back by the fastest road would be faster.
    net = bundle(30, 30, 34, 36, 36.5, ends=6)
    found = routes(net, A, B, 5)
    assert found.minutes == [60, 64, 66]
    assert names(found) == [["共同路", f"路{number}"] for number in (0, 1, 2)]
    assert len(routes(net, A, B, 1)) == 2
    assert routes(net, A, B, 5, within=0.2).minutes == [60, 64, 66, 66.5]
    assert routes(net, A, B, 5, within=0).minutes == [60]


def test_what_is_nearly_the_same_way_is_not_offered() -> None:
    # 50 of 60 minutes are common: 83 %; 47 of 60 are 78 %
    assert routes(bundle(50, 10, 11), A, B, 1).minutes == [60]
    # but then the plateau of 9 minutes is less than a quarter of 60
    assert routes(bundle(47, 13, 14), A, B, 1).minutes == [60]
    # 13.5 of 18 are too few, 16 are enough
    assert routes(bundle(42, 18, 18, ends=2.25), A, B, 1).minutes == [60]
    assert routes(bundle(42, 18, 18), A, B, 1).minutes == [60, 60]


def test_a_train_is_an_alternative_to_a_road() -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("S", 107.05, 27.0, "station"),
        node("T", 107.95, 27.0, "station"),
        node("B", 108.0, 27.0),
    ]
    nodes += [node("M", 107.3, 27.5, "junction"), node("N", 107.6, 27.5, "junction")]
    links = [link("A", "S", 5), link("T", "B", 5)]
    links += [link("A", "M", 5, name="公路"), link("M", "N", 58, name="公路")]
    links += [link("N", "B", 5, name="公路")]
    net = network(nodes, links, service("G", ["S", "T"], [30]))
    found = routes(net, (107.0, 27.0), (108.0, 27.0), 1)
    # road 5 + enter 10 + wait 10 + ride 30 + leave 5 + road 5, or 68 by road
    assert found.minutes == [65, 68]
    assert [[leg.mode for leg in way.legs] for way in found] == [["road", "rail", "road"], ["road"]]
    assert found[0].other_ms == 55 * 60_000
    assert routes(net, (107.0, 27.0), (108.0, 27.0), 1, modes=("road",)).minutes == [68]


def test_one_ways_are_respected() -> None:
    nodes = [node("A", 107, 27), node("B", 108, 27), node("C", 107.5, 28, "junction")]
    links = [link("A", "B", 60, oneway=1), link("B", "C", 50), link("C", "A", 50)]
    net = network(nodes, links)
    assert routes(net, (107.0, 27.0), (108.0, 27.0)).minutes == [60]
    assert routes(net, (108.0, 27.0), (107.0, 27.0)).minutes == [100]


def meridian(**more: object) -> Network:
    """Make a road of 12 km due north, 0.1 degrees long, so that what lies on it does so exactly."""
    profile = dataclasses.replace(PROFILE, **more)  # type: ignore[arg-type]
    nodes = pd.DataFrame([node("A", 107, 27), node("B", 107, 27.1)])
    rows = pd.DataFrame([link("A", "B", 12, name="县道")])
    return Network.from_tables(nodes, rows, profile=profile)


def test_two_places_on_one_road_and_two_far_off_it() -> None:
    net = meridian()
    along = routes(net, (107.0, 27.04), (107.0, 27.06), 3)
    assert along.minutes == [pytest.approx(2.4, abs=0.01)]  # a fifth of 12 minutes
    assert names(along) == [["县道"]]
    assert along.table["km"].tolist() == [pytest.approx(2.4, abs=0.01)]
    east = 600 / 99_200  # 600 m off the road: 3 minutes at 12 km/h
    off = routes(net, (107 + east, 27.02), (107.0, 27.08))
    assert names(off) == [["接驳", "县道"]]
    assert off.table["minutes"].tolist() == pytest.approx([3, 7.2], abs=0.02)
    assert off.table["km"].tolist() == pytest.approx([0.6, 7.2], abs=0.01)
    far = 107 + 3000 / 99_200
    across = routes(net, (far, 27.05), (far, 27.051))
    assert names(across) == [["直达"]]
    assert across.minutes == [pytest.approx(0.554, abs=0.002)]  # 110.8 m at 12 km/h
    assert across.table["km"].tolist() == pytest.approx([0.1108], abs=0.0003)
    same = routes(net, (107.0, 27.05), (107.0, 27.05), 2)
    assert same.minutes == [0]
    assert same.table.empty


def test_parking_stands_at_the_end_of_a_drive_without_a_junction() -> None:
    net = meridian(car=dataclasses.replace(PROFILE.car, park_min=4))
    found = routes(net, (107.0, 27.04), (107.0, 27.06))
    assert names(found) == [["县道", "停车"]]
    assert found.minutes == [pytest.approx(6.4, abs=0.01)]
    assert found[0].other_ms == 4 * 60_000


def test_on_foot() -> None:
    net = meridian(walk=AccessRule(kmh=6.0, circuity=1.0, max_km=1.0))
    found = routes(net, (107.0, 27.02), (107.0, 27.03), modes=("walk",))
    assert names(found) == [["步行 县道"]]
    assert found[0].road_ms == 0
    assert found.minutes == [pytest.approx(12, abs=0.01)]  # 1.2 km at 6 km/h
    beside = routes(net, (107.009, 27.02), (107.009, 27.0201), modes=("walk",))
    assert names(beside) == [["步行直达"]]
    assert beside.minutes == [pytest.approx(0.1108, abs=0.001)]  # 11.08 m


def test_no_way_is_told_with_its_reason() -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    apart = routes(net, (107.0, 27.0), (109.0, 27.0), 2)
    assert (len(apart), apart.minutes, apart.reason) == (0, [], "路网上不连通")
    assert repr(apart) == "(107, 27) → (109, 27)：路网上不连通"
    assert apart.table.columns.tolist()[:3] == ["route", "leg", "mode"]
    lost = routes(net, (107.0, 27.0), (107.5, 27.4))
    assert "(107.5, 27.4)：距最近" in lost.reason


def test_bad_input_is_named() -> None:
    net = square_grid(2)
    two = gpd.GeoDataFrame(geometry=[Point(107, 27), Point(107.01, 27)], crs=4326)
    with pytest.raises(InputError, match="origin: one place is expected, 2 were given"):
        routes(net, two, (107.0, 27.0))
    with pytest.raises(InputError, match=r"destination: .* lies outside the region"):
        routes(net, (107.0, 27.0), (120.0, 27.0))
    for number in (-1, 1.5, True):
        with pytest.raises(InputError, match="a whole number from 0"):
            routes(net, (107.0, 27.0), (107.0, 27.0), number)  # type: ignore[arg-type]
    for part in (-0.1, 2, float("nan"), "10 %"):
        with pytest.raises(InputError, match=r"a part from 0 to 1 is expected, 0\.1 for 10 %"):
            routes(net, (107.0, 27.0), (107.0, 27.0), within=part)  # type: ignore[arg-type]


def winding_grid(seed: int) -> Network:
    rng = np.random.default_rng(seed)
    plain = square_grid(7)
    rows = plain.links.drop(columns="geometry")
    rows["length_m"] = rng.uniform(1100, 1600, len(rows))
    rows["oneway"] = rng.random(len(rows)) < 0.1
    return Network.from_tables(plain.nodes, rows, profile=plain.profile)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_alternatives_are_what_they_are_said_to_be(seed: int) -> None:
    net = winding_grid(seed)
    rng = np.random.default_rng(seed)
    begin, end = (
        gpd.GeoDataFrame(
            {"name": [name]}, geometry=[Point(107 + rng.uniform(0, 0.06), lat)], crs=4326
        )
        for name, lat in (("起", 27.0), ("终", 27.06))
    )
    found = routes(net, begin, end, 4, within=0.15)
    best = travel_times(net, begin, end).iloc[0, 0]
    if np.isnan(best):
        assert len(found) == 0
        return
    assert found.minutes[0] == pytest.approx(best, abs=1e-9)
    assert found.minutes == sorted(found.minutes)
    assert max(found.minutes) <= best * 1.15
    for minutes, way in zip(found.minutes, found, strict=True):
        assert sum(leg.minutes for leg in way.legs) == pytest.approx(minutes)
    ways = _Between(net, Asked.of(net, as_points(begin), as_points(end), ("road", "rail"))).ways(
        4, 0.15
    )
    graph = net.graph(("road", "rail"))
    streets = [set(pairwise(one.vertices)) for one in ways]
    for place, one in enumerate(ways):
        assert len(set(one.vertices)) == len(one.vertices)
        # pairwise, which is less than with all before it
        for other in streets[:place]:
            shared = sum(int(graph.cost_ms[graph.arc(*arc)]) for arc in streets[place] & other)
            assert shared <= 0.8 * ways[0].ms


def test_the_engine_does_not_choose_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    spots = [(107.013, 27.0), (107.04, 27.06)]
    told = []
    for known in (machine.optional, lambda name: None):
        monkeypatch.setattr(machine, "optional", known)
        monkeypatch.setattr(Kernels, "loaded", True)  # prefer it, where it is
        found = [routes(winding_grid(seed), *spots, 3) for seed in range(8)]
        told.append([(one.minutes, names(one)) for one in found])
    assert told[0] == told[1]
    assert any(len(minutes) > 1 for minutes, _ in told[0])
