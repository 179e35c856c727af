"""Isochrones of one and many origins; areas are derived on paper."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from grids import link, network, node, service, square_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from urbangeo.access.isochrones import isochrones, time_surface
from urbangeo.crs import equal_area
from urbangeo.errors import CRSError, InputError, NetworkError, UnknownNameError
from urbangeo.network import Network

LONG = 111.32 * np.cos(np.radians(27.0)) * 1.0017  # kilometres of a degree of longitude at 27 N


def east(km: float) -> float:
    return 107.0 + km / LONG


def long_road() -> Network:
    """A straight road along 27 N from 20 km west to 30 km east of 107 E, entered anywhere."""
    nodes = [node("W", east(-20), 27), node("O", 107, 27), node("E", east(30), 27)]
    return network(nodes, [link("W", "O", 20), link("O", "E", 30)])


def points(*spots: tuple[float, float], index: list[Any] | None = None) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"name": [f"p{i}" for i in range(len(spots))]})
    frame = frame.set_geometry(gpd.GeoSeries([Point(one) for one in spots], crs=4326))
    return frame if index is None else frame.set_index(pd.Index(index))


def in_plane(frame: gpd.GeoDataFrame, net: Network) -> np.ndarray:
    return np.asarray(frame.geometry.to_crs(equal_area(net.bounds)).array)


# -- answers on paper ------------------------------------------------------------------------

# On a straight road at 1 min/km, left at 5 min/km, a place x km along and y km beside is reached
# in x + 5 y minutes. So within m minutes lies a rhombus of 2 m by 2 m / 5 km: 2 m² / 5 km².


def test_a_rhombus_around_a_straight_road() -> None:
    bands = isochrones(long_road(), (107.0, 27.0), (5, 10), modes=("road",), cell_m=100)
    assert bands["minutes_from"].tolist() == [0, 5]
    assert bands["minutes_to"].tolist() == [5, 10]
    assert bands["area_km2"].tolist() == pytest.approx([10, 30], rel=0.015)


def test_nested_areas_hold_the_ones_before() -> None:
    net = long_road()
    nested = isochrones(net, (107.0, 27.0), (10, 5), cut=False, modes=("road",), cell_m=100)
    assert nested["minutes_from"].tolist() == [0, 0]
    assert nested["area_km2"].tolist() == pytest.approx([10, 40], rel=0.015)
    assert nested.geometry.iloc[1].covers(nested.geometry.iloc[0])


# Two such rhombi of 10 minutes 8 km apart share one of 12 by 2.4 km, 14.4 km²: together they cover
# 40 + 40 - 14.4 = 65.6 km², of which each has half.


def test_two_origins_merged() -> None:
    spots = points((107.0, 27.0), (east(8), 27.0))
    both = isochrones(long_road(), spots, 10, by="merged", modes=("road",), cell_m=100)
    assert len(both) == 1
    assert both["area_km2"].iloc[0] == pytest.approx(65.6, rel=0.015)
    assert both["name"].tolist() == ["p0、p1"]
    each = isochrones(long_road(), spots, 10, modes=("road",), cell_m=100)
    assert each["area_km2"].tolist() == pytest.approx([40, 40], rel=0.015)


def test_two_origins_split_where_the_times_are_equal() -> None:
    net = long_road()
    spots = points((107.0, 27.0), (east(8), 27.0), index=["west", "east"])
    split = isochrones(net, spots, (5, 10), by="nearest", modes=("road",), cell_m=100)
    assert split.index.tolist() == ["west", "west", "east", "east"]
    assert split.groupby(level=0, sort=False)["area_km2"].sum().tolist() == pytest.approx(
        [32.8, 32.8], rel=0.015
    )
    assert shapely.coverage_is_valid(in_plane(split, net))
    # the line between them stands 4 km east of the first
    west = split.loc["west"].union_all().bounds
    assert west[2] == pytest.approx(east(4), abs=0.05 / LONG)


def test_a_road_that_leads_one_way() -> None:
    nodes = [node("W", east(-20), 27), node("E", east(20), 27)]
    net = network(nodes, [link("W", "E", 40, oneway=1)])
    away = isochrones(net, (107.0, 27.0), 10, modes=("road",), cell_m=100)
    towards = isochrones(net, (107.0, 27.0), 10, direction="to", modes=("road",), cell_m=100)
    ahead, behind = Point(east(8), 27.0), Point(east(-8), 27.0)
    assert away.contains(ahead).all()
    assert not away.contains(behind).any()
    assert towards.contains(behind).all()
    assert not towards.contains(ahead).any()


def test_an_enclave_that_is_not_reached_stays_a_hole() -> None:
    # a ring of 12 x 12 km at 1 min/km from a corner: all of it within 24 minutes; with 27 one walks
    # 600 m inwards at its far corner and 5 km at most anywhere, and never to the middle
    corners = {"a": (107, 27), "b": (107.12, 27), "c": (107.12, 27.11), "d": (107, 27.11)}
    nodes = [node(name, *xy) for name, xy in corners.items()]
    net = network(nodes, [link(p, q, 12) for p, q in ("ab", "bc", "cd", "da")])
    bands = isochrones(net, (107.0, 27.0), (20, 27), cut=False, modes=("road",))
    whole = bands.geometry.iloc[1]
    assert sum(len(part.interiors) for part in whole.geoms) == 1
    assert not whole.covers(Point(107.08, 27.07))


def test_an_enclave_beyond_an_expressway_is_an_island() -> None:
    nodes = [node("X", 107, 27, "interchange"), node("Y", 107.4, 27, "interchange")]
    net = network(nodes, [link("X", "Y", 40, "expressway")])
    shape = isochrones(net, (107.0, 27.0), 22, modes=("road",)).geometry.iloc[0]
    # 20 minutes at 120 km/h, and 2 minutes, 400 m, around the far end
    assert len(shape.geoms) == 2


def test_a_river_without_a_bridge_is_not_jumped() -> None:
    # two roads 2.2 km apart, joined 20 km upstream, and a river between them
    nodes = [node(name, east(x), 27 + y) for name, x, y in
             (("A", -20, 0), ("B", 20, 0), ("C", -20, 0.02), ("D", 20, 0.02))]  # fmt: skip
    net = network(nodes, [link("A", "B", 40), link("C", "D", 40), link("A", "C", 2.2)])
    river = gpd.GeoDataFrame(
        geometry=[LineString([(east(-19.5), 27.01), (east(60), 27.01)])], crs=4326
    )
    wet = isochrones(
        net, (107.0, 27.0), 15, modes=("road",), cell_m=100, barriers=river.to_crs(32648)
    )
    # The bank beyond is 20 + 2.2 + 20 minutes away by road; 1 cell of 100 m is how far lines
    # drawn between cells may lie off.
    assert wet.total_bounds[3] < 27.01 + 0.1 / 110.8
    assert wet.attrs["barriers"] == 1
    # On its own bank the rhombus of 2 * 15 * 6 km is cut off where y is 1.108 km (0.01 degrees):
    # above, 90 km² less the tip over 1.108: half-width 15 - 5.54 = 9.46, height 1.892
    dry_north, tip = 45.0, 9.46 * 1.892
    assert wet["area_km2"].iloc[0] == pytest.approx(45.0 + dry_north - tip, rel=0.02)
    hull = wet.geometry.iloc[0].convex_hull
    dry = isochrones(net, (107.0, 27.0), 15, modes=("road",), cell_m=100)
    # without the river one would come over land as far as this road lies at most twice as far as
    # the other: two thirds of the way
    assert dry.total_bounds[3] == pytest.approx(27 + 0.02 * 2 / 3, abs=0.1 / 110.8)
    assert hull.covers(wet.geometry.iloc[0])


def test_an_origin_does_not_cross_a_barrier_either() -> None:
    # between two roads 2.2 km apart; the nearer one is beyond the river, so one leaves by the other
    nodes = [node(name, east(x), 27 + y) for name, x, y in
             (("A", -20, 0), ("B", 20, 0), ("C", -20, 0.02), ("D", 20, 0.02))]  # fmt: skip
    net = network(nodes, [link("A", "B", 40), link("C", "D", 40), link("A", "C", 2.2)])
    river = gpd.GeoSeries([LineString([(east(-19.5), 27.013), (east(60), 27.013)])], crs=4326)
    start, beyond, here = (107.0, 27.0115), Point(east(3), 27.02), Point(east(3), 27.0)
    dry = isochrones(net, start, 15, modes=("road",)).geometry.iloc[0]
    wet = isochrones(net, start, 15, modes=("road",), barriers=river).geometry.iloc[0]
    assert dry.covers(beyond)
    assert not wet.covers(beyond)
    # 1.274 km at 5 min/km and 3 km of road: 9.4 minutes
    assert wet.covers(here)


def test_an_origin_that_is_shut_in() -> None:
    moat = gpd.GeoSeries([Point(107.0, 27.01).buffer(0.002).boundary], crs=4326)
    with pytest.raises(InputError, match=r"barriers cut off '\(107, 27.01\)'"):
        isochrones(long_road(), (107.0, 27.01), 10, modes=("road",), barriers=moat)
    spots = points((107.0, 27.01), (107.0, 27.0))
    both = isochrones(long_road(), spots, 10, modes=("road",), barriers=moat)
    assert both["reason"].tolist() == ["与附近的道路之间隔着障碍", ""]
    assert both.geometry.iloc[0].is_empty


def test_by_rail_islands_lie_around_stations() -> None:
    nodes = [node("A", 107, 27, "station"), node("B", 107.6, 27, "station")]
    net = network(
        [*nodes, node("P", 107.02, 27), node("Q", 107.62, 27)],
        [link("A", "P", 2), link("B", "Q", 2)],
        service("s", ["A", "B"], [20.0]),
    )
    # boarding 10, half of the headway of 20, the ride of 20, leaving 5: 45 minutes to B
    bands = isochrones(net, (107.0, 27.0), (44, 50))
    there = Point(107.61, 27.0)
    assert not bands.geometry.iloc[0].contains(there)
    assert bands.geometry.iloc[1].contains(there)


# -- what always holds -----------------------------------------------------------------------


@pytest.mark.parametrize("by", ["merged", "nearest"])
def test_bands_lie_side_by_side_and_add_up(by: str) -> None:
    net = square_grid(7, km=3)
    spots = points((107.0, 27.0), (107.09, 27.1), (107.17, 27.02))
    bands = isochrones(net, spots, (4, 9, 15), by=by, modes=("road",))
    assert bands.is_valid.all()
    shapes = in_plane(bands, net)
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.area(shapely.union_all(shapes))
    assert shapely.area(shapes).sum() == pytest.approx(whole, rel=1e-9)
    other = isochrones(net, spots, (4, 9, 15), by="merged", modes=("road",))
    assert bands["area_km2"].sum() == pytest.approx(other["area_km2"].sum(), rel=1e-4)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.floats(106.98, 107.2), st.floats(26.98, 27.2)), min_size=1, max_size=4),
    st.lists(st.floats(2.0, 25.0), min_size=1, max_size=4, unique_by=lambda one: round(one, 1)),
)
def test_nested_and_disjoint_whatever_is_asked(
    spots: list[tuple[float, float]], minutes: list[float]
) -> None:
    net = square_grid(6, km=4)
    split = isochrones(net, points(*spots), minutes, by="nearest", modes=("road",))
    shapes = in_plane(split, net)
    assert shapely.is_valid(shapes).all()
    apart = [
        shapely.area(shapely.intersection(shapes[i], shapes[j]))
        for i in range(len(shapes))
        for j in range(i)
    ]
    assert max(apart, default=0.0) < 1.0  # square metres
    nested = isochrones(net, points(*spots), minutes, cut=False, by="merged", modes=("road",))
    assert nested["area_km2"].is_monotonic_increasing
    areas = in_plane(nested, net)
    for low, high in pairwise(areas):
        assert shapely.area(shapely.difference(low, high)) < 1.0


def test_more_minutes_reach_more() -> None:
    net = square_grid(5, km=5)
    first = time_surface(net, (107.03, 27.04), 12, modes=("road",))
    later = time_surface(net, (107.03, 27.04), 20, modes=("road",))
    # the same cells take the same time, however far times are spread
    assert np.isfinite(later.minutes).sum() > np.isfinite(first.minutes).sum()
    row = round((later.north - first.north) / 250)
    column = round((first.west - later.west) / 250)
    rows, columns = first.minutes.shape
    window = later.minutes[row : row + rows, column : column + columns]
    known = np.isfinite(first.minutes)
    assert np.array_equal(window[known], first.minutes[known])


# -- the table -------------------------------------------------------------------------------


def test_the_index_comes_back_even_where_it_repeats() -> None:
    spots = points((107.0, 27.0), (107.02, 27.0), index=[7, 7])
    bands = isochrones(square_grid(3, km=2), spots, (3, 6), modes=("road",))
    assert bands.index.tolist() == [7, 7, 7, 7]
    assert bands["name"].tolist() == ["p0", "p0", "p1", "p1"]
    columns = ["name", "minutes_from", "minutes_to", "area_km2", "reason", "geometry"]
    assert bands.columns.tolist() == columns
    assert bands.crs == 4326
    assert set(bands.geom_type) == {"MultiPolygon"}


def test_the_table_knows_its_network_and_its_question(tmp_path: Any) -> None:
    net = square_grid(3, km=2)
    bands = isochrones(net, (107.0, 27.0), (3, 6), modes=("road",))
    assert bands.attrs["network"] == dict(net.describe())
    told = {"direction": "from", "modes": ["road"], "by": "origin", "cut": True, "barriers": 0}
    assert told.items() <= bands.attrs.items()
    bands.to_parquet(tmp_path / "bands.parquet")
    assert gpd.read_parquet(tmp_path / "bands.parquet").geometry.equals(bands.geometry)


def test_the_same_question_gives_the_same_bytes() -> None:
    net, spots = square_grid(4, km=3), points((107.0, 27.0), (107.07, 27.03))
    once, again = (isochrones(net, spots, (5, 9), by="nearest", modes=("road",)) for _ in "ab")
    assert once.geometry.to_wkb().tolist() == again.geometry.to_wkb().tolist()


def test_origins_that_are_the_same() -> None:
    spots = points((107.0, 27.0), (107.0, 27.0))
    net = square_grid(4, km=2)
    each = isochrones(net, spots, 6, modes=("road",))
    assert each["area_km2"].iloc[0] == each["area_km2"].iloc[1] > 0
    split = isochrones(net, spots, 6, by="nearest", modes=("road",))
    # equally fast everywhere: the first has it
    assert split["area_km2"].iloc[0] == pytest.approx(each["area_km2"].iloc[0], rel=1e-6)
    assert split.geometry.iloc[1].is_empty


def test_an_origin_in_another_component_has_its_own_land() -> None:
    nodes = [node("A", 107, 27), node("B", 107.1, 27), node("C", 107.4, 27), node("D", 107.5, 27)]
    net = network(nodes, [link("A", "B", 10), link("C", "D", 10)])
    bands = isochrones(net, points((107.0, 27.0), (107.5, 27.0)), 8, modes=("road",))
    assert (bands["area_km2"] > 5).all()
    assert bands.geometry.iloc[0].disjoint(bands.geometry.iloc[1])


@pytest.mark.parametrize("by", ["origin", "nearest", "merged"])
def test_an_origin_off_the_network_keeps_its_rows_and_says_why(by: str) -> None:
    spots = points((107.0, 27.0), (107.0, 27.2))  # 22 km from the road; 5 km are bridged
    bands = isochrones(long_road(), spots, (5, 10), by=by, modes=("road",))
    if by == "merged":
        assert bands["reason"].str.startswith("1 处不在路网上").all()
        return
    assert len(bands) == 4
    assert bands["reason"].iloc[:2].tolist() == ["", ""]
    assert bands["reason"].iloc[2:].str.contains("超过 5 千米").all()
    assert bands.geometry.iloc[2:].is_empty.all()
    assert bands["area_km2"].iloc[2:].tolist() == [0, 0]


# -- bad input -------------------------------------------------------------------------------


def test_origins_none_of_which_gets_onto_the_network() -> None:
    with pytest.raises(InputError, match=r"from '\(107, 27.2\)' by road \(the nearest is 22"):
        isochrones(long_road(), (107.0, 27.2), 10, modes=("road",))


@pytest.mark.parametrize("minutes", [0, -5, float("inf"), float("nan"), (15, 0), True, "15"])
def test_minutes_that_are_none(minutes: Any) -> None:
    with pytest.raises(InputError, match="minutes is"):
        isochrones(long_road(), (107.0, 27.0), minutes)


def test_no_minutes_at_all() -> None:
    with pytest.raises(InputError, match="minutes: none given"):
        isochrones(long_road(), (107.0, 27.0), ())


def test_a_split_that_is_not_known() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown split 'neares'\. Did you mean nearest"):
        isochrones(long_road(), (107.0, 27.0), 5, by="neares", modes=("road",))


def test_no_origins() -> None:
    empty = points().set_crs(4326, allow_override=True)
    with pytest.raises(InputError, match="origins: the table has no row"):
        isochrones(long_road(), empty, 5)


def test_origins_outside_the_region() -> None:
    with pytest.raises(InputError, match="outside the region of 纸面网"):
        isochrones(long_road(), (110.0, 20.0), 5)


def test_modes_of_which_the_network_has_no_link() -> None:
    with pytest.raises(NetworkError, match="no link for the modes rail"):
        isochrones(long_road(), (107.0, 27.0), 5, modes=("rail",))


def test_a_network_that_is_none() -> None:
    with pytest.raises(InputError, match="network is 2022"):
        isochrones(2022, (107.0, 27.0), 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("barriers", "error", "told"),
    [
        (gpd.GeoSeries([Point(107, 27)], crs=4326), InputError, "points bar no way"),
        (gpd.GeoSeries([LineString([(107, 27), (108, 27)])]), CRSError, "barriers has no coord"),
        ([LineString([(107, 27), (108, 27)])], InputError, "barriers: list is not understood"),
    ],
)
def test_barriers_that_are_none(barriers: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        isochrones(long_road(), (107.0, 27.0), 5, modes=("road",), barriers=barriers)


def test_barriers_without_a_row_bar_nothing() -> None:
    empty = gpd.GeoSeries([], crs=4326)
    with_none = isochrones(long_road(), (107.0, 27.0), 5, modes=("road",), barriers=empty)
    plain = isochrones(long_road(), (107.0, 27.0), 5, modes=("road",))
    assert with_none["area_km2"].tolist() == pytest.approx(plain["area_km2"].tolist(), rel=1e-9)


def test_many_surfaces_that_would_not_fit_together() -> None:
    spots = points(*((107 + 0.001 * i, 27.0) for i in range(9)))
    with pytest.raises(InputError, match=r"10 surfaces of .* or fewer minutes or origins"):
        isochrones(long_road(), spots, 60, by="nearest", modes=("road",), cell_m=5)
