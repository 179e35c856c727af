"""The sheet and what stands on it: neatline, title, legend, scale bar, north arrow, note, inset.

A sheet has a page, measured in millimetres from its lower left corner, and a map in an equal-area
projection, measured in metres. The furniture stands in a column on the right of the map's frame;
the region that the map is about is fitted into the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from pyproj import Transformer

from urbangeo.crs import GEOD, WGS84
from urbangeo.errors import InputError
from urbangeo.maps.labels import measure
from urbangeo.maps.printing import MapFigure
from urbangeo.maps.style import COLOURS, LINES, SIZES, Line, font, points

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = [
    "PAGES",
    "Entry",
    "Sheet",
    "add_inset",
    "add_legend",
    "add_list",
    "add_north_arrow",
    "add_note",
    "add_scale_bar",
    "add_title",
    "draw_line",
    "new_sheet",
]

PAGES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
"""Sizes of paper, landscape, millimetres."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top; millimetres of the page."""

DPI = 300
"""Resolution at which a sheet is laid out and, unless asked otherwise, printed."""

_MARGIN = 6.0
_TITLE_HEIGHT = 16.5
_NOTE_PITCH = 2.75
_COLUMN = 66.0
_GAP = 2.2
_KEY = 11.0

SymbolKind = Literal["line", "area", "point"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a legend.

    Attributes
    ----------
    text
        What it stands for, in Chinese.
    lines
        Names in :data:`urbangeo.maps.style.LINES`, drawn one on the other, first lowest.
    fill, edge
        Colours of an area symbol.
    marker, size, face, stroke
        Of a point symbol: matplotlib's marker, its width in millimetres, face and edge colours.
    heading
        The text is a heading of entries below it.
    """

    text: str
    lines: tuple[str, ...] = ()
    fill: str = ""
    edge: str = ""
    marker: str = ""
    size: float = 2.0
    face: str = ""
    stroke: str = COLOURS["ink"]
    heading: bool = False


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

    @property
    def right(self) -> float:
        """Right end of what is framed, millimetres."""
        return max(self.frame[2], self.column[2])

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
    column: float = _COLUMN,
    panel: bool = False,
    note_rows: int = 2,
    round_to: float = 50_000,
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

    Raises
    ------
    InputError
        If the page is unknown, or the region has no width or height.
    """
    if page not in PAGES:
        raise InputError(f"Unknown page {page!r}; known: {', '.join(PAGES)}.")
    west, south, east, north = (float(value) for value in bounds)
    if not all(map(math.isfinite, bounds)) or east <= west or north <= south:
        raise InputError(
            f"A map cannot be fitted to the bounds {tuple(bounds)}: they need west < east and "
            "south < north, in metres. Is the layer empty?"
        )
    width, height = size = PAGES[page]
    figure = MapFigure(figsize=(width / 25.4, height / 25.4), dpi=DPI, facecolor=COLOURS["paper"])
    FigureCanvasAgg(figure)
    bottom_edge = _MARGIN + 2.6 + note_rows * _NOTE_PITCH
    top_edge = height - _MARGIN - 2.0 - _TITLE_HEIGHT
    outer_right = width - _MARGIN - 2.0
    side = (outer_right - column, bottom_edge, outer_right, top_edge)
    frame = (_MARGIN + 2.0, bottom_edge, side[0] if panel else outer_right, top_edge)
    room = (side[0] - frame[0] - 8.0, frame[3] - frame[1] - 7.0)
    scale = max((east - west) / room[0], (north - south) / room[1]) * 1000
    scale = math.ceil(scale / round_to) * round_to
    per_mm = scale / 1000
    axes = _map_axes(figure, frame, size, 1)
    middle = ((west + east) / 2, (south + north) / 2)
    # The region's middle falls on the middle of what the column leaves free.
    left = middle[0] - (4.0 + room[0] / 2) * per_mm
    bottom = middle[1] - (3.5 + room[1] / 2) * per_mm
    axes.set_xlim(left, left + (frame[2] - frame[0]) * per_mm)
    axes.set_ylim(bottom, bottom + (frame[3] - frame[1]) * per_mm)
    over = _mm_axes(figure, width, height, 10)
    _rectangle(over, frame, "frame")
    outer = (_MARGIN, _MARGIN, width - _MARGIN, height - _MARGIN)
    _rectangle(over, outer, "neatline")
    if panel:
        _rectangle(over, side, "frame", fill=COLOURS["paper"], zorder=4)
    return Sheet(figure, over, axes, crs, scale, frame, side)


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


def add_title(sheet: Sheet, heading: str, title: str, number: str = "") -> None:
    """Write the plan's name, the figure's title below it, and its number at the right end."""
    left, _, _, top = sheet.frame
    right = sheet.right
    height = _TITLE_HEIGHT
    sheet.page.add_patch(
        Rectangle(
            (left, top + 2.6), 1.5, height - 4.4, facecolor=COLOURS["extent"], edgecolor="none"
        )
    )
    sheet.page.text(
        left + 4.2,
        top + height - 1.3,
        heading,
        fontproperties=font("heading"),
        color=COLOURS["soft_ink"],
        ha="left",
        va="top",
        gid="heading",
    )
    sheet.page.text(
        left + 4.0,
        top + 2.9,
        title,
        fontproperties=font("title", "bold"),
        color=COLOURS["ink"],
        ha="left",
        va="bottom",
        gid="title",
    )
    if number:
        sheet.page.text(
            right - 1.0,
            top + 3.4,
            number,
            fontproperties=font("number", "medium"),
            color=COLOURS["soft_ink"],
            ha="right",
            va="bottom",
            gid="number",
        )


def _panel(sheet: Sheet, box: Box) -> None:
    _rectangle(sheet.page, box, "frame", fill=COLOURS["paper"], zorder=4)
    sheet.keep_off.append(box)


def _scale_step(length_km: float) -> float:
    """Give the step of a bar with three steps, of a round number of kilometres."""
    third = length_km / 3
    power = 10.0 ** math.floor(math.log10(third))
    return max(step * power for step in (1.0, 2.0, 2.5, 5.0) if step * power <= third)


def true_length(sheet: Sheet, kilometres: float) -> float:
    """Give how many metres of the map, west to east through its centre, are so many kilometres.

    Measured on the ellipsoid, so that the bar is true at the map's centre whatever the projection.
    """
    x, y = sheet.centre
    back = Transformer.from_crs(sheet.crs, WGS84, always_xy=True)
    half = kilometres * 500
    for _ in range(3):
        lon, lat = back.transform([x - half, x + half], [y, y])
        half *= kilometres * 1000 / GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]
    return 2 * half


def add_scale_bar(
    sheet: Sheet, top: float, kilometres: float | None = None, unit: str = "km"
) -> float:
    """Draw a scale bar of three steps in the column, true at the map's centre.

    Parameters
    ----------
    top
        Upper edge, millimetres.
    kilometres
        Length of the bar; by default what fits half of the column in round numbers.

    Returns
    -------
    float
        Lower edge, millimetres.
    """
    left, _, right, _ = sheet.column
    step = kilometres / 3 if kilometres else _scale_step(sheet.scale * 36 / 1e6)
    width = true_length(sheet, 3 * step) / sheet.scale * 1000
    start = (left + right - width) / 2 - 1.5
    bottom, height = top - 6.6, 1.25
    for part in range(3):
        sheet.page.add_patch(
            Rectangle(
                (start + part * width / 3, bottom),
                width / 3,
                height,
                facecolor=COLOURS["ink"] if part % 2 == 0 else COLOURS["paper"],
                edgecolor=COLOURS["ink"],
                linewidth=points(0.12),
                joinstyle="miter",
                zorder=6,
                gid=f"scale_bar:{part}",
            )
        )
    for part in range(4):
        text = f"{part * step:g}"
        sheet.page.text(
            start + part * width / 3,
            bottom + height + 0.8,
            text,
            fontproperties=font("scale"),
            ha="center",
            va="bottom",
            zorder=6,
            gid=f"scale_bar_text:{part}",
        )
    sheet.page.text(
        start + width + 2.6,
        bottom + height + 0.8,
        f" {unit}",
        fontproperties=font("scale"),
        ha="left",
        va="bottom",
        zorder=6,
        gid="scale_bar_unit",
    )
    return bottom - 1.0


def north_angle(sheet: Sheet) -> float:
    """Give the direction of true north at the map's centre, degrees clockwise from up."""
    x, y = sheet.centre
    back = Transformer.from_crs(sheet.crs, WGS84, always_xy=True)
    lon, lat = back.transform(x, y)
    there = Transformer.from_crs(WGS84, sheet.crs, always_xy=True).transform(lon, lat + 0.1)
    return math.degrees(math.atan2(there[0] - x, there[1] - y))


def add_north_arrow(sheet: Sheet, x: float | None = None, top: float | None = None) -> None:
    """Draw an arrow to true north, at the upper right of the map unless told otherwise."""
    _, _, right, upper = sheet.frame
    x = right - 9.0 if x is None else x
    top = upper - 3.0 if top is None else top
    height, half = 12.5, 3.1
    middle = np.array([x, top - 4.4 - height / 2])
    angle = math.radians(-north_angle(sheet))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    tip, foot, notch = (0, height / 2), height / -2, height / -2 + 3.0
    for side, fill in ((-1, COLOURS["ink"]), (1, COLOURS["paper"])):
        shape = np.array([tip, (side * half, foot), (0, notch)])
        sheet.page.add_patch(
            Polygon(
                middle + shape @ turn.T,
                closed=True,
                facecolor=fill,
                edgecolor=COLOURS["ink"],
                linewidth=points(0.16),
                joinstyle="miter",
                zorder=7,
                gid="north",
            )
        )
    letter_x, letter_y = (middle + np.array([0, height / 2 + 0.6]) @ turn.T).tolist()
    sheet.page.text(
        letter_x,
        letter_y,
        "N",
        fontproperties=font("north", "bold"),
        ha="center",
        va="bottom",
        zorder=7,
        gid="north",
    )
    sheet.keep_off.append((x - half - 1, top - height - 5.2, x + half + 1, top))


def add_legend(
    sheet: Sheet,
    entries: Sequence[Entry],
    *,
    title: str = "图  例",
    columns: int = 1,
    kilometres: float | None = None,
    scale_bar: bool = True,
    footer: Sequence[str] = (),
) -> Box:
    """Draw the legend at the foot of the column, the scale bar within it.

    Parameters
    ----------
    entries
        What the map shows, in order. In two columns they run down the first, then the second.
    columns
        1 or 2.
    kilometres
        Length of the scale bar.
    footer
        Lines of small type below the entries.

    Returns
    -------
    tuple of float
        The legend's box.

    Raises
    ------
    InputError
        If there is no entry, or they do not fit the column.
    """
    if not entries:
        raise InputError("A legend needs at least one entry; nothing was drawn to explain.")
    left, bottom, right, top = sheet.column
    pitch = 5.0
    inner = left + 5.0
    cell = (right - left - 8.0) / columns
    runs = _split(entries, columns)
    rows = max(map(len, runs))
    height = 9.5 + rows * pitch + (10.0 if scale_bar else 1.0) + 3.1 * len(footer)
    if height > top - bottom:
        raise InputError(
            f"A legend of {len(entries)} entries needs {height:.0f} mm, the map's frame has "
            f"{top - bottom:.0f} mm. Use two columns or a larger page."
        )
    box = (left, bottom, right, bottom + height)
    _panel(sheet, box)
    sheet.page.text(
        (left + right) / 2,
        box[3] - 2.6,
        title,
        fontproperties=font("legend_title", "bold"),
        ha="center",
        va="top",
        zorder=6,
        gid="legend_title",
    )
    for column, run in enumerate(runs):
        for row, entry in enumerate(run):
            x = inner + column * cell
            y = box[3] - 9.5 - (row + 0.5) * pitch
            _entry(sheet, entry, x, y, cell - _KEY - 4.0)
    lower = box[3] - 9.5 - rows * pitch
    for text in footer:
        lower -= 3.1
        sheet.page.text(
            inner,
            lower + 1.2,
            text,
            fontproperties=font("note"),
            color=COLOURS["soft_ink"],
            ha="left",
            va="center",
            zorder=6,
            gid="legend_footer",
        )
    if scale_bar:
        add_scale_bar(sheet, lower - 1.2, kilometres)
    return box


def _split(entries: Sequence[Entry], columns: int) -> list[list[Entry]]:
    """Cut entries into columns, before a heading where there is one near the middle."""
    if columns == 1:
        return [list(entries)]
    cuts = [i for i in range(1, len(entries)) if entries[i].heading]
    half = len(entries) / 2
    cut = min(cuts or [math.ceil(half)], key=lambda i: (max(i, len(entries) - i), i))
    return [list(entries[:cut]), list(entries[cut:])]


def _entry(sheet: Sheet, entry: Entry, x: float, y: float, room: float) -> None:
    page = sheet.page
    weight: Literal["regular", "medium"] = "medium" if entry.heading else "regular"
    start = x if entry.heading else x + _KEY + 3.0
    size = SIZES["legend"]
    width = float(measure(sheet.figure, entry.text, size, weight)[0])
    if width > room + (_KEY + 3.0 if entry.heading else 0.0):
        size *= room / width
    page.text(
        start,
        y,
        entry.text,
        fontproperties=font(size, weight),
        ha="left",
        va="center",
        zorder=6,
        gid="legend_entry",
    )
    if entry.fill:
        # Under a boundary line the fill stands on one side only, as the area does.
        page.add_patch(
            Rectangle(
                (x, y - 1.5),
                _KEY,
                1.5 if entry.lines else 3.0,
                facecolor=entry.fill,
                edgecolor=entry.edge or "none",
                linewidth=points(0.13),
                zorder=6,
                joinstyle="miter",
            )
        )
    for order, name in enumerate(entry.lines):
        draw_line(page, [(x, y), (x + _KEY, y)], LINES[name], zorder=6.1 + order / 10)
    if entry.marker:
        page.plot(
            [x + _KEY / 2],
            [y],
            marker=entry.marker,
            markersize=points(entry.size),
            markerfacecolor=entry.face or COLOURS["paper"],
            markeredgecolor=entry.stroke,
            markeredgewidth=points(0.2),
            linestyle="none",
            zorder=6.5,
        )


def add_list(
    sheet: Sheet, title: str, rows: Sequence[tuple[str, str]], *, bottom: float, columns: int = 2
) -> int:
    """Write names with their values at the head of the column, as many as fit.

    Parameters
    ----------
    title
        Heading.
    rows
        Name and value, in order; they run down the first column, then the second.
    bottom
        Lower end of the room, millimetres.

    Returns
    -------
    int
        How many rows were written; where not all fit, the last line says how many are left out.
    """
    left, _, right, top = sheet.column
    pitch, head = 3.9, 9.5
    per_column = int((top - head - bottom - 2.0) // pitch)
    if per_column < 1 or not rows:
        return 0
    shown = list(rows)
    if len(rows) > per_column * columns:
        per_column -= 1
        shown = shown[: per_column * columns]
        if not shown:
            return 0
    used = math.ceil(len(shown) / columns)
    sheet.page.text(
        left + 5.0,
        top - 2.8,
        title,
        fontproperties=font("legend", "medium"),
        ha="left",
        va="top",
        zorder=6,
        gid="list_title",
    )
    gutter = 5.0
    cell = (right - left - 10.0 - gutter * (columns - 1)) / columns
    for place, (name, value) in enumerate(shown):
        column, row = divmod(place, used)
        x, y = left + 5.0 + column * (cell + gutter), top - head - row * pitch
        value_width = float(measure(sheet.figure, value, SIZES["list"])[0])
        size = SIZES["list"]
        width = float(measure(sheet.figure, name, size)[0])
        if width > cell - value_width - 1.5:
            size *= (cell - value_width - 1.5) / width
        sheet.page.text(
            x, y, name, fontproperties=font(size), ha="left", va="center", zorder=6, gid="list"
        )
        sheet.page.text(
            x + cell,
            y,
            value,
            fontproperties=font("list"),
            ha="right",
            va="center",
            zorder=6,
            gid="list",
        )
    if len(shown) < len(rows):
        sheet.page.text(
            left + 5.0,
            top - head - used * pitch,
            f"……另有 {len(rows) - len(shown)} 处",
            fontproperties=font("note"),
            color=COLOURS["soft_ink"],
            ha="left",
            va="center",
            zorder=6,
            gid="list",
        )
    return len(shown)


def add_note(sheet: Sheet, lines: Sequence[str]) -> list[Text]:
    """Write the note of sources below the map, in as many lines as it takes.

    Raises
    ------
    InputError
        If it does not fit below the map.
    """
    left, bottom, *_ = sheet.frame
    right = sheet.right
    size = font("note").get_size_in_points()
    rows: list[str] = []
    for line in lines:
        rows += _wrap(line, right - left - 1.0, lambda text: measure(sheet.figure, text, size)[0])
    room = int((bottom - _MARGIN - 2.0) / _NOTE_PITCH)
    if len(rows) > room:
        raise InputError(
            f"The note of sources takes {len(rows)} lines, of which {room} fit below the map; "
            "shorten it."
        )
    return [
        sheet.page.text(
            left,
            bottom - 1.3 - row * _NOTE_PITCH,
            text,
            fontproperties=font("note"),
            color=COLOURS["soft_ink"],
            ha="left",
            va="top",
            gid="note",
        )
        for row, text in enumerate(rows)
    ]


def _wrap(text: str, width: float, ruler: Callable[[str], float]) -> list[str]:
    """Break a text into lines no wider than ``width``, not before closing punctuation."""
    rows, rest = [], text
    while ruler(rest) > width:
        cut = max(1, int(len(rest) * width / ruler(rest)))
        while cut > 1 and ruler(rest[:cut]) > width:
            cut -= 1
        while cut < len(rest) - 1 and ruler(rest[: cut + 1]) <= width:
            cut += 1
        end = cut
        while end > 1 and (
            rest[end] in "，。；、：）》」”,.;:)%" or (rest[end - 1] + rest[end]).isascii()
        ):
            end -= 1
        cut = end if end > 1 else cut
        rows.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*rows, rest]


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
    _panel(sheet, box)
    sheet.page.text(
        left + 3.0,
        top - head / 2,
        title,
        fontproperties=font("inset_title", "medium"),
        ha="left",
        va="center",
        zorder=6,
        gid="inset_title",
    )
    sheet.page.text(
        right - 1.2,
        top - head / 2,
        f"1∶{scale:,.0f}".replace(",", " "),
        fontproperties=font("note"),
        color=COLOURS["soft_ink"],
        ha="right",
        va="center",
        zorder=6,
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
