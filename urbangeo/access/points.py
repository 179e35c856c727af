"""What a caller may mean by a place: a name, a Place, (lon, lat), a table or a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.crs import WGS84, check_lonlat, looks_swapped, require_crs, to_wgs84
from urbangeo.errors import InputError
from urbangeo.places import Place, place

if TYPE_CHECKING:
    from urbangeo.network import Network

__all__ = ["PLACE_COLUMNS", "PlaceLike", "amounts", "as_points", "check_inside"]

PlaceLike: TypeAlias = (
    str
    | Place
    | tuple[float, float]
    | gpd.GeoDataFrame
    | gpd.GeoSeries
    | os.PathLike[str]
    | Sequence["str | Place | tuple[float, float]"]
)

PLACE_COLUMNS = ("name", "kind", "county", "adcode", "lon", "lat", "precision_m", "source")
_FILES = {".csv", ".xlsx", ".xls", ".geojson", ".json", ".gpkg", ".shp", ".parquet", ".zip", ".kml"}
NAME_HEADINGS = (
    *("name", "名称", "地名", "村名", "镇名", "乡镇", "村庄", "城镇", "name_zh", "mc"),
)
"""Headings under which a table of places may give their names, in the order looked for."""

EARTH = (-180.0, -90.0, 180.0, 90.0)
_MARGIN_DEG = 0.5  # a centre may lie this far outside the network's bounds and still be tried


def as_points(places: PlaceLike, what: str = "places") -> gpd.GeoDataFrame:
    """Make one table of points of whatever the caller gave.

    Parameters
    ----------
    places
        A name, a :class:`Place`, ``(lon, lat)``, a sequence of these, a GeoDataFrame or
        GeoSeries of points, or the path of a CSV, XLSX or GIS file.
    what
        What to call it in errors.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, on the caller's index, with at least :data:`PLACE_COLUMNS`.

    Raises
    ------
    CRSError
        If a table has no CRS.
    InputError
        If nothing is given, or a geometry is no point.
    UnknownNameError, AmbiguousNameError
        If a name is no place, or several.
    """
    if isinstance(places, gpd.GeoSeries):
        return _from_table(gpd.GeoDataFrame(geometry=places), what)
    if isinstance(places, gpd.GeoDataFrame):
        return _from_table(places, what)
    if isinstance(places, pd.DataFrame):
        raise InputError(
            f"{what}: a DataFrame has no geometry. Make a GeoDataFrame with a CRS, for example "
            "geopandas.GeoDataFrame(df, geometry=geopandas.points_from_xy(df.lon, df.lat), "
            "crs='EPSG:4326')."
        )
    if isinstance(places, os.PathLike) or _is_file_name(places):
        from urbangeo.vector import read_vector

        return _from_table(read_vector(Path(os.fspath(places)), what=what), what)  # type: ignore[arg-type]
    if isinstance(places, str | Place) or _is_pair(places):
        return _from_list([places], what)
    if isinstance(places, Sequence):
        return _from_list(list(places), what)
    raise InputError(
        f"{what}: {type(places).__name__} is not understood; give a name, a Place, (lon, lat), a "
        "list of these, a GeoDataFrame of points, or a file's path."
    )


def _is_file_name(value: object) -> bool:
    return isinstance(value, str) and Path(value).suffix.lower() in _FILES


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(one, int | float | np.number) for one in value)
    )


def _from_list(items: Sequence[object], what: str) -> gpd.GeoDataFrame:
    if not items:
        raise InputError(f"{what}: none given.")
    rows = []
    for item in items:
        if isinstance(item, str):
            item = place(item)
        if isinstance(item, Place):
            rows.append({column: getattr(item, column) for column in PLACE_COLUMNS})
        elif _is_pair(item):
            lon, lat = (float(one) for one in item)  # type: ignore[attr-defined]
            check_lonlat(lon, lat, what, EARTH)
            rows.append({"name": f"({lon:g}, {lat:g})", "kind": "point", "lon": lon, "lat": lat})
        else:
            raise InputError(f"{what}: {item!r} is neither a name, a Place nor (lon, lat).")
    frame = pd.DataFrame(rows, columns=list(PLACE_COLUMNS))
    geometry = gpd.points_from_xy(frame["lon"], frame["lat"])
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=WGS84)


def _from_table(frame: gpd.GeoDataFrame, what: str) -> gpd.GeoDataFrame:
    require_crs(frame, what)
    if not len(frame):
        raise InputError(f"{what}: the table has no row.")
    wrong = frame.geometry.isna() | frame.geometry.is_empty | (frame.geom_type != "Point")
    if wrong.any():
        rows = [str(one) for one in frame.index[wrong][:5]]
        raise InputError(
            f"{what}: {int(wrong.sum())} row(s) hold no point (index {', '.join(rows)} …). "
            "Drop them, or use .representative_point() for polygons."
        )
    out = _named(to_wgs84(frame, what))
    if out.geometry.name != "geometry":
        out = out.rename_geometry("geometry")
    out["lon"], out["lat"] = out.geometry.x, out.geometry.y
    check_lonlat(out["lon"], out["lat"], what, EARTH)
    for column in PLACE_COLUMNS:
        if column not in out.columns:
            empty = np.nan if column == "precision_m" else ""
            out[column] = [str(i) for i in out.index] if column == "name" else empty
    return out


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Take the column that bears the places' names under another heading as ``name``."""
    if "name" in frame.columns:
        return frame
    for heading in NAME_HEADINGS:
        for column in frame.columns:
            if str(column).strip().lower() == heading:
                return frame.assign(name=frame[column].astype(str))
    return frame


def amounts(given: pd.Series, names: pd.Series, what: str) -> NDArray[np.float64]:
    """Take what places hold, such as people or beds.

    Parameters
    ----------
    given
        An amount for each place.
    names
        Names of the places, on the same index.
    what
        What the amounts are, for the error.

    Raises
    ------
    InputError
        If an amount is missing, negative or not finite.
    """
    values = np.asarray(pd.to_numeric(given, errors="coerce"), dtype=float)
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{what}: {int(wrong.sum())} place(s) have no usable value; the first, "
            f"{names.iloc[row]} (index {given.index[row]!r}), has {given.iloc[row]!r}. Finite "
            "numbers of 0 or more are expected; give 0 where there is nothing or nobody."
        )
    return values


def check_inside(points: gpd.GeoDataFrame, net: Network, what: str) -> None:
    """Refuse points outside the region of a network; name a swap where it looks like one.

    Raises
    ------
    InputError
        Naming the first point, the region, and what is likely wrong.
    """
    west, south, east, north = net.bounds
    region = (
        west - _MARGIN_DEG,
        south - _MARGIN_DEG,
        east + _MARGIN_DEG,
        north + _MARGIN_DEG,
    )
    outside = ~np.asarray(
        points["lon"].between(region[0], region[2]) & points["lat"].between(region[1], region[3])
    )
    if not outside.any():
        return
    first = points[outside].iloc[0]
    where = f"{west:.1f}–{east:.1f}°E, {south:.1f}–{north:.1f}°N"
    hint = "Choose a place inside it, or a network that covers the place."
    if looks_swapped(points["lon"], points["lat"], region)[outside].all():
        hint = "Longitude and latitude look swapped: give (lon, lat)."
    raise InputError(
        f"{what}: {first['name']} ({first['lon']:g}, {first['lat']:g}) lies outside the region of "
        f"{net.facts.title} ({where}). {hint}"
    )
