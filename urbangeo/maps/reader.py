"""Read a figure's entry of a manifest, and gather all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from urbangeo.errors import UnknownNameError, UrbangeoError
from urbangeo.maps.records import (
    ClassRecord,
    FigureRecord,
    LayerRecord,
    ListRecord,
    MapRecord,
    Names,
)
from urbangeo.maps.regions import own_region
from urbangeo.maps.sheet import PAGES
from urbangeo.maps.style import SIZES
from urbangeo.maps.symbols import Style, colour, named_style, varied

__all__ = ["BASE_ENTRIES", "EXTENT_ENTRY", "EntryReader"]

VIEWS = ("province", "extent", "layers")
COUNTY_NAMES = ("members", "faint", "none")
SHAPES = ("", "points", "counties", "curve", "belt", "hull", "union")
WEIGHTS = ("regular", "medium", "bold")
COURSES = ("", "network")
COUNTS = ("", "county", "prefecture")
EXTENT_ENTRY = "规划范围边界"
BASE_ENTRIES = {
    "省域边界": "Provincial boundary",
    EXTENT_ENTRY: "Planning area boundary",
    "市域边界": "Prefectural boundary",
    "县域边界": "County boundary",
}
"""What the base map adds to a legend, with its English."""

_TEXTS = {
    *("plan", "number", "number_en", "heading", "heading_en", "title", "title_en", "extent"),
    *("view", "county_names", "extent_label", "extent_label_en"),
}
_LISTS = {"pages", "absent", "notes", "notes_en", "sources", "inset"}
_LAYER_TEXTS = {
    *("name_en", "source", "within", "touching", "place", "shape", "group", "sort", "field"),
    *("direction", "profile", "course", "count", "together"),
}
_STYLING = ("style", "colour", "size", "label", "label_en")
_CLASS_FIELDS = ("value", "at_least", "below", "order", "names", *_STYLING)


def beside(name: str, manifest: Path, *, of_plan: bool = False) -> str:
    """Give the name of a plan, or of what belongs to one, with its folder found.

    A plan of one's own is a folder that stands beside the manifest: ``my-plan``, and of it
    ``my-plan/core`` (an extent) or ``my-plan/towns`` (a table). Other names are given back.
    """
    folder, slash, own = (name, "", "") if of_plan else name.rpartition("/")
    found = manifest.parent / folder
    if not folder or not (found / "plan.toml").is_file():
        return name
    return f"{found.absolute()}{slash}{own}"


class EntryReader:
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

    def _any_number(self, name: str, value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(f"{name} is {value!r}; a number is expected", where)
            return 0.0
        return float(value)

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
        known = {one.name for one in fields(FigureRecord)} - {"layers", "maps", "listing", "file"}
        known |= {"layer", "map", "list"}
        entry = self._known(entry, known)
        values: dict[str, Any] = {}
        for name, value in entry.items():
            if name in _TEXTS or name == "key":
                values[name] = self._text(name, value)
            elif name in _LISTS:
                values[name] = self._texts(name, value)
            elif name == "scale_bar_km":
                values[name] = self._number(name, value)
                if values[name] * 100 % 3:
                    self.wrong(
                        f"scale_bar_km is {value!r}; a scale bar has three parts, so a length that "
                        "can be divided by 3 is expected, such as 30, 45 or 75"
                    )
            elif name in {"panel", "schematic", "graticule"}:
                values[name] = self._flag(name, value)
        for name, known_values in (
            ("view", VIEWS),
            ("county_names", COUNTY_NAMES),
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
        for name in ("plan", "extent"):
            if values.get(name):
                values[name] = beside(values[name], self.path, of_plan=name == "plan")
        self._check_plan(values)
        self._check_inset(values)
        values["maps"] = tuple(self._map(row) for row in self._tables(entry, "map"))
        titles = [one.title for one in values["maps"]]
        if len(titles) == 1 or len(titles) > 3 or len(set(titles)) < len(titles):
            self.wrong(f"maps are {titles}; two or three with different titles are expected")
        values["layers"] = tuple(
            self._layer(row, number, values)
            for number, row in enumerate(self._tables(entry, "layer"), start=1)
        )
        if "list" in entry:
            values["listing"] = self._listing(entry["list"], values)
        values["legend"] = self._legend(entry.get("legend", []), values)
        return FigureRecord(file=self.path, **values) if values["key"] else None

    def _tables(self, entry: Mapping[str, Any], name: str) -> list[Any]:
        rows = entry.get(name, [])
        if not isinstance(rows, list):
            self.wrong(f"{name}s are written [[figure.{name}]], with two brackets")
            return []
        return rows

    def _map(self, entry: Any) -> MapRecord:
        if not isinstance(entry, dict):
            self.wrong("a map is a table")
            return MapRecord(title="")
        where = f"map {entry.get('title', '')!r}"
        entry = self._known(entry, [one.name for one in fields(MapRecord)], where)
        values = {name: self._text(name, value, where) for name, value in entry.items()}
        if not values.get("title"):
            self.wrong("field 'title' is missing or empty", where)
        if values.get("extent"):
            values["extent"] = beside(values["extent"], self.path)
        self._check_extent(values.get("extent", ""))
        return MapRecord(**{"title": "", **values})

    def _check_inset(self, values: Mapping[str, Any]) -> None:
        names = values.get("inset", ("auto",))
        if names in {("auto",), ("none",)}:
            return
        from urbangeo.layer import load

        try:
            own = own_region(values.get("plan", ""))
        except UrbangeoError:  # told already
            own = {}
        counties = own["counties"] if own else load("counties")
        known = dict.fromkeys([*counties["name"], *counties["short_name"]])
        for name in names:
            if name not in known:
                hint = "inset is 'auto', 'none' or a list of counties."
                self.wrong(str(UnknownNameError("county", name, known, hint)))

    def _listing(self, entry: Any, figure: Mapping[str, Any]) -> ListRecord | None:
        if not isinstance(entry, dict):
            self.wrong("list is a table, written [figure.list]")
            return None
        entry = self._known(entry, [one.name for one in fields(ListRecord)], "list")
        values: dict[str, Any] = {
            name: self._texts(name, value, "list")
            if name == "layers"
            else self._text(name, value, "list")
            for name, value in entry.items()
        }
        for name in ("title", "layers", "value"):
            if not values.get(name):
                self.wrong(f"field {name!r} is missing or empty", "list")
        known = [layer.name for layer in figure["layers"]]
        for name in values.get("layers", ()):
            if name not in known:
                self.wrong(str(UnknownNameError("layer", name, known)), "list")
        if not figure.get("panel") and not figure["maps"]:
            self.wrong("a list stands in the panel beside the map; set panel = true", "list")
        return ListRecord(**{"title": "", **values})

    def _check_extent(self, name: str) -> None:
        from urbangeo.plans import extent

        try:
            if name and not extent(name).adcodes:
                self.wrong(f"extent {name!r} has no member")
        except UrbangeoError as error:
            self.wrong(str(error))

    def _check_plan(self, values: dict[str, Any]) -> None:
        from urbangeo.plans import plan_record

        try:
            if values.get("plan"):
                plan_record(values["plan"])
        except UrbangeoError as error:
            self.wrong(str(error))
        self._check_extent(values.get("extent", ""))

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
            elif name in {"centres", "maps"}:
                values[name] = self._texts(name, value, where)
        known_maps = [one.title for one in figure["maps"]]
        for title in values.get("maps", ()):
            if title not in known_maps:
                self.wrong(str(UnknownNameError("map", title, known_maps)), where)
        kind, colon, name = values.get("source", "").partition(":")
        if kind in {"plan", "extent", "members"} and colon:
            values["source"] = f"{kind}:{beside(name, self.path)}"
        for name in ("within", "touching"):
            if values.get(name):
                values[name] = beside(values[name], self.path)
        self._one_of("course", values.get("course", ""), COURSES, where)
        self._one_of("count", values.get("count", ""), COUNTS, where)
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
        for name in ("field", "text"):
            if name in entry:
                self._text(name, entry[name], f"{where}, names")
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
                name: self._any_number(name, row[name], place)
                for name in ("at_least", "below")
                if name in row
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
            made.append((self._any_number("order", row.get("order", number), place), record))
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
        absent = [text.partition(" | ")[0] for text in values.get("absent", ())]
        base = [(values.get("extent_label") or x) if x == EXTENT_ENTRY else x for x in BASE_ENTRIES]
        known = [*base, *labels, *absent]
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
