"""Styles of the style sheet as QGIS draws them: symbols, renderers, QML.

All measures stay millimetres. A mark is a marker of its own shape, drawn from matplotlib's path; a
casing is a wider line beneath; dashes, hatching and outlines that stay inside are QGIS's own. What
is written is read by QGIS 3.22 and later.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from urbangeo.maps.qgis.labels import labelling
from urbangeo.maps.qgis.records import CLASS, SHIFT_X, SHIFT_Y
from urbangeo.maps.qgis.xml import (
    VERSION,
    document,
    element,
    expressions,
    number,
    options,
    rgba,
    text_element,
)
from urbangeo.maps.symbols import AreaStyle, LineStyle, Mark, PointStyle, marker

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from urbangeo.maps.qgis.records import ExportClass, ExportLayer
    from urbangeo.maps.style import Line

__all__ = ["qml", "style_elements", "symbol"]

_KINDS = {"point": "marker", "line": "line", "area": "fill"}
_GEOMETRIES = {"point": 0, "line": 1, "area": 2}
_PLAIN = {"o": ("circle", 1.0), "s": ("square", 1.0), "D": ("diamond", 2**0.5)}
"""Marks that QGIS has too, with its size for one of ours."""
_HEAD_HALF, _HEAD_LENGTH = 1.2, 2.2
"""An arrow head's half width and length in widths of its line, as the maps draw it."""


def qml(layer: ExportLayer, scale: float) -> str:
    """Give the QML of a layer.

    Parameters
    ----------
    scale
        Metres on the ground for a metre on paper, at which the names stand as on the sheet.
    """
    root = element(
        "qgis",
        {
            "version": VERSION,
            "styleCategories": "Symbology|Labeling|Rendering",
            "labelsEnabled": any(one.names for one in layer.classes),
        },
    )
    tail = text_element("layerGeometryType", str(_GEOMETRIES[layer.kind]))
    return document(root, [*style_elements(layer, scale), tail])


def style_elements(layer: ExportLayer, scale: float) -> list[Element]:
    """Give renderer, labels and opacity, as a QML and a project hold them."""
    names = labelling(layer, scale)
    return [
        renderer(layer),
        *([] if names is None else [names]),
        text_element("blendMode", "0"),
        text_element("featureBlendMode", "0"),
        text_element("layerOpacity", "1"),
    ]


def renderer(layer: ExportLayer) -> Element:
    """Give the renderer: one symbol for a single class, else a category for each class.

    A table that only bears names has none.
    """
    frame = layer.frame
    if not any(_parts(one) for one in layer.classes):
        return element("renderer-v2", {"type": "nullSymbol", "forceraster": 0})
    shifted = SHIFT_X in frame and bool((frame[[SHIFT_X, SHIFT_Y]] != 0).to_numpy().any())
    count = len(layer.classes)
    depth = max(len(_parts(one)) for one in layer.classes)
    # Casings lie beneath all lines of their class, and classes on one another as on the sheet.
    levels = layer.kind == "line" and depth > 1
    symbols = element("symbols")
    categories = element("categories")
    for row, one in enumerate(layer.classes):
        first = (count - 1 - row) * depth if levels else 0
        symbols.append(symbol(one, str(row), shifted=shifted, first_pass=first, levels=levels))
        about = {
            "render": "true",
            "symbol": row,
            "value": one.value,
            "label": one.label or one.value,
        }
        categories.append(element("category", about))
    single = count == 1
    shared: dict[str, object] = {
        "type": "singleSymbol" if single else "categorizedSymbol",
        "forceraster": 0,
        "referencescale": -1,
        "symbollevels": levels,
        "enableorderby": 1,
    }
    clause = text_element("orderByClause", '"fid"', {"asc": 1, "nullsFirst": 0})
    order = element("orderby", None, clause)
    if single:
        return element("renderer-v2", shared, symbols, order)
    return element("renderer-v2", {**shared, "attr": CLASS}, categories, symbols, order)


def symbol(
    one: ExportClass,
    name: str,
    *,
    shifted: bool = False,
    first_pass: int = 0,
    levels: bool = False,
) -> Element:
    """Give the symbol of a class.

    Parameters
    ----------
    shifted
        The table's columns tell where signs stand beside their places.
    first_pass
        Drawing pass of the lowest part.
    levels
        Each part has a pass of its own.
    """
    style = one.style
    parts = _parts(one, shifted=shifted)
    if levels:
        for row, part in enumerate(parts):
            part.set("pass", str(first_pass + row))
    if isinstance(style, LineStyle):
        return _symbol(name, "line", parts, style.opacity)
    return _symbol(name, "point" if isinstance(style, PointStyle) else "area", parts)


def _parts(one: ExportClass, *, shifted: bool = False) -> list[Element]:
    """Give the parts of a class's symbol, lowest first."""
    style = one.style
    if isinstance(style, PointStyle):
        return [_mark(mark, shifted=shifted) for mark in style.marks]
    if isinstance(style, LineStyle):
        return _line_parts(style)
    return _area_parts(style, inside=one.inside)


def _symbol(name: str, kind: str, parts: Sequence[Element], alpha: float = 1.0) -> Element:
    about = {"name": name, "type": _KINDS[kind], "alpha": alpha, "clip_to_extent": 1}
    return element("symbol", {**about, "force_rhr": 0}, *parts)


def _layer(name: str, values: dict[str, object], *inner: Element) -> Element:
    about = {"class": name, "enabled": 1, "locked": 0, "pass": 0}
    return element("layer", about, options(values), *inner)


# Points -------------------------------------------------------------------------------------------


def _mark(mark: Mark, *, shifted: bool) -> Element:
    plain = _PLAIN.get(mark.shape)
    values: dict[str, object] = {
        "color": rgba(mark.face),
        "outline_color": rgba(mark.edge),
        "outline_width": mark.edge_width,
        "outline_width_unit": "MM",
        "offset": "0,0",
        "offset_unit": "MM",
        "size_unit": "MM",
        "scale_method": "diameter",
        "horizontal_anchor_point": 1,
        "vertical_anchor_point": 1,
    }
    if plain:
        shape, factor = plain
        values |= {"name": shape, "size": mark.size * factor}
        values |= {"outline_style": "solid", "joinstyle": "miter"}
    else:
        picture, half = _svg(mark.shape, mark.edge_width / mark.size)
        values |= {"name": picture, "size": 2 * half * mark.size, "fixedAspectRatio": "0"}
    inner = []
    if shifted:
        beside = f'to_string("{SHIFT_X}") || \',\' || to_string("{SHIFT_Y}")'
        inner.append(expressions({"offset": beside}))
    return _layer("SimpleMarker" if plain else "SvgMarker", values, *inner)


@cache
def _svg(shape: str, stroke: float) -> tuple[str, float]:
    """Draw a mark as SVG whose colours QGIS sets.

    Parameters
    ----------
    stroke
        Width of the outline as a share of the mark's size.

    Returns
    -------
    str
        ``base64:…``, which QGIS takes in place of a file.
    float
        Half the picture's width in sizes of the mark.
    """
    from matplotlib.markers import MarkerStyle

    made = MarkerStyle(marker(shape))
    path = made.get_path().transformed(made.get_transform())
    words = []
    for corners, code in path.iter_segments(curves=True):
        letter = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}[int(code)]
        numbers = [] if letter == "Z" else [
            number(float(value) * (-1) ** (row % 2)) for row, value in enumerate(corners)
        ]  # fmt: skip
        words.append(letter + " ".join(numbers))
    reach = float(np.abs(np.asarray(path.vertices)).max())
    # A mitred corner reaches farther out than half the line.
    half = round(reach + 2 * stroke + 0.02, 4)
    fill = (
        'fill="param(fill)" fill-opacity="param(fill-opacity)"' if made.is_filled()
        else 'fill="none"'
    )  # fmt: skip
    join = str(made.get_joinstyle())
    side = number(2 * half)
    low = number(-half)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="{low} {low} {side} {side}"><path d="{" ".join(words)}" {fill} '
        'stroke="param(outline)" stroke-opacity="param(outline-opacity)" '
        f'stroke-width="param(outline-width)" stroke-linejoin="{join}"/></svg>'
    )
    return "base64:" + base64.b64encode(text.encode()).decode(), half


# Lines --------------------------------------------------------------------------------------------


def _line_parts(style: LineStyle) -> list[Element]:
    widest = max(line.width + line.case for line in style.lines)
    starts = style.arrow == "both"
    ends = style.arrow in {"end", "both"}
    trim = (_HEAD_LENGTH * widest * starts, _HEAD_LENGTH * widest * ends)
    parts = [one for line in style.lines for one in _strokes(line, trim=trim)]
    heads = [_head(style, widest, first=first) for first in (True, False) if starts or not first]
    return [*(heads if ends else []), *parts]


def _strokes(
    line: Line, *, trim: tuple[float, float] = (0.0, 0.0), inside: bool = False
) -> list[Element]:
    """Give casing, gaps and the line itself, lowest first."""
    made = []
    if line.case:
        made.append(_stroke(line.case_colour, line.width + line.case, trim=trim, inside=inside))
    if line.gap:
        made.append(_stroke(line.gap, line.width, trim=trim, inside=inside))
    made.append(_stroke(line.colour, line.width, line.dashes, trim=trim, inside=inside))
    return made


def _stroke(
    colour: str,
    width: float,
    dashes: tuple[float, ...] = (),
    *,
    trim: tuple[float, float] = (0.0, 0.0),
    inside: bool = False,
) -> Element:
    values: dict[str, object] = {
        "line_color": rgba(colour),
        "line_style": "solid",
        # Of a line that stays inside, the outer half is cut off.
        "line_width": 2 * width if inside else width,
        "line_width_unit": "MM",
        "capstyle": "flat",
        "joinstyle": "round",
        "use_custom_dash": int(bool(dashes)),
        "customdash": ";".join(map(number, map(float, dashes))) or "5;2",
        "customdash_unit": "MM",
        "draw_inside_polygon": int(inside),
        "ring_filter": 0,
        "offset": "0",
        "offset_unit": "MM",
        "trim_distance_start": trim[0],
        "trim_distance_start_unit": "MM",
        "trim_distance_end": trim[1],
        "trim_distance_end_unit": "MM",
    }
    return _layer("SimpleLine", {name: number(value) for name, value in values.items()})


def _head(style: LineStyle, widest: float, *, first: bool) -> Element:
    """Give an arrow head at the first or last corner of a line."""
    side = 2 * _HEAD_LENGTH
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        f'viewBox="{-side / 2} {-side / 2} {side} {side}"><path d="M0 0 '
        f'L{-_HEAD_LENGTH} {-_HEAD_HALF} L{-_HEAD_LENGTH} {_HEAD_HALF} Z" '
        'fill="param(fill)" fill-opacity="param(fill-opacity)"/></svg>'
    )
    values: dict[str, object] = {
        "name": "base64:" + base64.b64encode(text.encode()).decode(),
        "color": rgba(style.lines[-1].colour),
        "outline_color": rgba(style.lines[-1].colour),
        "outline_width": "0",
        "size": side * widest,
        "size_unit": "MM",
        "angle": "180" if first else "0",
        "offset": "0,0",
        "fixedAspectRatio": "0",
    }
    inner = _symbol("@head", "point", [_layer("SvgMarker", values)])
    line = {"placement": "firstvertex" if first else "lastvertex", "rotate": "1", "offset": "0"}
    return _layer("MarkerLine", dict(line), inner)


# Areas --------------------------------------------------------------------------------------------


def _area_parts(style: AreaStyle, *, inside: bool) -> list[Element]:
    parts = []
    if style.fill:
        about = {"color": rgba(style.fill, style.opacity), "style": "solid"}
        parts.append(_layer("SimpleFill", {**about, "outline_style": "no"}))
    if style.hatch:
        lines = _symbol("@hatch", "line", [_stroke(style.hatch, style.hatch_width)])
        about = {
            "angle": number(style.angle),
            "distance": number(style.spacing),
            "distance_unit": "MM",
            "line_width": number(style.hatch_width),
            "line_width_unit": "MM",
            "color": rgba(style.hatch),
        }
        parts.append(_layer("LinePatternFill", dict(about), lines))
    if style.edge is not None:
        parts += _strokes(style.edge, inside=inside)
    # A symbol without a part would be drawn in a chance style.
    return parts or [_layer("SimpleFill", {"style": "no", "outline_style": "no"})]
