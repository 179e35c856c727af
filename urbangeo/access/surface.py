"""The travel-time surface: every cell's time, and the bands drawn from it.

A cell's time is the least over all ways in (points along ordinary roads, interchanges, stations)
of the time there plus the leg off the network. Bands are drawn through the surface by marching
squares, so that what cannot be reached stays a hole; a hull would fill it.
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

from urbangeo.access.spread import Barred, Field, OnLink, leg_minutes
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
    "between",
    "check_cell",
    "drawn_to",
    "filled",
    "travel_time_surface",
]

MOST_CELLS = 50_000_000
"""Cells of the largest surface that is made."""

_BYTES_DRAWN = 32  # of memory for each cell when lines are drawn: minutes, and heights as float64
_BLOCK_CELLS = 2_000_000
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
        shapes = [self.between(low or -1.0, high) for low, high in pairwise(bounds)]
        drawn = gpd.GeoSeries(shapes, crs=self.crs).to_crs(WGS84)
        return gpd.GeoDataFrame(
            {"minutes_from": bounds[:-1], "minutes_to": bounds[1:]}, geometry=drawn
        )

    def inside(self, minutes: float) -> MultiPolygon:
        """Draw what is reached within some minutes, EPSG:4326, with holes."""
        self._check_limit(minutes)
        shape = gpd.GeoSeries([self.between(-1.0, minutes)], crs=self.crs).to_crs(WGS84).iloc[0]
        assert isinstance(shape, MultiPolygon)
        return shape

    def _check_limit(self, minutes: float) -> None:
        if minutes > self.limit_min:
            raise InputError(
                f"The surface was spread to {self.limit_min:g} minutes and cannot tell "
                f"{minutes:g}; make it with limit_min={minutes:g}."
            )

    def between(self, low: float, high: float) -> MultiPolygon:
        """Draw what takes more than ``low`` and at most ``high`` minutes, in the plane ``crs``."""
        frame = Frame(self.west, self.north, self.cell_m, *self.minutes.shape)
        return between(self.minutes, frame, self.limit_min, low, high)

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


def between(
    grid: NDArray[np.float32], frame: Frame, limit_min: float, low: float, high: float
) -> MultiPolygon:
    """Draw what takes more than ``low`` and at most ``high`` minutes, in the plane of the grid."""
    # Marching squares cannot interpolate towards infinity. A cell that is not reached counts
    # as ten minutes too late, the same for every band, so that all meet in the same lines.
    late = limit_min + 10.0
    return filled(np.where(np.isfinite(grid), grid, np.float32(late)), frame, low, high, late)


def filled(
    heights: NDArray[Any], frame: Frame, low: float, high: float, outside: float | None = None
) -> MultiPolygon:
    """Draw where heights at the middles of cells lie above ``low`` and not above ``high``.

    Beyond the grid the height is ``outside``, or that of the nearest cell.
    """
    import contourpy

    how: dict[str, Any] = {"mode": "edge"}
    if outside is not None:
        how = {"mode": "constant", "constant_values": outside}
    z = np.pad(heights.astype(float), 1, **how)
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
        x = self.west + (np.arange(self.columns) + 0.5) * self.cell_m
        for start in range(0, self.rows, step):
            some = slice(start, min(self.rows, start + step))
            y = self.north - (np.arange(some.start, some.stop) + 0.5) * self.cell_m
            yield some, np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


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
        return Surface(grid, float(west), float(north), frame.cell_m, self.crs, limit_min, facts)

    def onto(self, frame: Frame, *, numba: bool | None = None) -> NDArray[np.float32]:
        """Give the minutes of the cells of a grid; infinite where not reached in time."""
        grid = np.full((frame.rows, frame.columns), np.inf, dtype=np.float32)
        for rows, xy in frame.blocks():
            block = grid[rows].reshape(-1)
            for street in self.fields:
                some = np.flatnonzero(street.within_reach(xy))
                minutes, _ = street.at(xy[some], numba=numba)
                block[some] = np.minimum(block[some], minutes)
        self._across(grid, frame, numba=numba)
        return grid

    def _across(self, grid: NDArray[np.float32], frame: Frame, *, numba: bool | None) -> None:
        """Lower cells that are reached from a centre without the network.

        As a place is: one that lies closer to the centre than both to the network together.
        """
        if not len(self.centres):
            return
        nearest = np.min([one.at(self.centres, numba=numba)[1] for one in self.fields], axis=0)
        for (x, y), own in zip(self.centres, nearest, strict=True):
            for street in self.fields:
                wide = street.across_m + frame.cell_m
                c0 = max(0, int((x - wide - frame.west) // frame.cell_m))
                c1 = min(frame.columns, int((x + wide - frame.west) // frame.cell_m) + 1)
                r0 = max(0, int((frame.north - y - wide) // frame.cell_m))
                r1 = min(frame.rows, int((frame.north - y + wide) // frame.cell_m) + 1)
                if c0 >= c1 or r0 >= r1:
                    continue
                window = grid[r0:r1, c0:c1]
                east = frame.west + (np.arange(c0, c1) + 0.5) * frame.cell_m
                up = frame.north - (np.arange(r0, r1) + 0.5) * frame.cell_m
                xy = np.stack(np.meshgrid(east, up), axis=-1)
                apart = np.hypot(xy[..., 0] - x, xy[..., 1] - y)
                minutes = (street.park_ms + apart * street.leg_ms) / MS
                faster = (minutes < window) & (minutes <= self.last_min)
                row, column = np.nonzero(faster & (apart <= street.limit_m))
                spots = xy[row, column]
                if not len(spots):
                    continue
                around = np.min([one.at(spots, numba=numba)[1] for one in self.fields], axis=0)
                good = apart[row, column] <= own + around + _SAME_M
                if self.barred is not None:
                    walls = self.barred.within((x - wide, y - wide, x + wide, y + wide))
                    good &= ~walls.crossed(np.broadcast_to((x, y), spots.shape), spots)
                    good &= ~walls.covers(spots)
                row, column = row[good], column[good]
                window[row, column] = minutes[row, column]
