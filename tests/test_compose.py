"""Laying out: titles, legend, inset, list, names, hillshade and graticule, in three languages.

The province of `minimap` is invented; 示例城市群 is its two middle rows, with fifteen small
districts in the cell from 11° to 11.5° E, 47° to 47.5° N.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import minimap
import numpy as np
import pytest
import rasterio
from matplotlib.figure import Figure
from rasterio.transform import from_origin
from shapely.geometry import Point

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.compose import compose, laid_out
from urbangeo.maps.prepare import prepare
from urbangeo.maps.printing import save_all
from urbangeo.maps.records import (
    ClassRecord,
    FigureRecord,
    LayerRecord,
    ListRecord,
    MapRecord,
    Names,
)
from urbangeo.maps.style import missing_glyphs, visible_texts
from urbangeo.maps.symbols import named_style

SIGN = named_style("park-national")
GIVEN = {**minimap.layers(), "extent": minimap.extent()}
BASE = ["省域边界", "规划范围边界", "市域边界", "县域边界"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    rows = {"name": ["丙", "甲", "乙"], "minutes": [25.6, 3.0, 14.4], "level": ["二", "一", "一"]}
    points = [Point(11.7, 47.2), Point(12.4, 46.8), Point(10.3, 47)]
    gpd.GeoDataFrame(rows, geometry=points, crs=4326).to_file(folder / "points.gpkg")
    return folder


CLASSES = (
    ClassRecord(label="一级", label_en="First", value=("一",), style=SIGN),
    ClassRecord(label="二级", value=("二",), style=named_style("park-provincial")),
)


def spots(**record: Any) -> LayerRecord:
    known = {"name": "点", "source": "file:points.gpkg", "field": "level", "classes": CLASSES}
    return LayerRecord(**{**known, **record})


def record(folder: Path, *layers: LayerRecord, **more: Any) -> FigureRecord:
    known = {"key": "a", "file": folder / "x.toml", "layers": layers, "county_names": "none"}
    return FigureRecord(**{"inset": ("none",), **known, **more})


def drawn(
    folder: Path, *layers: LayerRecord, given: Any = GIVEN, options: Any = None, **more: Any
) -> Figure:
    return compose(record(folder, *layers, **more), given, **(options or {}))


def words(figure: Figure, gid: str) -> list[str]:
    return [
        one.get_text() for one in visible_texts(figure) if str(one.get_gid() or "").startswith(gid)
    ]


# Titles -------------------------------------------------------------------------------------------

TITLES = {"title": "某图", "title_en": "Some map", "number": "图 1", "number_en": "Map 1"}


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("zh", ("某规划", "某图", "图 1", [])),
        ("en", ("Some plan", "Some map", "Map 1", [])),
        ("both", ("某规划", "某图", "图 1", ["Some map"])),
    ],
)
def test_titles_in_three_languages(folder: Path, lang: str, expected: tuple[Any, ...]) -> None:
    heads = {"heading": "某规划", "heading_en": "Some plan", **TITLES}
    figure = drawn(folder, options={"lang": lang}, **heads)
    heading, title, number, subtitle = expected
    assert words(figure, "heading") == [heading]
    assert words(figure, "title") == [title]
    assert words(figure, "number") == [number]
    assert words(figure, "subtitle") == subtitle


def test_what_has_no_english_stays_chinese(folder: Path) -> None:
    figure = drawn(folder, options={"lang": "en"}, title="某图", number="图 1")
    assert words(figure, "title") == ["某图"]
    assert words(figure, "number") == ["图 1"]
    # Without heading and plan, the extent's title.
    assert words(figure, "heading") == ["示例城市群"]


def test_a_schematic_figure_says_so_in_its_title(folder: Path) -> None:
    prepared = prepare(record(folder, title="某", schematic=True), GIVEN)
    for title, expected in (
        ("某分布图", "某分布示意图"),
        ("某示意图", "某示意图"),
        ("某", "某示意图"),
    ):
        prepared.figure = replace(prepared.figure, title=title)
        assert laid_out(prepared).title == expected
    english = drawn(folder, options={"lang": "en"}, title="某", title_en="Some", schematic=True)
    assert words(english, "title") == ["Some (schematic)"]


def test_a_figure_about_nothing_in_particular_needs_no_heading() -> None:
    figure = compose(FigureRecord(key="a", title="某图", county_names="none"), {})
    assert words(figure, "heading") == []
    assert words(figure, "title") == ["某图"]


def test_an_unknown_language_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match="lang is 'fr'; known: zh, en, both"):
        drawn(folder, options={"lang": "fr"})


def test_what_was_written_is_told(folder: Path) -> None:
    found = laid_out(prepare(record(folder, spots(), **TITLES), GIVEN), lang="en")
    assert (found.title, found.number) == ("Some map", "Map 1")
    assert found.heading == "示例城市群"
    assert len(found.maps) == 1
    assert found.inset is None
    assert "".join(found.note).replace(" ", "") == "".join(words(found.figure, "note")).replace(
        " ", ""
    )


# The legend ---------------------------------------------------------------------------------------


def test_the_base_map_then_the_layers(folder: Path) -> None:
    figure = drawn(folder, spots())
    assert words(figure, "legend_entry") == [*BASE, "一级", "二级"]
    assert words(figure, "legend_other") == []


def test_the_extent_may_have_a_name_of_its_own(folder: Path) -> None:
    label = {"extent_label": "都市圈范围", "extent_label_en": "Metropolitan area"}
    asked = {"legend": (("都市圈范围", "一级", "二级"),), **label}
    assert words(drawn(folder, spots(), **asked), "legend_entry") == ["都市圈范围", "一级", "二级"]
    english = drawn(folder, spots(), options={"lang": "en"}, **asked)
    # 二级 has no English.
    assert words(english, "legend_entry") == ["Metropolitan area", "First", "二级"]
    both = drawn(folder, options={"lang": "both"}, **label)
    assert words(both, "legend_entry") == ["省域边界", "都市圈范围", "市域边界", "县域边界"]
    assert words(both, "legend_other")[:2] == ["Provincial boundary", "Metropolitan area"]


HEADINGS = (("# 点 | Points", "一级", "二级"), ("# 界线", "县域边界", "市域边界"))


@pytest.mark.parametrize(
    ("lang", "entries", "others"),
    [
        ("zh", ["点", "一级", "二级", "界线", "县域边界", "市域边界"], []),
        ("en", ["Points", "First", "二级", "界线", "County boundary", "Prefectural boundary"], []),
        (
            "both",
            ["点", "一级", "二级", "界线", "县域边界", "市域边界"],
            ["Points", "First", "County boundary", "Prefectural boundary"],
        ),
    ],
)
def test_headings_and_entries_in_their_order(
    folder: Path, lang: str, entries: list[str], others: list[str]
) -> None:
    figure = drawn(folder, spots(), options={"lang": lang}, legend=HEADINGS)
    assert words(figure, "legend_entry") == entries
    assert words(figure, "legend_other") == others


def test_a_class_without_a_member_has_no_entry_and_is_told(folder: Path) -> None:
    figure = drawn(folder, spots(where={"level": ("一",)}))
    assert words(figure, "legend_entry") == [*BASE, "一级"]
    assert "图例“二级”无。" in "".join(words(figure, "note"))


def test_two_layers_of_one_label_have_one_entry(folder: Path) -> None:
    figure = drawn(folder, spots(), spots(name="另"))
    assert words(figure, "legend_entry") == [*BASE, "一级", "二级"]


# Insets -------------------------------------------------------------------------------------------


def enlarged(names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Title of the inset, and what is named in it."""
    asked = FigureRecord(key="a", county_names="members", inset=names)
    found = laid_out(prepare(asked, GIVEN))
    if found.inset is None:
        return "", []
    gids = [str(one.get_gid()) for one in found.inset.texts]
    named = [one.removeprefix("label:") for one in gids if one.startswith("label:")]
    return "".join(words(found.figure, "inset_title")), named


def test_counties_may_be_enlarged_by_name() -> None:
    """By full or by short name: two of the fifteen small ones, one above the other."""
    units = minimap.counties()
    two = units[units.bounds["maxx"] - units.bounds["minx"] < 0.2].iloc[:2]
    title, named = enlarged((two["name"].iloc[0], two["short_name"].iloc[1]))
    assert title == "西山市局部放大"
    assert set(two["adcode"]) <= set(named)
    assert len(named) < 15


def test_no_inset_where_none_is_asked_for() -> None:
    assert enlarged(("none",)) == ("", [])


def test_what_cannot_be_enlarged_has_no_inset() -> None:
    """All counties together are as wide as the map."""
    assert enlarged(tuple(minimap.counties()["name"])) == ("", [])


def two_districts() -> gpd.GeoDataFrame:
    units = minimap.counties()
    return units[units.bounds["maxx"] - units.bounds["minx"] < 0.2].iloc[:2]


def test_an_inset_asked_for_by_name_grows_with_the_paper() -> None:
    """A3 is 420 mm wide, A4 297 mm."""
    asked = FigureRecord(key="a", county_names="none", inset=tuple(two_districts()["name"]))
    prepared = prepare(asked, GIVEN)
    widths = []
    for page in ("A4", "A3"):
        inset = laid_out(prepared, page=page).inset
        assert inset is not None
        figure = inset.get_figure(root=True)
        assert figure is not None
        widths.append(inset.get_position().width * figure.get_figwidth())
    assert widths[1] / widths[0] == pytest.approx(420 / 297, abs=0.01)


@pytest.mark.parametrize(("priority", "maps"), [(0, 2), (1, 1)])
def test_names_of_priority_0_stand_on_the_map_too(tmp_path: Path, priority: int, maps: int) -> None:
    place = two_districts().geometry.iloc[0].representative_point()
    frame = gpd.GeoDataFrame({"name": ["庚"]}, geometry=[place], crs=4326)
    frame.to_file(tmp_path / "one.gpkg")
    names = Names(priority=priority, required=True, leader=True)
    one = ClassRecord(label="点", style=SIGN, names=names)
    layer = LayerRecord(name="点", source="file:one.gpkg", classes=(one,))
    figure = drawn(tmp_path, layer, inset=tuple(two_districts()["name"]))
    assert words(figure, "label:点") == ["庚"] * maps


def test_a_county_is_not_named_beside_its_seat(tmp_path: Path) -> None:
    """Tables often write a county without its kind: 甲丁 for 甲丁县."""
    units = minimap.counties()
    county = units.iloc[0]
    place = county.geometry.representative_point()
    names = [county["short_name"][:-1]]
    gpd.GeoDataFrame({"name": names}, geometry=[place], crs=4326).to_file(tmp_path / "one.gpkg")
    one = ClassRecord(label="点", style=SIGN, names=Names(required=True, leader=True))
    layer = LayerRecord(name="点", source="file:one.gpkg", classes=(one,))
    assert county["short_name"] in words(drawn(tmp_path, county_names="faint"), "label:")
    figure = drawn(tmp_path, layer, county_names="faint")
    assert names[0] in words(figure, "label:")
    assert county["short_name"] not in words(figure, "label:")


# Lists --------------------------------------------------------------------------------------------


def listing(**changes: Any) -> dict[str, Any]:
    known = {"title": "时间", "title_en": "Minutes", "layers": ("点",), "value": "{minutes}分"}
    return {"panel": True, "listing": ListRecord(**{**known, **changes})}


def test_a_list_stands_beside_the_map_in_its_order(folder: Path) -> None:
    figure = drawn(folder, spots(), **listing(sort="minutes"))
    rows = [("甲", "3分"), ("乙", "14.4分"), ("丙", "25.6分")]
    assert words(figure, "list") == ["时间", *(one for row in rows for one in row)]
    english = drawn(folder, spots(), options={"lang": "en"}, **listing())
    assert words(english, "list")[0] == "Minutes"
    both = drawn(folder, spots(), options={"lang": "both"}, **listing())
    assert words(both, "list")[0] == "时间 Minutes"


def test_a_list_is_of_its_layers_only(folder: Path) -> None:
    other = spots(name="另", where={"level": ("二",)})
    figure = drawn(folder, spots(), other, **listing(layers=("另",), name="{level}：{name}"))
    assert words(figure, "list") == ["时间", "二：丙", "25.6分"]


@pytest.mark.parametrize("change", [{"sort": "minuts"}, {"value": "{minuts}"}, {"name": "minuts"}])
def test_a_column_of_a_list_that_is_missing_is_named(folder: Path, change: Any) -> None:
    words = "column of the list of 'a' 'minuts'. Did you mean minutes"
    with pytest.raises(UnknownNameError, match=words):
        drawn(folder, spots(), **listing(**change))


# Several maps -------------------------------------------------------------------------------------


def test_maps_side_by_side_have_titles_in_their_language(folder: Path) -> None:
    maps = (MapRecord(title="规划", title_en="Planned"), MapRecord(title="计算"))
    prepared = prepare(record(folder, spots(maps=("计算",)), maps=maps), GIVEN)
    for lang, expected in (
        ("zh", ["规划", "计算"]),
        ("en", ["Planned", "计算"]),
        ("both", ["规划 Planned", "计算"]),
    ):
        figure = laid_out(prepared, lang=lang).figure
        assert words(figure, "map_title") == expected
    assert missing_glyphs(figure) == {}


# Hillshade, graticule, date -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def dem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Waves 800 m high, 40 km long, over the whole province; 0.02 degrees wide."""
    path = tmp_path_factory.mktemp("dem") / "waves.tif"
    x = np.arange(250) * 0.02
    heights = 1500 + 400 * np.sin(x / 0.5 * 2 * np.pi)[None, :].repeat(150, axis=0)
    with rasterio.open(
        path, "w", driver="GTiff", width=250, height=150, count=1, dtype="float32",
        crs="EPSG:4326", transform=from_origin(9, 48.5, 0.02, 0.02),
    ) as file:  # fmt: skip
        file.write(heights.astype("float32"), 1)
    return path


def test_hillshade_is_drawn_and_told(folder: Path, dem: Path) -> None:
    plain = drawn(folder, spots())
    shaded = drawn(folder, spots(), options={"dem": dem})
    assert not plain.axes[0].images
    (image,) = shaded.axes[0].images
    # Above land and extent, below the boundaries.
    assert 2.6 < image.get_zorder() < 3
    assert "waves.tif" in "".join(words(shaded, "note"))
    assert "waves.tif" not in "".join(words(plain, "note"))


def test_heights_that_are_not_there_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tif.*does not exist"):
        drawn(folder, options={"dem": folder / "none.tif"})


def test_a_graticule_where_the_figure_or_the_caller_asks(folder: Path) -> None:
    prepared = prepare(record(folder, spots()), GIVEN)

    def lines(asked: bool, option: bool | None = None) -> int:
        prepared.figure = replace(prepared.figure, graticule=asked)
        figure = laid_out(prepared, graticule=option).figure
        return sum(
            str(one.get_gid()).startswith("graticule")
            for one in figure.findobj()
            if hasattr(one, "get_gid")
        )

    assert lines(False) == 0
    assert lines(True) > 0
    assert lines(False, True) == lines(True)
    assert lines(True, False) == 0


def test_date_and_approval_are_written_as_given(folder: Path) -> None:
    options = {"date": "2026年11月", "approval": "某S（2026）1号"}
    note = "".join(words(drawn(folder, spots(), options=options), "note")).replace("\n", "")
    assert "审图号：某S（2026）1号。制图日期：2026年11月。" in note


# Names and room -----------------------------------------------------------------------------------


def test_a_name_made_of_columns_is_written(folder: Path) -> None:
    names = Names(field="{name} {minutes}分", required=True)
    only = (ClassRecord(label="点", style=SIGN, names=names),)
    figure = drawn(folder, spots(field="", classes=only))
    assert set(words(figure, "label:点")) == {"丙 25.6分", "甲 3分", "乙 14.4分"}


def test_one_name_for_all_is_written(folder: Path) -> None:
    only = (ClassRecord(label="点", style=SIGN, names=Names(text="某处")),)
    figure = drawn(folder, spots(field="", classes=only))
    assert words(figure, "label:点") == ["某处"] * 3


def test_names_that_must_be_there_and_have_no_room_are_an_error(folder: Path) -> None:
    # 200 characters of 5 points are 350 mm long.
    names = Names(text="很长的名称" * 40, required=True)
    only = (ClassRecord(label="点", style=SIGN, names=names),)
    with pytest.raises(InputError, match=r"There is no room for the names of 很长.*larger page"):
        drawn(folder, spots(field="", classes=only))


def test_a_county_whose_seat_bears_its_name_is_named_once(folder: Path) -> None:
    units = minimap.counties()
    name = units["short_name"].iloc[0]
    only = (ClassRecord(label="点", style=SIGN, names=Names(text=name)),)
    layer = spots(field="", classes=only, where={"name": ("甲",)})
    figure = drawn(folder, layer, county_names="faint")
    assert words(figure, "label:").count(name) == 1


# The same bytes -----------------------------------------------------------------------------------


def test_what_was_drawn_before_changes_no_byte(folder: Path) -> None:
    def printed(name: str) -> list[bytes]:
        figure = drawn(folder, spots(), title="某图")
        paths = [folder / f"{name}.{kind}" for kind in ("pdf", "svg", "png")]
        return [path.read_bytes() for path in save_all(figure, paths, dpi=30)]

    first = printed("a")
    other = drawn(folder, spots(name="另"), title="另图", options={"page": "A3", "lang": "en"})
    other.savefig(io.BytesIO(), dpi=30)
    assert printed("b") == first
