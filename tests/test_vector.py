from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from urbangeo.errors import CRSError, DatumWarning, InputError, TableError
from urbangeo.vector import SUFFIXES, file_digest, list_layers, local_path, read_table, read_vector

PLACES = [("贵阳", 106.63, 26.65), ("遵义", 107.03, 27.73)]


def points(**columns: Any) -> gpd.GeoDataFrame:
    names, lon, lat = zip(*PLACES, strict=True)
    return gpd.GeoDataFrame(
        {"名称": names, **columns}, geometry=gpd.points_from_xy(lon, lat), crs=4326
    )


def write_without_crs(frame: gpd.GeoDataFrame, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="'crs' was not provided")
        frame.set_crs(None, allow_override=True).to_file(path)


def write_shapefile(path: Path, *, encoding: str, cpg: str | None, driver_byte: int) -> None:
    """Write a shapefile as older Chinese programs do, with what it says of its encoding."""
    pyogrio.write_dataframe(points(), path, encoding=encoding)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    table = path.with_suffix(".dbf")
    raw = bytearray(table.read_bytes())
    raw[29] = driver_byte
    table.write_bytes(raw)


# Encodings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "cpg", "driver_byte"),
    [
        ("gb18030", None, 0),
        ("gb18030", None, 0x57),  # GDAL's default, which says Latin-1
        ("gb18030", None, 0x4D),
        ("gb18030", "GB18030", 0),
        ("gb18030", "GBK", 0),
        ("gb18030", "936", 0),
        ("gb18030", "OEM 936", 0),
        ("gb18030", "ISO-8859-1", 0),
        ("gb18030", "88591", 0),
        ("gb18030", "ANSI 1252", 0),
        ("utf-8", None, 0),
        ("utf-8", None, 0x57),
        ("utf-8", "UTF-8", 0),
        ("utf-8", "65001", 0),
        ("utf-8", "GBK", 0),  # a declaration that passes, but wrongly
    ],
)
def test_shapefiles_are_read_as_they_were_written(
    tmp_path: Path, encoding: str, cpg: str | None, driver_byte: int
) -> None:
    path = tmp_path / "places.shp"
    write_shapefile(path, encoding=encoding, cpg=cpg, driver_byte=driver_byte)
    frame = read_vector(path)
    assert frame["名称"].tolist() == ["贵阳", "遵义"]


def test_a_declaration_that_the_bytes_contradict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.shp"
    write_shapefile(path, encoding="gb18030", cpg="UTF-8", driver_byte=0)
    with pytest.raises(TableError, match=r"places\.cpg declares utf-8, but the text is not"):
        read_vector(path)
    assert read_vector(path, encoding="gb18030")["名称"][0] == "贵阳"


def test_an_unknown_declaration_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.shp"
    write_shapefile(path, encoding="utf-8", cpg="Klingon", driver_byte=0)
    with pytest.raises(TableError, match="unknown encoding 'Klingon'"):
        read_vector(path)


def test_a_big5_shapefile_is_refused_until_its_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "places.shp"
    frame = points().rename(columns={"名称": "地名"})
    frame["地名"] = ["貴陽雲巖", "遵義匯川"]
    pyogrio.write_dataframe(frame, path, encoding="big5")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    with pytest.raises(TableError, match="neither UTF-8 nor Chinese"):
        read_vector(path)
    assert read_vector(path, encoding="big5")["地名"][0] == "貴陽雲巖"


def test_a_field_that_cuts_a_character_is_named(tmp_path: Path) -> None:
    path = tmp_path / "places.shp"
    write_shapefile(path, encoding="utf-8", cpg=None, driver_byte=0)
    table = path.with_suffix(".dbf")
    raw = table.read_bytes()
    cut = raw.replace("遵义".encode(), "遵义".encode()[:-1] + b" ")
    assert cut != raw
    table.write_bytes(cut)
    with pytest.raises(TableError, match="cuts a character"):
        read_vector(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize(
    ("lon", "lat"), [("lon", "lat"), ("经度", "纬度"), ("Longitude", "Latitude"), ("LNG", "LAT")]
)
def test_csv_of_points(tmp_path: Path, encoding: str, lon: str, lat: str) -> None:
    path = tmp_path / "places.csv"
    rows = "".join(f"{name},{x},{y},00{i}\n" for i, (name, x, y) in enumerate(PLACES))
    path.write_bytes(f"名称,{lon},{lat},编号\n{rows}".encode(encoding))
    frame = read_vector(path)
    assert frame["名称"].tolist() == ["贵阳", "遵义"]
    assert frame["编号"].tolist() == ["000", "001"]
    assert frame.geometry.x.tolist() == [106.63, 107.03]
    assert frame.crs.to_epsg() == 4326


def test_xlsx_of_points_with_blank_rows_below(tmp_path: Path) -> None:
    path = tmp_path / "places.xlsx"
    table = pd.DataFrame(PLACES, columns=["名称", "经度", "纬度"])
    table["代码"], table["人口"] = [520115, 520302], [1, 2]
    with pd.ExcelWriter(path) as book:
        pd.concat([table, pd.DataFrame([[""] * 5], columns=table.columns)]).to_excel(
            book, sheet_name="城镇", index=False
        )
        table.iloc[:1].to_excel(book, sheet_name="其他", index=False)
    frame = read_vector(path)
    assert frame["名称"].tolist() == ["贵阳", "遵义"]
    assert frame["代码"].tolist() == ["520115", "520302"]
    assert frame["人口"].tolist() == [1, 2]
    assert len(read_vector(path, layer="其他")) == 1
    with pytest.raises(TableError, match="没有"):
        read_vector(path, layer="没有")


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_separators(tmp_path: Path, comma: str) -> None:
    path = tmp_path / "places.csv"
    path.write_text(comma.join(["name", "lon", "lat"]) + "\n" + comma.join(["a", "106", "26"]))
    assert read_vector(path).geometry[0] == shapely.Point(106, 26)


# What is wrong with a table -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "the table is empty"),
        ("name,lon,lat\n", "holds no row"),
        ("name,a,b\nx,1,2\n", "no longitude and latitude columns; found: name, a, b"),
        ("name,x,y\na,106,26\n", "for x and y give crs="),
        ("name,lon,lat\na,106,26\nb,106\n", "row 2: expected 3 cells as in the header, found 2"),
        ("name,lon,lat\na,106,26\nb,,26\n", "row 2, column 'lon': expected a number, found ''"),
        ("name,lon,lat\na,106,NaN\n", "row 1, column 'lat': expected a number, found 'NaN'"),
        ("name,lon,lat\na,106°,26\n", "row 1, column 'lon': expected a number, found '106°'"),
        ("lon,lon,lat\n1,106,26\n", "column 'lon' stands twice"),
    ],
)
def test_faulty_csv(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "places.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TableError) as caught:
        read_vector(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


def test_swapped_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("name,lon,lat\na,106.6,26.6\nb,26.6,106.6\n")
    with pytest.raises(
        CRSError, match=r"places\.csv looks like latitude and longitude are swapped"
    ):
        read_vector(path)


def test_swapped_geometry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "zones.geojson"
    gpd.GeoDataFrame(geometry=[shapely.box(26, 106, 27, 107)], crs=4326).to_file(path)
    with pytest.raises(CRSError, match="swapped in row 1"):
        read_vector(path)


def test_planar_tables_need_their_crs(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("name,X,Y\na,500000,0\n")
    frame = read_vector(path, crs=4545)
    assert shapely.get_coordinates(frame.geometry)[0] == pytest.approx([108, 0], abs=1e-9)


# Coordinate reference systems ---------------------------------------------------------------------


def test_no_crs_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    write_without_crs(points(), path)
    with pytest.raises(CRSError, match=r"The list of parks .*places\.gpkg has no coordinate"):
        read_vector(path, what="list of parks")
    assert len(read_vector(path, crs=4490)) == 2


def test_another_crs_is_transformed(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    points().to_crs(4545).to_file(path)
    frame = read_vector(path)
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.x.tolist() == pytest.approx([106.63, 107.03], abs=1e-9)


def test_a_given_crs_that_the_file_contradicts(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    points().to_file(path)
    assert len(read_vector(path, crs=4326)) == 2
    with pytest.raises(CRSError, match=r"states the CRS WGS 84, but crs=.*Gauss-Kruger"):
        read_vector(path, crs=4545)
    with pytest.raises(CRSError, match="'nonsense' is not a coordinate reference system"):
        read_vector(path, crs="nonsense")


def test_metres_in_a_file_that_says_degrees(tmp_path: Path) -> None:
    path = tmp_path / "places.geojson"
    points().to_crs(4545).set_crs(4326, allow_override=True).to_file(path)
    with pytest.raises(CRSError, match="not degrees in rows 1, 2"):
        read_vector(path)


@pytest.mark.parametrize("column", ["gcj02_lon", "lon_GCJ02", "lon(bd09)"])
def test_a_shifted_datum_that_the_file_names_is_warned_of(tmp_path: Path, column: str) -> None:
    path = tmp_path / "places.csv"
    path.write_text(f"name,{column},{column.replace('lon', 'lat')}\na,106.6,26.6\n")
    with pytest.warns(DatumWarning, match="GCJ-02 or BD-09"):
        frame = read_vector(path)
    assert frame.geometry[0] == shapely.Point(106.6, 26.6)


def test_a_shifted_datum_in_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "places_gcj02.gpkg"
    points().to_file(path)
    with pytest.warns(DatumWarning, match="by its name"):
        read_vector(path)


# Geometry and codes -------------------------------------------------------------------------------


def test_missing_empty_and_invalid_geometry_by_row(tmp_path: Path) -> None:
    path = tmp_path / "zones.gpkg"
    bow = shapely.Polygon([(106, 26), (107, 27), (107, 26), (106, 27)])
    square = shapely.box(106, 26, 107, 27)
    gpd.GeoDataFrame(geometry=[square, None, bow, shapely.Polygon()], crs=4326).to_file(path)
    with pytest.raises(TableError) as caught:
        read_vector(path)
    first, second, third = caught.value.findings
    assert first == "row 2: no geometry"
    assert second.startswith("row 3: the geometry is invalid (Self-intersection[106.5 26.5])")
    # GeoPackage keeps an empty polygon, other formats a missing one.
    assert third.startswith("row 4: ")


def test_an_unclosed_ring_is_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "zones.geojson"
    ring = [[106, 26], [107, 26], [107, 27], [106, 27]]
    feature = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(TableError, match="row 1"):
        read_vector(path)


def test_the_wrong_kind_of_geometry(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    points().to_file(path)
    assert len(read_vector(path, geometry="point")) == 2
    with pytest.raises(TableError, match="row 1: expected a polygon, found a Point"):
        read_vector(path, geometry="polygon")


def test_repeated_codes_name_all_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    points(code=["520102", "520102"]).to_file(path)
    assert len(read_vector(path)) == 2
    with pytest.raises(TableError, match="rows 1, 2: code '520102' repeats"):
        read_vector(path, unique="code")
    with pytest.raises(TableError, match="column 'adcode' is missing; found: 名称, code"):
        read_vector(path, unique=["adcode"])


def test_heights_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    gpd.GeoDataFrame(geometry=[shapely.Point(106, 26, 1000)], crs=4326).to_file(path)
    assert not read_vector(path).geometry.has_z.any()


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "json", "fgb", "parquet"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"places.{suffix}"
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        points().to_parquet(path)
    else:
        points().to_file(path, driver="GeoJSON" if suffix == "json" else None)
    # FlatGeobuf orders its features by a spatial index.
    assert sorted(read_vector(path)["名称"]) == ["贵阳", "遵义"]


def test_kml(tmp_path: Path) -> None:
    path = tmp_path / "places.kml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
        "<Document><Placemark><name>贵阳</name><Point><coordinates>106.63,26.65,0</coordinates>"
        "</Point></Placemark></Document></kml>",
        encoding="utf-8",
    )
    frame = read_vector(path)
    assert frame.geometry[0] == shapely.Point(106.63, 26.65)
    assert "贵阳" in frame.iloc[0].tolist()


def test_several_layers_need_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "places.gpkg"
    points().to_file(path, layer="甲")
    points().iloc[:1].to_file(path, layer="乙")
    assert list_layers(path) == ["甲", "乙"]
    with pytest.raises(InputError, match="layers 甲, 乙; name one of them"):
        read_vector(path)
    assert len(read_vector(path, layer="乙")) == 1


@pytest.mark.parametrize(
    "path",
    [
        "https://example.org/places.geojson",
        "HTTP://example.org/places.geojson",
        "/vsicurl/https://example.org/places.gpkg",
        "/VSIZIP/places.zip",
        "\\vsimem\\places.gpkg",
        "GPKG:places.gpkg:layer",
        "places.vrt",
        "s3://bucket/places.gpkg",
    ],
)
def test_only_local_files(path: str) -> None:
    with pytest.raises(InputError, match=r"Only local files|virtual file"):
        read_vector(path)
    with pytest.raises(InputError, match=r"Only local files|virtual file"):
        read_table(path)


VIRTUAL = """<OGRVRTDataSource><OGRVRTLayer name="places">
<SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp", "kml", "json", "fgb", "parquet"])
def test_a_virtual_file_in_disguise(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / "target.gpkg"
    points().to_file(target, layer="places")
    path = tmp_path / f"places.{suffix}"
    path.write_text(VIRTUAL.format(target))
    with pytest.raises(InputError, match="is not what its suffix"):
        read_vector(path)


def test_remote_access_by_name(tmp_path: Path) -> None:
    target = tmp_path / "target.gpkg"
    points().to_file(target, layer="places")
    path = tmp_path / "places.vrt"
    path.write_text(VIRTUAL.format(target))
    assert len(read_vector(path, allow_remote=True)) == 2


def test_other_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.gpkg' does not exist"):
        read_vector(tmp_path / "gone.gpkg")
    (tmp_path / "places.dwg").write_bytes(b"AC1032")
    with pytest.raises(InputError, match=r"suffix '\.dwg'; expected one of \.gpkg"):
        read_vector(tmp_path / "places.dwg")
    (tmp_path / "folder.gpkg").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        read_vector(tmp_path / "folder.gpkg")
    (tmp_path / "folder.gdb").mkdir()
    with pytest.raises(InputError, match="not a File Geodatabase"):
        read_vector(tmp_path / "folder.gdb")
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [')
    with pytest.raises(InputError, match=r"broken\.geojson"):
        read_vector(broken)


def test_local_path_allows_what_only_looks_odd(tmp_path: Path) -> None:
    path = tmp_path / "vsi notes" / "https.csv"
    path.parent.mkdir()
    path.write_text("x")
    assert local_path(path) == path


def test_digest_of_one_and_of_many_parts(tmp_path: Path) -> None:
    one = tmp_path / "a.csv"
    one.write_bytes(b"abc")
    # The digest of "abc" is the example of FIPS 180-2, appendix B.1.
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_digest(one) == known
    shape = tmp_path / "places.shp"
    points().to_file(shape)
    before = file_digest(shape)
    table = shape.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace("贵阳".encode(), "贵陽".encode()))
    assert file_digest(shape) != before


def test_every_suffix_is_lower_case() -> None:
    assert all(suffix == suffix.casefold() for suffix in SUFFIXES)
