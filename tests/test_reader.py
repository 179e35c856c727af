"""Entries of a manifest: what each field is read as, and how a wrong one is named.

What is wrong with sources, styles and legends is in `test_manifest.py` and `test_sources.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from urbangeo.maps.reader import EntryReader
from urbangeo.maps.records import FigureRecord, ListRecord, MapRecord, Names
from urbangeo.maps.symbols import LineStyle, PointStyle, named_style

LAYER = {"name": "园区", "source": "plan:parks", "style": "park-national", "label": "园区"}


def reader() -> EntryReader:
    return EntryReader("figure 1 (a)", {}, Path("x.toml"))


def read(**entry: Any) -> FigureRecord:
    made = reader()
    record = made.figure({"key": "a", "plan": "qianzhong-2023", **entry})
    assert made.findings == []
    assert record is not None
    return record


def wrong(**entry: Any) -> list[str]:
    made = reader()
    made.figure({"key": "a", "plan": "qianzhong-2023", **entry})
    return made.findings


def test_what_is_left_out_has_its_usual_value() -> None:
    assert read() == FigureRecord(key="a", plan="qianzhong-2023")


def test_a_text_may_stand_for_a_list_of_one() -> None:
    record = read(pages="A3", notes="某句。", sources="某年鉴", inset="none")
    assert (record.pages, record.notes, record.sources) == (("A3",), ("某句。",), ("某年鉴",))
    assert record.inset == ("none",)
    (layer,) = read(layer=[{**LAYER, "where": {"level": "国家级"}}]).layers
    assert layer.where == {"level": ("国家级",)}


def test_numbers_of_a_filter_are_compared_as_texts() -> None:
    (layer,) = read(layer=[{**LAYER, "where": {"line": [3, 8]}}]).layers
    assert layer.where == {"line": ("3", "8")}


def test_where_it_stands_is_kept() -> None:
    assert read().file == Path("x.toml")


def test_a_layer_without_a_name_is_numbered() -> None:
    (layer,) = read(layer=[{k: v for k, v in LAYER.items() if k != "name"}]).layers
    assert layer.name == "layer 1"


def test_maps_and_lists() -> None:
    record = read(
        map=[{"title": "甲", "title_en": "A"}, {"title": "乙", "extent": "qianzhong"}],
        layer=[{**LAYER, "maps": "乙"}],
        list={"title": "表", "layers": "园区", "value": "level"},
    )
    assert record.maps == (
        MapRecord(title="甲", title_en="A"),
        MapRecord(title="乙", extent="qianzhong"),
    )
    assert record.layers[0].maps == ("乙",)
    assert record.listing == ListRecord(title="表", layers=("园区",), value="level")


# Classes and names --------------------------------------------------------------------------------

CLASSED = {"name": "园区", "source": "plan:parks", "field": "level"}


def test_a_layer_without_classes_is_a_class_of_its_own() -> None:
    (layer,) = read(layer=[{**LAYER, "label_en": "Parks", "names": True}]).layers
    (only,) = layer.classes
    assert (only.label, only.label_en, only.names) == ("园区", "Parks", Names())
    assert only.value == ()


def test_classes_stand_in_their_order_and_inherit_style_and_names() -> None:
    classes = [
        {"value": "省级", "label": "省"},
        {"value": ["国家级", "国*"], "label": "国", "order": 0.5, "size": 9},
        {"label": "余", "style": "axis", "names": {"priority": 7}},
    ]
    given = {**CLASSED, "style": "park-national", "names": {"size": "seat", "leader": True}}
    (layer,) = read(layer=[{**given, "classes": classes}]).layers
    first, second, third = layer.classes
    assert [one.label for one in layer.classes] == ["国", "省", "余"]
    assert first.value == ("国家级", "国*")
    assert isinstance(first.style, PointStyle)
    assert first.style.size == pytest.approx(9)
    assert second.style == named_style("park-national")
    assert isinstance(third.style, LineStyle)
    # Names of a class add to the layer's.
    assert second.names == Names(size="seat", leader=True)
    assert third.names == Names(size="seat", leader=True, priority=7)


def test_bounds_of_a_class() -> None:
    classes = [{"at_least": 18, "below": 21.5, "label": "某", "style": "park-national"}]
    counted = {"source": "plan:tasks", "count": "county", "field": "count", "classes": classes}
    (layer,) = read(plan="zunyi-metro-2022", layer=[{"name": "数", **counted}]).layers
    (only,) = layer.classes
    assert (only.at_least, only.below, only.value) == (18, 21.5, ())


# What is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"title": 3}, "title is 3; a text is expected"),
        ({"panel": "yes"}, "panel is 'yes'; true or false is expected"),
        ({"graticule": 1}, "graticule is 1; true or false is expected"),
        ({"notes": [["x"]]}, "notes is [['x']]; a text or a list of texts is expected"),
        ({"pages": []}, "pages is empty; give A4, A3 or both"),
        ({"scale_bar_km": True}, "scale_bar_km is True; a number above 0 is expected"),
        ({"scale_bar_km": 40}, "scale_bar_km is 40; a scale bar has three parts"),
        ({"county_names": "all"}, "county_names is 'all'; known: 'members', 'faint', 'none'"),
        ({"layer": {"name": "x"}}, "layers are written [[figure.layer]], with two brackets"),
        ({"map": {"title": "x"}}, "maps are written [[figure.map]], with two brackets"),
        ({"layer": ["x"]}, "layer 1: a layer is a table"),
        ({"map": [{"title": "甲"}]}, "maps are ['甲']; two or three with different titles"),
        (
            {"map": [{"title": one} for one in "甲乙丙丁"]},
            "maps are ['甲', '乙', '丙', '丁']; two or three",
        ),
        ({"map": [{"title": "甲"}, {"extent": "qianzhong"}]}, "map '': field 'title' is missing"),
        ({"list": []}, "list is a table, written [figure.list]"),
        ({"panel": True, "list": {"title": "表"}}, "list: field 'layers' is missing or empty"),
        (
            {"layer": [LAYER], "list": {"title": "表", "layers": "园区", "value": "level"}},
            "a list stands in the panel beside the map; set panel = true",
        ),
        ({"legend": [["# 只有标题"], "x"]}, "legend is not a list of columns"),
    ],
)
def test_a_wrong_field_of_a_figure_is_named(entry: dict[str, Any], words: str) -> None:
    assert any(one.startswith("figure 1 (a)") and words in one for one in wrong(**entry))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"where": "x"}, "where is 'x'; a table of columns is expected"),
        ({"where": {"level": True}}, "where.level is True; a text or a list of texts"),
        ({"spread": 1}, "spread is 1; true or false is expected"),
        ({"minutes": 0}, "minutes is 0; a number above 0 is expected"),
        ({"year": 2025.5}, "year is 2025.5; a number above 0"),
        ({"years": [2022, "2025"]}, "years is '2025'; a number above 0"),
        ({"direction": "there"}, "direction is 'there'; known: 'to', 'from'"),
        ({"course": "road"}, "course is 'road'; known: '', 'network'"),
        ({"names": "x"}, "names is 'x'; a table, or true, is expected"),
        ({"names": {"required": "yes"}}, "names: required is 'yes'; true or false"),
        ({"names": {"size": 0}}, "names: size is 0; a number above 0"),
        ({"names": {"priority": 1.5}}, "names: priority is not a whole number"),
        ({"names": {"weight": "fat"}}, "names: weight is 'fat'; known: 'regular', 'medium'"),
        ({"names": {"colour": "rde"}}, "names: Unknown colour 'rde'. Did you mean red"),
        ({"classes": []}, "classes is not a list of tables"),
        ({"classes": [{"label": "x"}]}, "it has classes and no field to class by"),
        ({"field": "level", "classes": ["x"]}, "class 1: a class is a table"),
        (
            {"field": "level", "classes": [{"label": "x", "value": "x", "below": 3}]},
            "class 1: it has a value and bounds; give one or the other",
        ),
        (
            {"field": "level", "classes": [{"label": "x", "colours": "red"}]},
            "class 1: Unknown field 'colours'. Did you mean colour",
        ),
    ],
)
def test_a_wrong_field_of_a_layer_is_named(change: dict[str, Any], words: str) -> None:
    findings = wrong(layer=[{**LAYER, **change}])
    assert any(one.startswith("figure 1 (a), layer 1 (园区)") and words in one for one in findings)


def test_bounds_that_are_no_numbers_are_named() -> None:
    classes = [{"label": "x", "at_least": "18"}]
    findings = wrong(layer=[{**LAYER, "field": "level", "classes": classes}])
    assert any("class 1: at_least is '18'; a number is expected" in one for one in findings)


def test_an_order_that_is_no_number_is_named() -> None:
    classes = [{"label": "x", "value": "x", "order": "first"}]
    findings = wrong(layer=[{**LAYER, "field": "level", "classes": classes}])
    assert any("class 1: order is 'first'; a number is expected" in one for one in findings)


def test_texts_of_names_are_texts() -> None:
    findings = wrong(layer=[{**LAYER, "names": {"field": 3}}])
    assert any("names: field is 3; a text is expected" in one for one in findings)


def test_all_that_is_wrong_is_told_at_once() -> None:
    findings = wrong(title=3, pages=["A9"], layer=[{**LAYER, "size": 0, "colour": "rde"}])
    assert len(findings) == 4


def test_a_figure_without_a_key_is_none() -> None:
    made = reader()
    assert made.figure({"title": "某图"}) is None
    assert made.findings == ["figure 1 (a): field 'key' is missing or empty"]
