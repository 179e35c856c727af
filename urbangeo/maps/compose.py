"""Lay a prepared figure out on a sheet: maps, legend, inset, names, note."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from urbangeo.errors import InputError, UnknownNameError
from urbangeo.maps.base import crowded, enlarged, window_edges
from urbangeo.maps.drawing import metres_per_mm, window
from urbangeo.maps.fetched import name_columns, name_of
from urbangeo.maps.furniture import add_map_title, add_note, add_title, note_rows
from urbangeo.maps.labels import Label, place, write
from urbangeo.maps.layers import StyledLayer, hidden_symbols
from urbangeo.maps.legend import MORE, TITLES, Arrangement, Entry, add_legend, add_list, fitting
from urbangeo.maps.notes import Words, note_of
from urbangeo.maps.prepare import MapPart, Prepared, prepare
from urbangeo.maps.reader import BASE_ENTRIES, EXTENT_ENTRY
from urbangeo.maps.records import FigureRecord
from urbangeo.maps.shaping import remembered
from urbangeo.maps.sheet import PAGES, Box, Sheet, add_inset, new_sheet, on_map
from urbangeo.maps.style import settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

__all__ = ["LANGUAGES", "LaidOut", "check_language", "compose", "laid_out", "lay_out"]

LANGUAGES = ("zh", "en", "both")

_MEMBER = 1000.0
"""What hiding the map's subject costs a legend, where hiding a sign costs 1."""


def compose(figure: FigureRecord, inputs: Mapping[str, Any], **options: Any) -> Figure:
    """Prepare a figure and lay it out.

    Parameters
    ----------
    inputs
        What is drawn instead of what would be read: ``extent``, ``counties``, ``prefectures``,
        ``province``, ``surroundings``, ``circle``, ``network``, ``source``.
    **options
        As :func:`laid_out` takes them.

    Raises
    ------
    InputError
        If something cannot be drawn.
    CRSError
        If a table has no CRS.
    """
    check_language(options.get("lang", "zh"))
    return lay_out(prepare(figure, inputs), **options)


def check_language(lang: str) -> None:
    """Raise unless a language is known."""
    if lang not in LANGUAGES:
        raise InputError(f"lang is {lang!r}; known: {', '.join(LANGUAGES)}.")


@dataclass(frozen=True)
class LaidOut:
    """A figure on its sheet, and what stands where on it.

    Attributes
    ----------
    maps
        The axes of its maps, left to right.
    inset
        Those of the enlarged part, if there is one.
    heading, title, number
        As written.
    note
        Paragraphs of the note.
    """

    figure: Figure
    maps: tuple[Axes, ...]
    inset: Axes | None
    heading: str
    title: str
    number: str
    note: tuple[str, ...]


def lay_out(prepared: Prepared, **options: Any) -> Figure:
    """Lay a figure out, as :func:`laid_out` does; give the figure alone."""
    return laid_out(prepared, **options).figure


def laid_out(
    prepared: Prepared,
    *,
    page: str = "",
    lang: str = "zh",
    approval: str | None = None,
    date: str = "",
    graticule: bool | None = None,
    dem: str | os.PathLike[str] | None = None,
) -> LaidOut:
    """Lay a figure out on a sheet of paper.

    Parameters
    ----------
    page
        Paper; the figure's first one if empty.
    lang
        ``zh``, ``en`` (where the manifest gives it) or ``both``.
    approval
        Map-approval number (审图号), if the map has one.
    date
        Date of drawing, as it shall be printed; none is printed otherwise.
    graticule
        Whether meridians and parallels are drawn; as the manifest says if None.
    dem
        File of heights from which hillshade is drawn beneath everything.

    Raises
    ------
    InputError
        If something has no room.
    """
    check_language(lang)
    words = Words(approval, date, dem)
    with settings(), remembered():
        composer = _Composer(prepared, page or prepared.figure.pages[0], lang, words)
        return composer.draw(prepared.figure.graticule if graticule is None else graticule)


class _Composer:
    """One figure while it is laid out."""

    def __init__(self, prepared: Prepared, page: str, lang: str, words: Words) -> None:
        self.prepared = prepared
        self.figure = prepared.figure
        self.page = page
        self.lang = lang
        self.words = words
        self.panel = self.figure.panel or len(prepared.parts) > 1
        self.english = {
            **BASE_ENTRIES,
            self.figure.extent_label: self.figure.extent_label_en,
        }

    # The sheet ------------------------------------------------------------------------------------

    def draw(self, graticule: bool) -> LaidOut:
        """Lay out the sheet, draw, name, explain."""
        sheet, arranged, note = self._laid_out()
        heading, title_of_sheet, number, subtitle = self._titles()
        add_title(sheet, heading, title_of_sheet, number, subtitle)
        for part, (axes, frame) in zip(self.prepared.parts, sheet.maps, strict=True):
            self._draw_map(part, axes)
            if part.title:
                add_map_title(sheet, frame, self._told(part.title, part.title_en))
        title, other = TITLES[self.lang]
        legend = add_legend(
            sheet,
            arranged.runs,
            title=title,
            other=other,
            kilometres=self.figure.scale_bar_km,
            footer=self._footer(sheet),
        )
        for title_of_list, rows in self._lists():
            add_list(sheet, title_of_list, rows, bottom=legend[3], more=MORE[self.lang])
        add_note(sheet, note)
        first = self.prepared.parts[0]
        tight = first.ground.members.iloc[:0]
        if self.figure.inset != ("none",) and len(self.prepared.parts) == 1:
            tight = self._enlarged(sheet, first)
        inset = self._inset(first, sheet, tight, legend[3]) if len(tight) else None
        if inset is None:
            tight = tight.iloc[:0]
        if graticule:
            from urbangeo.maps.graticule import add_graticule

            add_graticule(sheet)
        for part, (axes, frame) in zip(self.prepared.parts, sheet.maps, strict=True):
            self._name(part, sheet, axes, frame, tight)
        if inset is not None:
            self._name_inset(first, inset, tight)
        axes_of = tuple(axes for axes, _ in sheet.maps)
        return LaidOut(sheet.figure, axes_of, inset, heading, title_of_sheet, number, tuple(note))

    def _laid_out(self) -> tuple[Sheet, Arrangement, list[str]]:
        """Give a sheet with room for the note, and for the legend beside the extent."""
        rows, column = 3 if self.prepared.circle is not None else 2, 66.0
        if self.figure.inset not in {("auto",), ("none",)}:
            # An inset that is asked for grows with the paper, as the map does.
            column *= PAGES[self.page][0] / PAGES["A4"][0]
        bounds, *beside = [part.bounds(self.figure.view) for part in self.prepared.parts]
        for _ in range(4):
            sheet = new_sheet(
                bounds,
                self.prepared.crs,
                page=self.page,
                panel=self.panel,
                note_rows=rows,
                column=column,
                beside=beside,
            )
            printed = self._runs([window(axes) for axes, _ in sheet.maps])
            arranged = fitting(
                sheet,
                [[self._translated(entry) for entry in run] for run in printed],
                partial(self._hides, sheet),
                kilometres=self.figure.scale_bar_km,
                footer=self._footer(sheet),
            )
            drawn = [entry.text for run in printed for entry in run]
            note = note_of(self.prepared, sheet, drawn, self.words, self.lang)
            needed = len(note_rows(sheet, note))
            wide = arranged.width if arranged.hides >= _MEMBER else column
            if needed <= rows and wide <= column + 0.01:
                break
            rows, column = max(rows, needed), max(column, wide)
        return sheet, arranged, note

    def _hides(self, sheet: Sheet, width: float, height: float) -> float:
        """Tell how much of what the map is about a legend would hide; see :func:`fitting`."""
        if self.panel:
            return _MEMBER * max(0.0, width - (sheet.column[2] - sheet.column[0]) - 0.01)
        right, bottom = sheet.column[2], sheet.frame[1]
        box = (right - width - 3, bottom - 3, right + 3, bottom + height + 3)
        hidden = on_map(sheet.map, sheet.frame, box)
        part = self.prepared.parts[0]
        if part.ground.has_extent and shapely.intersects(part.ground.outline, hidden):
            return _MEMBER + width
        west, south, east, north = hidden.bounds
        under = sum(
            west <= sign.x <= east and south <= sign.y <= north
            for layer in part.layers
            for sign in layer.symbols(sheet.map)
        )
        return float(under + shapely.intersects(part.ground.province, hidden))

    def _lists(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Give what is listed at the head of the column: what the figure asks, a circle's times."""
        asked = self.figure.listing
        if asked is None:
            return [circle.times(self.lang) for circle in self.prepared.circles[:1]]
        layers = [
            layer
            for layer in self.prepared.layers
            if isinstance(layer, StyledLayer) and layer.record.name in asked.layers
        ]
        cells = [piece.cells for layer in layers for piece in layer.pieces]
        for column in (*name_columns(asked.name), *name_columns(asked.value), asked.sort):
            known = sorted({name for row in cells for name in row})
            if column and cells and column not in known:
                raise UnknownNameError(f"column of the list of {self.figure.key!r}", column, known)
        if asked.sort:
            cells.sort(key=lambda row: float(row[asked.sort]))
        rows = [(name_of(row, asked.name), name_of(row, asked.value)) for row in cells]
        return [(self._told(asked.title, asked.title_en), rows)]

    def _footer(self, sheet: Sheet) -> list[str]:
        view = window(sheet.map)
        return [row for circle in self.prepared.circles for row in circle.footer(view, self.lang)]

    def _titles(self) -> tuple[str, str, str, str]:
        """Give heading, title, number and a second title in English."""
        figure = self.figure
        circles, extents = self.prepared.circles, self.prepared.extents
        first = circles[0] if circles else None
        plain = "规划范围图" if extents else figure.key
        title = figure.title or (first.title() if first else plain)
        english = figure.title_en
        if not figure.title:
            english = english or (first.title("en") if first else "")
            english = english or ("Extent of the plan" if extents else "")
        if self.prepared.schematic:
            if "示意" not in title:
                title = f"{title.removesuffix('图')}示意图"
            if english and "schematic" not in english.lower():
                english = f"{english} (schematic)"
        heading = figure.heading or self._plan_title() or (first.heading() if first else "")
        heading = heading or str(getattr(extents[0] if extents else None, "title", ""))
        if self.lang == "en":
            other = figure.heading_en or (
                "" if figure.heading or not first else first.heading("en")
            )
            return other or heading, english or title, figure.number_en or figure.number, ""
        return heading, title, figure.number, english if self.lang == "both" else ""

    def _plan_title(self) -> str:
        if not self.figure.plan:
            return ""
        from urbangeo.plans import plan_record

        return plan_record(self.figure.plan).title

    def _told(self, chinese: str, english: str) -> str:
        if self.lang == "zh" or not english:
            return chinese
        return english if self.lang == "en" else f"{chinese} {english}"

    def _translated(self, entry: Entry) -> Entry:
        english = self.english.get(entry.text, "") or entry.other
        if self.lang == "en":
            return replace(entry, text=english or entry.text, other="")
        return replace(entry, other=english if self.lang == "both" else "")

    # Legend ---------------------------------------------------------------------------------------

    def _entries(self, views: Sequence[BaseGeometry]) -> tuple[list[Entry], list[Entry]]:
        """Give the entries of the ground and of the layers, each text once."""
        base: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        for part, view in zip(self.prepared.parts, views, strict=True):
            for entry in part.ground.entries(view):
                text = entry.text
                if text == EXTENT_ENTRY and self.figure.extent_label:
                    text = self.figure.extent_label
                base.setdefault(text, replace(entry, text=text))
            for layer in part.layers:
                for entry in layer.entries(view):
                    own.setdefault(entry.text, entry)
        return list(base.values()), list(own.values())

    def _runs(self, views: Sequence[BaseGeometry]) -> list[list[Entry]]:
        base, own = self._entries(views)
        if not self.figure.legend:
            if self.prepared.circle is not None:
                head = [Entry("界线", heading=True, other="Boundaries")] if base else []
                return [[*own, *head, *base]]
            return [[*base, *own]]
        known = {entry.text: entry for entry in (*base, *own)}
        runs = []
        for column in self.figure.legend:
            run = []
            for text in column:
                if text.startswith("#"):
                    heading, _, english = text.lstrip("# ").partition(" | ")
                    self.english[heading] = english
                    run.append(Entry(heading, heading=True))
                elif text in known:
                    run.append(known[text])
            runs.append(run)
        return [run for run in runs if run]

    # Map and inset --------------------------------------------------------------------------------

    def _draw_map(self, part: MapPart, axes: Axes) -> None:
        part.ground.draw(axes)
        if self.words.dem is not None:
            from urbangeo.maps.relief import add_relief

            add_relief(axes, self.words.dem, self.prepared.crs)
        for layer in part.layers:
            layer.draw(axes)

    def _enlarged(self, sheet: Sheet, part: MapPart) -> gpd.GeoDataFrame:
        """Give the counties that an inset enlarges."""
        if self.figure.inset == ("auto",):
            return crowded(sheet.map, part.ground)
        counties = part.ground.counties
        asked = counties["name"].isin(self.figure.inset)
        if "short_name" in counties:
            asked |= counties["short_name"].isin(self.figure.inset)
        return counties[asked]

    def _inset(
        self,
        part: MapPart,
        sheet: Sheet,
        tight: gpd.GeoDataFrame,
        floor: float,
    ) -> Axes | None:
        """Enlarge a crowded part in the column, if the column has room to enlarge it."""
        west, south, east, north = tight.total_bounds
        pad = 0.04 * max(east - west, north - south)
        towns = tight["prefecture"].unique() if "prefecture" in tight else []
        name = str(towns[0]) if len(towns) == 1 else ""
        axes = add_inset(
            sheet,
            (west - pad, south - pad, east + pad, north + pad),
            title=f"{name}局部放大" if self.lang != "en" else "Enlarged",
            bottom=floor + 2.5,
            top=sheet.frame[3] - (0.0 if self.panel else 2.5),
            # What is asked for by name is shown even if it grows little.
            most=0.5 if self.figure.inset == ("auto",) else 0.8,
        )
        if axes is not None:
            self._draw_map(part, axes)
        return axes

    # Names ----------------------------------------------------------------------------------------

    def _name(
        self, part: MapPart, sheet: Sheet, axes: Axes, frame: Box, tight: gpd.GeoDataFrame
    ) -> None:
        """Name what a map shows; what stands in the inset's window is named there.

        Names of priority 0 stand on both.
        """
        ground = part.ground
        names = self.figure.county_names if ground.has_extent else "none"
        own = self._own_labels(part, axes)
        if len(tight):
            window_of = shapely.box(*tight.total_bounds)
            own = [
                one
                for one in own
                if one.area is not None
                or one.spots
                or one.priority <= 0
                or not shapely.contains_xy(window_of, one.x, one.y)
            ]
        covered = [on_map(axes, frame, box) for box in sheet.keep_off]
        labels = []
        if ground.has_extent:
            labels = ground.labels(axes, covered, names, enlarged(ground, tight))
        keep_off = [*sheet.keep_off, *window_edges(axes)]
        self._place(part, axes, self._without_twins(labels, own), own, keep_off)

    def _name_inset(self, part: MapPart, axes: Axes, tight: gpd.GeoDataFrame) -> None:
        """Name the places in an inset; what runs through it is named on the map."""
        names = self.figure.county_names
        own = [one for one in self._own_labels(part, axes) if one.area is None and not one.spots]
        labels = part.ground.inset_labels(axes, set(tight["adcode"]), names)
        self._place(part, axes, self._without_twins(labels, own), own, [])

    def _own_labels(self, part: MapPart, axes: Axes) -> list[Label]:
        """Give the names of the layers' members that are not hidden under another sign."""
        signs = [layer.symbols(axes) for layer in part.layers]
        hidden = hidden_symbols(signs, metres_per_mm(axes))
        return [
            label
            for layer, beneath in zip(part.layers, hidden, strict=True)
            for label in layer.labels(axes, beneath)
        ]

    def _without_twins(self, labels: list[Label], own: list[Label]) -> list[Label]:
        """Leave out the name of a county whose seat bears it."""
        if self.figure.county_names == "members":
            return labels
        written = {_bare(text) for one in own for text in one.texts}
        return [one for one in labels if not {_bare(text) for text in one.texts} & written]

    def _place(
        self,
        part: MapPart,
        axes: Axes,
        labels: list[Label],
        own: list[Label],
        keep_off: list[Box],
    ) -> None:
        view = window(axes)
        lines = [(layer.lines, 1.0) for layer in part.layers]
        if part.ground.has_extent:
            lines += part.ground.lines
        lines = [(shapely.intersection(shape, view), weight) for shape, weight in lines]
        signs = [sign for layer in part.layers for sign in layer.symbols(axes)]
        placement = place(
            axes,
            [*labels, *own],
            keep_off=keep_off,
            lines=[(shape, weight) for shape, weight in lines if not shape.is_empty],
            symbols=[(sign.x, sign.y, sign.radius) for sign in signs],
        )
        lost = [label.texts[0] for label in placement.left_out if label.required]
        if lost and part.ground.has_extent:
            raise InputError(
                f"There is no room for the names of {', '.join(lost)}; use a larger page."
            )
        write(axes, placement)


def _bare(name: str) -> str:
    """Give a county's name without its kind, as tables often write it: 开阳 for 开阳县."""
    return name[:-1] if len(name) > 2 and name[-1] in "县市区" else name
