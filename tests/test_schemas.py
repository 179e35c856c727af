from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from urbangeo.errors import TableError, UnknownNameError
from urbangeo.schemas import check


def places(**changed: object) -> gpd.GeoDataFrame:
    row: dict[str, object] = {
        "name": "猫场",
        "kind": "town",
        "county": "织金县",
        "adcode": "520524",
        "lon": 105.8,
        "lat": 26.7,
        "precision_m": 500,
        "source": "test",
        "aliases": "",
    }
    rows = [{**row, "name": "先"}, {**row, **changed}]
    return gpd.GeoDataFrame(rows, geometry=[shapely.Point(105.8, 26.7)] * 2, crs=4326)


def test_a_good_layer_passes_with_its_numbers_coerced() -> None:
    checked = check(places(), "places", "places.csv")
    assert isinstance(checked, gpd.GeoDataFrame)
    assert checked["precision_m"].dtype == float


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"adcode": "52052"}, "row 2, column 'adcode': must be a six-digit code, found '52052'"),
        ({"kind": "city"}, "row 2, column 'kind': must be one of prefecture_seat"),
        ({"lon": 181.0}, "row 2, column 'lon': must be between -180 and 180, found 181.0"),
        ({"precision_m": 0}, "row 2, column 'precision_m': must be greater than 0"),
        ({"source": ""}, "row 2, column 'source': must not be blank"),
        ({"county": None}, "row 2, column 'county': must not be empty"),
        ({"name": "先"}, "must not repeat together with its fellow columns"),
    ],
)
def test_findings_name_row_column_rule_and_value(changed: dict[str, object], expected: str) -> None:
    with pytest.raises(TableError) as caught:
        check(places(**changed), "places", "places.csv")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("places.csv: ")


def test_all_findings_come_at_once() -> None:
    with pytest.raises(TableError) as caught:
        check(places(kind="city", source="").drop(columns="aliases"), "places", "places.csv")
    text = str(caught.value)
    assert "'kind'" in text
    assert "'source'" in text
    assert "column 'aliases' is missing; found: name, kind" in text


def test_an_unknown_schema() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean places"):
        check(places(), "place", "places.csv")
