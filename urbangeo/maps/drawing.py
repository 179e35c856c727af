"""Put lines, areas and signs onto axes in a style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely
import shapely.ops
from matplotlib.patches import PathPatch
from matplotlib.path import Path as DrawnPath

from urbangeo.maps.paper import MM_PER_INCH
from urbangeo.maps.shapes import hatching
from urbangeo.maps.style import LINES, Line, points
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle, marker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "add_lines",
    "draw_area",
    "draw_line",
    "draw_lines",
    "draw_points",
    "fill",
    "stroke",
    "stroke_inside",
    "window",
]


def stroke(
    axes: Axes,
    lines: Sequence[Sequence[tuple[float, float]] | np.ndarray],
    style: Line,
    *,
    zorder: float = 3,
    gid: str = "",
    opacity: float = 1.0,
) -> None:
    """Draw lines in one style: casings, then gaps, then the lines themselves.

    All of them are one path, as dashes begin anew at each line and a thousand lines are drawn as
    fast as one.

    Parameters
    ----------
    lines
        Coordinates of each line, shape (n, 2).
    """
    path = _strokes(lines)
    if path is None:
        return
    strokes: list[tuple[str, float, tuple[float, ...]]] = []
    if style.case:
        strokes.append((style.case_colour, style.width + style.case, ()))
    if style.gap:
        strokes.append((style.gap, style.width, ()))
    strokes.append((style.colour, style.width, style.dashes))
    for colour, width, dashes in strokes:
        patch = PathPatch(
            path,
            facecolor="none",
            edgecolor=colour,
            linewidth=points(width),
            # Dashes are given in millimetres, and drawn in line widths.
            linestyle=(0, tuple(part / width for part in dashes)) if dashes else "solid",
            capstyle="butt",
            joinstyle="round",
            alpha=None if opacity >= 1 else opacity,
            zorder=zorder,
            gid=gid or None,
        )
        # Not add_patch, which measures every path for limits that are fixed here.
        axes.add_artist(patch)


def draw_line(
    axes: Axes,
    coordinates: Sequence[tuple[float, float]] | np.ndarray,
    style: Line,
    *,
    zorder: float = 3,
    gid: str = "",
) -> None:
    """Draw one line; see :func:`stroke`."""
    stroke(axes, [coordinates], style, zorder=zorder, gid=gid)


def _strokes(lines: Sequence[Sequence[tuple[float, float]] | np.ndarray]) -> DrawnPath | None:
    """Put lines into one path; None if there is none."""
    parts = [np.asarray(line, float)[:, :2] for line in lines if len(line) > 1]
    if not parts:
        return None
    codes = np.full(sum(map(len, parts)), DrawnPath.LINETO, dtype=DrawnPath.code_type)
    codes[np.cumsum([0, *map(len, parts[:-1])])] = DrawnPath.MOVETO
    return DrawnPath(np.vstack(parts), codes)


def _parts(geometry: BaseGeometry) -> list[np.ndarray]:
    """Give the coordinates of the lines in a geometry."""
    found = shapely.get_parts(geometry)
    found = found[shapely.get_dimensions(found) == 1]
    return [shapely.get_coordinates(part) for part in found]


def window(axes: Axes) -> BaseGeometry:
    """Give what a map shows, in its metres."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    return shapely.box(west, south, east, north)


def metres_per_mm(axes: Axes) -> float:
    """Give how many metres of a map a millimetre of the page shows."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width = axes.get_window_extent().width * MM_PER_INCH / figure.dpi
    west, east = axes.get_xlim()
    return float((east - west) / width)


def add_lines(axes: Axes, geometry: BaseGeometry, name: str, zorder: float) -> None:
    """Draw lines in a style of :data:`urbangeo.maps.style.LINES`, gid ``line:<name>``."""
    stroke(axes, _parts(geometry), LINES[name], zorder=zorder, gid=f"line:{name}")


def _path(geometry: BaseGeometry) -> DrawnPath:
    """Turn polygons with holes into one path."""
    rings: list[np.ndarray] = []
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) == 2:
            whole = shapely.geometry.polygon.orient(part)
            rings += [np.asarray(ring.coords)[:, :2] for ring in (whole.exterior, *whole.interiors)]
    codes = []
    for ring in rings:
        steps = np.full(len(ring), DrawnPath.LINETO, dtype=DrawnPath.code_type)
        steps[0], steps[-1] = DrawnPath.MOVETO, DrawnPath.CLOSEPOLY
        codes.append(steps)
    if not rings:
        return DrawnPath(np.empty((0, 2)))
    return DrawnPath(np.vstack(rings), np.concatenate(codes))


def fill(
    axes: Axes, geometry: BaseGeometry, colour: str, zorder: float, gid: str, opacity: float = 1.0
) -> PathPatch:
    """Fill an area without outline."""
    patch = PathPatch(
        _path(geometry),
        facecolor=colour,
        edgecolor="none",
        alpha=None if opacity >= 1 else opacity,
        zorder=zorder,
        gid=gid,
    )
    axes.add_artist(patch)
    return patch


def stroke_inside(axes: Axes, geometry: BaseGeometry, name: str, zorder: float) -> None:
    """Draw an outline on the inner side only, so that it leaves room for a line along it."""
    style = LINES[name]
    patch = PathPatch(
        _path(geometry),
        facecolor="none",
        edgecolor=style.colour,
        linewidth=2 * points(style.width),
        joinstyle="round",
        zorder=zorder,
        gid=f"line:{name}",
    )
    axes.add_artist(patch)
    patch.set_clip_path(_path(geometry), axes.transData)


def draw_area(
    axes: Axes, geometry: BaseGeometry, style: AreaStyle, *, zorder: float, gid: str, scale: float
) -> None:
    """Draw an area: fill, hatching, outline.

    Parameters
    ----------
    scale
        Units of the axes for a millimetre on paper, by which hatching is spaced.
    """
    if style.fill:
        fill(axes, geometry, style.fill, zorder, gid, style.opacity)
    if style.hatch:
        line = Line(style.hatch, style.hatch_width)
        hatches = _parts(hatching(geometry, style.angle, style.spacing * scale))
        stroke(axes, hatches, line, zorder=zorder, gid=gid)
    if style.edge is not None:
        stroke(axes, _parts(shapely.boundary(geometry)), style.edge, zorder=zorder, gid=gid)


def draw_lines(
    axes: Axes, geometry: BaseGeometry, style: LineStyle, *, zorder: float, gid: str, scale: float
) -> None:
    """Draw lines, with arrow heads at their ends where the style has them.

    Parameters
    ----------
    scale
        Units of the axes for a millimetre on paper, by which arrow heads are measured.
    """
    ends = {"": (), "end": (False,), "both": (True, False)}[style.arrow]
    widest = max(line.width + line.case for line in style.lines)
    solid = len(style.lines) == 1 and not style.lines[0].dashes and not style.lines[0].case
    tone = style.lines[-1].colour
    plain: list[np.ndarray] = []
    for whole in _parts(geometry):
        xy, heads = whole, []
        for at_start in ends:
            xy, head = _with_head(xy, widest, scale, at_start=at_start)
            heads += [] if head is None else [shapely.Polygon(head)]
        if solid and heads:
            # In one piece, so that nothing shows twice through itself.
            shaft = shapely.buffer(
                shapely.LineString(xy), widest * scale / 2, cap_style="flat", join_style="round"
            )
            fill(axes, shapely.union_all([shaft, *heads]), tone, zorder, gid, style.opacity)
            continue
        for head in heads:
            fill(axes, head, tone, zorder, gid, style.opacity)
        plain.append(xy)
    for line in style.lines:
        stroke(axes, plain, line, zorder=zorder, gid=gid, opacity=style.opacity)


def _with_head(
    xy: np.ndarray, width: float, scale: float, *, at_start: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Shorten a line by an arrow head of 2.4 widths, and give the head's corners."""
    half, length = 1.2 * width * scale, 2.2 * width * scale
    line = shapely.LineString(xy[::-1] if at_start else xy)
    if line.length < 2.2 * length:
        return xy, None
    foot = line.length - length
    shaft = shapely.ops.substring(line, 0, foot)
    tip = shapely.get_coordinates(line)[-1]
    base = shapely.get_coordinates(shaft)[-1]
    ray = (tip - base) / np.hypot(*(tip - base))
    side = np.array([-ray[1], ray[0]]) * half
    kept = shapely.get_coordinates(shaft)
    return kept[::-1] if at_start else kept, np.array([base + side, tip, base - side])


def draw_points(
    axes: Axes, xy: Sequence[tuple[float, float]] | np.ndarray, style: PointStyle, *,
    zorder: float, gid: str,
) -> None:  # fmt: skip
    """Draw a sign at each point."""
    places = np.asarray(xy, float).reshape(-1, 2)
    for order, mark in enumerate(style.marks):
        axes.plot(
            *places.T,
            linestyle="none",
            marker=marker(mark.shape),
            markersize=points(mark.size),
            markerfacecolor=mark.face,
            markeredgecolor=mark.edge,
            markeredgewidth=points(mark.edge_width),
            zorder=zorder + order / 1000,
            gid=gid,
        )
