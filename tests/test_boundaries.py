from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from urbangeo.boundaries import ENVIRONMENT, boundary_provider, surroundings
from urbangeo.errors import CRSError, InputError, TableError, UnknownNameError
from urbangeo.layer import load
from urbangeo.plans import extent


def squares(code: str = "adcode", name: str = "name", **changed: object) -> gpd.GeoDataFrame:
    """Give three made-up county squares of 0.1° side by side, and one of another province."""
    return gpd.GeoDataFrame(
        {
            code: changed.get("codes", ["520103", "520102", "520201", "510104"]),
            name: changed.get("names", ["云岩区", "南明区", "钟山区", "锦江区"]),
        },
        geometry=[shapely.box(x / 10, 26, (x + 1) / 10, 26.1) for x in range(1060, 1064)],
        crs=4326,
    )


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "official.gpkg"
    squares().to_file(path, layer="anything")
    return path


def test_an_official_file_replaces_the_package(own: Path) -> None:
    frame = load("counties", source=own)
    assert frame["adcode"].tolist() == ["520102", "520103", "520201"]
    assert frame["prefecture"].tolist() == ["贵阳市", "贵阳市", "六盘水市"]
    about = frame.attrs["provenance"]
    assert (about["provider"], about["source"], about["path"]) == ("file", own.name, str(own))
    assert len(about["sha256"]) == 64
    # 0.1° × 0.1° at 26.05° N: 111.32 km × cos φ × 110.77 km / 100, within half a per cent.
    assert frame["area_km2"].tolist() == pytest.approx([110.8] * 3, rel=0.005)


def test_by_environment_for_every_layer(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(own))
    assert len(load("counties")) == 3
    assert len(load("counties", source="tianditu")) == 88
    prefectures = load("prefectures")
    assert prefectures["name"].tolist() == ["贵阳市", "六盘水市"]
    for joined, east in ((prefectures.geometry[0], 106.2), (load("province").geometry[0], 106.3)):
        assert joined.geom_type == "Polygon"
        assert joined.symmetric_difference(shapely.box(106, 26, east, 26.1)).area < 1e-12
    assert extent("guizhou").adcodes == ("520102", "520103", "520201")
    with pytest.raises(TableError, match="member 520111 花溪区 is not in the boundaries"):
        _ = extent("qianzhong").area_km2
    monkeypatch.setenv(ENVIRONMENT, "amap")
    assert load("counties").attrs["provenance"]["source"] == "amap"
    monkeypatch.setenv(ENVIRONMENT, str(own.with_name("gone.gpkg")))
    with pytest.raises(UnknownNameError, match=rf"\({ENVIRONMENT}\).*gone\.gpkg"):
        load("counties")
    monkeypatch.setenv(ENVIRONMENT, "")
    assert len(load("counties")) == 88


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("区划代码", "名称"),
        ("XZQDM", "XZQMC"),
        ("PAC", "NAME"),
        ("code", "县"),
        ("行政区划代码", "行政区名称"),
    ],
)
def test_column_names_of_official_files(tmp_path: Path, code: str, name: str) -> None:
    path = tmp_path / "official.geojson"
    squares(code, name).to_file(path)
    assert load("counties", source=path)["name"].tolist() == ["南明区", "云岩区", "钟山区"]


@pytest.mark.parametrize(
    "codes",
    [
        [520103, 520102, 520201, 510104],
        [520103.0, 520102.0, 520201.0, 510104.0],
        ["156520103", "156520102", "156520201", "156510104"],
        ["520103000000", "520102000000", "520201000000", "510104000000"],
        [" 520103", "520102 ", "520201", "510104"],
    ],
)
def test_forms_of_the_code(tmp_path: Path, codes: list[object]) -> None:
    path = tmp_path / "official.gpkg"
    squares(codes=codes).to_file(path)
    assert load("counties", source=path)["adcode"].tolist() == ["520102", "520103", "520201"]


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "fgb", "parquet"])
@pytest.mark.parametrize("code", [4326, 4490, 4545])
def test_formats_and_reference_systems(tmp_path: Path, suffix: str, code: int) -> None:
    path = tmp_path / f"official.{suffix}"
    frame = squares().to_crs(code)
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    elif suffix == "geojson" and code != 4326:
        pytest.skip("GeoJSON is in WGS 84 by definition (RFC 7946)")
    else:
        frame.to_file(path)
    result = load("counties", source=path)
    assert result.crs.to_epsg() == 4326
    assert result["name"].tolist() == ["南明区", "云岩区", "钟山区"]
    # The corners of the first square come back within a hundred-millionth of a degree: 1 mm.
    assert result.total_bounds.tolist() == pytest.approx([106, 26, 106.3, 26.1], abs=1e-8)


def test_all_three_levels_in_one_file_by_layer(tmp_path: Path) -> None:
    path = tmp_path / "official.gpkg"
    squares().to_file(path, layer="counties")
    squares(
        codes=["520100", "520200", "520300", "510100"],
        names=["贵阳市", "六盘水市", "遵义市", "成都市"],
    ).to_file(path, layer="prefectures")
    assert len(load("counties", source=path)) == 3
    assert load("prefectures", source=path)["name"].tolist() == ["贵阳市", "六盘水市", "遵义市"]
    assert len(load("counties", source=f"{path}|layername=counties")) == 3
    with pytest.raises(InputError, match="layers counties, prefectures; name one of them"):
        load("province", source=path)
    with pytest.raises(InputError, match="no layer 'towns'"):
        load("counties", source=f"{path}|layername=towns")


def test_all_three_levels_in_one_layer(tmp_path: Path) -> None:
    path = tmp_path / "official.gpkg"
    squares(
        codes=["520000", "520100", "520102", "520103"],
        names=["贵州省", "贵阳市", "南明区", "云岩区"],
    ).to_file(path)
    assert load("province", source=path)["name"].tolist() == ["贵州省"]
    assert load("prefectures", source=path)["name"].tolist() == ["贵阳市"]
    assert load("counties", source=path)["name"].tolist() == ["南明区", "云岩区"]


def test_finer_levels_cannot_be_made(tmp_path: Path) -> None:
    path = tmp_path / "official.gpkg"
    squares(codes=["520100", "520200", "520300", "510100"]).to_file(path)
    with pytest.raises(TableError, match=r"no boundary of level counties.*3 of level prefectures"):
        load("counties", source=path)


def test_a_file_of_another_province(tmp_path: Path) -> None:
    path = tmp_path / "official.gpkg"
    squares(codes=["510104", "510105", "510106", "510107"]).to_file(path)
    with pytest.raises(TableError, match="no boundary of level counties in 贵州省"):
        load("counties", source=path)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"codes": ["520102", "520102", "520201", "510104"]}, "row 2, .*520102 repeats"),
        ({"codes": ["52010", "520102", "520201", "510104"]}, "row 1, .*found '52010'"),
        ({"codes": [None, "520102", "520201", "510104"]}, "row 1, .*six-digit"),
        ({"names": ["云岩区", " ", "钟山区", "锦江区"]}, "row 2, column 'name': no name"),
    ],
)
def test_faulty_tables(tmp_path: Path, changed: dict[str, object], expected: str) -> None:
    path = tmp_path / "official.gpkg"
    squares(**changed).to_file(path)  # type: ignore[arg-type]
    with pytest.raises(TableError, match=expected):
        load("counties", source=path)


@pytest.mark.parametrize(("code", "name", "missing"), [("a", "name", "code"), ("pac", "b", "name")])
def test_columns_that_are_not_recognised_are_listed(
    tmp_path: Path, code: str, name: str, missing: str
) -> None:
    path = tmp_path / "official.gpkg"
    squares(code, name).to_file(path)
    with pytest.raises(TableError, match=f"no column with .* {missing}; found: {code}, {name}"):
        load("counties", source=path)


def test_a_shapefile_in_gb18030_that_does_not_say_so(tmp_path: Path) -> None:
    path = tmp_path / "official.shp"
    squares("区划代码", "名称").to_file(path, encoding="gb18030")
    path.with_suffix(".cpg").unlink()
    assert load("counties", source=path)["name"].tolist() == ["南明区", "云岩区", "钟山区"]


def test_no_crs_and_no_polygons(tmp_path: Path) -> None:
    path = tmp_path / "official.shp"
    squares().to_file(path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(CRSError, match=r"boundary file .*official\.shp has no coordinate"):
        load("counties", source=path)
    points = tmp_path / "points.gpkg"
    frame = squares()
    frame.set_geometry(frame.geometry.representative_point()).to_file(points)
    with pytest.raises(TableError, match="row 1: expected a polygon, found a Point"):
        load("counties", source=points)


@pytest.mark.parametrize(
    "source", ["https://example.org/a.gpkg", "/vsicurl/https://example.org/a.gpkg", "a.vrt"]
)
def test_remote_and_virtual_sources_are_refused(source: str) -> None:
    with pytest.raises(InputError, match=r"local file|virtual file"):
        load("counties", source=source)


def test_a_changed_file_is_read_again(own: Path) -> None:
    load("counties", source=own)
    own.unlink()
    squares(names=["云岩区", "改名区", "钟山区", "锦江区"]).to_file(own)
    assert load("counties", source=own)["name"].tolist()[0] == "改名区"


def test_surroundings_are_the_other_provinces(own: Path) -> None:
    others = surroundings()
    assert others is not None
    # 34 units of province level, without the one of the region.
    assert others["adcode"].nunique() == 33
    assert "520000" not in set(others["adcode"])
    neighbours = others[others.intersects(load("province").geometry[0].buffer(0.05))]
    assert set(neighbours["name"]) == {
        "重庆市",
        "四川省",
        "云南省",
        "广西壮族自治区",
        "湖南省",
    }
    assert surroundings(own) is None


def test_a_provider_is_chosen_once_per_source() -> None:
    assert boundary_provider("amap") == boundary_provider("amap")
    assert boundary_provider("amap") != boundary_provider()
