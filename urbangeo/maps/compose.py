"""Compose a figure from its manifest entry: ground, layers, legend, inset, names, note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from urbangeo._version import __version__
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import InputError
from urbangeo.maps.base import (
    Ground,
    crowded,
    enlarged,
    ground_of,
    member_codes,
    window_edges,
)
from urbangeo.maps.circlelayer import CircleLayer, circle_bands, make_circle
from urbangeo.maps.drawing import metres_per_mm, window
from urbangeo.maps.furniture import add_note, add_title, note_rows
from urbangeo.maps.labels import Label, place, write
from urbangeo.maps.layers import StyledLayer, hidden_symbols, make_layer
from urbangeo.maps.legend import Entry, add_legend, add_list, legend_size
from urbangeo.maps.manifest import BASE_ENTRIES, FigureRecord
from urbangeo.maps.sheet import Sheet, add_inset, new_sheet
from urbangeo.maps.sources import circle_of, fetch
from urbangeo.maps.style import settings

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LANGUAGES", "compose"]

LANGUAGES = ("zh", "en", "both")

Layer = StyledLayer | CircleLayer


def compose(
    figure: FigureRecord,
    inputs: Mapping[str, Any],
    *,
    page: str = "",
    lang: str = "zh",
    approval: str | None = None,
) -> Figure:
    """Draw a figure.

    Parameters
    ----------
    inputs
        What is drawn instead of what would be read: ``extent``, ``counties``, ``prefectures``,
        ``province``, ``surroundings``, ``circle``, ``network``, ``source``.
    page
        Paper; the figure's first one if empty.
    lang
        ``zh``, ``en`` (where the manifest gives it) or ``both``.
    approval
        Map-approval number (审图号), if the map has one.

    Raises
    ------
    InputError
        If something cannot be drawn.
    CRSError
        If a table has no CRS.
    """
    if lang not in LANGUAGES:
        raise InputError(f"lang is {lang!r}; known: {', '.join(LANGUAGES)}.")
    with settings():
        return _Composer(figure, inputs, page or figure.pages[0], lang, approval).draw()


class _Composer:
    """One figure while it is made."""

    def __init__(
        self,
        figure: FigureRecord,
        inputs: Mapping[str, Any],
        page: str,
        lang: str,
        approval: str | None,
    ) -> None:
        self.figure = figure
        self.inputs = inputs
        self.page = page
        self.lang = lang
        self.approval = approval
        self.frames = {
            name: self._boundary(name) for name in ("counties", "prefectures", "province")
        }
        self.extent = self._extent()
        self.codes: list[str] = []
        if self.extent is not None:
            self.codes = member_codes(self.extent, self.frames["counties"])
        self.crs = self._crs()
        self.layers = self._layers()
        around = self._surroundings()
        self.ground = ground_of(
            self.codes,
            self.frames["counties"],
            self.frames["prefectures"] if self.codes else None,
            self.frames["province"],
            around if self.codes else None,
            self.crs,
        )
        self.boundary_frames = [self.frames["counties"], self.frames["province"]]
        if self.codes:
            self.boundary_frames += [self.frames["prefectures"], around]

    # What is drawn --------------------------------------------------------------------------------

    def _boundary(self, name: str) -> gpd.GeoDataFrame:
        if self.inputs.get(name) is not None:
            return self.inputs[name]
        if name == "prefectures" and not (self.figure.extent or "extent" in self.inputs):
            return None
        from urbangeo.layer import load

        return load(name)

    def _extent(self) -> Any:
        chosen = self.inputs.get("extent") or self.figure.extent
        if not chosen:
            return None
        if isinstance(chosen, str):
            from urbangeo.plans import extent

            return extent(chosen)
        return chosen

    def _surroundings(self) -> gpd.GeoDataFrame | None:
        if "surroundings" in self.inputs or not self.codes:
            return self.inputs.get("surroundings")
        from urbangeo.boundaries import surroundings

        return surroundings()

    def _crs(self) -> pyproj.CRS:
        if self.codes:
            counties = self.frames["counties"]
            inside = counties[counties["adcode"].isin(self.codes)].to_crs(WGS84)
            return equal_area(inside.total_bounds)
        self._circle = circle_of(self.figure.layers[0], self.inputs)
        return equal_area(circle_bands(self._circle).total_bounds)

    def _layers(self) -> list[Layer]:
        made: list[Layer] = []
        for number, layer in enumerate(self.figure.layers):
            if layer.source == "circle":
                circle = getattr(self, "_circle", None)
                if circle is None or number:
                    circle = circle_of(layer, self.inputs)
                made.append(make_circle(circle, self.crs))
            else:
                fetched = fetch(layer, self.figure, self.inputs)
                made.append(make_layer(layer, fetched, number, self.figure, self.crs))
        return made

    @property
    def _circles(self) -> list[CircleLayer]:
        return [layer for layer in self.layers if isinstance(layer, CircleLayer)]

    def _bounds(self) -> Sequence[float]:
        view = self.figure.view
        if not self.codes or view == "layers":
            found = [
                layer.bounds
                if isinstance(layer, CircleLayer)
                else gpd.GeoSeries([piece.geometry for piece in layer.pieces]).total_bounds
                for layer in self.layers
                if isinstance(layer, CircleLayer) or layer.pieces
            ]
            boxes = shapely.union_all([shapely.box(*one) for one in found])
            return tuple(shapely.bounds(boxes).tolist())
        if view == "extent":
            return tuple(shapely.bounds(self.ground.outline).tolist())
        whole = shapely.union_all([self.ground.province, self.ground.outline])
        return tuple(shapely.bounds(whole).tolist())

    # The sheet ------------------------------------------------------------------------------------

    def draw(self) -> Figure:
        """Lay out the sheet, draw, name, explain."""
        sheet, runs, note = self._laid_out()
        heading, title, number, subtitle = self._titles()
        add_title(sheet, heading, title, number, subtitle)
        self._draw_map(sheet.map)
        view = window(sheet.map)
        footer = [row for circle in self._circles for row in circle.footer(view)]
        legend = add_legend(
            sheet,
            [[self._translated(entry) for entry in run] for run in runs],
            title="图  例" if self.lang != "en" else "Legend",
            kilometres=self.figure.scale_bar_km,
            footer=footer,
        )
        for circle in self._circles[:1]:
            heading, rows = circle.times()
            add_list(sheet, heading, rows, bottom=legend[3])
        add_note(sheet, note)
        tight = self.ground.members.iloc[:0]
        if self.figure.inset == "auto" and self.codes:
            tight = crowded(sheet, self.ground)
        inset = self._inset(sheet, tight, legend[3]) if len(tight) else None
        if inset is None:
            tight = tight.iloc[:0]
        self._name(sheet, inset, tight)
        return sheet.figure

    def _laid_out(self) -> tuple[Sheet, list[list[Entry]], list[str]]:
        """Give a sheet with room for the note, and for the legend beside the extent."""
        rows, column = 2 if self.codes else 3, 66.0
        for _ in range(4):
            sheet = new_sheet(
                self._bounds(),
                self.crs,
                page=self.page,
                panel=self.figure.panel,
                note_rows=rows,
                column=column,
            )
            view = window(sheet.map)
            runs = self._runs(view)
            note = self._note(sheet, runs)
            needed = len(note_rows(sheet, note))
            footer = [row for circle in self._circles for row in circle.footer(view)]
            width, height = legend_size(
                sheet, runs, kilometres=self.figure.scale_bar_km, footer=footer
            )
            wide = column
            if width > column + 0.01 and (
                self.figure.panel or self._hidden_by_legend(sheet, width, height)
            ):
                wide = width
            if needed <= rows and wide <= column:
                break
            rows, column = max(rows, needed), max(column, wide)
        return sheet, runs, note

    def _hidden_by_legend(self, sheet: Sheet, width: float, height: float) -> bool:
        """Tell whether a legend that is wider than its column would hide what the map is about."""
        per_mm = sheet.scale / 1000
        (west, _), (south, _) = sheet.map.get_xlim(), sheet.map.get_ylim()
        right = west + (sheet.column[2] - sheet.frame[0]) * per_mm
        box = shapely.box(right - width * per_mm, south, right, south + height * per_mm)
        subject = self.ground.outline if self.codes else self.ground.province
        return bool(shapely.intersects(subject, shapely.buffer(box, 3 * per_mm)))

    def _titles(self) -> tuple[str, str, str, str]:
        """Give heading, title, number and a second title in English."""
        figure, english = self.figure, self.lang == "en"
        first = self._circles[0] if self._circles else None
        title = figure.title or (first.title if first else "规划范围图")
        if self._schematic() and "示意" not in title:
            title = f"{title.removesuffix('图')}示意图"
        heading = figure.heading or self._plan_title() or (first.heading if first else "")
        heading = heading or str(getattr(self.extent, "title", ""))
        number, subtitle = figure.number, ""
        if self.lang == "both":
            subtitle = figure.title_en
        elif english:
            heading = figure.heading_en or heading
            title = figure.title_en or title
            number = figure.number_en or number
        return heading, title, number, subtitle

    def _schematic(self) -> bool:
        resting = any(
            layer.schematic
            for layer in self.layers
            if isinstance(layer, CircleLayer) or layer.record.source.startswith("circle")
        )
        return self.figure.schematic or resting

    def _plan_title(self) -> str:
        if not self.figure.plan:
            return ""
        from urbangeo.plans import plan_record

        return plan_record(self.figure.plan).title

    def _translated(self, entry: Entry) -> Entry:
        if self.lang == "zh":
            return entry
        from dataclasses import replace

        english = dict(BASE_ENTRIES)
        for layer in self.figure.layers:
            english |= {one.label: one.label_en for one in layer.classes if one.label_en}
        other = english.get(entry.text, "")
        if not other:
            return entry
        return replace(entry, text=other if self.lang == "en" else f"{entry.text} {other}")

    # Legend and note ------------------------------------------------------------------------------

    def _entries(self, view: Any) -> tuple[list[Entry], list[Entry]]:
        """Give the entries of the ground and of the layers, each text once."""
        seen: dict[str, Entry] = {}
        for layer in self.layers:
            for entry in layer.entries(view):
                seen.setdefault(entry.text, entry)
        return self.ground.entries(view), list(seen.values())

    def _runs(self, view: Any) -> list[list[Entry]]:
        base, own = self._entries(view)
        if not self.figure.legend:
            if self._circles and not self.codes:
                head = [Entry("界线", heading=True)] if base else []
                return [[*own, *head, *base]]
            return [[*base, *own]]
        known = {entry.text: entry for entry in (*base, *own)}
        runs = []
        for column in self.figure.legend:
            run = []
            for text in column:
                if text.startswith("#"):
                    run.append(Entry(text.lstrip("# "), heading=True))
                elif text in known:
                    run.append(known[text])
            runs.append(run)
        return [run for run in runs if run]

    def _note(self, sheet: Sheet, runs: list[list[Entry]]) -> list[str]:
        boundaries = _attributions(self.boundary_frames)
        closing = _closing_note(sheet, self.approval)
        if self._circles and not self.codes:
            return [*self._circles[0].note(boundaries), closing]
        told = [*self.figure.notes]
        styled = [layer for layer in self.layers if isinstance(layer, StyledLayer)]
        told = [*_schematic_words(styled, asked=self._schematic()), *told]
        for layer in self.layers:
            told += layer.notes
        told += self._absent_words({entry.text for run in runs for entry in run})
        sources = self._sources()
        data = dict.fromkeys(
            one
            for layer in styled
            for one in layer.fetched.attributions
            if one and one != boundaries
        )
        note = f"资料来源：{'；'.join(sources)}；行政区划界线：{boundaries}"
        if data:
            note += f"；{'；'.join(data)}"
        return [*(["".join(told)] if told else []), f"{note}。", closing]

    def _absent_words(self, drawn: set[str]) -> list[str]:
        """Tell which entries of the legend have no member, of a plan and of what is computed."""
        words = []
        for of_plan, end in ((True, "文本未给出可定位的成员，未绘"), (False, "无")):
            labels = [
                one.label
                for layer in self.figure.layers
                if layer.source.startswith("plan:") == of_plan
                for one in layer.classes
                if one.label
            ]
            absent = self.figure.absent if of_plan else ()
            gone = [text for text in dict.fromkeys((*absent, *labels)) if text not in drawn]
            if gone:
                words.append(f"图例“{'、'.join(gone)}”{end}。")
        return words

    def _sources(self) -> list[str]:
        if self.inputs.get("source"):
            return [str(self.inputs["source"])]
        found = [*self.figure.sources]
        key = str(getattr(self.extent, "plan", ""))
        if key:
            from urbangeo.plans import plan_record

            about = plan_record(key)
            cites = self.extent.members["cite"].astype(str).replace("", None).dropna()
            told = "、".join(dict.fromkeys(cites))
            found.append(f"{_quoted(about.title)}（{about.publisher}，{about.date}）{told}")
        for layer in self.layers:
            if isinstance(layer, StyledLayer):
                found += layer.fetched.sources
        return _merged_sources(found) or [str(getattr(self.extent, "title", ""))]

    # Map and inset --------------------------------------------------------------------------------

    def _draw_map(self, axes: Axes) -> None:
        self.ground.draw(axes)
        for layer in self.layers:
            layer.draw(axes)

    def _inset(self, sheet: Sheet, tight: gpd.GeoDataFrame, floor: float) -> Axes | None:
        """Enlarge a crowded part in the column, if the column has room to enlarge it."""
        west, south, east, north = tight.total_bounds
        pad = 0.04 * max(east - west, north - south)
        bounds = (west - pad, south - pad, east + pad, north + pad)
        towns = tight["prefecture"].unique() if "prefecture" in tight else []
        name = str(towns[0]) if len(towns) == 1 else ""
        axes = add_inset(
            sheet,
            bounds,
            title=f"{name}局部放大",
            bottom=floor + 2.5,
            top=sheet.frame[3] - (0.0 if self.figure.panel else 2.5),
        )
        if axes is not None:
            self._draw_map(axes)
        return axes

    def _name(self, sheet: Sheet, inset: Axes | None, tight: gpd.GeoDataFrame) -> None:
        names = self.figure.county_names if self.codes else "none"
        if inset is not None:
            chiefs = set(tight["adcode"])
            labels = self.ground.inset_labels(inset, chiefs, names)
            self._place(inset, labels, [], self.ground)
        codes = enlarged(self.ground, tight)
        labels = self.ground.labels(sheet, names, codes) if self.codes else []
        keep_off = [*sheet.keep_off, *window_edges(sheet.map)]
        self._place(sheet.map, labels, keep_off, self.ground, tight)

    def _place(
        self,
        axes: Axes,
        labels: list[Label],
        keep_off: list[tuple[float, float, float, float]],
        ground: Ground,
        tight: gpd.GeoDataFrame | None = None,
    ) -> None:
        scale = metres_per_mm(axes)
        signs = [layer.symbols(axes) for layer in self.layers]
        hidden = hidden_symbols(signs, scale)
        own: list[Label] = []
        for layer, beneath in zip(self.layers, hidden, strict=True):
            own += layer.labels(axes, beneath)
        if tight is None:
            # An inset names the places in it; what runs through it is named on the map.
            own = [one for one in own if one.area is None and not one.spots]
        if tight is not None and len(tight):
            # What stands in the inset's window is named there.
            part = shapely.box(*tight.total_bounds)
            own = [
                one
                for one in own
                if one.area is not None or one.spots or not shapely.contains_xy(part, one.x, one.y)
            ]
        # A county whose seat bears its name needs no second one.
        written = {text for one in own for text in one.texts}
        if self.figure.county_names != "members":
            labels = [one for one in labels if not (set(one.texts) & written)]
        view = window(axes)
        lines = [layer.lines() for layer in self.layers]
        if self.codes:
            lines.append(ground.lines())
        merged = shapely.intersection(shapely.union_all(lines), view) if lines else None
        placement = place(
            axes,
            [*labels, *own],
            keep_off=keep_off,
            lines=merged,
            symbols=[(sign.x, sign.y, sign.radius) for layer in signs for sign in layer],
        )
        lost = [label.texts[0] for label in placement.left_out if label.required]
        if lost and self.codes:
            raise InputError(
                f"There is no room for the names of {', '.join(lost)}; use a larger page."
            )
        write(axes, placement)


def _schematic_words(layers: Sequence[StyledLayer], *, asked: bool) -> list[str]:
    """Say what is schematic: what was made from words, what rests on the skeleton network."""
    made = [layer for layer in layers if layer.schematic]
    net = [one for one in made if one.record.source.startswith(("network", "circle"))]
    words = []
    if asked or len(net) < len(made):
        words.append("示意：位置与走向据规划文字推定，不代表实际选址和线形。")
    if net:
        words.append("示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。")
    return words


def _quoted(title: str) -> str:
    return title if "《" in title else f"《{title}》"


def _merged_sources(found: Sequence[str]) -> list[str]:
    """Name each source once, its chapters together."""
    chapters: dict[str, dict[str, None]] = {}
    for text in found:
        head, closed, rest = text.partition("）")
        cites = chapters.setdefault(head + closed, {})
        cites.update(dict.fromkeys(one for one in rest.split("、") if one))
    return [head + "、".join(cites) for head, cites in chapters.items()]


def _attributions(frames: Sequence[gpd.GeoDataFrame | None]) -> str:
    found = []
    for frame in frames:
        words = (
            frame.attrs.get("provenance", {}).get("attribution", "") if frame is not None else ""
        )
        if words and words not in found:
            found.append(str(words))
    return "、".join(found) or "使用者提供"


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


def _projection_words(sheet: Sheet) -> str:
    operation = sheet.crs.coordinate_operation
    if operation is None or "Lambert Azimuthal Equal Area" not in operation.method_name:
        return f"投影：{sheet.crs.name}"
    values = {parameter.name: parameter.value for parameter in operation.params}
    lon = float(values["Longitude of natural origin"])
    lat = float(values["Latitude of natural origin"])
    east, north = "E" if lon >= 0 else "W", "N" if lat >= 0 else "S"
    return f"投影：兰勃特方位等积投影（中心 {abs(lon):g}°{east}，{abs(lat):g}°{north}），WGS 84"


def _closing_note(sheet: Sheet, approval: str | None) -> str:
    paper = "×".join(f"{side * 25.4:.0f}" for side in sheet.figure.get_size_inches())
    words = (
        f"{_projection_words(sheet)}；比例尺 1∶{_spaced(sheet.scale)}（幅面 {paper} mm）。"
        "图上界线不作为权属争议和实地划界的依据。"
    )
    if approval:
        words += f"审图号：{approval}。"
    else:
        words += "本图未经地图审核，公开使用前须依法送审。"
    return f"{words}绘制：urbangeo {__version__}。"
