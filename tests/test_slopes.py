"""Walking on slopes: tilted planes, whose times follow from Tobler's formula on paper.

The factor on the time on flat ground is exp(3.5 (|S + 0.05| - 0.05)): 10 % up exp(0.35), 10 % down
exp(0) = 1, and 5 % down exp(-0.175), the least there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import exp
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from grids import PROFILE, link, network, node
from rasterio.transform import Affine, from_origin
from shapely.geometry import Point

from urbangeo.access import commuting_circle, travel_times
from urbangeo.errors import CRSError, InputError
from urbangeo.network import Network, slopes
from urbangeo.network.profiles import AccessRule
from urbangeo.network.slopes import Slopes

WALKING = replace(
    PROFILE,
    sinuosity=MappingProxyType(dict.fromkeys(("national", "expressway"), 1.0)),
    walk=AccessRule(kmh=6.0, circuity=1.0, max_km=2.0),
)
"""6 km/h: 600 ms for each metre of flat ground."""

DEGREE_M = 99_200.0  # of longitude at 27 N: 111 320 cos 27 degrees, on the ellipsoid 99 257
Height = Callable[[np.ndarray, np.ndarray], np.ndarray]


def raster(
    path: Path,
    height: Height,
    *,
    crs: str | None = "EPSG:4326",
    transform: Affine | None = None,
    size: int = 300,
    dtype: str = "float32",
    **more: Any,
) -> Path:
    """Write heights at the middles of cells; 106.9 to 107.2 E and 26.85 to 27.15 N in degrees."""
    placed = from_origin(106.9, 27.15, 0.001, 0.001) if transform is None else transform
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    x = placed.a * column + placed.b * row + placed.c
    y = placed.d * column + placed.e * row + placed.f
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=1, dtype=dtype, crs=crs,
        transform=placed, **more,
    ) as file:  # fmt: skip
        file.write(height(x, y).astype(dtype), 1)
    return path


def tilted(slope: float) -> Height:
    """Make a plane that rises to the east, 1000 m high at 107 E."""
    return lambda x, y: 1000 + slope * 99_257.0 * (x - 107)


def eastward(**more: Any) -> Network:
    """One road of about a kilometre to the east, length as drawn unless stated."""
    nodes = [node("A", 107.0, 27.0), node("B", 107.01, 27.0)]
    row = {**link("A", "B", 1), "length_m": None, **more}
    return replace(network(nodes, [row]), profile=WALKING)


def factors(net: Network, row: int = 0) -> tuple[float, float]:
    """Time along a link and back, as multiples of that on flat ground."""
    there, back = net.link_ms(np.array([row]), "walk")
    flat = 600.0 * net.length_m[row]
    return float(there[0]) / flat, float(back[0]) / flat


def test_a_plane_is_walked_up_and_down_by_the_formula(tmp_path: Path) -> None:
    for slope, up, down in (
        (0.10, exp(0.35), 1.0),
        (0.05, exp(0.175), exp(-0.175)),
        (0.0, 1.0, 1.0),
        (-0.10, 1.0, exp(0.35)),
    ):
        net = eastward().with_slopes(raster(tmp_path / f"{slope}.tif", tilted(slope)))
        assert factors(net) == pytest.approx((up, down), rel=1e-3)
        assert net._slopes is not None
        assert (net._slopes.measured, net._slopes.flat, net._slopes.cliffs) == (1, 0, 0)


def test_in_metres_as_in_degrees(tmp_path: Path) -> None:
    # UTM zone 48: 107 E, 27 N lies near 698 490 E, 2 987 790 N; there east is east within a degree
    placed = from_origin(690_000, 2_996_000, 60, 60)
    path = raster(
        tmp_path / "utm.tif", lambda x, y: 0.1 * (x - 690_000), crs="EPSG:32648", transform=placed
    )
    assert factors(eastward().with_slopes(path)) == pytest.approx((exp(0.35), 1.0), rel=2e-3)


def test_a_turned_raster_is_read_where_its_cells_lie(tmp_path: Path) -> None:
    # cells of 0.001 degrees, their rows 30 degrees from the parallels
    turned = Affine(8.66e-4, 5e-4, 106.85, -5e-4, 8.66e-4, 26.9)
    path = raster(tmp_path / "t.tif", tilted(0.1), transform=turned)
    assert factors(eastward().with_slopes(path)) == pytest.approx((exp(0.35), 1.0), rel=1e-3)


def test_over_a_hill_both_ways_take_the_mean(tmp_path: Path) -> None:
    # 10 % up to the middle of the road, 10 % down from it; its top is rounded by one cell
    path = raster(tmp_path / "hill.tif", lambda x, y: -0.1 * 99_257 * np.abs(x - 107.005))
    mean = (exp(0.35) + 1) / 2
    assert factors(eastward().with_slopes(path)) == pytest.approx((mean, mean), rel=0.02)


def test_a_road_longer_than_drawn_is_less_steep(tmp_path: Path) -> None:
    drawn = float(eastward().length_m[0])
    net = eastward(length_m=2 * drawn).with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    assert factors(net) == pytest.approx((exp(0.175), exp(-0.175)), rel=1e-3)


def test_another_profile_afterwards_changes_speed_and_steepness(tmp_path: Path) -> None:
    net = eastward().with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    assert WALKING.walk is not None
    faster = net.with_profile(replace(WALKING, walk=replace(WALKING.walk, kmh=12.0)))
    before, after = (one.link_ms(np.array([0]), "walk")[0][0] for one in (net, faster))
    assert 2 * after == pytest.approx(before, abs=2)
    winding = net.with_profile(replace(WALKING, sinuosity=MappingProxyType({"national": 2.0})))
    assert factors(winding) == pytest.approx((exp(0.175), exp(-0.175)), rel=1e-3)


def test_cliffs_are_walked_as_the_steepest_street(tmp_path: Path) -> None:
    net = eastward().with_slopes(raster(tmp_path / "d.tif", tilted(1.0)))
    # up 35 %: exp(3.5 x 0.35); down 35 %: exp(3.5 x 0.25)
    assert factors(net) == pytest.approx((exp(1.225), exp(0.875)), rel=1e-6)
    assert net._slopes is not None
    assert net._slopes.cliffs == 20  # 993 m in pieces of at most 50 m


def test_links_outside_or_on_unknown_ground_keep_the_flat_speed(tmp_path: Path) -> None:
    nodes = [
        node("A", 107.0, 27.0),
        node("B", 107.01, 27.0),
        node("C", 107.3, 27.0),  # the raster ends at 107.2
        node("D", 107.0, 27.1),  # nothing is known north of 27.05
        node("X", 107.0, 26.9, "interchange"),
        node("Y", 107.1, 26.9, "interchange"),
    ]
    rows = [link("A", "B", 1), link("B", "C", 29), link("A", "D", 11)]
    rows += [link("X", "Y", 10, "expressway"), link("D", "C", 30)]
    net = replace(network(nodes, rows), profile=WALKING)

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(y > 27.05, -9999.0, tilted(0.1)(x, y))

    for number, more in enumerate(({"nodata": -9999.0}, {})):  # a void is known by its depth too
        seen = net.with_slopes(raster(tmp_path / f"{number}.tif", height, **more))
        assert factors(seen, 0)[0] > 1.4
        for row in (1, 2, 3, 4):
            assert factors(seen, row) == pytest.approx((1, 1), rel=1e-6)
        assert seen._slopes is not None
        assert (seen._slopes.measured, seen._slopes.flat) == (1, 3)


def test_the_outer_half_of_a_cell_along_the_edge_is_known(tmp_path: Path) -> None:
    placed = from_origin(107.0, 27.0005, 0.001, 0.001)  # the road runs along its first cells
    path = raster(tmp_path / "d.tif", tilted(0.1), transform=placed)
    net = eastward().with_slopes(path)
    # one half of ten cells is level
    assert factors(net)[0] == pytest.approx(0.95 * exp(0.35) + 0.05, rel=0.01)


def test_scaled_heights_are_unscaled(tmp_path: Path) -> None:
    path = raster(tmp_path / "d.tif", lambda x, y: 10 * tilted(0.1)(x, y), dtype="int32")
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.1,), (-500.0,)
    assert factors(eastward().with_slopes(path)) == pytest.approx((exp(0.35), 1.0), rel=5e-3)


def test_the_car_does_not_mind(tmp_path: Path) -> None:
    net = eastward()
    steep = net.with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    assert steep.link_ms(np.array([0]), "road") == net.link_ms(np.array([0]), "road")


def test_times_door_to_door(tmp_path: Path) -> None:
    net = eastward().with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    low, high = (107.0, 27.0), (107.01, 27.0)
    flat = 600 * net.length_m[0] / 60_000
    up = travel_times(net, low, high, modes=("walk",)).iloc[0, 0]
    down = travel_times(net, high, low, modes=("walk",)).iloc[0, 0]
    assert (up / flat, down / flat) == pytest.approx((exp(0.35), 1.0), rel=1e-3)


def test_legs_along_a_part_of_a_road_have_its_length(tmp_path: Path) -> None:
    net = eastward().with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    middle = gpd.GeoDataFrame({"name": ["m"]}, geometry=[Point(107.005, 27.0)], crs=4326)
    for centre in ((107.0, 27.0), (107.01, 27.0)):
        for direction in ("to", "from"):
            circle = commuting_circle(
                centre, 60, net, places=middle, modes=("walk",), direction=direction
            )
            legs = [one for route in circle.routes if route for one in route.legs]
            assert [one.mode for one in legs] == ["walk"]
            # NaN where the way leads along the one road and no node
            assert np.isnan(legs[0].km) or legs[0].km == pytest.approx(0.496, abs=0.002)
            up = (direction == "to") == (centre[0] > 107.005)
            assert legs[0].minutes == pytest.approx(4.96 * (exp(0.35) if up else 1), rel=0.01)


def test_a_way_over_two_roads_is_as_long_as_they_are(tmp_path: Path) -> None:
    nodes = [node("A", 107.0, 27.0), node("B", 107.01, 27.0), node("C", 107.02, 27.0)]
    rows = [{**link("A", "B", 1), "length_m": None}, {**link("C", "B", 1), "length_m": None}]
    net = replace(network(nodes, rows), profile=WALKING)
    net = net.with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    spots = gpd.GeoDataFrame({"name": ["m"]}, geometry=[Point(107.005, 27.0)], crs=4326)
    for direction in ("to", "from"):
        circle = commuting_circle(
            (107.015, 27.0), 60, net, places=spots, modes=("walk",), direction=direction
        )
        (leg,) = circle.routes[0].legs  # type: ignore[union-attr]
        assert leg.km == pytest.approx(0.9926, abs=0.001)


def test_history_and_digest_tell_the_slopes(tmp_path: Path) -> None:
    net = eastward()
    steep, other = (
        net.with_slopes(raster(tmp_path / f"{slope}.tif", tilted(slope))) for slope in (0.1, 0.05)
    )
    assert steep.history == ("with_slopes(0.1.tif)",)
    assert len({net.digest, steep.digest, other.digest}) == 3
    assert steep.digest == net.with_slopes(tmp_path / "0.1.tif").digest


def test_links_that_come_later_are_walked_as_if_flat(tmp_path: Path) -> None:
    import pandas as pd

    net = eastward().with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    more = pd.DataFrame([{"from": "B", "to": "A", "class": "national", "length_m": 993}])
    both = net.with_links(more)
    assert factors(both, 0) == factors(net, 0)
    assert factors(both, 1) == pytest.approx((1, 1), rel=1e-6)
    assert isinstance(both._slopes, Slopes)
    assert both._slopes.measured == 1


def test_views_keep_the_slopes_of_what_they_open(tmp_path: Path) -> None:
    nodes = [node("A", 107.0, 27.0), node("B", 107.01, 27.0), node("C", 107.02, 27.0)]
    rows = [link("A", "B", 1), link("B", "C", 1, status="在建", planned_year=2030, open_year=2031)]
    net = replace(network(nodes, rows), profile=WALKING).at(2031)
    net = net.with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))
    assert factors(net.with_links("B-C"), 1)[0] > 1.4


def test_only_a_window_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = raster(tmp_path / "d.tif", tilted(0.1))  # 90,000 cells; the road needs 11 x 2
    monkeypatch.setattr(slopes, "MOST_CELLS", 24)
    assert factors(eastward().with_slopes(path))[0] > 1.4
    monkeypatch.setattr(slopes, "MOST_CELLS", 10)
    with pytest.raises(InputError, match=r"1[12] x 2 cells; at most 10 are read"):
        eastward().with_slopes(path)


def test_very_long_roads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slopes, "MOST_PIECES", 10)
    with pytest.raises(InputError, match="at most 0 km"):
        eastward().with_slopes(raster(tmp_path / "d.tif", tilted(0.1)))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # from writing them
def test_rasters_that_cannot_be_placed(tmp_path: Path) -> None:
    nowhere = raster(tmp_path / "a.tif", tilted(0.1), crs=None)
    lost = raster(tmp_path / "b.tif", tilted(0.1), crs=None, transform=Affine.identity())
    for path in (nowhere, lost):
        with pytest.raises(CRSError, match=r"has no coordinate reference system.*gdal_edit"):
            eastward().with_slopes(path)
    elsewhere = raster(tmp_path / "c.tif", tilted(0.1), transform=from_origin(10, 50, 0.001, 0.001))
    with pytest.raises(InputError, match="does not overlap the network, which spans"):
        eastward().with_slopes(elsewhere)
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    path = raster(tmp_path / "d.tif", tilted(0.1), crs=local)
    with pytest.raises(CRSError, match="WGS 84 cannot be transformed into"):
        eastward().with_slopes(path)


def test_rasters_without_a_use(tmp_path: Path) -> None:
    unknown = raster(tmp_path / "a.tif", lambda x, y: np.full(x.shape, -9999.0), nodata=-9999)
    with pytest.raises(InputError, match="covers no link of 纸面网 whole"):
        eastward().with_slopes(unknown)
    feet = raster(tmp_path / "b.tif", tilted(0.1))
    with rasterio.open(feet, "r+") as file:
        file.units = ("ft",)
    with pytest.raises(InputError, match="states its heights in 'ft'; metres are expected"):
        eastward().with_slopes(feet)
    nodes = [node("X", 107.0, 27.0, "interchange"), node("Y", 107.01, 27.0, "interchange")]
    motorway = network(nodes, [link("X", "Y", 1, "expressway")])
    with pytest.raises(InputError, match="no road on which one may walk"):
        motorway.with_slopes(raster(tmp_path / "c.tif", tilted(0.1)))


def test_what_is_no_raster(tmp_path: Path) -> None:
    net = eastward()
    for name in ("https://example.org/dem.tif", "/vsicurl/https://example.org/dem.tif"):
        with pytest.raises(InputError, match="is not the path of a local file"):
            net.with_slopes(name)
    with pytest.raises(InputError, match="does not exist"):
        net.with_slopes(tmp_path / "none.tif")
    with pytest.raises(InputError, match="is a folder"):
        net.with_slopes(tmp_path)
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    whole = raster(tmp_path / "whole.tif", tilted(0.1)).read_bytes()
    short = tmp_path / "short.tif"
    short.write_bytes(whole[: len(whole) // 3])
    # a virtual file leads elsewhere, whatever it is called
    virtual = tmp_path / "virtual.tif"
    virtual.write_text(
        '<VRTDataset rasterXSize="300" rasterYSize="300"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>106.9, 0.001, 0, 27.15, 0, -0.001</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
        f"<SourceFilename>{tmp_path / 'whole.tif'}</SourceFilename><SourceBand>1</SourceBand>"
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    for path in (text, short, virtual):
        with pytest.raises(InputError, match="cannot be read"):
            net.with_slopes(path)
