"""Speed profiles: how lengths become time, with the source of each number."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from urbangeo.errors import NetworkError, UnknownNameError

__all__ = [
    "LINK_CLASSES",
    "RAIL_CLASSES",
    "ROAD_CLASSES",
    "TERRAINS",
    "AccessRule",
    "BoardingRule",
    "CarRule",
    "Profile",
    "TerrainRule",
]

ROAD_CLASSES = ("expressway", "national", "provincial", "county", "urban", "connector")
RAIL_CLASSES = ("hsr", "intercity", "conventional", "suburban", "metro")
LINK_CLASSES = (*ROAD_CLASSES, *RAIL_CLASSES)
TERRAINS = ("plain", "hill", "mountain", "gorge")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A leg off the network: speed, circuity, longest distance that is bridged."""

    kmh: float
    circuity: float
    max_km: float

    @property
    def ms_per_m(self) -> float:
        """Milliseconds for each metre of the straight line."""
        return self.circuity * 3600.0 / self.kmh


@dataclass(frozen=True, slots=True)
class CarRule:
    """Minutes that changing to and from the car takes; 0 where a profile states none.

    Attributes
    ----------
    drop_off_min, pick_up_min
        Between the road and a station's door, before and after a ride by rail.
    park_min
        At the end of a way that ends by car.
    """

    drop_off_min: float = 0.0
    pick_up_min: float = 0.0
    park_min: float = 0.0


@dataclass(frozen=True, slots=True)
class TerrainRule:
    """How much longer and slower roads are in a terrain, by class; factors, 1 where none is given.

    They apply to what the class gives: a stated length or speed has its terrain in it already.
    """

    sinuosity: Mapping[str, float]
    speed: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BoardingRule:
    """What it costs to board, leave and change trains of one class; minutes.

    ``wait_share`` of the headway is waited for, at most ``wait_cap_min``: 0.5 is the mean wait for
    regular trains, and 0.9 the wait that nine in ten do not exceed.
    """

    entry_min: float
    exit_min: float
    transfer_min: float
    wait_share: float
    wait_cap_min: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A named set of speeds and rules; immutable.

    Attributes
    ----------
    name, title
        Key, and title in Chinese.
    sinuosity
        Real length over straight line, by link class.
    road_kmh
        Speed by road class, km/h.
    stated_share
        Share of the speed that a link states (its limit) that is really driven.
    access
        Rule for legs off the network by car.
    walk
        Rule for walking, on the network's roads and off them; None if the profile has none.
    car
        Minutes at the car's door.
    terrain
        Rules by terrain.
    rail
        Boarding rule by rail class.
    """

    name: str
    title: str
    source: str
    sinuosity: Mapping[str, float]
    road_kmh: Mapping[str, float]
    stated_share: float
    access: AccessRule
    rail: Mapping[str, BoardingRule]
    walk: AccessRule | None = None
    car: CarRule = CarRule()
    terrain: Mapping[str, TerrainRule] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, name: str | None = None) -> Profile:
        """Read one profile from a ``profiles.toml``.

        Parameters
        ----------
        path
            The file: ``default``, ``[sinuosity]`` and one table for each profile;
            ``base = "other"`` takes over what a profile does not state.
        name
            Profile to read; the file's ``default`` if not given.

        Raises
        ------
        UnknownNameError
            If the file has no such profile.
        NetworkError
            If a number is missing, not positive, or of an unknown class.
        """
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise NetworkError(
                f"There is no {path}: a network needs its speeds. Copy the bundled "
                "layers/network/profiles.toml and change what differs."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise NetworkError(f"{path} is not TOML in UTF-8: {error}.") from error
        names = [
            key
            for key, value in content.items()
            if isinstance(value, dict) and key not in ("sinuosity", "terrain")
        ]
        chosen = content.get("default", "") if name is None else name
        if chosen not in names:
            raise UnknownNameError("speed profile", str(chosen), names, f"File: {path}.")
        table = _with_base(content, chosen, path, ())
        findings: list[str] = []
        sinuosity = _numbers(content.get("sinuosity", {}), LINK_CLASSES, "sinuosity", findings)
        findings += [
            f"sinuosity.{key} is {value}; a line cannot be shorter than its chord (>= 1)"
            for key, value in sinuosity.items()
            if value < 1
        ]
        road = _numbers(table.get("road_kmh", {}), ROAD_CLASSES, f"{chosen}.road_kmh", findings)
        access = _rule(AccessRule, table.get("access", {}), f"{chosen}.access", findings)
        walk = None
        if "walk" in table:
            walk = _rule(AccessRule, table["walk"], f"{chosen}.walk", findings)
        for key, one in (("access", access), ("walk", walk)):
            if one is not None and one.circuity < 1:
                findings.append(
                    f"{chosen}.{key}.circuity is {one.circuity}; at least 1 is expected"
                )
        known = tuple(CarRule.__dataclass_fields__)
        car = CarRule(**_numbers(table.get("car", {}), known, f"{chosen}.car", findings, zero=True))
        terrain = _terrain(content.get("terrain", {}), findings)
        unknown = set(table) - _PROFILE_KEYS
        findings += [
            f"{chosen}.{key}: unknown key; known: {', '.join(sorted(_PROFILE_KEYS))}"
            for key in sorted(unknown)
        ]
        rail: dict[str, BoardingRule] = {}
        for key, rule in table.get("rail", {}).items():
            if key not in RAIL_CLASSES:
                findings.append(f"{chosen}.rail.{key}: unknown class; known: {RAIL_CLASSES}")
                continue
            made = _rule(BoardingRule, rule, f"{chosen}.rail.{key}", findings)
            if made is not None:
                rail[key] = made
        share = table.get("stated_share", 1.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            findings.append(
                f"{chosen}.stated_share is {share!r}; above 0 and at most 1 is expected"
            )
        if findings or access is None:
            raise NetworkError(f"Profile {chosen!r} in {path}: " + "; ".join(findings))
        return cls(
            name=chosen,
            title=str(table.get("title", chosen)),
            source=str(table.get("source", "")),
            sinuosity=MappingProxyType(sinuosity),
            road_kmh=MappingProxyType(road),
            stated_share=float(share),
            access=access,
            rail=MappingProxyType(rail),
            walk=walk,
            car=car,
            terrain=MappingProxyType(terrain),
        )

    def as_text(self) -> str:
        """Give all numbers in a fixed order, for the network's digest."""
        parts = [self.name, repr(self.access), repr(self.stated_share)]
        parts += [repr(self.walk), repr(self.car)]
        for mapping in (self.sinuosity, self.road_kmh, self.rail):
            parts += [f"{key}={mapping[key]!r}" for key in sorted(mapping)]
        for key in sorted(self.terrain):
            rule = self.terrain[key]
            parts += [f"{key}: {sorted(rule.sinuosity.items())} {sorted(rule.speed.items())}"]
        return ";".join(parts)


_PROFILE_KEYS = {"title", "base", "source", "stated_share"} | {
    *("road_kmh", "access", "walk", "car", "rail"),
}

RuleT = TypeVar("RuleT", AccessRule, BoardingRule)


def _terrain(table: Any, findings: list[str]) -> dict[str, TerrainRule]:
    """Check the table of terrains: factors by class for sinuosity and speed."""
    if not isinstance(table, Mapping):
        findings.append(f"terrain is {table!r}; a table is expected")
        return {}
    rules = {}
    for key, rule in table.items():
        if key not in TERRAINS:
            findings.append(f"terrain.{key}: unknown terrain; known: {', '.join(TERRAINS)}")
            continue
        parts = {
            part: _numbers(rule.get(part, {}), ROAD_CLASSES, f"terrain.{key}.{part}", findings)
            for part in ("sinuosity", "speed")
        }
        findings += [
            f"terrain.{key}.{part}: unknown key; known: sinuosity, speed"
            for part in sorted(set(rule) - set(parts))
        ]
        rules[key] = TerrainRule(*(MappingProxyType(one) for one in parts.values()))
    return rules


def _with_base(
    content: Mapping[str, Any], name: str, path: str | Path, seen: tuple[str, ...]
) -> dict[str, Any]:
    """Merge a profile onto the one it is based on."""
    if name in seen:
        raise NetworkError(f"Profiles in {path} are based on each other: {' -> '.join(seen)}")
    table = dict(content[name])
    base = table.pop("base", None)
    if base is None:
        return table
    if not isinstance(content.get(base), dict):
        raise UnknownNameError("base profile", str(base), [k for k in content if k != "default"])
    return _merge(_with_base(content, base, path, (*seen, name)), table)


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = (
            _merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
        )
    return merged


def _numbers(
    table: Mapping[str, Any],
    known: tuple[str, ...],
    where: str,
    findings: list[str],
    *,
    zero: bool = False,
) -> dict[str, float]:
    """Check a table of positive numbers by class; 0 too where ``zero`` allows it."""
    numbers: dict[str, float] = {}
    if not isinstance(table, Mapping):
        findings.append(f"{where} is {table!r}; a table is expected")
        return numbers
    for key, value in table.items():
        if key not in known:
            findings.append(f"{where}.{key}: unknown class; known: {', '.join(known)}")
        elif (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value < 1e6
            or (value == 0 and not zero)
        ):
            findings.append(f"{where}.{key} is {value!r}; a positive number is expected")
        else:
            numbers[key] = float(value)
    return numbers


def _rule(
    kind: type[RuleT], table: Mapping[str, Any], where: str, findings: list[str]
) -> RuleT | None:
    """Make a rule of positive numbers, or note what is wrong."""
    fields = tuple(kind.__dataclass_fields__)
    numbers = _numbers(table, fields, where, findings)
    missing = [field for field in fields if field not in numbers]
    if missing:
        findings.append(f"{where} lacks {', '.join(missing)}")
        return None
    return kind(**numbers)
