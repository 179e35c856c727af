"""Columns of a legend: how their texts break, how they stand, how much room they take.

A legend has the columns that its appendix prints. Where they would hide what the map is about,
:func:`fitting` sets neighbouring columns one below the other, in their order, before the map has to
give way. Nothing is made smaller to fit: a long text breaks into two lines, then the legend grows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from urbangeo.maps.furniture import bar_width, in_two
from urbangeo.maps.sheet import Sheet
from urbangeo.maps.style import SIZES, Weight
from urbangeo.maps.symbols import PointStyle, Style
from urbangeo.maps.textsize import measure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BREAK",
    "HEAD",
    "OTHER_SIZE",
    "Arrangement",
    "Block",
    "Entry",
    "Layout",
    "Run",
    "arrangements",
    "fitting",
    "lay_out",
    "legend_size",
    "outer_size",
    "text_size",
    "widest",
]

OTHER_SIZE = 5.2
"""Type of the second language, points; what is smaller cannot be read on a wall."""

HEAD = 9.5
"""Height of a legend's title with the space below it, millimetres."""

_WIDEST = 0.62  # share of the sheet's width
_KEY = 11.0
_NARROW_KEY = 8.5
_PITCH = 5.0
_AIR = 1.4  # between the texts of two rows, millimetres
_SPACE = 0.9  # between two signs
_BETWEEN = 0.2  # between the two languages of an entry
_LONGEST = 36.0  # texts that are longer break, where columns stand side by side
_OTHER_LEAST = 22.0  # a second text that is shorter stays in one line
_STACKED = 1.8  # between printed columns set one below the other


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
    other
        The text in another language, written below it in smaller type.
    """

    text: str
    style: Style | None = None
    lines: tuple[str, ...] = ()
    fill: str = ""
    edge: str = ""
    heading: bool = False
    other: str = ""


Run = Sequence[Entry]

BREAK = Entry("")
"""Stands between printed columns that are set one below the other."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Columns of a legend, their size in millimetres, and how much of the map they hide."""

    runs: tuple[tuple[Entry, ...], ...]
    width: float
    height: float
    hides: float


def arrangements(runs: Sequence[Run]) -> Iterator[tuple[tuple[Entry, ...], ...]]:
    """Give the columns as printed, then with neighbours one below the other, in their order.

    Those with more columns come first; among equals, those with the shorter longest column.
    """
    columns = [tuple(run) for run in runs if run]
    yield tuple(columns)
    for count in range(len(columns) - 1, 0, -1):
        found = []
        for cuts in combinations(range(1, len(columns)), count - 1):
            parts = [columns[a:b] for a, b in pairwise((0, *cuts, len(columns)))]
            found.append(tuple(_stacked(part) for part in parts))
        yield from sorted(found, key=lambda made: max(map(len, made)))


def _stacked(part: Sequence[tuple[Entry, ...]]) -> tuple[Entry, ...]:
    first, *rest = part
    return (*first, *(entry for run in rest for entry in (BREAK, *run)))


def fitting(
    sheet: Sheet,
    runs: Sequence[Run],
    hides: Callable[[float, float], float] = lambda width, height: 0.0,
    *,
    kilometres: float | None = None,
    footer: Sequence[str] = (),
    scale_bar: bool = True,
) -> Arrangement:
    """Choose the arrangement that keeps most to print and hides least of the map.

    Parameters
    ----------
    runs
        The columns as printed.
    hides
        Tells how much of what the map is about lies under a legend of a width and a height
        (millimetres, in the lower right corner of the column); 0 is nothing. The first arrangement
        that hides nothing is taken, else the first that hides least: with 1 for a corner of the
        province and 100 for a member, the columns stay as printed unless a member would be hidden,
        and no corner is hidden needlessly.

    Returns
    -------
    Arrangement
        One that fits the sheet, if any does; else the columns as printed, which
        :func:`add_legend` refuses.
    """
    room = sheet.column[3] - sheet.column[1]
    best: Arrangement | None = None
    printed: Arrangement | None = None
    for made in arrangements(runs):
        width, height = legend_size(
            sheet, made, kilometres=kilometres, footer=footer, scale_bar=scale_bar
        )
        if printed is None:
            printed = Arrangement(made, width, height, math.inf)
        if height > room or width > widest(sheet):
            continue
        cost = float(hides(width, height))
        if best is None or cost < best.hides:
            best = Arrangement(made, width, height, cost)
        if cost <= 0:
            break
    chosen = best or printed
    assert chosen is not None
    return chosen


def widest(sheet: Sheet) -> float:
    """Give how wide a legend may be, millimetres."""
    return _WIDEST * (sheet.right - sheet.frame[0])


@dataclass(frozen=True, slots=True)
class Block:
    """An entry as it is written: its texts with their breaks, size of the whole in mm."""

    entry: Entry
    text: str
    other: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of blocks, the width of a sample, the width of each column, heights of rows."""

    columns: list[list[Block]]
    key: float
    widths: list[float]
    heights: list[list[float]]

    @property
    def height(self) -> float:
        """Of the longest column, millimetres."""
        return max(sum(column) for column in self.heights)


def lay_out(sheet: Sheet, runs: Sequence[Run]) -> Layout:
    """Break the texts, and set entries in rows."""
    figure = sheet.figure
    single = len(runs) == 1
    # Where columns stand side by side room is dear.
    key = _KEY if single else _NARROW_KEY
    longest = sheet.column[2] - sheet.column[0] - 11.0 - key if single else _LONGEST
    columns, widths, heights = [], [], []
    for run in runs:
        blocks = _blocks(figure, run, longest)
        columns.append(blocks)
        texts = [one.width + (0.0 if one.entry.heading else key + 2.5) for one in blocks]
        widths.append(max(texts, default=0.0) + 3.5)
    pitch = _PITCH
    if any(block.other for blocks in columns for block in blocks):
        # Rows are alike, whether every entry has a second text or not.
        alike = text_size(figure, "A", SIZES["legend"])[1] + text_size(figure, "A", OTHER_SIZE)[1]
        pitch = max(pitch, alike + _BETWEEN + _AIR)
    for blocks in columns:
        own = [max(pitch, block.height + _AIR, _sign(block.entry) + _SPACE) for block in blocks]
        heights.append(
            [_STACKED if b.entry is BREAK else h for b, h in zip(blocks, own, strict=True)]
        )
    if not any(block.entry is BREAK for blocks in columns for block in blocks):
        # Entries side by side stand in line.
        for row in range(max(map(len, heights))):
            most = max(column[row] for column in heights if row < len(column))
            for column in heights:
                column[row : row + 1] = [most] if row < len(column) else []
    return Layout(columns, key, widths, heights)


def _sign(entry: Entry) -> float:
    """Give the height of a sign, millimetres."""
    return entry.style.size if isinstance(entry.style, PointStyle) else 0.0


def _blocks(figure: Figure, run: Run, longest: float) -> list[Block]:
    """Break the texts of a column, and measure them."""
    weights: list[Weight] = ["medium" if entry.heading else "regular" for entry in run]
    texts = [
        _in_two(figure, entry.text, SIZES["legend"], weight, longest)
        for entry, weight in zip(run, weights, strict=True)
    ]
    own = [
        _width(figure, text, SIZES["legend"], weight)
        for text, weight in zip(texts, weights, strict=True)
    ]
    # A second text makes its column no wider if it can be broken.
    limit = min(longest, max([_OTHER_LEAST, *own]))
    blocks = []
    for entry, text, weight, width in zip(run, texts, weights, own, strict=True):
        other = _in_two(figure, entry.other, OTHER_SIZE, weight, limit)
        height = text_size(figure, text or " ", SIZES["legend"], weight)[1]
        if other:
            width = max(width, _width(figure, other, OTHER_SIZE, weight))
            height += _BETWEEN + text_size(figure, other, OTHER_SIZE, weight)[1]
        blocks.append(Block(entry, text, other, width, height))
    return blocks


_MEASURED: WeakKeyDictionary[Figure, dict[tuple[str, float, Weight], tuple[float, float]]]
_MEASURED = WeakKeyDictionary()


def text_size(
    figure: Figure, text: str, size: float, weight: Weight = "regular"
) -> tuple[float, float]:
    """Measure a text as :func:`urbangeo.maps.labels.measure`, each once for a figure."""
    known = _MEASURED.setdefault(figure, {})
    if (text, size, weight) not in known:
        width, height = measure(figure, text, size, weight).tolist()
        known[text, size, weight] = width, height
    return known[text, size, weight]


def _width(figure: Figure, text: str, size: float, weight: Weight) -> float:
    return text_size(figure, text, size, weight)[0] if text else 0.0


def _in_two(figure: Figure, text: str, size: float, weight: Weight, longest: float) -> str:
    """Break a text that is too long into two lines, as even as can be."""
    if _width(figure, text, size, weight) <= longest:
        return text
    return in_two(text, lambda part: _width(figure, part, size, weight))


def legend_size(
    sheet: Sheet,
    runs: Sequence[Run],
    *,
    kilometres: float | None = None,
    footer: Sequence[str] = (),
    scale_bar: bool = True,
) -> tuple[float, float]:
    """Measure a legend: width and height, millimetres; never narrower than the sheet's column."""
    return outer_size(sheet, lay_out(sheet, runs), kilometres, footer, scale_bar)


def outer_size(
    sheet: Sheet, layout: Layout, kilometres: float | None, footer: Sequence[str], scale_bar: bool
) -> tuple[float, float]:
    """Give width and height of a legend with title, footer and scale bar, millimetres."""
    least = sheet.column[2] - sheet.column[0]
    inner = sum(layout.widths) + (6.0 if len(layout.widths) > 1 else 5.0)
    foot = bar_width(sheet, kilometres) + 34.0 if scale_bar else 0.0
    height = HEAD + layout.height + (13.0 if scale_bar else 1.0) + 3.1 * len(footer)
    return max(least, inner, foot), height
