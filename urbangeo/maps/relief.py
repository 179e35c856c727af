"""Hillshade from the user's elevation model, laid softly over the ground's fills.

Slopes are those of Horn (1981, "Hill shading and the reflectance map", Proceedings of the IEEE 69,
14-47): weighted differences over the eight neighbours of a cell. Light falls from four sides at
once as Mark (1992, "Multidirectional, oblique-weighted, shaded-relief image of the Island of
Hawaii", USGS Open-File Report 92-422) has it: from 225, 270, 315 and 360 degrees, 30 degrees above
the horizon, each weighted by the squared sine of its angle to the slope's aspect, so that every
slope is lit obliquely. His aspects are smoothed, these are the cells' own. Azimuths are those of
the page: what is up is lit from the upper left, wherever north lies.

What is darker than flat ground is drawn black, what is lighter white, and flat ground not at all:
colours beneath keep their hue, names above stay readable.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from urbangeo.crs import WGS84
from urbangeo.errors import CRSError, InputError
from urbangeo.maps.drawing import _path
from urbangeo.maps.paper import page_box
from urbangeo.network.slopes import elevation_model, heights
from urbangeo.vector import local_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["MOST_DPI", "Relief", "add_relief", "hillshade", "relief_note"]

MOST_DPI = 300.0
"""A finer picture shows nothing more in print."""

MARK = (225.0, 270.0, 315.0, 360.0)
"""Azimuths of the four lights, degrees clockwise from the page's up."""

MARK_ALTITUDE = 30.0
SINGLE_ALTITUDE = 45.0

LIKE_45 = 0.1
"""Heights are exaggerated until this share of the map is drawn as steep as 45 degrees. The coarser
a model and the smaller a scale, the flatter is the ground; no published rule was found, so the
share was chosen by looking at prints."""

LARGEST_EXAGGERATION = 10.0

_STRIP = 256  # rows that are shaded at a time
_MARGIN = 2  # cells beyond the map, for the differences at its edge
_SAMPLE = 1_000_000  # so many slopes tell the exaggeration

FloatGrid = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Relief:
    """What was drawn.

    Attributes
    ----------
    image
        The picture's artist.
    name
        Of the elevation model's file.
    exaggeration
        By which heights were multiplied.
    cell_m
        Side of a cell of the picture, metres.
    share
        Of the map for which there is elevation.
    """

    image: AxesImage
    name: str
    exaggeration: float
    cell_m: float
    share: float


def relief_note(dem: str | os.PathLike[str], lang: str = "zh") -> str:
    """Give the sentence for a figure's note."""
    if lang == "en":
        return (
            f"Hillshade from the heights that the user gave ({Path(dem).name}), exaggerated; "
            "where there are none nothing is shaded. "
        )
    return f"地貌晕渲据使用者提供的高程数据（{Path(dem).name}），高程经垂直夸张，无数据处不绘。"


def add_relief(
    axes: Axes,
    dem: str | os.PathLike[str],
    crs: pyproj.CRS,
    *,
    zorder: float = 2.65,
    clip: BaseGeometry | None = None,
    opacity: float = 0.4,
    exaggeration: float | None = None,
    azimuth: float | None = None,
    dpi: float = 200.0,
) -> Relief:
    """Draw hillshade over a map's fills.

    Memory grows with the picture, not with the model: for the map of an A3 sheet 170 MB were
    measured at 200 dpi, 270 MB at 300. A model that is finer than the picture is read by its
    overviews where it has them, and averaged otherwise; a void must be declared as nodata, or it is
    averaged with its neighbours.

    Parameters
    ----------
    axes
        A map, whose size and limits are final.
    dem
        Path of a raster with heights in metres in its first band; see
        :meth:`urbangeo.network.slopes.Slopes.measure`.
    crs
        The map's projection, metres.
    zorder
        By default above the land and the extent, below everything else.
    clip
        Area beyond which nothing is drawn, in ``crs``.
    opacity
        Of the darkest shade and the brightest light, above 0 to 1.
    exaggeration
        By which heights are multiplied; by default what makes :data:`LIKE_45` of the map as steep
        as 45 degrees, between 1 and :data:`LARGEST_EXAGGERATION`.
    azimuth
        Direction of a single light, 45 degrees above the horizon; by default four lights.
    dpi
        Resolution of the picture; at most :data:`MOST_DPI`.

    Raises
    ------
    InputError
        If the path is no local file, it is no such raster, it does not overlap the map, has no
        elevation there, or a number is out of range.
    CRSError
        If the raster has no CRS, or one into which the map's cannot be transformed.
    """
    path = local_path(dem, "elevation model", folder=False)
    _check(opacity, exaggeration, azimuth, dpi)
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    left, bottom, right, top = page_box(axes)
    per_mm = min(dpi, MOST_DPI) / 25.4
    columns = max(1, round((right - left) * per_mm))
    rows = max(1, round((top - bottom) * per_mm))
    cell = ((east - west) / columns, (north - south) / rows)
    grid = _grid(path, crs, (west, north), cell, (rows + 2 * _MARGIN, columns + 2 * _MARGIN))
    inner = np.isfinite(grid[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN])
    share = float(np.count_nonzero(inner)) / inner.size
    if share == 0:
        raise InputError(
            f"The elevation model {path} has no elevation within the map, only nodata. Give a "
            "model of that region."
        )
    factor = _exaggeration(grid, cell) if exaggeration is None else float(exaggeration)
    picture = _picture(grid, cell, factor, azimuth, opacity)
    image = AxesImage(
        axes,
        extent=(west, east, south, north),
        origin="upper",
        interpolation="antialiased",
        zorder=zorder,
        gid="relief",
    )
    image.set_data(picture)
    axes.add_image(image)
    if clip is None:
        image.set_clip_path(axes.patch)
    else:
        image.set_clip_path(_path(clip), axes.transData)
    return Relief(image, path.name, factor, (cell[0] + cell[1]) / 2, share)


def _check(opacity: float, exaggeration: float | None, azimuth: float | None, dpi: float) -> None:
    if not 0 < opacity <= 1:
        raise InputError(f"opacity is {opacity}; more than 0 and at most 1 is expected.")
    if exaggeration is not None and not 0 < exaggeration <= 1000:
        raise InputError(
            f"exaggeration is {exaggeration}; more than 0 and at most 1000 is expected."
        )
    if azimuth is not None and not -360 <= azimuth <= 360:
        raise InputError(f"azimuth is {azimuth}; -360 to 360 degrees are expected.")
    if not dpi >= 20:
        raise InputError(f"dpi is {dpi}; at least 20 is expected.")


# Elevation ----------------------------------------------------------------------------------------


def _grid(
    path: Path,
    crs: pyproj.CRS,
    corner: tuple[float, float],
    cell: tuple[float, float],
    shape: tuple[int, int],
) -> FloatGrid:
    """Read heights on the picture's grid, with a margin round it; NaN where there are none."""
    from rasterio.enums import Resampling
    from rasterio.transform import Affine
    from rasterio.warp import reproject
    from rasterio.windows import Window

    west, north = corner[0] - _MARGIN * cell[0], corner[1] + _MARGIN * cell[1]
    with elevation_model(path) as file:
        columns, rows = _source_cells(path, file, crs, (west, north), cell, shape)
        x0, y0 = max(0, math.floor(columns.min()) - 2), max(0, math.floor(rows.min()) - 2)
        x1 = min(file.width, math.ceil(columns.max()) + 2)
        y1 = min(file.height, math.ceil(rows.max()) + 2)
        if x1 <= x0 or y1 <= y0:
            raise InputError(
                f"The elevation model {path} does not overlap the map, which spans "
                f"{_span(crs, (west, north), cell, shape)}. Give a model of that region."
            )
        # How many cells of the model are one of the picture; finer than that is averaged.
        across = np.ptp(columns) / shape[1]
        down = np.ptp(rows) / shape[0]
        size = (
            max(1, min(y1 - y0, math.ceil((y1 - y0) / max(1.0, down)))),
            max(1, min(x1 - x0, math.ceil((x1 - x0) / max(1.0, across)))),
        )
        window = Window(x0, y0, x1 - x0, y1 - y0)
        source = heights(file, window, out_shape=size, resampling=Resampling.average)
        wide, high = (x1 - x0) / size[1], (y1 - y0) / size[0]
        own = file.transform
        placed = Affine(
            own.a * wide, own.b * high, own.a * x0 + own.b * y0 + own.c,
            own.d * wide, own.e * high, own.d * x0 + own.e * y0 + own.f,
        )  # fmt: skip
        grid: FloatGrid = np.full(shape, np.nan, dtype=np.float32)
        reproject(
            source,
            grid,
            src_transform=placed,
            src_crs=file.crs,
            src_nodata=np.nan,
            dst_transform=Affine(cell[0], 0.0, west, 0.0, -cell[1], north),
            dst_crs=crs.to_wkt(),
            dst_nodata=np.nan,
            # A coarse model is drawn as a smooth surface, not as a mosaic of its cells.
            resampling=Resampling.bilinear if max(across, down) >= 1 else Resampling.cubic_spline,
        )
    return grid


def _edge(
    corner: tuple[float, float], cell: tuple[float, float], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a net over the map, metres: what lies between them is not far from them."""
    x = corner[0] + np.linspace(0, 1, 33) * shape[1] * cell[0]
    y = corner[1] - np.linspace(0, 1, 33) * shape[0] * cell[1]
    across, down = np.meshgrid(x, y)
    return across.ravel(), down.ravel()


def _source_cells(
    path: Path,
    file: Any,
    crs: pyproj.CRS,
    corner: tuple[float, float],
    cell: tuple[float, float],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows of the model that lie under a net over the map."""
    try:
        theirs = pyproj.CRS.from_user_input(file.crs.to_wkt())
        there = pyproj.Transformer.from_crs(crs, theirs, always_xy=True)
        x, y = there.transform(*_edge(corner, cell, shape))
    except pyproj.exceptions.ProjError as error:
        raise CRSError(
            f"The map's projection cannot be transformed into {file.crs.to_string()}, the CRS of "
            f"the elevation model {path}: {error}"
        ) from error
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        raise CRSError(
            f"No point of the map can be transformed into {file.crs.to_string()}, the CRS of the "
            f"elevation model {path}. Check that the stated CRS is the one it was made in."
        )
    back = ~file.transform
    x, y = x[known], y[known]
    return back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f


def _span(
    crs: pyproj.CRS, corner: tuple[float, float], cell: tuple[float, float], shape: tuple[int, int]
) -> str:
    there = pyproj.Transformer.from_crs(crs, WGS84, always_xy=True)
    lon, lat = there.transform(*_edge(corner, cell, shape))
    return f"{lon.min():.2f} to {lon.max():.2f} E, {lat.min():.2f} to {lat.max():.2f} N"


# Light --------------------------------------------------------------------------------------------


def gradient(grid: FloatGrid, cell: tuple[float, float]) -> tuple[FloatGrid, FloatGrid]:
    """Rise to the page's right and to its top, metres for a metre (Horn 1981).

    Parameters
    ----------
    grid
        Heights, first row uppermost, with a margin of one cell; shape (n + 2, m + 2).
    cell
        Width and height of a cell, metres.

    Returns
    -------
    tuple of numpy.ndarray
        Each of shape (n, m); NaN beside a cell without elevation.
    """
    above, middle, below = grid[:-2], grid[1:-1], grid[2:]
    column = above + 2 * middle + below
    row = above - below
    right: FloatGrid = (column[:, 2:] - column[:, :-2]) * np.float32(0.125 / cell[0])
    up: FloatGrid = (row[:, :-2] + 2 * row[:, 1:-1] + row[:, 2:]) * np.float32(0.125 / cell[1])
    return right, up


def hillshade(right: FloatGrid, up: FloatGrid, *, azimuth: float | None = None) -> FloatGrid:
    """Light on slopes: the cosine between light and normal, 0 where a slope faces away.

    Parameters
    ----------
    right, up
        Rise to the page's right and to its top, exaggerated or not.
    azimuth
        Of a single light, degrees clockwise from up, 45 degrees above the horizon; by default four
        lights after Mark (1992).

    Returns
    -------
    numpy.ndarray
        0 to 1; flat ground has the sine of the light's altitude: 0.5 under four lights, 0.707
        under one.
    """
    rise = right * right + up * up
    length = np.sqrt(1 + rise)
    altitude = math.radians(MARK_ALTITUDE if azimuth is None else SINGLE_ALTITUDE)
    total: FloatGrid = np.zeros_like(right)
    for direction in MARK if azimuth is None else (azimuth,):
        east, north = math.sin(math.radians(direction)), math.cos(math.radians(direction))
        across = right * np.float32(east) + up * np.float32(north)
        light = (math.sin(altitude) - math.cos(altitude) * across) / length
        np.maximum(light, 0, out=light)
        if azimuth is None:
            # The squared sine of the angle between aspect and light; anything sums up on the flat.
            with np.errstate(invalid="ignore"):
                light *= np.where(rise > 0, 1 - across * across / rise, np.float32(0.5)) / 2
        total += light
    return total


def _exaggeration(grid: FloatGrid, cell: tuple[float, float]) -> float:
    """Give by how much heights are multiplied so that the steepest stand at 45 degrees."""
    # Of every so many rows three are taken, so that differences are those of the picture.
    step = max(1, math.ceil(grid.size / _SAMPLE))
    slopes = []
    for row in range(0, grid.shape[0] - 2, step):
        right, up = gradient(grid[row : row + 3], cell)
        length = np.hypot(right, up)
        slopes.append(length[np.isfinite(length)])
    found = np.concatenate(slopes)
    if not len(found):
        return 1.0
    steep = float(np.quantile(found, 1 - LIKE_45))
    return float(np.clip(1 / steep if steep > 0 else math.inf, 1.0, LARGEST_EXAGGERATION))


def _picture(
    grid: FloatGrid,
    cell: tuple[float, float],
    factor: float,
    azimuth: float | None,
    opacity: float,
) -> NDArray[np.uint8]:
    """Turn heights into black and white, as opaque as they are darker or lighter than the flat."""
    around = _MARGIN - 1
    grid = grid[around : grid.shape[0] - around, around : grid.shape[1] - around]
    rows, columns = grid.shape[0] - 2, grid.shape[1] - 2
    made = np.zeros((rows, columns, 4), dtype=np.uint8)
    flat = math.sin(math.radians(MARK_ALTITUDE if azimuth is None else SINGLE_ALTITUDE))
    for first in range(0, rows, _STRIP):
        strip = grid[first : first + _STRIP + 2]
        right, up = (one * np.float32(factor) for one in gradient(strip, cell))
        light = hillshade(right, up, azimuth=azimuth)
        dark = light < flat
        share = np.where(dark, (flat - light) / flat, (light - flat) / (1 - flat))
        # What is unknown is transparent.
        alpha = np.nan_to_num(255 * opacity * share, nan=0.0)
        place = made[first : first + len(light)]
        place[..., 3] = np.rint(np.clip(alpha, 0, 255)).astype(np.uint8)
        place[..., :3] = np.where(dark, 0, 255)[..., None]
    return made
