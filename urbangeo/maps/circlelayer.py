"""A commuting circle as a layer: bands of time, the network, towns by status, its centres."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from urbangeo.crs import WGS84, require_crs
from urbangeo.errors import InputError
from urbangeo.maps.drawing import add_lines, draw_points, fill, window
from urbangeo.maps.fetched import Remark
from urbangeo.maps.labels import Label
from urbangeo.maps.layers import Symbol
from urbangeo.maps.legend import Entry
from urbangeo.maps.netsources import town_verdicts
from urbangeo.maps.shapes import longest_run, outlines, projected, spots_along
from urbangeo.maps.style import BANDS, COLOURS, SIZES
from urbangeo.maps.symbols import STYLES, Mark, PointStyle

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["CircleLayer", "make_circle"]

LINK_KINDS = {
    "expressway": ("高速公路", "Expressway", "expressway"),
    "national": ("普通国道", "National road", "national"),
    "provincial": ("省道及以下公路", "Provincial and lesser road", "provincial"),
    "hsr": ("高速铁路", "High-speed railway", "hsr"),
    "intercity": ("城际铁路", "Intercity railway", "intercity"),
    "rail": ("普速、市域铁路", "Conventional or suburban railway", "rail"),
}
"""Chinese, English and style of what is drawn of a network."""

LINK_CLASSES = {
    "county": "provincial",
    "urban": "provincial",
    "connector": "provincial",
    "conventional": "rail",
    "suburban": "rail",
    "metro": "rail",
    **{name: name for name in ("expressway", "national", "provincial", "hsr", "intercity")},
}
LINK_ORDER = ("provincial", "national", "expressway", "rail", "intercity", "hsr")
"""Drawn in this order, the last on top."""


@dataclass(frozen=True, slots=True)
class _TownStyle:
    text: str
    english: str
    marker: str
    face: str
    stroke: str

    def sign(self, size: float) -> PointStyle:
        return PointStyle((Mark(self.marker, size, self.face, self.stroke),))


_TOWNS = {
    "inside": _TownStyle("圈内", "Inside", "o", COLOURS["town"], COLOURS["paper"]),
    "borderline": _TownStyle(
        "临界（余量小于路网误差）",
        "Borderline (within its error)",
        "D",
        COLOURS["expressway"],
        COLOURS["ink"],
    ),
    "outside": _TownStyle("圈外", "Outside", "o", COLOURS["paper"], COLOURS["town"]),
    "unreachable": _TownStyle("不可达", "Not reachable", "X", COLOURS["paper"], COLOURS["town"]),
    "unsnapped": _TownStyle(
        "未接入路网", "Not on the network", "^", COLOURS["paper"], COLOURS["faint_ink"]
    ),
}
_DIRECTIONS = {"to": ("前往中心", "to the centre"), "from": ("自中心出发", "from the centre")}
_SEAT_KINDS = {"prefecture_seat", "county_seat"}
_SEAT_MM, _TOWN_MM = 1.7, 1.05


@dataclass
class CircleLayer:
    """A circle in the map's projection; made by :func:`make_circle`."""

    circle: Any
    bands: gpd.GeoDataFrame
    centres: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame | None
    links: gpd.GeoDataFrame
    limit: BaseGeometry
    notes: list[Remark] = field(default_factory=list)

    # What is told ---------------------------------------------------------------------------------

    @property
    def schematic(self) -> bool:
        """Tell whether the network is a skeleton."""
        return bool(self.circle.network.get("schematic", True))

    def title(self, lang: str = "zh") -> str:
        """Centres and minutes."""
        names = "、".join(self.centres["name"].astype(str))
        if lang == "en":
            return f"{self.circle.minutes:g}-minute commuting circle of {names}"
        return f"{names}{self.circle.minutes:g}分钟通勤圈"

    def heading(self, lang: str = "zh") -> str:
        """The circle's extent, or what the figure is."""
        extent = getattr(self.circle, "extent", None)
        plain = "Commuting circle" if lang == "en" else "通勤圈分析"
        return str(getattr(extent, "title", "")) or plain

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """What a map of the circle must show, metres."""
        both = np.vstack([self.bands.total_bounds, self.centres.total_bounds])
        west, south = both[:, :2].min(axis=0)
        east, north = both[:, 2:].max(axis=0)
        pad = 0.02 * max(east - west, north - south) + 500.0
        return (west - pad, south - pad, east + pad, north + pad)

    def entries(self, view: BaseGeometry) -> list[Entry]:
        """Give the legend of what stands in a window, under headings; the centre needs none."""
        way, way_en = _DIRECTIONS.get(str(self.circle.direction), ("", ""))
        net = ("路网（骨架）", "Network (skeleton)") if self.schematic else ("路网", "Network")
        groups = (
            ("", "", [Entry("通勤中心", style=STYLES["centre"], other="Centre")]),
            (f"{way}行程时间", f"Time {way_en}".strip(), self._band_entries()),
            ("城镇", "Towns", self._town_entries(view)),
            (*net, self._link_entries(view)),
        )
        listed: list[Entry] = []
        for heading, english, group in groups:
            if group and heading:
                listed.append(Entry(heading, heading=True, other=english))
            listed += group
        return listed

    def _band_entries(self) -> list[Entry]:
        made = [
            Entry(
                f"{low:g}–{high:g} 分钟",
                fill=colour,
                edge=COLOURS["county"],
                other=f"{low:g}–{high:g} min",
            )
            for low, high, colour, _ in self._drawn_bands()
        ]
        if not self.limit.is_empty:
            limit = f"{self.circle.minutes:g}"
            other = f"Limit of {limit} min"
            made.append(Entry(f"{limit} 分钟圈界", lines=("limit",), other=other))
        return made

    def _drawn_bands(self) -> list[tuple[float, float, str, BaseGeometry]]:
        return [
            (band.minutes_from, band.minutes_to, BANDS[min(row, len(BANDS) - 1)], band.geometry)
            for row, band in enumerate(self.bands.itertuples())
            if band.geometry is not None and not band.geometry.is_empty
        ]

    def _town_entries(self, view: BaseGeometry) -> list[Entry]:
        if self.towns is None:
            return []
        here = self._here(view)
        made = []
        for status, style in _TOWNS.items():
            count, seen = (int((one["drawn"] == status).sum()) for one in (self.towns, here))
            if seen:
                words = f"{count} 处" if seen == count else f"{count} 处，图内 {seen} 处"
                english = f"{count}" if seen == count else f"{count}, {seen} on the map"
                made.append(
                    Entry(
                        f"{style.text}（{words}）",
                        style=style.sign(_SEAT_MM),
                        other=f"{style.english} ({english})",
                    )
                )
        return made

    def _link_entries(self, view: BaseGeometry) -> list[Entry]:
        seen = self.links[shapely.intersects(self.links.geometry.to_numpy(), view)]
        made = []
        for line in reversed(LINK_ORDER):
            if (seen["line"] == line).any():
                words, english, style = LINK_KINDS[line]
                made.append(Entry(words, lines=(style,), other=english))
        return made

    def _here(self, view: BaseGeometry) -> gpd.GeoDataFrame:
        assert self.towns is not None
        inside = shapely.contains_xy(view, self.towns.geometry.x, self.towns.geometry.y)
        return self.towns[inside]

    def footer(self, view: BaseGeometry, lang: str = "zh") -> list[str]:
        """Give the small type below the legend."""
        about = self.circle.network
        english = lang == "en"
        rows = []
        if self.towns is not None:
            seats = self._here(view)["seat"]
            if seats.any() and not seats.all():
                rows.append(
                    "Large signs: seats; small ones: towns"
                    if english
                    else "大号符号为市县驻地，小号为城镇"
                )
        year, profile = about.get("year"), about.get("profile_title") or about.get("profile")
        if english:
            told = f"Network at the end of {year}" if year else "Network of no stated year"
            profile = about.get("profile") or "not stated"
            rows.append(f"{told}; speeds: {profile}")
        else:
            told = f"{year} 年末路网" if year else "路网年份未定"
            rows.append(f"{told}；速度方案：{profile or '未注明'}")
        return rows

    def times(self, lang: str = "zh") -> tuple[str, list[tuple[str, str]]]:
        """Seats within the circle, or all places where there is no seat, by their minutes."""
        towns = self.circle.towns
        if not len(towns) or "minutes" not in towns:
            return "", []
        inside = towns[towns["status"] == "inside"]
        seats = inside[inside["kind"].isin(_SEAT_KINDS)] if "kind" in inside else inside.iloc[:0]
        heading, english = (
            ("圈内市县驻地（分钟）", "Seats inside (minutes)")
            if len(seats)
            else ("圈内城镇（分钟）", "Towns inside (minutes)")
        )
        chosen = (seats if len(seats) else inside).sort_values(["minutes", "name"], kind="stable")
        rows = [
            (str(name), f"{minutes:.0f}")
            for name, minutes in zip(chosen["name"], chosen["minutes"], strict=True)
        ]
        return english if lang == "en" else heading, rows

    # Drawing --------------------------------------------------------------------------------------

    def draw(self, axes: Axes) -> None:
        """Draw bands below the boundaries, links and towns above them."""
        view = window(axes)
        for _, high, colour, shape in self._drawn_bands():
            fill(axes, shape, colour, 2.3, f"band:{high:g}")
        if not self.limit.is_empty:
            add_lines(axes, outlines([self.limit]), "limit", 4.5)
        seen = self.links[shapely.intersects(self.links.geometry.to_numpy(), view)]
        for order, line in enumerate(LINK_ORDER):
            chosen = seen[seen["line"] == line]
            if len(chosen):
                merged = shapely.line_merge(shapely.union_all(chosen.geometry.to_numpy()))
                add_lines(axes, shapely.intersection(merged, view), line, 5 + order / 10)
        if self.towns is not None:
            here = self._here(view)
            for status, style in _TOWNS.items():
                for seat in (False, True):
                    rows = here[(here["drawn"] == status) & (here["seat"] == seat)]
                    if len(rows):
                        draw_points(
                            axes,
                            np.column_stack([rows.geometry.x, rows.geometry.y]),
                            style.sign(_SEAT_MM if seat else _TOWN_MM),
                            zorder=20 + seat,
                            gid=f"towns:{status}",
                        )
        places = np.column_stack([self.centres.geometry.x, self.centres.geometry.y])
        centre = STYLES["centre"]
        assert isinstance(centre, PointStyle)
        draw_points(axes, places, centre, zorder=30, gid="centres")

    def symbols(self, axes: Axes) -> list[Symbol]:
        """Give centres, then towns, for labels to keep off."""
        made = [Symbol(c.geometry.x, c.geometry.y, 1.7, 30) for c in self.centres.itertuples()]
        if self.towns is not None:
            made += [
                Symbol(
                    town.geometry.x,
                    town.geometry.y,
                    (_SEAT_MM if town.seat else _TOWN_MM) / 2,
                    20 + town.seat,
                )
                for town in self._here(window(axes)).itertuples()
            ]
        return made

    @cached_property
    def lines(self) -> BaseGeometry:
        """The lines that names should rather not cover."""
        heavy = self.links[self.links["line"].isin(["expressway", "hsr", "intercity", "rail"])]
        if heavy.empty:
            return shapely.LineString()
        return shapely.union_all(heavy.geometry.to_numpy())

    def labels(self, axes: Axes, hidden: frozenset[int]) -> list[Label]:
        """Name centres, towns, expressways; what lies beneath another sign is not named."""
        labels: list[Label] = []
        named = set(self.centres["name"])
        for row, centre in enumerate(self.centres.itertuples()):
            labels.append(
                Label(
                    key=f"centre:{row}",
                    texts=(centre.name,),
                    x=centre.geometry.x,
                    y=centre.geometry.y,
                    radius=1.8,
                    size=SIZES["centre"],
                    weight="bold",
                    colour=COLOURS["centre"],
                    priority=0,
                    required=True,
                    leader=True,
                )
            )
        towns = self._here(window(axes)).itertuples() if self.towns is not None else ()
        for row, town in enumerate(towns):
            near = any(self.centres.distance(town.geometry) < 1000)
            if row + len(self.centres) in hidden or (town.name in named and near):
                continue
            chief = bool(town.seat) and town.drawn in ("inside", "borderline")
            labels.append(
                Label(
                    key=f"town:{row}",
                    texts=(town.name,),
                    x=town.geometry.x,
                    y=town.geometry.y,
                    radius=(_SEAT_MM if town.seat else _TOWN_MM) / 2 + 0.1,
                    size=SIZES["seat"] if town.seat else SIZES["town"],
                    weight="medium" if town.seat else "regular",
                    colour=COLOURS["ink"] if town.seat else COLOURS["soft_ink"],
                    priority=(1 if chief else 2) if town.seat else 4,
                    required=chief,
                    leader=chief,
                )
            )
        return labels + _road_numbers(self.links, window(axes))


def make_circle(circle: Any, crs: pyproj.CRS) -> CircleLayer:
    """Project a circle's tables.

    Raises
    ------
    InputError
        If it has no centre, no band, or a town a status that is not known.
    CRSError
        If a table has no CRS.
    """
    bands = circle_bands(circle)
    towns = None
    if len(circle.towns):
        towns = projected(circle.towns, "towns of the circle", crs)
        seat = pd.Series(False, towns.index)
        if "kind" in towns:
            seat = towns["kind"].isin(_SEAT_KINDS)
        towns = towns.assign(drawn=town_verdicts(towns), seat=seat)
    links = circle.net.links
    require_crs(links, "links of the network")
    links = links[links["class"].isin(LINK_CLASSES)].to_crs(crs)
    links = links.assign(line=links["class"].astype(str).map(LINK_CLASSES))
    return CircleLayer(
        circle,
        projected(bands, "bands of the circle", crs),
        _centres(circle, crs),
        towns,
        links,
        gpd.GeoSeries([circle.polygon], crs=WGS84).to_crs(crs).iloc[0],
    )


def circle_bands(circle: Any) -> gpd.GeoDataFrame:
    """Give a circle's bands, EPSG:4326, after checking that there is something to draw.

    Raises
    ------
    InputError
        If there is no centre or band.
    """
    if not len(circle.centres):
        raise InputError("The commuting circle has no centre; there is nothing to draw.")
    require_crs(circle.bands, "bands of the circle")
    if circle.bands.empty or circle.bands.geometry.is_empty.all():
        raise InputError(
            "The commuting circle has no band, so nothing can be drawn. Does the network reach "
            "its centre?"
        )
    return circle.bands.to_crs(WGS84).sort_values("minutes_from")


def _centres(circle: Any, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    if isinstance(circle.centres, gpd.GeoDataFrame):
        return projected(circle.centres, "centres of the circle", crs)
    frame = gpd.GeoDataFrame(
        {"name": [str(centre.name) for centre in circle.centres]},
        geometry=gpd.points_from_xy(
            [centre.lon for centre in circle.centres], [centre.lat for centre in circle.centres]
        ),
        crs=WGS84,
    )
    return projected(frame, "centres of the circle", crs)


def _road_numbers(links: gpd.GeoDataFrame, view: BaseGeometry) -> list[Label]:
    """Expressway numbers, each on the longest run of its road within the window."""
    roads = links[(links["class"] == "expressway") & (links["ref"].fillna("") != "")]
    roads = roads[shapely.intersects(roads.geometry.to_numpy(), view)]
    labels = []
    first = roads["ref"].astype(str).str.split(";").str[0]  # a shared stretch bears several
    for ref, group in roads.groupby(first, sort=True):
        whole = shapely.intersection(shapely.union_all(group.geometry.to_numpy()), view)
        run = longest_run(whole)
        if run is None:
            # It only touches the window.
            continue
        spots = spots_along(run)
        labels.append(
            Label(
                key=f"road:{ref}",
                texts=(str(ref),),
                x=spots[0][0],
                y=spots[0][1],
                size=SIZES["shield"],
                weight="medium",
                colour=COLOURS["expressway_case"],
                priority=3,
                spots=spots,
                badge=COLOURS["expressway"],
            )
        )
    return labels
