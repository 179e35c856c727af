"""Speed profiles: how lengths become time, with the source of each number."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from urbangeo.errors import NetworkError, UnknownNameError

__all__ = ["LINK_CLASSES", "RAIL_CLASSES", "ROAD_CLASSES", "AccessRule", "BoardingRule", "Profile"]

ROAD_CLASSES = ("expressway", "national", "provincial", "county", "urban", "connector")
RAIL_CLASSES = ("hsr", "intercity", "conventional", "suburban", "metro")
LINK_CLASSES = (*ROAD_CLASSES, *RAIL_CLASSES)


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The leg between a place and the network: speed, circuity, longest distance."""

    kmh: float
    circuity: float
    max_km: float

    def milliseconds(self, metres: float) -> int:
        """Time of a leg whose straight line is ``metres`` long, in whole milliseconds."""
        return round(metres * self.circuity * 3600.0 / self.kmh)


@dataclass(frozen=True, slots=True)
class BoardingRule:
    """What it costs to board, leave and change trains of one class; minutes."""

    entry_min: float
    exit_min: float
    transfer_min: float
    wait_share: float
    wait_cap_min: float

    def wait_min(self, headway_min: float) -> float:
        """Expected wait for a service of this headway: a share of it, capped."""
        return min(self.wait_share * headway_min, self.wait_cap_min)


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
        Rule for legs off the network.
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
            key for key, value in content.items() if isinstance(value, dict) and key != "sinuosity"
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
        if access is not None and access.circuity < 1:
            findings.append(
                f"{chosen}.access.circuity is {access.circuity}; at least 1 is expected"
            )
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
        )

    def as_text(self) -> str:
        """Give all numbers in a fixed order, for the network's digest."""
        parts = [self.name, repr(self.access), repr(self.stated_share)]
        for mapping in (self.sinuosity, self.road_kmh, self.rail):
            parts += [f"{key}={mapping[key]!r}" for key in sorted(mapping)]
        return ";".join(parts)


RuleT = TypeVar("RuleT", AccessRule, BoardingRule)


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
    table: Mapping[str, Any], known: tuple[str, ...], where: str, findings: list[str]
) -> dict[str, float]:
    """Check a table of positive numbers by class."""
    numbers: dict[str, float] = {}
    if not isinstance(table, Mapping):
        findings.append(f"{where} is {table!r}; a table is expected")
        return numbers
    for key, value in table.items():
        if key not in known:
            findings.append(f"{where}.{key}: unknown class; known: {', '.join(known)}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
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
