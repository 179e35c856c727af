from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from urbangeo import crs
from urbangeo.errors import CRSError, DatumWarning


def points(*coordinates: tuple[float, float], code: object = 4326) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.Point(c) for c in coordinates], crs=code)


def test_one_degree_of_the_equator_is_its_arc() -> None:
    assert crs.geodesic_length_m([0, 1], [0, 0]) == pytest.approx(6378137 * np.pi / 180, abs=1e-3)


def test_equal_area_agrees_with_the_ellipsoid() -> None:
    cell = shapely.segmentize(shapely.box(106, 26, 107, 27), 0.01)
    frame = gpd.GeoSeries([cell], crs=4326)
    planar = frame.to_crs(crs.equal_area(frame.total_bounds)).area[0] / 1e6
    assert planar == pytest.approx(crs.geodesic_area_km2(frame)[0], rel=1e-5)


@pytest.mark.parametrize("bounds", [(26, 106, 27, 107), (107, 26, 106, 27), (0, 0, 200, 1)])
def test_equal_area_refuses_bounds_out_of_order_or_range(bounds: tuple[float, ...]) -> None:
    with pytest.raises(CRSError, match="west, south, east, north"):
        crs.equal_area(bounds)


def test_require_crs_names_the_frame() -> None:
    with pytest.raises(CRSError, match=r"^The list of parks has no coordinate reference system"):
        crs.require_crs(points((106, 26), code=None), "The list of parks")


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (106.7, 26.6, False),  # 贵阳
        (26.6, 106.7, True),
        (39.9, 74.5, True),  # west of 喀什, where the latitude is no giveaway
        (2.35, 48.86, False),  # 巴黎: outside China either way
        (60.0, 100.0, False),  # out of range, but not China when exchanged
    ],
)
def test_looks_swapped(lon: float, lat: float, expected: bool) -> None:
    assert crs.looks_swapped(lon, lat).tolist() == [expected]


def test_looks_swapped_in_another_region() -> None:
    assert crs.looks_swapped([48.86], [2.35], region=(-5, 41, 10, 51)).tolist() == [True]


def test_check_lonlat_names_rows_of_a_swap() -> None:
    with pytest.raises(CRSError, match=r"latitude and longitude are swapped in rows 2, 3,.*26\.6"):
        crs.check_lonlat([106.7, 26.6, 26.5], [26.6, 106.7, 106.9], "The table")


@pytest.mark.parametrize(("lon", "lat"), [(35_000_000, 2_900_000), (np.nan, 26), (106, np.inf)])
def test_check_lonlat_refuses_what_is_not_degrees(lon: float, lat: float) -> None:
    with pytest.raises(CRSError, match=r"not degrees in row 2"):
        crs.check_lonlat([106, lon], [26, lat], "The table")


def test_to_wgs84_brings_gauss_kruger_to_its_central_meridian() -> None:
    # EPSG:4545 is CGCS2000, three-degree zone about 108° E: easting 500 km, northing 0.
    result = crs.to_wgs84(points((500_000, 0), code=4545), "The file")
    assert result.crs == crs.WGS84
    assert shapely.get_coordinates(result.geometry)[0] == pytest.approx([108, 0], abs=1e-9)


@pytest.mark.parametrize("code", [4490, 4545, 32648, "OGC:CRS84"])
def test_to_wgs84_is_silent_for_datums_that_agree(
    code: object, recwarn: pytest.WarningsRecorder
) -> None:
    place = (500_000, 2_900_000) if code in (4545, 32648) else (106.7, 26.6)
    crs.to_wgs84(points(place, code=code), "The file")
    assert not [w for w in recwarn if w.category is DatumWarning]


def test_to_wgs84_warns_of_a_datum_without_a_known_shift() -> None:
    with pytest.warns(DatumWarning, match="Xian 1980"):
        crs.to_wgs84(points((106.7, 26.6), code=4610), "The file")


def test_to_wgs84_refuses_coordinates_that_the_crs_cannot_express() -> None:
    # Degrees stated as metres of a Lambert projection's sphere: nothing lies 10^9 m away.
    with pytest.raises(CRSError, match="row 2"):
        crs.to_wgs84(points((0, 0), (1e9, 1e9), code="+proj=laea +lat_0=27 +lon_0=107"), "The file")
