"""What a figure is made of: the records into which the manifest is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from urbangeo.maps.symbols import Style

__all__ = ["ClassRecord", "FigureRecord", "LayerRecord", "ListRecord", "MapRecord", "Names"]

Values = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Names:
    """How the members of a layer are named on the map; see :class:`urbangeo.maps.labels.Label`.

    ``field`` is a column, or a text with columns in braces (``"{name} {value}"``); ``text``
    is one name for all. ``size`` is in
    points or a key of :data:`urbangeo.maps.style.SIZES`; ``badge`` frames the name as a road number
    is framed.
    """

    field: str = "name"
    text: str = ""
    size: str | float = "town"
    weight: str = "regular"
    colour: str = "ink"
    priority: int = 4
    required: bool = False
    leader: bool = False
    badge: bool = False


@dataclass(frozen=True, kw_only=True)
class ClassRecord:
    """One class of a layer: which rows, how drawn, what the legend says.

    ``value`` holds values or patterns (``*``) of the layer's field; ``at_least`` and ``below`` are
    bounds of a number.
    """

    label: str
    label_en: str = ""
    value: Values = ()
    at_least: float | None = None
    below: float | None = None
    style: Style
    names: Names | None = None


@dataclass(frozen=True, kw_only=True)
class LayerRecord:
    """One layer of a figure.

    Attributes
    ----------
    name, name_en
        For messages and the note; in English for the English note.
    source
        ``plan:<table>``, ``plan:<plan>/<table>``, ``layer:<name>``, ``extent:<name>``,
        ``members:<name>``, ``network``, ``circle``, ``circle:towns``, ``circle:area``,
        ``circle:missing``, ``rivers`` or ``file:<path>``.
    maps
        Titles of the figure's maps on which it is drawn; all of them if empty.
    where, where_not
        Values or patterns by column: rows kept, rows left out.
    within, touching
        A county, prefecture or extent: rows of a plan kept by county.
    place
        Column whose names are looked up in the gazetteer, where that is not ``name``.
    shape, group, sort, width_km
        What is drawn from the geometry: nothing else, ``points``, ``counties`` (the areas that a
        row names), ``curve``, ``belt``, ``hull`` or ``union``; one for each value of ``group``, its
        members in the order of ``sort``.
    course
        ``network``: a plan's transport items run as the network's links do that were drawn for
        them.
    count
        ``county`` or ``prefecture``: a row for each of the extent's, with how many of the plan's
        rows name it.
    field, classes
        Column by which rows fall into classes.
    spread
        Signs at one place stand side by side.
    together
        Layers of one such name lay their signs out together.
    above
        Areas stand above the boundaries; None: as the shape suggests.
    optional
        No error if it has nothing to draw; the note says so.
    year, years, centres, minutes, direction, profile
        Of the network and circles.
    """

    name: str
    source: str
    name_en: str = ""
    maps: Values = ()
    where: Mapping[str, Values] = field(default_factory=dict, hash=False)
    where_not: Mapping[str, Values] = field(default_factory=dict, hash=False)
    within: str = ""
    touching: str = ""
    place: str = ""
    shape: str = ""
    group: str = ""
    sort: str = ""
    width_km: float = 10.0
    course: str = ""
    count: str = ""
    field: str = ""
    classes: tuple[ClassRecord, ...] = ()
    names: Names | None = None
    spread: bool = True
    together: str = ""
    above: bool | None = None
    optional: bool = False
    year: int | None = None
    years: tuple[int, ...] = ()
    centres: tuple[str, ...] = ()
    minutes: float = 60.0
    direction: str = "to"
    profile: str = ""


@dataclass(frozen=True, kw_only=True)
class MapRecord:
    """One of several maps that stand side by side in a figure, at one scale.

    ``extent`` is the figure's where it is empty.
    """

    title: str
    title_en: str = ""
    extent: str = ""


@dataclass(frozen=True, kw_only=True)
class ListRecord:
    """Names and values of some layers, listed at the head of the panel beside the map.

    ``layers`` are names of layers; ``name`` and ``value`` columns, or texts with columns in braces;
    rows stand in the order of ``sort``, a column of numbers.
    """

    title: str
    title_en: str = ""
    layers: Values = ()
    name: str = "name"
    value: str = ""
    sort: str = ""


@dataclass(frozen=True, kw_only=True)
class FigureRecord:
    """One figure.

    Attributes
    ----------
    key
        What :func:`urbangeo.draw` is asked for.
    file
        Manifest that it stands in.
    plan, number, heading, title
        As printed; the heading is the plan's title unless given.
    title_en, heading_en, number_en
        English, where there is any.
    extent
        Extent that it is about, as :func:`urbangeo.extent` takes it; empty: the whole province, or
        a circle.
    extent_label, extent_label_en
        What the legend calls its boundary, where it is not the extent of the figure's plan.
    maps
        Maps side by side; empty: one map of the extent.
    view
        What fills the page: the province, the extent, or the layers.
    pages
        Papers on which the atlas draws it, the first the usual one.
    panel
        Furniture stands beside the map, not on it.
    scale_bar_km
        Length of the scale bar; None for a round one that fits.
    county_names
        ``members`` (named as the figure's subject), ``faint``, ``none``.
    inset
        What is enlarged: ``auto``, the crowded part of the extent; ``none``; or names of counties.
    layers
        Lowest first.
    legend
        Columns of entries as printed; empty: base map, then layers, in one column. ``# 标题`` is a
        heading, ``# 标题 | English`` one in two languages.
    absent
        Entries that the plan prints and whose members it does not name, ``图例`` or
        ``图例 | English``; they are told in the note.
    notes, notes_en, sources
        Sentences for the note, the same in English, and sources beside the plan.
    schematic
        The figure is called 示意.
    graticule
        Meridians and parallels are drawn.
    listing
        What is listed beside the map.
    """

    key: str
    file: Path = field(default=Path(), compare=False)
    plan: str = ""
    number: str = ""
    number_en: str = ""
    heading: str = ""
    heading_en: str = ""
    title: str = ""
    title_en: str = ""
    extent: str = ""
    extent_label: str = ""
    extent_label_en: str = ""
    maps: tuple[MapRecord, ...] = ()
    view: str = "province"
    pages: tuple[str, ...] = ("A4", "A3")
    panel: bool = False
    scale_bar_km: float | None = None
    county_names: str = "faint"
    inset: tuple[str, ...] = ("auto",)
    layers: tuple[LayerRecord, ...] = ()
    legend: tuple[tuple[str, ...], ...] = ()
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    notes_en: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    schematic: bool = False
    graticule: bool = False
    listing: ListRecord | None = None
