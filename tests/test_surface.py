"""The travel-time surface and the bands drawn through it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from grids import PROFILE, link, network, node, square_grid
from shapely.geometry import LineString, Point, box

from urbangeo.access import commuting_circle, machine, travel_times
from urbangeo.access.fieldkernel import FieldKernel
from urbangeo.access.isochrones import as_barred, time_surface
from urbangeo.access.surface import Surface, travel_time_surface
from urbangeo.crs import equal_area, geodesic_area_km2
from urbangeo.errors import InputError, OutputError
from urbangeo.network import Network
from urbangeo.network.profiles import AccessRule, CarRule

SPOT = gpd.GeoSeries([Point(107.0, 27.0)], crs=4326)
PLACE = gpd.GeoDataFrame({"name": ["a"]}, geometry=SPOT)


def one_road() -> Network:
    return network([node("A", 107, 27), node("B", 107.2, 27)], [link("A", "B", 20)])


def times(net: Network, start: tuple[float, float], limit: float, cell_m: float = 100.0) -> Surface:
    spot = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(*start)], crs=4326)
    return commuting_circle(start, limit, net, places=spot).surface(cell_m=cell_m)


def test_around_a_lone_place_the_circle_is_round() -> None:
    # a road of 20 m: only walking counts; 10 minutes at 12 km/h are a radius of 2 km
    net = network([node("A", 107, 27), node("B", 107.0002, 27)], [link("A", "B", 0.02)])
    shape = times(net, (107.0, 27.0), 10.0, cell_m=50).inside(10.0)
    area = geodesic_area_km2(gpd.GeoSeries([shape], crs=4326))[0]
    assert area == pytest.approx(np.pi * 2.0**2, rel=0.03)


def test_a_cell_far_along_the_road_by_hand() -> None:
    surface = times(one_road(), (107.0, 27.0), 15.0)
    metric = equal_area(one_road().bounds)
    spot = gpd.GeoSeries([Point(107.1, 27 + 500 / 110_770)], crs=4326).to_crs(metric).iloc[0]
    column = int((spot.x - surface.west) / surface.cell_m)
    row = int((surface.north - spot.y) / surface.cell_m)
    # 10 km of road in 10 minutes, 500 m across in 2.5; a cell is half a minute wide
    assert surface.minutes[row, column] == pytest.approx(12.5, abs=0.5)


def test_bands_are_valid_disjoint_and_nested_in_the_whole() -> None:
    surface = times(square_grid(5, km=2), (107.0, 27.0), 12.0)
    bands = surface.bands([4, 8, 12])
    assert bands["minutes_to"].tolist() == [4, 8, 12]
    assert bands.geometry.is_valid.all()
    metric = bands.to_crs(surface.crs)
    total = gpd.GeoSeries([surface.inside(12.0)], crs=4326).to_crs(surface.crs).area.iloc[0]
    assert metric.area.sum() == pytest.approx(total, rel=1e-3)
    overlap = metric.geometry.iloc[0].intersection(metric.geometry.iloc[1]).area
    assert overlap < 1e-3 * total


def test_a_place_surrounded_by_road_stays_a_hole() -> None:
    # a ring road of 12 x 12 km driven at 60 km/h; with 27 minutes one walks at most 3 minutes
    # (600 m) from it everywhere, so the middle stays out of reach
    corners = {"a": (107, 27), "b": (107.12, 27), "c": (107.12, 27.11), "d": (107, 27.11)}
    nodes = [node(name, *xy) for name, xy in corners.items()]
    links = [link(p, q, 12) for p, q in ("ab", "bc", "cd", "da")]
    net = network(nodes, links)
    shape = times(net, (107.0, 27.0), 27.0).inside(27.0)
    assert sum(len(part.interiors) for part in shape.geoms) == 1
    assert not shape.contains(Point(107.06, 27.055))
    assert shape.contains(Point(107.12, 27.055))


def test_an_expressway_is_a_bridge_between_islands() -> None:
    nodes = [node("X", 107, 27, "interchange"), node("Y", 107.4, 27, "interchange")]
    net = network(nodes, [link("X", "Y", 40, "expressway")])
    shape = times(net, (107.0, 27.0), 22.0).inside(22.0)
    # 20 minutes to Y leave 2 minutes, 400 m, around it; nothing is reached half-way
    assert len(shape.geoms) == 2
    assert not shape.contains(Point(107.2, 27.0))
    assert shape.contains(Point(107.4, 27.0))


def test_a_one_way_road_is_reached_with_the_traffic_only() -> None:
    net = network([node("A", 107, 27), node("B", 107.2, 27)], [link("A", "B", 20, oneway=1)])
    spot = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(107, 27)], crs=4326)
    away = commuting_circle((107.0, 27.0), 12, net, places=spot, direction="from").polygon
    towards = commuting_circle((107.0, 27.0), 12, net, places=spot, direction="to").polygon
    assert away.contains(Point(107.1, 27.0))
    assert not towards.contains(Point(107.1, 27.0))


def test_ascending_bounds_are_needed() -> None:
    surface = times(one_road(), (107.0, 27.0), 5.0)
    with pytest.raises(InputError, match="ascending"):
        surface.bands([10, 5])


def test_a_surface_that_would_not_fit_is_refused() -> None:
    net = one_road()
    ms = np.zeros(net.graph(("road",)).n_vertices)
    with pytest.raises(InputError, match="choose cell_m of at least"):
        travel_time_surface(net, ms, SPOT, limit_min=60, modes=("road",), reverse=False, cell_m=0.5)


def test_where_no_road_is_reached_the_centre_is_left_on_foot() -> None:
    net = one_road()
    ms = np.full(net.graph(("road",)).n_vertices, np.inf)
    surface = travel_time_surface(net, ms, SPOT, limit_min=12, modes=("road",), reverse=False)
    shape = surface.inside(12)
    # 12 minutes at 12 km/h are 2.4 km, and 0.02 degrees of longitude 1.98 km
    assert shape.contains(Point(106.98, 27.0))
    assert not shape.contains(Point(106.97, 27.0))
    # along the road one would not go across, and the road is not reached
    assert not shape.contains(Point(107.02, 27.0))


@pytest.mark.parametrize("cell_m", [0, -5, float("nan")])
def test_a_cell_has_a_width(cell_m: float) -> None:
    circle = commuting_circle((107.0, 27.0), 5, one_road(), places=PLACE)
    with pytest.raises(InputError, match="cell_m is"):
        circle.surface(cell_m=cell_m)


@pytest.mark.parametrize("centre", [(107.1, 27.0), (107.1, 27.02), (107.05, 26.985)])
def test_the_polygon_holds_the_centre_wherever_it_lies(centre: tuple[float, float]) -> None:
    # in the middle of a road of 20 minutes, on it or beside it
    circle = commuting_circle(centre, 8, one_road(), places=PLACE)
    assert circle.polygon.contains(Point(centre))
    along = commuting_circle((107.1, 27.0), 8, one_road(), places=PLACE).polygon
    assert along.contains(Point(107.16, 27.0))
    assert not along.contains(Point(107.19, 27.0))


def test_a_one_way_road_from_its_middle() -> None:
    net = network([node("A", 107, 27), node("B", 107.2, 27)], [link("A", "B", 20, oneway=1)])
    away = commuting_circle((107.1, 27.0), 6, net, places=PLACE, direction="from").polygon
    towards = commuting_circle((107.1, 27.0), 6, net, places=PLACE, direction="to").polygon
    assert away.contains(Point(107.14, 27.0))
    assert not away.contains(Point(107.06, 27.0))
    assert towards.contains(Point(107.06, 27.0))
    assert not towards.contains(Point(107.14, 27.0))


def test_polygon_and_verdict_agree_at_random_places() -> None:
    nodes = [
        node("A", 107.00, 27.00),
        node("X", 107.10, 27.02, "interchange"),
        node("Y", 107.30, 27.05, "interchange"),
        node("B", 107.20, 27.00),
        node("C", 107.32, 27.10),
    ]
    links = [
        link("A", "X", 12, "county"),
        link("X", "Y", 24, "expressway"),
        link("A", "B", 25),
        link("Y", "C", 7),
        link("B", "C", 22, "county"),
    ]
    net = network(nodes, links)
    rng = np.random.default_rng(3)
    spots = gpd.GeoDataFrame(
        {"name": [str(i) for i in range(1500)]},
        geometry=gpd.points_from_xy(
            rng.uniform(106.95, 107.4, 1500), rng.uniform(26.95, 27.15, 1500)
        ),
        crs=4326,
    )
    circle = commuting_circle((107.0, 27.0), 40, net, places=spots)
    drawn = circle.towns.within(circle.polygon)
    # a cell of 250 m takes 1.25 minutes on foot: what is farther than that from the limit agrees
    clear = (circle.towns["minutes"] - 40).abs() > 2.5
    inside = circle.towns["status"] == "inside"
    assert inside.sum() > 100
    assert (drawn != inside)[clear].mean() < 0.005


def test_bands_never_overlap_even_where_the_land_ends() -> None:
    circle = commuting_circle((107.0, 27.0), 80, square_grid(5, km=8), places=PLACE)
    bands = circle.bands.to_crs(equal_area(circle.net.bounds))
    whole = bands.union_all().area
    assert bands.area.sum() == pytest.approx(whole, rel=1e-9)


def test_bands_of_a_very_long_circle() -> None:
    circle = commuting_circle((107.0, 27.0), 1000, one_road(), places=PLACE)
    assert circle.bands["minutes_to"].tolist() == [500, 1000, 1500]


def test_geotiff_says_where_it_lies(tmp_path: Path) -> None:
    surface = times(one_road(), (107.0, 27.0), 5.0, cell_m=250)
    surface.to_geotiff(tmp_path / "t.tif")
    with rasterio.open(tmp_path / "t.tif") as file:
        assert file.crs.is_projected
        read = file.read(1)
        assert file.res == (250, 250)
        reached = np.isfinite(surface.minutes)
        assert np.array_equal(np.isfinite(read), reached)
        assert read[reached] == pytest.approx(surface.minutes[reached])


# -- cells and places ------------------------------------------------------------------------


def bent_grid(side: int, step_m: float, seed: int, **more: object) -> Network:
    """Streets of a grid with bent corners; a third of the pieces are missing, some lead one way.

    So there are dead ends, detours, and pieces that are cut off from the rest.
    """
    rng = np.random.default_rng(seed)
    row, column = np.divmod(np.arange(side * side), side)
    lon = 107 + (column + rng.uniform(-0.3, 0.3, side**2)) * step_m / 99_000
    lat = 27 + (row + rng.uniform(-0.3, 0.3, side**2)) * step_m / 111_000
    corner = np.arange(side * side)
    across, along = corner[column < side - 1], corner[row < side - 1]
    tails = np.concatenate([across, along])
    heads = np.concatenate([across + 1, along + side])
    chosen = np.flatnonzero(rng.random(len(tails)) > 0.34)
    kinds = np.where(rng.random(len(tails)) < 0.1, "national", "county")
    ways = rng.random(len(tails)) < 0.1
    km = step_m / 1000 * rng.uniform(1.0, 1.4, len(tails))
    nodes = [node(str(i), float(lon[i]), float(lat[i]), "junction") for i in corner]
    links = [
        link(str(tails[i]), str(heads[i]), km[i], kinds[i], oneway=int(ways[i])) for i in chosen
    ]
    net = network(nodes, links)
    return net.with_profile(replace(PROFILE, **more)) if more else net


def middles(surface: Surface, some: np.ndarray) -> gpd.GeoDataFrame:
    rows, columns = surface.minutes.shape
    x = surface.west + (np.arange(columns) + 0.5) * surface.cell_m
    y = surface.north - (np.arange(rows) + 0.5) * surface.cell_m
    every = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)[some]
    return gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(every[:, 0], every[:, 1], crs=surface.crs)
    ).to_crs(4326)


WALK = AccessRule(kmh=6.0, circuity=1.2, max_km=2.0)


@pytest.mark.parametrize("direction", ["from", "to"])
@pytest.mark.parametrize("modes", [("road",), ("road", "walk")])
def test_a_cell_takes_as_long_as_a_place_in_its_middle(
    direction: str, modes: tuple[str, ...]
) -> None:
    net = bent_grid(14, 700.0, 5, walk=WALK, car=CarRule(park_min=2.0))
    centre = (107.043, 27.037)
    surface = time_surface(net, centre, 14, direction=direction, modes=modes, cell_m=150)
    rng = np.random.default_rng(1)
    some = rng.choice(surface.minutes.size, 1200, replace=False)
    cells = middles(surface, some)
    ends = (centre, cells) if direction == "from" else (cells, centre)
    asked = travel_times(net, *ends, modes=modes).to_numpy().ravel()
    asked = np.where(np.isnan(asked), np.inf, asked)
    drawn = surface.minutes.ravel()[some]
    assert np.isfinite(drawn).sum() > 300
    known = np.isfinite(drawn)
    # legs are whole milliseconds there, and measured on the ellipsoid
    assert drawn[known] == pytest.approx(asked[known], abs=0.01)
    assert (asked[~known] > 14).all()


def river_grid() -> tuple[Network, gpd.GeoSeries]:
    net = bent_grid(12, 800.0, 9, walk=WALK)
    lines = [LineString([(106.9, 27.02), (107.04, 27.045), (107.2, 27.05)])]
    return net, gpd.GeoSeries([*lines, box(107.06, 27.0, 107.08, 27.03)], crs=4326)


@pytest.mark.parametrize("modes", [("road",), ("road", "walk")])
@pytest.mark.parametrize("walls", [False, True])
def test_with_and_without_numba_to_the_last_bit(modes: tuple[str, ...], walls: bool) -> None:
    pytest.importorskip("numba")
    net, rivers = river_grid()
    crs = equal_area(net.bounds)
    barred = as_barred(rivers, crs) if walls else None
    ms = np.full(net.graph(modes).n_vertices, np.inf)
    start = 20
    ms[start : start + 60] = np.linspace(0, 9, 60) * 60_000
    spots = net.nodes.geometry.iloc[[start]]
    both = [
        travel_time_surface(
            net, ms, spots, limit_min=12, modes=modes, reverse=False, barred=barred, numba=one
        )
        for one in (True, False)
    ]
    assert np.isfinite(both[0].minutes).sum() > 100
    assert np.array_equal(both[0].minutes, both[1].minutes)
    assert (both[0].west, both[0].north) == (both[1].west, both[1].north)


def test_where_numba_is_missing_numpy_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    net = square_grid(5, km=2)
    first = time_surface(net, (107.0, 27.0), 8, modes=("road",))
    monkeypatch.setattr(machine, "optional", lambda name: None)
    monkeypatch.setattr(FieldKernel, "get", None)
    again = time_surface(net, (107.0, 27.0), 8, modes=("road",))
    assert np.array_equal(first.minutes, again.minutes)


def test_points_on_roads_that_are_not_drawn_right_are_few() -> None:
    # the shares that the issue allows; points are drawn at random along the roads
    net = bent_grid(110, 400.0, 2)
    middle = (107 + 55 * 0.4 / 99, 27 + 55 * 0.4 / 111)
    surface = time_surface(net, middle, 45, modes=("road",))
    shape = surface.inside(45)
    rng = np.random.default_rng(4)
    lines = net.links.geometry.to_numpy()[rng.integers(0, len(net.link_rows), 12_000)]
    spots = shapely.line_interpolate_point(lines, rng.random(len(lines)), normalized=True)
    asked = travel_times(net, middle, gpd.GeoSeries(spots, crs=4326), modes=("road",))
    reached = asked.to_numpy()[0] <= 45
    drawn = shapely.contains_xy(shape, shapely.get_coordinates(spots))
    assert 0.15 < reached.mean() < 0.85
    assert (drawn & ~reached).sum() / drawn.sum() <= 0.005
    assert (~drawn & reached).sum() / reached.sum() <= 0.01


# -- barriers --------------------------------------------------------------------------------


def minutes_at(surface: Surface, lon: float, lat: float) -> float:
    spot = gpd.GeoSeries([Point(lon, lat)], crs=4326).to_crs(surface.crs).iloc[0]
    row = int((surface.north - spot.y) // surface.cell_m)
    column = int((spot.x - surface.west) // surface.cell_m)
    rows, columns = surface.minutes.shape
    inside = 0 <= row < rows and 0 <= column < columns
    return float(surface.minutes[row, column]) if inside else float("inf")


RIVER = gpd.GeoSeries([LineString([(106.9, 27.01), (107.3, 27.01)])], crs=4326)


def test_a_river_without_a_bridge_is_not_crossed() -> None:
    # a road of 20 km along 27 N, a river 1.1 km north of it, nothing beyond
    dry = time_surface(one_road(), (107.0, 27.0), 25, cell_m=100)
    wet = time_surface(one_road(), (107.0, 27.0), 25, cell_m=100, barriers=RIVER)
    # 10 km of road, then 1.66 km across at 5 min/km: 18.3 minutes
    assert minutes_at(dry, 107.1, 27.015) == pytest.approx(10 + 5 * 1.662, abs=0.5)
    assert np.isinf(minutes_at(wet, 107.1, 27.015))
    assert minutes_at(wet, 107.1, 27.005) == pytest.approx(minutes_at(dry, 107.1, 27.005))
    # between the cells on both sides the line is drawn, so at most a cell beyond the river
    assert wet.inside(25).bounds[3] < 27.01 + 100 / 110_770


def test_with_a_bridge_the_other_bank_is_reached_by_it() -> None:
    nodes = [node("A", 107, 27), node("B", 107.2, 27), node("C", 107.2, 27.03)]
    net = network(nodes, [link("A", "B", 20), link("B", "C", 3.3)])
    wet = time_surface(net, (107.0, 27.0), 40, cell_m=100, barriers=RIVER)
    # 20 km, 1.9 km over the bridge to 27.017 N, then 0.99 km west at 5 min/km
    assert minutes_at(wet, 107.19, 27.017) == pytest.approx(20 + 1.9 + 5 * 0.992, abs=0.6)
    # nearer to the road on this bank, but that is across the water
    assert np.isinf(minutes_at(wet, 107.1, 27.015))


def test_a_polygon_is_not_entered_and_not_crossed() -> None:
    lake = gpd.GeoDataFrame(geometry=[box(107.08, 27.005, 107.12, 27.015)], crs=4326)
    wet = time_surface(one_road(), (107.0, 27.0), 30, cell_m=100, barriers=lake)
    assert np.isinf(minutes_at(wet, 107.1, 27.01))
    assert np.isinf(minutes_at(wet, 107.1, 27.02))  # behind it
    # beside it: 5 km and 2.2 km
    assert minutes_at(wet, 107.05, 27.02) == pytest.approx(5 + 5 * 2.216, abs=0.5)


def test_a_road_that_runs_along_a_barrier_is_entered_from_both_sides() -> None:
    on_it = gpd.GeoSeries([LineString([(107, 27), (107.2, 27)])], crs=4326)
    surface = time_surface(one_road(), (107.0, 27.0), 15, cell_m=100, barriers=on_it)
    assert minutes_at(surface, 107.05, 27.003) == pytest.approx(5 + 5 * 0.332, abs=0.5)
    assert minutes_at(surface, 107.05, 26.997) == pytest.approx(5 + 5 * 0.332, abs=0.5)


def test_the_nearest_way_in_is_the_nearest_that_can_be_seen() -> None:
    # the road of the far bank is 0.3 km off, the own road 1 km: it is taken nevertheless
    nodes = [node("A", 107, 27), node("B", 107.2, 27), node("C", 107, 27.012)]
    nodes += [node("D", 107.2, 27.012)]
    net = network(nodes, [link("A", "B", 20), link("C", "D", 20), link("A", "C", 50)])
    river = gpd.GeoSeries([LineString([(107.05, 27.0105), (107.3, 27.0105)])], crs=4326)
    surface = time_surface(net, (107.0, 27.0), 30, cell_m=100, barriers=river)
    assert minutes_at(surface, 107.1, 27.009) == pytest.approx(10 + 5 * 0.997, abs=0.5)


# -- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cog", [False, True])
def test_a_geotiff_has_the_same_bytes_every_time_and_says_what_it_is(
    tmp_path: Path, cog: bool
) -> None:
    net = square_grid(5, km=8)
    surface = time_surface(net, (107.0, 27.0), 40, modes=("road",), cell_m=50)
    assert max(surface.minutes.shape) > 512  # so that a pyramid is worth it
    for name in ("a.tif", "b.tif"):
        surface.to_geotiff(tmp_path / name, cog=cog)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.tags()["digest"] == net.digest
        assert file.descriptions == ("minutes",)
        layout = file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
        assert (layout == "COG") is cog
        assert bool(file.overviews(1)) is cog
        read = file.read(1)
    reached = np.isfinite(surface.minutes)
    assert np.array_equal(read[reached], surface.minutes[reached])
    assert np.isnan(read[~reached]).all()


def test_a_geotiff_that_cannot_be_written(tmp_path: Path) -> None:
    surface = times(one_road(), (107.0, 27.0), 5.0)
    with pytest.raises(OutputError, match="it is a folder"):
        surface.to_geotiff(tmp_path)


def test_what_would_not_fit_is_told_with_its_memory() -> None:
    with pytest.raises(InputError, match=r"A surface of \d+ x \d+ cells of 0.5 m .* GB"):
        time_surface(one_road(), (107.0, 27.0), 60, cell_m=0.5)
