"""Commuting circles: inside is decided by time."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from grids import link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from urbangeo.access import commuting_circle, travel_times
from urbangeo.errors import CRSError, InputError, UnknownNameError
from urbangeo.network import Network


def table(**columns: list[object]) -> gpd.GeoDataFrame:
    xy = columns.pop("xy")
    return gpd.GeoDataFrame(columns, geometry=[Point(*one) for one in xy], crs=4326)  # type: ignore[misc]


def corner(r: int, c: int) -> tuple[float, float]:
    return 107 + c * 0.01, 27 + r * 0.01


GRID = table(
    name=[f"{r},{c}" for r in range(5) for c in range(5)],
    xy=[corner(r, c) for r in range(5) for c in range(5)],
)


def test_inside_is_a_diamond_of_blocks_and_the_cutoff_is_inclusive() -> None:
    circle = commuting_circle(corner(2, 2), 2, square_grid(5), places=GRID)
    inside = set(circle.towns.loc[circle.towns["status"] == "inside", "name"])
    assert inside == {
        f"{r},{c}" for r in range(5) for c in range(5) if abs(r - 2) + abs(c - 2) <= 2
    }
    row = circle.towns.set_index("name").loc["0,2"]
    assert (row["minutes"], row["margin_min"], row["breakeven"]) == (2, 0, 1.0)


def test_no_row_is_lost_and_each_has_its_reason() -> None:
    nodes = [node(name, 107 + place, 27) for place, name in enumerate("ABCD")]
    net = network(nodes, [link("A", "B", 100), link("C", "D", 100)])
    spots = table(
        name=["near", "far", "island", "lost"],
        xy=[(107.0, 27.0), (108.0, 27.0), (109.0, 27.0), (107.0, 27.4)],
    )
    spots.index = [4, 3, 2, 1]
    towns = commuting_circle((107.0, 27.0), 60, net, places=spots).towns
    assert towns.index.tolist() == [4, 3, 2, 1]
    assert towns["status"].tolist() == ["inside", "outside", "unreachable", "unsnapped"]
    assert towns["minutes"].tolist()[:2] == [0, 100]
    assert towns["minutes"].isna().tolist() == [False, False, True, True]
    assert towns["reason"].iloc[2] == "附近只有与主路网不连通的孤立路段"
    assert towns["reason"].iloc[3].startswith("距最近可进入的道路或车站 44.3 千米，超过 5 千米")


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


def test_direction_matters_on_one_way_roads() -> None:
    nodes = [node("A", 107, 27), node("B", 107.1, 27), node("C", 107.05, 27.1)]
    net = network(nodes, [link("A", "B", 10, oneway=1), link("B", "C", 20), link("C", "A", 20)])
    spots = table(name=["B"], xy=[(107.1, 27.0)])
    from_a = commuting_circle((107, 27), 60, net, places=spots, direction="from").towns
    to_a = commuting_circle((107, 27), 60, net, places=spots, direction="to").towns
    assert from_a["minutes"].iloc[0] == 10
    assert to_a["minutes"].iloc[0] == 40


def test_several_centres_each_town_has_its_own() -> None:
    net = square_grid(5)
    centres = table(name=["west", "east"], xy=[corner(0, 0), corner(0, 4)])
    towns = commuting_circle(centres, 10, net, places=GRID).towns.set_index("name")
    assert towns.loc["0,1", "centre"] == "west"
    assert towns.loc["0,3", "centre"] == "east"
    assert towns.loc["4,4", "minutes"] == 4


def test_counties_count_their_towns_and_name_the_seat() -> None:
    spots = table(
        name=["s", "t", "u"],
        kind=["county_seat", "town", "town"],
        county=["甲县", "甲县", "乙县"],
        adcode=["520001", "520001", "520002"],
        xy=[corner(0, 1), corner(4, 4), corner(0, 2)],
    )
    counties = commuting_circle(corner(0, 0), 3, square_grid(5), places=spots).counties
    assert counties.to_dict("records")[0] == {
        "adcode": "520001",
        "county": "甲县",
        "towns": 1,
        "inside": 0,
        "share": 0.0,
        "seat": "s",
        "seat_status": "inside",
        "seat_minutes": 1.0,
    }
    assert counties["seat"].tolist() == ["s", ""]


def test_columns_of_the_caller_are_kept_and_never_overwritten() -> None:
    spots = table(name=["a"], minutes=[777], people=[5], xy=[corner(0, 0)])
    towns = commuting_circle(corner(0, 0), 5, square_grid(), places=spots).towns
    assert towns["minutes_given"].iloc[0] == 777
    assert towns["minutes"].iloc[0] == 0
    assert towns["people"].iloc[0] == 5


def test_borderline_only_where_the_error_is_known() -> None:
    spots = table(name=["a"], xy=[corner(0, 4)])
    net = square_grid(5)
    assert not commuting_circle(corner(0, 0), 4.2, net, places=spots).towns["borderline"].iloc[0]
    from dataclasses import replace

    known = replace(net, facts=replace(net.facts, error_share=0.1))
    assert commuting_circle(corner(0, 0), 4.2, known, places=spots).towns["borderline"].iloc[0]
    assert not commuting_circle(corner(0, 0), 5, known, places=spots).towns["borderline"].iloc[0]


def test_the_polygon_is_drawn_from_the_same_times() -> None:
    # 2.8 minutes: two blocks, and 160 m beyond; a cell is 250 m
    circle = commuting_circle(corner(2, 2), 2.8, square_grid(5, km=1), places=GRID)
    drawn = [circle.polygon.buffer(0.002).contains(point) for point in circle.towns.geometry]
    assert drawn == (circle.towns["status"] == "inside").tolist()
    assert circle.bands["minutes_to"].tolist() == pytest.approx([1.4, 2.8, 4.2])


def test_what_was_asked_stands_in_the_result() -> None:
    circle = commuting_circle(corner(0, 0), 3, square_grid(), places=GRID)
    assert circle.network["profile"] == "paper"
    assert circle.network["digest"] == square_grid().digest
    assert circle.centres["name"].tolist() == ["(107, 27)"]


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), 1441])
def test_minutes_out_of_range(minutes: float) -> None:
    with pytest.raises(InputError, match="minutes is"):
        commuting_circle(corner(0, 0), minutes, square_grid(), places=GRID)


def test_misused_options() -> None:
    net = square_grid()
    with pytest.raises(InputError, match="a Network is expected"):
        commuting_circle(corner(0, 0), 5, 2022, places=GRID)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'to' \\(towards"):
        commuting_circle(corner(0, 0), 5, net, places=GRID, direction="both")
    with pytest.raises(UnknownNameError, match="mode"):
        commuting_circle(corner(0, 0), 5, net, places=GRID, modes=("boat",))
    with pytest.raises(UnknownNameError, match="place"):
        commuting_circle("贵陽市区", 5, net, places=GRID)
    with pytest.raises(CRSError):
        commuting_circle(corner(0, 0), 5, net, places=GRID.set_crs(None, allow_override=True))


def test_centre_outside_the_region_or_off_every_road() -> None:
    net = square_grid()
    with pytest.raises(InputError, match="outside the region of 纸面网"):
        commuting_circle((121.5, 31.2), 5, net, places=GRID)
    with pytest.raises(InputError, match="km from the nearest road or station"):
        commuting_circle((107.0, 27.2), 5, net, places=GRID)


def test_one_swapped_row_among_good_ones_is_named_in_its_reason() -> None:
    spots = table(name=["good", "turned"], xy=[(107.0, 27.0), (27.0, 107.0)])
    europe = network([node("A", 9.0, 45.0), node("B", 9.1, 45.0)], [link("A", "B", 8)])
    with pytest.raises(CRSError, match="swapped"):
        commuting_circle(corner(0, 0), 5, square_grid(), places=spots)
    mixed = table(name=["good", "turned"], xy=[(9.05, 45.0), (45.0, 9.05)])
    towns = commuting_circle((9.0, 45.0), 30, europe, places=mixed).towns
    assert towns["status"].tolist() == ["inside", "unsnapped"]
    assert towns["reason"].iloc[1].endswith("经纬度可能颠倒")


def test_a_region_without_gazetteer_needs_places() -> None:
    europe = network([node("A", 9.0, 45.0), node("B", 9.1, 45.0)], [link("A", "B", 8)])
    with pytest.raises(InputError, match="places="):
        commuting_circle((9.0, 45.0), 5, europe)


def test_swapped_tables_are_named() -> None:
    spots = table(name=["a"], xy=[(9.0, 45.0)])
    europe = network([node("A", 9.0, 45.0), node("B", 9.1, 45.0)], [link("A", "B", 8)])
    commuting_circle((9.0, 45.0), 5, europe, places=spots)
    with pytest.raises(InputError, match="look swapped"):
        commuting_circle((9.0, 45.0), 5, europe, places=table(name=["a"], xy=[(45.0, 9.0)]))


@given(
    st.lists(st.tuples(st.floats(0, 0.04), st.floats(0, 0.04)), min_size=1, max_size=6),
    st.floats(0.5, 30),
)
@settings(max_examples=25, deadline=None)
def test_towns_inside_are_those_with_time_within_the_cutoff(
    spots: list[tuple[float, float]], minutes: float
) -> None:
    net = square_grid(5)
    places = table(name=list(map(str, range(len(spots)))), xy=[(107 + x, 27 + y) for x, y in spots])
    circle = commuting_circle(corner(1, 3), minutes, net, places=places)
    times = travel_times(net, places, corner(1, 3)).iloc[:, 0]
    assert circle.towns["minutes"].tolist() == pytest.approx(times.tolist())
    by_time = np.round(times * 60_000) <= round(minutes * 60_000)
    assert (circle.towns["status"] == "inside").tolist() == by_time.tolist()
