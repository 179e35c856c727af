"""The fastest way of one place, told as legs: which road, which train, how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from urbangeo.access.times import Search
from urbangeo.network.graph import MS, ArcKind, Graph
from urbangeo.network.network import Network
from urbangeo.network.snap import NEVER, Snaps

__all__ = ["CLASS_NAMES", "Leg", "Route", "brief_legs", "describe_legs", "road_name", "trace"]

CLASS_NAMES = {
    "expressway": "高速公路",
    "national": "国道",
    "provincial": "省道",
    "county": "县乡道",
    "urban": "城市道路",
    "connector": "连接线",
}


@dataclass(frozen=True)
class Leg:
    """One part of a way.

    Attributes
    ----------
    mode
        ``access`` (off the network), ``road`` or ``rail``.
    name
        Number and name of the road, or name of the service.
    start, end
        Names of the nodes between which it leads, empty where they have none.
    minutes
        Whole time, with entering, waiting, changing and leaving for rail.
    km
        Length, NaN for rail.
    """

    mode: str
    name: str
    start: str
    end: str
    minutes: float
    km: float

    def as_dict(self) -> dict[str, Any]:
        """Give the leg with the columns' public names."""
        row = asdict(self)
        row["from"], row["to"] = row.pop("start"), row.pop("end")
        row["minutes"] = round(self.minutes, 2)
        row["km"] = None if np.isnan(self.km) else round(self.km, 2)
        return row


@dataclass(frozen=True)
class Route:
    """A way: its legs in the order of travel, and its times.

    Attributes
    ----------
    legs
        In the order of travel.
    road_ms
        The part that scales with road speed: roads and legs off the network.
    other_ms
        The part that does not: rail.
    """

    legs: tuple[Leg, ...]
    road_ms: int
    other_ms: int

    def total_ms(self, factor: float) -> float:
        """Time of this way with road times multiplied by a factor."""
        return self.road_ms * factor + self.other_ms


def trace(
    net: Network,
    graph: Graph,
    found: Search,
    row: int,
    snaps: Snaps,
    centre: int,
    place: int,
    *,
    reverse: bool,
    names: tuple[str, str] = ("", ""),
) -> Route | None:
    """Follow the fastest way between a centre and a place.

    Parameters
    ----------
    net, graph, snaps
        The network, its graph, and how the points get onto it.
    found, row
        The search from the centre, with paths, and the centre's row in it.
    centre, place
        Rows of the two points in ``snaps``.
    reverse
        Whether the search ran towards the centre.
    names
        Names of where the way begins and ends, in the order of travel.

    Returns
    -------
    Route or None
        None if the place is not reached over the graph.
    """
    assert found.before is not None
    legs = snaps.out_ms if reverse else snaps.in_ms
    ways = np.flatnonzero((snaps.point == place) & (legs < NEVER))
    if not len(ways):
        return None
    totals = found.ms[row, snaps.vertex[ways]] + legs[ways]
    best = int(np.argmin(totals))
    if not np.isfinite(totals[best]):
        return None
    way = int(ways[best])
    chain = [int(snaps.vertex[way])]
    before = found.before[row]
    while 0 <= before[chain[-1]] < graph.n_vertices:
        chain.append(int(before[chain[-1]]))
    back = snaps.in_ms if reverse else snaps.out_ms
    ends = np.flatnonzero((snaps.point == centre) & (snaps.vertex == chain[-1]))
    end = int(ends[np.argmin(back[ends])])
    # `chain` runs from the place to the centre; travel runs the other way in a search from it.
    vertices = chain if reverse else chain[::-1]
    first, last = (way, end) if reverse else (end, way)
    pieces = [*_snap_pieces(snaps, first, vertices[0], starting=True)]
    for tail, head in pairwise(vertices):
        arc = graph.arc(tail, head)
        pieces.append(
            (int(graph.kind[arc]), int(graph.item[arc]), tail, head, int(graph.cost_ms[arc]))
        )
    pieces += _snap_pieces(snaps, last, vertices[-1], starting=False)
    return _tell(net, graph, pieces, names)


_OFF = -1  # kind of a piece off the network
_Piece = tuple[int, int, int, int, int]  # kind, item, tail, head, milliseconds


def _snap_pieces(snaps: Snaps, way: int, vertex: int, *, starting: bool) -> list[_Piece]:
    """The pieces between a place and its first or last vertex, in the order of travel."""
    total = int(snaps.out_ms[way] if starting else snaps.in_ms[way])
    leg, link = int(snaps.leg_ms[way]), int(snaps.link[way])
    metres = round(float(snaps.leg_m[way]))
    pieces: list[_Piece] = []
    if leg:
        pieces.append((_OFF, metres, vertex, vertex, leg))
    if total > leg:
        pieces.append((int(ArcKind.ROAD), link, vertex, vertex, total - leg))
    return pieces if starting else pieces[::-1]


def _tell(net: Network, graph: Graph, pieces: Sequence[_Piece], ends: tuple[str, str]) -> Route:
    """Join pieces of one road or one train into legs."""
    tables = net._tables
    names = tables.nodes["name"].to_numpy()
    speed, length = net.speed_kmh, net.length_m
    legs: list[Leg] = []
    road_ms = other_ms = 0
    boarding: list[_Piece] = []
    place = ""  # name of the last named node that was passed
    current: dict[str, Any] | None = None

    def close() -> None:
        nonlocal current
        if current is not None:
            legs.append(Leg(**current))
            current = None

    for kind, item, tail, head, ms in pieces:
        if kind == _OFF:
            close()
            road_ms += ms
            km = item * net.profile.access.circuity / 1000.0
            legs.append(Leg("access", "接驳", place, "", ms / MS, km))
        elif kind == ArcKind.ROAD:
            road_ms += ms
            if tail < graph.n_nodes and names[tail]:
                place = str(names[tail])
            title = road_name(tables.links.iloc[item])
            if current is None or current["mode"] != "road" or current["name"] != title:
                close()
                current = {
                    "mode": "road",
                    "name": title,
                    "start": place,
                    "end": "",
                    "minutes": 0.0,
                    "km": 0.0,
                }
            share = ms / max(1.0, length[item] * 3600.0 / speed[item])
            current["minutes"] += ms / MS
            current["km"] += share * length[item] / 1000.0
            if head < graph.n_nodes and names[head]:
                place = current["end"] = str(names[head])
        else:
            if current is not None and current["mode"] == "road":
                close()
            other_ms += ms
            boarding.append((kind, item, tail, head, ms))
            if kind == ArcKind.EXIT:
                legs += _train_legs(net, boarding)
                place = legs[-1].end
                boarding = []
    close()
    if legs:
        legs[0] = replace(legs[0], start=ends[0] or legs[0].start)
        legs[-1] = replace(legs[-1], end=ends[1] or legs[-1].end)
    return Route(tuple(legs), road_ms, other_ms)


def _train_legs(net: Network, pieces: Sequence[_Piece]) -> list[Leg]:
    """Legs of one visit to the railway, a leg for each train."""
    calls = net._tables.services
    station = dict(zip(net._tables.nodes["id"], net._tables.nodes["name"], strict=True))
    legs: list[Leg] = []
    start, minutes, title, end = "", 0.0, "", ""
    for kind, item, _tail, _head, ms in pieces:
        stop = str(station[calls["station"].iloc[item]])
        minutes += ms / MS
        if kind == ArcKind.WAIT:
            start, title = stop, str(calls["name"].iloc[item])
        elif kind == ArcKind.RIDE:
            end = stop
        elif kind in (ArcKind.TRANSFER, ArcKind.EXIT):
            legs.append(Leg("rail", title, start, end, minutes, float("nan")))
            minutes = 0.0
    return legs


def road_name(link: Any) -> str:
    """Number and name of a road, or what kind it is where it has neither."""
    # Where several routes share a road, the first is the one by which it is known.
    ref, name = (str(link[column]).split(";")[0] for column in ("ref", "name"))
    if ref and name:
        return f"{ref} {name}"
    return ref or name or CLASS_NAMES.get(str(link["class"]), str(link["class"]))


def brief_legs(legs: Sequence[Leg]) -> str:
    """Name the roads and trains of a way, without what only leads to them."""
    names = []
    for leg in legs:
        if leg.mode == "rail":
            names.append(f"{leg.name}（{leg.start}—{leg.end}）")
        elif leg.mode == "road" and not leg.name.endswith(CLASS_NAMES["connector"]):
            names.append(leg.name)
    told = [one for place, one in enumerate(names) if not place or one != names[place - 1]]
    return " → ".join(told or [leg.name for leg in legs])


def describe_legs(legs: Sequence[Leg]) -> str:
    """Tell a way in one line of Chinese."""
    told = []
    for leg in legs:
        span = (
            f"（{leg.start}—{leg.end}）" if leg.start and leg.end and leg.start != leg.end else ""
        )
        waiting = "（含进站候车）" if leg.mode == "rail" else ""
        told.append(f"{leg.name}{span} {leg.minutes:.0f} 分{waiting}")
    return " → ".join(told)
