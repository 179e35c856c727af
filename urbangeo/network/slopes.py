"""Walking on slopes: Tobler's hiking function along every road on which one may walk.

Tobler (1993, "Three presentations on geographical analysis and modeling", NCGIA technical report
93-1) gives the speed on a slope S (rise over run, negative downhill) as
``W = 6 exp(-3.5 |S + 0.05|)`` km/h. Only its shape is used here: it is scaled so that flat ground
is walked at the ``walk.kmh`` of the network's profile. The factor on the time is then
``exp(3.5 (|S + 0.05| - 0.05))``, 1 on flat ground and least, 0.84, at 5 % downhill.

Elevations are read between the cells of the model (bilinear). A coarse or noisy model makes slopes
where there are none, and knows no bridge or tunnel: hence :data:`STEEPEST`.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from urbangeo.crs import WGS84
from urbangeo.errors import CRSError, InputError
from urbangeo.network.profiles import LINK_CLASSES
from urbangeo.vector import local_path

if TYPE_CHECKING:
    from urbangeo.network.lines import Lines
    from urbangeo.network.network import Network

__all__ = ["MOST_CELLS", "MOST_PIECES", "PIECE_M", "STEEPEST", "Slopes"]

PIECE_M = 50.0
"""A line's elevation is read at least so often along it, metres."""

STEEPEST = 0.35
"""No piece is walked as if it were steeper, up or down: Baldwin Street in Dunedin, which Guinness
World Records lists as the steepest street, climbs 34.8 %; what is more is a cliff beside a road."""

MOST_CELLS = 100_000_000
"""The part of an elevation model that covers a network may have so many cells (400 MB)."""

MOST_PIECES = 20_000_000
"""So many pieces are measured, a million kilometres of road."""

# Formats whose file holds its own numbers. Others (VRT, GTI, WMS …) may lead anywhere.
_FORMATS = (
    *("GTiff", "HFA", "AAIGrid", "SRTMHGT", "DTED", "EHdr", "ENVI", "USGSDEM"),
    *("ACE2", "SAGA", "GSBG", "GS7BG"),
)
_METRES = ("", "m", "metre", "metres", "meter", "meters", "metre(s)")
_LOWEST_M, _HIGHEST_M = -500.0, 9000.0  # the Earth's land; what is beyond stands for "unknown"
_DEGREE_M = 111_320.0  # of latitude; only shares of a line's length are made of it


@dataclass(frozen=True, eq=False)
class Slopes:
    """What the links of a network climb; immutable. Make one with :meth:`measure`.

    Attributes
    ----------
    rise_m
        Rise of each piece from the link's tail to its head, metres, link after link. The pieces
        of a link are equally long.
    offsets
        Link ``i`` has ``rise_m[offsets[i]:offsets[i + 1]]``, which is empty for a link that is
        walked as if flat.
    source
        Name of the elevation model.
    measured
        Links whose slopes are known.
    flat
        Links that may be walked, but lie partly outside the model or where it has no elevation:
        they keep the flat speed, and so do links that joined the network later.
    cliffs
        Pieces that are steeper than :data:`STEEPEST` as drawn.
    """

    rise_m: NDArray[np.float32]
    offsets: NDArray[np.int64]
    source: str
    measured: int
    flat: int
    cliffs: int

    @classmethod
    def measure(cls, net: Network, dem: str | os.PathLike[str]) -> Slopes:
        """Read the elevation along every link on which one may walk.

        Links of the whole table are measured, whether the view holds them or not.

        Parameters
        ----------
        net
            The network.
        dem
            Path of a raster: a GeoTIFF or another format that holds its own numbers. It has a
            CRS, and elevation in metres in its first band.

        Raises
        ------
        InputError
            If the path is no local file, it is no such raster, it does not overlap the network,
            the part that covers the network has more than :data:`MOST_CELLS` cells, or the network
            has no road on which one may walk.
        CRSError
            If the raster has no CRS, or one into which the network cannot be transformed.
        """
        path = local_path(dem, "elevation model", folder=False)
        t = net._tables
        fast = LINK_CLASSES.index("expressway")
        walked = np.flatnonzero(t.is_road & (t.codes("class") != fast))
        if not len(walked):
            raise InputError(f"{net.facts.title} has no road on which one may walk.")
        lonlat, pieces, length_m = _samples(t.lines.take(walked))
        height = _elevations(path, lonlat)
        owner = np.repeat(np.arange(len(walked)), pieces + 1)
        known = np.ones(len(walked), dtype=bool)
        known[owner[np.isnan(height)]] = False
        if not known.any():
            raise InputError(
                f"The elevation model {path} covers no link of {net.facts.title} whole. The "
                f"network spans {_span(net.bounds)}; give a model of that region."
            )
        rise = np.diff(height)[owner[1:] == owner[:-1]]
        kept = np.repeat(known, pieces)
        steep = np.abs(rise) > STEEPEST * np.repeat(length_m / pieces, pieces)
        counts = np.zeros(len(t.links), dtype=np.int64)
        counts[walked[known]] = pieces[known]
        return cls(
            rise[kept].astype(np.float32),
            np.concatenate([[0], np.cumsum(counts)]),
            path.name,
            measured=int(known.sum()),
            flat=int((~known).sum()),
            cliffs=int(steep[kept].sum()),
        )

    def walking_ms(
        self, rows: NDArray[np.int64], length_m: NDArray[np.float64], kmh: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Milliseconds on foot along links and back.

        Parameters
        ----------
        rows
            Rows of links.
        length_m
            Their lengths. What they exceed the drawn line by is spread evenly over it, and makes
            them less steep.
        kmh
            Speed on flat ground, km/h.
        """
        flat = length_m * 3600.0 / kmh
        counts = np.diff(self.offsets)[rows]
        owner = np.repeat(np.arange(len(rows)), counts)
        first = np.cumsum(counts) - counts
        place = np.arange(len(owner)) - first[owner] + self.offsets[rows][owner]
        with np.errstate(divide="ignore"):
            share = 1.0 / counts
        slope = self.rise_m[place] / (length_m * share)[owner]
        np.clip(slope, -STEEPEST, STEEPEST, out=slope)

        def factor(rising: NDArray[np.float64]) -> NDArray[np.float64]:
            times = np.exp(3.5 * (np.abs(rising + 0.05) - 0.05))
            total = np.bincount(owner, weights=times, minlength=len(rows))
            mean: NDArray[np.float64] = np.where(counts > 0, total * np.minimum(share, 1.0), 1.0)
            return mean

        return flat * factor(slope), flat * factor(-slope)

    def extended(self, n_links: int) -> Slopes:
        """Give the same for a network with more links; those are walked as if flat."""
        later = np.full(n_links + 1 - len(self.offsets), self.offsets[-1])
        return replace(self, offsets=np.concatenate([self.offsets, later]))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what can change a time, in hexadecimal."""
        sha = hashlib.sha256(np.ascontiguousarray(self.offsets).tobytes())
        sha.update(np.ascontiguousarray(self.rise_m).tobytes())
        return sha.hexdigest()


def _samples(
    lines: Lines,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Points along lines, at most :data:`PIECE_M` apart; pieces and length of each line.

    A line of k pieces has k + 1 points, from its first vertex to its last.
    """
    xy, offsets = lines.xy, lines.offsets
    owner = np.repeat(np.arange(len(lines)), np.diff(offsets))
    dx, dy = np.diff(xy, axis=0).T * _DEGREE_M
    step = np.hypot(dx * np.cos(np.radians((xy[1:, 1] + xy[:-1, 1]) / 2)), dy)
    # one gap of a metre between lines keeps their ends apart on the common axis
    step = np.where(owner[1:] == owner[:-1], step, 1.0)
    axis = np.concatenate([[0.0], np.cumsum(step)])
    begin, end = axis[offsets[:-1]], axis[offsets[1:] - 1]
    pieces = np.maximum(1, np.ceil((end - begin) / PIECE_M - 1e-6)).astype(np.int64)
    total = int(pieces.sum())
    if total > MOST_PIECES:
        raise InputError(
            f"The roads are {total * PIECE_M / 1000:,.0f} km long; slopes are measured for at most "
            f"{MOST_PIECES * PIECE_M / 1000:,.0f} km. Use a network of a smaller region."
        )
    line = np.repeat(np.arange(len(lines)), pieces + 1)
    first = np.cumsum(pieces + 1) - (pieces + 1)
    share = (np.arange(len(line)) - first[line]) / pieces[line]
    spots = begin[line] + share * (end - begin)[line]
    lonlat = np.column_stack([np.interp(spots, axis, one) for one in xy.T])
    return lonlat, pieces, end - begin


@contextmanager
def elevation_model(path: Path) -> Iterator[Any]:
    """Open a raster of heights as rasterio does, and refuse what is none.

    Raises
    ------
    InputError
        If it is no raster in a format that holds its own numbers, or its unit is not the metre.
    CRSError
        If it has no CRS.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError
    from rasterio.io import DatasetReader

    try:
        with warnings.catch_warnings(), rasterio.Env():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told below, as an error
            # unlike rasterio.open, the class takes a list of formats
            with DatasetReader(path, driver=list(_FORMATS)) as file:
                _require_heights(path, file)
                yield file
    except RasterioError as error:
        raise InputError(
            f"The elevation model {path} cannot be read: {error}. It must be a whole raster in one "
            f"of the formats {', '.join(_FORMATS)}."
        ) from error


def _require_heights(path: Path, file: Any) -> None:
    if file.crs is None:
        raise CRSError(
            f"The elevation model {path} has no coordinate reference system. Write into it the one "
            "it was made in, for example with gdal_edit.py -a_srs EPSG:4326."
        )
    unit = (file.units[0] or "").strip().lower()
    if unit not in _METRES:
        raise InputError(
            f"The elevation model {path} states its heights in {unit!r}; metres are expected."
        )


def heights(file: Any, window: Any, **options: Any) -> NDArray[np.float32]:
    """Read a window of an opened model, metres; NaN where it has no elevation.

    Parameters
    ----------
    window
        A window of rasterio.
    options
        ``out_shape`` and ``resampling``, as rasterio takes them, for fewer cells than there are.
    """
    cells = file.read(1, window=window, masked=True, out_dtype="float32", **options)
    grid: NDArray[np.float32] = np.ma.filled(cells, np.nan)
    if (file.scales[0], file.offsets[0]) != (1.0, 0.0):
        grid = grid * np.float32(file.scales[0]) + np.float32(file.offsets[0])
    grid[(grid < _LOWEST_M) | (grid > _HIGHEST_M)] = np.nan
    return grid


def _elevations(path: Path, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Elevation at points (lon, lat), NaN where the raster has none."""
    with elevation_model(path) as file:
        return _read(path, file, lonlat)


def _read(path: Path, file: Any, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    from rasterio.windows import Window

    column, row = _cells(path, file, lonlat)
    inside = (column >= 0) & (column <= file.width) & (row >= 0) & (row <= file.height)
    if not inside.any():
        raise InputError(
            f"The elevation model {path} does not overlap the network, which spans "
            f"{_span([*lonlat.min(axis=0), *lonlat.max(axis=0)])}. Give a model of that region."
        )
    # the middle of a cell is half a cell from its corner
    x, y = column[inside] - 0.5, row[inside] - 0.5
    west, north = max(0, int(np.floor(x.min()))), max(0, int(np.floor(y.min())))
    width = min(file.width, int(np.floor(x.max())) + 2) - west
    height = min(file.height, int(np.floor(y.max())) + 2) - north
    if width * height > MOST_CELLS:
        raise InputError(
            f"The part of the elevation model {path} that covers the network has {width:,} x "
            f"{height:,} cells; at most {MOST_CELLS:,} are read. Make it coarser, or use a network "
            "of a smaller region."
        )
    grid = heights(file, Window(west, north, width, height))
    out = np.full(len(lonlat), np.nan)
    out[inside] = _between_cells(grid, x - west, y - north)
    return out


def _cells(
    path: Path, file: Any, lonlat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Column and row of points, in cells from the raster's corner."""
    name = file.crs.to_string()
    try:
        crs = pyproj.CRS.from_user_input(file.crs.to_wkt())
        to_raster = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
        x, y = to_raster.transform(lonlat[:, 0], lonlat[:, 1])
    except pyproj.exceptions.ProjError as error:
        raise CRSError(
            f"WGS 84 cannot be transformed into {name}, the CRS of the elevation model {path}: "
            f"{error}"
        ) from error
    back = ~file.transform
    x, y = (np.where(np.isfinite(one), one, -1e30) for one in (x, y))  # nowhere in that CRS
    return back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f


def _between_cells(
    grid: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate between the middles of four cells; NaN where one that counts is unknown.

    In the outer half of the cells along the edge the edge's value goes on.
    """
    rows, columns = grid.shape
    x, y = np.clip(x, 0, columns - 1), np.clip(y, 0, rows - 1)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right, below = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    across, down = x - left, y - top
    total = np.zeros(len(x))
    for row, column, weight in (
        (top, left, (1 - down) * (1 - across)),
        (top, right, (1 - down) * across),
        (below, left, down * (1 - across)),
        (below, right, down * across),
    ):
        total += np.where(weight > 0, weight * grid[row, column], 0.0)
    return total


def _span(bounds: Any) -> str:
    west, south, east, north = bounds
    return f"{west:.2f} to {east:.2f} E, {south:.2f} to {north:.2f} N"
