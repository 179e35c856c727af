"""What a caller may mean by a place, and what is refused."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from grids import square_grid
from shapely.geometry import Point, Polygon

from urbangeo.access.points import PLACE_COLUMNS, as_points, check_inside
from urbangeo.errors import CRSError, InputError, UnknownNameError
from urbangeo.places import place


def test_names_places_and_pairs() -> None:
    frame = as_points(["贵定", place("龙里"), (106.5, 26.5)])
    assert frame["name"].tolist() == ["贵定县", "龙里县", "(106.5, 26.5)"]
    assert frame.crs == "EPSG:4326"
    assert set(PLACE_COLUMNS) <= set(frame.columns)
    assert (frame["lon"] == frame.geometry.x).all()


def test_a_pair_is_one_point_and_not_two_names() -> None:
    assert len(as_points((106.5, 26.5))) == 1


def test_a_table_keeps_its_index_and_columns() -> None:
    table = gpd.GeoDataFrame(
        {"who": ["a", "b"]}, geometry=[Point(107, 27), Point(108, 27)], crs=4326, index=[30, 10]
    ).to_crs(32648)
    frame = as_points(table)
    assert frame.index.tolist() == [30, 10]
    assert frame["who"].tolist() == ["a", "b"]
    assert frame["lon"].tolist() == pytest.approx([107, 108])
    assert frame["name"].tolist() == ["30", "10"]


def test_a_table_without_crs_is_refused() -> None:
    with pytest.raises(CRSError, match="centre has no coordinate reference system"):
        as_points(gpd.GeoDataFrame(geometry=[Point(107, 27)]), "centre")


@pytest.mark.parametrize("shape", [Polygon([(0, 0), (1, 0), (1, 1)]), Point(), None])
def test_what_is_no_point_is_refused(shape: object) -> None:
    with pytest.raises(InputError, match="hold no point"):
        as_points(gpd.GeoDataFrame(geometry=[shape], crs=4326))


def test_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="none given"):
        as_points([])
    with pytest.raises(InputError, match="no row"):
        as_points(gpd.GeoDataFrame(geometry=[], crs=4326))


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(InputError, match="a DataFrame has no geometry"):
        as_points(pd.DataFrame({"lon": [1]}))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="int is not understood"):
        as_points(7)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="neither a name"):
        as_points([7])  # type: ignore[list-item]


def test_unknown_name_suggests() -> None:
    with pytest.raises(UnknownNameError, match="贵定"):
        as_points("贵定市区")


def test_swapped_pair_is_named() -> None:
    with pytest.raises(InputError, match="latitude and longitude are swapped"):
        as_points((26.6, 106.7))


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("name,lon,lat\n甲,107.0,27.0\n", encoding="utf-8")
    for given in (path, str(path)):
        assert as_points(given)["name"].tolist() == ["甲"]


@pytest.mark.parametrize("heading", ["名称", "村名", "NAME", " Name "])
def test_names_under_other_headings(heading: str) -> None:
    table = gpd.GeoDataFrame({heading: ["甲"]}, geometry=[Point(107, 27)], crs=4326)
    frame = as_points(table)
    assert frame["name"].tolist() == ["甲"]
    assert heading in frame.columns


def test_outside_the_region_is_named_with_the_region() -> None:
    net = square_grid()
    check_inside(as_points((107.0, 27.0)), net, "centre")
    with pytest.raises(InputError, match=r"lies outside the region of 纸面网 \(107.0–107.0°E"):
        check_inside(as_points((121.5, 31.2)), net, "centre")


def test_a_swap_inside_the_degrees_is_seen_by_the_region() -> None:
    from grids import link, network, node

    europe = network([node("A", 9.0, 45.0), node("B", 9.1, 45.0)], [link("A", "B", 8)])
    with pytest.raises(InputError, match="look swapped"):
        check_inside(as_points((45.0, 9.0)), europe, "centre")
