"""The fastest way of one place, told as legs: which road, which train, how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        ``access`` (off the network), ``road``, ``walk`` or ``rail``.
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
    along = np.array(vertices)
    arcs = _arcs(graph, along[:-1], along[1:])
    columns = (graph.kind[arcs], graph.item[arcs], along[:-1], along[1:], graph.cost_ms[arcs])
    pieces += zip(*(one.tolist() for one in columns), strict=True)
    pieces += _snap_pieces(snaps, last, vertices[-1], starting=False)
    return _tell(net, graph, pieces, names)


def _arcs(graph: Graph, tail: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the arcs between pairs of vertices, all of which there are."""
    arcs = graph.indptr[tail]
    todo = np.flatnonzero(graph.heads[arcs] != head)
    while len(todo):  # as often as a vertex has arcs: few
        arcs[todo] += 1
        todo = todo[graph.heads[arcs[todo]] != head[todo]]
    return arcs


_OFF, _OFF_ON_FOOT, _PARKING = -1, -2, -3  # kinds of pieces that are no arcs
_Piece = tuple[int, int, int, int, int]  # kind, item, tail and head (-1: none), milliseconds


def _snap_pieces(snaps: Snaps, way: int, vertex: int, *, starting: bool) -> list[_Piece]:
    """The pieces between a place and its first or last vertex, in the order of travel."""
    foot = bool(snaps.foot[way])
    total = int(snaps.out_ms[way] if starting else snaps.in_ms[way])
    leg, link = int(snaps.leg_ms[way]), int(snaps.link[way])
    park = 0 if starting or foot else snaps.park_ms
    metres = round(float(snaps.leg_m[way]))
    pieces: list[_Piece] = []
    if park:
        pieces.append((_PARKING, 0, vertex, vertex, park))
    if leg:
        pieces.append((_OFF_ON_FOOT if foot else _OFF, metres, vertex, vertex, leg))
    if total > leg + park:
        kind = int(ArcKind.WALK if foot else ArcKind.ROAD)
        # along the link to the vertex or from it; the other end is no vertex
        ends = (-1, vertex) if starting else (vertex, -1)
        pieces.append((kind, link, *ends, total - leg - park))
    return pieces if starting else pieces[::-1]


def _tell(net: Network, graph: Graph, pieces: Sequence[_Piece], ends: tuple[str, str]) -> Route:
    """Join pieces of one road or one train into legs."""
    tables = net._tables
    names, refs, roads, kinds = _words(net)
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

    n_nodes, n_streets = graph.n_nodes, graph.n_streets
    titles: dict[int, str] = net.derived("road titles", (), dict)  # told once for each link

    def passed(vertex: int) -> str:
        return str(names[vertex % n_nodes]) if vertex < n_streets else ""

    def title_of(link: int) -> str:
        if link not in titles:
            row = {"ref": refs[link], "name": roads[link], "class": kinds[link]}
            titles[link] = road_name(row)
        return titles[link]

    for kind, item, tail, head, ms in pieces:
        if kind == _PARKING:
            close()
            other_ms += ms
            legs.append(Leg("access", "停车", place, "", ms / MS, 0.0))
        elif kind in (_OFF, _OFF_ON_FOOT):
            close()
            mode, name = ("road", "接驳") if kind == _OFF else ("walk", "步行接驳")
            road_ms, other_ms = _counted(kind == _OFF, ms, road_ms, other_ms)
            km = item * net.street_rules((mode,))[mode].circuity / 1000.0
            legs.append(Leg("access", name, place, "", ms / MS, km))
        elif kind in (ArcKind.ROAD, ArcKind.WALK):
            mode = "road" if kind == ArcKind.ROAD else "walk"
            road_ms, other_ms = _counted(mode == "road", ms, road_ms, other_ms)
            share = 1.0
            if tail < 0 or head < 0:
                backward = (
                    tail % n_nodes == tables.head[item]
                    if tail >= 0
                    else head % n_nodes == tables.tail[item]
                )
                there, back = net.link_ms(np.array([item]), mode)
                share = min(1.0, ms / float(back[0] if backward else there[0]))
                tail = head = max(tail, head)
            place = passed(tail) or place
            title = title_of(item) if mode == "road" else f"步行 {title_of(item)}"
            if current is None or current["mode"] != mode or current["name"] != title:
                close()
                current = {
                    "mode": mode,
                    "name": title,
                    "start": place,
                    "end": "",
                    "minutes": 0.0,
                    "km": 0.0,
                }
            current["minutes"] += ms / MS
            current["km"] += share * net.length_m[item] / 1000.0
            reached = passed(head)
            if reached:
                place = current["end"] = reached
        else:
            close()
            other_ms += ms
            boarding.append((kind, item, tail, head, ms))
            if kind == ArcKind.EXIT:
                legs += _train_legs(net, graph, boarding)
                place = legs[-1].end
                boarding = []
    close()
    if legs:
        legs[0] = replace(legs[0], start=ends[0] or legs[0].start)
        legs[-1] = replace(legs[-1], end=ends[1] or legs[-1].end)
    return Route(tuple(legs), road_ms, other_ms)


def _words(net: Network) -> tuple[NDArray[np.object_], ...]:
    """Names of nodes; numbers, names and classes of links: for looking up one by one."""

    def make() -> tuple[NDArray[np.object_], ...]:
        t = net._tables
        columns = [t.nodes["name"], *(t.links[one] for one in ("ref", "name", "class"))]
        return tuple(one.to_numpy(dtype=object) for one in columns)

    return net.derived("words of legs", (), make)


def _counted(by_car: bool, ms: int, road_ms: int, other_ms: int) -> tuple[int, int]:
    return (road_ms + ms, other_ms) if by_car else (road_ms, other_ms + ms)


def _train_legs(net: Network, graph: Graph, pieces: Sequence[_Piece]) -> list[Leg]:
    """Legs of one visit to the railway, a leg for each train."""
    rides = graph.rides
    assert rides is not None
    station = _words(net)[0]
    legs: list[Leg] = []
    start, minutes, title, end = "", 0.0, "", ""
    for kind, item, _tail, _head, ms in pieces:
        minutes += ms / MS
        if kind == ArcKind.RIDE:
            start, end = str(station[rides.board[item]]), str(station[rides.alight[item]])
            title = rides.title(item)
        elif kind in (ArcKind.TRANSFER, ArcKind.EXIT):
            legs.append(Leg("rail", title, start, end, minutes, float("nan")))
            minutes = 0.0
    return legs


def road_name(link: Any) -> str:
    """Number and name of a road, or what kind it is where it has neither."""
    # Where several routes share a road, the first is the one by which it is known.
    ref, name = (str(link[column]).split(";")[0] for column in ("ref", "name"))
    if ref and name and name not in (f"国道{ref[1:]}", f"省道{ref[1:]}"):
        return f"{ref} {name}"
    return ref or name or CLASS_NAMES.get(str(link["class"]), str(link["class"]))


def brief_legs(legs: Sequence[Leg]) -> str:
    """Name the roads and trains of a way, without what only leads to them."""
    names = []
    for leg in legs:
        if leg.mode == "rail":
            names.append(f"{leg.name}（{leg.start}—{leg.end}）")
        elif leg.mode in ("road", "walk") and not leg.name.endswith(CLASS_NAMES["connector"]):
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
