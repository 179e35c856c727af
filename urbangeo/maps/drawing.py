"""Put lines, areas and signs onto axes in a style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import shapely.ops
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as DrawnPath

from urbangeo.maps.labels import MM_PER_INCH
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
    "stroke_inside",
    "window",
]


def draw_line(
    axes: Axes,
    coordinates: Sequence[tuple[float, float]] | np.ndarray,
    style: Line,
    *,
    zorder: float = 3,
    dashes: tuple[float, ...] | None = None,
    **options: object,
) -> None:
    """Draw one line in a style: casing, then gaps, then the line itself."""
    xy = np.asarray(coordinates, float)
    pattern = style.dashes if dashes is None else dashes
    shared: dict[str, object] = {"solid_joinstyle": "round", "zorder": zorder, **options}
    if style.case:
        axes.add_line(
            Line2D(
                *xy.T,
                color=style.case_colour,
                linewidth=points(style.width + style.case),
                solid_capstyle="butt",
                **shared,  # type: ignore[arg-type]
            )
        )
    if style.gap:
        axes.add_line(
            Line2D(
                *xy.T,
                color=style.gap,
                linewidth=points(style.width),
                solid_capstyle="butt",
                **shared,  # type: ignore[arg-type]
            )
        )
    line = Line2D(
        *xy.T,
        color=style.colour,
        linewidth=points(style.width),
        solid_capstyle="butt",
        dash_capstyle="butt",
        **shared,  # type: ignore[arg-type]
    )
    if pattern:
        # Dashes are given in line widths.
        line.set_linestyle((0, tuple(part / style.width for part in pattern)))
    axes.add_line(line)


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
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) == 1:
            draw_line(
                axes, shapely.get_coordinates(part), LINES[name], zorder=zorder, gid=f"line:{name}"
            )


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
    axes.add_patch(patch)
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
    axes.add_patch(patch)
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
        for part in shapely.get_parts(hatching(geometry, style.angle, style.spacing * scale)):
            if shapely.get_dimensions(part) == 1:
                draw_line(axes, shapely.get_coordinates(part), line, zorder=zorder, gid=gid)
    if style.edge is not None:
        for ring in shapely.get_parts(shapely.boundary(geometry)):
            draw_line(axes, shapely.get_coordinates(ring), style.edge, zorder=zorder, gid=gid)


def draw_lines(
    axes: Axes, geometry: BaseGeometry, style: LineStyle, *, zorder: float, gid: str, scale: float
) -> None:
    """Draw lines, with arrow heads at their ends where the style has them.

    Parameters
    ----------
    scale
        Units of the axes for a millimetre on paper, by which arrow heads are measured.
    """
    options: dict[str, Any] = {} if style.opacity >= 1 else {"alpha": style.opacity}
    ends = {"": (), "end": (False,), "both": (True, False)}[style.arrow]
    widest = max(line.width + line.case for line in style.lines)
    solid = len(style.lines) == 1 and not style.lines[0].dashes and not style.lines[0].case
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) != 1 or part.is_empty:
            continue
        xy = shapely.get_coordinates(part)
        heads = []
        for at_start in ends:
            xy, head = _with_head(xy, widest, scale, at_start=at_start)
            heads += [] if head is None else [shapely.Polygon(head)]
        tone = style.lines[-1].colour
        if solid and heads:
            # In one piece, so that nothing shows twice through itself.
            shaft = shapely.buffer(
                shapely.LineString(xy), widest * scale / 2, cap_style="flat", join_style="round"
            )
            fill(axes, shapely.union_all([shaft, *heads]), tone, zorder, gid, style.opacity)
            continue
        for head in heads:
            fill(axes, head, tone, zorder, gid, style.opacity)
        for line in style.lines:
            draw_line(axes, xy, line, zorder=zorder, gid=gid, **options)


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
