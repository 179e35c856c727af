"""Meridians and parallels at a round step, named at the frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.patheffects import Stroke
from numpy.typing import NDArray
from pyproj import Transformer

from urbangeo.crs import WGS84, transformer
from urbangeo.errors import InputError
from urbangeo.maps.drawing import draw_line, window
from urbangeo.maps.paper import to_page
from urbangeo.maps.sheet import Box, Sheet
from urbangeo.maps.style import COLOURS, Line, font, points
from urbangeo.maps.textsize import measure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["STEPS", "add_graticule", "in_degrees", "round_step"]

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
"""Steps between lines, minutes of arc."""

MOST_LINES = 120
"""So many meridians, and so many parallels, are drawn on a map."""

_APART = 30.0  # lines are at least so far apart unless a step is asked for, millimetres
_LINE = Line("#7C93A3", 0.09)
_SIZE = 5.0
_GAP = 0.7  # between a label and its line, or the frame, millimetres
_HALO = 0.35
_PIECES = 96  # of a line between the map's edges, so that it bends as the projection does

_Points = NDArray[np.float64]


def in_degrees(minutes: int, letters: str) -> str:
    """Write an angle in degrees and minutes.

    Parameters
    ----------
    minutes
        Minutes of arc.
    letters
        For positive and negative angles: ``EW`` or ``NS``.

    Examples
    --------
    >>> in_degrees(6390, "EW"), in_degrees(1620, "NS"), in_degrees(-5, "NS")
    ('106°30′E', '27°N', '0°05′S')
    """
    degrees, rest = divmod(abs(minutes), 60)
    letter = "" if minutes in (0, 10_800, -10_800) else letters[minutes < 0]
    return f"{degrees}°{f'{rest:02d}′' if rest else ''}{letter}"


def round_step(sheet: Sheet) -> float:
    """Give the least step, in degrees, that sets the lines of a map 3 cm apart or more."""
    x, y = sheet.centre
    lon, lat = _back(sheet).transform(x, y)
    there = _there(sheet)
    for minutes in STEPS:
        lons, lats = [lon + minutes / 60, lon], [lat, lat + minutes / 60]
        if lats[1] < 90:
            across, up = there.transform(lons, lats)
            apart = min(math.hypot(a - x, u - y) for a, u in zip(across, up, strict=True))
            if apart / sheet.scale * 1000 >= _APART:
                break
    return minutes / 60


def add_graticule(sheet: Sheet, step: float | None = None) -> float:
    """Draw meridians and parallels beneath the boundaries, and name them inside the frame.

    To be called when legend and inset stand and before names are placed: labels keep off what
    stands, and names keep off them. Meridians are named at the upper and lower edge, parallels at
    the left and right one, wherever nothing is in the way.

    Parameters
    ----------
    step
        Degrees between lines; whole minutes. By default :func:`round_step`.

    Returns
    -------
    float
        The step, degrees.

    Raises
    ------
    InputError
        If the step is not a number of whole minutes, would make more than :data:`MOST_LINES`
        lines, or a map holds a pole.
    """
    chosen = round_step(sheet) if step is None else float(step)
    minutes = round(chosen * 60) if math.isfinite(chosen) else 0
    if minutes < 1 or abs(minutes - chosen * 60) > 1e-6:
        raise InputError(
            f"The graticule's step is {step} degrees; whole minutes of arc are expected, for "
            "example 0.5 for 30′."
        )
    for axes, frame in sheet.maps:
        _draw(sheet, axes, frame, minutes)
    return minutes / 60


def _back(sheet: Sheet) -> Transformer:
    return transformer(sheet.crs, WGS84)


def _there(sheet: Sheet) -> Transformer:
    return transformer(WGS84, sheet.crs)


def _draw(sheet: Sheet, axes: Axes, frame: Box, step: int) -> None:
    view = window(axes)
    west, south, east, north = _reach(sheet, view)
    lons = _multiples(west, east, step, "meridians")
    lats = _multiples(max(south, -89.9), min(north, 89.9), step, "parallels")
    there = _there(sheet)
    along = np.linspace(0.0, 1.0, _PIECES + 1)
    meridians = [
        (one, (np.full(len(along), one / 60), south + along * (north - south))) for one in lons
    ]
    parallels = [
        (one, (west + along * (east - west), np.full(len(along), one / 60))) for one in lats
    ]
    for upright, lines in ((True, meridians), (False, parallels)):
        for value, lonlat in lines:
            line = shapely.LineString(np.column_stack(there.transform(*lonlat)))
            for part in shapely.get_parts(shapely.intersection(line, view)):
                if shapely.get_dimensions(part) == 1 and part.length > 0:
                    xy = shapely.get_coordinates(part)
                    draw_line(axes, xy, _LINE, zorder=2.9, gid="graticule")
                    _name(sheet, frame, to_page(axes, xy), value, upright=upright)


def _reach(sheet: Sheet, view: Any) -> tuple[float, float, float, float]:
    """Give what a map reaches in degrees; longitudes run on beyond 180 where it crosses it."""
    there = _there(sheet)
    for lat in (90.0, -90.0):
        x, y = there.transform(0.0, lat)
        if math.isfinite(x) and math.isfinite(y) and shapely.contains_xy(view, x, y):
            raise InputError("A map that holds a pole gets no graticule; leave it out.")
    edge = shapely.get_coordinates(shapely.segmentize(view.exterior, view.length / 400))
    lon, lat = _back(sheet).transform(*edge.T)
    middle = _back(sheet).transform(*sheet.centre)[0]
    lon = middle + (np.asarray(lon) - middle + 180) % 360 - 180
    return float(np.min(lon)), float(np.min(lat)), float(np.max(lon)), float(np.max(lat))


def _multiples(low: float, high: float, step: int, what: str) -> range:
    first, last = math.ceil(low * 60 / step) * step, math.floor(high * 60 / step) * step
    count = (last - first) // step + 1
    if count > MOST_LINES:
        raise InputError(
            f"A graticule every {step}′ has {count} {what} on this map; at most {MOST_LINES} are "
            "drawn. Give a larger step."
        )
    return range(first, last + 1, step)


def _name(sheet: Sheet, frame: Box, line: _Points, value: int, *, upright: bool) -> None:
    """Write what a line is where it meets the frame, if nothing stands there."""
    left, bottom, right, top = frame
    # Longitudes beyond 180 are counted from the other side.
    turned = (value + 10_800) % 21_600 - 10_800
    text = in_degrees(turned if upright else value, "EW" if upright else "NS")
    width, height = measure(sheet.figure, text, _SIZE).tolist()
    for x, y in (line[0], line[-1]):
        if upright:
            # To the right of its line.
            start = x + _GAP
            if abs(y - top) < 0.01:
                floor = top - _GAP - height
            elif abs(y - bottom) < 0.01:
                floor = bottom + _GAP
            else:
                continue
        else:
            # Above its line.
            floor = y + 0.4 * _GAP
            if abs(x - left) < 0.01:
                start = left + _GAP
            elif abs(x - right) < 0.01:
                start = right - _GAP - width
            else:
                continue
        box = (start, floor, start + width, floor + height)
        inside = left < box[0] and box[2] < right and bottom < box[1] and box[3] < top
        if inside and not any(_meet(box, other) for other in sheet.keep_off):
            _write(sheet, box, text)


def _meet(box: Box, other: Box) -> bool:
    return (
        box[0] < other[2] + _GAP
        and other[0] < box[2] + _GAP
        and box[1] < other[3] + _GAP
        and other[1] < box[3] + _GAP
    )


def _write(sheet: Sheet, box: Box, text: str) -> None:
    """Write a label with a halo, beneath the furniture; names keep off it."""
    sheet.keep_off.append(box)
    shared: dict[str, Any] = {"fontproperties": font(_SIZE), "ha": "left", "va": "bottom"}
    # The halo is a text of its own: one with an effect becomes outlines, and names remain text.
    effect = Stroke(
        linewidth=2 * points(_HALO), foreground=COLOURS["paper"], joinstyle="round", alpha=0.85
    )
    sheet.page.text(
        *box[:2],
        text,
        color=COLOURS["paper"],
        path_effects=[effect],
        zorder=3.0,
        gid="graticule_halo",
        **shared,
    )
    sheet.page.text(*box[:2], text, color="#45606F", zorder=3.1, gid="graticule_label", **shared)
