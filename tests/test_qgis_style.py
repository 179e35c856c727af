"""Styles as QGIS draws them: measures stay, order stays, nothing of a style is lost."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import exportmap
import pytest

from urbangeo.maps.qgis.records import ExportClass, ExportLayer
from urbangeo.maps.qgis.style import qml, renderer, symbol
from urbangeo.maps.style import LINES, Line
from urbangeo.maps.symbols import SHAPES, STYLES, AreaStyle, LineStyle, Mark, PointStyle, Style


def values(layer: ET.Element) -> dict[str, str]:
    """The options of a part of a symbol."""
    return {one.get("name", ""): one.get("value", "") for one in layer.findall("Option/Option")}


def parts(style: Style, *, inside: bool = False) -> list[tuple[str, dict[str, str]]]:
    """Kind and options of each part, lowest first."""
    made = symbol(ExportClass(value="a", label="a", style=style, inside=inside), "0")
    return [(one.get("class", ""), values(one)) for one in made.findall("layer")]


def svg(name: str) -> ET.Element:
    """The picture of an SVG marker."""
    assert name.startswith("base64:")
    return ET.fromstring(base64.b64decode(name.removeprefix("base64:")))  # noqa: S314 our own


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_of_the_sheet_has_a_symbol(name: str) -> None:
    style = STYLES[name]
    found = parts(style)
    assert found
    if isinstance(style, PointStyle):
        assert len(found) == len(style.marks)


def test_marks_keep_their_measures() -> None:
    (circle, about), (star, picture) = parts(
        PointStyle((Mark("o", 3.0, "#FF0000", "#00FF00", 0.2), Mark("*", 2.0, "#0000FF")))
    )
    assert (circle, about["name"], about["size"]) == ("SimpleMarker", "circle", "3")
    assert (about["color"], about["outline_width"]) == ("255,0,0,255", "0.2")
    assert star == "SvgMarker"
    side = float(str(svg(picture["name"]).get("width")))
    # The tip of a star is half of the mark's size above its middle.
    assert svg(picture["name"])[0].get("d", "").startswith("M0 -0.5 L")
    assert float(picture["size"]) == pytest.approx(2.0 * side)


def test_a_diamond_is_as_wide_as_matplotlibs() -> None:
    ((_, about),) = parts(PointStyle((Mark("D", 2.0),)))
    assert float(about["size"]) == pytest.approx(2.0 * 2**0.5, abs=1e-5)


@pytest.mark.parametrize("shape", [*SHAPES, *"^v<>d*PXphH8"])
def test_pictures_hold_the_whole_mark(shape: str) -> None:
    ((_, about),) = parts(PointStyle((Mark(shape, 2.0, edge_width=0.3),)))
    picture = svg(about["name"])
    half = float(str(picture.get("width"))) / 2
    text = picture[0].get("d", "")
    numbers = [float(one) for one in text.translate(str.maketrans("MLQCZ", "     ")).split()]
    assert max(map(abs, numbers)) + 0.15 / 2.0 < half
    assert "param(fill)" in str(picture[0].get("fill"))


def test_a_stroke_without_area_is_not_filled() -> None:
    ((_, about),) = parts(PointStyle((Mark("x", 2.0),)))
    assert svg(about["name"])[0].get("fill") == "none"


def test_casing_gaps_and_dashes_lie_on_one_another() -> None:
    line = Line("#101010", 1.0, (2.0, 1.0), 0.6, "#404040", "#FFFFFF")
    found = parts(LineStyle((line,)))
    assert [kind for kind, _ in found] == ["SimpleLine"] * 3
    case, gap, own = (about for _, about in found)
    assert (case["line_width"], case["line_color"]) == ("1.6", "64,64,64,255")
    assert (gap["line_width"], gap["line_color"]) == ("1", "255,255,255,255")
    assert (own["use_custom_dash"], own["customdash"]) == ("1", "2;1")
    assert {case["use_custom_dash"], gap["use_custom_dash"]} == {"0"}
    assert {about["line_width_unit"] for _, about in found} == {"MM"}


@pytest.mark.parametrize(("arrow", "heads", "trim"), [("", 0, ("0", "0")), ("end", 1, ("0", "2.2")),
                                                      ("both", 2, ("2.2", "2.2"))])  # fmt: skip
def test_arrow_heads_take_the_place_of_the_ends(
    arrow: str, heads: int, trim: tuple[str, str]
) -> None:
    found = parts(LineStyle((Line("#101010", 1.0),), arrow))
    assert [kind for kind, _ in found] == ["MarkerLine"] * heads + ["SimpleLine"]
    own = found[-1][1]
    assert (own["trim_distance_start"], own["trim_distance_end"]) == trim
    placed = [about["placement"] for _, about in found[:-1]]
    assert placed == ["firstvertex", "lastvertex"][-heads or 2 :]


def test_an_area_keeps_fill_hatching_and_outline() -> None:
    style = AreaStyle("#FF0000", 0.5, "#0000FF", 60.0, 2.2, 0.16, Line("#00FF00", 0.4, (1.0, 0.5)))
    (fill, one), (hatch, two), (edge, three) = parts(style)
    assert (fill, hatch, edge) == ("SimpleFill", "LinePatternFill", "SimpleLine")
    assert (one["color"], one["outline_style"]) == ("255,0,0,128", "no")
    assert (two["angle"], two["distance"], two["line_width"]) == ("60", "2.2", "0.16")
    assert (three["line_width"], three["customdash"]) == ("0.4", "1;0.5")


def test_an_outline_inside_has_its_whole_width_there() -> None:
    ((_, about),) = parts(AreaStyle(edge=LINES["extent"]), inside=True)
    assert about["draw_inside_polygon"] == "1"
    assert float(about["line_width"]) == pytest.approx(2 * LINES["extent"].width)


def test_an_area_without_anything_is_empty() -> None:
    ((kind, about),) = parts(AreaStyle())
    assert (kind, about["style"], about["outline_style"]) == ("SimpleFill", "no", "no")


def test_categories_are_the_classes() -> None:
    made = renderer(exportmap.roads())
    assert made.get("type") == "categorizedSymbol"
    assert made.get("attr") == "class"
    told = [(one.get("value"), one.get("label")) for one in made.findall("categories/category")]
    assert told == [("轴线", "轴线"), ("铁路", "铁路")]
    assert [one.get("name") for one in made.findall("symbols/symbol")] == ["0", "1"]


def test_the_first_class_is_drawn_last() -> None:
    made = renderer(exportmap.roads())
    assert made.get("symbollevels") == "1"
    axis, railway = (
        [int(one.get("pass", "")) for one in found.findall("layer")]
        for found in made.findall("symbols/symbol")
    )
    assert railway == [0, 1, 2]
    assert min(axis) > max(railway)
    assert made.findall("symbols/symbol")[0].get("alpha") == "0.8"


def test_one_class_is_a_single_symbol_and_names_have_none() -> None:
    assert renderer(exportmap.belt()).get("type") == "singleSymbol"
    assert renderer(exportmap.names()).get("type") == "nullSymbol"


def test_signs_stand_beside_their_places_by_columns() -> None:
    text = qml(exportmap.towns(), exportmap.SCALE)
    assert "to_string(&quot;shift_x_mm&quot;)" in text
    still = exportmap.towns()
    frame = still.frame.assign(shift_x_mm=0.0, shift_y_mm=0.0)
    unmoved = ExportLayer(
        table=still.table,
        title=still.title,
        kind=still.kind,
        frame=frame,
        classes=still.classes,
        zorder=still.zorder,
    )
    assert "shift_x_mm" not in qml(unmoved, exportmap.SCALE)


def test_qml_is_xml_and_always_the_same() -> None:
    for layer in exportmap.export_map().layers:
        text = qml(layer, exportmap.SCALE)
        root = ET.fromstring(text)  # noqa: S314 our own
        assert root.tag == "qgis"
        assert root.find("renderer-v2") is not None
        assert text == qml(layer, exportmap.SCALE)
