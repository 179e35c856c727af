"""Commuting circles: inside is decided by time."""

from __future__ import annotations

from itertools import pairwise

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


def test_nothing_is_made_before_it_is_asked_for() -> None:
    circle = commuting_circle(corner(2, 2), 2, square_grid(5), places=GRID)
    assert len(circle.inside) == 13
    made = set(circle.__dict__) | set(circle._question.__dict__)
    assert not made & {"routes", "towns", "polygon", "_drawn", "_found", "times", "snaps"}


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
    counted = ["adcode", "county", "towns", "inside", "share", "seat", "seat_status"]
    assert counties[[*counted, "seat_minutes"]].to_dict("records")[0] == {
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
    # no such counties in the layer, and nobody said how many live there
    assert counties[["area_km2", "area_share", "population"]].isna().all(axis=None)
    assert counties["population_from"].tolist() == ["", ""]


def test_share_of_a_countys_land_is_that_of_the_polygon() -> None:
    # one county of the layer that lies wholly around the grid's middle
    from urbangeo.layer import load

    land = load("counties").set_index("adcode")
    adcode = next(one for one in land.index if land.geometry[one].contains(Point(107.02, 27.02)))
    spots = table(name=["a"], kind=["town"], county=["x"], adcode=[adcode], xy=[corner(2, 2)])
    circle = commuting_circle(corner(2, 2), 2.8, square_grid(5), places=spots)
    row = circle.counties.iloc[0]
    plane = "EPSG:6933"  # another equal-area projection than ours
    both = gpd.GeoSeries([circle.polygon, land.geometry[adcode]], crs=4326).to_crs(plane)
    assert row["area_inside_km2"] == pytest.approx(
        both.iloc[0].intersection(both.iloc[1]).area / 1e6, rel=1e-3
    )
    assert row["area_km2"] == pytest.approx(both.iloc[1].area / 1e6, rel=1e-3)
    assert row["area_share"] == pytest.approx(row["area_inside_km2"] / row["area_km2"])


def test_population_of_the_places_is_added_up() -> None:
    spots = table(
        name=["s", "t", "u", "v"],
        kind=["county_seat", "town", "town", "town"],
        county=["甲县"] * 4,
        adcode=["520001"] * 4,
        people=["1000", 300, 200, None],
        xy=[corner(0, 1), corner(4, 4), corner(0, 2), corner(0, 3)],
    )
    net = square_grid(5)
    circle = commuting_circle(corner(0, 0), 3, net, places=spots, population="people")
    row = circle.counties.iloc[0]
    # 4,4 is 8 minutes away; nobody knows how many live at 0,3
    assert (row["population"], row["population_inside"]) == (1500, 1200)
    assert row["population_share"] == 0.8
    assert row["population_from"] == "places"
    with pytest.raises(InputError, match="no column of the places"):
        commuting_circle(corner(0, 0), 3, net, places=spots, population="residents")
    for wrong in (-1, "many"):
        bad = spots.assign(people=[wrong, 1, 1, 1])
        with pytest.raises(InputError, match="population of 's' is"):
            commuting_circle(corner(0, 0), 3, net, places=bad, population="people")


def test_residents_of_a_county_are_spread_over_its_land(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    from urbangeo.access import circle as module

    spots = table(name=["a"], kind=["town"], county=["x"], adcode=["520123"], xy=[corner(2, 2)])
    monkeypatch.setattr(module, "county_residents", lambda: pd.Series({"520123": 1000.0}))
    monkeypatch.setattr(
        module,
        "land_shares",
        lambda circle, codes: pd.DataFrame(
            {"area_km2": [8.0], "area_inside_km2": [2.0], "area_share": [0.25]}, index=["520123"]
        ),
    )
    row = commuting_circle(corner(2, 2), 2, square_grid(5), places=spots).counties.iloc[0]
    assert (row["population_inside"], row["population_share"]) == (250, 0.25)
    assert row["population_from"] == "area"


def test_overlaps_and_gaps_of_several_centres() -> None:
    # on a line of 5 a minute apart: 2 minutes reach 0-2 from the west, 3-4 and 2 from the east
    net = square_grid(6)
    line = table(name=list("abcdef"), xy=[corner(0, c) for c in range(6)])
    line.index = list("uvwxyz")
    centres = table(name=["west", "east"], xy=[corner(0, 0), corner(0, 3)])
    circle = commuting_circle(centres, 2, net, places=line)
    shared = circle.overlaps
    assert shared.index.tolist() == ["v", "w"]
    assert shared["centres"].tolist() == [2, 2]
    assert shared["centre"].tolist() == ["west", "east"]
    assert shared["minutes_west"].tolist() == [1, 2]
    assert shared["minutes_east"].tolist() == [2, 1]
    far = commuting_circle(centres, 1, net, places=line)
    assert far.gaps["name"].tolist() == ["f"]
    assert far.gaps[["centre", "minutes", "status"]].to_numpy().tolist() == [
        ["east", 2.0, "outside"]
    ]
    assert not len(far.overlaps)
    assert far.times.columns.tolist() == ["west", "east"]
    assert far.times["east"].tolist() == [3, 2, 1, 0, 1, 2]


def test_centres_of_one_name_are_told_apart() -> None:
    centres = table(name=["m", "m"], xy=[corner(0, 0), corner(0, 1)])
    times = commuting_circle(centres, 2, square_grid(), places=GRID).times
    assert times.columns.tolist() == ["m", "m 2"]


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
    # the quick answer of a circle that was asked nothing else
    quick = commuting_circle(corner(1, 3), minutes, net, places=places).inside
    inside = circle.towns[by_time.to_numpy()]
    assert quick["name"].tolist() == inside["name"].tolist()
    for column in ("centre", "minutes", "margin_min"):
        assert quick[column].tolist() == inside[column].tolist()
