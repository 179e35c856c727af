"""Closing links one after another, against asking the network without each, which is the truth."""

from __future__ import annotations

from functools import partial

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access import closures, resnapping, thinned
from urbangeo.access.closures import Closures
from urbangeo.access.critical import critical_links
from urbangeo.access.machine import available
from urbangeo.access.times import search, travel_times
from urbangeo.errors import NetworkError
from urbangeo.network import Network


def spots(net: Network, names: list[str], **columns: list[object]) -> gpd.GeoDataFrame:
    nodes = net.nodes.set_index("id").loc[names]
    return gpd.GeoDataFrame({"name": names, **columns}, geometry=list(nodes.geometry), crs=4326)


def test_the_second_of_parallel_roads_takes_the_place_of_the_first() -> None:
    nodes = [node("A", 107, 27), node("B", 107.1, 27)]
    net = network(nodes, [link("A", "B", 20, id="slow"), link("A", "B", 10, id="fast"),
                          link("B", "A", 13, id="back")])  # fmt: skip
    found = critical_links(net, spots(net, ["A", "B"])).set_index("id")
    assert found["added_min"].to_dict() == pytest.approx({"fast": 6, "back": 0, "slow": 0})
    whole = Closures(net, spots(net, ["A", "B"]).geometry, np.arange(2), np.arange(2), ("road",))
    assert whole.without(["fast", "back"])[0, 1] == 20 * 60_000
    graph = whole.thinned.masked(net.link_rows[1:])
    assert graph.cost_ms.tolist() == [1_200_000, 1_200_000]
    assert graph.item.tolist() == [0, 0]
    with pytest.raises(KeyError):
        whole.thinned.masked(net.link_rows).arc(0, 1)


def tangle(seed: int, *, rail: bool = False) -> Network:
    """Make a small tangle: parallel roads, one-ways, bridges, dead ends, expressways."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 13))
    kinds = ["station" if rail and place < 3 else str(rng.choice(["junction", "place"]))
             for place in range(n)]  # fmt: skip
    nodes = [
        node(str(i), 107 + rng.uniform(0, 0.12), 27 + rng.uniform(0, 0.12), kind=kinds[i])
        for i in range(n)
    ]
    links = []
    for number in range(int(rng.integers(n, 3 * n))):
        tail, head = rng.choice(n, 2, replace=False)
        kind = str(rng.choice(["national", "county", "expressway"], p=[0.5, 0.4, 0.1]))
        one_way = int(rng.random() < 0.3)
        row = link(str(tail), str(head), 1.0, kind, id=f"l{number}", oneway=one_way)
        row["length_m"] = None if rng.random() < 0.4 else float(rng.uniform(14, 30)) * 1000
        links.append(row)
        if rng.random() < 0.15:
            links.append({**row, "id": f"p{number}", "length_m": float(rng.uniform(15, 40)) * 1000})
    return network(nodes, links, service("G", ["0", "1", "2"], [4.0, 5.0]) if rail else None)


def places_near(net: Network, seed: int) -> gpd.GeoSeries:
    rng = np.random.default_rng(seed + 10**6)
    count = int(rng.integers(2, 7))
    where = rng.uniform(-0.02, 0.14, (count, 2))
    at_nodes = net.nodes.geometry.sample(min(2, len(net.nodes)), random_state=seed)
    loose = [Point(107 + x, 27 + y) for x, y in where]
    return gpd.GeoSeries([*loose, *at_nodes], crs=4326)


def closed_in_turn(whole: Closures, rows: np.ndarray) -> dict[int, np.ndarray]:
    """The times without each link, as the fast way finds them."""
    found = {int(row): whole.ms.copy() for row in rows}
    seen = set()

    def visit(links: np.ndarray, i: np.ndarray, j: np.ndarray, new: np.ndarray) -> None:
        for one in zip(links.tolist(), i.tolist(), j.tolist(), new.tolist(), strict=True):
            assert one[:3] not in seen
            seen.add(one[:3])
            found[one[0]][one[1], one[2]] = one[3]

    whole.each(rows, visit)
    return found


def check_against_the_plain_way(net: Network, seed: int, modes: tuple[str, ...]) -> None:
    points = places_near(net, seed)
    table = gpd.GeoDataFrame(geometry=points)
    split = max(1, len(points) // 2)
    every = np.arange(len(points))
    whole = Closures(net, points, every, every[split:], modes)
    roads = net.link_rows[net._tables.is_road[net.link_rows]]
    for row, ms in closed_in_turn(whole, roads).items():
        one = str(net._tables.links["id"].iloc[row])
        try:
            plain = travel_times(net.without(one), table, table.iloc[split:], modes=modes)
        except NetworkError:  # nothing is left of the network
            continue
        expected = plain.to_numpy() * 60_000
        expected[np.isnan(expected)] = np.inf
        assert ms == pytest.approx(expected, abs=1e-3), one
        assert whole.without(one) == pytest.approx(expected, abs=1e-3), one


@given(st.integers(0, 100_000))
@settings(max_examples=12)
def test_each_closure_equals_the_network_without_the_link(seed: int) -> None:
    check_against_the_plain_way(tangle(seed), seed, ("road",))


@given(st.integers(0, 100_000))
@settings(max_examples=6)
def test_also_with_trains(seed: int) -> None:
    check_against_the_plain_way(tangle(seed, rail=True), seed, ("road", "rail"))


@given(st.integers(0, 100_000))
@settings(max_examples=4)
def test_also_by_car_and_on_foot(seed: int) -> None:
    from dataclasses import replace

    from urbangeo.network.profiles import AccessRule

    walk = AccessRule(kmh=5.0, circuity=1.0, max_km=3.0)
    net = tangle(seed, rail=True).with_profile(replace(PROFILE, walk=walk))
    check_against_the_plain_way(net, seed, ("road", "rail", "walk"))


@given(st.integers(0, 100_000))
@settings(max_examples=6)
def test_also_where_nothing_is_found_out_quickly(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinned, "_MOST_VISITED", 2)  # every split is told by the components
        patch.setattr(resnapping, "_ROOM", 1.0)  # and places are snapped onto the whole network
        patch.setattr(closures, "_BLOCK_BYTES", 1)  # one point at a time
        check_against_the_plain_way(tangle(seed), seed, ("road",))


@pytest.mark.parametrize("name", ["scipy", "numba"])
def test_every_engine_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in available():
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(closures, "search", partial(search, engine=name))
    for seed in range(3):
        check_against_the_plain_way(tangle(seed), seed, ("road",))


def test_a_grid_by_brute_force_with_every_link() -> None:
    net = square_grid(6)
    points = net.nodes.geometry.iloc[[0, 7, 22, 35]].reset_index(drop=True)
    every = np.arange(4)
    whole = Closures(net, points, every, every, ("road",))
    found = closed_in_turn(whole, net.link_rows)
    made = net.to_networkx().to_undirected()
    names = net.nodes["id"].iloc[[0, 7, 22, 35]].tolist()
    for row in net.link_rows.tolist():
        tail, head = (str(net.nodes["id"].iloc[e[row]]) for e in
                      (net._tables.tail, net._tables.head))  # fmt: skip
        less = nx.Graph(made)
        less.remove_edge(tail, head)
        for i, one in enumerate(names):
            minutes = nx.single_source_shortest_path_length(less, one)
            assert found[row][i] == pytest.approx([minutes[other] * 60_000 for other in names])
