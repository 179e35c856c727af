"""By how much roads may be slower: derived on paper, and by slowing all roads."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from grids import GRID, corner, link, network, node, service, square_grid, table
from hypothesis import given, settings
from hypothesis import strategies as st

from urbangeo.access import commuting_circle
from urbangeo.network import Network


def test_breakeven_of_a_road_is_cutoff_over_time() -> None:
    circle = commuting_circle(corner(0, 0), 6, square_grid(5), places=GRID)
    row = circle.towns.set_index("name").loc["1,3"]
    assert row["breakeven"] == pytest.approx(6 / 4, abs=1e-3)


def rail_or_road() -> Network:
    nodes = [
        node("A", 107.0, 27.0),
        node("S", 107.05, 27.0, "station"),
        node("T", 107.95, 27.0, "station"),
        node("B", 108.0, 27.0),
    ]
    links = [link("A", "S", 5), link("T", "B", 5), link("A", "B", 50)]
    return network(nodes, links, service("G", ["S", "T"], [30]))


def test_breakeven_changes_to_the_train_when_the_road_is_slow() -> None:
    spots = table(name=["B"], xy=[(108.0, 27.0)])
    circle = commuting_circle((107.0, 27.0), 70, rail_or_road(), places=spots)
    row = circle.towns.iloc[0]
    # road: 50 f; rail: 10 f + 55. At f = 1 the road wins; the train holds until 10 f = 15
    assert row["minutes"] == 50
    assert row["modes"] == "road"
    assert row["breakeven"] == pytest.approx(1.5, abs=2e-3)


def test_a_place_at_the_breakeven_is_inside_and_beyond_it_outside() -> None:
    spots = table(name=["B"], xy=[(108.0, 27.0)])
    net = rail_or_road()
    factor = commuting_circle((107.0, 27.0), 70, net, places=spots).towns["breakeven"].iloc[0]
    for slower, status in ((factor, "inside"), (factor + 0.01, "outside")):
        view = net.scaled(1 / slower)
        found = commuting_circle((107.0, 27.0), 70, view, places=spots).towns
        assert found["status"].iloc[0] == status


def test_breakeven_of_neighbours_where_trains_run() -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.1, 27.0),
        node("S", 107.5, 27.0, "station"),
        node("T", 107.9, 27.0, "station"),
    ]
    links = [link("A", "B", 10), link("B", "S", 40), link("S", "T", 60)]
    net = network(nodes, links, service("G", ["S", "T"], [20]))
    # on one link, 4 km apart; and off it, 100 m apart and half a minute on foot
    along = commuting_circle((107.03, 27.0), 8, net, places=table(name=["a"], xy=[(107.07, 27.0)]))
    assert along.towns["modes"].iloc[0] == "road"
    assert along.towns["breakeven"].iloc[0] == pytest.approx(2.0, abs=0.02)
    beside = table(name=["a"], xy=[(107.051, 27.027)])
    across = commuting_circle((107.05, 27.027), 5, net, places=beside)
    assert across.towns["modes"].iloc[0] == "access"
    assert across.towns["breakeven"].iloc[0] == pytest.approx(5 / 0.496, rel=0.01)


def test_a_train_nearly_as_fast_as_the_road_holds_the_place_inside() -> None:
    nodes = [node("S", 107.0, 27.0, "station"), node("T", 107.9, 27.0, "station")]
    # entering 10, waiting 10, riding 34.985, leaving 5: 59.985; by road 59.98
    net = network(nodes, [link("S", "T", 59.98)], service("G", ["S", "T"], [34.985]))
    towns = commuting_circle((107, 27), 60, net, places=table(name=["T"], xy=[(107.9, 27)])).towns
    assert towns["modes"].iloc[0] == "road"
    assert towns["breakeven"].iloc[0] == np.inf


def test_by_rail_alone_no_road_can_be_too_slow() -> None:
    nodes = [node("S", 107, 27, "station"), node("T", 107.9, 27, "station")]
    net = network(nodes, [link("S", "T", 500)], service("G", ["S", "T"], [30]))
    spots = table(name=["T"], xy=[(107.9, 27.0)])
    assert commuting_circle((107, 27), 60, net, places=spots).towns["breakeven"].iloc[0] == np.inf


def test_on_foot_no_road_can_be_too_slow() -> None:
    # 1 km: a minute by car, 12 on foot at 5 km/h; beside it 100 m across
    from dataclasses import replace

    from urbangeo.network.profiles import AccessRule

    walk = AccessRule(kmh=5.0, circuity=1.0, max_km=5.0)
    net = square_grid(3)
    net = net.with_profile(replace(net.profile, walk=walk))
    spots = table(name=["near", "far", "at"], xy=[corner(0, 1), corner(0, 2), corner(0, 0)])
    circle = commuting_circle(corner(0, 0), 13, net, places=spots, modes=("road", "walk"))
    near, far, at = circle.towns["breakeven"]
    assert near == np.inf
    assert at == np.inf
    # 2 km: 24 minutes on foot are too many, so 13 minutes over 2
    assert far == pytest.approx(6.5, abs=2e-3)


def test_break_even_of_many_places_where_trains_matter_for_some() -> None:
    # a line of towns, a train between its ends: each break-even is found anew by slowing all roads
    nodes = [node("S", 107.0, 27.0, "station"), node("T", 107.9, 27.0, "station")]
    nodes += [node(f"n{one}", 107 + one / 10, 27.0) for one in range(1, 9)]
    chain = ["S", *(f"n{one}" for one in range(1, 9)), "T"]
    links = [link(a, b, 9) for a, b in pairwise(chain)]
    net = network(nodes, links, service("G", ["S", "T"], [20]))
    spots = table(name=chain, xy=[(107 + one / 10, 27.0) for one in range(10)])
    circle = commuting_circle((107.0, 27.0), 60, net, places=spots)
    for name, factor, status in circle.towns[["name", "breakeven", "status"]].itertuples(
        index=False
    ):
        if status != "inside":
            continue
        if np.isinf(factor):
            assert name in {"S", "T"}, "by train alone, or at the centre"
            continue
        for slower, expected in ((factor - 1e-3, True), (factor + 2e-3, False)):
            view = net.scaled(1 / slower)
            held = commuting_circle((107.0, 27.0), 60, view, places=spots).inside["name"]
            assert (name in set(held)) == expected, (name, slower)


@given(
    st.lists(st.integers(1, 25), min_size=8, max_size=8),
    st.integers(2, 30),
    st.integers(0, 3),
    st.integers(4, 7),
    st.sampled_from(["to", "from"]),
)
@settings(max_examples=20, deadline=None)
def test_break_even_is_where_slowing_all_roads_turns_the_verdict(
    lengths: list[int], ride: int, board: int, alight: int, direction: str
) -> None:
    # a line of nine towns and a train between two of them; all roads are slowed step by step
    names = [f"n{one}" for one in range(9)]
    nodes = [
        node(name, 107 + place / 10, 27.0, "station" if place in {board, alight} else "place")
        for place, name in enumerate(names)
    ]
    links = [link(*pair, km) for pair, km in zip(pairwise(names), lengths, strict=True)]
    net = network(nodes, links, service("G", [f"n{board}", f"n{alight}"], [ride]))
    spots = table(name=names, xy=[(107 + one / 10, 27.0) for one in range(9)])
    centre = (107.1, 27.0)
    found = commuting_circle(centre, 60, net, places=spots, direction=direction).towns
    for slower in (1.0, 1.15, 1.6, 2.3, 4.0, 9.0):
        view = net.scaled(1 / slower)
        held = commuting_circle(centre, 60, view, places=spots, direction=direction).towns
        inside = (held["status"] == "inside").to_numpy()
        sure = (found["breakeven"] - slower).abs() > 0.003
        expected = (found["breakeven"] >= slower).to_numpy()
        assert (inside == expected)[sure.to_numpy()].all(), slower
