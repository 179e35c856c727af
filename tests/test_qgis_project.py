"""A QGIS project over the GeoPackage, as XML; that QGIS takes it is tested in test_qgis.py."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import exportmap
import pytest

from urbangeo.errors import InputError
from urbangeo.maps.qgis.project import map_names, write_project, write_qgis


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> ET.Element:
    folder = tmp_path_factory.mktemp("project")
    path = write_project(maps(), folder / "atlas.qgs", folder / "data" / "atlas.gpkg")
    return ET.fromstring(path.read_text("utf-8"))  # noqa: S314 our own


def maps() -> list[exportmap.ExportMap]:
    first = exportmap.export_map()
    second = replace(first, figure="my/fig-2", title="图2 另一图", layers=(exportmap.land(),))
    return [first, second]


def test_a_group_for_each_map_in_drawing_order(root: ET.Element) -> None:
    tree = root.find("layer-tree-group")
    assert tree is not None
    assert tree.get("mutually-exclusive") == "1"
    groups = tree.findall("layer-tree-group")
    assert [group.get("name") for group in groups] == ["图1 示例", "图2 另一图"]
    assert [group.get("checked") for group in groups] == ["Qt::Checked", "Qt::Unchecked"]
    names = [one.get("name") for one in groups[0].findall("layer-tree-layer")]
    assert names == ["地名注记", "城镇", "交通", "带", "省域"]


def test_maps_of_a_plan_stand_under_its_title(tmp_path: Path) -> None:
    one, other = maps()
    two = [
        replace(one, heading="甲规划"),
        replace(other, heading="甲规划"),
        replace(one, figure="x"),
    ]
    path = write_project(two, tmp_path / "a.qgs", tmp_path / "a.gpkg")
    tree = ET.fromstring(path.read_text("utf-8")).find("layer-tree-group")  # noqa: S314 our own
    assert tree is not None
    plan, alone = tree.findall("layer-tree-group")
    assert (plan.get("name"), plan.get("mutually-exclusive")) == ("甲规划", "1")
    assert [one.get("name") for one in plan.findall("layer-tree-group")] == [
        "图1 示例",
        "图2 另一图",
    ]
    assert alone.get("name") == "图1 示例"


def test_maps_of_one_title_have_names_of_their_own() -> None:
    one = exportmap.export_map()
    other = replace(one, figure="my/fig-2")
    names = map_names([one, other])
    assert [names[id(one)], names[id(other)]] == ["图1 示例", "图1 示例 [my/fig-2]"]


def test_paths_are_relative(root: ET.Element) -> None:
    sources = [one.findtext("datasource", "") for one in root.findall("projectlayers/maplayer")]
    assert len(sources) == 6
    assert all(one.startswith("./data/atlas.gpkg|layername=") for one in sources)
    assert root.findtext("properties/Paths/Absolute") == "false"
    tree = {one.get("source") for one in root.iter("layer-tree-layer") if one.get("source")}
    assert tree == set(sources)


def test_a_file_elsewhere_is_found_from_the_project(tmp_path: Path) -> None:
    path = write_project(maps(), tmp_path / "a" / "atlas.qgs", tmp_path / "b.gpkg")
    assert "../b.gpkg|layername=" in path.read_text("utf-8")


def test_a_shared_table_has_a_layer_in_each_group(root: ET.Element) -> None:
    ids = [one.findtext("id", "") for one in root.findall("projectlayers/maplayer")]
    assert len(set(ids)) == 6
    land = [one for one in ids if one.endswith("base__land_area")]
    assert land == ["my_fig_1__00_base__land_area", "my_fig_2__00_base__land_area"]
    used = {one.get("id") for one in root.findall("layer-tree-group//layer-tree-layer")}
    assert used == set(ids)


def test_each_map_has_its_window_and_its_theme(root: ET.Element) -> None:
    marks = root.findall("Bookmarks/Bookmark")
    assert [mark.get("name") for mark in marks] == ["图1 示例", "图2 另一图"]
    assert "-60000 -40000, 60000 -40000" in str(marks[0].get("extent"))
    assert "Lambert Azimuthal" in marks[0].findtext("spatialrefsys/wkt", "")
    themes = root.findall("visibility-presets/visibility-preset")
    assert [len(theme.findall("layer")) for theme in themes] == [5, 1]


def test_layers_say_whose_they_are(root: ET.Element) -> None:
    land = root.findall("projectlayers/maplayer")[0]
    assert land.findtext("attribution") == "某测绘单位"
    assert land.findtext("resourceMetadata/license") == "不得转发"
    assert land.findtext("resourceMetadata/title") == "图1 示例：省域"
    assert "许可：不得转发" in root.findtext("projectMetadata/abstract", "")


def test_the_project_is_in_the_first_maps_projection(root: ET.Element) -> None:
    words = root.findtext("projectCrs/spatialrefsys/wkt", "")
    assert "Lambert Azimuthal Equal Area" in words
    srs = {one.findtext("srs/spatialrefsys/authid") for one in root.iter("maplayer")}
    assert srs == {"EPSG:4326"}


def test_all_of_it_is_written_into_a_folder(tmp_path: Path) -> None:
    written = write_qgis(maps(), tmp_path / "new", "atlas")
    assert [path.name for path in written[:3]] == [
        *("atlas.gpkg", "atlas.qgs", "base__land_area.qml"),
    ]
    assert all(path.is_file() for path in written)
    assert "./atlas.gpkg|layername=base__land_area" in written[1].read_text("utf-8")


def test_always_the_same(tmp_path: Path) -> None:
    one = write_project(maps(), tmp_path / "a.qgs", tmp_path / "a.gpkg").read_bytes()
    assert one == write_project(maps(), tmp_path / "b.qgs", tmp_path / "a.gpkg").read_bytes()


def test_no_map_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no map"):
        write_project([], tmp_path / "a.qgs", tmp_path / "a.gpkg")
