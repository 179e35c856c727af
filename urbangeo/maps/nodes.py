"""The nodes of a plan's structures as points, each with its structure and its order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from urbangeo.crs import WGS84
from urbangeo.plangeometry import _codes, _Finder

if TYPE_CHECKING:
    import geopandas as gpd

    from urbangeo.plans import Plan, PlanTable

__all__ = ["node_points"]


def node_points(rows: PlanTable, plan: Plan) -> gpd.GeoDataFrame:
    """Give each node of some structures as a point.

    Its place in the gazetteer, else the seat of its only county, else a point inside the middle
    of its counties' areas. A node without any has no geometry; no row is lost.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, the columns of ``structures`` with ``name`` (the node), ``geometry_from``,
        ``schematic`` (true) and ``precision_m`` (not known).
    """
    import geopandas as gpd
    import pandas as pd

    finder = _Finder(plan)
    shapes, how = [], []
    for row in rows.to_dict("records"):
        codes = _codes(row)
        point = finder.node(str(row["node"]), codes)
        if point is None and codes:
            point = finder.counties.loc[codes].union_all().representative_point()
            how.append("counties")
        else:
            how.append("" if point is None else "place or seat")
        shapes.append(point)
    plain = pd.DataFrame(rows).assign(
        name=rows["node"], geometry_from=how, schematic=True, precision_m=math.nan
    )
    return gpd.GeoDataFrame(plain, geometry=gpd.GeoSeries(shapes, index=plain.index, crs=WGS84))
