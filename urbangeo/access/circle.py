"""Commuting circles: who reaches a centre in time, by which way, and how sure that is.

Inside is decided by time and never by a polygon: access leg, graph, egress leg, milliseconds,
compared with the cutoff (inclusive). The polygon is a drawing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from urbangeo.access.legs import Leg, Route, describe_legs, road_name, trace
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.surface import OnLink, Surface, travel_time_surface
from urbangeo.access.times import (
    Search,
    arrivals,
    check_direction,
    check_minutes,
    direct_times,
    search,
)
from urbangeo.crs import looks_swapped
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import MODES, MODES_KNOWN, Network, check_modes, check_network
from urbangeo.network.snap import Snaps, snap, snap_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CommutingCircle", "commuting_circle"]

_ROUNDING_MS = 50  # legs are whole milliseconds, so slowed ways are right to some of them
_MOST_STEPS = 25  # a break-even is found in as many steps as its fastest way changes; few


@dataclass(frozen=True, eq=False)
class CommutingCircle:
    """Everything within some minutes of one or more centres.

    Attributes
    ----------
    centres
        The centres, EPSG:4326.
    minutes
        The cutoff, inclusive.
    direction
        ``to`` the centre or ``from`` it.
    modes
        Modes that were allowed.
    net
        The network that was asked.
    towns
        One row for each place asked about, on the caller's index: its columns, then ``status``
        (inside, outside, unreachable, unsnapped), ``reason``, ``borderline``, ``centre``,
        ``minutes``, ``margin_min``, ``breakeven`` (the factor on road times at which it falls
        out; infinite if it comes by rail alone), ``modes`` and ``legs`` (in words).
    routes
        The way of each row of ``towns`` as legs, None where there is none.
    """

    centres: gpd.GeoDataFrame
    minutes: float
    direction: str
    modes: tuple[str, ...]
    net: Network
    towns: gpd.GeoDataFrame
    routes: tuple[Route | None, ...]
    _vertex_ms: NDArray[np.float64]
    _on_links: tuple[OnLink, ...]

    @cached_property
    def network(self) -> Mapping[str, Any]:
        """Title, year, profile, digest, attribution of the network that was asked."""
        return self.net.describe()

    @property
    def unsnapped(self) -> gpd.GeoDataFrame:
        """Places that found no way onto the network, with the reason."""
        return self.towns[self.towns["status"] == "unsnapped"]

    @cached_property
    def counties(self) -> pd.DataFrame:
        """Per county: towns asked about and inside, their share, and the seat's verdict.

        Columns ``adcode``, ``county``, ``towns``, ``inside``, ``share`` (NaN without towns),
        ``seat``, ``seat_status``, ``seat_minutes``; the seat does not count as a town, and its
        columns are empty where it was not asked about.
        """
        columns = ["adcode", "county", "towns", "inside", "share", "seat"]
        columns += ["seat_status", "seat_minutes"]
        rows = []
        known = self.towns[self.towns["adcode"].astype(str) != ""]
        for adcode, group in known.groupby(known["adcode"].astype(str), sort=True):
            is_seat = group["kind"] == "county_seat"
            seats, towns = group[is_seat], group[~is_seat]
            inside = int((towns["status"] == "inside").sum())
            rows.append(
                {
                    "adcode": adcode,
                    "county": group["county"].iloc[0],
                    "towns": len(towns),
                    "inside": inside,
                    "share": inside / len(towns) if len(towns) else np.nan,
                    "seat": seats["name"].iloc[0] if len(seats) else "",
                    "seat_status": seats["status"].iloc[0] if len(seats) else "",
                    "seat_minutes": float(seats["minutes"].iloc[0]) if len(seats) else np.nan,
                }
            )
        return pd.DataFrame(rows, columns=columns)

    def surface(self, limit_min: float | None = None, cell_m: float = 250.0) -> Surface:
        """Spread the times over the land.

        Parameters
        ----------
        limit_min
            Times are spread so far; half as much again as the circle's minutes if None.
        cell_m
            Width of a cell, metres.
        """
        return travel_time_surface(
            self.net,
            self._vertex_ms.min(axis=0),
            self.centres.geometry,
            self._on_links,
            limit_min=self.minutes * 1.5 if limit_min is None else check_minutes(limit_min),
            modes=self.modes,
            reverse=self.direction == "to",
            cell_m=cell_m,
        )

    @cached_property
    def _drawn(self) -> Surface:
        """The surface from which polygon and bands are drawn, so that they agree."""
        return self.surface()

    @cached_property
    def polygon(self) -> MultiPolygon:
        """The circle drawn from a 250 m travel-time surface, with holes; EPSG:4326."""
        return self._drawn.inside(self.minutes)

    @cached_property
    def bands(self) -> gpd.GeoDataFrame:
        """Bands up to half the minutes, the minutes, and half as much again; disjoint."""
        return self._drawn.bands((self.minutes / 2, self.minutes, self.minutes * 1.5))

    def summary(self) -> str:
        """Tell the circle in a few sentences of Chinese that can be quoted."""
        from urbangeo.report import summarise

        return summarise(self)

    def plot(self, **options: Any) -> Figure:
        """Draw the circle: bands, towns by status, network; see :func:`urbangeo.draw`."""
        from urbangeo.maps import draw

        figure: Figure = draw("circle", circle=self, **options)
        return figure

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the circle: .csv, .xlsx, .json, .geojson or .gpkg, whole or not at all."""
        from urbangeo.report import write_circle

        write_circle(self, path)

    def __repr__(self) -> str:
        """Give the summary, which is what one wants to see."""
        return self.summary()

    def _repr_png_(self) -> bytes:
        """Draw the circle; called by IPython, so that a circle shows itself in a notebook."""
        drawn: bytes = self.plot()._repr_png_()  # type: ignore[attr-defined]
        return drawn


def commuting_circle(
    centre: PlaceLike,
    minutes: float = 60.0,
    network: Network | None = None,
    *,
    places: PlaceLike | None = None,
    direction: str = "to",
    modes: Iterable[str] = MODES,
) -> CommutingCircle:
    """Find which places lie within some minutes of a centre, door to door.

    Parameters
    ----------
    centre
        A name, several names, a Place, ``(lon, lat)`` or a GeoDataFrame of points. A city's name
        means its seat of government. Several centres make one circle: a place belongs to the one
        that is nearest in time.
    minutes
        Cutoff, inclusive; above 0 and at most 24 hours.
    network
        The network to ask; the bundled skeleton at the end of 2022 if None.
    places
        Places to ask about (also a CSV, XLSX or GIS file); every county seat and town of the
        gazetteer in a county that the network has nodes in, if None.
    direction
        ``to`` the centre (the morning's way, default) or ``from`` it.
    modes
        Any of ``road``, ``rail`` and ``walk``. By rail alone one comes and goes by car; with both
        ``road`` and ``walk`` one changes between car and foot at stations only.

    Returns
    -------
    CommutingCircle

    Raises
    ------
    InputError
        If minutes, direction, a mode or a place cannot be used, or a centre lies outside the
        network's region or too far from any road.
    UnknownNameError, AmbiguousNameError
        If a name is no place, or several.
    CRSError
        If a table has no CRS.

    Notes
    -----
    A circle of time stands for commuting flows, it does not measure them: functional urban areas
    (OECD and European Commission 2012) take in a municipality when at least 15 % of its workers
    commute to the core.
    """
    cutoff = check_minutes(minutes)
    check_direction(direction)
    chosen = check_modes(modes)
    net = Network.backbone() if network is None else check_network(network)
    centres = as_points(centre, "centre")
    check_inside(centres, net, "centre")
    if places is None:
        asked = _gazetteer(net)
        if not len(asked):
            raise InputError(
                f"The gazetteer has no county seat or town in the region of {net.facts.title}; "
                "say which places to ask about with places=."
            )
    else:
        asked = as_points(places, "places")
        _check_not_swapped(asked, net)
    question = _Question(net, centres, asked, cutoff, direction, chosen)
    return question.answer()


def _gazetteer(net: Network) -> gpd.GeoDataFrame:
    """County seats and towns of the gazetteer that the network covers."""
    from urbangeo.places import places

    known = places(kinds=("county_seat", "town"))
    codes = set(net._tables.nodes["adcode"]) - {""}
    if codes:
        return known[known["adcode"].isin(codes)].reset_index(drop=True)
    west, south, east, north = net.bounds
    return known.cx[west:east, south:north].reset_index(drop=True)


def _check_not_swapped(points: gpd.GeoDataFrame, net: Network) -> None:
    """Refuse a table that lies in the network's region only when lon and lat are exchanged."""
    swapped = looks_swapped(points["lon"], points["lat"], net.bounds)
    as_is = points.cx[net.bounds[0] : net.bounds[2], net.bounds[1] : net.bounds[3]]
    if swapped.any() and not len(as_is):
        check_inside(points[swapped], net, "places")


class _Question:
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
        self.points = gpd.GeoSeries(
            np.concatenate([np.asarray(one.geometry.array) for one in (centres, asked)]),
            crs=centres.crs,
        )
        self.lonlat = np.column_stack([self.points.x, self.points.y])
        self.snaps: Snaps = snap(net, self.points, modes)
        self.near = np.arange(len(centres))
        self.far = len(centres) + np.arange(len(asked))
        self._check_centres()

    def _check_centres(self) -> None:
        lost = ~self.snaps.snapped[self.near]
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            raise InputError(
                f"centre {self.centres['name'].iloc[row]!r} lies "
                f"{self.snaps.nearest_any_m[row] / 1000:.1f} km from the nearest road or station of "
                f"{self.net.facts.title}; at most {self.net.profile.access.max_km:g} km is "
                "bridged. Choose a centre nearer to it, or a network that covers it."
            )

    def answer(self) -> CommutingCircle:
        found = search(self.graph, self.snaps, self.near, reverse=self.reverse, paths=True)
        over_graph = arrivals(found, self.snaps, self.far, reverse=self.reverse)
        direct = direct_times(
            self.net,
            self.graph.layers,
            self.snaps,
            self.lonlat,
            self.near,
            self.far,
            reverse=self.reverse,
        )
        times = np.minimum(over_graph, direct.ms)
        owner = np.argmin(times, axis=0)
        columns = np.arange(len(self.far))
        best = times[owner, columns]
        # where the graph is as fast, its way is told, which names the roads
        is_direct = direct.ms[owner, columns] < over_graph[owner, columns]
        towns = self.asked.copy()
        clash = [one for one in _ANSWERS if one in towns.columns]
        if clash:
            towns = towns.rename(columns={one: f"{one}_given" for one in clash})
        status, reason = self._verdicts(best)
        towns["status"], towns["reason"] = status, reason
        minutes = np.where(np.isfinite(best), best / MS, np.nan)
        towns["centre"] = np.where(
            np.isfinite(best), self.centres["name"].to_numpy(dtype=object)[owner], ""
        )
        towns["minutes"] = minutes
        towns["margin_min"] = self.minutes - minutes
        routes = [
            self._direct_route(int(owner[one]), one, best[one], int(direct.link[owner[one], one]))
            if is_direct[one]
            else self._route(found, int(owner[one]), one)
            for one in columns.tolist()
        ]
        towns["breakeven"] = [
            self._breakeven(route, one) if status[one] == "inside" else np.nan
            for one, route in enumerate(routes)
        ]
        error = self.net.facts.error_share
        slack = 0.0 if error is None else error
        towns["borderline"] = np.abs(towns["margin_min"]) < slack * minutes
        towns["modes"] = [_modes_of(route) for route in routes]
        towns["legs"] = [describe_legs(route.legs) if route else "" for route in routes]
        order = [one for one in towns.columns if one not in _ANSWERS]
        return CommutingCircle(
            centres=self.centres,
            minutes=self.minutes,
            direction=self.direction,
            modes=self.modes,
            net=self.net,
            towns=gpd.GeoDataFrame(towns[order + list(_ANSWERS)], geometry="geometry"),
            routes=tuple(routes),
            _vertex_ms=found.ms,
            _on_links=self._on_links(),
        )

    def _on_links(self) -> tuple[OnLink, ...]:
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

    def _ends(self, centre: int, town: int) -> tuple[str, str]:
        """Names of where the way begins and ends."""
        names = (str(self.asked["name"].iloc[town]), str(self.centres["name"].iloc[centre]))
        return names if self.reverse else (names[1], names[0])

    def _direct_route(self, centre: int, town: int, ms: float, link: int) -> Route:
        """The way of a place that needs no vertex: along one road, or across."""
        start, end = self._ends(centre, town)
        if link < 0:
            leg = Leg("access", "直达", start, end, ms / MS, float("nan"))
        else:
            name = road_name(self.net._tables.links.iloc[link])
            leg = Leg("road", name, start, end, ms / MS, float("nan"))
        by_car = int("road" in self.graph.layers)
        legs = (leg,) if ms else ()
        return Route(legs, road_ms=int(ms) * by_car, other_ms=int(ms) * (1 - by_car))

    def _route(self, found: Search, centre: int, town: int) -> Route | None:
        return trace(
            self.net,
            self.graph,
            found,
            centre,
            self.snaps,
            int(self.near[centre]),
            int(self.far[town]),
            reverse=self.reverse,
            names=self._ends(centre, town),
        )

    def _breakeven(self, route: Route | None, town: int) -> float:
        """Largest factor on road times at which a place is still inside, three decimals down.

        The fastest time is the least of straight lines in the factor, one for each way, so it is
        concave: solving for the way that is fastest now gives a factor that is reached for
        certain, and a new search there finds whether another way reaches farther. It ends when
        none does.
        """
        assert route is not None
        factor = 1.0
        for _ in range(_MOST_STEPS):
            if route.road_ms == 0:
                return float("inf")
            # A millisecond is lost or won by rounding each leg; a thousandth is told.
            factor = max(factor, (self.cutoff_ms - route.other_ms) / route.road_ms)
            if not self._rail_matters:
                break
            better = self._fastest_at(factor, town)
            if better is None or better.total_ms(factor) > self.cutoff_ms - _ROUNDING_MS:
                break
            route = better
        return float(np.floor(factor * 1000 + 1e-6) / 1000)

    @cached_property
    def _rail_matters(self) -> bool:
        return "rail" in self.modes and len(self.net.service_rows) > 0

    def _fastest_at(self, factor: float, town: int) -> Route | None:
        """The fastest way over the graph of one place, road times multiplied by a factor.

        None if none is fast enough. A way that needs no vertex is never fastest here: it is all
        road, so it grew with the factor at least as much as any other.
        """
        graph, snaps = self.graph.slowed(factor), self.snaps.slowed(factor)
        point = int(self.far[town])
        found = search(
            graph, snaps, self.near, reverse=self.reverse, cutoff_ms=self.cutoff_ms, paths=True
        )
        times = arrivals(found, snaps, np.array([point]), reverse=self.reverse)[:, 0]
        centre = int(np.argmin(times))
        if not times[centre] <= self.cutoff_ms:
            return None
        slow = trace(
            self.net,
            graph,
            found,
            centre,
            snaps,
            int(self.near[centre]),
            point,
            reverse=self.reverse,
        )
        assert slow is not None
        return Route((), round(slow.road_ms / factor), slow.other_ms)


_ANSWERS = (
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


def _modes_of(route: Route | None) -> str:
    if route is None:
        return ""
    used: Sequence[str] = [leg.mode for leg in route.legs]
    return "+".join(mode for mode in MODES_KNOWN if mode in used) or ("access" if used else "")
