"""Closing links one after another, against asking the network without each, which is the truth."""

from __future__ import annotations

from functools import partial

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access import closures
from urbangeo.access.closures import Closures
from urbangeo.access.critical import critical_links, rank_projects
from urbangeo.access.machine import available
from urbangeo.access.times import search, travel_times
from urbangeo.errors import InputError, NetworkError, UnknownNameError
from urbangeo.network import Network


def spots(net: Network, names: list[str], **columns: list[object]) -> gpd.GeoDataFrame:
    nodes = net.nodes.set_index("id").loc[names]
    return gpd.GeoDataFrame({"name": names, **columns}, geometry=list(nodes.geometry), crs=4326)


def ring() -> Network:
    """A square A B C D of 10-minute roads; E hangs on A by a road of 5."""
    at = {"A": (107, 27), "B": (107.1, 27), "C": (107.1, 27.1), "D": (107, 27.1), "E": (106.9, 27)}
    nodes = [node(name, *where, "junction" if name in "BD" else "place")
             for name, where in at.items()]  # fmt: skip
    return network(nodes, [link("A", "B", 10), link("B", "C", 10), link("C", "D", 10),
                           link("D", "A", 10), link("E", "A", 5)])  # fmt: skip


# -- by hand ------------------------------------------------------------------------------------


def test_closing_a_side_of_a_ring_sends_everybody_round() -> None:
    net = ring()
    places = spots(net, ["A", "B", "E"], people=[1, 10, 100])
    found = critical_links(net, places, population="people").set_index("id")
    assert len(found) == 5
    # without A-B: A and B are 30 apart instead of 10, E and B 35 instead of 15
    row = found.loc["A-B"]
    assert (row["pairs"], row["lost"], row["worst_min"]) == (4, 0, 20)
    assert row["added_min"] == pytest.approx(20 * (1 + 10 + 100 + 10))
    # without E-A nobody gets to E or away, not even by the grace of a detour
    row = found.loc["E-A"]
    assert (row["pairs"], row["lost"], row["lost_people"]) == (4, 4, 1 + 10 + 2 * 100)
    assert np.isinf(row["worst_min"])
    assert found.loc[["B-C", "C-D", "D-A"], ["pairs", "added_min"]].to_numpy().sum() == 0
    assert found["rank"].to_dict() == {"E-A": 1, "A-B": 2, "B-C": 3, "C-D": 4, "D-A": 5}
    assert found.attrs["pairs"] == 6
    assert found.attrs["unreached"] == 0
    assert found.attrs["network"]["digest"] == net.digest
    assert found.crs == "EPSG:4326"


def test_with_a_cutoff_a_pair_is_lost_when_it_needs_longer() -> None:
    net = ring()
    places = spots(net, ["A", "B", "E"])
    found = critical_links(net, places, links=["A-B"], cutoff=30).iloc[0]
    assert (found["pairs"], found["lost"]) == (4, 2)  # A and B 30 apart, still within
    found = critical_links(net, places, links=["A-B"], cutoff=10).iloc[0]
    assert (found["pairs"], found["lost"]) == (2, 2)  # E and B were beyond it anyway


def test_the_second_of_parallel_roads_takes_the_place_of_the_first() -> None:
    nodes = [node("A", 107, 27), node("B", 107.1, 27)]
    net = network(nodes, [link("A", "B", 20, id="slow"), link("A", "B", 10, id="fast"),
                          link("B", "A", 13, id="back")])  # fmt: skip
    found = critical_links(net, spots(net, ["A", "B"])).set_index("id")
    assert found["added_min"].to_dict() == pytest.approx({"fast": 6, "back": 0, "slow": 0})
    whole = Closures(net, spots(net, ["A", "B"]).geometry, np.arange(2), np.arange(2), ("road",))
    assert whole.without(["fast", "back"])[0, 1] == 20 * 60_000
    graph = whole.masked(net.link_rows[1:])
    assert graph.cost_ms.tolist() == [1_200_000, 1_200_000]
    assert graph.item.tolist() == [0, 0]
    with pytest.raises(KeyError):
        whole.masked(net.link_rows).arc(0, 1)


def test_services_may_be_closed_too() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 108, 27, "station")]
    trains = service("G", ["S", "T"], [30]) + service("D", ["S", "T"], [50], headway_min=60)
    net = network(nodes, [link("S", "T", 90)], trains)
    found = critical_links(net, spots(net, ["S", "T"]), links=["G", "S-T"]).set_index("id")
    # G alone: 10 + 10 + 30 + 5 = 55; D alone: 10 + 15 + 50 + 5 = 80
    assert found.loc["G", "added_min"] == pytest.approx(2 * 25)
    assert found.loc["G", "mode"] == "rail"
    assert found.loc["S-T", "added_min"] == 0


def test_origins_that_have_no_way_are_counted() -> None:
    net = ring()
    far = gpd.GeoDataFrame({"name": ["far"]}, geometry=[Point(107.05, 27.5)], crs=4326)
    found = critical_links(net, pd.concat([spots(net, ["A"]), far]), spots(net, ["B", "C"]))
    assert (found.attrs["pairs"], found.attrs["unreached"]) == (4, 2)


@pytest.mark.parametrize(
    ("more", "error", "told"),
    [
        ({"links": ["A-X"]}, UnknownNameError, "road link or service 'A-X'"),
        ({"links": []}, InputError, "links: none given"),
        ({"cutoff": 0}, InputError, "cutoff is 0"),
        ({"population": "folk"}, InputError, "'folk', which is no column"),
        ({"population": "minus"}, InputError, "1 place.s. have no usable value; the first, A"),
        ({"population": pd.Series([1.0], index=[0])}, InputError, "lacks 1"),
        ({"links": ["r"]}, NetworkError, "'r' is a piece of railway"),
    ],
)
def test_what_cannot_be_used_is_named(
    more: dict[str, object], error: type[Exception], told: str
) -> None:
    nodes = [node("A", 107, 27, "station"), node("B", 107.1, 27, "station")]
    rail = {**link("A", "B", 9, "hsr", id="r"), "mode": "rail"}
    net = network(nodes, [link("A", "B", 10), rail])
    with pytest.raises(error, match=told):
        critical_links(net, spots(net, ["A", "B"], minus=[-1, 2]), **more)  # type: ignore[arg-type]


# -- the plain way ------------------------------------------------------------------------------


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
        patch.setattr(closures, "_MOST_VISITED", 2)  # every split is told by the components
        patch.setattr(closures, "_ROOM", 1.0)  # and places are snapped onto the whole network
        patch.setattr(closures, "_BLOCK_BYTES", 1)  # one point at a time
        check_against_the_plain_way(tangle(seed), seed, ("road",))


@pytest.mark.parametrize("name", ["scipy", "numba"])
def test_every_engine_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in available():
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(closures, "search", partial(search, engine=name))
    for seed in range(3):
        check_against_the_plain_way(tangle(seed), seed, ("road",))


def test_a_way_back_over_the_closed_one_way_road_is_no_way_round() -> None:
    """The node that the detour enters by would itself travel over the closed road.

    From I one gets to J by U -> V only, or by the loop Y. Y's own fastest way to J leads back to U
    and over U -> V; without that it has to take its long road.
    """
    at = {"I": 0.0, "U": 1.0, "V": 2.0, "J": 3.0, "Y": 2.5}
    nodes = [node(name, 100 + x, 27 + (0.5 if name == "Y" else 0)) for name, x in at.items()]
    roads = [
        ("I", "U", 100), ("U", "V", 110), ("V", "J", 300), ("V", "Y", 120), ("Y", "U", 105),
        ("U", "Y", 900), ("Y", "J", 2000),
    ]  # fmt: skip
    net = network(nodes, [link(a, b, km, oneway=1) for a, b, km in roads])
    places = spots(net, ["I", "J"])
    found = critical_links(net, places.iloc[:1], places.iloc[1:]).set_index("id")
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([one for one in roads if one[:2] != ("U", "V")])
    without = nx.dijkstra_path_length(graph, "I", "J")
    assert without == 3000
    assert found.loc["U-V", "added_min"] == pytest.approx(3000 - 510)


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


# -- projects -----------------------------------------------------------------------------------


def planned() -> tuple[Network, Network]:
    """A town 90 minutes off; two planned roads, either of which brings it to 50 or 40.

    A third one needs the second.
    """
    nodes = [node(name, 107 + x, 27) for name, x in
             (("C", 0), ("T", 0.4), ("M", 0.2), ("F", 0.6))]  # fmt: skip
    more = {"status": "在建", "planned_year": 2025, "open_year": None}
    roads = [
        link("C", "T", 90, open_year=2010),
        link("T", "F", 90, open_year=2010),
        link("C", "T", 50, "expressway", id="one", name="一号高速", length_m=100_000, **more),
        link("C", "M", 20, id="two-1", name="二号路", **more),
        link("M", "T", 20, id="two-2", name="二号路", **more),
        link("M", "F", 30, id="three", name="三号路", cite="p:1", **more),
    ]
    net = network(nodes, roads)
    return net.at(2022), net.at(2025)


def test_projects_by_what_each_adds_alone_and_what_is_lost_without_it() -> None:
    before, after = planned()
    towns = spots(after, ["T", "F"], people=[100, 7])
    # before: T 90, F 180. One alone: T 50, F 140. Two alone: T 40, F 130. Three alone: M hangs
    # on F only, so nothing. All: T 40, F 50.
    found = rank_projects(after, (107.0, 27.0), 60, before=before,
                          places=towns, population="people").set_index("project")  # fmt: skip
    assert found.index.tolist() == ["二号路", "一号高速", "三号路（p:1）"]
    assert found["gained"].tolist() == ["T", "T", ""]
    assert found["gained_people"].tolist() == [100, 100, 0]
    assert found["saved_min"].to_numpy() == pytest.approx([50 * 107, 40 * 107, 0])
    # without two: T 50 by one, F 140; without one: nothing is worse; without three: F 130
    assert found["lost"].tolist() == ["F", "", "F"]
    assert found["lost_people"].tolist() == [7, 0, 7]
    assert found["missed_min"].to_numpy() == pytest.approx([10 * 100 + 90 * 7, 0, 80 * 7])
    assert found["links"].tolist() == [2, 1, 1]
    assert found["rank"].tolist() == [1, 2, 3]


def test_without_a_network_before_what_is_planned_is_left_out() -> None:
    before, after = planned()
    towns = spots(after, ["T", "F"])
    one = rank_projects(after, (107.0, 27.0), places=towns)
    other = rank_projects(after, (107.0, 27.0), places=towns, before=before)
    pd.testing.assert_frame_equal(one, other)
    with pytest.raises(InputError, match="holds nothing of the projects that is not built"):
        rank_projects(before, (107.0, 27.0), places=towns)


def test_a_table_of_projects_groups_as_it_says() -> None:
    before, after = planned()
    table = pd.DataFrame({"project": ["west", "rest"], "ids": ["one|two-1|two-2", ["three"]]})
    found = rank_projects(after, (107.0, 27.0), places=spots(after, ["T", "F"]), before=before,
                          projects=table).set_index("project")  # fmt: skip
    assert found.index.tolist() == ["west", "rest"]
    assert found["lost"].tolist() == ["T、F", "F"]
    assert found["title"].tolist() == ["二号路、一号高速", "三号路"]


def test_networks_of_different_tables_have_no_projects_in_common() -> None:
    _, after = planned()
    with pytest.raises(InputError, match="not made of the same tables"):
        rank_projects(after, (107.0, 27.0), places=spots(after, ["T"]), before=ring())


def test_a_network_without_plans_has_nothing_to_rank() -> None:
    net = ring()
    with pytest.raises(InputError, match="no planned link or service"):
        rank_projects(net, (107.0, 27.0), places=spots(net, ["A"]))
