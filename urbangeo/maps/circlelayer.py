"""A commuting circle as a layer: bands of time, the network, towns by status, its centres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from urbangeo.crs import WGS84, require_crs
from urbangeo.errors import InputError
from urbangeo.maps.drawing import add_lines, draw_points, fill, window
from urbangeo.maps.labels import Label
from urbangeo.maps.layers import Symbol
from urbangeo.maps.legend import Entry
from urbangeo.maps.netsources import town_verdicts
from urbangeo.maps.shapes import outlines, projected
from urbangeo.maps.style import BANDS, COLOURS, SIZES
from urbangeo.maps.symbols import STYLES, Mark, PointStyle

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

__all__ = ["CircleLayer", "make_circle"]

_ROADS = {
    "expressway": ("高速公路", "expressway"),
    "national": ("普通国道", "national"),
    "provincial": ("省道及以下公路", "provincial"),
    "county": ("省道及以下公路", "provincial"),
    "urban": ("省道及以下公路", "provincial"),
    "connector": ("省道及以下公路", "provincial"),
}
_RAILS = {
    "hsr": ("高速铁路", "hsr"),
    "intercity": ("城际铁路", "intercity"),
    "conventional": ("普速、市域铁路", "rail"),
    "suburban": ("普速、市域铁路", "rail"),
    "metro": ("普速、市域铁路", "rail"),
}
_DRAWN_ORDER = ("省道及以下公路", "普通国道", "高速公路", "普速、市域铁路", "城际铁路", "高速铁路")
_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)


@dataclass(frozen=True, slots=True)
class _TownStyle:
    text: str
    marker: str
    face: str
    stroke: str

    def sign(self, size: float) -> PointStyle:
        return PointStyle((Mark(self.marker, size, self.face, self.stroke),))


_TOWNS = {
    "inside": _TownStyle("圈内", "o", COLOURS["town"], COLOURS["paper"]),
    "borderline": _TownStyle(
        "临界（余量小于路网误差）", "D", COLOURS["expressway"], COLOURS["ink"]
    ),
    "outside": _TownStyle("圈外", "o", COLOURS["paper"], COLOURS["town"]),
    "unreachable": _TownStyle("不可达", "X", COLOURS["paper"], COLOURS["town"]),
    "unsnapped": _TownStyle("未接入路网", "^", COLOURS["paper"], COLOURS["faint_ink"]),
}
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
    notes: list[str] = field(default_factory=list)

    # What is told ---------------------------------------------------------------------------------

    @property
    def schematic(self) -> bool:
        """Tell whether the network is a skeleton."""
        return bool(self.circle.network.get("schematic", True))

    @property
    def title(self) -> str:
        """Centres and minutes."""
        names = "、".join(self.centres["name"].astype(str))
        return f"{names}{self.circle.minutes:g}分钟通勤圈"

    @property
    def heading(self) -> str:
        """The circle's extent, or what the figure is."""
        extent = getattr(self.circle, "extent", None)
        return str(getattr(extent, "title", "")) or "通勤圈分析"

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
        groups: dict[str, list[Entry]] = {
            "": [Entry("通勤中心", style=STYLES["centre"])],
            f"{_direction(self.circle)}行程时间": self._band_entries(),
            "城镇": self._town_entries(view),
            "路网（骨架）" if self.schematic else "路网": self._link_entries(view),
        }
        listed: list[Entry] = []
        for heading, group in groups.items():
            if group and heading:
                listed.append(Entry(heading, heading=True))
            listed += group
        return listed

    def _band_entries(self) -> list[Entry]:
        made = [
            Entry(f"{low:g}–{high:g} 分钟", fill=colour, edge=COLOURS["county"])
            for low, high, colour, _ in self._drawn_bands()
        ]
        if not self.limit.is_empty:
            made.append(Entry(f"{self.circle.minutes:g} 分钟圈界", lines=("limit",)))
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
                made.append(Entry(f"{style.text}（{words}）", style=style.sign(_SEAT_MM)))
        return made

    def _link_entries(self, view: BaseGeometry) -> list[Entry]:
        seen = self.links[shapely.intersects(self.links.geometry.to_numpy(), view)]
        made = []
        for words in reversed(_DRAWN_ORDER):
            chosen = seen[seen["words"] == words]
            if len(chosen):
                made.append(Entry(words, lines=(str(chosen["line"].iloc[0]),)))
        return made

    def _here(self, view: BaseGeometry) -> gpd.GeoDataFrame:
        assert self.towns is not None
        inside = shapely.contains_xy(view, self.towns.geometry.x, self.towns.geometry.y)
        return self.towns[inside]

    def footer(self, view: BaseGeometry) -> list[str]:
        """Give the small type below the legend."""
        about = self.circle.network
        rows = []
        if self.towns is not None:
            seats = self._here(view)["seat"]
            if seats.any() and not seats.all():
                rows.append("大号符号为市县驻地，小号为城镇")
        year = f"{about['year']} 年末路网" if about.get("year") else "路网年份未定"
        profile = about.get("profile_title") or about.get("profile") or "未注明"
        rows.append(f"{year}；速度方案：{profile}")
        return rows

    def times(self) -> tuple[str, list[tuple[str, str]]]:
        """Seats within the circle, or all places where there is no seat, by their minutes."""
        towns = self.circle.towns
        if not len(towns) or "minutes" not in towns:
            return "", []
        inside = towns[towns["status"] == "inside"]
        seats = inside[inside["kind"].isin(_SEAT_KINDS)] if "kind" in inside else inside.iloc[:0]
        heading = "圈内市县驻地（分钟）" if len(seats) else "圈内城镇（分钟）"
        chosen = (seats if len(seats) else inside).sort_values(["minutes", "name"], kind="stable")
        rows = [
            (str(name), f"{minutes:.0f}")
            for name, minutes in zip(chosen["name"], chosen["minutes"], strict=True)
        ]
        return heading, rows

    def note(self, boundaries: str) -> list[str]:
        """Tell what the circle rests on, and where it is from."""
        about = self.circle.network
        words = ""
        if self.schematic:
            words += "示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。"
        words += (
            "城镇是否在圈内由门到门行程时间判定，圈界仅为其图示；通勤圈是通勤联系的替代指标，"
            "不等于实际通勤流。"
        )
        data = [str(one) for one in about.get("attribution", []) if one]
        source = f"数据：行政区划界线 {boundaries}"
        if data:
            source += f"；路网 {'、'.join(data)}"
        if about.get("digest"):
            source += f"；路网校验码 {str(about['digest'])[:12]}"
        return [words, f"{source}。"]

    # Drawing --------------------------------------------------------------------------------------

    def draw(self, axes: Axes) -> None:
        """Draw bands below the boundaries, links and towns above them."""
        view = window(axes)
        for _, high, colour, shape in self._drawn_bands():
            fill(axes, shape, colour, 2.3, f"band:{high:g}")
        if not self.limit.is_empty:
            add_lines(axes, outlines([self.limit]), "limit", 4.5)
        seen = self.links[shapely.intersects(self.links.geometry.to_numpy(), view)]
        for order, words in enumerate(_DRAWN_ORDER):
            chosen = seen[seen["words"] == words]
            if len(chosen):
                merged = shapely.line_merge(shapely.union_all(chosen.geometry.to_numpy()))
                name = str(chosen["line"].iloc[0])
                add_lines(axes, shapely.intersection(merged, view), name, 5 + order / 10)
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

    def lines(self) -> BaseGeometry:
        """Give the lines that names should rather not cover."""
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
    known = {**_ROADS, **_RAILS}
    links = circle.net.links
    require_crs(links, "links of the network")
    links = links[links["class"].isin(known)].to_crs(crs)
    links = links.assign(
        words=[known[c][0] for c in links["class"]], line=[known[c][1] for c in links["class"]]
    )
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


def _direction(circle: Any) -> str:
    return {"to": "前往中心", "from": "自中心出发"}.get(str(circle.direction), "")


def _road_numbers(links: gpd.GeoDataFrame, view: BaseGeometry) -> list[Label]:
    """Expressway numbers, each on the longest run of its road within the window."""
    roads = links[(links["class"] == "expressway") & (links["ref"].fillna("") != "")]
    roads = roads[shapely.intersects(roads.geometry.to_numpy(), view)]
    labels = []
    first = roads["ref"].astype(str).str.split(";").str[0]  # a shared stretch bears several
    for ref, group in roads.groupby(first, sort=True):
        runs = shapely.get_parts(
            shapely.line_merge(
                shapely.intersection(shapely.union_all(group.geometry.to_numpy()), view)
            )
        )
        run = runs[int(np.argmax(shapely.length(runs)))]
        spots = shapely.get_coordinates(
            shapely.line_interpolate_point(run, _SHARES, normalized=True)
        )
        labels.append(
            Label(
                key=f"road:{ref}",
                texts=(str(ref),),
                x=float(spots[0, 0]),
                y=float(spots[0, 1]),
                size=SIZES["shield"],
                weight="medium",
                colour=COLOURS["expressway_case"],
                priority=3,
                spots=tuple(map(tuple, spots.tolist())),
                badge=COLOURS["expressway"],
            )
        )
    return labels
