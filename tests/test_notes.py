"""The note: what is schematic, what is missing, sources, data, projection; in Chinese and English.

The province of `minimap` is invented and bears the words of a data provider, 某测绘单位.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import minimap
import pytest
from shapely.geometry import Point

from urbangeo._version import __version__
from urbangeo.maps.notes import Words, note_of
from urbangeo.maps.prepare import Prepared, prepare
from urbangeo.maps.records import ClassRecord, FigureRecord, LayerRecord
from urbangeo.maps.sheet import new_sheet
from urbangeo.maps.style import settings
from urbangeo.maps.symbols import named_style
from urbangeo.plans import plan

INVENTED = Path(__file__).parent / "data" / "lanchuan-2030"
SIGN = named_style("park-national")
GIVEN = {**minimap.layers(), "extent": minimap.extent()}
CHINESE = re.compile("[一-鿿]")


@pytest.fixture(autouse=True)
def _styled() -> Iterator[None]:
    with settings():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    rows = {"name": ["甲", "乙"], "kind": ["一", "二"]}
    points = gpd.GeoDataFrame(rows, geometry=[Point(11.5, 47), Point(12, 47)], crs=4326)
    points.to_file(folder / "points.gpkg")
    return folder


def one_class(label: str = "某处", english: str = "Place") -> tuple[ClassRecord, ...]:
    return (ClassRecord(label=label, label_en=english, style=SIGN),)


def spots(**record: Any) -> LayerRecord:
    known = {"name": "点", "source": "file:points.gpkg", "classes": one_class()}
    return LayerRecord(**{**known, **record})


def made(folder: Path, *layers: LayerRecord, given: Any = GIVEN, **record: Any) -> Prepared:
    return prepare(
        FigureRecord(**{"key": "a", "file": folder / "x.toml", "layers": layers, **record}), given
    )


def note(
    prepared: Prepared, lang: str = "zh", drawn: tuple[str, ...] = ("某处",), **words: Any
) -> list[str]:
    sheet = new_sheet(prepared.parts[0].bounds("province"), prepared.crs)
    return note_of(prepared, sheet, drawn, Words(**words), lang)


def test_sources_and_projection_are_all_that_a_plain_figure_says(folder: Path) -> None:
    sources, closing = note(made(folder, spots()))
    assert sources == "资料来源：points.gpkg；行政区划界线：某测绘单位。"
    assert closing.startswith("投影：兰勃特方位等积投影（中心 12°E，47°N），WGS 84；比例尺 1∶")
    assert "（幅面 297×210 mm）。图上界线不作为权属争议和实地划界的依据。" in closing
    assert closing.endswith(
        f"本图未经地图审核，公开使用前须依法送审。绘制：urbangeo {__version__}。"
    )


def test_the_same_in_english(folder: Path) -> None:
    sources, closing = note(made(folder, spots()), "en")
    assert sources == "Sources: points.gpkg; boundaries: 某测绘单位."
    assert closing.startswith(
        "Projection: Lambert azimuthal equal-area (centre 12°E, 47°N), WGS 84; scale 1:"
    )
    assert "Not a reviewed map" in closing
    assert not CHINESE.search(closing)


def test_a_figure_in_both_has_its_note_in_chinese(folder: Path) -> None:
    figure = made(folder, spots())
    assert note(figure, "both") == note(figure, "zh")


def test_what_only_the_caller_can_say(folder: Path) -> None:
    figure = made(folder, spots())
    words = {"approval": "某S（2026）1号", "date": "2026年11月"}
    closing = note(figure, **words)[-1]
    assert "审图号：某S（2026）1号。制图日期：2026年11月。" in closing
    assert "未经地图审核" not in closing
    closing = note(figure, "en", **words)[-1]
    assert "Map approval number 某S（2026）1号. Drawn 2026年11月. " in closing


def test_heights_are_named(folder: Path) -> None:
    figure = made(folder, spots())
    assert "晕渲据使用者提供的高程数据（dem.tif）" in note(figure, dem="/x/dem.tif")[0]
    assert "(dem.tif)" in note(figure, "en", dem="/x/dem.tif")[0]
    assert len(note(figure)) == 2


# What the figure and its layers say ---------------------------------------------------------------


def test_sentences_of_the_manifest_in_their_language(folder: Path) -> None:
    figure = made(folder, spots(), notes=("甲句。", "乙句。"), notes_en=("One.", "Two."))
    assert note(figure)[0] == "甲句。乙句。"
    assert note(figure, "en")[0] == "One. Two."
    only = made(folder, spots(), notes=("甲句。",))
    # Rather in Chinese than not at all.
    assert note(only, "en")[0] == "甲句。"


def test_a_class_that_is_not_drawn_is_told(folder: Path) -> None:
    """Of a plan the text has no member; of anything else there is none; or it lies beyond."""
    none = {"optional": True, "where": {"name": ("无",)}}
    figure = made(folder, spots(**none))
    assert note(figure, drawn=())[0] == "图例“某处”无。"
    assert note(figure, "en", drawn=())[0] == "Legend “Place”: none."
    figure = made(folder, spots())
    assert note(figure, drawn=())[0] == "图例“某处”的成员在图幅以外。"
    assert note(figure, "en", drawn=())[0] == "Legend “Place”: members beyond the frame."
    parks = spots(source="plan:qianzhong-2023/parks", **none)
    figure = made(folder, parks, absent=("规划煤矿",))
    told = "图例“规划煤矿、某处”文本未给出可定位的成员，未绘。"
    assert told in note(figure, drawn=())[0]


def test_a_sentence_of_two_layers_is_told_once(folder: Path) -> None:
    empty = {"optional": True, "where": {"name": ("无",)}}
    figure = made(folder, spots(), spots(name="点二", **empty))
    assert len(note(figure)) == 2
    rows = {"field": "kind", "classes": (ClassRecord(label="某处", value=("一",), style=SIGN),)}
    figure = made(folder, spots(**rows), spots(**rows), spots(name="另", **rows))
    assert note(figure)[0] == ("“点”有1项不属图例所列各类，未绘。“另”有1项不属图例所列各类，未绘。")


def test_what_is_made_from_words_is_called_so(folder: Path) -> None:
    words = "示意：位置与走向据规划文字推定，不代表实际选址和线形。"
    line = (ClassRecord(label="某处", style=named_style("axis")),)
    assert note(made(folder, spots(shape="curve", classes=line)))[0] == words
    assert note(made(folder, spots(), schematic=True))[0] == words
    assert "Schematic: places and courses" in note(made(folder, schematic=True), "en")[0]


def test_what_rests_on_the_skeleton_says_so(folder: Path) -> None:
    given = {**GIVEN, "circle": minimap.circle()}
    figure = made(folder, spots(source="circle:towns"), given=given)
    remarks, sources, _ = note(figure)
    assert remarks == "示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。"
    assert sources.endswith("行政区划界线：某测绘单位；示例路网提供者。")
    both = made(
        folder, spots(source="circle:towns"), spots(shape="hull", classes=area()), given=given
    )
    assert note(both)[0].count("示意：") == 2


def area() -> tuple[ClassRecord, ...]:
    return (ClassRecord(label="某处", style=named_style("zone-farm")),)


# Sources ------------------------------------------------------------------------------------------


def test_a_plan_is_named_once_with_all_its_chapters() -> None:
    """The extent, the parks and the contradictions are told in several chapters of one plan."""
    layers = (
        spots(source="plan:parks"),
        spots(source="plan:parks", name="另"),
        spots(source="plan:contradictions", name="三"),
    )
    figure = made(
        Path(),
        *layers,
        given={},
        plan="qianzhong-2023",
        extent="qianzhong-2023/qianzhong",
        sources=("某年鉴",),
    )
    sources = note(figure)[-2]
    assert sources.startswith("资料来源：某年鉴；《黔中城市群高质量发展规划》（")
    assert sources.count("《黔中城市群高质量发展规划》") == 1
    chapters = sources.partition("）")[2].partition("；")[0].split("、")
    assert len(set(chapters)) == len(chapters) > 1


def test_what_the_caller_names_as_the_source_goes_before_all(folder: Path) -> None:
    figure = made(folder, spots(), given={**GIVEN, "source": "某委员会"})
    assert note(figure)[0].startswith("资料来源：某委员会；行政区划")


def test_without_any_source_the_extent_is_one(folder: Path) -> None:
    assert note(made(folder))[0].startswith("资料来源：示例城市群；")
    province = made(folder, given={**minimap.layers(), "extent": None})
    assert note(province)[0].startswith("资料来源：本图所列图层；")


def test_boundaries_that_the_user_gives_are_called_so(folder: Path) -> None:
    plain = {**minimap.layers(), "extent": minimap.extent()}
    for frame in minimap.layers():
        plain[frame].attrs = {}
    assert "行政区划界线：使用者提供。" in note(made(folder, given=plain))[0]
    assert "boundaries: given by the user." in note(made(folder, given=plain), "en")[0]


def test_an_extent_of_a_plan_of_ones_own_is_named_by_its_title() -> None:
    own = plan(INVENTED)
    cities = own.county_layer.dissolve("prefecture").reset_index()
    cities = cities.drop(columns="name").rename(columns={"prefecture": "name"})
    given = {
        "extent": own.extent("lanchuan"),
        "counties": own.county_layer,
        "prefectures": cities,
        "province": cities,
        "surroundings": None,
    }
    figure = made(Path(), spots(source=f"plan:{INVENTED}/parks"), given=given)
    assert note(figure)[0].startswith(
        "资料来源：澜川市；《澜川市城镇发展规划》（澜川市人民政府，2025-01）第二章；"
    )


# Circles ------------------------------------------------------------------------------------------


def circle(**changes: Any) -> Prepared:
    given = {
        "circle": minimap.circle(**changes),
        "counties": minimap.counties(),
        "province": minimap.province(),
    }
    return prepare(FigureRecord(key="a", layers=(LayerRecord(name="圈", source="circle"),)), given)


def test_a_circle_says_what_it_rests_on() -> None:
    basis, source, _ = note(circle())
    assert basis.startswith("示意：路网为骨架路网")
    assert basis.endswith("通勤圈是通勤联系的替代指标，不等于实际通勤流。")
    assert source == (
        "数据：行政区划界线 某测绘单位；路网 示例路网提供者；路网校验码 0123456789ab。"
    )
    basis, source, _ = note(circle(), "en")
    assert "a proxy for commuting" in basis
    assert source == (
        "Data: boundaries 某测绘单位; network 示例路网提供者; digest of the network 0123456789ab."
    )


def test_a_real_network_is_not_called_schematic() -> None:
    about = {"year": 2022, "schematic": False}
    basis, source, _ = note(circle(network=about))
    assert "示意" not in basis
    assert source == "数据：行政区划界线 某测绘单位。"


def test_another_projection_is_named_by_its_name(folder: Path) -> None:
    figure = made(folder, spots())
    sheet = new_sheet(figure.parts[0].bounds("province"), figure.crs)
    other = SimpleNamespace(
        crs=SimpleNamespace(coordinate_operation=None, name="某投影"),
        scale=sheet.scale,
        figure=sheet.figure,
    )
    assert note_of(figure, other, ("某处",), Words())[-1].startswith("投影：某投影；")  # type: ignore[arg-type]
