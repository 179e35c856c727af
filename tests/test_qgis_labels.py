"""Names as QGIS writes them."""

from __future__ import annotations

from inspect import signature

import exportmap

from urbangeo.maps.labels import lettering
from urbangeo.maps.qgis.labels import FONTS, labelling


def test_nothing_named_has_no_labels() -> None:
    assert labelling(exportmap.belt(), exportmap.SCALE) is None


def test_each_kind_of_name_has_a_rule() -> None:
    made = labelling(exportmap.towns(), exportmap.SCALE)
    assert made is not None
    assert made.get("type") == "rule-based"
    rules = made.findall("rules/rule")
    assert [rule.get("filter") for rule in rules] == ["\"class\" IN ('城')", "\"class\" IN ('镇')"]
    city, town = (rule.find("settings/text-style") for rule in rules)
    assert city is not None
    assert town is not None
    assert (city.get("fontSize"), city.get("fontSizeUnit"), city.get("namedStyle")) == (
        "9",
        "Point",
        "Bold",
    )
    assert [one.get("name") for one in city.findall("families/family")] == list(FONTS)
    assert town.get("textColor") == "47,127,181,255"


def test_a_halo_reaches_as_far_as_on_the_sheet() -> None:
    made = labelling(exportmap.names(), exportmap.SCALE)
    assert made is not None
    halo = made.find("settings/text-style/text-buffer")
    assert halo is not None
    # QGIS measures the whole pen, of which half stands out on each side.
    each = signature(lettering.write).parameters["halo"].default
    assert float(str(halo.get("bufferSize"))) == 2 * each
    assert float(str(halo.get("bufferOpacity"))) == lettering._HALO_OPACITY
    assert halo.get("bufferDraw") == "1"


def test_a_badge_takes_the_place_of_the_halo() -> None:
    made = labelling(exportmap.towns(), exportmap.SCALE)
    assert made is not None
    style = made.findall("rules/rule/settings/text-style")[1]
    halo, badge = style.find("text-buffer"), style.find("background")
    assert halo is not None
    assert badge is not None
    assert (halo.get("bufferDraw"), badge.get("shapeDraw")) == ("0", "1")
    assert badge.get("shapeBorderColor") == "179,32,42,255"


def test_names_stand_where_the_sheet_has_them_near_its_scale() -> None:
    made = labelling(exportmap.names(), exportmap.SCALE)
    assert made is not None
    found = {one.get("name"): one[1].get("value") for one in made.iter("Option") if len(one) == 3}
    near = "@map_scale >= 800000 AND @map_scale <= 1250000"
    assert found["PositionX"] == f'CASE WHEN {near} THEN "label_lon" END'
    assert found["PositionY"] == f'CASE WHEN {near} THEN "label_lat" END'
    assert found["Show"] == f'NOT ({near}) OR "label_lon" IS NOT NULL'
    assert found["Size"] == f'CASE WHEN {near} THEN coalesce("label_size", 7) ELSE 7 END'
    assert found["LabelRotation"] == f'CASE WHEN {near} THEN -"label_angle" END'
    assert "CalloutDraw" not in found
    placement = made.find("settings/placement")
    assert placement is not None
    assert placement.get("placement") == "1"


def test_leader_lines_are_callouts_where_the_sheet_has_them() -> None:
    made = labelling(exportmap.towns(), exportmap.SCALE)
    assert made is not None
    callouts = made.findall("rules/rule/settings/callout")
    # They end at the edge of signs of 4 and 3 mm.
    ends = [
        one.get("value")
        for callout in callouts
        for one in callout.iter("Option")
        if one.get("name") == "offsetFromAnchor"
    ]
    assert ends == ["2", "1.5"]
    assert '"label_leader" = 1' in {
        str(one.get("value")).partition(" AND ")[2].partition(" AND ")[2]
        for one in made.iter("Option")
    }


def test_first_names_come_first() -> None:
    made = labelling(exportmap.towns(), exportmap.SCALE)
    assert made is not None
    city, town = (
        int(str(one.get("priority"))) for one in made.findall("rules/rule/settings/placement")
    )
    assert city > town


def test_names_belong_to_signs_that_stand_beside_their_places() -> None:
    made = labelling(exportmap.towns(), exportmap.SCALE)
    assert made is not None
    for placement in made.findall("rules/rule/settings/placement"):
        assert placement.get("geometryGeneratorEnabled") == "1"
        assert '"shift_x_mm" * @map_scale' in str(placement.get("geometryGenerator"))
    plain = labelling(exportmap.names(), exportmap.SCALE)
    assert plain is not None
    assert {one.get("geometryGeneratorEnabled") for one in plain.iter("placement")} == {"0"}
