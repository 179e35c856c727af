"""What stands on a sheet beside the map: title, scale bar, north arrow, note of sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Polygon, Rectangle
from pyproj import Transformer

from urbangeo.crs import GEOD, WGS84
from urbangeo.errors import InputError
from urbangeo.maps.labels import measure
from urbangeo.maps.sheet import NOTE_PITCH, PAGE_MARGIN, TITLE_HEIGHT, Sheet
from urbangeo.maps.style import COLOURS, SIZES, font, points

if TYPE_CHECKING:
    from matplotlib.text import Text

__all__ = ["add_north_arrow", "add_note", "add_scale_bar", "add_title", "bar_width", "note_rows"]


def add_title(sheet: Sheet, heading: str, title: str, number: str = "", subtitle: str = "") -> None:
    """Write the plan's name, the figure's title below it, and its number at the right end.

    A subtitle, the title in another language, stands behind the title in smaller type.
    """
    left, _, _, top = sheet.frame
    right = sheet.right
    height = TITLE_HEIGHT
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
    if subtitle:
        width = float(measure(sheet.figure, title, SIZES["title"], "bold")[0])
        sheet.page.text(
            left + 8.0 + width,
            top + 3.6,
            subtitle,
            fontproperties=font("heading"),
            color=COLOURS["soft_ink"],
            ha="left",
            va="bottom",
            gid="subtitle",
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


def _bar_step(sheet: Sheet, kilometres: float | None) -> float:
    return kilometres / 3 if kilometres else _scale_step(sheet.scale * 36 / 1e6)


def bar_width(sheet: Sheet, kilometres: float | None = None) -> float:
    """Give how wide a scale bar is drawn, millimetres."""
    return true_length(sheet, 3 * _bar_step(sheet, kilometres)) / sheet.scale * 1000


def add_scale_bar(
    sheet: Sheet,
    top: float,
    kilometres: float | None = None,
    unit: str = "km",
    span: tuple[float, float] | None = None,
) -> float:
    """Draw a scale bar of three steps in the column, true at the map's centre.

    Parameters
    ----------
    top
        Upper edge, millimetres.
    kilometres
        Length of the bar; by default what fits half of the column in round numbers.
    span
        Between which millimetres it is centred; by default the column's.

    Returns
    -------
    float
        Lower edge, millimetres.
    """
    left, right = span or (sheet.column[0], sheet.column[2])
    step = _bar_step(sheet, kilometres)
    width = bar_width(sheet, kilometres)
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


def add_north_arrow(sheet: Sheet, x: float, top: float, height: float = 8.4) -> None:
    """Draw an arrow to true north.

    Parameters
    ----------
    x, top
        Its middle and upper end, millimetres; in a panel, so that it hides nothing of the map.
    height
        Of the arrow without its letter.
    """
    half = height / 4
    middle = np.array([x, top - 3.0 - height / 2])
    angle = math.radians(-north_angle(sheet))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    tip, foot, notch = (0, height / 2), height / -2, height / -2 + height / 4
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
    letter_x, letter_y = (middle + np.array([0, height / 2 + 0.3]) @ turn.T).tolist()
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


_UNHINTED = 0.94
"""Share of the width that a note fills: hinted, as plain ``savefig`` draws it, type runs wider."""


def note_rows(sheet: Sheet, lines: Sequence[str]) -> list[str]:
    """Break a note into the rows that it takes below a map."""
    size = font("note").get_size_in_points()
    width = (sheet.right - sheet.frame[0] - 1.0) * _UNHINTED
    rows: list[str] = []
    for line in lines:
        rows += _wrap(line, width, lambda text: measure(sheet.figure, text, size)[0])
    return rows


def add_note(sheet: Sheet, lines: Sequence[str]) -> list[Text]:
    """Write the note of sources below the map, in as many lines as it takes.

    Raises
    ------
    InputError
        If it does not fit below the map.
    """
    left, bottom, *_ = sheet.frame
    rows = note_rows(sheet, lines)
    room = int((bottom - PAGE_MARGIN - 2.0) / NOTE_PITCH)
    if len(rows) > room:
        raise InputError(
            f"The note of sources takes {len(rows)} lines, of which {room} fit below the map; "
            "shorten it."
        )
    return [
        sheet.page.text(
            left,
            bottom - 1.3 - row * NOTE_PITCH,
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
