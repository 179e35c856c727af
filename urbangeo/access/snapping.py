"""How places get onto a network, told before anything is asked of it."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd

from urbangeo.access.points import PlaceLike, as_points
from urbangeo.errors import InputError
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import snap_table

__all__ = ["snap"]


def snap(
    net: Network,
    places: PlaceLike,
    *,
    modes: Iterable[str] = MODES,
    tolerance_km: float | None = None,
) -> gpd.GeoDataFrame:
    """Tell for each place where it gets onto the network, how far off it lies, and what is wrong.

    Parameters
    ----------
    net
        The network.
    places
        Names, Places, (lon, lat), a GeoDataFrame of points, or a file.
    modes
        Any of ``road``, ``rail`` and ``walk``.
    tolerance_km
        Longest leg off the network that is bridged; the profile's ``max_km`` if None.

    Returns
    -------
    geopandas.GeoDataFrame
        The places on the caller's index, with ``status`` (``snapped``; ``island``: only onto roads
        that are cut off from the main network; ``controlled``: only an expressway or a railway is
        near, which is not entered there; ``too_far``), ``reason`` (Chinese), ``link`` (id of the
        nearest way in), ``distance_m`` as the crow flies and ``leg_min``, its time at the
        profile's speed off the network.

    Raises
    ------
    InputError
        If the tolerance is not above 0, or a place cannot be used.
    """
    check_network(net)
    if tolerance_km is not None and not 0 < tolerance_km < float("inf"):
        raise InputError(f"tolerance_km is {tolerance_km!r}; a number above 0 is expected.")
    points = as_points(places, "places")
    tolerance_m = None if tolerance_km is None else float(tolerance_km) * 1000.0
    told = snap_table(net, points.geometry, check_modes(modes), tolerance_m)
    clash = {one: f"{one}_given" for one in told.columns if one in points.columns}
    out = points.rename(columns=clash)
    for column in told.columns:
        out[column] = told[column]
    return out
