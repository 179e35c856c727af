"""Commuting circles: who reaches a centre in time, by which way, and how sure that is.

Inside is decided by time and never by a polygon: access leg, graph, egress leg, milliseconds,
compared with the cutoff (inclusive). The polygon is a drawing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from urbangeo.access.legs import Leg, Route, describe_legs, road_name, trace
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.surface import OnLink, Surface, drawn_to, travel_time_surface
from urbangeo.access.times import (
    Direct,
    Search,
    arrivals,
    check_direction,
    check_minutes,
    direct_times,
    search,
)
from urbangeo.crs import WGS84, equal_area, looks_swapped
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, ArcKind, Graph
from urbangeo.network.network import MODES, MODES_KNOWN, Network, check_modes, check_network
from urbangeo.network.snap import Snaps, snap, snap_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from urbangeo.page import Page

__all__ = [
    "MODE_NAMES",
    "STATUS_NAMES",
    "CommutingCircle",
    "commuting_circle",
    "county_table",
    "land_shares",
]

STATUS_NAMES = {"inside": "圈内", "outside": "圈外", "unreachable": "不连通", "unsnapped": "未接入"}
MODE_NAMES = {"road": "公路", "walk": "步行", "rail": "铁路", "access": "接驳"}

_ROUNDING_MS = 50  # legs are whole milliseconds, so slowed ways are right to some of them
_MOST_STEPS = 25  # a break-even is found in as many steps as its fastest way changes; few


@dataclass(frozen=True, eq=False)
class CommutingCircle:
    """Everything within some minutes of one or more centres.

    Who is inside is told by a search that ends at the cutoff; everything else (times beyond it,
    ways, break-even, surface) is made when it is first asked for.

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
    population
        Column of the places that holds people, or None.
    """

    centres: gpd.GeoDataFrame
    minutes: float
    direction: str
    modes: tuple[str, ...]
    net: Network
    population: str | None
    _question: _Question

    @cached_property
    def network(self) -> Mapping[str, Any]:
        """Title, year, profile, digest, attribution of the network that was asked."""
        return self.net.describe()

    @property
    def inside(self) -> gpd.GeoDataFrame:
        """Places inside, with ``centre``, ``minutes`` and ``margin_min``; the quickest answer."""
        return self._inside.copy()

    @cached_property
    def _inside(self) -> gpd.GeoDataFrame:
        return self._question.inside()

    @cached_property
    def towns(self) -> gpd.GeoDataFrame:
        """One row for each place asked about, on the caller's index.

        Its columns, then ``status`` (inside, outside, unreachable, unsnapped), ``reason``,
        ``borderline``, ``centre``, ``minutes``, ``margin_min``, ``breakeven`` (the factor on road
        times at which it falls out; infinite if it comes by rail alone), ``modes`` and ``legs``
        (in words).
        """
        return self._question.towns(self._verdicts, self.routes)

    @cached_property
    def routes(self) -> tuple[Route | None, ...]:
        """The way of each row of ``towns`` as legs, None where there is none."""
        return self._question.routes()

    @cached_property
    def _verdicts(self) -> gpd.GeoDataFrame:
        """``towns`` up to ``margin_min``: what needs no way."""
        return self._question.verdicts()

    @cached_property
    def times(self) -> pd.DataFrame:
        """Minutes between each place and each centre, NaN where there is no way.

        On the caller's index; columns are the centres' names, numbered where one repeats.
        """
        minutes = self._question.times.T / MS
        minutes[~np.isfinite(minutes)] = np.nan
        return pd.DataFrame(minutes, self._verdicts.index, _distinct(self.centres["name"]))

    @property
    def unsnapped(self) -> gpd.GeoDataFrame:
        """Places that found no way onto the network, with the reason."""
        return self._verdicts[self._verdicts["status"] == "unsnapped"]

    @property
    def gaps(self) -> gpd.GeoDataFrame:
        """Places that no centre reaches in time, with status, reason and the nearest centre."""
        return self._verdicts[self._verdicts["status"] != "inside"]

    @property
    def overlaps(self) -> gpd.GeoDataFrame:
        """Places within the minutes of more than one centre, with the times of all.

        The place's columns, ``centre`` (the nearest), ``centres`` (how many reach it in time),
        then a column ``minutes_<centre>`` for each.
        """
        times = self.times
        within = (self._question.times <= self._question.cutoff_ms).sum(axis=0)
        rows = within > 1
        columns = [one for one in self._verdicts.columns if one not in _ANSWERS or one == "centre"]
        shared = self._verdicts.loc[rows, columns].assign(centres=within[rows])
        # by position: a caller's index may repeat
        for place, name in enumerate(times.columns):
            shared[f"minutes_{name}"] = times.to_numpy()[rows, place]
        return shared

    @cached_property
    def counties(self) -> pd.DataFrame:
        """Per county of the places asked about: what of it is inside, and the seat's verdict.

        ``adcode``, ``county``; ``towns``, ``inside``, ``share`` (of the towns; the seat does not
        count as one); ``seat``, ``seat_status``, ``seat_minutes`` (empty where it was not asked
        about); ``area_km2``, ``area_inside_km2``, ``area_share`` (of the land within the polygon;
        NaN where the layer ``counties`` has no such county); ``population``,
        ``population_inside``, ``population_share`` and ``population_from``.

        Population is that of the places where their column was named (``places``); else that of
        the county in ``layers/population.csv``, spread evenly over its land (``area``); else NaN.
        """
        return county_table(self)

    def surface(self, limit_min: float | None = None, cell_m: float = 250.0) -> Surface:
        """Spread the times over the land.

        Parameters
        ----------
        limit_min
            Times are spread so far; half as much again as the circle's minutes if None.
        cell_m
            Width of a cell, metres.
        """
        limit = self.minutes * 1.5 if limit_min is None else check_minutes(limit_min)
        return travel_time_surface(
            self.net,
            self._question.vertex_ms(drawn_to(self.net, self.modes, limit, cell_m)),
            self.centres.geometry,
            self._question.on_links(),
            limit_min=limit,
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

    def how_sure(self, **options: Any) -> pd.DataFrame:
        """Tell how sure each verdict is; see :func:`urbangeo.access.sure.how_sure`."""
        from urbangeo.access.sure import how_sure

        return how_sure(self, **options)

    def summary(self) -> str:
        """Tell the circle in a few sentences of Chinese that can be quoted."""
        from urbangeo.report import summarise

        return summarise(self)

    def plot(self, **options: Any) -> Figure:
        """Draw the circle: bands, towns by status, network; see :func:`urbangeo.draw`."""
        from urbangeo.maps import draw

        figure: Figure = draw("circle", circle=self, **options)
        return figure

    def explore(self, sure: pd.DataFrame | None = None) -> Page:
        """Give the circle as an interactive page; shows itself in a notebook.

        Parameters
        ----------
        sure
            What :meth:`how_sure` gave with ``runs``, to be shown beside the minutes.

        Raises
        ------
        InputError
            If bokeh is not installed (``pip install "urbangeo[html]"``).
        """
        from urbangeo.page import circle_page

        return circle_page(self, sure)

    def to_html(self, path: str | os.PathLike[str], sure: pd.DataFrame | None = None) -> None:
        """Write one interactive page that opens with no network: map, table, provenance.

        Parameters
        ----------
        path
            The file.
        sure
            As for :meth:`explore`.

        Raises
        ------
        InputError
            If bokeh is not installed.
        OutputError
            If the file cannot be written.
        """
        self.explore(sure).save(path)

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the circle: .csv, .xlsx, .json, .geojson, .gpkg or .html, whole or not at all."""
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
    population: str | None = None,
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
    population
        Column of ``places`` that holds their people, for the shares of ``counties``.

    Returns
    -------
    CommutingCircle

    Raises
    ------
    InputError
        If minutes, direction, a mode, a place or the population cannot be used, or a centre lies
        outside the network's region or too far from any road.
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
    if population is not None:
        asked = asked.assign(**{population: _people(asked, population)})
    question = _Question(net, centres, asked, cutoff, direction, chosen)
    return CommutingCircle(centres, cutoff, direction, chosen, net, population, question)


def _gazetteer(net: Network) -> gpd.GeoDataFrame:
    """County seats and towns of the gazetteer that the network covers."""
    from urbangeo.places import places

    known = places(kinds=("county_seat", "town"))
    codes = set(net._tables.nodes["adcode"]) - {""}
    if codes:
        return known[known["adcode"].isin(codes)].reset_index(drop=True)
    west, south, east, north = net.bounds
    return known.cx[west:east, south:north].reset_index(drop=True)


def _people(asked: gpd.GeoDataFrame, column: str) -> NDArray[np.float64]:
    """Take a column of people: numbers of at least 0; an empty cell is no known number."""
    if column not in asked.columns:
        raise InputError(
            f"population is {column!r}, which is no column of the places; found: "
            f"{', '.join(map(str, asked.columns))}."
        )
    people = np.asarray(pd.to_numeric(asked[column], errors="coerce"), dtype=float)
    wrong = (np.isnan(people) & asked[column].notna().to_numpy()) | (people < 0) | np.isinf(people)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"population of {asked['name'].iloc[first]!r} is {asked[column].iloc[first]!r}; a "
            "number of at least 0 is expected, or an empty cell where it is not known."
        )
    return people


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
    def _direct_on_foot(self) -> NDArray[np.float64]:
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
        clash = {one: f"{one}_given" for one in _ANSWERS if one in self.asked.columns}
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
        order = [one for one in towns.columns if one not in _ANSWERS]
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

    def towns(self, verdicts: gpd.GeoDataFrame, routes: Sequence[Route | None]) -> gpd.GeoDataFrame:
        """The verdicts with break-even, modes and ways."""
        inside = (verdicts["status"] == "inside").tolist()
        return verdicts.assign(
            breakeven=[
                self._breakeven(route, one) if inside[one] else np.nan
                for one, route in enumerate(routes)
            ],
            modes=[_modes_of(route) for route in routes],
            legs=[describe_legs(route.legs) if route else "" for route in routes],
        )

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
        on_foot = self._direct_on_foot[centre, town] <= ms
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

    def _breakeven(self, route: Route | None, town: int) -> float:
        """Largest factor on road times at which a place is still inside, three decimals down.

        The fastest time is the least of straight lines in the factor, one for each way, so it is
        concave: solving for the way that is fastest now gives a factor that is reached for
        certain, and a new search there finds whether another way reaches farther. It ends when
        none does.
        """
        assert route is not None
        if (self._direct_on_foot[:, town] <= self.cutoff_ms).any():
            return float("inf")
        factor = 1.0
        for _ in range(_MOST_STEPS):
            if route.road_ms == 0:
                return float("inf")
            # A millisecond is lost or won by rounding each leg; a thousandth is told.
            factor = max(factor, (self.cutoff_ms - route.other_ms) / route.road_ms)
            if not self._others_matter[town]:
                break
            better = self._fastest_at(factor, town)
            if better is None or better.total_ms(factor) > self.cutoff_ms - _ROUNDING_MS:
                break
            route = better
        return float(np.floor(factor * 1000 + 1e-6) / 1000)

    @cached_property
    def _others_matter(self) -> NDArray[np.bool_]:
        """Whether a way that is not all by car may hold each place inside when roads are slow.

        The fastest way that rides a train at all is found from where trains arrive. If it is too
        slow at today's speeds it is too slow when roads are slower.
        """
        if "walk" in self.modes:
            return np.ones(len(self.far), dtype=bool)
        graph = self.graph
        ride = np.flatnonzero(graph.kind == ArcKind.RIDE)
        if not len(ride):
            return np.zeros(len(self.far), dtype=bool)
        begin = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))[ride]
        end = graph.heads[ride]
        if self.reverse:
            begin, end = end, begin
        ridden = self.vertex_ms(self.minutes)[begin] + graph.cost_ms[ride]
        soon = ridden <= self.cutoff_ms
        if not soon.any():
            return np.zeros(len(self.far), dtype=bool)
        trains = _sources(end[soon], ridden[soon])
        after = search(graph, trains, np.array([0]), reverse=self.reverse, cutoff_ms=self.cutoff_ms)
        by_train = arrivals(after, self.snaps, self.far, reverse=self.reverse)[0]
        matter: NDArray[np.bool_] = by_train <= self.cutoff_ms
        return matter

    def _fastest_at(self, factor: float, town: int) -> Route | None:
        """The fastest way over the graph of one place, road times multiplied by a factor.

        None if none is fast enough. A way by car that needs no vertex is never fastest here: it
        is all road, so it grew with the factor at least as much as any other.
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


def _only(snaps: Snaps, rows: NDArray[np.bool_]) -> Snaps:
    """Some of the ways between places and the graph."""
    names = ["point", "vertex", "out_ms", "in_ms", "leg_ms", "leg_m", "link", "along"]
    names += ["there_ms", "back_ms", "at_tail", "foot"]
    return replace(snaps, **{one: getattr(snaps, one)[rows] for one in names})


def _sources(vertices: NDArray[np.int64], ms: NDArray[np.float64]) -> Snaps:
    """One point that stands at several vertices, at each after some milliseconds."""
    n = len(vertices)
    zeros, whole = np.zeros(n, dtype=np.int64), ms.astype(np.int64)
    never = np.zeros(n, dtype=bool)
    one = np.zeros(1)
    return Snaps(
        point=zeros,
        vertex=vertices,
        out_ms=whole,
        in_ms=whole,
        leg_ms=zeros,
        leg_m=np.zeros(n),
        link=np.full(n, -1),
        along=np.full(n, np.nan),
        there_ms=zeros,
        back_ms=zeros,
        at_tail=never,
        foot=never,
        nearest_m=one,
        island_m=one,
    )


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


def _distinct(names: Iterable[object]) -> list[str]:
    """Names with a number behind those that stand before already."""
    seen: dict[str, int] = {}
    told = []
    for name in map(str, names):
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return told


_COUNTY_COLUMNS = (
    *("adcode", "county", "towns", "inside", "share", "seat", "seat_status", "seat_minutes"),
    *("area_km2", "area_inside_km2", "area_share"),
    *("population", "population_inside", "population_share", "population_from"),
)


def county_table(circle: CommutingCircle) -> pd.DataFrame:
    """Make :attr:`CommutingCircle.counties`."""
    towns = circle._verdicts
    codes = towns["adcode"].astype(str)
    known = towns[codes != ""]
    rows = []
    for adcode, group in known.groupby(codes[codes != ""], sort=True):
        is_seat = group["kind"] == "county_seat"
        seats, small = group[is_seat], group[~is_seat]
        inside = int((small["status"] == "inside").sum())
        row = {
            "adcode": adcode,
            "county": group["county"].iloc[0],
            "towns": len(small),
            "inside": inside,
            "share": inside / len(small) if len(small) else np.nan,
            "seat": seats["name"].iloc[0] if len(seats) else "",
            "seat_status": seats["status"].iloc[0] if len(seats) else "",
            "seat_minutes": float(seats["minutes"].iloc[0]) if len(seats) else np.nan,
            "population_from": "",
        }
        if circle.population is not None:
            people = group[circle.population]
            row["population"] = float(people.sum(min_count=1))
            row["population_inside"] = float(people[group["status"] == "inside"].sum())
            row["population_from"] = "places"
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(_COUNTY_COLUMNS))
    land = land_shares(circle, table["adcode"].tolist())
    for column in ("area_km2", "area_inside_km2", "area_share"):
        table[column] = table["adcode"].map(land[column]).astype(float)
    if circle.population is None:
        residents = table["adcode"].map(county_residents())
        table["population"] = residents.astype(float)
        table["population_inside"] = table["population"] * table["area_share"]
        table["population_from"] = np.where(table["population_inside"].notna(), "area", "")
    table = table.astype({"population": float, "population_inside": float})
    table["population_share"] = table["population_inside"] / table["population"]
    return table


def land_shares(
    circle: CommutingCircle, adcodes: Sequence[str], counties: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Measure how much of the land of counties lies within a circle's polygon.

    Parameters
    ----------
    circle
        The circle; its polygon is drawn if any of the counties is known.
    adcodes
        Codes of counties.
    counties
        Boundaries with ``adcode``; the layer ``counties`` if None.

    Returns
    -------
    pandas.DataFrame
        By ``adcode``: ``area_km2``, ``area_inside_km2``, ``area_share``; equal-area. Codes that
        the layer does not have are left out.
    """
    columns = ["area_km2", "area_inside_km2", "area_share"]
    if counties is None:
        from urbangeo.layer import load

        counties = load("counties")
    counties = counties[counties["adcode"].isin(adcodes)]
    if not len(counties):
        return pd.DataFrame(columns=columns, dtype=float)
    plane = equal_area(counties.total_bounds)
    land = shapely.make_valid(np.asarray(counties.geometry.to_crs(plane).array))
    drawn = gpd.GeoSeries([circle.polygon], crs=WGS84).to_crs(plane).iloc[0]
    shapely.prepare(drawn)
    area = shapely.area(land)
    inside = shapely.area(shapely.intersection(land, shapely.make_valid(drawn)))
    values = np.column_stack([area / 1e6, inside / 1e6, inside / area])
    return pd.DataFrame(values, pd.Index(counties["adcode"], name="adcode"), columns)


def county_residents() -> pd.Series:
    """Give the residents of counties by code, from ``layers/population.csv``; empty if it is."""
    from urbangeo.catalog import data_folder

    table = pd.read_csv(data_folder() / "population.csv", dtype={"adcode": str})
    residents: pd.Series = table.set_index("adcode")["residents"].astype(float)
    return residents
