"""The ground of a map: land, boundaries of every rank, the extent, names of counties."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from urbangeo.crs import require_crs
from urbangeo.errors import InputError
from urbangeo.maps.drawing import add_lines, fill, stroke_inside, window
from urbangeo.maps.labels import Label, has_room
from urbangeo.maps.legend import Entry
from urbangeo.maps.paper import to_page
from urbangeo.maps.shapes import TOGETHER, dissolved, middle, nearby, outlines, projected, without
from urbangeo.maps.style import COLOURS, SIZES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyproj
    from matplotlib.axes import Axes
    from shapely.geometry.base import BaseGeometry

_LEAST_SHARE = 0.002
"""Of a map; what shows less of itself is not named."""

__all__ = ["Ground", "crowded", "enlarged", "ground_of", "member_codes"]


@dataclass(frozen=True)
class Ground:
    """Boundaries in the map's projection.

    A map is about an extent; or about all counties, ``whole``, its outline the province's; or
    about neither, then it has no members and ``outline`` is empty.
    """

    counties: gpd.GeoDataFrame
    members: gpd.GeoDataFrame
    outline: BaseGeometry
    province: BaseGeometry
    county_lines: BaseGeometry
    prefecture_lines: BaseGeometry
    province_lines: BaseGeometry
    surroundings: gpd.GeoDataFrame | None
    whole: bool = False
    prefectures: gpd.GeoDataFrame | None = None

    @property
    def has_extent(self) -> bool:
        """Tell whether there are members."""
        return bool(len(self.members))

    @property
    def lines(self) -> list[tuple[BaseGeometry, float]]:
        """The boundaries that names should rather not cover, and how much rather."""
        found = [
            (self.province_lines, 3.0),
            (self.prefecture_lines, 1.5),
            (self.county_lines, 0.7),
        ]
        if not self.whole:
            found.append((shapely.boundary(self.outline), 3.0))
        return found

    @cached_property
    def beyond_lines(self) -> BaseGeometry:
        """Boundaries of what lies around, each once."""
        assert self.surroundings is not None
        return outlines(self.surroundings.geometry)

    def draw(self, axes: Axes) -> None:
        """Draw land, members and boundaries."""
        if self.surroundings is not None:
            add_lines(axes, self.beyond_lines, "beyond", 1.5)
        add_lines(axes, self.province_lines, "province_band", 2)
        fill(axes, self.province, COLOURS["land"], 2.1, "land")
        if self.has_extent:
            fill(axes, self.outline, COLOURS["member"], 2.6, "member")
            add_lines(axes, self.county_lines, "county", 3)
            add_lines(axes, self.prefecture_lines, "prefecture", 4)
            if not self.whole:
                stroke_inside(axes, self.outline, "extent", 5)
        else:
            add_lines(axes, self.county_lines, "county_among_roads", 3)
        add_lines(axes, self.province_lines, "province", 3.5 if not self.has_extent else 6)

    def entries(self, view: BaseGeometry) -> list[Entry]:
        """Explain the boundaries that stand in a window."""
        province = Entry("省域边界", lines=("province_band", "province"))
        extent = Entry("规划范围边界", lines=("extent",), fill=COLOURS["member"])
        city = Entry("市域边界", lines=("prefecture",))
        county = "county" if self.has_extent else "county_among_roads"
        drawn = (
            (province, self.province_lines),
            (extent, None if self.whole or not self.has_extent else self.outline),
            (city, self.prefecture_lines if self.has_extent else None),
            (Entry("县域边界", lines=(county,)), self.county_lines),
        )
        return [
            entry for entry, lines in drawn if lines is not None and shapely.intersects(lines, view)
        ]

    def labels(
        self, axes: Axes, keep_off: Sequence[BaseGeometry], names: str, inset_codes: set[str]
    ) -> list[Label]:
        """Name counties and what lies around the province.

        Parameters
        ----------
        keep_off
            What furniture covers, in the map's metres.
        names
            ``members``, ``faint`` or ``none``.
        inset_codes
            Counties that are named in the inset.
        """
        made = []
        codes = set(self.members["adcode"])
        for county in self.counties.itertuples():
            if names != "none" and county.adcode not in inset_codes:
                made.append(county_label(county, member=county.adcode in codes, names=names))
        hidden = shapely.union_all([*keep_off])
        if self.surroundings is not None:
            beyond = self.surroundings.geometry.difference(shapely.union(self.province, hidden))
            style = {"size": SIZES["region"], "halo": COLOURS["ground"]}
            made += _region_labels(self.surroundings["name"], beyond, window(axes), style)
        if self.prefectures is not None and not self.whole and names != "faint":
            # Within the province the extent's neighbours are prefectures.
            shapes = self.prefectures.geometry
            others = self.prefectures[shapes.intersection(self.outline).area < 0.01 * shapes.area]
            style = {"size": SIZES["region"] - 1.5, "halo": COLOURS["land"]}
            seen = others.geometry.difference(hidden)
            made += _region_labels(others["name"], seen, window(axes), style)
        return made

    def inset_labels(self, axes: Axes, chiefs: set[str], names: str) -> list[Label]:
        """Name the counties of an inset."""
        view = window(axes)
        members = set(self.members["adcode"])
        made = []
        for county in self.counties.itertuples():
            visible = shapely.intersection(county.geometry, view)
            if names == "none" or visible.is_empty or visible.area < 0.03 * view.area:
                continue
            chief = county.adcode in chiefs
            bold = county.adcode in members and names == "members"
            x, y = middle(visible)
            made.append(
                Label(
                    key=str(county.adcode),
                    texts=wrapped(str(county.name)),
                    x=x,
                    y=y,
                    area=visible,
                    size=SIZES["member_inset"] if bold else SIZES["neighbour"],
                    weight="medium" if bold else "regular",
                    colour=COLOURS["ink"] if bold else COLOURS["faint_ink"],
                    halo=COLOURS["member" if county.adcode in members else "land"],
                    priority=(0 if chief else 1) if bold else 6,
                    required=chief and bold,
                    leader=chief and bold,
                )
            )
        return made


def _region_labels(
    names: Iterable[str], areas: Iterable[BaseGeometry], view: BaseGeometry, style: dict[str, Any]
) -> list[Label]:
    """Name what lies around, widely set, where a fair part of it is seen."""
    made = []
    for row, (name, whole) in enumerate(zip(names, areas, strict=True)):
        area = shapely.intersection(whole, view)
        if area.is_empty or area.area < _LEAST_SHARE * view.area:
            continue
        x, y = middle(area)
        made.append(
            Label(
                key=f"region:{name}:{row}",
                texts=(" ".join(name), *wrapped(name)),
                x=x,
                y=y,
                area=area,
                colour=COLOURS["faint_ink"],
                priority=5,
                **style,
            )
        )
    return made


def member_codes(extent: Any, counties: gpd.GeoDataFrame) -> list[str]:
    """Give an extent's codes, all of which are among the counties.

    Raises
    ------
    InputError
        If it has no member, or one has no boundary.
    """
    codes = [str(code) for code in extent.adcodes]
    if not codes:
        raise InputError(f"The extent {extent.title!r} has no member, so there is nothing to draw.")
    missing = sorted(set(codes) - set(counties["adcode"].astype(str)))
    if missing:
        raise InputError(
            f"The boundaries of {len(missing)} member(s) of {extent.title!r} are missing from "
            f"counties: {', '.join(missing)}. Give boundaries of the extent's vintage."
        )
    require_crs(counties, "counties")
    return codes


def ground_of(
    codes: Sequence[str],
    crs: pyproj.CRS,
    *,
    counties: gpd.GeoDataFrame,
    province: gpd.GeoDataFrame,
    prefectures: gpd.GeoDataFrame | None = None,
    surroundings: gpd.GeoDataFrame | None = None,
    whole: bool = False,
) -> Ground:
    """Project the boundaries; where lines of two ranks run together the higher is drawn alone."""
    units = projected(counties, "counties", crs)
    cities = None if prefectures is None else projected(prefectures, "prefectures", crs)
    region = projected(province, "province", crs)
    inside = units["adcode"].isin(codes)
    members = units[inside].reset_index(drop=True)
    county_lines = outlines(units.geometry)
    city_lines = shapely.MultiLineString() if cities is None else outlines(cities.geometry)
    province_lines = outlines(region.geometry)
    land = dissolved(province, crs)
    outline = shapely.Polygon()
    higher = province_lines
    if whole:
        outline = land
    elif len(members):
        outline = dissolved(counties[inside.to_numpy()], crs)
        higher = shapely.union_all([province_lines, outline.boundary])
    city_lines = without(city_lines, higher, TOGETHER)
    county_lines = without(county_lines, shapely.union_all([city_lines, higher]), TOGETHER)
    around = None
    if surroundings is not None:
        around = nearby(surroundings, units.total_bounds, crs)
    return Ground(
        units,
        members,
        outline,
        land,
        county_lines,
        city_lines,
        province_lines,
        around,
        whole,
        cities,
    )


def wrapped(name: str) -> tuple[str, ...]:
    """Ways to write a name: whole; a long one also in two lines, broken after 族 if it can be."""
    if len(name) < 6:
        return (name,)
    half = len(name) / 2
    breaks = [i + 1 for i, character in enumerate(name[:-1]) if character == "族"]
    cut = min(breaks or [round(half)], key=lambda i: (abs(i - half), -i))
    return (name, f"{name[:cut]}\n{name[cut:]}")


def county_label(county: Any, *, member: bool, names: str = "members") -> Label:
    """Name a county within its area."""
    x, y = middle(county.geometry)
    bold = member and names == "members"
    return Label(
        key=str(county.adcode),
        texts=(*wrapped(county.name), county.short_name) if bold else (county.short_name,),
        x=x,
        y=y,
        area=county.geometry,
        size=SIZES["member"] if bold else SIZES["neighbour"],
        weight="medium" if bold else "regular",
        colour=COLOURS["ink"] if bold else COLOURS["faint_ink"],
        halo=COLOURS["member"] if member else COLOURS["land"],
        priority=0 if bold else 6,
        required=bold,
        leader=bold,
    )


def crowded(axes: Axes, ground: Ground) -> gpd.GeoDataFrame:
    """Find the largest group of members side by side that are too small for their names."""
    members = ground.members
    labels = [county_label(row, member=True) for row in members.itertuples()]
    tight = [not has_room(axes, label) for label in labels]
    small = members[tight] if len(members) else members
    groups: list[set[int]] = []
    for row, shape in zip(small.index.tolist(), small.geometry, strict=True):
        touching = [g for g in groups if small.loc[sorted(g)].distance(shape).min() < 1.0]
        groups = [g for g in groups if g not in touching]
        groups.append({row}.union(*touching))
    largest = max(groups, key=lambda g: (len(g), -min(g)), default=set())
    return members.loc[sorted(largest)] if len(largest) > 1 else members.iloc[:0]


def enlarged(ground: Ground, tight: gpd.GeoDataFrame) -> set[str]:
    """Codes of the counties that are named in the inset alone: those mostly within its window."""
    if tight.empty:
        return set()
    part = shapely.box(*tight.total_bounds)
    share = ground.counties.intersection(part).area / ground.counties.area
    return {*tight["adcode"], *ground.counties.loc[share > 0.5, "adcode"]}


def window_edges(axes: Axes) -> list[tuple[float, float, float, float]]:
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
