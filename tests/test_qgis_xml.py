"""The grammar of QGIS's XML."""

from __future__ import annotations

import pytest

from urbangeo.crs import WGS84, equal_area
from urbangeo.maps.qgis.xml import (
    document,
    element,
    number,
    options,
    quoted,
    rgba,
    spatial_reference,
    text_element,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "1"), (2, "2"), (2.0, "2"), (0.1, "0.1"), (1 / 3, "0.333333"), (-0.5, "-0.5"),
     (0.0, "0"), (-1e-9, "0"), (200.0, "200"), ("a", "a")],
)  # fmt: skip
def test_numbers_are_short(value: object, text: str) -> None:
    assert number(value) == text


def test_colours_and_literals() -> None:
    assert rgba("#E69F00") == "230,159,0,255"
    assert rgba("#000000", 0.5) == "0,0,0,128"
    assert quoted("甲'乙") == "'甲''乙'"


def test_options_keep_types() -> None:
    made = options({"a": True, "b": 3, "c": "x", "d": {"e": 1.5}})
    told = [(one.get("name"), one.get("type"), one.get("value")) for one in made]
    assert told == [("a", "bool", "true"), ("b", "int", "3"), ("c", "QString", "x"),
                    ("d", "Map", None)]  # fmt: skip
    assert made[3][0].get("value") == "1.5"


def test_a_document_escapes_and_names_its_type() -> None:
    text = document(element("qgis", {"a": '"<&'}, text_element("title", "甲 & 乙")))
    assert text.splitlines()[0].startswith("<!DOCTYPE qgis ")
    assert 'a="&quot;&lt;&amp;"' in text
    assert "<title>甲 &amp; 乙</title>" in text


def test_reference_systems() -> None:
    known = spatial_reference(WGS84)
    assert known.findtext("authid") == "EPSG:4326"
    assert known.findtext("geographicflag") == "true"
    own = spatial_reference(equal_area((106.0, 26.0, 108.0, 28.0)))
    assert own.findtext("authid") == ""
    assert "Lambert Azimuthal Equal Area" in str(own.findtext("wkt"))
