"""A circle as one interactive page that opens with no network.

The page holds everything it needs: BokehJS from the wheel of ``bokeh``, the shapes, the table.
A content policy in its head keeps a browser from fetching anything. The same circle gives the
same bytes.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from urbangeo.access.circle import MODE_NAMES
from urbangeo.crs import WGS84, equal_area
from urbangeo.errors import InputError
from urbangeo.files import writing
from urbangeo.report import by_time, people_table

if TYPE_CHECKING:
    from urbangeo.access.circle import CommutingCircle

__all__ = ["Page", "circle_page"]

MOST_POINTS = 150_000
"""Corners of network lines that a page holds; smaller roads are left out beyond, and it says so."""

_FONTS = (
    '"Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", '
    '"Hiragino Sans GB", "WenQuanYi Micro Hei", sans-serif'
)
_LABEL_PX = 12
_BOKEH_ID = re.compile(r"p[0-9]+")


@dataclass(frozen=True)
class Page:
    """A page of HTML.

    Attributes
    ----------
    title
        Its title.
    text
        The whole page.
    """

    title: str
    text: str = field(repr=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page, whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        with writing(path) as draft:
            draft.write_text(self.text, encoding="utf-8", newline="\n")

    def _repr_html_(self) -> str:
        """Show the page in a frame of its own; called by IPython."""
        inside = html.escape(self.text, quote=True)
        return f'<iframe srcdoc="{inside}" style="width:100%;height:760px;border:0"></iframe>'


def circle_page(circle: CommutingCircle, sure: pd.DataFrame | None = None) -> Page:
    """Make the page of a circle: map with bands, network and places; the table; where from.

    Parameters
    ----------
    circle
        The circle.
    sure
        What :meth:`CommutingCircle.how_sure` gave with ``runs``, to show it beside the minutes.

    Raises
    ------
    InputError
        If bokeh is not installed, or ``sure`` is of other places.
    """
    _check_bokeh()
    told = _sure_columns(circle, sure)
    shown = _Map(circle, told)
    title = _title(circle)
    parts = {
        "title": html.escape(title),
        "heading": html.escape(title.removesuffix("（示意）")),
        "badge": '<span class="badge">示意</span>' if circle.network["schematic"] else "",
        "summary": html.escape(circle.summary()),
        "table": _table(circle, told, shown.place_of),
        "notes": "".join(f"<li>{html.escape(one)}</li>" for one in _notes(circle, shown.notes)),
        "fonts": _FONTS,
        "bokeh": "\n".join(f"<script>{one}</script>" for one in _bokeh_scripts()),
        "map": _as_json(shown.plot),
        "size": str(_LABEL_PX),
    }
    # in one pass, so that what stands in a part is never taken for the name of another
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _TEMPLATE)
    return Page(title, text)


def _check_bokeh() -> None:
    from importlib.util import find_spec

    if find_spec("bokeh") is None:
        raise InputError(
            "An interactive page needs the package bokeh, which is not installed. "
            'Install it: pip install "urbangeo[html]".'
        )


def _title(circle: CommutingCircle) -> str:
    names = "、".join(circle.centres["name"].astype(str))
    title = f"{names} {circle.minutes:g} 分钟通勤圈"
    return f"{title}（示意）" if circle.network["schematic"] else title


def _sure_columns(circle: CommutingCircle, sure: pd.DataFrame | None) -> dict[str, list[str]]:
    """What chance says, in words, by row of the towns."""
    if sure is None:
        return {}
    needed = ["share_inside", "minutes_p05", "minutes_p95"]
    if not sure.index.equals(circle._verdicts.index) or any(
        one not in sure.columns for one in needed
    ):
        raise InputError(
            "sure is not of this circle; give circle.how_sure(runs=…) of the same circle, which "
            f"has {', '.join(needed)} on the index of its towns."
        )
    spans = [
        f"{low:.0f}–{high:.0f}" if np.isfinite(low) and np.isfinite(high) else "—"
        for low, high in zip(sure["minutes_p05"], sure["minutes_p95"], strict=True)
    ]
    shares = [f"{100 * one:.0f}%" for one in sure["share_inside"]]
    return {"圈内机会": shares, "5–95% 分钟": spans}


class _Map:
    """The map of a page: a figure of bokeh, and where each place is in it."""

    def __init__(self, circle: CommutingCircle, told: dict[str, list[str]]) -> None:
        from bokeh.plotting import figure

        self.circle, self.told = circle, told
        self.notes: list[str] = []
        self.bands = circle.bands[~circle.bands.geometry.is_empty]
        known = self.bands if len(self.bands) else circle.centres
        self.crs: pyproj.CRS = equal_area(known.total_bounds)
        self.entries: list[tuple[str, list[Any]]] = []
        self.place_of: list[tuple[str, int]] = [("", 0)] * len(circle.towns)
        draw: Any = figure  # its types know only some of the options that it takes
        self.plot: Any = draw(
            sizing_mode="stretch_both",
            match_aspect=True,
            x_axis_location=None,
            y_axis_location=None,
            toolbar_location="above",
            tools="pan,box_zoom,reset,save",
            background_fill_color="#F8F8F6",
            name="map",
        )
        self.plot.grid.visible = False
        self.plot.toolbar.logo = None
        fills = self._draw_bands()
        self._draw_counties()
        self._draw_network()
        places = self._draw_places()
        centres = self._draw_centres()
        self._finish([*fills, *centres] if fills else [*places, *centres])

    def _xy(self, points: gpd.GeoSeries) -> NDArray[np.float64]:
        xy: NDArray[np.float64] = shapely.get_coordinates(np.asarray(points.to_crs(self.crs).array))
        return np.rint(xy)

    def _add(self, label: str, *drawn: Any) -> None:
        """Note what stands for what; layers of one label are one entry of the legend."""
        for name, those in self.entries:
            if name == label:
                those.extend(drawn)
                return
        self.entries.append((label, list(drawn)))

    def _draw_bands(self) -> list[Any]:
        from bokeh.models import ColumnDataSource

        from urbangeo.maps.style import BANDS, COLOURS

        if not len(self.bands):
            self.notes.append("没有可画的等时带。")
            return []
        plane = np.asarray(self.bands.geometry.to_crs(self.crs).array)
        # neighbours are simplified together, so that no gap opens between them
        plane = shapely.coverage_simplify(plane, 60.0)
        made = []
        for row, (low, high) in enumerate(
            zip(self.bands["minutes_from"], self.bands["minutes_to"], strict=True)
        ):
            xs, ys = _nested(plane[row])
            drawn = self.plot.multi_polygons(
                xs="xs",
                ys="ys",
                source=ColumnDataSource({"xs": [xs], "ys": [ys]}),
                fill_color=BANDS[min(row, len(BANDS) - 1)],
                line_color=None,
            )
            self._add(f"{low:g}–{high:g} 分钟", drawn)
            made.append(drawn)
        within = (self.bands["minutes_to"] <= self.circle.minutes).to_numpy()
        along, up = _lines_of(shapely.boundary(shapely.union_all(plane[within])))
        if along:
            edge = self.plot.multi_line(along, up, line_color=COLOURS["limit"], line_width=2)
            self._add(f"{self.circle.minutes:g} 分钟圈界", edge)
        return made

    def _draw_counties(self) -> None:
        """Boundaries of the counties of the places asked about, where the layer has them."""
        from urbangeo.layer import load
        from urbangeo.maps.style import COLOURS

        counties = load("counties")
        counties = counties[counties["adcode"].isin(self.circle._verdicts["adcode"])]
        if not len(counties):
            return
        plane = shapely.coverage_simplify(
            np.asarray(counties.geometry.to_crs(self.crs).array), 200.0
        )
        xs, ys = _lines_of(shapely.union_all(shapely.boundary(plane)))
        lines = self.plot.multi_line(
            xs, ys, line_color=COLOURS["prefecture"], line_width=0.7, line_dash="dashed"
        )
        self._add("县域边界", lines)
        self.notes.append(f"县域边界：{counties.attrs['provenance'].get('attribution', '')}")

    def _draw_network(self) -> None:
        from urbangeo.maps.circlelayer import LINK_CLASSES, LINK_KINDS, LINK_ORDER
        from urbangeo.maps.style import COLOURS, LINES

        net = self.circle.net
        rows = net.link_rows
        t = net._tables
        kinds = t.links["class"].astype(str).to_numpy(dtype=object)[rows]
        if len(self.bands):
            west, south, east, north = self.bands.total_bounds
            # a wide page shows more than the bands on either side
            pad = max(east - west, north - south)
            ends = t.lonlat[np.column_stack([t.tail[rows], t.head[rows]])]
            low, high = ends.min(axis=1), ends.max(axis=1)
            near = (high >= [west - pad, south - pad]).all(axis=1)
            near &= (low <= [east + pad, north + pad]).all(axis=1)
            rows, kinds = rows[near], kinds[near]
        room, left = MOST_POINTS, 0
        drawn: list[tuple[str, str, NDArray[np.int64]]] = []
        for key in reversed(LINK_ORDER):
            label, _, style = LINK_KINDS[key]
            wanted = [kind for kind, drawn_as in LINK_CLASSES.items() if drawn_as == key]
            chosen = rows[np.isin(kinds, wanted)]
            corners = int((t.lines.offsets[chosen + 1] - t.lines.offsets[chosen]).sum())
            if corners > room:
                left += len(chosen)
            elif len(chosen):
                room -= corners
                drawn.append((label, style, chosen))
        if left:
            self.notes.append(f"图上未画较小的道路 {left:,} 段（仍参加计算）。")
        for label, style, chosen in reversed(drawn):
            lines = gpd.GeoSeries(t.lines.take(chosen).geometry, crs=WGS84).to_crs(self.crs)
            xs, ys = _lines_of(np.asarray(lines.array))
            line = LINES[style]
            layer = self.plot.multi_line(
                xs,
                ys,
                line_color=COLOURS["rail"] if style == "rail" else line.colour,
                line_width=2.4 * line.width / 0.5,
                line_dash="dashed" if line.dashes else "solid",
            )
            self._add(label, layer)

    def _draw_places(self) -> list[Any]:
        from bokeh.models import ColumnDataSource, HoverTool

        from urbangeo.maps.style import COLOURS

        circle = self.circle
        table = people_table(circle, full_legs=True)
        xy = self._xy(circle.towns.geometry)
        status = circle.towns["status"].to_numpy(dtype=object).copy()
        status[np.asarray(circle.towns["borderline"], dtype=bool)] = "borderline"
        styles = {
            "outside": ("圈外", "circle", 6, "#FFFFFF", COLOURS["town"]),
            "unreachable": ("不连通", "x", 8, COLOURS["town"], COLOURS["town"]),
            "unsnapped": ("未接入路网", "triangle", 8, "#FFFFFF", COLOURS["faint_ink"]),
            "borderline": ("临界（余量小于路网误差）", "diamond", 11, COLOURS["expressway"],
                           COLOURS["ink"]),
            "inside": ("圈内", "circle", 8, COLOURS["town"], "#FFFFFF"),
        }  # fmt: skip
        made = []
        for key, (label, marker, size, face, stroke) in styles.items():
            rows = np.flatnonzero(status == key)
            if not len(rows):
                continue
            for place, row in enumerate(rows.tolist()):
                self.place_of[row] = (key, place)
            source = ColumnDataSource(self._hover(table, rows, xy), name=f"places:{key}")
            layer = self.plot.scatter(
                "x", "y", source=source, marker=marker, size=size, fill_color=face,
                line_color=stroke, nonselection_fill_alpha=1, nonselection_line_alpha=1,
                selection_line_color="#B3202A", selection_line_width=4,
            )  # fmt: skip
            self._add(label, layer)
            made.append(layer)
        self.plot.add_tools(HoverTool(renderers=made, tooltips=self._tooltip(), point_policy=
                                      "snap_to_data"))  # fmt: skip
        return made

    def _hover(
        self, table: pd.DataFrame, rows: NDArray[np.int64], xy: NDArray[np.float64]
    ) -> dict[str, Any]:
        some = table.iloc[rows]
        data: dict[str, Any] = {"x": xy[rows, 0].tolist(), "y": xy[rows, 1].tolist()}
        for key, heading in _HOVER.items():
            if heading in some.columns:
                data[key] = [_words(one) for one in some[heading]]
        for place, column in enumerate(self.told.values()):
            data[f"sure{place}"] = [column[one] for one in rows]
        return data

    def _tooltip(self) -> str:
        rows = [(heading, f"@{key}") for key, heading in _HOVER.items()
                if key != "name" and (key != "centre" or len(self.circle.centres) > 1)]  # fmt: skip
        rows[-1:-1] = [(heading, f"@sure{place}") for place, heading in enumerate(self.told)]
        lines = "".join(
            f'<div><span style="color:#4D4D4D">{heading}</span> {value}</div>'
            for heading, value in rows
        )
        style = f"max-width:320px;white-space:normal;font:12px {_FONTS}".replace('"', "'")
        return f'<div style="{style}"><b>@name</b>{lines}</div>'

    def _draw_centres(self) -> list[Any]:
        from bokeh.core.property.vectorization import value
        from bokeh.models import ColumnDataSource
        from bokeh.models.annotations import LabelSet

        from urbangeo.maps.style import COLOURS

        circle = self.circle
        xy = self._xy(circle.centres.geometry)
        stars = self.plot.scatter(
            xy[:, 0].tolist(), xy[:, 1].tolist(), marker="star", size=18,
            fill_color=COLOURS["centre"], line_color="#FFFFFF",
        )  # fmt: skip
        self._add("中心", stars)
        # the most important first: which of them fit is decided on the screen
        places = circle._verdicts.assign(
            rank=np.where(circle._verdicts["kind"] == "county_seat", 0, 1)
        ).sort_values(["rank", "minutes"], kind="stable")
        spots = np.concatenate([xy, self._xy(places.geometry)])
        names = [*circle.centres["name"].astype(str), *places["name"].astype(str)]
        source = ColumnDataSource(
            {
                "x": spots[:, 0].tolist(),
                "y": spots[:, 1].tolist(),
                "name": names,
                "weight": ["bold"] * len(xy) + ["normal"] * len(places),
            },
            name="labels",
        )
        self.plot.add_layout(
            LabelSet(
                x="x", y="y", text="name", source=source, x_offset=7, y_offset=4,
                text_font=value(_FONTS), text_font_size=value(f"{_LABEL_PX}px"),
                text_font_style="weight", text_color=COLOURS["ink"],
                background_fill_color="#FFFFFF", background_fill_alpha=0.65,
            )
        )  # fmt: skip
        return [stars]

    def _finish(self, framed: Sequence[Any]) -> None:
        """Frame the map, and tell what everything stands for."""
        from bokeh.models import DataRange1d
        from bokeh.models.annotations import Legend, LegendItem, ScaleBar
        from bokeh.models.annotations.dimensional import Metric
        from bokeh.models.tools import TapTool, WheelZoomTool

        self.plot.x_range = DataRange1d(renderers=list(framed), range_padding=0.04)
        self.plot.y_range = DataRange1d(renderers=list(framed), range_padding=0.04)
        self.plot.add_layout(
            ScaleBar(
                range=self.plot.x_range,
                unit="m",
                dimensional=Metric(base_unit="m"),
                orientation="horizontal",
                location="bottom_left",
                bar_length=0.2,
                label_text_font=_FONTS,
                background_fill_alpha=0.0,
                border_line_color=None,
            ),
            "below",
        )
        wheel = WheelZoomTool()
        self.plot.add_tools(wheel, TapTool())
        self.plot.toolbar.active_scroll = wheel
        items = [LegendItem(label=label, renderers=those) for label, those in self.entries]
        self.plot.add_layout(
            Legend(
                items=items, ncols=5, click_policy="hide", label_text_font=_FONTS,
                label_text_font_size="12px", border_line_color=None, spacing=14, margin=4,
                location="center",
            ),
            "below",
        )  # fmt: skip


_HOVER = {
    "name": "名称",
    "county": "县（市、区）",
    "centre": "中心",
    "status": "结论",
    "minutes": "分钟",
    "margin": "余量",
    "breakeven": "可慢倍数",
    "way": "路径",
}


def _words(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.1f}" if np.isfinite(value) else "—"
    return str(value)


def _nested(shape: Any) -> tuple[list[list[list[float]]], list[list[list[float]]]]:
    """Rings of a MultiPolygon as bokeh has them: polygon, ring, corner."""
    xs, ys = [], []
    for polygon in shapely.get_parts(shape):
        rings = [polygon.exterior, *polygon.interiors]
        flat = [np.rint(shapely.get_coordinates(one)) for one in rings]
        xs.append([one[:, 0].tolist() for one in flat])
        ys.append([one[:, 1].tolist() for one in flat])
    return xs, ys


def _lines_of(shapes: Any) -> tuple[list[list[float]], list[list[float]]]:
    """Corners of lines as bokeh has them, whole metres."""
    xs, ys = [], []
    for line in shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(shapes)))):
        flat = np.rint(shapely.get_coordinates(line))
        if len(flat) > 1:
            xs.append(flat[:, 0].tolist())
            ys.append(flat[:, 1].tolist())
    return xs, ys


def _table(
    circle: CommutingCircle, told: dict[str, list[str]], place_of: Sequence[tuple[str, int]]
) -> str:
    """The table in HTML, nearest first; each row knows its point on the map."""
    table = people_table(circle)
    for heading, column in told.items():
        table.insert(list(table.columns).index("方式"), heading, column)
    head = "".join(f"<th>{html.escape(str(one))}</th>" for one in table.columns)
    number = [one in _NUMBERS or one in told for one in table.columns]
    status = circle.towns["status"].tolist()
    body = []
    for row in by_time(circle).tolist():
        cells = "".join(
            f"<td{' class=n' if right else ''}>{html.escape(_words(value))}</td>"
            for value, right in zip(table.iloc[row], number, strict=True)
        )
        source, place = place_of[row]
        body.append(f'<tr class="{status[row]}" data-s="{source}" data-i="{place}">{cells}</tr>')
    return f"<thead><tr>{head}</tr></thead><tbody>{chr(10).join(body)}</tbody>"


_NUMBERS = ("分钟", "余量", "可慢倍数")


def _notes(circle: CommutingCircle, more: Sequence[str]) -> Iterator[str]:
    """Where everything comes from, a line each."""
    about = circle.network
    year = "全部年份" if about["year"] is None else f"{about['year']} 年末"
    kind = "，示意" if about["schematic"] else ""
    yield f"路网：{about['title']}（{year}{kind}）；车速方案：{about['profile_title']}"
    modes = "、".join(MODE_NAMES[one] for one in circle.modes)
    way = "前往中心" if circle.direction == "to" else "自中心出发"
    yield f"口径：{way}，门到门，{modes}，{circle.minutes:g} 分钟，含界"
    yield "圈内圈外按时间判定，图上的面只是它的图示"
    yield "通勤圈按时间划定，是通勤联系的替代指标，不是实测通勤量"
    yield from more
    yield from about["attribution"]
    yield f"路网指纹：{about['digest']}；urbangeo {about['urbangeo']}"


def _bokeh_scripts() -> list[str]:
    from bokeh.resources import Resources

    return [one for one in Resources(mode="inline", components=["bokeh"]).js_raw if one.strip()]


def _as_json(plot: Any) -> str:
    """The figure for BokehJS, its parts numbered in the order in which they stand.

    Bokeh counts through all figures of a process, so that a second page would differ.
    """
    from bokeh.embed import json_item

    item: Any = json_item(plot, "map")  # type: ignore[arg-type]
    numbers: dict[str, str] = {}

    def renumbered(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: renumbered(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [renumbered(one) for one in value]
        if key in ("id", "root_id") and isinstance(value, str) and _BOKEH_ID.fullmatch(value):
            return numbers.setdefault(value, f"p{len(numbers) + 1}")
        return value

    text = json.dumps(renumbered(item), ensure_ascii=False, separators=(",", ":"))
    # nothing in it may end the script that holds it
    return text.replace("<", "\\u003c")


_TEMPLATE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:">
<title>{{title}}</title>
<style>
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.6 {{fonts}}; color: #1a1a1a; background: #fff; }
header, footer { padding: 12px 20px; }
h1 { font-size: 20px; margin: 0 0 4px; }
.badge { font-size: 13px; font-weight: normal; border: 1px solid #b3202a; color: #b3202a;
  border-radius: 3px; padding: 1px 8px; margin-left: 8px; vertical-align: 2px; }
header p { margin: 0; max-width: 120ch; color: #4d4d4d; }
main { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 9fr); gap: 12px;
  padding: 0 20px; height: max(560px, calc(100vh - 190px)); }
#map { border: 1px solid #8c8c8c; min-height: 0; }
#map > * { width: 100%; height: 100%; }
aside { display: flex; flex-direction: column; min-height: 0; }
.tools { display: flex; gap: 14px; align-items: center; margin-bottom: 6px; }
.tools input[type=search] { font: inherit; padding: 2px 8px; flex: 1; min-width: 0; }
.scroll { overflow: auto; border: 1px solid #8c8c8c; flex: 1; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; }
th { position: sticky; top: 0; background: #e9edef; cursor: pointer; text-align: left;
  white-space: nowrap; }
th, td { padding: 3px 8px; border-bottom: 1px solid #e0e0e0; vertical-align: top; }
td:first-child { font-weight: 600; }
td:nth-child(-n+2) { min-width: 5em; max-width: 8em; }
td:nth-child(n+3):not(:last-child) { white-space: nowrap; }
td:last-child { min-width: 16em; }
td.n { text-align: right; white-space: nowrap; }
tbody tr { cursor: pointer; }
tbody tr:hover { background: #f3f6f8; }
tbody tr.chosen { background: #fcebcb; }
tr.outside td, tr.unreachable td, tr.unsnapped td { color: #6b6b6b; }
footer { font-size: 12px; color: #4d4d4d; overflow-wrap: anywhere; }
footer ul { margin: 0; padding-left: 18px; }
@media (max-width: 900px) {
  main { grid-template-columns: minmax(0, 1fr); height: auto; }
  #map { height: 520px; } .scroll { max-height: 70vh; }
}
</style>
</head>
<body>
<header><h1>{{heading}}{{badge}}</h1><p>{{summary}}</p></header>
<main>
<div id="map"></div>
<aside>
<div class="tools"><input type="search" id="find" placeholder="查名称、县、道路" \
aria-label="查名称、县、道路">
<label><input type="checkbox" id="only"> 只看圈内</label></div>
<div class="scroll"><table id="table">{{table}}</table></div>
</aside>
</main>
<footer><ul>{{notes}}</ul></footer>
{{bokeh}}
<script type="application/json" id="figure">{{map}}</script>
<script>
(async function () {
  "use strict";
  const item = JSON.parse(document.getElementById("figure").textContent);
  await Bokeh.embed.embed_item(item, "map");
  const sources = {};
  let labels, plot;
  for (const doc of Bokeh.documents) {
    for (const model of doc._all_models.values()) {
      const name = model.name || "";
      if (name.startsWith("places:")) sources[name.slice(7)] = model;
      if (name === "labels") labels = model;
      if (name === "map") plot = model;
    }
  }
  // of the names, the most important first, those that lie on no other are written
  const all = labels.data, size = {{size}};
  function label() {
    const x = plot.x_range, y = plot.y_range, w = plot.inner_width, h = plot.inner_height;
    if (!w || !h || !(x.end > x.start)) return;
    const kept = [], boxes = [];
    all.name.forEach((name, i) => {
      const left = (all.x[i] - x.start) / (x.end - x.start) * w;
      const low = (all.y[i] - y.start) / (y.end - y.start) * h;
      let wide = 0;
      for (const one of name) wide += one.codePointAt(0) > 0x2e80 ? size : 0.62 * size;
      const box = [left - 6, low - 6, left + 13 + wide, low + 10 + 1.2 * size];
      const inside = left >= 0 && low >= 0 && box[2] <= w && box[3] <= h;
      const free = boxes.every((one) =>
        box[2] < one[0] || box[0] > one[2] || box[3] < one[1] || box[1] > one[3]);
      if (inside && free) { kept.push(i); boxes.push(box); }
    });
    const some = {};
    for (const key of Object.keys(all)) some[key] = kept.map((i) => all[key][i]);
    labels.data = some;
  }
  let due = false;
  function soon() {
    if (due) return;
    due = true;
    setTimeout(() => { due = false; label(); }, 60);
  }
  for (const range of [plot.x_range, plot.y_range]) {
    range.properties.start.change.connect(soon);
    range.properties.end.change.connect(soon);
  }
  // the map is fitted to the page a little after the page has its size
  new ResizeObserver(() => {
    for (const wait of [60, 400, 1500]) setTimeout(label, wait);
  }).observe(document.getElementById("map"));
  const body = document.querySelector("#table tbody");
  const rows = Array.from(body.rows);
  let chosen = null;
  function choose(row) {
    if (chosen) chosen.classList.remove("chosen");
    chosen = row === chosen ? null : row;
    if (chosen) chosen.classList.add("chosen");
    for (const [key, source] of Object.entries(sources)) {
      const here = chosen && chosen.dataset.s === key;
      source.selected.indices = here ? [Number(chosen.dataset.i)] : [];
    }
  }
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row) choose(row);
  });
  const find = document.getElementById("find"), only = document.getElementById("only");
  function sift() {
    const wanted = find.value.trim();
    for (const row of rows) {
      row.hidden = (only.checked && !row.classList.contains("inside"))
        || (wanted !== "" && !row.textContent.includes(wanted));
    }
  }
  find.addEventListener("input", sift);
  only.addEventListener("change", sift);
  let sorted = -1, turned = false;
  document.querySelectorAll("#table th").forEach((head, column) => {
    head.addEventListener("click", () => {
      turned = sorted === column ? !turned : false;
      sorted = column;
      const value = (row) => row.cells[column].textContent;
      const order = rows.slice().sort((a, b) => {
        const x = value(a), y = value(b), m = parseFloat(x), n = parseFloat(y);
        if (Number.isNaN(m) !== Number.isNaN(n)) return Number.isNaN(m) ? 1 : -1;
        const less = Number.isNaN(m) ? x.localeCompare(y, "zh") : m - n;
        return turned ? -less : less;
      });
      body.append(...order);
    });
  });
})();
</script>
</body>
</html>
"""
