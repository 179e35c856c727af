"""Names on a map as QGIS writes them: font, halo, priority, and their places on the sheet.

Near the sheet's scale the names are those of the sheet and stand where it has them; at any other
scale QGIS looks for places itself, also for those that the sheet has no room for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import tostring

from urbangeo.maps.qgis.records import (
    CLASS,
    LABEL,
    LABEL_ANGLE,
    LABEL_LAT,
    LABEL_LEADER,
    LABEL_LON,
    LABEL_SIZE,
    SHIFT_X,
    SHIFT_Y,
)
from urbangeo.maps.qgis.xml import (
    element,
    expression_map,
    expressions,
    number,
    options,
    quoted,
    rgba,
)
from urbangeo.maps.style import COLOURS, FONT_FAMILY, LINES
from urbangeo.maps.symbols import PointStyle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from urbangeo.maps.qgis.records import ExportClass, ExportLayer, NameStyle

__all__ = ["FONTS", "labelling"]

FONTS = (FONT_FAMILY, "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei")
"""Families by preference: the sheet's own, the same under another name, then what systems have."""

_HALO, _HALO_OPACITY = 0.8, 0.82
"""Width of the pen that draws a halo, of which the letters hide half; millimetres; and how much of
the ground it hides. As :mod:`urbangeo.maps.labels.lettering` draws it."""
_NEAR = (0.8, 1.25)
"""Shares of the sheet's scale between which names stand where the sheet has them."""
_WEIGHTS = {"regular": ("Regular", 50), "medium": ("Medium", 57), "bold": ("Bold", 75)}
_PLACEMENTS = {"point": 6, "line": 4, "area": 4}
"""In order round a point, from the right; level on a line or in an area."""
_OVER_POINT = 1
# A leader line ends at a sign that stands beside its place, not at the place.
_BESIDE = (
    f'translate($geometry, "{SHIFT_X}" * @map_scale / 1000 / (111320 * cos(radians($y))), '
    f'-"{SHIFT_Y}" * @map_scale / 1000 / 111320)'
)


def labelling(layer: ExportLayer, scale: float) -> Element | None:
    """Give the labels of a layer, or None where nothing is named.

    Parameters
    ----------
    scale
        Metres on the ground for a metre on paper, of the sheet.
    """
    groups: dict[NameStyle, list[ExportClass]] = {}
    for one in layer.classes:
        if one.names is not None:
            groups.setdefault(one.names, []).append(one)
    if not groups:
        return None
    if len(groups) == 1 and len(next(iter(groups.values()))) == len(layer.classes):
        names, classes = next(iter(groups.items()))
        return element("labeling", {"type": "simple"}, _settings(layer, names, classes, scale))
    rules = element("rules", {"key": "all"})
    for row, (names, classes) in enumerate(groups.items()):
        about = {"key": f"names-{row}", "filter": _filter(classes)}
        rules.append(element("rule", about, _settings(layer, names, classes, scale)))
    return element("labeling", {"type": "rule-based"}, rules)


def _filter(classes: Sequence[ExportClass]) -> str:
    return f'"{CLASS}" IN ({", ".join(quoted(one.value) for one in classes)})'


def _settings(
    layer: ExportLayer, names: NameStyle, classes: Sequence[ExportClass], scale: float
) -> Element:
    leaders = bool(layer.frame[LABEL_LEADER].any()) if LABEL_LEADER in layer.frame else False
    made = element(
        "settings",
        {"calloutType": "simple"},
        _text_style(names),
        element("text-format", {"multilineAlign": 1, "wrapChar": "", "autoWrapLength": 0}),
        _placement(layer, names),
        _rendering(),
        expressions(_rules(layer, names, scale, leaders=leaders), "dd_properties"),
    )
    if leaders:
        signs = [one.style.size for one in classes if isinstance(one.style, PointStyle)]
        made.append(_callout(max(signs, default=0.0) / 2))
    return made


def _text_style(names: NameStyle) -> Element:
    style, weight = _WEIGHTS[names.weight]
    return element(
        "text-style",
        {
            "fieldName": LABEL,
            "isExpression": 0,
            "fontFamily": FONTS[0],
            "namedStyle": style,
            "fontWeight": weight,
            "fontSize": names.size,
            "fontSizeUnit": "Point",
            "textColor": rgba(names.colour),
            "textOpacity": 1,
            "multilineHeight": 0.9,
            "fontKerning": 1,
            "textOrientation": "horizontal",
        },
        element("families", None, *(element("family", {"name": one}) for one in FONTS)),
        element(
            "text-buffer",
            {
                "bufferDraw": not names.badge,
                "bufferSize": _HALO,
                "bufferSizeUnits": "MM",
                "bufferColor": rgba(names.halo),
                "bufferNoFill": 1,
                "bufferOpacity": _HALO_OPACITY,
                "bufferJoinStyle": 128,
                "bufferBlendMode": 0,
            },
        ),
        element(
            "background",
            {
                "shapeDraw": bool(names.badge),
                "shapeType": 0,
                "shapeSizeType": 0,
                "shapeSizeX": 0.45,
                "shapeSizeY": 0.45,
                "shapeSizeUnit": "MM",
                "shapeRadiiX": 0.4,
                "shapeRadiiY": 0.4,
                "shapeRadiiUnit": "MM",
                "shapeFillColor": rgba(COLOURS["paper"]),
                "shapeBorderColor": rgba(names.badge or names.colour),
                "shapeBorderWidth": 0.15,
                "shapeBorderWidthUnit": "MM",
                "shapeOpacity": 1,
                "shapeJoinStyle": 128,
            },
        ),
        element("shadow", {"shadowDraw": 0}),
    )


def _placement(layer: ExportLayer, names: NameStyle) -> Element:
    # A name without a sign stands at its place.
    bare = all(isinstance(one.style, PointStyle) and not one.style.marks for one in layer.classes)
    frame = layer.frame
    beside = SHIFT_X in frame and bool((frame[[SHIFT_X, SHIFT_Y]] != 0).to_numpy().any())
    return element(
        "placement",
        {
            "geometryGeneratorEnabled": beside,
            "geometryGeneratorType": "PointGeometry",
            "geometryGenerator": _BESIDE if beside else "",
            "placement": _OVER_POINT if bare else _PLACEMENTS[layer.kind],
            "predefinedPositionOrder": "R,TR,BR,T,B,L,TL,BL",
            "offsetType": 1,
            "dist": 0.2,
            "distUnits": "MM",
            "quadOffset": 4,
            "priority": max(0, 10 - 2 * names.priority),
            "centroidWhole": 0,
            "centroidInside": 1,
            "polygonPlacementFlags": 2,
            "placementFlags": 10,
            "preserveRotation": 1,
        },
    )


def _rendering() -> Element:
    return element(
        "rendering",
        {
            "drawLabels": 1,
            "displayAll": 0,
            "obstacle": 1,
            "obstacleFactor": 1,
            "obstacleType": 1,
            "unplacedVisibility": 0,
            "fontMaxPixelSize": 10000,
            "maxNumLabels": 2000,
            "upsidedownLabels": 0,
            "labelPerPart": 0,
            "mergeLines": 0,
        },
    )


def _rules(layer: ExportLayer, names: NameStyle, scale: float, *, leaders: bool) -> dict[str, str]:
    """Give the expressions that put names where the sheet has them."""
    if LABEL_LON not in layer.frame:
        return {}
    low, high = (number(float(round(share * scale))) for share in _NEAR)
    near = f"@map_scale >= {low} AND @map_scale <= {high}"
    size = number(names.size)
    rules = {
        "PositionX": f'CASE WHEN {near} THEN "{LABEL_LON}" END',
        "PositionY": f'CASE WHEN {near} THEN "{LABEL_LAT}" END',
        "Size": f'CASE WHEN {near} THEN coalesce("{LABEL_SIZE}", {size}) ELSE {size} END',
        # QGIS turns clockwise.
        "LabelRotation": f'CASE WHEN {near} THEN -"{LABEL_ANGLE}" END',
        "Hali": "'Center'",
        "Vali": "'Half'",
        "AlwaysShow": f'{near} AND "{LABEL_LON}" IS NOT NULL',
        "Show": f'NOT ({near}) OR "{LABEL_LON}" IS NOT NULL',
    }
    if leaders:
        rules["CalloutDraw"] = f'{near} AND "{LABEL_LEADER}" = 1'
    return rules


def _callout(radius: float) -> Element:
    """Give the leader line, which ends at the edge of a sign."""
    line = LINES["leader"]
    stroke = {
        "line_color": rgba(line.colour),
        "line_width": number(line.width),
        "line_width_unit": "MM",
        "line_style": "solid",
        "capstyle": "round",
    }
    layer = element("layer", {"class": "SimpleLine", "enabled": 1, "pass": 0}, options(stroke))
    symbol = element("symbol", {"name": "symbol", "type": "line", "alpha": 1}, layer)
    return element(
        "callout",
        {"type": "simple"},
        options(
            {
                "enabled": "1",
                "anchorPoint": "point_on_surface",
                "labelAnchorPoint": "point_on_exterior",
                "lineSymbol": tostring(symbol, encoding="unicode"),
                "offsetFromLabel": "0.1",
                "offsetFromLabelUnit": "MM",
                "offsetFromAnchor": number(radius),
                "offsetFromAnchorUnit": "MM",
                "ddProperties": expression_map({}),
            }
        ),
    )
