from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from urbangeo import geonames


@pytest.mark.parametrize(
    ("alternates", "expected"),
    [
        (["Changping", "务旮", "长坪", "长坪乡"], "长坪乡"),
        (["Qinglong", "德江县", "青龙"], "青龙"),
        (["Zunyi", "遵義", "遵义", "遵义市"], "遵义"),
        (["Zunyi", "遵義", "遵义市"], "遵義"),  # no city's name while there is another
        (["Yangliugou", "yang liu gou", "杨柳沟"], "杨柳沟"),
        (["Mulong"], None),
        (["A区B"], None),  # mixed with Latin letters is no Chinese name
    ],
)
def test_chinese_name(alternates: list[str], expected: str | None) -> None:
    assert geonames.chinese_name(alternates) == expected


def test_towns_take_the_county_that_they_lie_in(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"population": 7, "alternatenames": ["Jia", "甲", "甲镇"]}
    monkeypatch.setattr(
        geonames,
        "_entries",
        lambda: [
            {"geonameid": 2, "name": "Yi", "longitude": 106.5, "latitude": 26.5, **entry},
            {"geonameid": 1, "name": "Jia", "longitude": 107.5, "latitude": 26.5, **entry},
            {"geonameid": 3, "name": "Far", "longitude": 109.5, "latitude": 26.5, **entry},
        ],
    )
    counties = gpd.GeoDataFrame(
        {"adcode": ["520102", "520103"], "name": ["东县", "西县"]},
        geometry=[shapely.box(107, 26, 108, 27), shapely.box(106, 26, 107, 27)],
        crs=4326,
    )
    towns = geonames.read_towns(counties, 2000)
    # In order of county code; the third lies in neither county.
    assert towns["name_en"].tolist() == ["Jia", "Yi"]
    assert towns["county"].tolist() == ["东县", "西县"]
    assert towns["name"].tolist() == ["甲镇", "甲镇"]
    assert towns["aliases"].tolist() == ["甲", "甲"]
    assert towns["source"].tolist() == ["GeoNames 1", "GeoNames 2"]
    assert towns["precision_m"].tolist() == [2000, 2000]
