"""Stations of OpenStreetMap at their tracks.

A station is drawn as a node beside its tracks or as an area around them, and mostly touches none.
It is put at the nearest node of a track of its sort, if that is not too far.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from urbangeo.network.osmelements import Tags

__all__ = ["Stations", "stations_at_tracks"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_REACH_M = 1000.0
_URBAN_KEYS = ("subway", "light_rail", "monorail")
_URBAN_STATIONS = frozenset({*_URBAN_KEYS, "tram"})
_EARTH_M = 6371008.8


@dataclass(frozen=True, eq=False)
class Stations:
    """Where stations are on the tracks.

    Attributes
    ----------
    names
        Name of the station at each node of a track that is nearest to one.
    dropped, repaired
        Stations that were left out or put together, counted by reason.
    snapping
        How many found a track, and how far it was, metres.
    """

    names: Mapping[int, str]
    dropped: Mapping[str, int]
    repaired: Mapping[str, int]
    snapping: Mapping[str, float]


def stations_at_tracks(
    points: Iterable[tuple[Tags, float, float]],
    areas: Iterable[tuple[Tags, Floats]],
    xy: Floats,
    main: Ints,
    urban: Ints,
) -> Stations:
    """Put stations at the nearest node of a track of their sort.

    Parameters
    ----------
    points
        Tags, longitude and latitude of stations that are drawn as nodes.
    areas
        Tags and corners of those that are drawn as areas.
    xy
        Longitude and latitude of all nodes, degrees.
    main, urban
        Nodes of the tracks of trains, and of those of metros and trams.
    """
    places, twins = _places(points, areas)
    dropped: Counter[str] = Counter()
    repaired = Counter({"station_merged": twins})
    names: dict[int, list[str]] = {}
    apart: list[float] = []
    for is_urban, nodes in ((False, main), (True, urban)):
        wanted = [one for one in places if _is_urban(one[0]) == is_urban]
        if not wanted:
            continue
        if not len(nodes):
            dropped["station_no_track"] += len(wanted)
            continue
        from scipy.spatial import cKDTree

        chord, at = cKDTree(_on_sphere(xy[nodes])).query(
            _on_sphere(np.array([place for _, place in wanted]))
        )
        for (tags, _), metres, row in zip(wanted, chord * _EARTH_M, at, strict=True):
            if metres > _REACH_M:
                dropped["station_far"] += 1
                continue
            apart.append(float(metres))
            there = names.setdefault(int(nodes[row]), [])
            if there:
                repaired["station_merged"] += 1
            name = tags.get("name:zh") or tags.get("name") or ""
            if name not in there:
                there.append(name)
    joined = {node: "、".join(filter(None, there)) for node, there in names.items()}
    return Stations(joined, dropped, repaired, _snapping(len(places), apart))


def _places(
    points: Iterable[tuple[Tags, float, float]], areas: Iterable[tuple[Tags, Floats]]
) -> tuple[list[tuple[Tags, Floats]], int]:
    """Tags and place of each station, and how many areas are left out.

    An area is left out where a node of its name and sort, near its middle, stands for the same
    station.
    """
    places = [(tags, np.array([lon, lat])) for tags, lon, lat in points]
    namesakes: dict[tuple[str, bool], list[Floats]] = {}
    for tags, place in places:
        namesakes.setdefault((tags.get("name", ""), _is_urban(tags)), []).append(place)
    twins = 0
    for tags, corners in areas:
        middle = corners.mean(axis=0)
        others = namesakes.get((tags.get("name", ""), _is_urban(tags)))
        if others and _nearest_m(middle, np.array(others)) < 2 * _REACH_M:
            twins += 1
        else:
            places.append((tags, middle))
    return places, twins


def _snapping(number: int, apart: list[float]) -> dict[str, float]:
    if not number:
        return {}
    made: dict[str, float] = {"snapped": len(apart), "unsnapped": number - len(apart)}
    if apart:
        made |= {
            "median_m": float(np.median(apart)),
            "p90_m": float(np.quantile(apart, 0.9)),
            "max_m": max(apart),
        }
    return made


def _is_urban(tags: Mapping[str, str]) -> bool:
    """Tell whether a station is one of metro, light rail or tram."""
    return tags.get("station", "") in _URBAN_STATIONS or "yes" in {
        tags.get(key, "") for key in _URBAN_KEYS
    }


def _on_sphere(lonlat: Floats) -> Floats:
    lon, lat = np.radians(lonlat[:, 0]), np.radians(lonlat[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _nearest_m(place: Floats, others: Floats) -> float:
    chords = np.linalg.norm(_on_sphere(others) - _on_sphere(place[None]), axis=1)
    return float(chords.min() * _EARTH_M)
