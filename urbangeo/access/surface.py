"""The travel-time surface: every cell's time, and the bands drawn from it.

A cell's time is the least over all ways in (points along ordinary roads, interchanges, stations)
of the time there plus the leg off the network. Bands are drawn through the surface by marching
squares, so that what cannot be reached stays a hole; a hull would fill it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry import MultiPolygon, Polygon

from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.network.graph import MS
from urbangeo.network.network import Network, check_modes
from urbangeo.network.snap import DETOUR_M, entry_nodes, open_roads

if TYPE_CHECKING:
    from affine import Affine

__all__ = ["OnLink", "Surface", "travel_time_surface"]

MOST_CELLS = 50_000_000


@dataclass(frozen=True, eq=False)
class Surface:
    """Minutes on a grid.

    Attributes
    ----------
    minutes
        float32, shape (rows, columns), north at the top; infinite where not reached in time.
    west, north
        Upper left corner, metres in ``crs``.
    cell_m
        Width of a cell, metres.
    crs
        The equal-area CRS of the network's region.
    limit_min
        Times were spread so far, and a few cells farther for the lines to be drawn right.
    """

    minutes: NDArray[np.float32]
    west: float
    north: float
    cell_m: float
    crs: pyproj.CRS
    limit_min: float

    def bands(self, minutes: Sequence[float]) -> gpd.GeoDataFrame:
        """Draw bands between times; disjoint, with holes.

        Parameters
        ----------
        minutes
            Upper bounds, ascending; the first band begins at 0.

        Returns
        -------
        geopandas.GeoDataFrame
            ``minutes_from``, ``minutes_to``, geometry (MultiPolygon, EPSG:4326); a band that
            nothing reaches has an empty geometry.
        """
        bounds = [0.0, *map(float, minutes)]
        self._check_limit(bounds[-1])
        if any(high <= low for low, high in pairwise(bounds)):
            raise InputError(
                f"minutes are {list(minutes)}; ascending numbers above 0 are expected."
            )
        shapes = [self._between(low or -1.0, high) for low, high in pairwise(bounds)]
        drawn = gpd.GeoSeries(shapes, crs=self.crs).to_crs(WGS84)
        return gpd.GeoDataFrame(
            {"minutes_from": bounds[:-1], "minutes_to": bounds[1:]}, geometry=drawn
        )

    def inside(self, minutes: float) -> MultiPolygon:
        """Draw what is reached within some minutes, EPSG:4326, with holes."""
        self._check_limit(minutes)
        shape = gpd.GeoSeries([self._between(-1.0, minutes)], crs=self.crs).to_crs(WGS84).iloc[0]
        assert isinstance(shape, MultiPolygon)
        return shape

    def _check_limit(self, minutes: float) -> None:
        if minutes > self.limit_min:
            raise InputError(
                f"The surface was spread to {self.limit_min:g} minutes and cannot tell "
                f"{minutes:g}; make it with limit_min={minutes:g}."
            )

    def _between(self, low: float, high: float) -> MultiPolygon:
        import contourpy

        # Marching squares cannot interpolate towards infinity. A cell that is not reached counts
        # as ten minutes too late, the same for every band, so that all meet in the same lines.
        late = self.limit_min + 10.0
        finite = np.where(np.isfinite(self.minutes), self.minutes, np.float32(late))
        z = np.pad(finite.astype(float), 1, constant_values=late)
        rows, columns = z.shape
        x = self.west + (np.arange(columns) - 0.5) * self.cell_m
        y = self.north - (np.arange(rows) - 0.5) * self.cell_m
        generator = contourpy.contour_generator(
            x, y, z, fill_type=contourpy.FillType.OuterOffset, chunk_size=0
        )
        points, offsets = generator.filled(low, high)[:2]
        polygons = []
        for xy, breaks in zip(points, offsets, strict=True):
            if xy is None or breaks is None:
                continue
            rings = [xy[a:b] for a, b in pairwise(breaks)]
            polygons.append(Polygon(rings[0], rings[1:]))
        if not polygons:
            return MultiPolygon()
        whole = shapely.union_all(shapely.make_valid(polygons))
        parts = [one for one in shapely.get_parts(whole) if isinstance(one, Polygon)]
        return MultiPolygon(parts)

    def to_geotiff(self, path: str | os.PathLike[str]) -> None:
        """Write the minutes as a GeoTIFF, NaN where not reached."""
        import rasterio

        with (
            writing(path) as draft,
            rasterio.open(
                draft,
                "w",
                driver="GTiff",
                width=self.minutes.shape[1],
                height=self.minutes.shape[0],
                count=1,
                dtype="float32",
                crs=self.crs.to_wkt(),
                transform=self.transform,
                nodata=float("nan"),
                compress="deflate",
            ) as file,
        ):
            file.write(np.where(np.isfinite(self.minutes), self.minutes, np.nan), 1)

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to metres, as rasterio has it."""
        from rasterio.transform import from_origin

        placed: Affine = from_origin(self.west, self.north, self.cell_m, self.cell_m)
        return placed


@dataclass(frozen=True)
class OnLink:
    """A centre that lies on a link, between its nodes.

    Attributes
    ----------
    link
        Row of the link.
    along
        Place on it, 0 at its tail to 1 at its head.
    leg_ms
        Milliseconds between the centre and the link.
    foot
        Whether it is entered on foot.
    """

    link: int
    along: float
    leg_ms: int
    foot: bool = False


def travel_time_surface(
    net: Network,
    vertex_ms: NDArray[np.float64],
    centres: gpd.GeoSeries,
    on_links: Sequence[OnLink] = (),
    *,
    limit_min: float,
    modes: Sequence[str],
    reverse: bool,
    cell_m: float = 250.0,
) -> Surface:
    """Spread times at the graph's vertices over the land between.

    A cell takes the ways in that a place in it would take: those at most twice as far as the
    nearest, and at most :data:`urbangeo.network.snap.DETOUR_M` farther.

    Parameters
    ----------
    net
        The network.
    vertex_ms
        Milliseconds at each vertex, infinite where not reached.
    centres
        The centres, EPSG:4326; time 0.
    on_links
        Those of them that lie on links between nodes.
    limit_min
        Times are spread so far, and no farther than drawing needs.
    modes
        As in the search that gave ``vertex_ms``.
    reverse
        Whether the times are towards the centre.
    cell_m
        Width of a cell, metres; 250 to 500 is sensible for roads.

    Raises
    ------
    InputError
        If the cell is not above 0, or the grid would have more than 50 million cells.
    """
    if not (np.isfinite(cell_m) and cell_m > 0):
        raise InputError(f"cell_m is {cell_m!r}; a number of metres above 0 is expected.")
    metric = equal_area(net.bounds)
    chosen = check_modes(modes)
    layers = [
        _Spread.of(net, chosen, mode, metric, vertex_ms, centres, on_links,
                   limit_min=limit_min, reverse=reverse, cell_m=cell_m)
        for mode in net.graph(chosen).layers
    ]  # fmt: skip
    low = np.min([one.low for one in layers], axis=0)
    high = np.max([one.high for one in layers], axis=0)
    west = float(np.floor(low[0] / cell_m) * cell_m)
    north = float(np.ceil(high[1] / cell_m) * cell_m)
    columns = int(np.ceil((high[0] - west) / cell_m)) + 1
    rows = int(np.ceil((north - low[1]) / cell_m)) + 1
    if rows * columns > MOST_CELLS:
        raise InputError(
            f"A surface of {rows} x {columns} cells of {cell_m:g} m would not fit; choose "
            f"cell_m of at least {cell_m * (rows * columns / MOST_CELLS) ** 0.5:.0f}, or fewer "
            "minutes."
        )
    grid = np.full((rows, columns), np.inf, dtype=np.float32)
    for one in layers:
        one.onto(grid, west, north, cell_m)
    return Surface(grid, west, north, cell_m, metric, limit_min)


@dataclass(frozen=True, eq=False)
class _Spread:
    """Times that spread from points of the street by one mode.

    Attributes
    ----------
    xy, minutes
        The points and the times there.
    reach
        How far each is spread, metres.
    per_m
        Minutes for each metre as the crow flies.
    last
        Times are spread so far.
    ways_in
        All points through which the street is entered, reached in time or not.
    """

    xy: NDArray[np.float64]
    minutes: NDArray[np.float64]
    reach: NDArray[np.float64]
    per_m: float
    last: float
    ways_in: cKDTree

    @classmethod
    def of(
        cls,
        net: Network,
        modes: tuple[str, ...],
        mode: str,
        metric: pyproj.CRS,
        vertex_ms: NDArray[np.float64],
        centres: gpd.GeoSeries,
        on_links: Sequence[OnLink],
        *,
        limit_min: float,
        reverse: bool,
        cell_m: float,
    ) -> _Spread:
        graph = net.graph(modes)
        first = graph.layers.index(mode) * graph.n_nodes
        node_ms = vertex_ms[first : first + graph.n_nodes]
        per_m = float(net.leg_ms(np.array([1e6]), mode)[0]) / 1e6 / MS
        # A line at the limit is drawn between cells on both sides of it, so a little farther.
        last = limit_min + 3 * cell_m * per_m
        entered = open_roads(net, mode) if mode in modes else np.empty(0, dtype=np.int64)
        roads = _Samples.of(net, entered, metric, cell_m)
        gates = entry_nodes(net, modes, mode)
        gate_xy = _xy(net._tables.points(gates).to_crs(metric))
        centre_xy = _xy(centres.to_crs(metric))
        here = [one for one in on_links if one.foot == (mode == "walk")]
        minutes = np.concatenate(
            [
                roads.minutes(net, mode, node_ms, here, reverse=reverse),
                node_ms[gates] / MS,
                np.zeros(len(centre_xy)),
            ]
        )
        ways_in = cKDTree(np.concatenate([roads.xy, gate_xy]))
        xy, minutes = _thinned(
            np.concatenate([roads.xy, gate_xy, centre_xy]), minutes, last, cell_m
        )
        limit = net.street_rules(modes)[mode].max_km * 1000.0
        reach = np.minimum(limit, (last - minutes) / per_m)
        return cls(xy, minutes, reach, per_m, last, ways_in)

    @property
    def low(self) -> NDArray[np.float64]:
        """South-western corner of what is reached, metres."""
        corner: NDArray[np.float64] = (self.xy - self.reach[:, None]).min(axis=0)
        return corner

    @property
    def high(self) -> NDArray[np.float64]:
        """North-eastern corner of what is reached, metres."""
        corner: NDArray[np.float64] = (self.xy + self.reach[:, None]).max(axis=0)
        return corner

    def onto(self, grid: NDArray[np.float32], west: float, north: float, cell_m: float) -> None:
        """Lower the cells of a grid to the times that reach them."""
        rows, columns = grid.shape
        middle_x = west + (np.arange(columns) + 0.5) * cell_m
        middle_y = north - (np.arange(rows) + 0.5) * cell_m
        cells = np.stack(np.meshgrid(middle_x, middle_y), axis=-1)
        bound = float(self.reach.max()) + cell_m
        nearest = self.ways_in.query(cells, distance_upper_bound=bound)[0]
        # Half a cell more: a way in is known to half a cell only.
        allowed = np.minimum(2 * nearest, nearest + DETOUR_M) + cell_m / 2
        points = zip(self.xy[:, 0], self.xy[:, 1], self.minutes, self.reach, strict=True)
        for px, py, start, radius in points:
            c0 = max(0, int((px - west - radius) / cell_m))
            c1 = int((px - west + radius) / cell_m) + 1
            r0 = max(0, int((north - py - radius) / cell_m))
            r1 = int((north - py + radius) / cell_m) + 1
            dx, dy = middle_x[c0:c1] - px, middle_y[r0:r1] - py
            apart = np.sqrt(dx[None, :] ** 2 + dy[:, None] ** 2)
            time = start + apart * self.per_m
            window = grid[r0:r1, c0:c1]
            taken = (time <= self.last) & (apart <= allowed[r0:r1, c0:c1])
            np.minimum(window, time, out=window, where=taken, casting="same_kind")


def _xy(points: gpd.GeoSeries) -> NDArray[np.float64]:
    xy: NDArray[np.float64] = shapely.get_coordinates(np.asarray(points.array))
    return xy


@dataclass(frozen=True, eq=False)
class _Samples:
    """Points along roads, no farther apart than half a cell."""

    roads: NDArray[np.int64]
    owner: NDArray[np.int64]
    along: NDArray[np.float64]
    xy: NDArray[np.float64]

    @classmethod
    def of(
        cls, net: Network, roads: NDArray[np.int64], metric: pyproj.CRS, cell_m: float
    ) -> _Samples:
        drawn = gpd.GeoSeries(net._tables.lines.geometry[roads], crs=WGS84)
        lines = np.asarray(drawn.to_crs(metric).array)
        steps = np.maximum(1, np.ceil(shapely.length(lines) / (cell_m / 2)).astype(np.int64))
        owner = np.repeat(np.arange(len(roads)), steps + 1)
        order = np.arange(len(owner)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
        along = order / steps[owner] if len(roads) else np.empty(0)
        spots = shapely.line_interpolate_point(lines[owner], along, normalized=True)
        return cls(roads, owner, along, shapely.get_coordinates(spots))

    def minutes(
        self,
        net: Network,
        mode: str,
        node_ms: NDArray[np.float64],
        on_links: Sequence[OnLink],
        *,
        reverse: bool,
    ) -> NDArray[np.float64]:
        """Minutes at each point: by the tail of its road, by its head, or along it."""
        tables = net._tables
        there, back = (one[self.owner] / MS for one in net.link_ms(self.roads, mode))
        if reverse:  # towards the centre one leaves by the tail against the line's direction
            there, back = back, there
        one_way = tables.oneway[self.roads][self.owner] & (mode == "road")
        by_tail = node_ms[tables.tail[self.roads]][self.owner] / MS + self.along * there
        by_head = node_ms[tables.head[self.roads]][self.owner] / MS + (1 - self.along) * back
        # towards the centre nobody leaves a one-way road by its tail; from it, by its head
        if reverse:
            by_tail = np.where(one_way, np.inf, by_tail)
        else:
            by_head = np.where(one_way, np.inf, by_head)
        minutes: NDArray[np.float64] = np.minimum(by_tail, by_head)
        for one in on_links:
            here = np.flatnonzero(self.roads[self.owner] == one.link)
            ahead = one.along - self.along[here] if reverse else self.along[here] - one.along
            # `ahead` is in the line's own direction, whichever way the search ran
            along, against = (back, there) if reverse else (there, back)
            whole = np.where(ahead >= 0, along[here], against[here])
            ride = one.leg_ms / MS + np.abs(ahead) * whole
            ride = np.where(one_way[here] & (ahead < 0), np.inf, ride)
            minutes[here] = np.minimum(minutes[here], ride)
        return minutes


def _thinned(
    xy: NDArray[np.float64], minutes: NDArray[np.float64], last: float, cell_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Keep what is reached in time and, of several points in a quarter cell, the fastest.

    The others lie within half a cell of it.
    """
    good = minutes <= last
    xy, minutes = xy[good], minutes[good]
    key = np.floor(xy / (cell_m / 2)).astype(np.int64)
    order = np.lexsort((minutes, key[:, 1], key[:, 0]))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(key[order], axis=0) != 0).any(axis=1)
    kept = order[first]
    return xy[kept], minutes[kept]
