"""Two figures of tables and geometries that the caller gives; nothing here knows a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd

from urbangeo.maps.compose import compose
from urbangeo.maps.records import FigureRecord, LayerRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_circle", "draw_extent"]


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
    record = FigureRecord(
        key="extent",
        heading=heading or extent.title,
        title=title,
        number=number,
        scale_bar_km=kilometres,
        county_names="members",
    )
    inputs = {
        "extent": extent,
        "counties": counties,
        "prefectures": prefectures,
        "province": province,
        "surroundings": surroundings,
        "source": source or extent.title,
    }
    return compose(record, inputs, page=page, approval=approval)


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
    record = FigureRecord(
        key="circle",
        heading=heading,
        title=title,
        number=number,
        panel=True,
        layers=(LayerRecord(name="circle", source="circle"),),
    )
    inputs = {"circle": circle, "counties": counties, "province": province}
    return compose(record, inputs, page=page, approval=approval)
