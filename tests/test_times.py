"""Travel times, on grids whose answers are derived on paper."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from grids import PROFILE, link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access.machine import available
from urbangeo.access.points import as_points
from urbangeo.access.times import Asked, check_minutes, direct_times, travel_times
from urbangeo.crs import GEOD
from urbangeo.errors import InputError, NetworkError
from urbangeo.network import Network
from urbangeo.network.profiles import AccessRule


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


def test_to_the_origins_is_the_way_back() -> None:
    net = network(
        [node("A", 107, 27), node("B", 107.1, 27), node("C", 107.2, 27)],
        [link("A", "B", 10, oneway=1), link("B", "C", 10), link("C", "A", 30, oneway=1)],
    )
    centre, towns = table((107, 27)), table((107.1, 27), (107.2, 27), index=["B", "C"])
    out = travel_times(net, centre, towns)
    back = travel_times(net, centre, towns, direction="to")
    assert out.loc[0].to_dict() == {"B": 10, "C": 20}
    assert back.loc[0].to_dict() == {"B": 40, "C": 30}
    nodes = travel_times(net, centre, direction="to")
    assert nodes.loc[0].to_dict() == {"A": 0, "B": 40, "C": 30}
    assert travel_times(net, centre, direction="to", cutoff=30).loc[0].isna().tolist() == [
        False, True, False,
    ]  # fmt: skip
    # from many to one is the same as one's way back
    assert travel_times(net, towns, centre)[0].to_dict() == back.loc[0].to_dict()


@given(st.integers(0, 10_000), st.sampled_from(["scipy", "numba", "cch"]))
@settings(max_examples=30, deadline=None)
def test_forward_equals_reverse_of_the_transpose(seed: int, name: str) -> None:
    if name not in available():
        return
    net = random_network(seed)
    spots = net.nodes.set_index("id")[["geometry"]]
    rows = net.links.drop(columns="geometry")
    turned = rows.rename(columns={"from": "to", "to": "from"})
    other = Network.from_tables(net.nodes, turned, profile=net.profile)
    forth = travel_times(net, spots, spots.iloc[:2], engine=name).to_numpy()
    back = travel_times(other, spots.iloc[:2], spots, engine=name).to_numpy()
    assert np.array_equal(forth, back.T, equal_nan=True)


def test_duplicates_and_points_at_one_place_each_get_their_row() -> None:
    net = square_grid(3)
    begin = table(*[(107.0, 27.0)] * 3, index=["x", "x", "y"])
    end = table((107.02, 27.02), (107.0, 27.0), (107.02, 27.02), index=[5, 5, 5])
    times = travel_times(net, begin, end)
    assert times.index.tolist() == ["x", "x", "y"]
    assert times.columns.tolist() == [5, 5, 5]
    assert times.to_numpy().tolist() == [[4, 0, 4]] * 3


def test_the_long_form_holds_what_is_reached() -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    begin = table((108, 27), (107, 27), index=["b", "a"])
    found = travel_times(net, begin, form="long")
    assert found.to_dict("list") == {
        "origin": ["b", "b", "a", "a"],
        "destination": ["A", "B", "A", "B"],
        "minutes": [100, 0, 0, 100],
    }
    pairs = travel_times(net, begin, table((109, 27), (107, 27)), 120, form="long")
    assert pairs.to_dict("list") == {
        "origin": ["b", "a"], "destination": [1, 1], "minutes": [100, 0],
    }  # fmt: skip


@given(st.integers(0, 10_000), st.floats(0.5, 10), st.sampled_from(["from", "to"]))
@settings(max_examples=20, deadline=None)
def test_long_equals_wide_for_every_engine(seed: int, cutoff: float, direction: str) -> None:
    net = winding_grid(seed)
    spots = net.nodes.set_index("id")[["geometry"]].iloc[:5]
    for name in available():
        end = spots if name == "cch" else None
        wide, long = (
            travel_times(net, spots, end, cutoff, direction=direction, form=form, engine=name)
            for form in ("wide", "long")
        )
        plain = travel_times(net, spots, end, cutoff, direction=direction, engine="scipy")
        pd.testing.assert_frame_equal(wide, plain)
        there = {(o, d): wide.loc[o, d] for o in wide.index for d in wide.columns}
        assert long.set_index(["origin", "destination"])["minutes"].to_dict() == {
            pair: minutes for pair, minutes in there.items() if np.isfinite(minutes)
        }


def test_by_car_and_on_foot_the_faster_counts_at_nodes() -> None:
    walking = dataclasses.replace(PROFILE, walk=AccessRule(kmh=6.0, circuity=1.0, max_km=1.0))
    nodes = [node("A", 107, 27), node("B", 107.01, 27), node("C", 107.02, 27)]
    rows = [link("A", "B", 1, oneway=1), link("B", "C", 1, oneway=1)]
    net = Network.from_tables(pd.DataFrame(nodes), pd.DataFrame(rows), profile=walking)
    for form in ("wide", "long"):
        found = travel_times(net, (107.01, 27.0), modes=("road", "walk"), form=form)
        minutes = (
            found.iloc[0].to_dict()
            if form == "wide"
            else found.set_index("destination")["minutes"].to_dict()
        )
        # a kilometre takes 1 minute with the one-way road, and against it 10 on foot
        assert minutes == {"A": 10, "B": 0, "C": 1}


@pytest.mark.parametrize("cutoff", [0, float("inf"), float("nan"), -1])
def test_a_cutoff_that_makes_no_sense(cutoff: float) -> None:
    with pytest.raises(InputError, match=r"above 0 and at most 1440.*Leave it out for no cutoff"):
        travel_times(square_grid(2), (107.0, 27.0), cutoff=cutoff)


def test_words_that_are_not_understood() -> None:
    net, spot = square_grid(2), (107.0, 27.0)
    with pytest.raises(InputError, match="direction is 'back'"):
        travel_times(net, spot, direction="back")
    with pytest.raises(InputError, match="form is 'tall'; 'wide' or 'long'"):
        travel_times(net, spot, form="tall")
    with pytest.raises(InputError, match="'cch' answers between listed places"):
        travel_times(net, spot, engine="cch")


def test_nothing_asked_is_refused() -> None:
    with pytest.raises(InputError, match="origins: none given"):
        travel_times(square_grid(2), [])
    with pytest.raises(InputError, match="destinations: the table has no row"):
        travel_times(square_grid(2), (107.0, 27.0), table((107, 27)).iloc[:0])


def test_a_network_without_links_of_the_modes() -> None:
    with pytest.raises(NetworkError, match="no link for the modes rail"):
        travel_times(square_grid(2), (107.0, 27.0), modes=("rail",))


def test_neighbours_among_many_are_found_wherever_they_stand() -> None:
    """The pairs that go across, against measuring every pair."""
    net = network([node("A", 107, 27), node("B", 107.3, 27)], [link("A", "B", 30)])
    rng = np.random.default_rng(5)
    lonlat = np.column_stack([rng.uniform(107, 107.3, 60), rng.uniform(26.965, 27.035, 60)])
    spots = table(*map(tuple, lonlat.tolist()))
    asked = Asked.of(net, as_points(spots), as_points(spots), ("road",))
    found = direct_times(
        net, ("road",), asked.snaps, asked.lonlat, asked.begin, asked.end, reverse=False
    )
    near = asked.snaps.nearest_m[asked.begin]
    for one in range(60):
        for other in range(60):
            metres = GEOD.inv(*lonlat[one], *lonlat[other])[2]
            if metres <= min(near[one] + near[other], 5000):
                # 12 km/h, which is 5 minutes for each kilometre
                assert found.ms[one, other] <= round(metres * 300)
            across = found.link[one, other] < 0 and np.isfinite(found.ms[one, other])
            assert not across or metres <= near[one] + near[other] + 0.5


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
