"""How much of each county lies within a circle."""

from __future__ import annotations

import geopandas as gpd
import pytest
from grids import corner, square_grid, table
from shapely.geometry import Point

from urbangeo.access import commuting_circle
from urbangeo.errors import InputError


def test_counties_count_their_towns_and_name_the_seat() -> None:
    spots = table(
        name=["s", "t", "u"],
        kind=["county_seat", "town", "town"],
        county=["甲县", "甲县", "乙县"],
        adcode=["520001", "520001", "520002"],
        xy=[corner(0, 1), corner(4, 4), corner(0, 2)],
    )
    counties = commuting_circle(corner(0, 0), 3, square_grid(5), places=spots).counties
    counted = ["adcode", "county", "towns", "inside", "share", "seat", "seat_status"]
    assert counties[[*counted, "seat_minutes"]].to_dict("records")[0] == {
        "adcode": "520001",
        "county": "甲县",
        "towns": 1,
        "inside": 0,
        "share": 0.0,
        "seat": "s",
        "seat_status": "inside",
        "seat_minutes": 1.0,
    }
    assert counties["seat"].tolist() == ["s", ""]
    # no such counties in the layer, and nobody said how many live there
    assert counties[["area_km2", "area_share", "population"]].isna().all(axis=None)
    assert counties["population_from"].tolist() == ["", ""]


def test_share_of_a_countys_land_is_that_of_the_polygon() -> None:
    # one county of the layer that lies wholly around the grid's middle
    from urbangeo.layer import load

    land = load("counties").set_index("adcode")
    adcode = next(one for one in land.index if land.geometry[one].contains(Point(107.02, 27.02)))
    spots = table(name=["a"], kind=["town"], county=["x"], adcode=[adcode], xy=[corner(2, 2)])
    circle = commuting_circle(corner(2, 2), 2.8, square_grid(5), places=spots)
    row = circle.counties.iloc[0]
    plane = "EPSG:6933"  # another equal-area projection than ours
    both = gpd.GeoSeries([circle.polygon, land.geometry[adcode]], crs=4326).to_crs(plane)
    assert row["area_inside_km2"] == pytest.approx(
        both.iloc[0].intersection(both.iloc[1]).area / 1e6, rel=1e-3
    )
    assert row["area_km2"] == pytest.approx(both.iloc[1].area / 1e6, rel=1e-3)
    assert row["area_share"] == pytest.approx(row["area_inside_km2"] / row["area_km2"])


def test_population_of_the_places_is_added_up() -> None:
    spots = table(
        name=["s", "t", "u", "v"],
        kind=["county_seat", "town", "town", "town"],
        county=["甲县"] * 4,
        adcode=["520001"] * 4,
        people=["1000", 300, 200, None],
        xy=[corner(0, 1), corner(4, 4), corner(0, 2), corner(0, 3)],
    )
    net = square_grid(5)
    circle = commuting_circle(corner(0, 0), 3, net, places=spots, population="people")
    row = circle.counties.iloc[0]
    # 4,4 is 8 minutes away; nobody knows how many live at 0,3
    assert (row["population"], row["population_inside"]) == (1500, 1200)
    assert row["population_share"] == 0.8
    assert row["population_from"] == "places"
    with pytest.raises(InputError, match="no column of the places"):
        commuting_circle(corner(0, 0), 3, net, places=spots, population="residents")
    for wrong in (-1, "many"):
        bad = spots.assign(people=[wrong, 1, 1, 1])
        with pytest.raises(InputError, match="population of 's' is"):
            commuting_circle(corner(0, 0), 3, net, places=bad, population="people")


def test_residents_of_a_county_are_spread_over_its_land(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    from urbangeo.access import counties as module

    spots = table(name=["a"], kind=["town"], county=["x"], adcode=["520123"], xy=[corner(2, 2)])
    monkeypatch.setattr(module, "county_residents", lambda: pd.Series({"520123": 1000.0}))
    monkeypatch.setattr(
        module,
        "land_shares",
        lambda polygon, codes: pd.DataFrame(
            {"area_km2": [8.0], "area_inside_km2": [2.0], "area_share": [0.25]}, index=["520123"]
        ),
    )
    row = commuting_circle(corner(2, 2), 2, square_grid(5), places=spots).counties.iloc[0]
    assert (row["population_inside"], row["population_share"]) == (250, 0.25)
    assert row["population_from"] == "area"
