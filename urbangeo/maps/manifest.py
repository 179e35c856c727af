"""The manifest: what each figure is made of, read from TOML and checked before anything is drawn.

A figure is an entry ``[[figure]]`` with its layers ``[[figure.layer]]``; a style of one's own is a
table ``[style.NAME]``. ``docs/writing-a-figure.md`` tells every field with an example. Whatever is
wrong with one figure is found when the file is read, named with file, figure and entry, and keeps
no other figure from being drawn.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from urbangeo.catalog import data_folder
from urbangeo.errors import InputError, TableError, UnknownNameError, UrbangeoError
from urbangeo.maps.sheet import PAGES
from urbangeo.maps.style import SIZES
from urbangeo.maps.symbols import (
    AreaStyle,
    LineStyle,
    PointStyle,
    Style,
    colour,
    named_style,
    own_style,
    varied,
)

__all__ = [
    "ClassRecord",
    "FigureRecord",
    "LayerRecord",
    "Manifest",
    "Names",
    "read_manifest",
]

VIEWS = ("province", "extent", "layers")
COUNTY_NAMES = ("members", "faint", "none")
INSETS = ("auto", "none")
SHAPES = ("", "points", "curve", "belt", "hull", "union")
WEIGHTS = ("regular", "medium", "bold")
BASE_ENTRIES = {
    "省域边界": "Provincial boundary",
    "规划范围边界": "Boundary of the plan",
    "市域边界": "Prefectural boundary",
    "县域边界": "County boundary",
}
"""What the base map adds to a legend, with its English."""

Values = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Names:
    """How the members of a layer are named on the map; see :class:`urbangeo.maps.labels.Label`.

    ``size`` is in points or a key of :data:`urbangeo.maps.style.SIZES`; ``badge`` frames the name
    as a road number is framed.
    """

    field: str = "name"
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
    name
        For messages.
    source
        ``plan:<table>``, ``plan:<plan>/<table>``, ``layer:<name>``, ``extent:<name>``,
        ``members:<name>``, ``network``, ``circle``, ``circle:towns``, ``circle:area``, ``rivers``
        or ``file:<path>``.
    where, where_not
        Values or patterns by column: rows kept, rows left out.
    within, touching
        A county, prefecture or extent: rows of a plan kept by county.
    place
        Column whose names are looked up in the gazetteer, where that is not ``name``.
    shape, group, sort, width_km
        What is drawn from the geometry: nothing else, ``points``, ``curve``, ``belt``, ``hull`` or
        ``union``; one for each value of ``group``, its members in the order of ``sort``.
    field, classes
        Column by which rows fall into classes.
    spread
        Signs at one place stand side by side.
    above
        Areas stand above the boundaries; None: as the shape suggests.
    optional
        No error if it has nothing to draw; the note says so.
    year, years, centres, minutes, direction, profile
        Of the network and circles.
    """

    name: str
    source: str
    where: Mapping[str, Values] = field(default_factory=dict, hash=False)
    where_not: Mapping[str, Values] = field(default_factory=dict, hash=False)
    within: str = ""
    touching: str = ""
    place: str = ""
    shape: str = ""
    group: str = ""
    sort: str = ""
    width_km: float = 10.0
    field: str = ""
    classes: tuple[ClassRecord, ...] = ()
    names: Names | None = None
    spread: bool = True
    above: bool | None = None
    optional: bool = False
    year: int | None = None
    years: tuple[int, ...] = ()
    centres: tuple[str, ...] = ()
    minutes: float = 60.0
    direction: str = "to"
    profile: str = ""


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
        Extent that it is about, as :func:`urbangeo.extent` takes it.
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
        ``auto``: the crowded part of the extent is enlarged; ``none``.
    layers
        Lowest first.
    legend
        Columns of entries as printed; empty: base map, then layers, in one column. ``# 标题`` is a
        heading.
    absent
        Entries that the plan prints and whose members it does not name; they are told in the note.
    notes, sources
        Sentences for the note, and sources beside the plan.
    schematic
        The figure is called 示意.
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
    view: str = "province"
    pages: tuple[str, ...] = ("A4", "A3")
    panel: bool = False
    scale_bar_km: float | None = None
    county_names: str = "faint"
    inset: str = "auto"
    layers: tuple[LayerRecord, ...] = ()
    legend: tuple[tuple[str, ...], ...] = ()
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    schematic: bool = False


@dataclass(frozen=True)
class Manifest:
    """Figures by key, and what is wrong with the others.

    Attributes
    ----------
    figures
        Those that can be drawn, in the order of the files.
    errors
        By key, or by file where it cannot be read at all.
    """

    figures: Mapping[str, FigureRecord]
    errors: Mapping[str, TableError]

    def figure(self, key: str) -> FigureRecord:
        """Give a figure.

        Raises
        ------
        TableError
            If its entry is wrong.
        UnknownNameError
            If there is no such figure; near ones are suggested.
        """
        if key in self.errors:
            raise self.errors[key]
        if key not in self.figures:
            raise UnknownNameError("figure", key, self.figures)
        return self.figures[key]


def read_manifest(path: str | Path | None = None) -> Manifest:
    """Read the manifest: the bundled one, or a file or folder of one's own.

    Raises
    ------
    InputError
        If there is no such file or folder, or no TOML file in it.
    """
    where = data_folder() / "figures" if path is None else Path(path)
    files = sorted(where.glob("*.toml")) if where.is_dir() else [where]
    files = [one for one in files if one.is_file()]
    if not files:
        raise InputError(
            f"No manifest was found at {where}; expected a TOML file, or a folder of them."
        )
    return _read(tuple((one, one.stat().st_mtime_ns, one.stat().st_size) for one in files))


@lru_cache(maxsize=8)
def _read(stamps: tuple[tuple[Path, int, int], ...]) -> Manifest:
    figures: dict[str, FigureRecord] = {}
    errors: dict[str, TableError] = {}
    seen: dict[str, Path] = {}
    contents: list[tuple[Path, dict[str, Any]]] = []
    own: dict[str, Style] = {}
    for path, *_ in stamps:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            errors[str(path)] = TableError(path, [f"not TOML in UTF-8: {error}"])
            continue
        findings = [
            f"unknown table {name!r}; known: [[figure]], [style.NAME]"
            for name in content
            if name not in {"figure", "style"}
        ]
        findings += _read_styles(content.get("style", {}), own)
        if not isinstance(content.get("figure", []), list):
            findings.append("figures are written [[figure]], with two brackets")
            content["figure"] = []
        if findings:
            errors[str(path)] = TableError(path, findings)
        contents.append((path, content))
    for path, content in contents:
        for row, entry in enumerate(content.get("figure", []), start=1):
            key = entry.get("key")
            label = f"figure {row} ({key or 'without key'})"
            reader = _Reader(label, own, path)
            record = reader.figure(entry)
            name = key if isinstance(key, str) and key else f"{path}: figure {row}"
            if name in seen:
                reader.findings.append(
                    f"{label}: another figure has the key {key!r} too, in {seen[name].name}"
                )
                figures.pop(name, None)
            seen.setdefault(name, path)
            if reader.findings or record is None:
                known = errors[name].findings if name in errors else []
                errors[name] = TableError(path, [*known, *reader.findings])
            else:
                figures[name] = record
    return Manifest(MappingProxyType(figures), MappingProxyType(errors))


def _read_styles(entries: Any, own: dict[str, Style]) -> list[str]:
    findings = []
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            own[name] = own_style(entry, own)
        except (UrbangeoError, TypeError) as error:
            findings.append(f"style {name!r}: {error}")
    return findings


_TEXTS = {
    *("plan", "number", "number_en", "heading", "heading_en", "title", "title_en", "extent"),
    *("view", "county_names", "inset"),
}
_LISTS = {"pages", "absent", "notes", "sources"}
_LAYER_TEXTS = {
    *("source", "within", "touching", "place", "shape", "group", "sort", "field"),
    *("direction", "profile"),
}
_STYLING = ("style", "colour", "size", "label", "label_en")
_CLASS_FIELDS = ("value", "at_least", "below", "order", "names", *_STYLING)


class _Reader:
    """Reads one figure's entry and gathers all that is wrong with it."""

    def __init__(self, label: str, own: Mapping[str, Style], path: Path) -> None:
        self.label = label
        self.own = own
        self.path = path
        self.findings: list[str] = []

    def wrong(self, words: str, where: str = "") -> None:
        """Note a finding."""
        self.findings.append(f"{self.label}{', ' + where if where else ''}: {words}")

    def _known(self, entry: Mapping[str, Any], known: Any, where: str = "") -> dict[str, Any]:
        known = sorted(known)
        kept = {}
        for name, value in entry.items():
            if name in known:
                kept[name] = value
            else:
                self.wrong(str(UnknownNameError("field", name, known)), where)
        return kept

    def _text(self, name: str, value: Any, where: str = "") -> str:
        if not isinstance(value, str):
            self.wrong(f"{name} is {value!r}; a text is expected", where)
            return ""
        return value

    def _texts(self, name: str, value: Any, where: str = "") -> tuple[str, ...]:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            value = [value]
        if not isinstance(value, list) or not all(
            isinstance(one, str | int | float) for one in value
        ):
            self.wrong(f"{name} is {value!r}; a text or a list of texts is expected", where)
            return ()
        return tuple(map(str, value))

    def _number(self, name: str, value: Any, where: str = "", *, whole: bool = False) -> Any:
        kinds = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kinds) or not value > 0:
            self.wrong(f"{name} is {value!r}; a number above 0 is expected", where)
            return 1
        return value

    def _one_of(self, name: str, value: Any, known: tuple[str, ...], where: str = "") -> str:
        if value not in known:
            told = ", ".join(repr(one) for one in known)
            self.wrong(f"{name} is {value!r}; known: {told}", where)
            return known[0]
        return str(value)

    def _flag(self, name: str, value: Any, where: str = "") -> bool:
        if not isinstance(value, bool):
            self.wrong(f"{name} is {value!r}; true or false is expected", where)
        return bool(value)

    def figure(self, entry: Mapping[str, Any]) -> FigureRecord | None:
        """Read a figure's entry; None where it has no key."""
        known = {one.name for one in fields(FigureRecord)} - {"layers", "file"} | {"layer"}
        entry = self._known(entry, known)
        values: dict[str, Any] = {}
        for name, value in entry.items():
            if name in _TEXTS or name == "key":
                values[name] = self._text(name, value)
            elif name in _LISTS:
                values[name] = self._texts(name, value)
            elif name == "scale_bar_km":
                values[name] = self._number(name, value)
            elif name in {"panel", "schematic"}:
                values[name] = self._flag(name, value)
        for name, known_values in (
            ("view", VIEWS),
            ("county_names", COUNTY_NAMES),
            ("inset", INSETS),
        ):
            if name in values:
                values[name] = self._one_of(name, values[name], known_values)
        for page in values.get("pages", ()):
            self._one_of("pages", page, tuple(PAGES))
        if values.get("pages") == ():
            self.wrong("pages is empty; give A4, A3 or both")
        if not values.get("key"):
            self.wrong("field 'key' is missing or empty")
            values["key"] = ""
        self._check_plan(values)
        rows = entry.get("layer", [])
        if not isinstance(rows, list):
            self.wrong("layers are written [[figure.layer]], with two brackets")
            rows = []
        values["layers"] = tuple(
            self._layer(row, number, values) for number, row in enumerate(rows, start=1)
        )
        sources = [layer.source for layer in values["layers"]]
        if not values.get("extent") and not any(one.startswith("circle") for one in sources):
            self.wrong("field 'extent' is missing; only a figure of a circle needs none")
        values["legend"] = self._legend(entry.get("legend", []), values)
        return FigureRecord(file=self.path, **values) if values["key"] else None

    def _check_plan(self, values: dict[str, Any]) -> None:
        from urbangeo.plans import extent, plan_record

        try:
            if values.get("plan"):
                plan_record(values["plan"])
            if values.get("extent") and not extent(values["extent"]).adcodes:
                self.wrong(f"extent {values['extent']!r} has no member")
        except UrbangeoError as error:
            self.wrong(str(error))

    def _layer(self, entry: Any, number: int, figure: Mapping[str, Any]) -> LayerRecord:
        where = f"layer {number}"
        if not isinstance(entry, dict):
            self.wrong("a layer is a table", where)
            return LayerRecord(name=where, source="")
        if isinstance(entry.get("name"), str) and entry["name"]:
            where = f"layer {number} ({entry['name']})"
        known = {one.name for one in fields(LayerRecord)} | set(_STYLING)
        entry = self._known(entry, known, where)
        values: dict[str, Any] = {"name": str(entry.get("name", "")) or where}
        for name, value in entry.items():
            if name in _LAYER_TEXTS:
                values[name] = self._text(name, value, where)
            elif name in {"where", "where_not"}:
                if not isinstance(value, dict):
                    self.wrong(f"{name} is {value!r}; a table of columns is expected", where)
                    continue
                values[name] = {k: self._texts(f"{name}.{k}", v, where) for k, v in value.items()}
            elif name in {"spread", "above", "optional"}:
                values[name] = self._flag(name, value, where)
            elif name in {"width_km", "minutes"}:
                values[name] = self._number(name, value, where)
            elif name == "year":
                values[name] = self._number(name, value, where, whole=True)
            elif name == "years":
                years = value if isinstance(value, list) else [value]
                values[name] = tuple(self._number(name, one, where, whole=True) for one in years)
            elif name == "centres":
                values[name] = self._texts(name, value, where)
        self._one_of("shape", values.get("shape", ""), SHAPES, where)
        self._one_of("direction", values.get("direction", "to"), ("to", "from"), where)
        if "names" in entry:
            values["names"] = self._names(entry["names"], where)
        values["classes"] = self._classes(entry, values, where)
        from urbangeo.maps.sources import source_problems

        for words in source_problems(values, figure, self.path):
            self.wrong(words, where)
        return LayerRecord(**{"source": "", **values})

    def _names(self, entry: Any, where: str, base: Names | None = None) -> Names | None:
        if entry is True:
            return base or Names()
        if not isinstance(entry, dict):
            self.wrong(f"names is {entry!r}; a table, or true, is expected", where)
            return None
        entry = self._known(entry, [one.name for one in fields(Names)], f"{where}, names")
        for name in ("required", "leader", "badge"):
            if name in entry:
                self._flag(name, entry[name], f"{where}, names")
        size = entry.get("size", "town")
        if isinstance(size, str) and size not in SIZES:
            self.wrong(str(UnknownNameError("size", size, SIZES)), f"{where}, names")
        elif not isinstance(size, str):
            self._number("size", size, f"{where}, names")
        if not isinstance(entry.get("priority", 0), int):
            self.wrong("priority is not a whole number", f"{where}, names")
        self._one_of("weight", entry.get("weight", "regular"), WEIGHTS, f"{where}, names")
        self._colour(entry.get("colour", "ink"), f"{where}, names")
        before = {one.name: getattr(base, one.name) for one in fields(Names)} if base else {}
        return Names(**{**before, **entry})

    def _colour(self, value: Any, where: str) -> str:
        try:
            return colour(str(value))
        except UrbangeoError as error:
            self.wrong(str(error), where)
            return ""

    def _style(self, entry: Mapping[str, Any], where: str, default: Style | None) -> Style | None:
        style = default
        try:
            if "style" in entry:
                style = named_style(str(entry["style"]), self.own)
        except UrbangeoError as error:
            self.wrong(str(error), where)
        if style is None:
            return None
        tone = self._colour(entry["colour"], where) if "colour" in entry else ""
        size = entry.get("size")
        if size is not None:
            size = self._number("size", size, where)
        try:
            return varied(style, tone, size)
        except UrbangeoError as error:
            self.wrong(str(error), where)
            return style

    def _classes(
        self, entry: Mapping[str, Any], values: dict[str, Any], where: str
    ) -> tuple[ClassRecord, ...]:
        """Read the classes; a layer without them is a class of its own."""
        rows = entry.get("classes")
        whole_circle = values.get("source") == "circle"
        default = self._style(entry, where, None)
        if rows is None:
            if default is None and not whole_circle:
                self.wrong("it has neither a style nor classes", where)
            if default is None:
                return ()
            label = self._text("label", entry.get("label", ""), where)
            english = self._text("label_en", entry.get("label_en", ""), where)
            names = values.get("names")
            return (ClassRecord(label=label, label_en=english, style=default, names=names),)
        if not values.get("field"):
            self.wrong("it has classes and no field to class by", where)
        if not isinstance(rows, list) or not rows:
            self.wrong("classes is not a list of tables", where)
            return ()
        made: list[tuple[float, ClassRecord]] = []
        for number, row in enumerate(rows, start=1):
            place = f"{where}, class {number}"
            if not isinstance(row, dict):
                self.wrong("a class is a table", place)
                continue
            row = self._known(row, _CLASS_FIELDS, place)
            style = self._style(row, place, default)
            if style is None:
                self.wrong("it has no style, and neither has the layer", place)
                continue
            bounds = {
                name: float(row[name])
                for name in ("at_least", "below")
                if isinstance(row.get(name), int | float)
            }
            if "value" in row and bounds:
                self.wrong("it has a value and bounds; give one or the other", place)
            value = self._texts("value", row["value"], place) if "value" in row else ()
            if "label" not in row:
                self.wrong("field 'label' is missing; '' keeps it out of the legend", place)
            names = values.get("names")
            if "names" in row:
                names = self._names(row["names"], place, names)
            record = ClassRecord(
                label=self._text("label", row.get("label", ""), place),
                label_en=self._text("label_en", row.get("label_en", ""), place),
                value=value,
                style=style,
                names=names,
                **bounds,
            )
            made.append((float(row.get("order", number)), record))
        return tuple(record for _, record in sorted(made, key=lambda one: one[0]))

    def _legend(self, entry: Any, values: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
        if not isinstance(entry, list) or not all(isinstance(run, list) for run in entry):
            self.wrong("legend is not a list of columns, each a list of texts")
            return ()
        columns = tuple(self._texts("legend", run) for run in entry)
        if not columns:
            return ()
        listed = [text for run in columns for text in run if not text.startswith("#")]
        labels = [one.label for layer in values["layers"] for one in layer.classes if one.label]
        absent = values.get("absent", ())
        known = [*BASE_ENTRIES, *labels, *absent]
        for text in dict.fromkeys(listed):
            if text not in known:
                hint = "The legend lists the labels of layers and classes, and 'absent'."
                self.wrong(str(UnknownNameError("entry", text, known, hint)), "legend")
            if listed.count(text) > 1:
                self.wrong(f"{text!r} stands there twice", "legend")
        for text in dict.fromkeys(labels):
            if text not in listed:
                self.wrong(f"the class {text!r} is drawn and not listed", "legend")
        return columns


def kind_of(style: Style) -> str:
    """Name the geometry that a style is for."""
    names = {PointStyle: "point", LineStyle: "line", AreaStyle: "area"}
    return names[type(style)]
