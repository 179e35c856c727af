"""A print layout like the sheet."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import exportmap
import pytest

from urbangeo.maps.qgis.layout import layout
from urbangeo.maps.qgis.records import ExportMap


def made(*sheet: ExportMap) -> ET.Element:
    maps = sheet or (exportmap.export_map(),)
    names = {id(one): f"主题 {one.name}" for one in maps}
    ids = {id(layer): layer.table for one in maps for layer in one.layers}
    return layout(maps, "某规划 图1", names, ids)


def items(root: ET.Element) -> dict[str, ET.Element]:
    return {str(item.get("id")): item for item in root.iter("LayoutItem")}


def test_it_holds_what_a_sheet_holds() -> None:
    found = items(made())
    assert set(found) == {
        *("page", "map", "title", "legend", "scale bar", "north", "inset", "note"),
    }
    assert found["title"].get("labelText") == "图1 示例"
    assert found["note"].get("labelText") == "注一。\n注二。"
    assert found["page"].get("size") == "297,210,mm"


def test_the_map_has_the_sheets_frame_and_window() -> None:
    shown = items(made())["map"]
    # The frame is 40 mm from the lower edge and 80 mm high: 90 mm from the upper one.
    assert shown.get("position") == "20,90,mm"
    assert shown.get("size") == "120,80,mm"
    assert (shown.get("followPreset"), shown.get("followPresetName")) == ("true", "主题 图1 示例")
    extent = shown.find("Extent")
    assert extent is not None
    width = float(str(extent.get("xmax"))) - float(str(extent.get("xmin")))
    assert width / 0.120 == pytest.approx(exportmap.SCALE)


def test_the_scale_bar_has_three_parts() -> None:
    bar = items(made(replace(exportmap.export_map(), bar_km=75.0)))["scale bar"]
    assert (bar.get("numSegments"), bar.get("numUnitsPerSegment")) == ("3", "25")
    assert bar.get("mapUuid") == items(made())["map"].get("uuid")


def test_the_legend_explains_what_the_sheets_legend_does() -> None:
    legend = items(made())["legend"]
    assert legend.get("columnCount") == "1"
    ids = [one.get("id") for one in legend.iter("layer-tree-layer")]
    # The land and the names have no entry.
    assert ids == ["fig__03_towns_point", "fig__02_network_line", "fig__01_belt_area"]


def test_an_entry_stands_once_and_the_ground_first() -> None:
    ground = replace(
        exportmap.belt(), table="base__county_line", ground=True, zorder=3, title="界线"
    )
    again = replace(exportmap.roads(), table="again", zorder=9)
    one = replace(
        exportmap.export_map(), layers=(ground, exportmap.belt(), exportmap.roads(), again)
    )
    ids = [each.get("id") for each in items(made(one))["legend"].iter("layer-tree-layer")]
    assert ids == ["base__county_line", "again"]


def test_a_legend_beside_the_map_stands_there() -> None:
    legend = items(made())["legend"]
    assert legend.get("position") == "291,170,mm"
    wide = replace(exportmap.export_map(), frame=(20.0, 40.0, 285.0, 120.0))
    assert items(made(wide))["legend"].get("position") == "285,170,mm"


def test_a_single_class_is_explained_by_its_own_words() -> None:
    belt = replace(exportmap.belt(), title="某某带")
    legend = items(made(replace(exportmap.export_map(), layers=(belt,))))["legend"]
    (shown,) = legend.iter("layer-tree-layer")
    told = {one.get("name"): one.get("value") for one in shown.iter("Option")}
    assert told["legend/title-label"] == "带"


def test_two_maps_stand_on_one_sheet() -> None:
    left = replace(exportmap.export_map(), part="甲", inset=None, heading="某规划")
    right = replace(left, part="乙", frame=(140.0, 40.0, 260.0, 120.0))
    root = made(left, right)
    assert root.get("name") == "某规划 图1"
    maps = [item for item in root.iter("LayoutItem") if item.get("id") == "map"]
    assert [one.get("followPresetName") for one in maps] == [
        "主题 图1 示例（甲）",
        "主题 图1 示例（乙）",
    ]
    assert [one.get("position") for one in maps] == ["20,90,mm", "140,90,mm"]
    parts = [item.get("labelText") for item in root.iter("LayoutItem") if item.get("id") == "part"]
    assert parts == ["甲", "乙"]
    # The arrow keeps off the title of the first map, whose frame ends at 140 mm.
    assert items(root)["north"].get("position") == "132,93,mm"
    assert len({one.get("uuid") for one in root.iter("LayoutItem")}) == len(
        list(root.iter("LayoutItem"))
    )


def test_no_note_and_no_inset_are_left_out() -> None:
    plain = replace(exportmap.export_map(), note=(), inset=None)
    assert not {"note", "inset"} & set(items(made(plain)))
