"""The travel-time surface: every cell's time, and the bands drawn from it.

A cell's time is that of a place in its middle: the least, over the ways in near it (roads,
interchanges, stations), of the time there and the leg off the network. Bands are drawn through the
surface by marching squares, so that what cannot be reached stays a hole; a hull would fill it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from urbangeo.access.barred import Barred
from urbangeo.access.spread import ON_ROAD_M, Field, OnLink, leg_minutes
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import InputError, OutputError
from urbangeo.files import writing
from urbangeo.network.graph import MS
from urbangeo.network.network import Network, check_modes

if TYPE_CHECKING:
    from affine import Affine

__all__ = [
    "Frame",
    "OnLink",
    "Spreads",
    "Surface",
    "banded",
    "check_cell",
    "drawn_to",
    "filled",
    "finer",
    "travel_time_surface",
]

MOST_CELLS = 50_000_000
"""Cells of the largest surface that is made."""

_BYTES_DRAWN = 32  # of memory for each cell when lines are drawn: minutes, and heights as float64
_BLOCK_CELLS = 2_000_000
_DIGITS = 3  # of metres, to which lines are drawn
_SAME_M = 0.5  # distances closer than this are equal, as for places


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
    facts
        What the network says of itself (:meth:`urbangeo.Network.describe`).
    """

    minutes: NDArray[np.float32]
    west: float
    north: float
    cell_m: float
    crs: pyproj.CRS
    limit_min: float
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    _spreads: Spreads | None = field(default=None, repr=False)

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
        if any(high <= low for low, high in pairwise(bounds)):
            raise InputError(
                f"minutes are {list(minutes)}; ascending numbers above 0 are expected."
            )
        drawn = gpd.GeoSeries(self.shapes(bounds[1:]), crs=self.crs).to_crs(WGS84)
        return gpd.GeoDataFrame(
            {"minutes_from": bounds[:-1], "minutes_to": bounds[1:]}, geometry=drawn
        )

    def inside(self, minutes: float) -> MultiPolygon:
        """Draw what is reached within some minutes, EPSG:4326, with holes."""
        shape = gpd.GeoSeries(self.shapes([minutes]), crs=self.crs).to_crs(WGS84).iloc[0]
        assert isinstance(shape, MultiPolygon)
        return shape

    def shapes(self, bounds: Sequence[float]) -> list[MultiPolygon]:
        """Draw bands as :meth:`bands` does, in the plane ``crs``; bounds ascend.

        Raises
        ------
        InputError
            If the surface was not spread so far.
        """
        if bounds[-1] > self.limit_min:
            raise InputError(
                f"The surface was spread to {self.limit_min:g} minutes and cannot tell "
                f"{bounds[-1]:g}; make it with limit_min={bounds[-1]:g}."
            )
        frame = Frame(self.west, self.north, self.cell_m, *self.minutes.shape)
        grid = self.minutes
        if self._spreads is not None:
            fine, frame = finer([grid], frame, [self._spreads], bounds, self.limit_min)
            grid = fine[0]
        return banded(grid, frame, bounds, self.limit_min)

    def to_geotiff(self, path: str | os.PathLike[str], *, cog: bool = False) -> None:
        """Write the minutes as a GeoTIFF, NaN where not reached; the same bytes on every run.

        Parameters
        ----------
        path
            File, whole or not at all.
        cog
            Cloud-optimised: in tiles with overviews, so that a part can be read at a distance.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        import rasterio

        how = {"driver": "COG", "overview_resampling": "nearest"} if cog else {"driver": "GTiff"}
        try:
            with (
                writing(path) as draft,
                rasterio.open(
                    draft,
                    "w",
                    width=self.minutes.shape[1],
                    height=self.minutes.shape[0],
                    count=1,
                    dtype="float32",
                    crs=self.crs.to_wkt(),
                    transform=self.transform,
                    nodata=float("nan"),
                    compress="deflate",
                    predictor=3,
                    **how,
                ) as file,
            ):
                file.write(np.where(np.isfinite(self.minutes), self.minutes, np.nan), 1)
                file.set_band_description(1, "minutes")
                file.update_tags(
                    limit_min=f"{self.limit_min:g}",
                    **{name: _told(one) for name, one in self.facts.items() if one is not None},
                )
        except rasterio.errors.RasterioError as error:
            raise OutputError(f"Cannot write {path}: {error}.") from error

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to metres, as rasterio has it."""
        from rasterio.transform import from_origin

        placed: Affine = from_origin(self.west, self.north, self.cell_m, self.cell_m)
        return placed


def _told(fact: Any) -> str:
    return "; ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


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
    barred: Barred | None = None,
    numba: bool | None = None,
) -> Surface:
    """Spread times at the graph's vertices over the land between.

    The time of a cell is the time of a place in its middle: see :mod:`urbangeo.access.spread`.

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
        Times are spread so far, and no farther than drawing needs (:func:`drawn_to`).
    modes
        As in the search that gave ``vertex_ms``.
    reverse
        Whether the times are towards the centre.
    cell_m
        Width of a cell, metres; 250 to 500 is sensible for roads.
    barred
        What legs off the network must not cross.
    numba
        Whether to use the compiled loop; if it is there, if None. The result is the same.

    Raises
    ------
    InputError
        If the cell is not above 0, or the grid would have more than 50 million cells.
    """
    spreads = Spreads.of(
        net,
        vertex_ms,
        centres,
        on_links,
        limit_min=limit_min,
        modes=modes,
        reverse=reverse,
        cell_m=cell_m,
        barred=barred,
    )
    frame = Frame.around([spreads.box], cell_m)
    return spreads.surface(frame, limit_min, net.describe(), numba=numba)


def banded(
    grid: NDArray[np.float32], frame: Frame, bounds: Sequence[float], limit_min: float
) -> list[MultiPolygon]:
    """Draw the bands up to each of some bounds, in the plane of a grid."""
    late = _late(limit_min)
    heights = _finite(grid, late)
    return [filled(heights, frame, low, high, late) for low, high in pairwise((-1.0, *bounds))]


def finer(
    grids: Sequence[NDArray[np.float32]],
    frame: Frame,
    spreads: Sequence[Spreads],
    bounds: Sequence[float],
    limit_min: float,
) -> tuple[list[NDArray[np.float32]], Frame]:
    """Halve the cells of grids, for lines to be drawn through them.

    Near the lines at some bounds through the least of the grids, times are measured anew at the
    middles of the smaller cells, where those that a road passes by within half their width lie on
    it: a line is to hold the roads that are reached, though the middles of cells beside them may
    not be. Elsewhere they are interpolated.

    A grid of more than a quarter of the most cells stays as it is.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    if 4 * len(grids) * grids[0].size > MOST_CELLS:
        return list(grids), frame
    late = _late(limit_min)
    # a row and column more on each side, of which a part may be reached
    wide = [np.pad(_finite(one, late), 1, constant_values=late) for one in grids]
    best = np.min(wide, axis=0)
    low = minimum_filter(best, 3, mode="constant", cval=late)
    high = maximum_filter(best, 3, mode="constant", cval=late)
    near = np.zeros(best.shape, dtype=bool)
    for bound in bounds:
        near |= (low <= bound) & (high > bound)
    cell = frame.cell_m / 2
    fine = Frame(
        frame.west - frame.cell_m, frame.north + frame.cell_m, cell, *(2 * n for n in best.shape)
    )
    row, column = np.nonzero(near.repeat(2, axis=0).repeat(2, axis=1))
    xy = fine.middles(row, column)
    out = []
    for one, source in zip(wide, spreads, strict=True):
        smooth = _halved(_halved(one).T).T
        smooth[row, column] = source.at(xy, on_road_m=cell / 2)
        out.append(smooth.astype(np.float32))
    return out, fine


def _halved(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halve the height of cells, interpolating between their middles."""
    above = np.concatenate([grid[:1], grid[:-1]])
    below = np.concatenate([grid[1:], grid[-1:]])
    halves: NDArray[np.float64] = np.stack(
        [0.75 * grid + 0.25 * above, 0.75 * grid + 0.25 * below], axis=1
    ).reshape(-1, grid.shape[1])
    return halves


def _late(limit_min: float) -> float:
    """Minutes for what is not reached.

    Marching squares cannot interpolate towards infinity. A cell that is not reached counts as ten
    minutes too late, the same for every band, so that all meet in the same lines.
    """
    return limit_min + 10.0


def _finite(grid: NDArray[np.float32], late: float) -> NDArray[np.float64]:
    finite: NDArray[np.float64] = np.where(np.isfinite(grid), grid, late).astype(float)
    return finite


def filled(
    heights: NDArray[np.float64],
    frame: Frame,
    low: float,
    high: float,
    outside: float | None = None,
) -> MultiPolygon:
    """Draw where heights at the middles of cells lie above ``low`` and not above ``high``.

    Beyond the grid the height is ``outside``, or that of the nearest cell.
    """
    import contourpy

    how: dict[str, Any] = {"mode": "edge"}
    if outside is not None:
        how = {"mode": "constant", "constant_values": outside}
    z = np.pad(heights, 1, **how)
    rows, columns = z.shape
    x = frame.west + (np.arange(columns) - 0.5) * frame.cell_m
    y = frame.north - (np.arange(rows) - 0.5) * frame.cell_m
    generator = contourpy.contour_generator(
        x, y, z, fill_type=contourpy.FillType.OuterOffset, chunk_size=0
    )
    points, offsets = generator.filled(low, high)[:2]
    polygons = []
    for xy, breaks in zip(points, offsets, strict=True):
        if xy is None or breaks is None:
            continue
        # The line between two bands comes out the same in both but for the last digits.
        xy = np.round(xy, _DIGITS)
        rings = [xy[a:b] for a, b in pairwise(breaks)]
        polygons.append(Polygon(rings[0], rings[1:]))
    if not polygons:
        return MultiPolygon()
    whole = shapely.union_all(shapely.make_valid(polygons))
    parts = [one for one in shapely.get_parts(whole) if isinstance(one, Polygon)]
    return MultiPolygon(parts)


def check_cell(cell_m: float) -> float:
    """Refuse a width of cells that is not a number above 0.

    Raises
    ------
    InputError
        Naming what was given.
    """
    good = isinstance(cell_m, int | float | np.number) and np.isfinite(cell_m) and cell_m > 0
    if not good or isinstance(cell_m, bool):
        raise InputError(f"cell_m is {cell_m!r}; a number of metres above 0 is expected.")
    return float(cell_m)


def drawn_to(net: Network, modes: Sequence[str], limit_min: float, cell_m: float) -> float:
    """Minutes to which times must be known for the line at ``limit_min`` to be drawn.

    It is drawn between cells on both sides of it, so a little more.
    """
    chosen = check_modes(modes)
    slowest = max(leg_minutes(net, mode) for mode in net.street_rules(chosen))
    return limit_min + 3 * check_cell(cell_m) * slowest


@dataclass(frozen=True)
class Frame:
    """Where a grid lies: upper left corner, width of its cells, rows and columns."""

    west: float
    north: float
    cell_m: float
    rows: int
    columns: int

    @classmethod
    def around(
        cls, boxes: Sequence[tuple[float, float, float, float]], cell_m: float, layers: int = 1
    ) -> Frame:
        """Lay a grid on whole multiples of the cell around boxes.

        Parameters
        ----------
        boxes
            West, south, east, north, metres.
        cell_m
            Width of a cell, metres.
        layers
            How many such grids are needed at once.

        Raises
        ------
        InputError
            If they would have more than 50 million cells together.
        """
        corners = np.array(boxes)
        low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        west = float(np.floor(low[0] / cell_m) * cell_m)
        north = float(np.ceil(high[1] / cell_m) * cell_m)
        columns = int(np.ceil((high[0] - west) / cell_m)) + 1
        rows = int(np.ceil((north - low[1]) / cell_m)) + 1
        cells = rows * columns * layers
        if cells > MOST_CELLS:
            many = f"{layers} surfaces" if layers > 1 else "A surface"
            raise InputError(
                f"{many} of {rows} x {columns} cells of {cell_m:g} m would not fit (about "
                f"{cells * _BYTES_DRAWN / 2**30:.1f} GB to draw); choose cell_m of at least "
                f"{cell_m * (cells / MOST_CELLS) ** 0.5:.0f}, or fewer minutes"
                f"{' or origins' if layers > 1 else ''}."
            )
        return cls(west, north, cell_m, rows, columns)

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Rows of cells, some at a time, and the middles of their cells, shape (n, 2)."""
        step = max(1, _BLOCK_CELLS // self.columns)
        for start in range(0, self.rows, step):
            some = slice(start, min(self.rows, start + step))
            row, column = np.indices((some.stop - start, self.columns)).reshape(2, -1)
            yield some, self.middles(row + start, column)

    def middles(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
        """Middles of cells, metres, shape (n, 2)."""
        x = self.west + (column + 0.5) * self.cell_m
        return np.column_stack([x, self.north - (row + 0.5) * self.cell_m])


@dataclass(frozen=True, eq=False)
class Spreads:
    """Times that spread from the street and from the centres, by all modes of the street.

    Attributes
    ----------
    fields
        One for each mode of the street.
    crs
        The plane of the region.
    centres
        The centres, metres.
    last_min
        Later times do not matter.
    box
        West, south, east, north of what may be reached.
    """

    fields: tuple[Field, ...]
    crs: pyproj.CRS
    centres: NDArray[np.float64]
    last_min: float
    box: tuple[float, float, float, float]
    barred: Barred | None

    @classmethod
    def of(
        cls,
        net: Network,
        vertex_ms: NDArray[np.float64],
        centres: gpd.GeoSeries,
        on_links: Sequence[OnLink],
        *,
        limit_min: float,
        modes: Sequence[str],
        reverse: bool,
        cell_m: float,
        barred: Barred | None = None,
    ) -> Spreads:
        """Make ready what :func:`travel_time_surface` spreads."""
        cell_m = check_cell(cell_m)
        chosen = check_modes(modes)
        crs = equal_area(net.bounds)
        xy = shapely.get_coordinates(np.asarray(centres.to_crs(crs).array))
        last = drawn_to(net, chosen, limit_min, cell_m)
        fields = tuple(
            Field.of(
                net,
                chosen,
                mode,
                vertex_ms,
                on_links,
                last_min=last,
                reverse=reverse,
                barred=barred,
                around=xy,
            )
            for mode in net.graph(chosen).layers
        )
        across = max(one.across_m for one in fields)
        corners = np.array([one.box for one in fields])
        low = np.minimum(corners[:, :2].min(axis=0), xy.min(axis=0) - across)
        high = np.maximum(corners[:, 2:].max(axis=0), xy.max(axis=0) + across)
        return cls(fields, crs, xy, last, (*low.tolist(), *high.tolist()), barred)

    def surface(
        self,
        frame: Frame,
        limit_min: float,
        facts: Mapping[str, Any],
        *,
        numba: bool | None = None,
    ) -> Surface:
        """Give the surface on a grid, without edges where nothing is reached."""
        grid = self.onto(frame, numba=numba)
        rows, columns = (np.flatnonzero(np.isfinite(grid).any(axis=one)) for one in (1, 0))
        west, north = frame.west, frame.north
        if len(rows):
            grid = grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
            west, north = west + columns[0] * frame.cell_m, north - rows[0] * frame.cell_m
        cell_m, crs = frame.cell_m, self.crs
        return Surface(grid, float(west), float(north), cell_m, crs, limit_min, facts, self)

    def onto(self, frame: Frame, *, numba: bool | None = None) -> NDArray[np.float32]:
        """Give the minutes of the cells of a grid; infinite where not reached in time."""
        grid = np.empty((frame.rows, frame.columns), dtype=np.float32)
        for rows, xy in frame.blocks():
            grid[rows] = self.at(xy, numba=numba).reshape(-1, frame.columns)
        return grid

    def at(
        self,
        xy: NDArray[np.float64],
        *,
        on_road_m: float = ON_ROAD_M,
        numba: bool | None = None,
    ) -> NDArray[np.float64]:
        """Give the minutes at points; infinite where not reached in time.

        Parameters
        ----------
        xy
            Metres in the plane ``crs``, shape (n, 2).
        on_road_m
            Points no farther from a way in than this lie on it.
        numba
            Whether to use the compiled loop; if it is there, if None.
        """
        minutes = np.full(len(xy), np.inf)
        for street in self.fields:
            some = np.flatnonzero(street.within_reach(xy))
            reached, _ = street.at(xy[some], on_road_m=on_road_m, numba=numba)
            minutes[some] = np.minimum(minutes[some], reached)
        self._across(xy, minutes, numba=numba)
        return minutes

    def _across(
        self, xy: NDArray[np.float64], minutes: NDArray[np.float64], *, numba: bool | None
    ) -> None:
        """Lower the times of points that are reached from a centre without the network.

        As a place is: one that lies closer to the centre than both to the network together.
        """
        nearest = self._nearest(self.centres, numba=numba)
        for centre, own in zip(self.centres, nearest, strict=True):
            for street in self.fields:
                wide = street.across_m
                some = np.flatnonzero((np.abs(xy - centre) <= wide).all(axis=1))
                apart = np.hypot(*(xy[some] - centre).T)
                across = (street.park_ms + apart * street.leg_ms) / MS
                faster = (across < minutes[some]) & (across <= self.last_min) & (apart <= wide)
                some, apart, across = some[faster], apart[faster], across[faster]
                if not len(some):
                    continue
                good = apart <= own + self._nearest(xy[some], numba=numba) + _SAME_M
                if self.barred is not None:
                    walls = self.barred.within((*(centre - wide), *(centre + wide)))
                    good &= ~walls.crossed(np.broadcast_to(centre, xy[some].shape), xy[some])
                    good &= ~walls.covers(xy[some])
                minutes[some[good]] = across[good]

    def _nearest(self, xy: NDArray[np.float64], *, numba: bool | None) -> NDArray[np.float64]:
        """Metres to the nearest way in by any mode."""
        nearest: NDArray[np.float64] = np.min(
            [one.at(xy, numba=numba)[1] for one in self.fields], axis=0
        )
        return nearest
