"""The figures: one small function each, made of layers, lines, labels and furniture.

Nothing here knows a region. What is drawn comes in as tables and geometries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib.patches import PathPatch
from matplotlib.path import Path as DrawnPath

from urbangeo._version import __version__
from urbangeo.crs import WGS84, equal_area, require_crs
from urbangeo.errors import InputError
from urbangeo.maps.furniture import (
    Entry,
    Sheet,
    add_inset,
    add_legend,
    add_list,
    add_north_arrow,
    add_note,
    add_title,
    draw_line,
    new_sheet,
)
from urbangeo.maps.labels import Label, has_room, place, to_page, write
from urbangeo.maps.style import BANDS, COLOURS, LINES, SIZES, points, settings

if TYPE_CHECKING:
    import pyproj
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely.geometry.base import BaseGeometry

__all__ = ["draw_circle", "draw_extent"]

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


@dataclass(frozen=True, slots=True)
class _TownStyle:
    text: str
    marker: str
    face: str
    stroke: str


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
_TOGETHER = 50.0
"""Lines no farther apart than this many metres are one line of two editions."""
_SEAT_MM, _TOWN_MM = 1.7, 1.05


# --- Shared pieces ------------------------------------------------------------------------------


def _projected(frame: gpd.GeoDataFrame, what: str, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    require_crs(frame, what)
    if frame.empty:
        raise InputError(f"{what} is empty, so that there is nothing to draw. Give one with rows.")
    return _densified(frame).to_crs(crs)


def _densified(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give long edges more vertices, because a projection bends what is straight in degrees."""
    if not frame.crs.is_geographic:
        return frame
    return frame.set_geometry(shapely.segmentize(frame.geometry.to_numpy(), 0.05), crs=frame.crs)


def _dissolved(frame: gpd.GeoDataFrame, crs: pyproj.CRS) -> BaseGeometry:
    """Dissolve polygons and project the result.

    Before and not after projecting: where a corner of one polygon lies on the edge of another,
    projecting would part the two and leave slits.
    """
    grid = 1e-7 if frame.crs.is_geographic else 0.01
    whole = shapely.union_all(frame.geometry.to_numpy(), grid_size=grid)
    one = gpd.GeoDataFrame(geometry=[whole], crs=frame.crs)
    return _densified(one).to_crs(crs).geometry.iloc[0]


def _outlines(geometries: Iterable[BaseGeometry]) -> BaseGeometry:
    """Edges of polygons, each shared edge once, so that dashes do not run over each other."""
    edges = [shapely.boundary(shape) for shape in geometries]
    # To the metre: edges of two polygons are one where only rounding parts them.
    return shapely.line_merge(shapely.union_all(edges, grid_size=1.0))


def _without(lines: BaseGeometry, others: BaseGeometry, near: float) -> BaseGeometry:
    """Lines without what runs along others, of which a less detailed edition may lie beside."""
    if others.is_empty:
        return lines
    return shapely.line_merge(shapely.difference(lines, shapely.buffer(others, near, quad_segs=2)))


def _add_lines(axes: Axes, geometry: BaseGeometry, name: str, zorder: float) -> None:
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) == 1:
            draw_line(
                axes, shapely.get_coordinates(part), LINES[name], zorder=zorder, gid=f"line:{name}"
            )


def _path(geometry: BaseGeometry) -> DrawnPath:
    """Turn polygons with holes into one path."""
    rings: list[np.ndarray] = []
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) == 2:
            whole = shapely.geometry.polygon.orient(part)
            rings += [np.asarray(ring.coords)[:, :2] for ring in (whole.exterior, *whole.interiors)]
    codes = []
    for ring in rings:
        steps = np.full(len(ring), DrawnPath.LINETO, dtype=DrawnPath.code_type)
        steps[0], steps[-1] = DrawnPath.MOVETO, DrawnPath.CLOSEPOLY
        codes.append(steps)
    if not rings:
        return DrawnPath(np.empty((0, 2)))
    return DrawnPath(np.vstack(rings), np.concatenate(codes))


def _fill(axes: Axes, geometry: BaseGeometry, colour: str, zorder: float, gid: str) -> PathPatch:
    patch = PathPatch(_path(geometry), facecolor=colour, edgecolor="none", zorder=zorder, gid=gid)
    axes.add_patch(patch)
    return patch


def _stroke_inside(axes: Axes, geometry: BaseGeometry, name: str, zorder: float) -> None:
    """Draw an outline on the inner side only, so that it leaves room for a line along it."""
    style = LINES[name]
    patch = PathPatch(
        _path(geometry),
        facecolor="none",
        edgecolor=style.colour,
        linewidth=2 * points(style.width),
        joinstyle="round",
        zorder=zorder,
        gid=f"line:{name}",
    )
    axes.add_patch(patch)
    patch.set_clip_path(_path(geometry), axes.transData)


def _attributions(frames: Iterable[gpd.GeoDataFrame | None]) -> str:
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


def _wrapped(name: str) -> tuple[str, ...]:
    """Ways to write a name: whole; a long one also in two lines, broken after 族 if it can be."""
    if len(name) < 6:
        return (name,)
    middle = len(name) / 2
    breaks = [i + 1 for i, character in enumerate(name[:-1]) if character == "族"]
    cut = min(breaks or [round(middle)], key=lambda i: (abs(i - middle), -i))
    return (name, f"{name[:cut]}\n{name[cut:]}")


def _middle(geometry: BaseGeometry) -> tuple[float, float]:
    point = shapely.get_coordinates(shapely.point_on_surface(geometry))[0]
    return float(point[0]), float(point[1])


def _window(axes: Axes) -> BaseGeometry:
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    return shapely.box(west, south, east, north)


def _on_map(sheet: Sheet, part: tuple[float, float, float, float]) -> BaseGeometry:
    """Turn a box of the page into the map's metres."""
    (west, east), (south, north) = sheet.map.get_xlim(), sheet.map.get_ylim()
    left, bottom, right, top = part
    across, up = (east - west), (north - south)
    width, height = sheet.frame[2] - sheet.frame[0], sheet.frame[3] - sheet.frame[1]
    return shapely.box(
        west + (left - sheet.frame[0]) / width * across,
        south + (bottom - sheet.frame[1]) / height * up,
        west + (right - sheet.frame[0]) / width * across,
        south + (top - sheet.frame[1]) / height * up,
    )


# --- The extent of a plan -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Ground:
    """Boundaries in the map's projection."""

    counties: gpd.GeoDataFrame
    members: gpd.GeoDataFrame
    outline: BaseGeometry
    province: BaseGeometry
    county_lines: BaseGeometry
    prefecture_lines: BaseGeometry
    province_lines: BaseGeometry
    surroundings: gpd.GeoDataFrame | None


def draw_extent(
    extent: Any,
    *,
    counties: gpd.GeoDataFrame,
    prefectures: gpd.GeoDataFrame,
    province: gpd.GeoDataFrame,
    surroundings: gpd.GeoDataFrame | None = None,
    heading: str = "",
    title: str = "规划范围图",
    number: str = "",
    source: str = "",
    page: str = "A4",
    kilometres: float | None = None,
    approval: str | None = None,
) -> Figure:
    """Draw the extent of a plan: its members named, within the boundaries of three levels.

    Parameters
    ----------
    extent
        Anything with ``adcodes`` (codes of the member counties) and ``title``, such as
        :class:`urbangeo.plans.Extent`.
    counties
        ``adcode``, ``name``, ``short_name``, ``prefecture`` and polygons; members and others.
    prefectures, province
        Polygons with ``name``.
    surroundings
        Polygons with ``name`` beyond the province, or None.
    heading, title, number
        Name of the plan, of the figure, and its number, as printed.
    source
        What the note names as the source of the extent.
    page
        ``"A4"`` or ``"A3"``, landscape.
    kilometres
        Length of the scale bar; by default a round one that fits.
    approval
        Map-approval number (审图号), if the map has one.

    Returns
    -------
    matplotlib.figure.Figure
        With its own canvas; save it with :func:`urbangeo.maps.save`.

    Raises
    ------
    InputError
        If a table is empty or members are missing from ``counties``.
    CRSError
        If a table has no CRS.
    """
    adcodes = [str(code) for code in extent.adcodes]
    if not adcodes:
        raise InputError(f"The extent {extent.title!r} has no member, so there is nothing to draw.")
    missing = sorted(set(adcodes) - set(counties["adcode"].astype(str)))
    if missing:
        raise InputError(
            f"The boundaries of {len(missing)} member(s) of {extent.title!r} are missing from "
            f"counties: {', '.join(missing)}. Give boundaries of the extent's vintage."
        )
    require_crs(counties, "counties")
    inside = counties[counties["adcode"].isin(adcodes)].to_crs(WGS84)
    crs = equal_area(inside.total_bounds)
    with settings():
        ground = _ground(adcodes, counties, prefectures, province, surroundings, crs)
        whole = shapely.union_all([ground.province, ground.outline])
        sheet = new_sheet(shapely.bounds(whole), crs, page=page, note_rows=2)
        add_title(sheet, heading or extent.title, title, number)
        _draw_ground(sheet.map, ground)
        entries = [
            Entry("省域边界", lines=("province_band", "province")),
            Entry("规划范围边界", lines=("extent",), fill=COLOURS["member"]),
            Entry("市域边界", lines=("prefecture",)),
            Entry("县域边界", lines=("county",)),
        ]
        legend = add_legend(sheet, entries, kilometres=kilometres)
        add_north_arrow(sheet)
        note = f"资料来源：{source or extent.title}；行政区划界线："
        note += f"{_attributions((counties, prefectures, province, surroundings))}。"
        add_note(sheet, [note, _closing_note(sheet, approval)])
        crowded = _crowded(sheet, ground)
        if len(crowded) and not _draw_inset(sheet, ground, crowded, legend[3]):
            crowded = crowded.iloc[:0]
        _name_extent(sheet, ground, crowded)
    return sheet.figure


def _ground(
    adcodes: Sequence[str],
    counties: gpd.GeoDataFrame,
    prefectures: gpd.GeoDataFrame,
    province: gpd.GeoDataFrame,
    surroundings: gpd.GeoDataFrame | None,
    crs: pyproj.CRS,
) -> _Ground:
    units = _projected(counties, "counties", crs)
    cities = _projected(prefectures, "prefectures", crs)
    whole = _projected(province, "province", crs)
    chosen = units["adcode"].isin(adcodes)
    members = units[chosen].reset_index(drop=True)
    county_lines = _outlines(units.geometry)
    city_lines = _outlines(cities.geometry)
    province_lines = _outlines(whole.geometry)
    outline = _dissolved(counties[chosen.to_numpy()], crs)
    # Where lines of two ranks run together the higher one is drawn alone.
    higher = shapely.union_all([province_lines, outline.boundary])
    city_lines = _without(city_lines, higher, _TOGETHER)
    higher = shapely.union_all([city_lines, higher])
    county_lines = _without(county_lines, higher, _TOGETHER)
    return _Ground(
        units,
        members,
        outline,
        _dissolved(province, crs),
        county_lines,
        city_lines,
        province_lines,
        None if surroundings is None else _nearby(surroundings, units.total_bounds, crs),
    )


def _nearby(
    surroundings: gpd.GeoDataFrame, bounds: Sequence[float], crs: pyproj.CRS
) -> gpd.GeoDataFrame:
    """Surroundings as far as a map of the bounds can show them; the rest is not projected."""
    west, south, east, north = bounds
    reach = max(east - west, north - south)
    frame = shapely.box(west - reach, south - reach, east + reach, north + reach)
    around = gpd.GeoSeries([frame], crs=crs).to_crs(WGS84).envelope.iloc[0]
    require_crs(surroundings, "surroundings")
    near = surroundings.to_crs(WGS84)
    near = near[near.intersects(around)]
    near = near.set_geometry(shapely.intersection(near.geometry.to_numpy(), around), crs=WGS84)
    return near.to_crs(crs)


def _draw_ground(axes: Axes, ground: _Ground) -> None:
    if ground.surroundings is not None:
        _add_lines(axes, _outlines(ground.surroundings.geometry), "beyond", 1.5)
    _add_lines(axes, ground.province_lines, "province_band", 2)
    _fill(axes, ground.province, COLOURS["land"], 2.5, "land")
    _fill(axes, ground.outline, COLOURS["member"], 2.6, "member")
    _add_lines(axes, ground.county_lines, "county", 3)
    _add_lines(axes, ground.prefecture_lines, "prefecture", 4)
    _stroke_inside(axes, ground.outline, "extent", 5)
    _add_lines(axes, ground.province_lines, "province", 6)


def _crowded(sheet: Sheet, ground: _Ground) -> gpd.GeoDataFrame:
    """Find the largest group of members side by side that are too small for their names."""
    members = ground.members
    tight = [not has_room(sheet.map, _county_label(row, True)) for row in members.itertuples()]
    small = members[tight]
    groups: list[set[int]] = []
    for row, shape in zip(small.index.tolist(), small.geometry, strict=True):
        touching = [g for g in groups if small.loc[sorted(g)].distance(shape).min() < 1.0]
        groups = [g for g in groups if g not in touching]
        groups.append({row}.union(*touching))
    largest = max(groups, key=lambda g: (len(g), -min(g)), default=set())
    return members.loc[sorted(largest)] if len(largest) > 1 else members.iloc[:0]


def _county_label(county: Any, member: bool) -> Label:
    x, y = _middle(county.geometry)
    return Label(
        key=str(county.adcode),
        texts=(*_wrapped(county.name), county.short_name) if member else (county.short_name,),
        x=x,
        y=y,
        area=county.geometry,
        size=SIZES["member"] if member else SIZES["neighbour"],
        weight="medium" if member else "regular",
        colour=COLOURS["ink"] if member else COLOURS["faint_ink"],
        halo=COLOURS["member"] if member else COLOURS["land"],
        priority=0 if member else 3,
        required=member,
        leader=member,
    )


def _draw_inset(sheet: Sheet, ground: _Ground, crowded: gpd.GeoDataFrame, floor: float) -> bool:
    """Enlarge a crowded part in the column; tell whether the column had room to enlarge it."""
    west, south, east, north = crowded.total_bounds
    pad = 0.04 * max(east - west, north - south)
    bounds = (west - pad, south - pad, east + pad, north + pad)
    towns = crowded["prefecture"].unique() if "prefecture" in crowded else []
    name = str(towns[0]) if len(towns) == 1 else ""
    top = sheet.frame[3] - 21.0
    inset = add_inset(sheet, bounds, title=f"{name}局部放大", bottom=floor + 2.5, top=top)
    if inset is None:
        return False
    axes = inset
    _draw_ground(axes, ground)
    window = _window(axes)
    labels = []
    chiefs, members = set(crowded["adcode"]), set(ground.members["adcode"])
    for _, county in ground.counties.iterrows():
        visible = shapely.intersection(county.geometry, window)
        if visible.is_empty or visible.area < 0.03 * window.area:
            continue
        chief, member = county["adcode"] in chiefs, county["adcode"] in members
        x, y = _middle(visible)
        labels.append(
            Label(
                key=str(county["adcode"]),
                texts=_wrapped(str(county["name"])),
                x=x,
                y=y,
                area=visible,
                size=SIZES["member_inset"] if member else SIZES["neighbour"],
                weight="medium" if member else "regular",
                colour=COLOURS["ink"] if member else COLOURS["faint_ink"],
                halo=COLOURS["member"] if member else COLOURS["land"],
                priority=0 if chief else 1,
                required=chief,
                leader=chief,
            )
        )
    lines = shapely.union_all(
        [ground.county_lines, ground.prefecture_lines, ground.outline.boundary]
    )
    write(axes, place(axes, labels, lines=shapely.intersection(lines, window)))
    return True


def _enlarged(ground: _Ground, crowded: gpd.GeoDataFrame) -> set[str]:
    """Codes of the counties that are named in the inset alone: those mostly within its window."""
    if crowded.empty:
        return set()
    window = shapely.box(*crowded.total_bounds)
    share = ground.counties.intersection(window).area / ground.counties.area
    return {*crowded["adcode"], *ground.counties.loc[share > 0.5, "adcode"]}


def _window_edges(axes: Axes) -> list[tuple[float, float, float, float]]:
    """Give the four sides of the inset's window on the page, as thin boxes."""
    boxes = []
    for patch in axes.patches:
        if patch.get_gid() == "inset_window":
            corners = to_page(
                axes, patch.get_path().transformed(patch.get_patch_transform()).vertices
            )
            (left, bottom), (right, top) = corners.min(axis=0), corners.max(axis=0)
            boxes += [
                (left, bottom, left, top),
                (right, bottom, right, top),
                (left, bottom, right, bottom),
                (left, top, right, top),
            ]
    return boxes


def _name_extent(sheet: Sheet, ground: _Ground, crowded: gpd.GeoDataFrame) -> None:
    axes = sheet.map
    window = _window(axes)
    enlarged = _enlarged(ground, crowded)
    members = set(ground.members["adcode"])
    labels = []
    for county in ground.counties.itertuples():
        if county.adcode in enlarged:
            continue
        labels.append(_county_label(county, county.adcode in members))
    if ground.surroundings is not None:
        hidden = shapely.union_all([_on_map(sheet, part) for part in sheet.keep_off])
        for row, unit in ground.surroundings.iterrows():
            area = shapely.intersection(unit.geometry, window)
            area = shapely.difference(area, shapely.union(ground.province, hidden))
            if area.is_empty:
                continue
            x, y = _middle(area)
            labels.append(
                Label(
                    key=f"surroundings:{row}",
                    texts=(" ".join(str(unit["name"])), str(unit["name"])),
                    x=x,
                    y=y,
                    area=area,
                    size=SIZES["region"],
                    colour=COLOURS["faint_ink"],
                    halo=COLOURS["ground"],
                    priority=5,
                )
            )
    lines = shapely.union_all(
        [
            ground.county_lines,
            ground.prefecture_lines,
            ground.province_lines,
            ground.outline.boundary,
        ]
    )
    keep_off = [*sheet.keep_off, *_window_edges(axes)]
    placement = place(axes, labels, keep_off=keep_off, lines=lines)
    lost = [label.texts[0] for label in placement.left_out if label.required]
    if lost:
        raise InputError(f"There is no room for the names of {', '.join(lost)}; use a larger page.")
    write(axes, placement)


# --- A commuting circle -------------------------------------------------------------------------


def draw_circle(
    circle: Any,
    *,
    counties: gpd.GeoDataFrame,
    province: gpd.GeoDataFrame,
    heading: str = "",
    title: str = "",
    number: str = "",
    page: str = "A4",
    approval: str | None = None,
) -> Figure:
    """Draw a commuting circle: bands of travel time, towns by status, the network beneath.

    Parameters
    ----------
    circle
        A :class:`urbangeo.access.circle.CommutingCircle`, or anything with its ``centres``,
        ``minutes``, ``direction``, ``towns``, ``bands``, ``polygon``, ``network`` and
        ``net``.
    counties
        ``adcode``, ``name`` and polygons.
    province
        Polygons with ``name``.
    heading, title, number
        By default made from the circle. What rests on a schematic network is called 示意图.
    page
        ``"A4"`` or ``"A3"``, landscape.
    approval
        Map-approval number (审图号), if the map has one.

    Returns
    -------
    matplotlib.figure.Figure
        With its own canvas; save it with :func:`urbangeo.maps.save`.

    Raises
    ------
    InputError
        If the circle has no centre, no band, or a town a status that is not known.
    CRSError
        If a table has no CRS.
    """
    if not len(circle.centres):
        raise InputError("The commuting circle has no centre; there is nothing to draw.")
    require_crs(circle.bands, "bands of the circle")
    if circle.bands.empty or circle.bands.geometry.is_empty.all():
        raise InputError(
            "The commuting circle has no band, so nothing can be drawn. Does the network reach "
            "its centre?"
        )
    bands = circle.bands.to_crs(WGS84).sort_values("minutes_from")
    crs = equal_area(bands.total_bounds)
    schematic = bool(circle.network.get("schematic", True))
    names = "、".join(_centres(circle, crs)["name"].astype(str))
    title = title or f"{names}{circle.minutes:g}分钟通勤圈"
    if schematic and "示意" not in title:
        title += "示意图"
    with settings():
        bands = _projected(bands, "bands of the circle", crs)
        centres = _centres(circle, crs)
        units = _projected(counties, "counties", crs)
        whole = _projected(province, "province", crs)
        sheet = new_sheet(_circle_bounds(bands, centres), crs, page=page, panel=True, note_rows=3)
        window = _window(sheet.map)
        towns = _projected(circle.towns, "towns of the circle", crs) if len(circle.towns) else None
        add_title(sheet, heading or _circle_heading(circle), title, number)
        entries = _draw_bands(sheet.map, bands, units, whole, circle, crs)
        links = _draw_network(sheet.map, circle.net, window, crs, entries)
        shown = _draw_towns(sheet.map, towns, window, entries)
        _draw_centres(sheet.map, centres, entries)
        footer = _circle_footer(circle, shown)
        legend = add_legend(sheet, _grouped(entries), footer=footer)
        title_of_list, rows = _times_of_seats(circle)
        add_list(sheet, title_of_list, rows, bottom=legend[3])
        add_north_arrow(sheet)
        add_note(
            sheet,
            [
                *_circle_note(circle, (counties, province), schematic),
                _closing_note(sheet, approval),
            ],
        )
        _name_circle(sheet, centres, shown, links)
    return sheet.figure


def _centres(circle: Any, crs: pyproj.CRS) -> gpd.GeoDataFrame:
    if isinstance(circle.centres, gpd.GeoDataFrame):
        return _projected(circle.centres, "centres of the circle", crs)
    frame = gpd.GeoDataFrame(
        {"name": [str(centre.name) for centre in circle.centres]},
        geometry=gpd.points_from_xy(
            [centre.lon for centre in circle.centres], [centre.lat for centre in circle.centres]
        ),
        crs=WGS84,
    )
    return _projected(frame, "centres of the circle", crs)


def _circle_bounds(bands: gpd.GeoDataFrame, centres: gpd.GeoDataFrame) -> tuple[float, ...]:
    both = np.vstack([bands.total_bounds, centres.total_bounds])
    west, south = both[:, :2].min(axis=0)
    east, north = both[:, 2:].max(axis=0)
    pad = 0.02 * max(east - west, north - south) + 500.0
    return (west - pad, south - pad, east + pad, north + pad)


def _circle_heading(circle: Any) -> str:
    extent = getattr(circle, "extent", None)
    title = str(getattr(extent, "title", ""))
    return title or "通勤圈分析"


def _draw_bands(
    axes: Axes,
    bands: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    whole: gpd.GeoDataFrame,
    circle: Any,
    crs: pyproj.CRS,
) -> dict[str, list[Entry]]:
    """Draw land, bands and boundaries; give the entries of the legend by group."""
    entries: dict[str, list[Entry]] = {
        "中心": [],
        f"{_direction(circle)}行程时间": [],
        "城镇": [],
        "路网（骨架）": [],
        "界线": [],
    }
    if not circle.network.get("schematic", True):
        entries["路网"] = entries.pop("路网（骨架）")
        entries["界线"] = entries.pop("界线")
    land = _dissolved(whole, crs)
    province_lines = _outlines(whole.geometry)
    county_lines = _without(_outlines(units.geometry), province_lines, _TOGETHER)
    _add_lines(axes, province_lines, "province_band", 2)
    _fill(axes, land, COLOURS["land"], 2.1, "land")
    group = entries[f"{_direction(circle)}行程时间"]
    for row, band in enumerate(bands.itertuples()):
        if band.geometry is None or band.geometry.is_empty:
            continue
        colour = BANDS[min(row, len(BANDS) - 1)]
        _fill(axes, band.geometry, colour, 2.3, f"band:{band.minutes_to:g}")
        words = f"{band.minutes_from:g}–{band.minutes_to:g} 分钟"
        group.append(Entry(words, fill=colour, edge=COLOURS["county"]))
    limit = gpd.GeoSeries([circle.polygon], crs=WGS84).to_crs(crs).iloc[0]
    if not limit.is_empty:
        _add_lines(axes, _outlines([limit]), "limit", 4.5)
        group.append(Entry(f"{circle.minutes:g} 分钟圈界", lines=("limit",)))
    _add_lines(axes, county_lines, "county_among_roads", 3)
    _add_lines(axes, province_lines, "province", 3.5)
    window = _window(axes)
    if shapely.intersects(province_lines, window):
        entries["界线"].append(Entry("省域边界", lines=("province_band", "province")))
    if shapely.intersects(county_lines, window):
        entries["界线"].append(Entry("县域边界", lines=("county_among_roads",)))
    return entries


def _direction(circle: Any) -> str:
    return {"to": "前往中心", "from": "自中心出发"}.get(str(circle.direction), "")


def _draw_network(
    axes: Axes,
    net: Any,
    window: BaseGeometry,
    crs: pyproj.CRS,
    entries: dict[str, list[Entry]],
) -> gpd.GeoDataFrame:
    """Draw the links in the window, the least first; give them with their line's name."""
    links = net.links
    require_crs(links, "links of the network")
    known = {**_ROADS, **_RAILS}
    links = links[links["class"].isin(known)].to_crs(crs)
    links = links[shapely.intersects(links.geometry.to_numpy(), window)]
    links = links.assign(
        words=[known[c][0] for c in links["class"]], line=[known[c][1] for c in links["class"]]
    )
    group = next(value for key, value in entries.items() if key.startswith("路网"))
    for order, words in enumerate(_DRAWN_ORDER):
        chosen = links[links["words"] == words]
        if chosen.empty:
            continue
        name = str(chosen["line"].iloc[0])
        merged = shapely.line_merge(shapely.union_all(chosen.geometry.to_numpy()))
        _add_lines(axes, shapely.intersection(merged, window), name, 5 + order / 10)
        group.insert(0, Entry(words, lines=(name,)))
    return links


def _town_status(towns: gpd.GeoDataFrame) -> pd.Series:
    status: pd.Series = towns["status"].astype(str)
    if "borderline" in towns:
        status = status.where(~towns["borderline"].fillna(False).astype(bool), "borderline")
    unknown = sorted(set(status) - set(_TOWNS))
    if unknown:
        raise InputError(
            f"Towns of the circle have the status {', '.join(map(repr, unknown))}; "
            f"known: {', '.join(_TOWNS)}."
        )
    return status


def _draw_towns(
    axes: Axes,
    towns: gpd.GeoDataFrame | None,
    window: BaseGeometry,
    entries: dict[str, list[Entry]],
) -> gpd.GeoDataFrame | None:
    """Draw the towns in the window; give them with their drawn status."""
    if towns is None:
        return None
    towns = towns.assign(drawn=_town_status(towns))
    whole = towns["drawn"]
    towns = towns[shapely.contains_xy(window, towns.geometry.x, towns.geometry.y)]
    seats = towns["kind"].isin(_SEAT_KINDS) if "kind" in towns else pd.Series(False, towns.index)
    towns = towns.assign(seat=seats)
    for status, style in _TOWNS.items():
        for seat in (False, True):
            chosen = towns[(towns["drawn"] == status) & (towns["seat"] == seat)]
            if chosen.empty:
                continue
            axes.plot(
                chosen.geometry.x,
                chosen.geometry.y,
                linestyle="none",
                marker=style.marker,
                markersize=points(_SEAT_MM if seat else _TOWN_MM),
                markerfacecolor=style.face,
                markeredgecolor=style.stroke,
                markeredgewidth=points(0.17),
                zorder=20 + seat,
                gid=f"towns:{status}",
            )
    present = [status for status in _TOWNS if (towns["drawn"] == status).any()]
    for status in present:
        style = _TOWNS[status]
        count, here = int((whole == status).sum()), int((towns["drawn"] == status).sum())
        words = f"{count} 处" if here == count else f"{count} 处，图内 {here} 处"
        entries["城镇"].append(
            Entry(
                f"{style.text}（{words}）",
                marker=style.marker,
                size=_SEAT_MM,
                face=style.face,
                stroke=style.stroke,
            )
        )
    return towns


def _draw_centres(axes: Axes, centres: gpd.GeoDataFrame, entries: dict[str, list[Entry]]) -> None:
    axes.plot(
        centres.geometry.x,
        centres.geometry.y,
        linestyle="none",
        marker="*",
        markersize=points(4.2),
        markerfacecolor=COLOURS["centre"],
        markeredgecolor=COLOURS["paper"],
        markeredgewidth=points(0.25),
        zorder=30,
        gid="centres",
    )
    entries["中心"].append(
        Entry("通勤中心", marker="*", size=3.6, face=COLOURS["centre"], stroke=COLOURS["paper"])
    )


def _grouped(entries: Mapping[str, list[Entry]]) -> list[Entry]:
    """Put headings over groups; the centre needs none."""
    listed: list[Entry] = []
    for heading, group in entries.items():
        if group and heading != "中心":
            listed.append(Entry(heading, heading=True))
        listed += group
    return listed


def _times_of_seats(circle: Any) -> tuple[str, list[tuple[str, str]]]:
    """Seats within the circle, or all places where there is no seat, by their minutes."""
    towns = circle.towns
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


def _circle_footer(circle: Any, shown: gpd.GeoDataFrame | None) -> list[str]:
    about = circle.network
    rows = []
    if shown is not None and shown["seat"].any() and not shown["seat"].all():
        rows.append("大号符号为市县驻地，小号为城镇")
    year = f"{about['year']} 年末路网" if about.get("year") else "路网年份未定"
    rows.append(
        f"{year}；速度方案：{about.get('profile_title') or about.get('profile') or '未注明'}"
    )
    return rows


def _circle_note(circle: Any, frames: Sequence[gpd.GeoDataFrame], schematic: bool) -> list[str]:
    about = circle.network
    words = ""
    if schematic:
        words += "示意：路网为骨架路网，路段取节点间直线连接，不反映实际线形。"
    words += (
        "城镇是否在圈内由门到门行程时间判定，圈界仅为其图示；通勤圈是通勤联系的替代指标，"
        "不等于实际通勤流。"
    )
    data = [str(words) for words in about.get("attribution", []) if words]
    source = f"数据：行政区划界线 {_attributions(frames)}"
    if data:
        source += f"；路网 {'、'.join(data)}"
    if about.get("digest"):
        source += f"；路网校验码 {str(about['digest'])[:12]}"
    return [words, f"{source}。"]


def _name_circle(
    sheet: Sheet,
    centres: gpd.GeoDataFrame,
    towns: gpd.GeoDataFrame | None,
    links: gpd.GeoDataFrame,
) -> None:
    axes, window = sheet.map, _window(sheet.map)
    labels: list[Label] = []
    symbols: list[tuple[float, float, float]] = []
    named = set(centres["name"])
    for row, centre in enumerate(centres.itertuples()):
        symbols.append((centre.geometry.x, centre.geometry.y, 1.7))
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
    if towns is not None:
        for row, town in enumerate(towns.itertuples()):
            radius = (_SEAT_MM if town.seat else _TOWN_MM) / 2
            chief = bool(town.seat) and town.drawn in ("inside", "borderline")
            symbols.append((town.geometry.x, town.geometry.y, radius))
            if town.name in named and any(centres.distance(town.geometry) < 1000):
                continue
            labels.append(
                Label(
                    key=f"town:{row}",
                    texts=(town.name,),
                    x=town.geometry.x,
                    y=town.geometry.y,
                    radius=radius + 0.1,
                    size=SIZES["seat"] if town.seat else SIZES["town"],
                    weight="medium" if town.seat else "regular",
                    colour=COLOURS["ink"] if town.seat else COLOURS["soft_ink"],
                    priority=(1 if chief else 2) if town.seat else 4,
                    required=chief,
                    leader=chief,
                )
            )
    labels += _road_numbers(links, window)
    heavy = links[links["line"].isin(["expressway", "hsr", "intercity", "rail"])]
    lines = shapely.union_all(heavy.geometry.to_numpy()) if len(heavy) else None
    write(axes, place(axes, labels, keep_off=sheet.keep_off, lines=lines, symbols=symbols))


def _road_numbers(links: gpd.GeoDataFrame, window: BaseGeometry) -> list[Label]:
    """Expressway numbers, each on the longest run of its road within the window."""
    roads = links[(links["class"] == "expressway") & (links["ref"].fillna("") != "")]
    labels = []
    first = roads["ref"].astype(str).str.split(";").str[0]  # a shared stretch bears several
    for ref, group in roads.groupby(first, sort=True):
        runs = shapely.get_parts(
            shapely.line_merge(
                shapely.intersection(shapely.union_all(group.geometry.to_numpy()), window)
            )
        )
        run = runs[int(np.argmax(shapely.length(runs)))]
        shares = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
        spots = shapely.get_coordinates(
            shapely.line_interpolate_point(run, shares, normalized=True)
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
