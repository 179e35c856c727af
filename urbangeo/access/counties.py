"""How much of each county lies within a circle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon

from urbangeo.crs import WGS84, equal_area

__all__ = ["county_residents", "county_table", "land_shares"]

_COUNTY_COLUMNS = (
    *("adcode", "county", "towns", "inside", "share", "seat", "seat_status", "seat_minutes"),
    *("area_km2", "area_inside_km2", "area_share"),
    *("population", "population_inside", "population_share", "population_from"),
)


def county_table(
    towns: gpd.GeoDataFrame, polygon: Callable[[], MultiPolygon], population: str | None
) -> pd.DataFrame:
    """Make :attr:`urbangeo.CommutingCircle.counties`.

    Parameters
    ----------
    towns
        The places that were asked about, with ``status`` and ``minutes``.
    polygon
        Draws what is inside, EPSG:4326.
    population
        Column of the places that holds people, or None.
    """
    codes = towns["adcode"].astype(str)
    known = towns[codes != ""]
    rows = []
    for adcode, group in known.groupby(codes[codes != ""], sort=True):
        is_seat = group["kind"] == "county_seat"
        seats, small = group[is_seat], group[~is_seat]
        inside = int((small["status"] == "inside").sum())
        row = {
            "adcode": adcode,
            "county": group["county"].iloc[0],
            "towns": len(small),
            "inside": inside,
            "share": inside / len(small) if len(small) else np.nan,
            "seat": seats["name"].iloc[0] if len(seats) else "",
            "seat_status": seats["status"].iloc[0] if len(seats) else "",
            "seat_minutes": float(seats["minutes"].iloc[0]) if len(seats) else np.nan,
            "population_from": "",
        }
        if population is not None:
            people = group[population]
            row["population"] = float(people.sum(min_count=1))
            row["population_inside"] = float(people[group["status"] == "inside"].sum())
            row["population_from"] = "places"
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(_COUNTY_COLUMNS))
    land = land_shares(polygon, table["adcode"].tolist())
    for column in ("area_km2", "area_inside_km2", "area_share"):
        table[column] = table["adcode"].map(land[column]).astype(float)
    if population is None:
        residents = table["adcode"].map(county_residents())
        table["population"] = residents.astype(float)
        table["population_inside"] = table["population"] * table["area_share"]
        table["population_from"] = np.where(table["population_inside"].notna(), "area", "")
    table = table.astype({"population": float, "population_inside": float})
    table["population_share"] = table["population_inside"] / table["population"]
    return table


def land_shares(
    polygon: Callable[[], MultiPolygon],
    adcodes: Sequence[str],
    counties: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Measure how much of the land of counties lies within a polygon.

    Parameters
    ----------
    polygon
        Gives the polygon, EPSG:4326; called if any of the counties is known.
    adcodes
        Codes of counties.
    counties
        Boundaries with ``adcode``; the layer ``counties`` if None.

    Returns
    -------
    pandas.DataFrame
        By ``adcode``: ``area_km2``, ``area_inside_km2``, ``area_share``; equal-area. Codes that
        the layer does not have are left out.
    """
    columns = ["area_km2", "area_inside_km2", "area_share"]
    if counties is None:
        from urbangeo.layer import load

        counties = load("counties")
    counties = counties[counties["adcode"].isin(adcodes)]
    if not len(counties):
        return pd.DataFrame(columns=columns, dtype=float)
    plane = equal_area(counties.total_bounds)
    land = shapely.make_valid(np.asarray(counties.geometry.to_crs(plane).array))
    drawn = gpd.GeoSeries([polygon()], crs=WGS84).to_crs(plane).iloc[0]
    shapely.prepare(drawn)
    area = shapely.area(land)
    inside = shapely.area(shapely.intersection(land, shapely.make_valid(drawn)))
    values = np.column_stack([area / 1e6, inside / 1e6, inside / area])
    return pd.DataFrame(values, pd.Index(counties["adcode"], name="adcode"), columns)


def county_residents() -> pd.Series:
    """Give the residents of counties by code, from ``layers/population.csv``; empty if it is."""
    from urbangeo.catalog import data_folder

    table = pd.read_csv(data_folder() / "population.csv", dtype={"adcode": str})
    residents: pd.Series = table.set_index("adcode")["residents"].astype(float)
    return residents
