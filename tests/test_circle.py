"""Commuting circles: inside is decided by time."""

from __future__ import annotations

import numpy as np
import pytest
from grids import GRID, corner, link, network, node, square_grid, table
from hypothesis import given, settings
from hypothesis import strategies as st

from urbangeo.access import commuting_circle, travel_times
from urbangeo.errors import CRSError, InputError, UnknownNameError


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
