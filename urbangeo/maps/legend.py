"""The legend, with scale bar and north arrow at its foot, and a list of names and values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import shapely
from matplotlib.patches import Rectangle

from urbangeo.errors import InputError
from urbangeo.maps.drawing import draw_area, draw_line, draw_lines, draw_points
from urbangeo.maps.furniture import add_north_arrow, add_scale_bar, bar_width
from urbangeo.maps.labels import measure
from urbangeo.maps.sheet import Box, Sheet, add_panel
from urbangeo.maps.style import COLOURS, LINES, SIZES, font, points
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle, Style

__all__ = ["Entry", "add_legend", "add_list", "legend_size"]

_KEY = 11.0
_NARROW_KEY = 8.5
_PITCH = 5.0
_HEAD = 9.5


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a legend.

    Attributes
    ----------
    text
        What it stands for.
    style
        As it is drawn in the map.
    lines
        Names in :data:`urbangeo.maps.style.LINES`, drawn one on the other, first lowest.
    fill, edge
        Colours of an area symbol; under lines the fill stands on one side, as the area does.
    heading
        The text is a heading of entries below it.
    """

    text: str
    style: Style | None = None
    lines: tuple[str, ...] = ()
    fill: str = ""
    edge: str = ""
    heading: bool = False


def legend_size(
    sheet: Sheet,
    runs: Sequence[Sequence[Entry]],
    *,
    kilometres: float | None = None,
    footer: Sequence[str] = (),
    scale_bar: bool = True,
) -> tuple[float, float]:
    """Measure a legend: width and height, millimetres; never narrower than the sheet's column."""
    least = sheet.column[2] - sheet.column[0]
    widths = [_run_width(sheet, run, _key(runs)) for run in runs]
    foot = bar_width(sheet, kilometres) + 34.0 if scale_bar else 0.0
    width = max(least, sum(widths) + 6.0 if len(runs) > 1 else 0.0, foot)
    rows = max(map(len, runs))
    height = _HEAD + rows * _PITCH + (13.0 if scale_bar else 1.0) + 3.1 * len(footer)
    return width, height


def _key(runs: Sequence[Sequence[Entry]]) -> float:
    """Give the width of a sample; where columns stand side by side room is dear."""
    return _KEY if len(runs) == 1 else _NARROW_KEY


def _run_width(sheet: Sheet, run: Sequence[Entry], key: float) -> float:
    texts = [
        float(measure(sheet.figure, entry.text, SIZES["legend"])[0])
        + (0.0 if entry.heading else key + 2.5)
        for entry in run
    ]
    return max(texts, default=0.0) + 3.5


def add_legend(
    sheet: Sheet,
    runs: Sequence[Sequence[Entry]],
    *,
    title: str = "图  例",
    kilometres: float | None = None,
    scale_bar: bool = True,
    footer: Sequence[str] = (),
) -> Box:
    """Draw the legend at the foot of the column, scale bar and north arrow within it.

    Parameters
    ----------
    runs
        What the map shows, one sequence of entries for each column of the legend.
    kilometres
        Length of the scale bar.
    footer
        Lines of small type below the entries.

    Returns
    -------
    tuple of float
        The legend's box. With several columns it may be wider than the sheet's column; its right
        edge is the column's.

    Raises
    ------
    InputError
        If there is no entry, or they do not fit the column.
    """
    if not any(len(run) for run in runs):
        raise InputError("A legend needs at least one entry; nothing was drawn to explain.")
    _, bottom, right, top = sheet.column
    width, height = legend_size(
        sheet, runs, kilometres=kilometres, footer=footer, scale_bar=scale_bar
    )
    if height > top - bottom:
        count = sum(map(len, runs))
        raise InputError(
            f"A legend of {count} entries needs {height:.0f} mm, the map's frame has "
            f"{top - bottom:.0f} mm. Give it more columns or use a larger page."
        )
    if width > 0.62 * (sheet.right - sheet.frame[0]):
        raise InputError(
            f"A legend of {len(runs)} columns needs {width:.0f} mm; that hides the map. "
            "Give it fewer columns or shorter texts, or use a larger page."
        )
    left = right - width
    box = (left, bottom, right, bottom + height)
    add_panel(sheet, box)
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
    inner = left + (5.0 if len(runs) == 1 else 4.0)
    key = _key(runs)
    widths = [_run_width(sheet, run, key) for run in runs]
    spare = (right - inner - 1.0 - sum(widths)) / len(runs) if len(runs) > 1 else 0.0
    x = inner
    for run, own in zip(runs, widths, strict=True):
        cell = right - left - 8.0 if len(runs) == 1 else own + max(spare, 0.0)
        for row, entry in enumerate(run):
            y = box[3] - _HEAD - (row + 0.5) * _PITCH
            _draw_entry(sheet, entry, x, y, cell - key - 3.0, key)
        x += cell
    lower = box[3] - _HEAD - max(map(len, runs)) * _PITCH
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
        add_scale_bar(sheet, lower - 2.6, kilometres, span=(left + 2.0, right - 14.0))
        add_north_arrow(sheet, right - 7.0, lower + 0.4)
    return box


def _draw_entry(sheet: Sheet, entry: Entry, x: float, y: float, room: float, key: float) -> None:
    page = sheet.page
    weight: Literal["regular", "medium"] = "medium" if entry.heading else "regular"
    start = x if entry.heading else x + key + 2.5
    size = SIZES["legend"]
    width = float(measure(sheet.figure, entry.text, size, weight)[0])
    if width > room + (key + 2.5 if entry.heading else 0.0):
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
        page.add_patch(
            Rectangle(
                (x, y - 1.5),
                key,
                1.5 if entry.lines else 3.0,
                facecolor=entry.fill,
                edgecolor=entry.edge or "none",
                linewidth=points(0.13),
                zorder=6,
                joinstyle="miter",
            )
        )
    for order, name in enumerate(entry.lines):
        draw_line(page, [(x, y), (x + key, y)], LINES[name], zorder=6.1 + order / 10)
    style = entry.style
    if isinstance(style, PointStyle):
        draw_points(page, [(x + key / 2, y)], style, zorder=6.5, gid="legend_key")
    elif isinstance(style, LineStyle):
        line = shapely.LineString([(x, y), (x + key, y)])
        draw_lines(page, line, style, zorder=6.5, gid="legend_key", scale=0.6)
    elif isinstance(style, AreaStyle):
        swatch = shapely.box(x, y - 1.6, x + key, y + 1.6)
        draw_area(page, swatch, style, zorder=6.5, gid="legend_key", scale=1.0)


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
