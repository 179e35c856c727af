"""The travel-time surface and the bands drawn through it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from grids import link, network, node, square_grid
from shapely.geometry import Point

from urbangeo.access import commuting_circle
from urbangeo.access.surface import Surface, travel_time_surface
from urbangeo.crs import equal_area, geodesic_area_km2
from urbangeo.errors import InputError
from urbangeo.network import Network

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
