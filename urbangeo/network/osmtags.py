"""What the tags of an OpenStreetMap way mean for a car or a train: pure functions.

Classes follow the Chinese convention of OpenStreetMap (``motorway`` is 高速公路, ``trunk`` 国道,
``primary`` 省道, ``secondary`` 县道, ``tertiary`` 乡道), corrected by the letter of ``ref``: a way
whose number begins with G and three digits is national and with S provincial, whatever its tag.

========================================  =================================================
``highway``                               class
========================================  =================================================
motorway, motorway_link, motorroad=yes    expressway (entered only at interchanges)
trunk, with ``expressway=yes``            urban, if no G or S number makes it a trunk road
trunk                                     national
primary                                   provincial
secondary, tertiary, unclassified, road   county
residential, living_street                urban
service, track (on request), ferry        connector
========================================  =================================================

``x_link`` goes with ``x``. A ramp is an expressway because nobody enters the road from beside it;
its far end, where it meets the ordinary roads, is the interchange.

Speeds are limits that somebody posted. Where none is posted the speed is left open, and the
profile's speed of the class holds; but for kinds of road that are far from what their class stands
for (:data:`ASSUMED_KMH`), and where the caller gives speeds by ``highway``, such as
:data:`CHINA_KMH`. How many links got such a speed is counted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "ASSUMED_KMH",
    "CHINA_KMH",
    "DRIVABLE",
    "KEYS",
    "Speed",
    "WayMeaning",
    "access_of",
    "direction_of",
    "maxspeed_kmh",
    "rail_class",
    "road_class",
    "way_meaning",
]

_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
DRIVABLE = frozenset(
    {
        *_ROADS,
        *(f"{one}_link" for one in _ROADS),
        "unclassified",
        "residential",
        "living_street",
        "service",
        "road",
    }
)
"""Values of ``highway`` that are read by default: what a car may use. ``track`` on request."""

ASSUMED_KMH: Mapping[str, float] = MappingProxyType(
    {
        # JTG D20-2017: ramps of interchanges are laid out for 30 to 80 km/h, 40 the usual one
        "motorway_link": 40.0,
        # CJJ 37-2012: access roads and branch streets 20 to 40 km/h; the lower end
        "living_street": 20.0,
        "service": 20.0,
        # JTG 2111-2019: small rural roads, 15 km/h
        "track": 15.0,
        # river ferries of a few hundred metres, with the turn-round: about 10 km/h
        "ferry": 10.0,
    }
)
"""Speeds used where none is posted, km/h: the class's own would be far off."""

CHINA_KMH: Mapping[str, float] = MappingProxyType(
    {
        # Road Traffic Safety Law, implementing regulation §78: at most 120
        "motorway": 120.0,
        "motorway_link": 40.0,
        # JTG B01-2014, design speeds of first- to fourth-class roads, the middle of each
        "trunk": 80.0,
        "trunk_link": 40.0,
        "primary": 60.0,
        "primary_link": 40.0,
        "secondary": 50.0,
        "secondary_link": 40.0,
        "tertiary": 40.0,
        "tertiary_link": 30.0,
        # §45: 30 in towns and 40 outside on roads without a centre line
        "unclassified": 30.0,
        "road": 30.0,
        "residential": 30.0,
        "living_street": 20.0,
        "service": 20.0,
        "track": 15.0,
        "ferry": 10.0,
    }
)
"""Limits that hold in China where none is posted, by ``highway``; give them as ``speeds``."""

_ZONES: Mapping[str, float] = MappingProxyType(
    {
        # Implementing regulation §78 and §45; one lane each way
        "cn:motorway": 120.0,
        "cn:urban": 50.0,
        "cn:rural": 70.0,
        "cn:living_street": 20.0,
    }
)
_VARIABLE = frozenset({"signals", "variable", "implicit", "default", "national", "zone"})
_UNITS: Mapping[str, float] = MappingProxyType(
    {
        "": 1.0,
        "km/h": 1.0,
        "kmh": 1.0,
        "kph": 1.0,
        "公里": 1.0,
        "公里/小时": 1.0,
        "公里/时": 1.0,
        "千米/小时": 1.0,
        "千米/时": 1.0,
        "mph": 1.609344,
        "knots": 1.852,
    }
)
_NUMBER = re.compile(r"(\d{1,4}(?:\.\d+)?)\s*([^\d\s]*)")
_ZONE = re.compile(r"(?:[a-z]{2}:)?zone:?(\d{1,3})")
_COUNTRY = re.compile(r"[a-z]{2}:[a-z_:0-9]+")
WALK_KMH = 5.0
FASTEST_ROAD_KMH, FASTEST_RAIL_KMH = 160.0, 450.0  # a limit above this is a slip of the pen
HSR_KMH = 200.0

_PLANS = {"construction": "在建", "proposed": "前期", "planned": "前期"}

KEYS = frozenset(
    {
        "highway",
        "railway",
        *(f"{plan}{what}" for plan in _PLANS for what in ("", ":highway", ":railway")),
        "route",
        "ferry",
        "area",
        "service",
        "access",
        "vehicle",
        "motor_vehicle",
        "motorcar",
        "motorroad",
        "expressway",
        "junction",
        "oneway",
        "oneway:vehicle",
        "oneway:motor_vehicle",
        "oneway:motorcar",
        "maxspeed",
        "maxspeed:forward",
        "maxspeed:backward",
        "maxspeed:type",
        "source:maxspeed",
        "zone:maxspeed",
        "usage",
        "highspeed",
        "ref",
        "name",
        "name:zh",
        "start_date",
        "opening_date",
        "duration",
    }
)
"""Keys that :func:`way_meaning` reads, besides those that end in ``:conditional``."""

_YES, _AGAINST = frozenset({"yes", "true", "1"}), frozenset({"-1", "reverse"})
_BOTH = frozenset({"no", "false", "0"})
_CHANGING = frozenset({"reversible", "alternating"})
_ROUND = frozenset({"roundabout", "circular"})

_ACCESS = ("motorcar", "motor_vehicle", "vehicle", "access")
_OPEN = frozenset(
    {"yes", "permissive", "designated", "destination", "public", "customers", "official", "unknown"}
)
_SHUT = frozenset(
    {
        "no",
        "private",
        "permit",
        "residents",
        "employees",
        "military",
        "emergency",
        "agricultural",
        "forestry",
        "delivery",
        "restricted",
        "bus",
        "psv",
        "hgv",
    }
)
_NOT_THROUGH = frozenset({"driveway", "parking_aisle", "drive-through", "emergency_access"})

_TRACKS = {
    "rail": "conventional",
    "narrow_gauge": "conventional",
    "light_rail": "suburban",
    "subway": "metro",
    "monorail": "metro",
    "tram": "metro",
}
_SIDINGS = frozenset({"yard", "siding", "spur"})
_NO_PASSENGERS = frozenset({"industrial", "military", "tourism", "test", "scientific", "freight"})
_DEAD = frozenset({"abandoned", "disused", "razed", "dismantled", "demolished", "removed"})
_REF = re.compile(r"\s*([GSXYCgsxyc])\s*(\d{1,4})")
_YEAR = re.compile(r"(1[89]\d\d|20\d\d)(?:-\d\d(?:-\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Speed:
    """A limit, km/h, or None where the tag states none; and what is to be told about it."""

    kmh: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WayMeaning:
    """What a way is; ``dropped`` names the reason where it is no link.

    Attributes
    ----------
    mode, kind
        Mode and class of its links.
    value
        Value of ``highway``, ``railway`` or ``"ferry"``.
    direction
        1 along the way, -1 against it, 0 both.
    forward_kmh, backward_kmh
        Limits in the sense of the way, None where none is stated.
    assumed
        Whether they were assumed by class, and not posted.
    notes
        What is to be counted: repairs (``"repair: …"``) and what was left alone.
    """

    mode: str = ""
    kind: str = ""
    value: str = ""
    ref: str = ""
    name: str = ""
    direction: int = 0
    forward_kmh: float | None = None
    backward_kmh: float | None = None
    assumed: bool = False
    status: str = "已建成"
    open_year: int | None = None
    planned_year: int | None = None
    duration_min: float | None = None
    dropped: str = ""
    notes: tuple[str, ...] = ()


def maxspeed_kmh(text: str, fastest: float = FASTEST_ROAD_KMH) -> Speed:
    """Read a ``maxspeed`` in any of its forms.

    Parameters
    ----------
    text
        ``"60"``, ``"60 km/h"``, ``"40 mph"``, ``"CN:motorway"``, ``"CN:zone30"``, ``"walk"``,
        ``"none"``, ``"signals"``, or a list of them; of a list, the lowest limit holds, because
        it does not say which lane or vehicle each is for.
    fastest
        A limit above this is not believed, km/h.

    Returns
    -------
    Speed
        No limit, with a note, where the text states none or cannot be read.

    Examples
    --------
    >>> maxspeed_kmh("60;80").kmh, maxspeed_kmh("CN:motorway").kmh, maxspeed_kmh("abc").kmh
    (60.0, 120.0, None)
    """
    parts = [part.strip().lower() for part in re.split(r"[;|,]", text) if part.strip()]
    if not parts:
        return Speed(None)
    found = [_one_speed(part, fastest) for part in parts]
    numbers = [one.kmh for one in found if one.kmh is not None]
    notes = [one.note for one in found if one.note]
    note = notes[0] if notes else "maxspeed_list" if len(parts) > 1 else ""
    return Speed(min(numbers) if numbers else None, note)


def _one_speed(text: str, fastest: float) -> Speed:
    if text in {"none", "unlimited"}:
        return Speed(None, "maxspeed_none")
    if text in _VARIABLE:
        return Speed(None, "maxspeed_variable")
    if text in {"walk", "walking"} or text.endswith(":walk"):
        return Speed(WALK_KMH)
    if text in _ZONES:
        return Speed(_ZONES[text])
    zone = _ZONE.fullmatch(text)
    number = _NUMBER.fullmatch(text)
    if zone:
        kmh = float(zone[1])
    elif number and number[2] in _UNITS:
        kmh = float(number[1]) * _UNITS[number[2]]
    elif _COUNTRY.fullmatch(text):
        return Speed(None, "maxspeed_zone_unknown")
    else:
        return Speed(None, "repair: maxspeed_unreadable")
    if not 0 < kmh <= fastest:
        return Speed(None, "repair: maxspeed_implausible")
    return Speed(round(kmh, 3))


def access_of(tags: Mapping[str, str]) -> tuple[bool, str]:
    """Tell whether the public may drive a car here, and the note to count.

    The most specific of ``motorcar``, ``motor_vehicle``, ``vehicle`` and ``access`` decides; a
    value that is neither known to open nor to close a road leaves it open and is counted.

    Examples
    --------
    >>> access_of({"access": "no", "motor_vehicle": "yes"})
    (True, '')
    """
    for key in _ACCESS:
        value = tags.get(key, "").strip().lower()
        if not value:
            continue
        values = {part.strip() for part in value.split(";")}
        if values & _OPEN:
            return True, ""
        if values & _SHUT:
            return False, ""
        return True, "repair: access_unreadable"
    return True, ""


def direction_of(tags: Mapping[str, str], value: str) -> tuple[int, str]:
    """Tell the sense of traffic for cars: 1 along the way, -1 against it, 0 both; and the note.

    ``oneway:motorcar``, ``oneway:motor_vehicle`` and ``oneway:vehicle`` come before ``oneway``.
    Roundabouts and motorways are one-way unless said otherwise. A road whose sense changes by the
    clock or by signals (``reversible``, ``alternating``) can be used both ways at some time: it
    counts as two-way.

    Examples
    --------
    >>> direction_of({"junction": "roundabout"}, "primary"), direction_of({}, "motorway")
    ((1, ''), (1, ''))
    """
    for key in ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"):
        if key not in tags:
            continue
        stated = tags[key].strip().lower()
        if stated in _YES:
            return 1, ""
        if stated in _AGAINST:
            return -1, ""
        if stated in _CHANGING:
            return 0, f"oneway_{stated}"
        if stated in _BOTH:
            return 0, ""
        return (
            (1, "repair: oneway_unreadable")
            if _one_way(tags, value)
            else (
                0,
                "repair: oneway_unreadable",
            )
        )
    return int(_one_way(tags, value)), ""


def _one_way(tags: Mapping[str, str], value: str) -> bool:
    """Tell whether a way is one-way without saying so."""
    return value == "motorway" or tags.get("junction", "") in _ROUND


def road_class(tags: Mapping[str, str], value: str) -> str:
    """Give the class of a road from its ``highway`` value and its number.

    Examples
    --------
    >>> road_class({"ref": "G210"}, "primary"), road_class({"expressway": "yes"}, "trunk")
    ('national', 'urban')
    """
    base = value.removesuffix("_link")
    if base == "motorway" or tags.get("motorroad") == "yes":
        return "expressway"
    number = _REF.match(tags.get("ref", ""))
    letter = number[1].upper() if number else ""
    if base in {"trunk", "primary", "secondary", "tertiary"}:
        if letter == "G":
            return "national"
        if letter == "S":
            return "provincial"
        if letter in {"X", "Y", "C"}:
            return "county"
        if base == "trunk":
            return "urban" if tags.get("expressway") == "yes" else "national"
        return "provincial" if base == "primary" else "county"
    if base in {"residential", "living_street"}:
        return "urban"
    return "connector" if base in {"service", "track", "ferry"} else "county"


def rail_class(tags: Mapping[str, str], value: str, kmh: float | None = None) -> str:
    """Give the class of a track, or ``""`` if no passengers are carried on its kind.

    High-speed is what says so or is limited to 200 km/h or more; 城际 in the name makes it
    inter-city, 市域 and 市郊 suburban. Light rail is suburban; monorails and trams are metro.

    Examples
    --------
    >>> rail_class({}, "rail", 250), rail_class({"name": "成灌城际铁路"}, "rail", 220)
    ('hsr', 'intercity')
    """
    kind = _TRACKS.get(value, "")
    if kind != "conventional":
        return kind
    name = tags.get("name", "")
    if "城际" in name:
        return "intercity"
    if "市域" in name or "市郊" in name:
        return "suburban"
    if tags.get("highspeed") == "yes" or (kmh is not None and kmh >= HSR_KMH):
        return "hsr"
    return kind


def way_meaning(
    tags: Mapping[str, str],
    *,
    rail: bool = True,
    planned: bool = False,
    ferries: bool = False,
    classes: Collection[str] | None = None,
    speeds: Mapping[str, float] | None = None,
) -> WayMeaning:
    """Read the tags of a way.

    Parameters
    ----------
    tags
        Its tags.
    rail
        Whether railways are wanted.
    planned
        Whether roads and railways under construction or proposed are wanted.
    ferries
        Whether ferries that take cars are wanted.
    classes
        Values of ``highway`` that are wanted, :data:`DRIVABLE` if not given.
    speeds
        Speeds by ``highway`` or ``railway`` value, km/h, where none is posted; they come before
        :data:`ASSUMED_KMH`.
    """
    highway, railway, status = tags.get("highway", ""), tags.get("railway", ""), "已建成"
    if highway not in DRIVABLE and railway not in _TRACKS:
        plan = _plan(tags)
        if plan is not None:
            key, future, status = plan
            if key == "railway" and not rail:
                return WayMeaning(dropped="rail_unwanted")
            if not planned:
                return WayMeaning(dropped="construction" if status == "在建" else "proposed")
            highway, railway = (future, "") if key == "highway" else ("", future)
            if highway not in DRIVABLE and railway not in _TRACKS:
                return WayMeaning(dropped="planned_class_unknown")
    if highway in DRIVABLE or (classes is not None and highway in classes):
        return _road(tags, highway, status, classes, speeds or {})
    if railway:
        if not rail:
            return WayMeaning(dropped="rail_unwanted")
        return _track(tags, railway, status, speeds or {})
    if tags.get("route") == "ferry" or tags.get("ferry") == "yes":
        return _ferry(tags, ferries, speeds or {})
    if highway:
        return WayMeaning(dropped="dead" if highway in _DEAD else "not_for_cars")
    return WayMeaning(dropped="no_way")


def _plan(tags: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Give the key, the future value and the status of a way that is not open yet."""
    for word, status in _PLANS.items():
        for key in ("highway", "railway"):
            if tags.get(key) == word:
                return key, tags.get(word, ""), status
            if f"{word}:{key}" in tags and key not in tags:
                return key, tags[f"{word}:{key}"], status
    return None


def _road(
    tags: Mapping[str, str],
    value: str,
    status: str,
    classes: Collection[str] | None,
    speeds: Mapping[str, float],
) -> WayMeaning:
    notes: list[str] = []
    if tags.get("area") == "yes":
        return WayMeaning(dropped="area")
    if classes is not None and value not in classes:
        return WayMeaning(dropped="class_unwanted")
    if tags.get("service") in _NOT_THROUGH and value == "service":
        return WayMeaning(dropped="service_driveway")
    is_open, note = access_of(tags)
    if note:
        notes.append(note)
    if not is_open:
        return WayMeaning(dropped="access", notes=tuple(notes))
    direction, note = direction_of(tags, value)
    if note:
        notes.append(note)
    conditional = [key for key in tags if key.endswith(":conditional")]
    for key in conditional:
        what = next((one for one in ("maxspeed", "oneway") if key.startswith(one)), "access")
        if what != "access" or key.split(":")[0] in _ACCESS:
            notes.append(f"conditional_{what}")
    forward, backward, speed_notes = _limits(tags, FASTEST_ROAD_KMH)
    notes += speed_notes
    assumed = False
    if forward is None and backward is None:
        forward = backward = speeds.get(value, ASSUMED_KMH.get(value))
        assumed = forward is not None
    return WayMeaning(
        mode="road",
        kind=road_class(tags, value),
        value=value,
        ref=tags.get("ref", ""),
        name=_name(tags),
        direction=direction,
        forward_kmh=forward if direction >= 0 else None,
        backward_kmh=backward if direction <= 0 else None,
        assumed=assumed,
        status=status,
        open_year=_year(tags.get("start_date", "")) if status == "已建成" else None,
        planned_year=_year(tags.get("opening_date", "")) if status != "已建成" else None,
        notes=tuple(dict.fromkeys(notes)),
    )


def _limits(
    tags: Mapping[str, str], fastest: float
) -> tuple[float | None, float | None, list[str]]:
    """Limits in the two senses of a way; ``maxspeed:type`` where no number is given."""
    notes: list[str] = []

    def read(*keys: str) -> float | None:
        for key in keys:
            if key in tags:
                speed = maxspeed_kmh(tags[key], fastest)
                if speed.note and speed.note not in notes:
                    notes.append(speed.note)
                if speed.kmh is not None:
                    return speed.kmh
        return None

    common = read("maxspeed")
    if common is None:
        for key in ("maxspeed:type", "source:maxspeed", "zone:maxspeed"):
            # These may say other things as well ("sign"), so only what is a zone is taken
            speed = maxspeed_kmh(tags.get(key, ""), fastest)
            if speed.kmh is not None and not tags[key].strip().isdigit():
                common = speed.kmh
                break
    forward, backward = read("maxspeed:forward"), read("maxspeed:backward")
    return (
        common if forward is None else forward,
        common if backward is None else backward,
        notes,
    )


def _track(
    tags: Mapping[str, str], value: str, status: str, speeds: Mapping[str, float]
) -> WayMeaning:
    if value in _DEAD:
        return WayMeaning(dropped="dead")
    if value in {"station", "halt"}:
        return WayMeaning(dropped="station_area", mode="rail", value=value, name=_name(tags))
    if tags.get("service") in _SIDINGS:
        return WayMeaning(dropped="siding")
    if value not in _TRACKS:
        return WayMeaning(dropped="no_track")
    if tags.get("area") == "yes":
        return WayMeaning(dropped="area")
    if tags.get("usage") in _NO_PASSENGERS:
        return WayMeaning(dropped="no_passengers")
    forward, backward, notes = _limits(tags, FASTEST_RAIL_KMH)
    known = [one for one in (forward, backward) if one is not None]
    fastest = max(known) if known else None
    assumed = fastest is None and value in speeds
    if assumed:
        forward = backward = speeds[value]
    # A double track is two ways with a preferred sense; trains are held to it by their timetable
    return WayMeaning(
        mode="rail",
        kind=rail_class(tags, value, fastest),
        value=value,
        ref=tags.get("ref", ""),
        name=_name(tags),
        forward_kmh=fastest if not assumed else forward,
        backward_kmh=fastest if not assumed else backward,
        assumed=assumed,
        status=status,
        open_year=_year(tags.get("start_date", "")) if status == "已建成" else None,
        planned_year=_year(tags.get("opening_date", "")) if status != "已建成" else None,
        notes=tuple(notes),
    )


def _ferry(tags: Mapping[str, str], wanted: bool, speeds: Mapping[str, float]) -> WayMeaning:
    if not wanted:
        return WayMeaning(dropped="ferry")
    is_open, note = access_of(tags)
    carries = any(tags.get(key) in _OPEN for key in ("motorcar", "motor_vehicle", "vehicle"))
    if not is_open or not (carries or tags.get("ferry") in DRIVABLE):
        return WayMeaning(dropped="ferry_without_cars")
    forward, backward, notes = _limits(tags, FASTEST_ROAD_KMH)
    duration = _duration_min(tags.get("duration", ""))
    assumed = forward is None and backward is None and duration is None
    if assumed:
        forward = backward = speeds.get("ferry", ASSUMED_KMH["ferry"])
    direction, oneway_note = direction_of(tags, "ferry")
    notes += [one for one in (note, oneway_note) if one]
    return WayMeaning(
        mode="road",
        kind="connector",
        value="ferry",
        ref=tags.get("ref", ""),
        name=_name(tags),
        direction=direction,
        forward_kmh=forward,
        backward_kmh=backward,
        assumed=assumed,
        duration_min=duration,
        notes=tuple(notes),
    )


def _duration_min(text: str) -> float | None:
    """Minutes of ``"00:15"``, ``"1:05:00"``, ``"20"`` or ``"PT20M"``; None if unreadable."""
    text = text.strip()
    clock = re.fullmatch(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", text)
    if clock:
        minutes = int(clock[1]) * 60 + int(clock[2]) + int(clock[3] or 0) / 60
    elif iso := re.fullmatch(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?", text):
        minutes = int(iso[1] or 0) * 60 + int(iso[2] or 0)
    elif text.isascii() and text.isdigit() and len(text) < 5:
        minutes = float(text)
    else:
        return None
    return float(minutes) if minutes > 0 else None


def _name(tags: Mapping[str, str]) -> str:
    """Give the Chinese name if there is one of its own, else the local one."""
    return tags.get("name:zh") or tags.get("name") or ""


def _year(text: str) -> int | None:
    found = _YEAR.fullmatch(text.strip())
    return int(found[1]) if found else None
