"""Isochrones: what lies within some minutes of one or many origins, as polygons.

Bands are drawn through a travel-time surface by marching squares, so that what is not reached
stays a hole. A hull, convex or concave, would fill it, and jump rivers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon

from urbangeo.access.barred import Barred
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.access.spread import OnLink
from urbangeo.access.surface import (
    Frame,
    Spreads,
    Surface,
    banded,
    check_cell,
    drawn_to,
    filled,
    finer,
)
from urbangeo.access.times import check_direction, check_minutes, search
from urbangeo.crs import WGS84, equal_area, geodesic_area_km2, to_wgs84
from urbangeo.errors import InputError, UnknownNameError
from urbangeo.network.graph import MS
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import Snaps, snap, snap_table

__all__ = ["SPLITS", "isochrones", "time_surface"]

SPLITS = ("origin", "merged", "nearest")
"""Ways in which the land reached from several origins may be told apart."""

_BLOCK_BYTES = 256 * 2**20  # times of one block of origins to all vertices stay below this
_OF_EACH_WAY = (
    *("point", "vertex", "out_ms", "in_ms", "leg_ms", "leg_m", "link", "along"),
    *("there_ms", "back_ms", "at_tail", "foot"),
)
_NAMED = 3  # so many origins are named where several share a row


def isochrones(
    net: Network,
    origins: PlaceLike,
    minutes: float | Sequence[float] = (15, 30, 45, 60),
    cut: bool = True,
    *,
    by: str = "origin",
    direction: str = "from",
    modes: Iterable[str] = MODES,
    cell_m: float = 250.0,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> gpd.GeoDataFrame:
    """Draw what lies within some minutes of places, door to door.

    Parameters
    ----------
    net
        The network.
    origins
        Names, Places, (lon, lat), a GeoDataFrame of points, or a file.
    minutes
        Upper bounds, inclusive, each above 0 and at most 24 hours; in any order.
    cut
        Bands that lie side by side, each from one bound to the next (``True``), or nested areas,
        each from 0 to its bound, that hold the ones before (``False``).
    by
        ``"origin"``: bands of each origin on its own, which overlap where several reach;
        ``"merged"``: one set of bands, from whichever origin is fastest; ``"nearest"``: the same
        land, split by the origin that is fastest, the first of several that are equally fast.
    direction
        Times ``"from"`` the origins, or ``"to"`` them.
    modes
        Any of ``road``, ``rail`` and ``walk``.
    cell_m
        Width of a cell of the surface, metres.
    barriers
        Lines and polygons, any CRS, that no way off the network crosses: rivers, railways, red
        lines. Only the network's own roads lead over them. No way off the network enters a
        polygon, so of its inside nothing is reached.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326: ``name``, ``minutes_from``, ``minutes_to``, ``area_km2`` (geodesic),
        ``reason`` and ``geometry`` (MultiPolygon, with holes; empty where a band holds nothing).
        A row for each origin and band on the origins' index, or, merged, for each band. An origin
        that cannot get onto the network keeps its rows, empty, with the ``reason`` in Chinese.
        ``attrs`` tell the network and the question.

    Raises
    ------
    InputError
        If an argument cannot be used, no origin gets onto the network, or the surface would have
        more than 50 million cells.
    UnknownNameError, AmbiguousNameError
        If a name is no place, or several.
    CRSError
        If a table has no CRS.

    Notes
    -----
    The surface holds, at the middle of each cell, the time that a place there would have
    (:mod:`urbangeo.access.spread`); between them the line of a bound is interpolated (marching
    squares: Lorensen and Cline 1987, in the plane). So a place and the polygon disagree only
    within about half a cell of the line. An origin gets onto the network by those of its ways that
    cross no barrier; places in :func:`urbangeo.travel_times` know of none, so one whose own way off
    the network crosses a barrier may be inside by time and lie outside here.

    ``"nearest"`` draws the line between two origins where the times from them are equal, so it is
    also interpolated.
    """
    question = _Question(net, origins, minutes, direction, modes, cell_m, barriers)
    if by not in SPLITS:
        raise UnknownNameError("split", str(by), SPLITS)
    if by == "origin":
        shapes = [shape for one in question.surfaces() for shape in _bands(one, question.bounds)]
    elif by == "merged":
        shapes = _bands(question.merged(), question.bounds)
    else:
        shapes = question.split()
    return question.told(shapes, cut=cut, by=by)


def time_surface(
    net: Network,
    origins: PlaceLike,
    minutes: float,
    *,
    direction: str = "from",
    modes: Iterable[str] = MODES,
    cell_m: float = 250.0,
    barriers: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> Surface:
    """Give the minutes from the fastest of some places to every cell, or towards it.

    Parameters
    ----------
    net, origins, direction, modes, cell_m, barriers
        As for :func:`isochrones`.
    minutes
        How far times are spread.

    Returns
    -------
    urbangeo.access.surface.Surface
        With ``.minutes``, ``.bands()``, ``.inside()`` and ``.to_geotiff()``.

    Raises
    ------
    InputError
        As for :func:`isochrones`.
    """
    return _Question(net, origins, minutes, direction, modes, cell_m, barriers).merged()


def as_barred(barriers: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: pyproj.CRS) -> Barred | None:
    """Make barriers of lines and polygons, in the plane of a region.

    Raises
    ------
    InputError
        If they are no table of geometries, or one is neither line nor polygon.
    CRSError
        If they have no CRS.
    """
    if barriers is None:
        return None
    if not isinstance(barriers, gpd.GeoDataFrame | gpd.GeoSeries):
        raise InputError(
            f"barriers: {type(barriers).__name__} is not understood; give a GeoDataFrame or "
            "GeoSeries of lines and polygons."
        )
    frame = gpd.GeoDataFrame(geometry=barriers.geometry)
    shapes = np.asarray(to_wgs84(frame, "barriers").to_crs(crs).geometry.array)
    shapes = shapely.make_valid(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
    kinds = shapely.get_type_id(shapely.get_parts(shapely.get_parts(shapes)))
    if not np.isin(kinds, (_LINE, _RING, _AREA)).all():
        raise InputError(
            "barriers: points bar no way; give lines and polygons, for example with .buffer()."
        )
    return Barred(shapes)


_LINE, _RING, _AREA = (
    shapely.GeometryType.LINESTRING,
    shapely.GeometryType.LINEARRING,
    shapely.GeometryType.POLYGON,
)


class _Question:
    """A question on its way to its answer."""

    def __init__(
        self,
        net: Network,
        origins: PlaceLike,
        minutes: float | Sequence[float],
        direction: str,
        modes: Iterable[str],
        cell_m: float,
        barriers: gpd.GeoDataFrame | gpd.GeoSeries | None,
    ) -> None:
        self.net = check_network(net)
        self.bounds = _upper_bounds(minutes)
        self.direction = check_direction(direction)
        self.reverse = direction == "to"
        self.modes = check_modes(modes)
        self.cell_m = check_cell(cell_m)
        self.origins = as_points(origins, "origins")
        check_inside(self.origins, net, "origins")
        self.crs = equal_area(net.bounds)
        self.barred = as_barred(barriers, self.crs)
        self.snaps: Snaps = snap(net, self.origins.geometry, self.modes)
        shut_in = np.zeros(len(self.origins), dtype=bool)
        if self.barred is not None:
            before = self.snaps.snapped
            self.snaps = self._in_sight(self.barred)
            shut_in = before & ~self.snaps.snapped
        self.on_net = np.flatnonzero(self.snaps.snapped)
        self.reason = self._reasons(shut_in)

    def _in_sight(self, barred: Barred) -> Snaps:
        """Those ways of the origins onto the network that cross no barrier."""
        snaps, t = self.snaps, self.net._tables
        xy = shapely.get_coordinates(np.asarray(self.origins.geometry.to_crs(self.crs).array))
        begin, end = xy[snaps.point], np.empty((len(snaps.point), 2))
        on_link = np.flatnonzero(snaps.link >= 0)
        drawn = gpd.GeoSeries(t.lines.take(snaps.link[on_link]).geometry, crs=WGS84)
        end[on_link] = shapely.get_coordinates(
            shapely.line_interpolate_point(
                np.asarray(drawn.to_crs(self.crs).array), snaps.along[on_link], normalized=True
            )
        )
        at_node = np.flatnonzero(snaps.link < 0)
        nodes = t.points(snaps.vertex[at_node] % len(t.nodes)).to_crs(self.crs)
        end[at_node] = shapely.get_coordinates(np.asarray(nodes.array))
        if not len(begin):
            return snaps
        both = np.concatenate([begin, end])
        walls = barred.within((*both.min(axis=0), *both.max(axis=0)))
        seen = ~walls.crossed(begin, end) & ~walls.covers(begin)
        return replace(snaps, **{name: getattr(snaps, name)[seen] for name in _OF_EACH_WAY})

    def _reasons(self, shut_in: NDArray[np.bool_]) -> list[str]:
        lost = np.flatnonzero(~self.snaps.snapped)
        reason = [""] * len(self.origins)
        if not len(lost):
            return reason
        told = snap_table(self.net, self.origins.geometry.iloc[lost], self.modes)["reason"]
        for row, text in zip(lost, told, strict=True):
            reason[row] = "与附近的道路之间隔着障碍" if shut_in[row] else text
        if not len(self.on_net) and shut_in.any():
            raise InputError(
                f"origins: barriers cut off {self.origins['name'].iloc[np.argmax(shut_in)]!r} "
                "from every road and station near it. Choose an origin on the road, or leave out "
                "the barrier between."
            )
        if not len(self.on_net):
            first = self.origins["name"].iloc[lost[0]]
            metres = self.snaps.nearest_any_m[lost[0]]
            far = "there is none" if np.isnan(metres) else f"the nearest is {metres / 1000:.1f} km"
            raise InputError(
                f"origins: no road or station of {self.net.facts.title} is near enough to enter "
                f"from {first!r}{'' if len(lost) == 1 else ' or any other of them'} by "
                f"{', '.join(self.modes)} ({far} away). Choose origins nearer to it, other modes, "
                "or a network that covers them."
            )
        return reason

    def _spreads(self, groups: Iterable[NDArray[np.int64]]) -> Iterator[Spreads]:
        """What spreads from each group of origins, in turn."""
        graph = self.net.graph(self.modes)
        limit = drawn_to(self.net, self.modes, self.bounds[-1], self.cell_m)
        block = max(1, _BLOCK_BYTES // (8 * graph.n_vertices))
        for group in groups:
            fastest = np.full(graph.n_vertices, np.inf)
            for start in range(0, len(group), block):
                found = search(
                    graph,
                    self.snaps,
                    group[start : start + block],
                    reverse=self.reverse,
                    cutoff_ms=np.ceil(limit * MS),
                )
                np.minimum(fastest, found.ms.min(axis=0), out=fastest)
            yield Spreads.of(
                self.net,
                fastest,
                self.origins.geometry.iloc[group],
                _on_links(self.snaps, group),
                limit_min=self.bounds[-1],
                modes=self.modes,
                reverse=self.reverse,
                cell_m=self.cell_m,
                barred=self.barred,
            )

    def _surface(self, spreads: Spreads) -> Surface:
        frame = Frame.around([spreads.box], self.cell_m)
        return spreads.surface(frame, self.bounds[-1], self.net.describe())

    def surfaces(self) -> Iterator[Surface | None]:
        """Give the surface of each origin, None where it does not get onto the network."""
        made = self._spreads(np.array([row]) for row in self.on_net)
        for on_net in self.snaps.snapped:
            yield self._surface(next(made)) if on_net else None

    def merged(self) -> Surface:
        """Give the surface of all origins."""
        return self._surface(next(self._spreads([self.on_net])))

    def split(self) -> list[MultiPolygon]:
        """Give the bands of all origins, of each what it reaches first; origin by origin."""
        spreads = list(self._spreads(np.array([row]) for row in self.on_net))
        frame = Frame.around([one.box for one in spreads], self.cell_m, layers=len(spreads) + 1)
        cells = [one.onto(frame) for one in spreads]
        fine, frame = finer(cells, frame, spreads, self.bounds, self.bounds[-1])
        shapes = _split(np.stack(fine), frame, self.bounds)
        empty = [MultiPolygon()] * len(self.bounds)
        place = iter(shapes)
        made = [next(place) if on_net else empty for on_net in self.snaps.snapped]
        return [shape for one in made for shape in one]

    def told(self, shapes: Sequence[MultiPolygon], *, cut: bool, by: str) -> gpd.GeoDataFrame:
        """Make the table of bands in the plane, those of each origin in their order."""
        count = len(self.bounds)
        lows = [0.0, *self.bounds[:-1]] if cut else [0.0] * count
        if not cut:
            groups = [shapes[start : start + count] for start in range(0, len(shapes), count)]
            shapes = [_joined(one[: k + 1]) for one in groups for k in range(count)]
        drawn = gpd.GeoSeries(list(shapes), crs=self.crs).to_crs(WGS84)
        drawn = drawn.where(drawn.is_valid, drawn.make_valid().map(_areas))
        names, reasons = list(self.origins["name"].astype(str)), self.reason
        index: pd.Index = self.origins.index
        if by == "merged":
            more = f"等 {len(names)} 处" if len(names) > _NAMED else ""
            names, index = ["、".join(names[:_NAMED]) + more], pd.RangeIndex(1)
            lost = [one for one in reasons if one]
            reasons = [f"{len(lost)} 处不在路网上：{lost[0]}" if lost else ""]
        rows = np.repeat(np.arange(len(names)), count)
        table = pd.DataFrame(
            {
                "name": np.array(names, dtype=object)[rows],
                "minutes_from": np.tile(lows, len(names)),
                "minutes_to": np.tile(self.bounds, len(names)),
                "area_km2": geodesic_area_km2(drawn),
                "reason": np.array(reasons, dtype=object)[rows],
            },
            index=pd.RangeIndex(count) if by == "merged" else index[rows],
        )
        out = gpd.GeoDataFrame(table, geometry=drawn.to_numpy(), crs=WGS84)
        out.attrs.update(
            network=dict(self.net.describe()),
            direction=self.direction,
            modes=list(self.modes),
            by=by,
            cut=bool(cut),
            cell_m=self.cell_m,
            barriers=0 if self.barred is None else len(self.barred),
        )
        return out


def _upper_bounds(minutes: float | Sequence[float]) -> tuple[float, ...]:
    """Check the bounds, each once, ascending."""
    given = np.atleast_1d(np.asarray(minutes, dtype=object)).ravel().tolist()
    if not given:
        raise InputError("minutes: none given; give numbers of minutes such as (15, 30, 60).")
    return tuple(sorted({check_minutes(one) for one in given}))


def _on_links(snaps: Snaps, group: NDArray[np.int64]) -> list[OnLink]:
    """The links on which origins lie between nodes."""
    rows = np.flatnonzero(snaps.at_tail & np.isin(snaps.point, group))
    return [
        OnLink(
            int(snaps.link[row]),
            float(snaps.along[row]),
            int(snaps.leg_ms[row]),
            foot=bool(snaps.foot[row]),
        )
        for row in rows
    ]


def _bands(surface: Surface | None, bounds: Sequence[float]) -> list[MultiPolygon]:
    """Disjoint bands of a surface, in its plane; empty without one."""
    if surface is None:
        return [MultiPolygon()] * len(bounds)
    return surface.shapes(bounds)


def _joined(shapes: Sequence[MultiPolygon]) -> MultiPolygon:
    """Join bands that lie side by side."""
    parts = np.array(shapes, dtype=object)
    try:
        return _areas(shapely.coverage_union_all(parts))
    except shapely.GEOSException:  # two bands whose lines differ in the last digit of a millimetre
        return _areas(shapely.union_all(parts))


def _areas(shape: Any) -> MultiPolygon:
    """Keep the polygons of whatever came out."""
    parts = shapely.get_parts(shapely.get_parts([shape]))
    return MultiPolygon(list(parts[shapely.get_type_id(parts) == _AREA]))


def _split(
    grids: NDArray[np.float32], frame: Frame, bounds: Sequence[float]
) -> list[list[MultiPolygon]]:
    """Bands split by the grid that is lowest: for each grid, its part of each band.

    The lines of all bands and those along which two grids are equal are put together and cut at
    each other; each face that they enclose belongs to one band and one grid. So the parts lie side
    by side exactly, whatever three or four grids do where their lines meet.
    """
    owner, best = np.argmin(grids, axis=0), grids.min(axis=0)
    second = np.partition(grids, 1, axis=0)[1] if len(grids) > 1 else np.full_like(best, np.inf)
    bands = banded(best, frame, bounds, bounds[-1])
    lines = [shapely.boundary(one) for one in bands]
    late = bounds[-1] + 10.0
    for row, grid in enumerate(grids):
        if not (owner == row).any():
            continue
        others = np.where(owner == row, second, best)
        ahead = _finite(others, late) - _finite(grid, late)  # how much faster it is
        own = filled(ahead, frame, 0.0, np.inf)
        lines.append(shapely.boundary(own))
    noded = shapely.union_all(np.array(lines, dtype=object))
    faces = shapely.get_parts(shapely.polygonize([noded]))
    spots = shapely.get_coordinates(shapely.point_on_surface(faces))
    band = np.full(len(faces), -1)
    for number, shape in enumerate(bands):
        shapely.prepare(shape)
        band[shapely.contains_xy(shape, spots[:, 0], spots[:, 1])] = number
    nearest = _fastest_at(grids, frame, spots, late)
    empty = MultiPolygon()
    return [
        [
            _joined(some) if len(some := faces[(band == number) & (nearest == row)]) else empty
            for number in range(len(bands))
        ]
        for row in range(len(grids))
    ]


def _finite(grid: NDArray[np.float32], late: float) -> NDArray[np.float64]:
    return np.where(np.isfinite(grid), grid, late).astype(float)


def _fastest_at(
    grids: NDArray[np.float32], frame: Frame, spots: NDArray[np.float64], late: float
) -> NDArray[np.int64]:
    """Which grid is lowest at each spot, interpolated between the middles of four cells."""
    column = np.clip((spots[:, 0] - frame.west) / frame.cell_m - 0.5, 0, frame.columns - 1)
    row = np.clip((frame.north - spots[:, 1]) / frame.cell_m - 0.5, 0, frame.rows - 1)
    c0 = np.minimum(column.astype(np.int64), max(frame.columns - 2, 0))
    r0 = np.minimum(row.astype(np.int64), max(frame.rows - 2, 0))
    c1, r1 = np.minimum(c0 + 1, frame.columns - 1), np.minimum(r0 + 1, frame.rows - 1)
    right, down = column - c0, row - r0
    times = np.empty((len(grids), len(spots)))
    for place, grid in enumerate(grids):
        a, b, c, d = (
            _finite(grid[r, k], late) for r, k in ((r0, c0), (r0, c1), (r1, c0), (r1, c1))
        )
        times[place] = (1 - down) * ((1 - right) * a + right * b) + down * (
            (1 - right) * c + right * d
        )
    lowest: NDArray[np.int64] = times.argmin(axis=0)
    return lowest
