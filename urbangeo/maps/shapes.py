"""Geometry for drawing: projected, dissolved, outlined; curves, belts and hulls from points.

What a plan tells in words, an axis through cities or a belt along a river, has members and no
course. It is drawn here through or round its members by rule, so that the same words give the
same shape, and is called schematic wherever it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from urbangeo.crs import WGS84, require_crs
from urbangeo.errors import InputError

if TYPE_CHECKING:
    import pyproj
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "TOGETHER",
    "belt",
    "curve",
    "dissolved",
    "hatching",
    "hull",
    "longest_run",
    "middle",
    "nearby",
    "outlines",
    "projected",
    "spots_along",
    "spread",
    "without",
]

TOGETHER = 50.0
"""Lines no farther apart than this many metres are one line of two editions."""

FloatArray = NDArray[np.float64]

_TURNS = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
_OFFSETS: FloatArray = np.vstack(
    [np.zeros((1, 2))]
    + [far * np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1) for far in np.arange(1, 81) / 20]
)
"""Where a heap looks for room, nearest first; its unit is the distance of two signs."""


def projected(frame: gpd.GeoDataFrame, what: str, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    """Project a table that must not be empty.

    Raises
    ------
    CRSError
        If it has no CRS.
    InputError
        If it has no row.
    """
    require_crs(frame, what)
    if frame.empty:
        raise InputError(f"{what} is empty, so that there is nothing to draw. Give one with rows.")
    return _densified(frame).to_crs(crs)


def _densified(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give long edges more vertices, because a projection bends what is straight in degrees."""
    if not frame.crs.is_geographic:
        return frame
    return frame.set_geometry(shapely.segmentize(frame.geometry.to_numpy(), 0.05), crs=frame.crs)


def dissolved(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> BaseGeometry:
    """Dissolve polygons and project the result.

    Before and not after projecting: where a corner of one polygon lies on the edge of another,
    projecting would part the two and leave slits.
    """
    grid = 1e-7 if frame.crs.is_geographic else 0.01
    whole = shapely.union_all(frame.geometry.to_numpy(), grid_size=grid)
    one = gpd.GeoDataFrame(geometry=[whole], crs=frame.crs)
    return _densified(one).to_crs(crs).geometry.iloc[0]


def outlines(geometries: Iterable[BaseGeometry]) -> BaseGeometry:
    """Edges of polygons, each shared edge once, so that dashes do not run over each other."""
    edges = [shapely.boundary(shape) for shape in geometries]
    # To the metre: edges of two polygons are one where only rounding parts them.
    return shapely.line_merge(shapely.union_all(edges, grid_size=1.0))


def without(lines: BaseGeometry, others: BaseGeometry, near: float) -> BaseGeometry:
    """Lines without what runs along others, of which a less detailed edition may lie beside."""
    if others.is_empty:
        return lines
    return shapely.line_merge(shapely.difference(lines, shapely.buffer(others, near, quad_segs=2)))


def middle(geometry: BaseGeometry) -> tuple[float, float]:
    """Give a point inside a geometry, of a line the one half-way along it."""
    if geometry.geom_type == "LineString":
        point = shapely.line_interpolate_point(geometry, 0.5, normalized=True)
    else:
        point = shapely.point_on_surface(geometry)
    x, y = shapely.get_coordinates(point)[0]
    return float(x), float(y)


_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
"""Where along a line its name is tried, as shares of its length, in this order."""


def longest_run(lines: BaseGeometry) -> BaseGeometry | None:
    """Join lines at their ends and give the longest; None if there is none."""
    parts = shapely.get_parts(lines)
    parts = parts[shapely.get_dimensions(parts) == 1]
    if not len(parts):
        return None
    runs = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))
    longest: BaseGeometry = runs[int(np.argmax(shapely.length(runs)))]
    return longest


def spots_along(run: BaseGeometry) -> tuple[tuple[float, float], ...]:
    """Give places along a line where its name may stand, its middle first."""
    spots = shapely.line_interpolate_point(run, _SHARES, normalized=True)
    return tuple(map(tuple, shapely.get_coordinates(spots).tolist()))


def nearby(
    surroundings: gpd.GeoDataFrame, bounds: Sequence[float], crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    """Surroundings as far as a map of the bounds can show them; the rest is not projected."""
    west, south, east, north = bounds
    reach = max(east - west, north - south)
    frame = shapely.box(west - reach, south - reach, east + reach, north + reach)
    around = gpd.GeoSeries([frame], crs=crs).to_crs(WGS84).envelope.iloc[0]
    require_crs(surroundings, "surroundings")
    near = surroundings.to_crs(WGS84)
    near = near[near.intersects(around)]
    near = near.set_geometry(shapely.intersection(near.geometry.to_numpy(), around), crs=WGS84)
    return _densified(near).to_crs(crs)


# --- From points --------------------------------------------------------------------------------


def _corners(geometry: BaseGeometry) -> FloatArray:
    xy = shapely.get_coordinates(geometry)
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = np.any(xy[1:] != xy[:-1], axis=1)
    kept: FloatArray = xy[keep]
    return kept


def curve(geometry: BaseGeometry, steps: int = 16) -> BaseGeometry:
    """Give a smooth line through the corners of a line, or through points in their order.

    The centripetal Catmull-Rom spline, which makes no loops or cusps between its points
    (Yuksel, Schaefer and Keyser 2011). A line of several parts is smoothed part by part.

    Parameters
    ----------
    geometry
        A line, a ring, or points; metres.
    steps
        Pieces between two corners.

    Returns
    -------
    shapely geometry
        Empty where there are fewer than two different points.
    """
    if shapely.get_type_id(geometry) == shapely.GeometryType.MULTILINESTRING:
        return shapely.union_all([curve(part, steps) for part in shapely.get_parts(geometry)])
    xy = _corners(geometry)
    if len(xy) < 2:
        return shapely.LineString()
    if len(xy) == 2:
        return shapely.LineString(xy)
    closed = bool(np.all(xy[0] == xy[-1]))
    if closed:
        ends = np.vstack([xy[-2], xy, xy[1]])
    else:
        ends = np.vstack([2 * xy[0] - xy[1], xy, 2 * xy[-1] - xy[-2]])
    pieces = [xy[:1]]
    for row in range(len(xy) - 1):
        pieces.append(_between(ends[row : row + 4], steps))
    return shapely.LineString(np.vstack(pieces))


def _between(four: FloatArray, steps: int) -> FloatArray:
    """Points of the spline from the second of four corners, left out, to the third."""
    gaps = np.maximum(np.hypot(*(four[1:] - four[:-1]).T), 1e-6) ** 0.5
    knots = np.concatenate([[0.0], np.cumsum(gaps)])
    t = np.linspace(knots[1], knots[2], steps + 1)[1:, None]

    def mix(one: FloatArray, other: FloatArray, start: float, end: float) -> FloatArray:
        mixed: FloatArray = ((end - t) * one + (t - start) * other) / (end - start)
        return mixed

    a = [mix(four[i], four[i + 1], knots[i], knots[i + 1]) for i in range(3)]
    b = [mix(a[i], a[i + 1], knots[i], knots[i + 2]) for i in range(2)]
    found = mix(b[0], b[1], knots[1], knots[2])
    found[-1] = four[2]
    return found


def belt(geometry: BaseGeometry, width: float) -> BaseGeometry:
    """Give a band along the smooth line through points, or round a single one.

    Parameters
    ----------
    width
        Metres from edge to edge.
    """
    line = curve(geometry)
    core = shapely.MultiPoint(_corners(geometry)) if line.is_empty else line
    return shapely.buffer(core, width / 2, quad_segs=12)


def hull(geometry: BaseGeometry, pad: float) -> BaseGeometry:
    """Give a soft outline round points or areas.

    The convex hull, widened, with rounded corners: it says which belong together, not how far
    the group reaches.

    Parameters
    ----------
    pad
        Metres between the outermost points and the outline.
    """
    return shapely.buffer(shapely.convex_hull(geometry), pad, quad_segs=12)


def hatching(area: BaseGeometry, angle: float, spacing: float) -> BaseGeometry:
    """Give parallel lines within an area.

    Lines of two areas with the same angle and spacing continue each other.

    Parameters
    ----------
    angle
        Degrees from the x axis, counter-clockwise.
    spacing
        Distance between lines, in the area's unit.
    """
    if area.is_empty:
        return shapely.MultiLineString()
    ray = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    across = np.array([-ray[1], ray[0]])
    west, south, east, north = shapely.bounds(area)
    corners = np.array([(west, south), (west, north), (east, south), (east, north)])
    along, off = corners @ ray, corners @ across
    first, last = math.ceil(off.min() / spacing), math.floor(off.max() / spacing)
    rows = np.arange(first, last + 1)[:, None] * spacing * across
    starts, ends = rows + along.min() * ray, rows + along.max() * ray
    lines = shapely.linestrings(np.stack([starts, ends], axis=1))
    shapely.prepare(area)
    return shapely.union_all(shapely.intersection(lines, area))


def spread(xy: FloatArray, apart: float) -> FloatArray:
    """Move points that coincide, so that their signs stand side by side.

    Points nearer to one another than half of ``apart`` make a heap; a heap of several is laid
    out on a hexagonal grid about its middle, in the order given, and moves as a whole off what it
    would then cover. Others stay.

    Parameters
    ----------
    xy
        Shape (n, 2), metres.
    apart
        Distance between two neighbours in a heap, metres.
    """
    moved = xy.copy()
    heaps: list[list[int]] = []
    for row, point in enumerate(xy):
        for heap in heaps:
            if np.hypot(*(xy[heap[0]] - point)) < apart / 2:
                heap.append(row)
                break
        else:
            heaps.append([row])
    for heap in heaps:
        if len(heap) > 1:
            places = _hexagonal(len(heap))
            moved[heap] = xy[heap].mean(axis=0) + apart * (places - places.mean(axis=0))
    _clear(moved, [heap for heap in heaps if len(heap) > 1], apart)
    return moved


def _clear(xy: FloatArray, heaps: list[list[int]], apart: float) -> None:
    """Move heaps, each as a whole, to the nearest room where they cover no other point.

    A heap that has none within four times ``apart`` stays.
    """
    for heap in heaps:
        placed = xy[heap][None] + apart * _OFFSETS[:, None]
        others = np.delete(xy, heap, axis=0)
        low, high = placed.min(axis=(0, 1)) - apart, placed.max(axis=(0, 1)) + apart
        others = others[((others > low) & (others < high)).all(axis=1)]
        if not len(others):
            continue
        free = np.ones(len(placed), dtype=bool)
        for other in others:
            free &= np.hypot(*(placed - other).T).min(axis=0) >= apart * (1 - 1e-9)
        if free.any():
            xy[heap] = placed[int(np.argmax(free))]


def _hexagonal(count: int) -> FloatArray:
    """Give the places of a hexagonal grid of unit distance that are nearest to its middle."""
    reach = math.ceil(math.sqrt(count)) + 1
    i, j = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    grid = np.stack([i + j / 2, j * math.sqrt(3) / 2], axis=-1).reshape(-1, 2)
    far = np.round(np.hypot(*grid.T), 6)
    turn = np.round(np.arctan2(grid[:, 1], grid[:, 0]) % (2 * math.pi), 6)
    order = np.lexsort((turn, far))
    nearest: FloatArray = grid[order[:count]]
    return nearest
