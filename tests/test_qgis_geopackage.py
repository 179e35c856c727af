"""One GeoPackage with all layers, their styles, and where they are from."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import exportmap
import geopandas as gpd
import pyogrio
import pytest

from urbangeo.errors import InputError, OutputError
from urbangeo.maps.qgis import geopackage
from urbangeo.maps.qgis.geopackage import stored_tables, table_names, write_geopackage
from urbangeo.maps.qgis.records import CLASS, ExportMap
from urbangeo.maps.qgis.style import qml

_WRITE = """
import sys
sys.path.insert(0, sys.argv[1])
import test_qgis_geopackage
test_qgis_geopackage.write(sys.argv[2])
"""


def two_maps() -> list[ExportMap]:
    """A map, and a second one that shares its land and a table of the same name, but other rows."""
    first = exportmap.export_map()
    land, belt, roads, *_ = exportmap.export_map().layers
    other = replace(roads, frame=roads.frame.iloc[:1], title="交通（部分）")
    second = replace(first, figure="my/fig-2", title="图2 另一图", layers=(land, belt, other))
    return [first, second]


def write(folder: str | Path) -> list[Path]:
    return write_geopackage(two_maps(), Path(folder) / "atlas.gpkg")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(tmp_path_factory.mktemp("written"))


def rows(path: Path, query: str) -> list[Any]:
    with sqlite3.connect(path) as base:
        return base.execute(query).fetchall()


def test_every_layer_is_a_table_and_shared_ones_stand_once(written: list[Path]) -> None:
    found = {str(name): kind for name, kind in pyogrio.list_layers(written[0])}
    assert found == {
        "base__land_area": "MultiPolygon",
        "fig__01_belt_area": "MultiPolygon",
        "fig__02_network_line": "MultiLineString",
        "fig__03_towns_point": "Point",
        "fig__names_point": "Point",
        "fig__02_network_line_2": "MultiLineString",
        "layer_styles": None,
        "provenance": None,
    }


def test_rows_come_back_in_their_order(written: list[Path]) -> None:
    for name, layer in (("fig__03_towns_point", exportmap.towns()),
                        ("fig__02_network_line", exportmap.roads())):  # fmt: skip
        frame = gpd.read_file(written[0], layer=name)
        assert frame.crs.to_epsg() == 4326
        assert frame[CLASS].tolist() == layer.frame[CLASS].tolist()
        assert frame.geometry.geom_equals(layer.frame.geometry).all()
    towns = gpd.read_file(written[0], layer="fig__03_towns_point")
    assert towns["label"].tolist() == ["甲城", "乙\n镇", "丙'镇"]
    assert towns["label_lon"].isna().tolist() == [False, False, True]
    assert towns["cite"].isna().tolist() == [False, False, True]


def test_the_file_is_sound(written: list[Path]) -> None:
    path = written[0]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    for table in ("fig__03_towns_point", "fig__02_network_line_2"):
        (count,) = rows(path, f'SELECT count(*) FROM "{table}"')  # noqa: S608
        assert rows(path, f'SELECT count(*) FROM "rtree_{table}_geom"') == [count]  # noqa: S608
        counted = f"SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = '{table}'"  # noqa: S608
        assert rows(path, counted) == [count]
    # The spatial index answers.
    west = gpd.read_file(path, layer="fig__03_towns_point", bbox=(106.6, 27.1, 106.8, 27.3))
    assert west["label"].tolist() == ["乙\n镇"]


def test_a_table_can_be_edited_afterwards(written: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "copy.gpkg"
    path.write_bytes(written[0].read_bytes())
    frame = gpd.read_file(path, layer="fig__03_towns_point").iloc[:1]
    frame.to_file(path, layer="fig__03_towns_point", mode="a")
    assert len(gpd.read_file(path, layer="fig__03_towns_point")) == 4
    assert (
        len(gpd.read_file(path, layer="fig__03_towns_point", bbox=(106.9, 26.9, 107.1, 27.1))) == 2
    )


def test_styles_stand_where_qgis_looks_for_them(written: list[Path]) -> None:
    path = written[0]
    columns = [row[1] for row in rows(path, "PRAGMA table_info(layer_styles)")]
    assert columns == [
        *("id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column"),
        *("styleName", "styleQML", "styleSLD", "useAsDefault", "description", "owner", "ui"),
        "update_time",
    ]
    kind = "SELECT data_type FROM gpkg_contents WHERE table_name = 'layer_styles'"
    assert rows(path, kind) == [("attributes",)]
    defaults = rows(
        path, "SELECT f_table_name, sum(useAsDefault) FROM layer_styles GROUP BY f_table_name"
    )
    assert len(defaults) == 6
    assert {count for _, count in defaults} == {1}
    found = rows(path, "SELECT styleQML FROM layer_styles WHERE f_table_name LIKE '%towns%'")
    assert found == [(qml(exportmap.towns(), exportmap.SCALE),)]
    geometry = rows(path, "SELECT DISTINCT f_geometry_column FROM layer_styles")
    assert geometry == rows(path, "SELECT DISTINCT column_name FROM gpkg_geometry_columns")


def test_each_table_has_its_style_beside_the_file(written: list[Path]) -> None:
    beside = {path.stem: path for path in written[1:]}
    assert set(beside) == {table.name for table in stored_tables(two_maps())}
    assert {path.parent.name for path in beside.values()} == {"atlas-styles"}
    text = beside["fig__01_belt_area"].read_text("utf-8")
    assert text == qml(exportmap.belt(), exportmap.SCALE)


def test_a_table_drawn_twice_has_two_styles_the_upper_one_first(tmp_path: Path) -> None:
    belt = exportmap.belt()
    edge = replace(belt, title="带边", zorder=7, classes=exportmap.land().classes)
    one = replace(exportmap.export_map(), layers=(belt, edge))
    path = write_geopackage([one], tmp_path / "a.gpkg")[0]
    assert rows(path, "SELECT styleName, useAsDefault FROM layer_styles ORDER BY id") == [
        ("带", 0),
        ("带边", 1),
    ]


def test_every_table_says_whose_it_is(written: list[Path]) -> None:
    told = {
        name: (title, words)
        for name, title, words in rows(
            written[0], "SELECT table_name, identifier, description FROM gpkg_contents"
        )
    }
    assert told["base__land_area"] == (
        "省域",
        "用于图1 示例、图2 另一图。数据：某测绘单位；许可：不得转发。",
    )
    assert told["fig__02_network_line_2"][0] == "图2 另一图：交通（部分）"
    assert told["fig__02_network_line"][1] == (
        "用于图1 示例。路网年份：2022 年末；路网校验码：0123456789ab；"
        "示意：位置与走向不代表实际选址和线形。"
    )
    origin = pyogrio.read_dataframe(written[0], layer="provenance")
    land = origin[origin["table_name"] == "base__land_area"]
    assert land["figure"].tolist() == ["my/fig-1", "my/fig-2"]
    assert set(land["licence"]) == {"不得转发"}
    belt = origin[origin["table_name"] == "fig__01_belt_area"].iloc[0]
    assert (belt["plan"], belt["cite"], bool(belt["schematic"])) == ("示例", "第一章", True)
    roads = origin[origin["table_name"] == "fig__02_network_line"].iloc[0]
    assert roads["network_digest"] == "0123456789abcdef"


def test_names_follow_content() -> None:
    maps = two_maps()
    names = table_names(maps)
    assert names[id(maps[0].layers[0])] == names[id(maps[1].layers[0])] == "base__land_area"
    assert names[id(maps[1].layers[2])] == "fig__02_network_line_2"


def test_the_same_bytes_in_another_process(written: list[Path], tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", _WRITE, str(Path(__file__).parent), str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        check=True,
    )
    root = written[0].parent
    for path in written:
        again = tmp_path / path.relative_to(root)
        digests = [hashlib.sha256(one.read_bytes()).hexdigest() for one in (path, again)]
        assert digests[0] == digests[1], path.name


def test_nothing_else_is_left(written: list[Path]) -> None:
    assert sorted(path.name for path in written[0].parent.iterdir()) == [
        "atlas-styles",
        "atlas.gpkg",
    ]


def test_nothing_to_write_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No map has a layer"):
        write_geopackage([], tmp_path / "a.gpkg")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError):
        write_geopackage(two_maps(), blocked / "a.gpkg")


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.gpkg"
    path.write_text("before")

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(geopackage, "_add_styles", full)
    with pytest.raises(OutputError, match=r"a\.gpkg: database or disk is full"):
        write_geopackage(two_maps(), path)
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.gpkg"]


def test_the_code_of_the_page_on_qgis_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[1] / "docs" / "qgis.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page.name, "exec"), {})  # noqa: S102 our own page
    frame = gpd.read_file("out/sites.gpkg", layer="sites")
    assert frame["label"].tolist() == ["甲厂", "乙厂"]
    assert Path("out/sites.qgs").is_file()


def test_gdals_settings_come_back(tmp_path: Path) -> None:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2001-01-01T00:00:00.000Z"})
    try:
        write_geopackage(two_maps(), tmp_path / "a.gpkg")
        assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == "2001-01-01T00:00:00.000Z"
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    assert pyogrio.get_gdal_config_option("OGR_SQLITE_SYNCHRONOUS") is None
