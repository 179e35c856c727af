"""Ways from one place to another: the fastest, and others that are nearly as fast.

Alternatives are found by plateaux (Cambridge Vehicle Information Technology 2005): where the tree
of fastest ways from the origin and the tree of fastest ways to the destination run along the same
arcs, they form a plateau, and the fastest way through it is worth a look. It is offered if it
passes the three tests of Abraham, Delling, Goldberg and Werneck (2013): it takes hardly longer than
the fastest way, it shares little with the ways already offered, and its plateau is long, so that no
part of it is a detour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.entries import Entries, entries, needed
from urbangeo.access.legs import Leg, Route, describe_legs, road_name, trace
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.searches import Reached, reach
from urbangeo.access.times import Asked, Search, direct_pairs
from urbangeo.crs import GEOD
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import Snaps, snap_table

__all__ = ["Routes", "routes"]

MOST_SHARED = 0.8
"""An alternative shares at most this part of the fastest time with those before it."""

LEAST_PLATEAU = 0.25
"""An alternative's plateau is at least this part of the fastest time; both as the authors chose."""


@dataclass(frozen=True, eq=False)
class Routes:
    """Ways from an origin to a destination, the fastest first.

    Attributes
    ----------
    origin, destination
        Their names.
    ways
        Each with its ``legs``; empty if there is none.
    reason
        Why there is none, in Chinese; empty otherwise.
    net
        The network that was asked.
    """

    origin: str
    destination: str
    ways: tuple[Route, ...]
    reason: str
    net: Network

    def __len__(self) -> int:
        return len(self.ways)

    def __iter__(self) -> Iterator[Route]:
        return iter(self.ways)

    def __getitem__(self, number: int) -> Route:
        return self.ways[number]

    @property
    def minutes(self) -> list[float]:
        """Time of each way, minutes."""
        return [one.total_ms(1.0) / MS for one in self.ways]

    @property
    def table(self) -> pd.DataFrame:
        """Legs of all ways.

        Columns ``route`` and ``leg`` (from 1), ``mode``, ``name``, ``from``, ``to``, ``minutes``,
        ``km`` (NaN for rail).
        """
        columns = ["route", "leg", "mode", "name", "from", "to", "minutes", "km"]
        rows = [
            {
                "route": number,
                "leg": place,
                "mode": leg.mode,
                "name": leg.name,
                "from": leg.start,
                "to": leg.end,
                "minutes": leg.minutes,
                "km": leg.km,
            }
            for number, way in enumerate(self.ways, 1)
            for place, leg in enumerate(way.legs, 1)
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        """Tell each way in a line of Chinese."""
        title = f"{self.origin} → {self.destination}"
        if not self.ways:
            return f"{title}：{self.reason}"
        told = [
            f"{minutes:.0f} 分：{describe_legs(way.legs)}"
            for minutes, way in zip(self.minutes, self.ways, strict=True)
        ]
        return "\n".join([title, *told])


def routes(
    net: Network,
    origin: PlaceLike,
    destination: PlaceLike,
    alternatives: int = 0,
    *,
    within: float = 0.10,
    modes: Iterable[str] = MODES,
) -> Routes:
    """Find the fastest way from one place to another, and others that are nearly as fast.

    Parameters
    ----------
    net
        The network.
    origin, destination
        A name, a Place, ``(lon, lat)`` or a GeoDataFrame of one point.
    alternatives
        At most so many other ways; fewer if no others are worth it.
    within
        How much longer than the fastest an alternative may take, as a part of it; 0.1 is 10 %.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    Routes
        Each way with its legs: mode, name, minutes, km. Without any if there is no way.

    Raises
    ------
    InputError
        If there is more than one origin or destination, or a number cannot be used.
    UnknownNameError, AmbiguousNameError
        If a name is no place, or several.

    Notes
    -----
    Alternatives share at most 80 % of the fastest time with the ways before them, and follow their
    plateau for at least 25 % of it. Of those that do, the ones with the longest plateau for their
    time are taken; the same question always gives the same ways.

    References
    ----------
    Abraham, Delling, Goldberg and Werneck (2013), "Alternative routes in road networks", ACM
    Journal of Experimental Algorithmics 18.
    """
    check_network(net)
    chosen = check_modes(modes)
    if isinstance(alternatives, bool) or not isinstance(alternatives, int) or alternatives < 0:
        raise InputError(f"alternatives is {alternatives!r}; a whole number from 0 is expected.")
    good = isinstance(within, int | float) and not isinstance(within, bool)
    if not good or not 0 <= within <= 1:
        raise InputError(f"within is {within!r}; a part from 0 to 1 is expected, 0.1 for 10 %.")
    begin, end = _one(net, origin, "origin"), _one(net, destination, "destination")
    asked = Asked.of(net, begin, end, chosen)
    search = _Between(net, asked)
    ways = search.ways(alternatives, within)
    names = (str(begin["name"].iloc[0]), str(end["name"].iloc[0]))
    told = tuple(search.told(one, names) for one in ways)
    reason = "" if told else _why_not(net, begin, end, chosen)
    return Routes(*names, told, reason, net)


def _one(net: Network, place: PlaceLike, what: str) -> gpd.GeoDataFrame:
    points = as_points(place, what)
    if len(points) != 1:
        raise InputError(f"{what}: one place is expected, {len(points)} were given.")
    check_inside(points, net, what)
    return points


def _why_not(
    net: Network, begin: gpd.GeoDataFrame, end: gpd.GeoDataFrame, modes: tuple[str, ...]
) -> str:
    for points in (begin, end):
        row = snap_table(net, points.geometry, modes).iloc[0]
        if row["status"] not in ("snapped", "island"):
            return f"{points['name'].iloc[0]}：{row['reason']}"
    return "路网上不连通"


@dataclass(frozen=True)
class _Way:
    """A way over the graph, or, without vertices, past it."""

    ms: int
    vertices: tuple[int, ...]
    link: int = -1


class _Between:
    """The two searches between two places."""

    def __init__(self, net: Network, asked: Asked) -> None:
        self.net, self.asked = net, asked
        self.graph: Graph = asked.graph
        # without entries that only repeat what an arc does, no way is found twice
        self.starts: Entries = needed(
            self.graph, entries(asked.snaps, asked.begin, leaving=True), leaving=True
        )
        self.ends: Entries = needed(
            self.graph, entries(asked.snaps, asked.end, leaving=False), leaving=False
        )

    def ways(self, alternatives: int, within: float) -> list[_Way]:
        """The fastest way and alternatives to it."""
        best = self._fastest()
        direct = self._direct()
        found = [one for one in (best, direct) if one is not None]
        if not found:
            return []
        # where the graph is as fast, its way is told, which names the roads
        first = min(found, key=lambda one: one.ms)
        if not alternatives or best is None:
            return [first]
        chosen = [first]
        limit = math.floor(first.ms * (1 + within))
        for way, plateau in self._candidates(limit):
            if len(chosen) > alternatives:
                break
            if plateau < LEAST_PLATEAU * first.ms:
                continue
            if self._shared(way, chosen) <= MOST_SHARED * first.ms:
                chosen.append(way)
        return [first, *sorted(chosen[1:], key=lambda one: one.ms)]

    def _direct(self) -> _Way | None:
        one = self.asked
        _, _, ms, link = direct_pairs(
            self.net, self.graph.layers, one.snaps, one.lonlat, one.begin, one.end
        )
        return _Way(int(ms[0]), (), int(link[0])) if len(ms) else None

    def _fastest(self) -> _Way | None:
        found = reach(self.graph, self.starts, paths=True)
        ms, self._before = _spread(found)
        total = ms[self.ends.vertices] + self.ends.costs
        if not len(total) or not np.isfinite(total.min()):
            return None
        self._ms = ms
        last = int(self.ends.vertices[np.argmin(total)])
        return _Way(int(total.min()), self._from_origin(last))

    def _from_origin(self, vertex: int) -> tuple[int, ...]:
        return tuple(_chain(self._before, vertex, self.graph.n_vertices)[::-1])

    def _candidates(self, limit_ms: int) -> list[tuple[_Way, int]]:
        """Ways through plateaux, the best first, each with the time along its plateau."""
        n = self.graph.n_vertices
        found = reach(self.graph, self.ends, reverse=True, limit_ms=limit_ms, paths=True)
        to_go, after = _spread(found)
        total = self._ms + to_go
        near = total <= limit_ms
        inside = np.flatnonzero(near)
        follows = after[inside]
        on = inside[(follows >= 0) & (follows < n)]
        on = on[self._before[after[on]] == on]  # both trees take this arc
        follower = np.full(n, -1, dtype=np.int64)
        follower[on] = after[on]
        led = np.zeros(n, dtype=bool)
        led[after[on]] = True
        out = []
        for first in on[~led[on]].tolist():
            last = first
            while follower[last] >= 0:
                last = int(follower[last])
            plateau = int(self._ms[last] - self._ms[first])
            ms = int(total[first])
            head = self._from_origin(first)
            vertices = (*head, *_chain(after, first, n)[1:])
            if len(set(vertices)) == len(vertices):  # a way does not come by twice
                out.append((_Way(ms, vertices), plateau))
        return sorted(out, key=lambda one: (one[0].ms - one[1], one[0].ms, one[0].vertices))

    def _shared(self, way: _Way, others: list[_Way]) -> int:
        """Milliseconds that a way spends where others also lead."""
        known = {pair for one in others for pair in pairwise(one.vertices)}
        shared = [pair for pair in pairwise(way.vertices) if pair in known]
        ms = sum(int(self.graph.cost_ms[self.graph.arc(*pair)]) for pair in shared)
        for side, place in ((self.starts, 0), (self.ends, -1)):
            vertex = way.vertices[place]
            if any(one.vertices and one.vertices[place] == vertex for one in others):
                ms += int(side.costs[side.vertices == vertex].min())
        return ms

    # -- telling -----------------------------------------------------------------------------

    def told(self, way: _Way, names: tuple[str, str]) -> Route:
        """Tell a way as legs."""
        if not way.vertices:
            return self._told_direct(way, names)
        graph, asked = self.graph, self.asked
        ms = np.full((1, graph.n_vertices), np.inf)
        before = np.full((1, graph.n_vertices), -1, dtype=np.int32)
        last = way.vertices[-1]
        exits = self.ends.costs[self.ends.vertices == last]
        ms[0, last] = way.ms - int(exits.min())
        before[0, way.vertices[0]] = graph.n_vertices
        before[0, list(way.vertices[1:])] = way.vertices[:-1]
        route = trace(
            self.net,
            graph,
            Search(ms, before),
            0,
            asked.snaps,
            int(asked.begin[0]),
            int(asked.end[0]),
            reverse=False,
            names=names,
        )
        assert route is not None
        return route

    def _told_direct(self, way: _Way, names: tuple[str, str]) -> Route:
        """Tell a way that needs no vertex: along one road, or across."""
        net, snaps = self.net, self.asked.snaps
        if not way.ms:
            return Route((), 0, 0)
        if way.link < 0:
            return self._told_across(way, names)
        one, other = self._items(way)
        foot = bool(snaps.foot[one])
        mode = "walk" if foot else "road"
        park = 0 if foot else snaps.park_ms
        off, on = (int(snaps.leg_ms[row]) for row in (one, other))
        ride = way.ms - off - on - park
        km = abs(float(snaps.along[one] - snaps.along[other])) * net.length_m[way.link] / 1000.0
        title = road_name(net._tables.links.iloc[way.link])
        legs = [
            self._off(one, mode),
            Leg(mode, f"步行 {title}" if foot else title, "", "", ride / MS, float(km)),
            self._off(other, mode),
            Leg("access", "停车", "", "", park / MS, 0.0),
        ]
        return _ended([leg for leg in legs if leg.minutes > 0], names, way.ms, park, foot=foot)

    def _items(self, way: _Way) -> tuple[int, int]:
        """The two ways onto a link by which a direct way is as fast as it is."""
        snaps, asked = self.asked.snaps, self.asked
        here = snaps.at_tail & (snaps.link == way.link)
        for one in np.flatnonzero(here & (snaps.point == asked.begin[0])).tolist():
            for other in np.flatnonzero(here & (snaps.point == asked.end[0])).tolist():
                if snaps.foot[one] == snaps.foot[other] and _ride_ms(snaps, one, other) == way.ms:
                    return one, other
        raise AssertionError(way)

    def _off(self, item: int, mode: str) -> Leg:
        snaps = self.asked.snaps
        name = "接驳" if mode == "road" else "步行接驳"
        km = float(snaps.leg_m[item]) * self.net.street_rules((mode,))[mode].circuity / 1000.0
        return Leg("access", name, "", "", int(snaps.leg_ms[item]) / MS, km)

    def _told_across(self, way: _Way, names: tuple[str, str]) -> Route:
        asked, rules = self.asked, self.net.street_rules(self.graph.layers)
        ends = (*asked.lonlat[asked.begin[0]], *asked.lonlat[asked.end[0]])
        metres = np.array([GEOD.inv(*ends)[2]])
        for mode in rules:
            park = asked.snaps.park_ms if mode == "road" else 0
            if int(self.net.leg_ms(metres, mode)[0]) + park == way.ms:
                break
        name = "直达" if mode == "road" else "步行直达"
        km = float(metres[0]) * rules[mode].circuity / 1000.0
        legs = [
            Leg("access", name, "", "", (way.ms - park) / MS, km),
            Leg("access", "停车", "", "", park / MS, 0.0),
        ]
        told = [leg for leg in legs if leg.minutes > 0]
        return _ended(told, names, way.ms, park, foot=mode == "walk")


def _ended(legs: list[Leg], names: tuple[str, str], ms: int, park: int, *, foot: bool) -> Route:
    legs[0] = replace(legs[0], start=names[0])
    legs[-1] = replace(legs[-1], end=names[1])
    return Route(tuple(legs), 0 if foot else ms - park, ms if foot else park)


def _ride_ms(snaps: Snaps, one: int, other: int) -> int:
    """Milliseconds between two ways onto one link, with their legs and parking."""
    back = snaps.along[other] < snaps.along[one]
    whole = snaps.back_ms[one] if back else snaps.there_ms[one]
    ride = np.rint(abs(snaps.along[other] - snaps.along[one]) * whole)
    park = 0 if snaps.foot[one] else snaps.park_ms
    return int(snaps.leg_ms[one] + snaps.leg_ms[other] + ride + park)


def _spread(found: Reached) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times and vertices before of a single search, for every vertex."""
    assert found.before is not None
    ms = np.full(found.n_vertices, np.inf)
    before = np.full(found.n_vertices, -1, dtype=np.int64)
    ms[found.vertices], before[found.vertices] = found.ms, found.before
    return ms, before


def _chain(before: Any, vertex: int, n_vertices: int) -> list[int]:
    """Vertices from one to the beginning of its tree."""
    chain = [vertex]
    while 0 <= before[chain[-1]] < n_vertices:
        chain.append(int(before[chain[-1]]))
    return chain
