"""The boundaries of a plan's own region: its counties, dissolved into prefectures and the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd

    from urbangeo.plans import Plan

__all__ = ["own_region", "prefectures_of"]


def own_region(key: str) -> Mapping[str, Any]:
    """Give the boundaries that a plan brings with it, as a figure takes them; none if it has none.

    Parameters
    ----------
    key
        Of a bundled plan, or the folder of one.

    Returns
    -------
    Mapping
        ``counties``, ``prefectures`` and ``province`` (EPSG:4326); ``surroundings`` is None, since
        of what lies around nothing is known.
    """
    from urbangeo.plans import plan, plan_record

    if not key or not plan_record(key).counties:
        return {}
    owner = plan(key)
    counties = owner.county_layer
    region = counties[["geometry"]].dissolve().assign(name=owner.record.title)
    region.attrs = dict(counties.attrs)
    return {
        "counties": counties,
        "prefectures": prefectures_of(owner),
        "province": region,
        "surroundings": None,
    }


def prefectures_of(owner: Plan) -> gpd.GeoDataFrame:
    """Give the prefectures of a plan's region, with ``adcode``, ``name``, ``short_name``."""
    if not owner.record.counties:
        from urbangeo.layer import load

        return load("prefectures")
    counties = owner.county_layer
    columns = ["prefecture", "prefecture_adcode", "geometry"]
    found = counties[columns].dissolve("prefecture").reset_index()
    found = found.rename(columns={"prefecture": "name", "prefecture_adcode": "adcode"})
    found = found.assign(short_name=found["name"])
    found.attrs = dict(counties.attrs)
    return found
