"""Tags of OpenStreetMap ways: expected meanings from its wiki and from Chinese road law."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from urbangeo.network.osmtags import (
    ASSUMED_KMH,
    CHINA_KMH,
    DRIVABLE,
    KEYS,
    access_of,
    direction_of,
    maxspeed_kmh,
    rail_class,
    road_class,
    way_meaning,
)
from urbangeo.network.profiles import RAIL_CLASSES, ROAD_CLASSES


@pytest.mark.parametrize(
    ("text", "kmh", "note"),
    [
        ("60", 60, ""),
        (" 60 km/h ", 60, ""),
        ("60kph", 60, ""),
        ("40公里/小时", 40, ""),
        ("40 mph", 64.374, ""),  # 40 x 1.609344
        ("10 knots", 18.52, ""),
        ("7.5", 7.5, ""),
        ("CN:motorway", 120, ""),
        ("CN:urban", 50, ""),
        ("CN:rural", 70, ""),
        ("CN:zone30", 30, ""),
        ("DE:zone:30", 30, ""),
        ("zone20", 20, ""),
        ("walk", 5, ""),
        ("DE:walk", 5, ""),
        ("none", None, "maxspeed_none"),
        ("signals", None, "maxspeed_variable"),
        ("variable", None, "maxspeed_variable"),
        ("60;80", 60, "maxspeed_list"),
        ("80|60|60", 60, "maxspeed_list"),
        ("120, 100", 100, "maxspeed_list"),
        ("60;signals", 60, "maxspeed_variable"),
        ("FI:urban", None, "maxspeed_zone_unknown"),
        ("abc", None, "repair: maxspeed_unreadable"),
        ("50 (wet)", None, "repair: maxspeed_unreadable"),
        ("60 furlongs", None, "repair: maxspeed_unreadable"),
        ("-50", None, "repair: maxspeed_unreadable"),
        ("٦٠", 60, ""),  # digits of another script are digits
        ("0", None, "repair: maxspeed_implausible"),
        ("9999", None, "repair: maxspeed_implausible"),
        ("600", None, "repair: maxspeed_implausible"),
        ("", None, ""),
        (";", None, ""),
    ],
)
def test_every_form_of_maxspeed(text: str, kmh: float | None, note: str) -> None:
    speed = maxspeed_kmh(text)
    assert speed.kmh == (None if kmh is None else pytest.approx(kmh))
    assert speed.note == note


@pytest.mark.parametrize(
    ("tags", "is_open"),
    [
        ({}, True),
        ({"access": "no"}, False),
        ({"access": "private"}, False),
        ({"access": "customers"}, True),
        ({"access": "destination"}, True),
        ({"access": "agricultural;forestry"}, False),
        ({"access": "no", "vehicle": "yes"}, True),
        ({"access": "no", "motor_vehicle": "permissive"}, True),
        ({"access": "yes", "motor_vehicle": "no"}, False),
        ({"motor_vehicle": "no", "motorcar": "yes"}, True),
        ({"vehicle": "yes", "motor_vehicle": "private"}, False),
        ({"access": "no", "foot": "yes", "bicycle": "yes"}, False),
    ],
)
def test_the_most_specific_access_tag_decides(tags: dict[str, str], is_open: bool) -> None:
    assert access_of(tags) == (is_open, "")


def test_an_unknown_access_value_leaves_the_road_open_and_is_counted() -> None:
    assert access_of({"access": "sometimes"}) == (True, "repair: access_unreadable")


@pytest.mark.parametrize(
    ("tags", "value", "sense", "note"),
    [
        ({}, "primary", 0, ""),
        ({"oneway": "yes"}, "primary", 1, ""),
        ({"oneway": "1"}, "primary", 1, ""),
        ({"oneway": "-1"}, "primary", -1, ""),
        ({"oneway": "reverse"}, "primary", -1, ""),
        ({"oneway": "no"}, "primary", 0, ""),
        ({"oneway": "reversible"}, "primary", 0, "oneway_reversible"),
        ({"oneway": "alternating"}, "primary", 0, "oneway_alternating"),
        ({"oneway": "perhaps"}, "primary", 0, "repair: oneway_unreadable"),
        ({"oneway": "perhaps"}, "motorway", 1, "repair: oneway_unreadable"),
        ({}, "motorway", 1, ""),
        ({"oneway": "no"}, "motorway", 0, ""),
        ({}, "motorway_link", 0, ""),
        ({"junction": "roundabout"}, "primary", 1, ""),
        ({"junction": "circular"}, "primary", 1, ""),
        ({"junction": "roundabout", "oneway": "-1"}, "primary", -1, ""),
        ({"oneway": "yes", "oneway:motor_vehicle": "no"}, "primary", 0, ""),
        ({"oneway": "no", "oneway:motorcar": "-1"}, "primary", -1, ""),
        ({"oneway": "yes", "oneway:bicycle": "no"}, "primary", 1, ""),
    ],
)
def test_the_sense_of_traffic(tags: dict[str, str], value: str, sense: int, note: str) -> None:
    assert direction_of(tags, value) == (sense, note)


@pytest.mark.parametrize(
    ("tags", "value", "kind"),
    [
        ({"ref": "G75"}, "motorway", "expressway"),
        ({"ref": "S30"}, "motorway_link", "expressway"),
        ({"motorroad": "yes"}, "trunk", "expressway"),
        ({"ref": "G210"}, "trunk", "national"),
        ({}, "trunk", "national"),
        ({"ref": "S305"}, "trunk", "provincial"),
        ({"expressway": "yes"}, "trunk", "urban"),
        ({"expressway": "yes", "ref": "G210"}, "trunk", "national"),
        ({"ref": "G 354;S101"}, "primary", "national"),
        ({}, "primary", "provincial"),
        ({"ref": "x123"}, "primary", "county"),
        ({}, "secondary_link", "county"),
        ({"ref": "S203"}, "secondary", "provincial"),
        ({"ref": "Y004"}, "tertiary", "county"),
        ({}, "unclassified", "county"),
        ({}, "residential", "urban"),
        ({}, "living_street", "urban"),
        ({}, "service", "connector"),
        ({}, "track", "connector"),
    ],
)
def test_classes_of_roads(tags: dict[str, str], value: str, kind: str) -> None:
    assert road_class(tags, value) == kind


@pytest.mark.parametrize(
    ("tags", "value", "kmh", "kind"),
    [
        ({}, "rail", None, "conventional"),
        ({}, "rail", 160, "conventional"),
        ({}, "rail", 200, "hsr"),
        ({"highspeed": "yes"}, "rail", None, "hsr"),
        ({"name": "贵阳市域快铁", "highspeed": "yes"}, "rail", 200, "suburban"),
        ({"name": "成灌城际铁路"}, "rail", 220, "intercity"),
        ({}, "narrow_gauge", None, "conventional"),
        ({}, "light_rail", 80, "suburban"),
        ({}, "subway", 80, "metro"),
        ({}, "monorail", None, "metro"),
        ({}, "tram", None, "metro"),
        ({}, "funicular", None, ""),
    ],
)
def test_classes_of_railways(
    tags: dict[str, str], value: str, kmh: float | None, kind: str
) -> None:
    assert rail_class(tags, value, kmh) == kind


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"highway": "footway"}, "not_for_cars"),
        ({"highway": "cycleway", "motor_vehicle": "yes"}, "not_for_cars"),
        ({"highway": "track"}, "not_for_cars"),
        ({"highway": "abandoned"}, "dead"),
        ({"highway": "residential", "area": "yes"}, "area"),
        ({"highway": "service", "service": "driveway"}, "service_driveway"),
        ({"highway": "service", "service": "parking_aisle"}, "service_driveway"),
        ({"highway": "primary", "access": "private"}, "access"),
        ({"highway": "construction", "construction": "primary"}, "construction"),
        ({"highway": "proposed", "proposed": "motorway"}, "proposed"),
        ({"construction:highway": "primary"}, "construction"),
        ({"route": "ferry", "motor_vehicle": "yes"}, "ferry"),
        ({"route": "hiking"}, "no_way"),
        ({"railway": "rail", "service": "siding"}, "siding"),
        ({"railway": "rail", "service": "yard"}, "siding"),
        ({"railway": "rail", "usage": "industrial"}, "no_passengers"),
        ({"railway": "abandoned"}, "dead"),
        ({"railway": "platform"}, "no_track"),
        ({"railway": "construction", "construction": "rail"}, "construction"),
    ],
)
def test_what_is_left_out_by_default_has_a_reason(tags: dict[str, str], reason: str) -> None:
    assert way_meaning(tags).dropped == reason


def test_minor_construction_on_an_open_road_leaves_it_open() -> None:
    assert not way_meaning({"highway": "primary", "construction": "minor"}).dropped


@pytest.mark.parametrize(
    ("tags", "status", "kind", "year"),
    [
        ({"highway": "construction", "construction": "motorway"}, "在建", "expressway", None),
        (
            {"highway": "proposed", "proposed": "trunk", "opening_date": "2027-06"},
            "前期",
            "national",
            2027,
        ),
        ({"proposed:highway": "primary"}, "前期", "provincial", None),
        (
            {"railway": "construction", "construction": "rail", "highspeed": "yes"},
            "在建",
            "hsr",
            None,
        ),
    ],
)
def test_plans_become_links_when_asked_for(
    tags: dict[str, str], status: str, kind: str, year: int | None
) -> None:
    meaning = way_meaning(tags, planned=True)
    assert (meaning.dropped, meaning.status, meaning.kind) == ("", status, kind)
    assert meaning.planned_year == year
    assert meaning.open_year is None


def test_a_plan_of_unknown_class_is_dropped() -> None:
    meaning = way_meaning({"highway": "construction", "construction": "yes"}, planned=True)
    assert meaning.dropped == "planned_class_unknown"


def test_the_year_of_opening_is_taken_only_from_a_date() -> None:
    assert way_meaning({"highway": "primary", "start_date": "2018-05-01"}).open_year == 2018
    assert way_meaning({"highway": "primary", "start_date": "~1990"}).open_year is None


def test_limits_by_direction() -> None:
    tags = {"highway": "primary", "maxspeed": "60", "maxspeed:backward": "40"}
    meaning = way_meaning(tags)
    assert (meaning.forward_kmh, meaning.backward_kmh, meaning.assumed) == (60, 40, False)
    # against the way there is only one direction left
    meaning = way_meaning(tags | {"oneway": "-1"})
    assert (meaning.direction, meaning.forward_kmh, meaning.backward_kmh) == (-1, None, 40)


def test_the_type_of_limit_stands_in_for_a_missing_number() -> None:
    meaning = way_meaning({"highway": "trunk", "source:maxspeed": "CN:rural"})
    assert meaning.forward_kmh == 70
    assert way_meaning({"highway": "trunk", "source:maxspeed": "sign"}).forward_kmh is None


def test_speeds_without_a_limit() -> None:
    # 40 km/h on ramps, by JTG D20-2017; nothing on a road of its class's usual kind
    ramp = way_meaning({"highway": "motorway_link"})
    assert (ramp.forward_kmh, ramp.assumed) == (ASSUMED_KMH["motorway_link"], True)
    assert way_meaning({"highway": "primary"}).forward_kmh is None
    given = way_meaning({"highway": "primary"}, speeds=CHINA_KMH)
    assert (given.forward_kmh, given.assumed) == (60, True)
    posted = way_meaning({"highway": "primary", "maxspeed": "50"}, speeds=CHINA_KMH)
    assert (posted.forward_kmh, posted.assumed) == (50, False)


def test_conditional_tags_are_left_alone_and_counted() -> None:
    tags = {
        "highway": "primary",
        "maxspeed:conditional": "40 @ (22:00-06:00)",
        "motor_vehicle:conditional": "no @ (07:00-09:00)",
        "oneway:conditional": "yes @ (Mo-Fr)",
    }
    meaning = way_meaning(tags)
    assert (meaning.direction, meaning.forward_kmh) == (0, None)
    assert set(meaning.notes) == {
        "conditional_maxspeed",
        "conditional_access",
        "conditional_oneway",
    }


def test_classes_choose_among_the_roads() -> None:
    assert way_meaning({"highway": "service"}, classes={"primary"}).dropped == "class_unwanted"
    assert way_meaning({"highway": "track"}, classes={"track"}).kind == "connector"


def test_ferries_on_request() -> None:
    car = {"route": "ferry", "motor_vehicle": "yes", "duration": "00:15"}
    meaning = way_meaning(car, ferries=True)
    assert (meaning.mode, meaning.kind, meaning.duration_min) == ("road", "connector", 15)
    assert not meaning.assumed
    assert way_meaning({"route": "ferry"}, ferries=True).dropped == "ferry_without_cars"
    slow = way_meaning({"route": "ferry", "motorcar": "yes", "duration": "soon"}, ferries=True)
    assert (slow.forward_kmh, slow.assumed) == (ASSUMED_KMH["ferry"], True)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("00:15", 15), ("1:05:30", 65.5), ("20", 20), ("PT1H20M", 80), ("0", None), ("x", None)],
)
def test_durations(text: str, minutes: float | None) -> None:
    tags = {"route": "ferry", "motorcar": "yes", "duration": text}
    assert way_meaning(tags, ferries=True).duration_min == minutes


def test_the_chinese_name_comes_first() -> None:
    tags = {"highway": "primary", "name": "Zhonghua Rd", "name:zh": "中华路"}
    assert way_meaning(tags).name == "中华路"


class Watched(dict[str, str]):
    """Tags that remember which keys were asked for."""

    asked: ClassVar[set[str]] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


def test_the_keys_that_are_read_are_listed() -> None:
    # The reader passes on no other tags.
    for tags in (
        {"highway": "trunk"},
        {"highway": "service", "oneway": "yes"},
        {"highway": "construction", "construction": "trunk"},
        {"highway": "planned", "planned": "trunk"},
        {"highway": "footway"},
        {"railway": "rail"},
        {"railway": "proposed", "proposed": "rail"},
        {"planned:highway": "trunk"},
        {"route": "ferry", "motorcar": "yes"},
        {},
    ):
        way_meaning(Watched(tags), planned=True, ferries=True)
    assert Watched.asked == KEYS


def test_every_class_is_one_that_networks_know() -> None:
    assert {road_class({}, value) for value in DRIVABLE} <= set(ROAD_CLASSES)
    assert {way_meaning({"railway": value}).kind for value in ("rail", "tram")} <= set(RAIL_CLASSES)
    assert set(ASSUMED_KMH) <= set(CHINA_KMH)
    assert set(CHINA_KMH) == DRIVABLE | {"track", "ferry"}
