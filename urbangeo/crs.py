"""Coordinate reference systems: the one for exchange, the one for analysis, and their checks."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from urbangeo.errors import CRSError, DatumWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CHINA_BOUNDS",
    "GEOD",
    "WGS84",
    "check_lonlat",
    "equal_area",
    "geodesic_area_km2",
    "geodesic_length_m",
    "looks_swapped",
    "require_crs",
    "to_wgs84",
    "transformer",
]

WGS84 = pyproj.CRS.from_epsg(4326)
"""Geographic coordinates, degrees, in which every layer is exchanged."""

GEOD = pyproj.Geod(ellps="WGS84")
"""The ellipsoid on which lengths and areas are measured."""

CHINA_BOUNDS = (73.0, 3.0, 136.0, 54.0)
"""``(west, south, east, north)`` of China, degrees: where coordinates are expected."""

# Datums that agree with WGS 84 within a metre, for which PROJ knows no shift and needs none.
_SAME_DATUMS = ("World Geodetic System 1984", "China 2000", "China Geodetic Coordinate System 2000")


@lru_cache(maxsize=64)
def transformer(source: pyproj.CRS, target: pyproj.CRS) -> pyproj.Transformer:
    """Give what turns coordinates of one CRS into another's, x first; made once for a pair."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def equal_area(bounds: Sequence[float]) -> pyproj.CRS:
    """Give the equal-area analysis CRS of a region.

    Lambert azimuthal equal area, centred on the middle of the bounds rounded to
    whole degrees, so that neighbouring extents of one region share it. Within
    300 km of the centre distances are true within 0.06 % (Snyder 1987, p. 185).

    Parameters
    ----------
    bounds
        ``(west, south, east, north)`` in degrees, WGS 84.

    Returns
    -------
    pyproj.CRS
        Metres.
    """
    west, south, east, north = (float(value) for value in bounds)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise CRSError(
            f"Bounds {tuple(bounds)} are not (west, south, east, north) in degrees; "
            "give longitudes and latitudes on WGS 84."
        )
    lon, lat = round((west + east) / 2), round((south + north) / 2)
    return pyproj.CRS.from_user_input(
        f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs"
    )


def require_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries, what: str) -> pyproj.CRS:
    """Give the CRS of a frame, or raise naming the frame.

    Raises
    ------
    CRSError
        If the frame has none.
    """
    if frame.crs is None:
        raise CRSError(
            f"{what} has no coordinate reference system. Set the one it was made in, "
            "for example with .set_crs('EPSG:4326') or .set_crs('EPSG:4490')."
        )
    return pyproj.CRS.from_user_input(frame.crs)


def geodesic_length_m(lon: ArrayLike, lat: ArrayLike) -> float:
    """Measure a line of WGS 84 coordinates on the ellipsoid, in metres."""
    return float(GEOD.line_length(np.asarray(lon, float), np.asarray(lat, float)))


def geodesic_area_km2(geometries: gpd.GeoSeries) -> NDArray[np.float64]:
    """Measure polygons on the ellipsoid, in km²; one value for each geometry."""
    shapes = geometries.to_crs(WGS84)
    return np.array([abs(GEOD.geometry_area_perimeter(shape)[0]) / 1e6 for shape in shapes])


def looks_swapped(
    lon: ArrayLike, lat: ArrayLike, region: Sequence[float] = CHINA_BOUNDS
) -> NDArray[np.bool_]:
    """Tell for each point whether longitude and latitude look swapped.

    They do when the point lies outside the region, and inside it with the two exchanged.

    Parameters
    ----------
    lon, lat
        Degrees, as given.
    region
        ``(west, south, east, north)`` in degrees, where the points are expected.

    Returns
    -------
    numpy.ndarray of bool
        One value for each point.

    Examples
    --------
    >>> looks_swapped([106.7, 26.6], [26.6, 106.7]).tolist()
    [False, True]
    """
    x, y = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    west, south, east, north = region

    def inside(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (west <= a) & (a <= east) & (south <= b) & (b <= north)

    return ~inside(x, y) & inside(y, x)


def check_lonlat(
    lon: ArrayLike, lat: ArrayLike, what: str, region: Sequence[float] = CHINA_BOUNDS
) -> None:
    """Refuse coordinates that cannot be longitudes and latitudes.

    Parameters
    ----------
    lon, lat
        Degrees.
    what
        Whose coordinates they are, as the subject of a sentence.
    region
        Where the points are expected; only used to recognise a swap.

    Raises
    ------
    CRSError
        If longitude and latitude look swapped, a value is not finite, or one is out of range
        (±180, ±90); the rows are named, counted from 1.
    """
    x, y = np.atleast_1d(np.asarray(lon, float)), np.atleast_1d(np.asarray(lat, float))
    swapped = looks_swapped(x, y, region)
    if swapped.any():
        raise CRSError(
            f"{what} looks like latitude and longitude are swapped in {_rows(swapped)}, "
            f"for example ({_first(x, swapped)}, {_first(y, swapped)}). "
            "Give longitude first, or exchange the two columns."
        )
    wrong = ~((np.abs(x) <= 180) & (np.abs(y) <= 90))
    if wrong.any():
        raise CRSError(
            f"{what} has coordinates that are not degrees in {_rows(wrong)}, "
            f"for example ({_first(x, wrong)}, {_first(y, wrong)}): expected longitudes within "
            "±180 and latitudes within ±90. If they are metres, state the projected CRS."
        )


def to_wgs84(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    """Transform a frame to EPSG:4326.

    CGCS2000, the datum of official Chinese data, agrees with WGS 84 within a metre and passes
    unshifted.

    Parameters
    ----------
    frame
        A frame with a CRS.
    what
        Whose coordinates they are, as the subject of a sentence.

    Raises
    ------
    CRSError
        If there is no CRS, or a coordinate cannot be transformed.

    Warns
    -----
    DatumWarning
        If PROJ knows no shift between the datums, as for Xi'an 1980.
    """
    source = require_crs(frame, what)
    datum = source.datum or (source.source_crs and source.source_crs.datum)
    if datum is not None and not str(datum.name).startswith(_SAME_DATUMS):
        group = pyproj.transformer.TransformerGroup(source, WGS84, always_xy=True)
        if not group.transformers or "Ballpark" in group.transformers[0].description:
            warnings.warn(
                f"{what} is in {source.name}; no shift from its datum ({datum.name}) to WGS 84 "
                "is known, so positions may be 100 m off. Convert it to CGCS2000 first.",
                DatumWarning,
                stacklevel=2,
            )
    try:
        result = frame.to_crs(WGS84)
    except pyproj.exceptions.ProjError as error:
        raise CRSError(f"{what} cannot be transformed from {source.name}: {error}") from error
    bounds = result.geometry.bounds.to_numpy(float)
    lost = ~np.isfinite(bounds).all(axis=1) & ~result.geometry.is_empty.to_numpy()
    if lost.any():
        raise CRSError(
            f"{what} has coordinates outside what {source.name} can express, in {_rows(lost)}. "
            "Check that the stated CRS is the one it was made in."
        )
    return result


def _rows(mask: NDArray[np.bool_]) -> str:
    rows = (np.flatnonzero(mask) + 1).tolist()
    shown = ", ".join(map(str, rows[:5]))
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"row{'s' if len(rows) > 1 else ''} {shown}{more}"


def _first(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> str:
    return f"{values[mask][0]:g}"
