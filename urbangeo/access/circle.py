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

from urbangeo.access.breakeven import BreakEven
from urbangeo.access.counties import county_table
from urbangeo.access.legs import Route, describe_legs
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.question import ANSWERS, Question
from urbangeo.access.surface import Surface, drawn_to, travel_time_surface
from urbangeo.access.times import check_direction, check_minutes
from urbangeo.crs import looks_swapped
from urbangeo.errors import InputError
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, MODES_KNOWN, Network, check_modes, check_network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from urbangeo.page import Page

__all__ = ["MODE_NAMES", "STATUS_NAMES", "CommutingCircle", "commuting_circle"]

STATUS_NAMES = {"inside": "圈内", "outside": "圈外", "unreachable": "不连通", "unsnapped": "未接入"}
MODE_NAMES = {"road": "公路", "walk": "步行", "rail": "铁路", "access": "接驳"}


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
    _question: Question

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
        inside = (self._verdicts["status"] == "inside").tolist()
        slowest = BreakEven(self._question)
        return self._verdicts.assign(
            breakeven=[
                slowest.factor(route, row) if inside[row] else np.nan
                for row, route in enumerate(self.routes)
            ],
            modes=[_modes_of(route) for route in self.routes],
            legs=[describe_legs(route.legs) if route else "" for route in self.routes],
        )

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
        columns = [one for one in self._verdicts.columns if one not in ANSWERS or one == "centre"]
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
        return county_table(self._verdicts, lambda: self.polygon, self.population)

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
    question = Question(net, centres, asked, cutoff, direction, chosen)
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
