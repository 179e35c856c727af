"""An invented province for the tests of figures: a grid of counties, one of them cut small.

Columns run 10.0, 10.5 … 13.0 degrees east, rows 46.0, 46.5 … 48.0 north. The cell at column 2,
row 2 is cut into fifteen districts. The western three columns are one prefecture, the others a
second.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, box

STEMS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥乾坤震巽坎离艮兑春夏秋冬"


def counties() -> gpd.GeoDataFrame:
    cells = []
    for row in range(4):
        for column in range(6):
            west, south = 10 + 0.5 * column, 46 + 0.5 * row
            across, up = (5, 3) if (column, row) == (2, 2) else (1, 1)
            width, height = 0.5 / across, 0.5 / up
            for i in range(across):
                for j in range(up):
                    x, y = west + i * width, south + j * height
                    cells.append((column < 3, box(x, y, x + width, y + height)))
    count = len(STEMS)
    names = [
        f"{STEMS[i % count]}{STEMS[(7 * i + i // count + 3) % count]}县" for i in range(len(cells))
    ]
    names[5] = "寅卯族辰巳族自治县"
    frame = gpd.GeoDataFrame(
        {
            "adcode": [f"99{1 if west else 2:02d}{i + 1:02d}" for i, (west, _) in enumerate(cells)],
            "name": names,
            "short_name": [name[:2] + "县" for name in names],
            "prefecture": ["西山市" if west else "东海市" for west, _ in cells],
        },
        geometry=[cell for _, cell in cells],
        crs=4326,
    )
    frame.attrs["provenance"] = {"attribution": "某测绘单位"}
    return frame


def prefectures() -> gpd.GeoDataFrame:
    groups = counties().groupby("prefecture")
    return gpd.GeoDataFrame(
        {"name": list(groups.groups)},
        geometry=[shapely.union_all(g.geometry.to_numpy(), grid_size=1e-7) for _, g in groups],
        crs=4326,
    )


def province() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": ["示例省"]}, geometry=[box(10, 46, 13, 48)], crs=4326)


def surroundings() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": ["北邻省", "南邻省"]},
        geometry=[box(5, 48, 18, 51), box(5, 43, 18, 46)],
        crs=4326,
    )


def extent() -> SimpleNamespace:
    """The two middle rows."""
    units = counties()
    middle = units[(units.bounds["miny"] > 46.45) & (units.bounds["maxy"] < 47.55)]
    return SimpleNamespace(title="示例城市群", adcodes=tuple(middle["adcode"]))


def layers() -> dict[str, gpd.GeoDataFrame]:
    return {
        "counties": counties(),
        "prefectures": prefectures(),
        "province": province(),
        "surroundings": surroundings(),
    }


def town_row(name: str, kind: str, lon: float, lat: float, status: str, minutes: float) -> Any:
    return {
        "name": name,
        "kind": kind,
        "county": "",
        "adcode": "",
        "status": status,
        "borderline": status == "inside" and minutes > 58,
        "minutes": minutes,
        "margin_min": 60 - minutes,
        "geometry": Point(lon, lat),
    }


def circle(**changes: Any) -> SimpleNamespace:
    """Three square bands about one centre, a cross of roads, a railway, seven towns."""
    inner, middle, outer = (box(11.5 - d, 47 - d, 11.5 + d, 47 + d) for d in (0.2, 0.4, 0.6))
    bands = gpd.GeoDataFrame(
        {"minutes_from": [0.0, 30.0, 60.0], "minutes_to": [30.0, 60.0, 90.0]},
        geometry=[inner, middle.difference(inner), outer.difference(middle)],
        crs=4326,
    )
    nan = float("nan")
    towns = gpd.GeoDataFrame(
        [
            town_row("中心镇", "county_seat", 11.5, 47.02, "inside", 3.0),
            town_row("近城县", "county_seat", 11.6, 47.1, "inside", 21.4),
            town_row("桥头", "town", 11.7, 47.0, "inside", 40.0),
            town_row("河口", "town", 11.88, 47.0, "inside", 59.0),
            town_row("远山县", "county_seat", 12.05, 47.3, "outside", 80.0),
            town_row("孤岛", "town", 11.1, 46.6, "unreachable", nan),
            town_row("天边", "town", 12.9, 47.9, "unsnapped", nan),
        ],
        crs=4326,
    )
    rows = [
        ("expressway", "G1", LineString([(10.5, 47), (11.5, 47.0), (12.5, 47)])),
        ("national", "G101", LineString([(11.5, 46.2), (11.5, 47.8)])),
        ("county", "X1", LineString([(11.5, 47), (12.05, 47.3)])),
        ("hsr", "", LineString([(10.5, 46.4), (12.5, 47.6)])),
    ]
    links = gpd.GeoDataFrame(
        pd.DataFrame([row[:2] for row in rows], columns=["class", "ref"]),
        geometry=[row[2] for row in rows],
        crs=4326,
    )
    parts: dict[str, Any] = {
        "centres": [SimpleNamespace(name="中心市", lon=11.5, lat=47.0)],
        "minutes": 60.0,
        "direction": "to",
        "towns": towns,
        "bands": bands,
        "polygon": MultiPolygon([shapely.Polygon(middle)]),
        "network": {
            "year": 2022,
            "profile": "nominal",
            "profile_title": "常态",
            "digest": "0123456789abcdef",
            "schematic": True,
            "attribution": ["示例路网提供者"],
        },
        "net": SimpleNamespace(links=links),
    }
    return SimpleNamespace(**{**parts, **changes})
