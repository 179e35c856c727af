"""The sheet: a page in millimetres, the map's frame on it, the column of furniture, an inset.

A sheet has a page, measured in millimetres from its lower left corner, and a map in an equal-area
projection, measured in metres. The furniture stands in a column on the right of the map's frame;
the region that the map is about is fitted into the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from urbangeo.errors import InputError
from urbangeo.maps.printing import MapFigure
from urbangeo.maps.style import COLOURS, LINES, Weight, font, points

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "PAGES",
    "Box",
    "Sheet",
    "VerticalAlign",
    "add_inset",
    "add_panel",
    "new_sheet",
    "on_map",
]

PAGES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
"""Sizes of paper, landscape, millimetres."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top; millimetres of the page."""

VerticalAlign = Literal["baseline", "bottom", "center", "top"]

DPI = 300
"""Resolution at which a sheet is laid out and, unless asked otherwise, printed."""

PAGE_MARGIN = 6.0
TITLE_HEIGHT = 16.5
NOTE_PITCH = 2.75
COLUMN = 66.0


@dataclass
class Sheet:
    """A page with a map on it.

    Attributes
    ----------
    figure
        The figure, with its own Agg canvas; pyplot does not know it.
    page
        Axes over the whole page, in millimetres, on top of the map.
    map
        The map, in the metres of ``crs``.
    crs
        Equal-area projection of the map.
    scale
        Metres on the ground for a metre on paper.
    frame
        The map's frame.
    beside
        Further maps to the right of it, each with its frame.
    column
        Where furniture stands: the right part of the frame, or a panel to the right of it.
    keep_off
        What has been put on the map so far; labels keep off it.
    """

    figure: Figure
    page: Axes
    map: Axes
    crs: pyproj.CRS
    scale: float
    frame: Box
    column: Box
    keep_off: list[Box] = field(default_factory=list)
    beside: list[tuple[Axes, Box]] = field(default_factory=list)

    @property
    def right(self) -> float:
        """Right end of what is framed, millimetres."""
        return max(frame[2] for frame in (self.frame, self.column, *(b for _, b in self.beside)))

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: str | float,
        weight: Weight = "regular",
        *,
        colour: str = "ink",
        ha: Literal["left", "center", "right"] = "left",
        va: VerticalAlign = "center",
        gid: str,
        zorder: float = 6,
        linespacing: float = 1.2,
    ) -> Text:
        """Write on the page.

        Parameters
        ----------
        x, y
            Millimetres of the page.
        size
            Points, or a key of :data:`urbangeo.maps.style.SIZES`.
        colour
            A key of :data:`urbangeo.maps.style.COLOURS`.
        """
        return self.page.text(
            x,
            y,
            text,
            fontproperties=font(size, weight),
            color=COLOURS[colour],
            ha=ha,
            va=va,
            gid=gid,
            zorder=zorder,
            linespacing=linespacing,
        )

    @property
    def maps(self) -> list[tuple[Axes, Box]]:
        """All maps with their frames, left to right."""
        return [(self.map, self.frame), *self.beside]

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the map in its own metres."""
        (west, east), (south, north) = self.map.get_xlim(), self.map.get_ylim()
        return (west + east) / 2, (south + north) / 2


def _mm_axes(figure: Figure, width: float, height: float, zorder: float) -> Axes:
    axes = figure.add_axes((0, 0, 1, 1), zorder=zorder)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_axis_off()
    axes.patch.set_visible(False)
    return axes


def _map_axes(figure: Figure, frame: Box, size: tuple[float, float], zorder: float) -> Axes:
    left, bottom, right, top = frame
    axes = figure.add_axes(
        (
            left / size[0],
            bottom / size[1],
            (right - left) / size[0],
            (top - bottom) / size[1],
        ),
        zorder=zorder,
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(COLOURS["ground"])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_autoscale_on(False)
    return axes


def new_sheet(
    bounds: Sequence[float],
    crs: pyproj.CRS,
    *,
    page: str = "A4",
    column: float = COLUMN,
    panel: bool = False,
    note_rows: int = 2,
    round_to: float = 50_000,
    beside: Sequence[Sequence[float]] = (),
) -> Sheet:
    """Lay out a sheet so that a region fills the map beside the furniture's column.

    Parameters
    ----------
    bounds
        West, south, east, north of the region in the metres of ``crs``.
    crs
        Equal-area projection; see :func:`urbangeo.crs.equal_area`.
    page
        A key of :data:`PAGES`; landscape.
    column
        Width kept free on the right for furniture, millimetres.
    panel
        Furniture stands in a panel beside the map and hides nothing of it; else it stands on the
        map.
    note_rows
        Lines of small type to leave room for below the map.
    round_to
        The scale number is rounded up to a multiple of it.
    beside
        Bounds of further maps, which stand to the right of the first at the same scale.

    Raises
    ------
    InputError
        If the page is unknown, or the region has no width or height.
    """
    if page not in PAGES:
        raise InputError(f"Unknown page {page!r}; known: {', '.join(PAGES)}.")
    for west, south, east, north in (bounds, *beside):
        if (
            not all(map(math.isfinite, (west, south, east, north)))
            or east <= west
            or north <= south
        ):
            raise InputError(
                f"A map cannot be fitted to the bounds {(west, south, east, north)}: they need "
                "west < east and south < north, in metres. Is the layer empty?"
            )
    width, height = size = PAGES[page]
    figure = MapFigure(figsize=(width / 25.4, height / 25.4), dpi=DPI, facecolor=COLOURS["paper"])
    FigureCanvasAgg(figure)
    bottom_edge = PAGE_MARGIN + 2.6 + note_rows * NOTE_PITCH
    top_edge = height - PAGE_MARGIN - 2.0 - TITLE_HEIGHT
    outer_right = width - PAGE_MARGIN - 2.0
    side = (outer_right - column, bottom_edge, outer_right, top_edge)
    left_edge = PAGE_MARGIN + 2.0
    right_edge = side[0] if panel else outer_right
    each = (side[0] - left_edge) / (1 + len(beside))
    frames = [
        (left_edge + row * each, bottom_edge, left_edge + (row + 1) * each, top_edge)
        for row in range(len(beside))
    ]
    frames.append((left_edge + len(beside) * each, bottom_edge, right_edge, top_edge))
    room = (each - 8.0, top_edge - bottom_edge - 7.0)
    regions = [tuple(float(value) for value in one) for one in (bounds, *beside)]
    scale = max(
        max((east - west) / room[0], (north - south) / room[1]) * 1000
        for west, south, east, north in regions
    )
    scale = math.ceil(scale / round_to) * round_to
    per_mm = scale / 1000
    made = []
    for (west, south, east, north), frame in zip(regions, frames, strict=True):
        axes = _map_axes(figure, frame, size, 1)
        middle = ((west + east) / 2, (south + north) / 2)
        # The region's middle falls on the middle of what the column leaves free.
        left = middle[0] - (4.0 + room[0] / 2) * per_mm
        bottom = middle[1] - (3.5 + room[1] / 2) * per_mm
        axes.set_xlim(left, left + (frame[2] - frame[0]) * per_mm)
        axes.set_ylim(bottom, bottom + (frame[3] - frame[1]) * per_mm)
        made.append((axes, frame))
    over = _mm_axes(figure, width, height, 10)
    for frame in frames:
        _rectangle(over, frame, "frame")
    outer = (PAGE_MARGIN, PAGE_MARGIN, width - PAGE_MARGIN, height - PAGE_MARGIN)
    _rectangle(over, outer, "neatline")
    if panel:
        _rectangle(over, side, "frame", fill=COLOURS["paper"], zorder=4)
    (axes, frame), *others = made
    return Sheet(figure, over, axes, crs, scale, frame, side, beside=others)


def _rectangle(axes: Axes, box: Box, line: str, fill: str = "none", zorder: float = 5) -> None:
    left, bottom, right, top = box
    style = LINES[line]
    axes.add_patch(
        Rectangle(
            (left, bottom),
            right - left,
            top - bottom,
            facecolor=fill,
            edgecolor=style.colour,
            linewidth=points(style.width),
            zorder=zorder,
            joinstyle="miter",
            clip_on=False,
            gid=line,
        )
    )


def add_panel(sheet: Sheet, box: Box) -> None:
    """Lay an empty panel over the map; labels keep off it."""
    _rectangle(sheet.page, box, "frame", fill=COLOURS["paper"], zorder=4)
    sheet.keep_off.append(box)


def on_map(axes: Axes, frame: Box, part: Box) -> BaseGeometry:
    """Turn a box of the page into a map's metres."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    left, bottom, right, top = part
    across = (east - west) / (frame[2] - frame[0])
    up = (north - south) / (frame[3] - frame[1])
    return shapely.box(
        west + (left - frame[0]) * across,
        south + (bottom - frame[1]) * up,
        west + (right - frame[0]) * across,
        south + (top - frame[1]) * up,
    )


def add_inset(
    sheet: Sheet,
    bounds: Sequence[float],
    *,
    title: str,
    bottom: float,
    top: float,
    most: float = 0.5,
) -> Axes | None:
    """Open an enlarged view of a crowded part in the column.

    Its window is outlined on the map; what the map shows there must be drawn into it too.

    Parameters
    ----------
    bounds
        Of the part, in the map's metres.
    title
        Written at the inset's head.
    bottom, top
        The room in the column, millimetres.
    most
        Greatest scale of the inset as a share of the map's scale number.

    Returns
    -------
    Axes or None
        The inset's axes; None where the room is too small to enlarge anything.
    """
    west, south, east, north = map(float, bounds)
    left, _, right, _ = sheet.column
    head = 6.0
    room = (right - left - 3.0, top - bottom - head - 3.0)
    if min(room) <= 10:
        return None
    need = max((east - west) / room[0], (north - south) / room[1]) * 1000
    scale = math.ceil(max(need, sheet.scale / 6) / 10_000) * 10_000
    if scale > most * sheet.scale:
        return None
    per_mm = scale / 1000
    height = min(room[1], (north - south) / per_mm + 5.0)
    page = sheet.figure.get_size_inches() * 25.4
    size = (float(page[0]), float(page[1]))
    frame = (left, top - head - height, right, top - head)
    axes = _map_axes(sheet.figure, frame, size, 11)
    x, y = (west + east) / 2, (south + north) / 2
    half = ((frame[2] - frame[0]) * per_mm / 2, (frame[3] - frame[1]) * per_mm / 2)
    axes.set_xlim(x - half[0], x + half[0])
    axes.set_ylim(y - half[1], y + half[1])
    box = (left, frame[1], right, top)
    add_panel(sheet, box)
    sheet.write(left + 3.0, top - head / 2, title, "inset_title", "medium", gid="inset_title")
    sheet.write(
        right - 1.2,
        top - head / 2,
        f"1∶{scale:,.0f}".replace(",", " "),
        "note",
        colour="soft_ink",
        ha="right",
        gid="inset_scale",
    )
    edge = _mm_axes(sheet.figure, size[0], size[1], 12)
    _rectangle(edge, frame, "frame")
    sheet.map.add_patch(
        Rectangle(
            (west, south),
            east - west,
            north - south,
            facecolor="none",
            edgecolor=COLOURS["ink"],
            linewidth=points(0.2),
            zorder=40,
            gid="inset_window",
            joinstyle="miter",
        )
    )
    return axes
