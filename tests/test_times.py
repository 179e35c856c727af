"""Travel times, on grids whose answers are derived on paper."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from grids import link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access.times import check_minutes, travel_times
from urbangeo.errors import InputError
from urbangeo.network import Network


def table(*points: tuple[float, float], index: list[object] | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[Point(*one) for one in points], crs=4326, index=index)


def test_time_on_a_grid_is_the_number_of_blocks() -> None:
    net = square_grid(5)
    spots = [(107 + c * 0.01, 27 + r * 0.01) for r in range(5) for c in range(5)]
    times = travel_times(net, table(*spots), table(*spots)).to_numpy()
    row, column = np.divmod(np.arange(25), 5)
    blocks = np.abs(row[:, None] - row) + np.abs(column[:, None] - column)
    assert times == pytest.approx(blocks, abs=1e-9)


def test_to_all_nodes() -> None:
    times = travel_times(square_grid(3), (107.0, 27.0))
    assert times.columns.tolist() == [f"{r},{c}" for r in range(3) for c in range(3)]
    assert times.iloc[0].tolist() == [0, 1, 2, 1, 2, 3, 2, 3, 4]


def test_the_caller_gets_its_index_back() -> None:
    net = square_grid(3)
    begin = table((107.0, 27.0), (107.01, 27.0), index=["x", "y"])
    end = table((107.02, 27.02), index=[99])
    times = travel_times(net, begin, end)
    assert times.index.tolist() == ["x", "y"]
    assert times.columns.tolist() == [99]
    assert times[99].tolist() == [4, 3]


def test_the_cutoff_is_inclusive() -> None:
    net, begin, end = square_grid(3), table((107.0, 27.0)), table((107.02, 27.02))
    assert travel_times(net, begin, end, cutoff=4).iloc[0, 0] == 4
    assert np.isnan(travel_times(net, begin, end, cutoff=3.9999).iloc[0, 0])
    assert np.isnan(travel_times(net, begin, cutoff=3.9999).loc[0, "2,2"])
    assert travel_times(net, begin, cutoff=4).loc[0, "2,2"] == 4


def test_legs_off_the_network_count_at_both_ends() -> None:
    net = square_grid(2)
    north = 600 / 110_770  # 600 m: 3 minutes at 12 km/h
    times = travel_times(net, (107.0, 27.0 - north), table((107.01, 27.01 + north)))
    assert times.iloc[0, 0] == pytest.approx(3 + 2 + 3, abs=0.01)


def test_two_places_on_one_road_travel_along_it() -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 10)])
    times = travel_times(net, table((107.04, 27), (107.06, 27)), table((107.04, 27), (107.06, 27)))
    assert times.to_numpy() == pytest.approx(np.array([[0, 2], [2, 0]]), abs=0.01)


def test_a_one_way_road_is_not_driven_backwards() -> None:
    net = network(
        [node("A", 107, 27, "junction"), node("B", 107.1, 27, "junction")],
        [link("A", "B", 10, oneway=1)],
    )
    spots = table((107.04, 27), (107.06, 27))
    times = travel_times(net, spots, spots).to_numpy()
    assert times[0, 1] == pytest.approx(2, abs=0.01)
    assert np.isnan(times[1, 0])


def test_neighbours_off_the_road_go_across() -> None:
    net = network([node("A", 107, 27), node("B", 107.1, 27)], [link("A", "B", 10)])
    # both 3 km north of the road and 100 m apart: half a minute, not half an hour
    north = 27 + 3000 / 110_770
    spots = table((107.05, north), (107.051, north))
    assert travel_times(net, spots, spots).to_numpy()[0, 1] == pytest.approx(0.496, abs=0.01)


def test_islands_and_lost_places_are_not_a_number() -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    times = travel_times(net, (107.0, 27.0), table((108, 27), (109, 27), (107, 27.3)))
    assert times.iloc[0, 0] == 100
    assert times.iloc[0, 1:].isna().all()


def test_rail_and_road_door_to_door() -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("S", 107.05, 27.0, "station"),
        node("T", 107.95, 27.0, "station"),
        node("B", 108.0, 27.0),
    ]
    links = [link("A", "S", 5), link("T", "B", 5), link("A", "B", 100)]
    net = network(nodes, links, service("G", ["S", "T"], [30]))
    places = table((107.0, 27.0), (108.0, 27.0))
    # road 5 + enter 10 + wait 10 + ride 30 + leave 5 + road 5
    assert travel_times(net, places, places).iloc[0, 1] == 65
    assert travel_times(net, places, places, modes=("road",)).iloc[0, 1] == 100


def test_searching_from_either_side_gives_the_same() -> None:
    net = square_grid(4)
    many = table(*[(107 + 0.007 * i, 27 + 0.003 * i) for i in range(4)])
    one = table((107.013, 27.021))
    forth = travel_times(net, many, one).to_numpy()
    back = travel_times(net, one, many).to_numpy()
    assert forth[:, 0] == pytest.approx(back[0])


@pytest.mark.parametrize("minutes", [0, -5, float("nan"), float("inf"), 24 * 60 + 1, "60", True])
def test_minutes_that_make_no_sense(minutes: object) -> None:
    with pytest.raises(InputError, match="above 0 and at most 1440"):
        check_minutes(minutes)  # type: ignore[arg-type]


def random_network(seed: int) -> Network:
    """Make a tangle: parallel links, one-ways, islands.

    Nodes lie far apart, so that nobody hops from road to road off the network, which would be
    right but not what networkx knows.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 12))
    nodes = [node(str(i), 100 + rng.uniform(0, 20), 20 + rng.uniform(0, 20)) for i in range(count)]
    links = []
    for number in range(int(rng.integers(count, 4 * count))):
        tail, head = rng.choice(count, 2, replace=False)
        row = link(
            str(tail), str(head), float(rng.uniform(50, 2000)), oneway=int(rng.random() < 0.4)
        )
        links.append({**row, "id": str(number)})
    return network(nodes, links)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_nodes_to_nodes_equal_networkx(seed: int) -> None:
    net = random_network(seed)
    spots = net.nodes.set_index("id")[["geometry"]]
    found = travel_times(net, spots)
    graph = net.to_networkx()
    for start in [name for name in spots.index if graph.degree(name)][:3]:
        theirs = nx.single_source_dijkstra_path_length(graph, start, weight="minutes")
        ours = found.loc[start].dropna()
        assert set(ours.index) == set(theirs)
        for end, minutes in theirs.items():
            assert ours[end] == pytest.approx(minutes, abs=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_graph_search_equals_networkx_exactly(seed: int) -> None:
    from scipy.sparse.csgraph import dijkstra

    net = random_network(seed)
    graph = net.graph(("road",))
    ours = dijkstra(graph.matrix(), indices=0)
    tangle = nx.MultiDiGraph()
    tangle.add_nodes_from(range(graph.n_nodes))
    tables = net._tables
    for row, (tail, head) in enumerate(zip(tables.tail, tables.head, strict=True)):
        ms = round(tables.links["length_m"].iloc[row] * 3600 / 60)
        tangle.add_edge(int(tail), int(head), ms=ms)
        if not tables.links["oneway"].iloc[row]:
            tangle.add_edge(int(head), int(tail), ms=ms)
    theirs = nx.single_source_dijkstra_path_length(tangle, 0, weight="ms")
    assert {i: int(ms) for i, ms in enumerate(ours) if np.isfinite(ms)} == theirs


def winding_grid(seed: int) -> Network:
    """Make a grid whose blocks take one to three minutes; crossing one on foot takes longer."""
    rng = np.random.default_rng(seed)
    plain = square_grid(4)
    links = plain.links.drop(columns="geometry")
    links["length_m"] = rng.uniform(1100, 3000, len(links))
    return Network.from_tables(plain.nodes, links, profile=plain.profile)


@given(st.integers(0, 10_000), st.floats(0.1, 20))
@settings(max_examples=25, deadline=None)
def test_triangle_and_cutoff(seed: int, cutoff: float) -> None:
    net = winding_grid(seed)
    spots = net.nodes.set_index("id")[["geometry"]]
    full = travel_times(net, spots, spots).to_numpy()
    through = (full[:, :, None] + full[None, :, :]).min(axis=1)
    assert (full <= through + 1e-9).all()
    cut = travel_times(net, spots, spots, cutoff=cutoff).to_numpy()
    assert np.array_equal(np.isfinite(cut), np.round(full * 60_000) <= round(cutoff * 60_000))


@given(st.integers(0, 10_000), st.integers(0, 15), st.integers(0, 15), st.floats(0.1, 5))
@settings(max_examples=25, deadline=None)
def test_a_new_link_never_lengthens_a_time(seed: int, tail: int, head: int, km: float) -> None:
    net = winding_grid(seed)
    if tail == head:
        return
    ids = net.nodes["id"]
    rows = net.links.drop(columns="geometry")
    new = pd.DataFrame([link(ids[tail], ids[head], km)]).assign(id="new")
    more = Network.from_tables(net.nodes, pd.concat([rows, new]), profile=net.profile)
    spots = net.nodes.set_index("id")[["geometry"]]
    assert (travel_times(more, spots) <= travel_times(net, spots) + 1e-9).all().all()
