"""The legend, with scale bar and north arrow at its foot, and a list of names and values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import shapely
from matplotlib.patches import Rectangle

from urbangeo.errors import InputError
from urbangeo.maps.drawing import draw_area, draw_line, draw_lines, draw_points
from urbangeo.maps.furniture import add_north_arrow, add_scale_bar
from urbangeo.maps.legendlayout import (
    BREAK,
    HEAD,
    OTHER_SIZE,
    Arrangement,
    Block,
    Entry,
    Run,
    arrangements,
    fitting,
    lay_out,
    legend_size,
    outer_size,
    text_size,
    widest,
)
from urbangeo.maps.sheet import Box, Sheet, VerticalAlign, add_panel
from urbangeo.maps.style import LINES, SIZES, points
from urbangeo.maps.symbols import AreaStyle, LineStyle, PointStyle
from urbangeo.maps.textsize import LINE_SPACING, measure

__all__ = [
    "MORE",
    "TITLES",
    "Arrangement",
    "Entry",
    "add_legend",
    "add_list",
    "arrangements",
    "fitting",
    "legend_size",
]

TITLES = {"zh": ("图  例", ""), "en": ("Legend", ""), "both": ("图  例", "Legend")}
"""Title of a legend and its second title, by language of the figure."""

MORE = {"zh": "……另有 {count} 处", "en": "… {count} more", "both": "……另有 {count} 处 {count} more"}
"""Last line of a list that has no room for all, by language of the figure."""

_SAMPLE = 3.2
"""Height of an area's sample, millimetres."""


def add_legend(
    sheet: Sheet,
    runs: Sequence[Run],
    *,
    title: str = TITLES["zh"][0],
    other: str = "",
    kilometres: float | None = None,
    scale_bar: bool = True,
    footer: Sequence[str] = (),
) -> Box:
    """Draw the legend at the foot of the column, scale bar and north arrow within it.

    Parameters
    ----------
    runs
        What the map shows, one sequence of entries for each column of the legend; see
        :func:`fitting`.
    title, other
        Title, and the title in another language beside it in smaller type: :data:`TITLES`.
    kilometres
        Length of the scale bar.
    footer
        Lines of small type below the entries.

    Returns
    -------
    tuple of float
        The legend's box. It may be wider than the sheet's column; its right edge is the column's.

    Raises
    ------
    InputError
        If there is no entry, or they do not fit the column.
    """
    if not any(len(run) for run in runs):
        raise InputError("A legend needs at least one entry; nothing was drawn to explain.")
    _, bottom, right, top = sheet.column
    layout = lay_out(sheet, runs)
    width, height = outer_size(sheet, layout, kilometres, footer, scale_bar)
    if height > top - bottom:
        count = sum(map(len, runs))
        raise InputError(
            f"A legend of {count} entries needs {height:.0f} mm, the map's frame has "
            f"{top - bottom:.0f} mm. Give it more columns or use a larger page."
        )
    if width > widest(sheet):
        raise InputError(
            f"A legend of {len(runs)} columns needs {width:.0f} mm; that hides the map. "
            "Give it fewer columns or shorter texts, or use a larger page."
        )
    left = right - width
    box = (left, bottom, right, bottom + height)
    add_panel(sheet, box)
    _write_title(sheet, (left + right) / 2, box[3] - 2.6, title, other)
    inner = left + (5.0 if len(runs) == 1 else 4.0)
    spare = (right - inner - 1.0 - sum(layout.widths)) / len(runs) if len(runs) > 1 else 0.0
    x = inner
    for blocks, heights, own in zip(layout.columns, layout.heights, layout.widths, strict=True):
        y = box[3] - HEAD
        for block, row in zip(blocks, heights, strict=True):
            if block.entry is not BREAK:
                _draw_key(sheet, block.entry, x, y - row / 2, layout.key)
                _write_entry(sheet, block, x, y - row / 2, layout.key)
            y -= row
        x += own + max(spare, 0.0)
    lower = box[3] - HEAD - layout.height
    for text in footer:
        lower -= 3.1
        sheet.write(inner, lower + 1.2, text, "note", colour="soft_ink", gid="legend_footer")
    if scale_bar:
        add_scale_bar(sheet, lower - 2.6, kilometres, span=(left + 2.0, right - 14.0))
        add_north_arrow(sheet, right - 7.0, lower - 0.5, 7.8)
    return box


def _write_title(sheet: Sheet, x: float, top: float, title: str, other: str) -> None:
    """Write the title, and the one in another language behind it, both about a middle."""
    size, small = SIZES["legend_title"], SIZES["list"]
    own, height = text_size(sheet.figure, title, size, "bold")
    gap, behind = (1.6, text_size(sheet.figure, other, small)[0]) if other else (0.0, 0.0)
    start = x - (own + gap + behind) / 2
    # Of the type's height a fifth hangs below the line.
    line = top - 0.79 * height
    sheet.write(
        start + own / 2, line, title, "legend_title", "bold",
        ha="center", va="baseline", gid="legend_title",
    )  # fmt: skip
    if other:
        sheet.write(
            start + own + gap, line, other, small,
            colour="soft_ink", va="baseline", gid="legend_title_other",
        )  # fmt: skip


def _write_entry(sheet: Sheet, block: Block, x: float, y: float, key: float) -> None:
    """Write an entry's texts about the height of its sample."""
    weight: Literal["regular", "medium"] = "medium" if block.entry.heading else "regular"
    start = x if block.entry.heading else x + key + 2.5
    half = block.height / 2
    va: VerticalAlign = "top" if block.other else "center"
    top = y + half if block.other else y
    sheet.write(
        start, top, block.text, "legend", weight,
        va=va, linespacing=LINE_SPACING, gid="legend_entry",
    )  # fmt: skip
    if block.other:
        sheet.write(
            start, y - half, block.other, OTHER_SIZE, weight,
            colour="soft_ink", va="bottom", linespacing=LINE_SPACING, gid="legend_other",
        )  # fmt: skip


def _draw_key(sheet: Sheet, entry: Entry, x: float, y: float, key: float) -> None:
    page = sheet.page
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
        zorder = 6.1 + order / 10
        draw_line(page, [(x, y), (x + key, y)], LINES[name], zorder=zorder, gid="legend_key")
    style = entry.style
    if isinstance(style, PointStyle):
        draw_points(page, [(x + key / 2, y)], style, zorder=6.5, gid="legend_key")
    elif isinstance(style, LineStyle):
        line = shapely.LineString([(x, y), (x + key, y)])
        draw_lines(page, line, _slim(style), zorder=6.5, gid="legend_key", scale=0.6)
    elif isinstance(style, AreaStyle):
        swatch = shapely.box(x, y - _SAMPLE / 2, x + key, y + _SAMPLE / 2)
        draw_area(page, swatch, style, zorder=6.5, gid="legend_key", scale=1.0)


def _slim(style: LineStyle) -> LineStyle:
    """Make a broad band as narrow as a sample of an area, so that it stays in its row."""
    share = _SAMPLE / max(line.width + line.case for line in style.lines)
    if share >= 1:
        return style
    lines = (replace(one, width=one.width * share, case=one.case * share) for one in style.lines)
    return replace(style, lines=tuple(lines))


def add_list(
    sheet: Sheet,
    title: str,
    rows: Sequence[tuple[str, str]],
    *,
    bottom: float,
    columns: int = 2,
    more: str = MORE["zh"],
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
    more
        The line that tells how many are left out.

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
    size = SIZES["legend"]
    size *= min(1.0, (right - left - 10.0) / text_size(sheet.figure, title, size, "medium")[0])
    sheet.write(left + 5.0, top - 2.8, title, size, "medium", va="top", gid="list_title")
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
        sheet.write(x, y, name, size, gid="list")
        sheet.write(x + cell, y, value, "list", ha="right", gid="list")
    if len(shown) < len(rows):
        sheet.write(
            left + 5.0,
            top - head - used * pitch,
            more.format(count=len(rows) - len(shown)),
            "note",
            colour="soft_ink",
            gid="list",
        )
    return len(shown)
