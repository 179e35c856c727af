"""The ground of a map as tables: land, the extent, boundaries of every rank, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from urbangeo.maps.qgis.records import ExportLayer, NameStyle, Provenance
from urbangeo.maps.qgis.tables import Written, area_table, line_table, names_table
from urbangeo.maps.shapes import outlines
from urbangeo.maps.style import COLOURS, LINES
from urbangeo.maps.symbols import AreaStyle

if TYPE_CHECKING:
    import geopandas as gpd
    import pyproj
    from shapely.geometry.base import BaseGeometry

    from urbangeo.maps.base import Ground

__all__ = ["ground_names", "ground_tables"]


def ground_tables(
    ground: Ground,
    stem: str,
    crs: pyproj.CRS,
    boundaries: Sequence[gpd.GeoDataFrame | None],
    outline: str = "规划范围边界",
) -> list[ExportLayer]:
    """Give what :meth:`urbangeo.maps.base.Ground.draw` draws, at the same heights.

    Parameters
    ----------
    stem
        Begins the names of the tables that hang on the extent; what is the same on every map is
        called ``base``.
    boundaries
        The tables that the ground was made of, for their provenance.
    outline
        What the legend calls the extent's boundary.
    """
    province, extent = ground.province_lines, (f"{stem}__extent", "规划范围")
    found: list[ExportLayer] = []

    def add(
        table: str, title: str, shape: BaseGeometry, line: str, zorder: float, **options: Any
    ) -> None:
        if not shape.is_empty:
            found.append(line_table(table, title, shape, line, zorder, crs, **options))

    if ground.surroundings is not None and len(ground.surroundings):
        around = outlines(ground.surroundings.geometry)
        add("base__neighbours", "邻省界线", around, "beyond", 1.5, listed=False)
    band: dict[str, Any] = {"value": "省界", "listed": False}
    add("base__province", "省界色带", province, "province_band", 2, **band)
    if not ground.province.is_empty:
        fill = AreaStyle(COLOURS["land"])
        about = ("base__land", "省域", ground.province, fill, 2.1, crs)
        found.append(area_table(*about, listed=False))
    if ground.has_extent:
        fill = AreaStyle(COLOURS["member"])
        found.append(area_table(*extent, ground.outline, fill, 2.6, crs, listed=False))
        add(f"{stem}__county", "县域边界", ground.county_lines, "county", 3)
        add(f"{stem}__prefecture", "市域边界", ground.prefecture_lines, "prefecture", 4)
        if not ground.whole:
            edge = AreaStyle(edge=LINES["extent"])
            whole = (extent[0], outline, ground.outline, edge, 5, crs)
            found.append(area_table(*whole, value=extent[1], inside=True))
    else:
        add(f"{stem}__county", "县域边界", ground.county_lines, "county_among_roads", 3)
    top = 6 if ground.has_extent else 3.5
    add("base__province", "省域边界", province, "province", top, value="省界")
    origin = _origin(boundaries)
    return [replace(one, provenance=origin, ground=True) for one in found]


def _origin(frames: Sequence[gpd.GeoDataFrame | None]) -> Provenance:
    about = [frame.attrs.get("provenance", {}) for frame in frames if frame is not None]

    def told(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(one[name]) for one in about if one.get(name)))

    words = told("attribution") or ("使用者提供",)
    return Provenance(
        attributions=tuple(f"行政区划界线：{one}" for one in words), licences=told("licence")
    )


def ground_names(
    stem: str,
    ground: Ground,
    crs: pyproj.CRS,
    names: Mapping[str, Written],
    enlarged: Mapping[str, Written],
) -> list[ExportLayer]:
    """Give the names of counties and of what lies around, each a point where it stands.

    Parameters
    ----------
    names, enlarged
        What the map shows, and what the enlarged part shows, without the names of the layers.
    """
    members = set(ground.members["adcode"].astype(str))
    counties = set(ground.counties["adcode"].astype(str))
    groups: dict[str, dict[str, Written]] = {group: {} for group in _COUNTIES}
    regions: dict[NameStyle, dict[str, Written]] = {}
    for key, one in names.items():
        if key in counties:
            groups[_COUNTIES[0] if key in members else _COUNTIES[2]][key] = one
        else:
            regions.setdefault(one.style, {})[key] = one
    hidden = {key: one for key, one in enlarged.items() if key in counties and key not in names}
    for key, one in hidden.items():
        groups[_COUNTIES[1] if key in members else _COUNTIES[3]][key] = one
    for row, found in enumerate(regions.values(), start=1):
        groups[f"区域名（{row}）" if row > 1 else "区域名"] = found
    held = {group: found for group, found in groups.items() if found}
    return names_table(f"{stem}__names", "地名注记", held, crs, 58, frozenset(hidden))


_COUNTIES = ("县名（范围内）", "县名（范围内，局部放大）", "县名", "县名（局部放大）")
