"""A print layout of QGIS that resembles a sheet: paper, frame, scale, legend, note.

The legend is QGIS's own, so that it follows what a colleague changes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from urbangeo.maps.qgis.labels import FONTS
from urbangeo.maps.qgis.xml import element, options, rgba, spatial_reference
from urbangeo.maps.style import COLOURS, LINES, SIZES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from urbangeo.maps.qgis.records import Box, ExportLayer, ExportMap

__all__ = ["layout"]

_PAGE, _MAP, _PICTURE, _LABEL, _LEGEND, _BAR = 65638, 65639, 65640, 65641, 65642, 65646
_LEFT, _TOP, _MIDDLE = 1, 32, 128
_LOWER_LEFT, _LOWER_RIGHT = 6, 8
"""Corners by which an item is placed."""
_MARGIN = 6.0
"""Between the paper's edge and what is printed, millimetres."""
_ROWS = 6
"""Entries in a column of a legend that stands on the map."""
_PITCH = 6.0
"""From one entry to the next, millimetres."""
_PANEL = 40.0
"""Least room beside the map in which a legend stands, millimetres."""
_ARROW = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="40" viewBox="0 0 20 40">'
    '<path d="M10 0 L20 40 L10 32 L0 40 Z" fill="none" stroke="#1A1A1A" stroke-width="1"/>'
    '<path d="M10 0 L20 40 L10 32 Z" fill="#1A1A1A"/></svg>'
)


def layout(
    sheet: Sequence[ExportMap], name: str, names: Mapping[int, str], ids: Mapping[int, str]
) -> Element:
    """Give the layout of a sheet: each map follows its theme, in its own projection.

    Parameters
    ----------
    sheet, name
        The maps on it; what it is called.
    names
        The theme of each map, by the map's ``id``.
    ids
        The project's name of each layer, by the layer's ``id``.
    """
    one = sheet[0]
    width, height = one.page
    left, bottom, _, top = one.frame
    paper = _item(one, "page", _PAGE, (0, 0, width, height), 0, ground=COLOURS["paper"])
    fill = {"color": rgba(COLOURS["paper"]), "style": "solid", "outline_style": "no"}
    inner = element("layer", {"class": "SimpleFill", "enabled": 1, "pass": 0}, options(fill))
    paper.append(element("symbol", {"name": "", "type": "fill", "alpha": 1}, inner))
    across = width - left - _MARGIN
    items = [_label(one, "title", one.title, (left, _MARGIN, across, height - top - _MARGIN))]
    for each in sheet:
        theme = names[id(each)]
        items.append(_map(each, "map", theme, each.window, each.frame, 1))
        if each.inset is not None:
            items.append(_map(each, "inset", theme, *each.inset, 3))
        if each.part:
            place = (each.frame[0] + 2, height - each.frame[3] + 2, 60, 6)
            items.append(_label(each, "part", each.part, place))
    items += [_legend(sheet, ids), _bar(one), _north(one)]
    if one.note:
        below = (left, height - bottom + 0.8, across, bottom - _MARGIN)
        items.append(_label(one, "note", "\n".join(one.note), below))
    about = {"name": name, "units": "mm", "worldFileMap": ""}
    return element(
        "Layout", {**about, "printResolution": 300}, element("PageCollection", None, paper), *items
    )


def _identity(one: ExportMap, name: str) -> str:
    return f"{{{uuid5(NAMESPACE_URL, f'urbangeo:{one.key}:{name}')}}}"


def _item(
    one: ExportMap,
    name: str,
    kind: int,
    place: Box,
    order: int,
    *,
    frame: float = 0.0,
    ground: str = "",
    corner: int = 0,
) -> Element:
    """Give an item of the layout.

    Parameters
    ----------
    place
        From the paper's left and upper edge the item's corner, then its width and height; mm.
    corner
        Which of its corners, or middles, in rows of three from the upper left one.
    """
    x, y, width, height = place
    identity = _identity(one, name)
    at = f"{x:.6g},{y:.6g},mm"
    made = element(
        "LayoutItem",
        {
            "type": kind,
            "id": name,
            "uuid": identity,
            "templateUuid": identity,
            "position": at,
            "positionOnPage": at,
            "size": f"{width:.6g},{height:.6g},mm",
            "referencePoint": corner,
            "zValue": order,
            "itemRotation": 0,
            "visibility": 1,
            "opacity": 1,
            "blendMode": 0,
            "positionLock": "false",
            "excludeFromExports": 0,
            "frame": str(bool(frame)).lower(),
            "frameJoinStyle": "miter",
            "outlineWidthM": f"{frame or 0.3:g},mm",
            "background": str(bool(ground)).lower(),
        },
    )
    ink, paper = COLOURS["ink"], ground or COLOURS["paper"]
    for tag, colour in (("FrameColor", ink), ("BackgroundColor", paper)):
        made.append(_colour(tag, colour))
    return made


def _colour(tag: str, colour: str) -> Element:
    names = ("red", "green", "blue", "alpha")
    return element(tag, dict(zip(names, rgba(colour).split(","), strict=True)))


def _map(one: ExportMap, name: str, theme: str, window: Box, frame: Box, order: int) -> Element:
    left, bottom, right, top = frame
    place = (left, one.page[1] - top, right - left, top - bottom)
    line = LINES["frame"].width
    made = _item(one, name, _MAP, place, order, frame=line, ground=one.ground)
    about = {
        "followPreset": "true",
        "followPresetName": theme,
        "keepLayerSet": "false",
        "drawCanvasItems": "false",
        "mapRotation": "0",
        "mapFlags": "0",
        "labelMargin": "0,mm",
    }
    for key, value in about.items():
        made.set(key, value)
    edges = (f"{value:.9g}" for value in window)
    names = ("xmin", "ymin", "xmax", "ymax")
    made.append(element("Extent", dict(zip(names, edges, strict=True))))
    made.append(element("crs", None, spatial_reference(one.crs)))
    return made


def _font(size: float, *, bold: bool = False) -> str:
    return f"{FONTS[0]},{size:g},-1,5,{75 if bold else 50},0,0,0,0,0"


_TYPE = {
    "title": (SIZES["title"], True, _MIDDLE),
    "part": (SIZES["heading"], True, _TOP),
    "note": (SIZES["note"], False, _TOP),
}
"""Size, boldness and place in its box of what is written."""


def _label(one: ExportMap, name: str, text: str, place: Box) -> Element:
    size, bold, along = _TYPE[name]
    made = _item(one, name, _LABEL, place, 5)
    about = {"labelText": text, "halign": _LEFT, "valign": along, "htmlState": 0}
    _set(made, {**about, "marginX": 0, "marginY": 0})
    made.append(element("LabelFont", {"description": _font(size, bold=bold), "style": ""}))
    made.append(_colour("FontColor", COLOURS["ink"]))
    return made


# Furniture ----------------------------------------------------------------------------------------


def _legend(sheet: Sequence[ExportMap], ids: Mapping[int, str]) -> Element:
    """Give the legend, each entry once: in the map's lower right corner, or beside the map."""
    one = sheet[-1]
    ordered: list[tuple[ExportLayer, list[str]]] = []
    entries: list[str] = []
    layers = [layer for each in sheet for layer in each.layers]
    for layer in sorted(layers, key=lambda layer: (not layer.ground, -layer.zorder)):
        own = [single.label for single in layer.classes if single.label]
        if any(label not in entries for label in own):
            ordered.append((layer, own))
            entries += own
    room = one.page[0] - _MARGIN - one.frame[2]
    beside = room > _PANEL
    rows = (one.frame[3] - one.frame[1]) // _PITCH if beside else _ROWS
    right = one.page[0] - _MARGIN if beside else one.frame[2]
    bottom = one.page[1] - one.frame[1]
    frame = LINES["frame"].width
    made = _item(
        one, "legend", _LEGEND, (right, bottom, 60, 40), 4, frame=frame, ground=COLOURS["paper"],
        corner=_LOWER_RIGHT,
    )  # fmt: skip
    about = {
        "title": "图例",
        "titleAlignment": 4,
        "columnCount": max(1, math.ceil(len(entries) / rows)),
        "splitLayer": 1,
        "equalColumnWidth": 0,
        "columnSpace": 3,
        "boxSpace": 3,
        "symbolWidth": 9,
        "symbolHeight": 3.6,
        "symbolAlignment": 1,
        "lineSpacing": 1,
        "wrapChar": "",
        "fontColor": COLOURS["ink"],
        "resizeToContents": 1,
        "rasterBorder": 0,
        "legendFilterByAtlas": 0,
        "map_uuid": _identity(one, "map"),
    }
    _set(made, about)
    made.append(element("styles", None, *(_legend_style(*row) for row in _STYLES)))
    tree = element("layer-tree-group")
    for layer, own in ordered:
        # Of several classes the layer's name says nothing; a single one has its own words.
        words: dict[str, object] = {"legend/title-style": "hidden"}
        if len(layer.classes) == 1:
            words = {"cached_name": own[0], "legend/title-label": own[0]}
        shape = {"id": ids[id(layer)], "name": layer.title, "checked": "Qt::Checked"}
        inner = element("customproperties", None, options(words))
        tree.append(element("layer-tree-layer", shape, inner))
    made.append(tree)
    return made


_STYLES = (
    ("title", SIZES["legend_title"], 2.0, True),
    ("group", SIZES["legend"], 1.5, True),
    ("subgroup", SIZES["legend"], 1.5, False),
    ("symbol", SIZES["legend"], 1.6, False),
    ("symbolLabel", SIZES["legend"], 1.6, False),
)


def _legend_style(name: str, size: float, margin: float, bold: bool) -> Element:
    about = {"name": name, "alignment": 1, "marginTop": margin, "marginBottom": margin, "indent": 0}
    if name == "symbolLabel":
        about["marginLeft"] = 2
    font = element("styleFont", {"description": _font(size, bold=bold), "style": ""})
    return element("style", about, font)


def _set(made: Element, attributes: Mapping[str, object]) -> None:
    """Give an item what its kind has beyond the others."""
    for key, value in attributes.items():
        made.set(key, str(value))


def _bar(one: ExportMap) -> Element:
    """Give a scale bar of three parts in the map's lower left corner."""
    left, bottom = one.frame[0], one.frame[1]
    place = (left + 3, one.page[1] - bottom - 3, 60, 9)
    made = _item(one, "scale bar", _BAR, place, 4, ground=COLOURS["paper"], corner=_LOWER_LEFT)
    about = {
        "style": "Single Box",
        "unitType": "km",
        "unitLabel": "km",
        "numMapUnitsPerScaleBarUnit": 1,
        "numUnitsPerSegment": f"{one.bar_km / 3:g}",
        "numSegments": 3,
        "numSegmentsLeft": 0,
        "segmentSizeMode": 0,
        "height": 1.5,
        "outlineWidth": 0.15,
        "labelBarSpace": 1,
        "boxContentSpace": 1,
        "alignment": 0,
        "mapUuid": _identity(one, "map"),
    }
    _set(made, about)
    made.append(
        element(
            "text-style",
            {
                "fontFamily": FONTS[0],
                "fontSize": SIZES["scale"],
                "fontSizeUnit": "Point",
                "fontWeight": 50,
                "textColor": rgba(COLOURS["ink"]),
                "textOpacity": 1,
            },
        )
    )
    return made


def _north(one: ExportMap) -> Element:
    """Give an arrow to true north in the map's upper left corner, or right of its own title."""
    side = one.frame[2] - 8 if one.part else one.frame[0] + 3
    place = (side, one.page[1] - one.frame[3] + 3, 5, 10)
    made = _item(one, "north", _PICTURE, place, 4)
    about = {
        "file": "base64:" + base64.b64encode(_ARROW.encode()).decode(),
        "mode": 0,
        "resizeMode": 0,
        "anchorPoint": 4,
        "pictureWidth": 5,
        "pictureHeight": 10,
        "pictureRotation": 0,
        "northMode": 1,
        "northOffset": 0,
        "mapUuid": _identity(one, "map"),
    }
    _set(made, about)
    return made
