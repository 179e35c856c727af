"""What stands on a sheet beside the map: title, scale bar, north arrow, note of sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyproj
from matplotlib.patches import Patch, Polygon, Rectangle
from matplotlib.text import Text
from pyproj import Transformer

from urbangeo.crs import GEOD, WGS84, transformer
from urbangeo.errors import InputError
from urbangeo.maps.sheet import (
    NOTE_PITCH,
    PAGE_MARGIN,
    TITLE_HEIGHT,
    Box,
    Sheet,
    VerticalAlign,
    add_panel,
)
from urbangeo.maps.style import COLOURS, SIZES, Weight, font, points
from urbangeo.maps.textsize import LINE_SPACING, measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "add_map_title",
    "add_north_arrow",
    "add_note",
    "add_scale_bar",
    "add_title",
    "bar_error",
    "bar_width",
    "in_two",
    "may_break",
    "north_error",
    "note_rows",
]


_TITLE_WEIGHTS: dict[str, Weight] = {"title": "bold"}

_LEAST_TITLE = 0.6
"""A title or subtitle that is too long is written smaller, down to this share of its size."""


def add_title(sheet: Sheet, heading: str, title: str, number: str = "", subtitle: str = "") -> None:
    """Write the plan's name, the figure's title below it, and its number at the right end.

    A subtitle, the title in another language, stands behind the title in smaller type. What is too
    long for its room is written smaller, a subtitle in two lines.

    Raises
    ------
    InputError
        If that would be too small to read.
    """
    left, _, _, top = sheet.frame
    right = sheet.right - 1.0
    height = TITLE_HEIGHT
    sheet.page.add_patch(
        Rectangle(
            (left, top + 2.6), 1.5, height - 4.4, facecolor=COLOURS["extent"], edgecolor="none"
        )
    )
    end = right
    if number:
        end -= float(measure(sheet.figure, number, SIZES["number"], "medium")[0]) + 4.0
        sheet.write(
            right,
            top + 3.4,
            number,
            "number",
            "medium",
            colour="soft_ink",
            ha="right",
            va="bottom",
            gid="number",
        )
    upper = (left + 4.2, top + height - 1.3)
    if heading:
        _write_title(sheet, heading, upper, right, "heading", "heading", va="top")
    after = _write_title(sheet, title, (left + 4.0, top + 2.9), end, "title", "title")
    if subtitle:
        _write_title(sheet, subtitle, (after + 4.0, top + 3.6), end, "heading", "subtitle")


def _write_title(
    sheet: Sheet,
    text: str,
    place: tuple[float, float],
    end: float,
    size: str,
    gid: str,
    *,
    va: VerticalAlign = "bottom",
) -> float:
    """Write from a place to the right, not beyond an end; give where it ends."""
    weight = _TITLE_WEIGHTS.get(size, "regular")

    def ruler(text: str) -> float:
        return float(measure(sheet.figure, text, SIZES[size], weight)[0])

    room = end - place[0]
    most = 1.0
    shown = text
    if gid == "subtitle" and ruler(text) > room:
        # Two lines are as high as the title if they are so much smaller.
        shown, most = in_two(text, ruler), 0.68
    width = ruler(shown)
    share = min(most, room / width)
    if share < (_LEAST_TITLE if shown == text else 0.8 * _LEAST_TITLE):
        raise InputError(
            f"The {gid} {text!r} is {ruler(text):.0f} mm long, and {max(room, 0):.0f} mm are left "
            "for it. Shorten it, or use a larger page."
        )
    sheet.write(
        *place,
        shown,
        SIZES[size] * share,
        weight,
        colour="ink" if gid == "title" else "soft_ink",
        va=va,
        linespacing=LINE_SPACING,
        gid=gid,
    )
    return place[0] + width * share


def add_map_title(sheet: Sheet, frame: Box, title: str) -> None:
    """Write the title of one of several maps into the upper left corner of its frame.

    Raises
    ------
    InputError
        If it is longer than the frame is wide.
    """
    left, _, right, top = frame
    width = float(measure(sheet.figure, title, SIZES["inset_title"], "medium")[0]) + 6.0
    if width > right - left:
        raise InputError(
            f"The map's title {title!r} is {width:.0f} mm long, its frame {right - left:.0f} mm "
            "wide. Shorten it, or use a larger page."
        )
    add_panel(sheet, (left, top - 6.0, left + width, top))
    sheet.write(left + 3.0, top - 3.0, title, "inset_title", "medium", gid="map_title")


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
    back = transformer(sheet.crs, WGS84)
    half = kilometres * 500
    for _ in range(3):
        lon, lat = back.transform([x - half, x + half], [y, y])
        half *= kilometres * 1000 / GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2]
    return 2 * half


_IN = "map in "
"""How the label of a map's axes begins that says its projection; a label is not drawn."""


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
    sheet.map.set_label(f"{_IN}{sheet.crs.to_string()}")
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
        sheet.write(
            start + part * width / 3,
            bottom + height + 0.8,
            text,
            "scale",
            ha="center",
            va="bottom",
            gid=f"scale_bar_text:{part}",
        )
    sheet.write(
        start + width + 2.6,
        bottom + height + 0.8,
        f" {unit}",
        "scale",
        va="bottom",
        gid="scale_bar_unit",
    )
    return bottom - 1.0


def north_angle(sheet: Sheet) -> float:
    """Give the direction of true north at the map's centre, degrees clockwise from up."""
    x, y = sheet.centre
    back = transformer(sheet.crs, WGS84)
    lon, lat = back.transform(x, y)
    there = transformer(WGS84, sheet.crs).transform(lon, lat + 0.1)
    return math.degrees(math.atan2(there[0] - x, there[1] - y))


def bar_error(figure: Figure) -> float:
    """Measure the scale bar that was drawn against the ellipsoid.

    Parameters
    ----------
    figure
        With one map and one scale bar.

    Returns
    -------
    float
        How much longer the ground under the bar is than what the bar says, as a share, where the
        bar is laid west to east over the map's centre.

    Raises
    ------
    InputError
        If the figure has no scale bar.
    """
    axes, back = _drawn_map(figure)
    parts = [one for one in figure.findobj(Patch) if str(one.get_gid()).startswith("scale_bar:")]
    said = {
        str(one.get_gid()): one.get_text()
        for one in figure.findobj(Text)
        if str(one.get_gid()).startswith("scale_bar")
    }
    boxes = [part.get_window_extent() for part in parts]
    metres = 1000.0 * float(said["scale_bar_text:3"])
    view = axes.get_window_extent()
    half = (max(box.x1 for box in boxes) - min(box.x0 for box in boxes)) / 2
    x, y = (view.x0 + view.x1) / 2, (view.y0 + view.y1) / 2
    ends = axes.transData.inverted().transform([(x - half, y), (x + half, y)])
    lon, lat = back.transform(*ends.T)
    return float(GEOD.inv(lon[0], lat[0], lon[1], lat[1])[2] / metres - 1)


def north_error(figure: Figure) -> float:
    """Measure the north arrow that was drawn: degrees clockwise from true north at the centre.

    Raises
    ------
    InputError
        If the figure has no scale bar, which tells the map's projection, or no arrow.
    """
    axes, back = _drawn_map(figure)
    halves = [one for one in figure.findobj(Polygon) if one.get_gid() == "north"]
    if not halves:
        raise InputError("The figure has no north arrow.")
    tip, _, notch = halves[0].get_xy()[:3]
    drawn = math.degrees(math.atan2(tip[0] - notch[0], tip[1] - notch[1]))
    x, y = (sum(limits) / 2 for limits in (axes.get_xlim(), axes.get_ylim()))
    up = 10_000.0
    lon, lat = back.transform([x, x], [y, y + up])
    # The azimuth of the map's up; true north lies as far to its other side.
    azimuth = GEOD.inv(lon[0], lat[0], lon[1], lat[1])[0]
    return float((drawn + azimuth + 180) % 360 - 180)


def _drawn_map(figure: Figure) -> tuple[Axes, Transformer]:
    """Find a figure's map, and the way from its metres to longitude and latitude."""
    for axes in figure.axes:
        label = str(axes.get_label())
        if label.startswith(_IN):
            crs = pyproj.CRS.from_user_input(label.removeprefix(_IN))
            return axes, transformer(crs, WGS84)
    raise InputError("The figure has no scale bar, so there is nothing to measure.")


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
    sheet.write(
        letter_x, letter_y, "N", "north", "bold", ha="center", va="bottom", zorder=7, gid="north"
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
        sheet.write(
            left,
            bottom - 1.3 - row * NOTE_PITCH,
            text,
            "note",
            colour="soft_ink",
            va="top",
            gid="note",
        )
        for row, text in enumerate(rows)
    ]


_CLOSING = "，。；、：！？）》」』”’…—,.;:!?)%"
_OPENING = "（《「『“‘("
_IDEOGRAPHS = "\u2e80"  # from here on a line may break between any two characters


def may_break(text: str, spot: int) -> bool:
    """Tell whether a line may end before a character: at a space, or beside a Chinese character.

    Not before closing punctuation, not after an opening bracket.
    """
    before, after = text[spot - 1], text[spot]
    if after in _CLOSING or before in _OPENING:
        return False
    return " " in (before, after) or max(before, after) >= _IDEOGRAPHS


def in_two(text: str, ruler: Callable[[str], float]) -> str:
    """Break a text into two lines as even as can be, or leave it whole where it may not break.

    Parameters
    ----------
    ruler
        Measures a text.
    """
    spots = [spot for spot in range(1, len(text)) if may_break(text, spot)]
    half = ruler(text) / 2
    # Close to the middle by the length of what stands before it; then the narrower one is taken.
    near = sorted(spots, key=lambda spot: abs(ruler(text[:spot]) - half))
    broken = [f"{text[:spot].rstrip()}\n{text[spot:].lstrip()}" for spot in near[:3]]
    return min(broken, key=ruler, default=text)


def _wrap(text: str, width: float, ruler: Callable[[str], float]) -> list[str]:
    """Break a text into lines no wider than ``width``, where it may be broken."""
    rows, rest = [], text
    while ruler(rest) > width:
        cut = max(1, int(len(rest) * width / ruler(rest)))
        while cut > 1 and ruler(rest[:cut]) > width:
            cut -= 1
        while cut < len(rest) - 1 and ruler(rest[: cut + 1]) <= width:
            cut += 1
        end = cut
        while end > 1 and not may_break(rest, end):
            end -= 1
        cut = end if end > 1 else cut
        rows.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*rows, rest]
