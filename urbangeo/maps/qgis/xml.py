"""The small grammar of QGIS's XML: elements, options, colours, expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    import pyproj

__all__ = [
    "VERSION",
    "document",
    "element",
    "expression_map",
    "expressions",
    "number",
    "options",
    "quoted",
    "rgba",
    "spatial_reference",
    "text_element",
]

VERSION = "3.22.0-Białowieża"
"""The QGIS whose format is written; later ones read it."""


def element(tag: str, attributes: Mapping[str, object] | None = None, *inner: Element) -> Element:
    """Make an element; attributes are written as :func:`number` writes them."""
    made = Element(tag, {name: number(value) for name, value in (attributes or {}).items()})
    made.extend(inner)
    return made


def text_element(tag: str, text: str, attributes: Mapping[str, object] | None = None) -> Element:
    """Make an element that holds a text."""
    made = element(tag, attributes)
    made.text = text
    return made


def number(value: object) -> str:
    """Write a value: 1 and 0 for a bool, a number with six decimals at most, a text as it is."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return str(value)


def rgba(colour: str, opacity: float = 1.0) -> str:
    """Write ``#RRGGBB`` as QGIS does: four numbers from 0 to 255."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"


def quoted(text: str) -> str:
    """Write a text as a literal of an expression."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def options(values: Mapping[str, object], name: str = "") -> Element:
    """Make a map of options: texts, and maps within."""
    made = element("Option", {**({"name": name} if name else {}), "type": "Map"})
    for key, value in values.items():
        if isinstance(value, Mapping):
            made.append(options(value, key))
        elif isinstance(value, bool):
            SubElement(made, "Option", name=key, value=str(value).lower(), type="bool")
        elif isinstance(value, int):
            SubElement(made, "Option", name=key, value=str(value), type="int")
        else:
            SubElement(made, "Option", name=key, value=number(value), type="QString")
    return made


def expressions(values: Mapping[str, str], tag: str = "data_defined_properties") -> Element:
    """Make a collection of properties that follow an expression."""
    return element(tag, None, options(expression_map(values)))


def expression_map(values: Mapping[str, str]) -> dict[str, object]:
    """Give what :func:`expressions` holds, to be put among other options."""
    return {
        "name": "",
        "properties": {
            name: {"active": True, "expression": text, "type": 3} for name, text in values.items()
        },
        "type": "collection",
    }


def spatial_reference(crs: pyproj.CRS) -> Element:
    """Describe a coordinate reference system."""
    code = crs.to_epsg()
    inner = [
        text_element("wkt", crs.to_wkt("WKT2_2019")),
        text_element("srid", str(code or 0)),
        text_element("authid", f"EPSG:{code}" if code else ""),
        text_element("description", crs.name if code else ""),
        text_element("geographicflag", str(crs.is_geographic).lower()),
    ]
    return element("spatialrefsys", {"nativeFormat": "Wkt"}, *inner)


def document(root: Element, children: Sequence[Element] = ()) -> str:
    """Write a document, indented; the same element gives the same text."""
    root.extend(children)
    indent(root)
    doctype = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    return f"{doctype}\n{tostring(root, encoding='unicode')}\n"
