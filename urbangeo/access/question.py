"""What a commuting circle asks of the network, and the verdict on each place.

Inside is decided by time and never by a polygon: access leg, graph, egress leg, milliseconds,
compared with the cutoff (inclusive).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.access.legs import Leg, Route, road_name, trace
from urbangeo.access.surface import OnLink
from urbangeo.access.times import Direct, Search, arrivals, direct_times, search
from urbangeo.crs import looks_swapped
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import Network
from urbangeo.network.snap import Snaps, snap, snap_table

__all__ = ["ANSWERS", "Question"]

ANSWERS = (
    "status",
    "reason",
    "borderline",
    "centre",
    "minutes",
    "margin_min",
    "breakeven",
    "modes",
    "legs",
)


class Question:
    """One circle on its way from question to answer."""

    def __init__(
        self,
        net: Network,
        centres: gpd.GeoDataFrame,
        asked: gpd.GeoDataFrame,
        minutes: float,
        direction: str,
        modes: tuple[str, ...],
    ) -> None:
        self.net, self.centres, self.asked = net, centres, asked
        self.minutes, self.direction, self.modes = minutes, direction, modes
        self.cutoff_ms = round(minutes * MS)
        self.reverse = direction == "to"
        self.graph: Graph = net.graph(modes)
        self.near = np.arange(len(centres))
        self.far = len(centres) + np.arange(len(asked))
        self.gates: Snaps = snap(net, centres.geometry, modes)
        self._check_centres()

    @cached_property
    def points(self) -> gpd.GeoSeries:
        """The centres, then the places."""
        both = [np.asarray(one.geometry.array) for one in (self.centres, self.asked)]
        return gpd.GeoSeries(np.concatenate(both), crs=self.centres.crs)

    @cached_property
    def lonlat(self) -> NDArray[np.float64]:
        """Their longitude and latitude, degrees."""
        lonlat: NDArray[np.float64] = shapely.get_coordinates(np.asarray(self.points.array))
        return lonlat

    @cached_property
    def snaps(self) -> Snaps:
        """Ways of all of them onto the graph; the centres alone are in ``gates``."""
        return snap(self.net, self.points, self.modes)

    def _check_centres(self) -> None:
        lost = ~self.gates.snapped
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            apart = f"{self.gates.nearest_any_m[row] / 1000:.1f} km"
            raise InputError(
                f"centre {self.centres['name'].iloc[row]!r} lies "
                f"{apart} from the nearest road or station of "
                f"{self.net.facts.title}; at most {self.net.profile.access.max_km:g} km is "
                "bridged. Choose a centre nearer to it, or a network that covers it."
            )

    @cached_property
    def _found(self) -> Search:
        """The search over the whole graph, with its ways."""
        return search(self.graph, self.gates, self.near, reverse=self.reverse, paths=True)

    def _bounded(self, limit_ms: float) -> Search:
        """A search that ends at a limit, unless the whole one has been made already."""
        if "_found" in self.__dict__:
            return self._found
        return search(self.graph, self.gates, self.near, reverse=self.reverse, cutoff_ms=limit_ms)

    def vertex_ms(self, limit_min: float) -> NDArray[np.float64]:
        """Milliseconds between each vertex and its nearest centre, at least up to a limit."""
        fastest: NDArray[np.float64] = self._bounded(limit_min * MS).ms.min(axis=0)
        return fastest

    @cached_property
    def direct(self) -> Direct:
        """Ways between centres and places that need no vertex."""
        return self.direct_ways(self.graph.layers, self.snaps, self.far)

    def direct_ways(self, layers: tuple[str, ...], snaps: Snaps, far: NDArray[np.int64]) -> Direct:
        """Ways between the centres and some places that need no vertex; ``far`` are their rows."""
        return direct_times(
            self.net, layers, snaps, self.lonlat, self.near, far, reverse=self.reverse
        )

    @cached_property
    def direct_on_foot(self) -> NDArray[np.float64]:
        """Times of ways on foot that need no vertex; infinite where walking is not asked for."""
        if "walk" not in self.graph.layers:
            return np.full((len(self.near), len(self.far)), np.inf)
        return self.direct_ways(("walk",), _only(self.snaps, self.snaps.foot), self.far).ms

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Milliseconds between centres and places, shape (centres, places)."""
        over_graph = arrivals(self._found, self.snaps, self.far, reverse=self.reverse)
        return np.minimum(over_graph, self.direct.ms)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Row of the nearest centre of each place; the first of equals."""
        nearest: NDArray[np.int64] = np.argmin(self.times, axis=0)
        return nearest

    @property
    def _best(self) -> NDArray[np.float64]:
        fastest: NDArray[np.float64] = self.times.min(axis=0)
        return fastest

    def _own_columns(self) -> gpd.GeoDataFrame:
        """The places as given, but for columns that would be taken for answers."""
        clash = {one: f"{one}_given" for one in ANSWERS if one in self.asked.columns}
        return self.asked.rename(columns=clash) if clash else self.asked

    def inside(self) -> gpd.GeoDataFrame:
        """Places inside, by a search that ends at the cutoff and only what lies near it."""
        if "times" in self.__dict__:
            asked, times = np.arange(len(self.far)), self.times
        else:
            found = self._bounded(self.cutoff_ms)
            asked = self._near_to(found)
            some = self.far[asked]
            snaps = snap(self.net, self.points.iloc[np.concatenate([self.near, some])], self.modes)
            rows = np.arange(len(self.near), len(snaps.nearest_m))
            over_graph = arrivals(found, snaps, rows, reverse=self.reverse)
            lonlat = self.lonlat[np.concatenate([self.near, some])]
            direct = direct_times(
                self.net, self.graph.layers, snaps, lonlat, self.near, rows, reverse=self.reverse
            )
            times = np.minimum(over_graph, direct.ms)
        owner, best = np.argmin(times, axis=0), times.min(axis=0)
        rows = np.flatnonzero(best <= self.cutoff_ms)
        minutes = best[rows] / MS
        return (
            self._own_columns()
            .iloc[asked[rows]]
            .assign(
                centre=self.centres["name"].to_numpy(dtype=object)[owner[rows]],
                minutes=minutes,
                margin_min=self.minutes - minutes,
            )
        )

    def _near_to(self, found: Search) -> NDArray[np.int64]:
        """Rows of the places that may be inside: within a leg of what was reached.

        A place gets onto the network within ``max_km``, at a node or along a link that was
        reached, or at the centre's own link, or goes straight to the centre. The leg takes what
        the way there has left of the time.
        """
        t = self.net._tables
        ms = self.graph.at_nodes(found.ms.min(axis=0))
        seen = np.isfinite(ms)
        nodes = np.flatnonzero(seen)
        touched = seen[t.tail] | seen[t.head]
        own = self.gates.link[self.gates.link >= 0]
        touched[own] = True
        links = np.flatnonzero(touched)
        first = np.minimum(ms[t.tail[links]], ms[t.head[links]])
        first[np.isin(links, own)] = 0.0
        lines = t.lines.take(links)
        spots = np.concatenate([lines.xy, t.lonlat[nodes], self.lonlat[self.near]])
        spent = np.concatenate(
            [np.repeat(first, np.diff(lines.offsets)), ms[nodes], np.zeros(len(self.near))]
        )
        rules = self.net.street_rules(self.modes)
        per_m = min(float(self.net.leg_ms(np.array([1e6]), one)[0]) / 1e6 for one in rules)
        longest = max(rule.max_km for rule in rules.values()) * 1000.0
        metres = np.clip((self.cutoff_ms - spent) / per_m, 0.0, longest) + 1.0
        # a degree of latitude is 110.5 km or more, one of longitude as much times the cosine
        north = metres / 110_000.0
        widest = min(89.0, float(np.abs(spots[:, 1]).max() + north.max()))
        reach = np.column_stack([north / np.cos(np.radians(widest)), north])
        places = self.lonlat[self.far]
        low, high = (spots - reach).min(axis=0), (spots + reach).max(axis=0)
        rows: NDArray[np.int64] = np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
        return rows

    def verdicts(self) -> gpd.GeoDataFrame:
        """All places: status, reason, nearest centre, minutes."""
        best = self._best
        reached = np.isfinite(best)
        minutes = np.where(reached, best / MS, np.nan)
        status, reason = self._verdicts(best)
        centre = self.centres["name"].to_numpy(dtype=object)[self.owner]
        error = self.net.facts.error_share
        slack = 0.0 if error is None else error
        towns = self._own_columns()
        order = [one for one in towns.columns if one not in ANSWERS]
        answers = {
            "status": status,
            "reason": reason,
            "borderline": np.abs(self.minutes - minutes) < slack * minutes,
            "centre": np.where(reached, centre, ""),
            "minutes": minutes,
            "margin_min": self.minutes - minutes,
        }
        made = towns.assign(**answers)[order + list(answers)]
        return gpd.GeoDataFrame(made, geometry="geometry")

    def routes(self) -> tuple[Route | None, ...]:
        """The fastest way of each place."""
        over_graph = arrivals(self._found, self.snaps, self.far, reverse=self.reverse)
        columns = np.arange(len(self.far))
        # where the graph is as fast, its way is told, which names the roads
        is_direct = (self.direct.ms < over_graph)[self.owner, columns]
        return tuple(
            self._direct_route(int(self.owner[one]), one)
            if is_direct[one]
            else self._route(int(self.owner[one]), one)
            for one in columns.tolist()
        )

    def on_links(self) -> tuple[OnLink, ...]:
        """The links on which centres lie between nodes."""
        snaps = self.snaps
        items = np.flatnonzero(snaps.at_tail & np.isin(snaps.point, self.near))
        return tuple(
            OnLink(
                int(snaps.link[one]),
                float(snaps.along[one]),
                int(snaps.leg_ms[one]),
                foot=bool(snaps.foot[one]),
            )
            for one in items
        )

    def _verdicts(self, best: NDArray[np.float64]) -> tuple[list[str], list[str]]:
        snapped = self.snaps.snapped[self.far]
        reached = np.isfinite(best)
        status = np.where(snapped, "unreachable", "unsnapped").astype(object)
        status[reached] = np.where(best[reached] <= self.cutoff_ms, "inside", "outside")
        reason = np.full(len(best), "", dtype=object)
        lost = np.flatnonzero(~reached)
        if len(lost):
            told = snap_table(self.net, self.points.iloc[self.far[lost]], self.modes)
            reason[lost] = told["reason"].where(told["reason"] != "", "路网上与中心不连通")
        swapped = looks_swapped(self.asked["lon"], self.asked["lat"], self.net.bounds)
        for one in np.flatnonzero(swapped & (status == "unsnapped")):
            reason[one] += "；经纬度可能颠倒"
        return list(status), list(reason)

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        """Names of the centres and of the places."""
        return list(self.centres["name"].astype(str)), list(self.asked["name"].astype(str))

    def _ends(self, centre: int, town: int) -> tuple[str, str]:
        """Names of where the way begins and ends."""
        names = (self._names[1][town], self._names[0][centre])
        return names if self.reverse else (names[1], names[0])

    def _direct_route(self, centre: int, town: int) -> Route:
        """The way of a place that needs no vertex: along one road, or across."""
        start, end = self._ends(centre, town)
        ms, link = int(self.direct.ms[centre, town]), int(self.direct.link[centre, town])
        on_foot = self.direct_on_foot[centre, town] <= ms
        mode, name = "access", "步行直达" if on_foot else "直达"
        if link >= 0:
            mode = "walk" if on_foot else "road"
            name = road_name(self.net._tables.links.iloc[link])
            name = f"步行 {name}" if on_foot else name
        legs = (Leg(mode, name, start, end, ms / MS, float("nan")),) if ms else ()
        if on_foot:
            return Route(legs, road_ms=0, other_ms=ms)
        park = min(ms, self.snaps.park_ms)
        return Route(legs, road_ms=ms - park, other_ms=park)

    def _route(self, centre: int, town: int) -> Route | None:
        return trace(
            self.net,
            self.graph,
            self._found,
            centre,
            self.snaps,
            int(self.near[centre]),
            int(self.far[town]),
            reverse=self.reverse,
            names=self._ends(centre, town),
        )


def _only(snaps: Snaps, rows: NDArray[np.bool_]) -> Snaps:
    """Some of the ways between places and the graph."""
    names = ["point", "vertex", "out_ms", "in_ms", "leg_ms", "leg_m", "link", "along"]
    names += ["there_ms", "back_ms", "at_tail", "foot"]
    return replace(snaps, **{one: getattr(snaps, one)[rows] for one in names})
