"""Travel times: one to many and many to many, in whole milliseconds underneath."""

from __future__ import annotations

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from urbangeo.access.engine import entries, reach, reach_dense
from urbangeo.access.points import PlaceLike, as_points, check_inside
from urbangeo.crs import GEOD
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import NEVER, Snaps, snap

__all__ = [
    "Direct",
    "Search",
    "arrivals",
    "check_minutes",
    "direct_times",
    "pair_times",
    "search",
    "travel_times",
]

LONGEST_MIN = 24 * 60.0
_BLOCK_BYTES = 256 * 2**20  # times of one block of origins to all vertices stay below this


def check_minutes(minutes: float, what: str = "minutes") -> float:
    """Refuse a number of minutes that is not above 0 and at most 24 hours.

    Raises
    ------
    InputError
        Naming what was given.
    """
    good = isinstance(minutes, int | float | np.number) and not isinstance(minutes, bool)
    if not good or not math.isfinite(minutes) or not 0 < minutes <= LONGEST_MIN:
        raise InputError(
            f"{what} is {minutes!r}; a number above 0 and at most {LONGEST_MIN:.0f} (24 hours) is "
            "expected."
        )
    return float(minutes)


def check_direction(direction: str) -> str:
    """Refuse a direction that is neither ``to`` nor ``from``."""
    if direction not in ("to", "from"):
        raise InputError(f"direction is {direction!r}; 'to' (towards the centre) or 'from'.")
    return direction


@dataclass(frozen=True, eq=False)
class Search:
    """Outcome of a search from some points over the graph.

    Attributes
    ----------
    ms
        Whole milliseconds as float64, one row for each point and a column for each vertex;
        infinite where not reached.
    before
        Vertex before each vertex on its fastest way, of several the lowest number; the graph's
        ``n_vertices`` or more stands for the point itself, -1 for what is not reached. None
        unless asked for.
    """

    ms: NDArray[np.float64]
    before: NDArray[np.int32] | None


def search(
    graph: Graph,
    snaps: Snaps,
    points: NDArray[np.int64],
    *,
    reverse: bool = False,
    cutoff_ms: float = math.inf,
    paths: bool = False,
    engine: str | None = None,
) -> Search:
    """Search from points over the whole graph, or towards them.

    Parameters
    ----------
    graph, snaps
        The graph, and how the points get onto it.
    points
        Rows of the points to search from.
    reverse
        Search along arcs turned round: times *to* the points.
    cutoff_ms
        Vertices farther than this stay infinite; inclusive.
    paths
        Also give the tree of fastest ways.
    engine
        ``scipy`` or ``numba``; chosen by :func:`urbangeo.access.engine.choose` if None.
    """
    starts = entries(snaps, points, leaving=not reverse)
    if not paths:
        return Search(
            reach_dense(graph, starts, reverse=reverse, limit_ms=cutoff_ms, engine=engine), None
        )
    found = reach(graph, starts, reverse=reverse, limit_ms=cutoff_ms, paths=True, engine=engine)
    before = np.full((len(points), graph.n_vertices), -1, dtype=np.int32)
    before[found.rows, found.vertices] = found.before
    return Search(found.dense(), before)


def pair_times(
    net: Network,
    graph: Graph,
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    cutoff_ms: float = math.inf,
) -> NDArray[np.float64]:
    """Times from each of ``rows`` to each of ``columns``, points of one table; milliseconds.

    The search runs from whichever side has fewer points, block by block.
    """
    reverse = len(columns) < len(rows)
    near, far = (columns, rows) if reverse else (rows, columns)
    out = np.full((len(near), len(far)), np.inf)
    block = max(1, _BLOCK_BYTES // (8 * graph.n_vertices))
    for start in range(0, len(near), block):
        some = near[start : start + block]
        found = search(graph, snaps, some, reverse=reverse, cutoff_ms=cutoff_ms)
        out[start : start + block] = arrivals(found, snaps, far, reverse=reverse)
    direct = direct_times(net, graph.layers, snaps, lonlat, near, far, reverse=reverse)
    np.minimum(out, direct.ms, out=out)
    out[out > cutoff_ms] = np.inf
    return out.T if reverse else out


def arrivals(
    found: Search, snaps: Snaps, far: NDArray[np.int64], *, reverse: bool
) -> NDArray[np.float64]:
    """Times at points, from the times at vertices and the legs between; shape (near, far)."""
    legs = snaps.out_ms if reverse else snaps.in_ms
    column = np.full(len(snaps.nearest_m), -1, dtype=np.int64)
    column[far] = np.arange(len(far))
    used = np.flatnonzero((column[snaps.point] >= 0) & (legs < NEVER))
    out = np.full((len(found.ms), len(far)), np.inf)
    if len(used):
        used = used[np.argsort(column[snaps.point[used]], kind="stable")]
        owner = column[snaps.point[used]]
        total = found.ms[:, snaps.vertex[used]] + legs[used]
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        out[:, owner[starts]] = np.minimum.reduceat(total, starts, axis=1)
    return out


@dataclass(frozen=True, eq=False)
class Direct:
    """Times between places that need not pass a vertex.

    Attributes
    ----------
    ms
        Milliseconds, infinite for pairs that have no direct way.
    link
        Row of the link along which it leads, or -1 where it leads across.
    """

    ms: NDArray[np.float64]
    link: NDArray[np.int64]


def direct_times(
    net: Network,
    layers: tuple[str, ...],
    snaps: Snaps,
    lonlat: NDArray[np.float64],
    near: NDArray[np.int64],
    far: NDArray[np.int64],
    *,
    reverse: bool,
) -> Direct:
    """Find the times between places that need not pass a vertex; shape (near, far).

    Two places on one link travel along it. Two places that lie closer to each other than to the
    network together go across.
    """
    ms = np.full((len(near), len(far)), np.inf)
    link = np.full(ms.shape, -1, dtype=np.int64)
    nearest = np.nan_to_num(snaps.nearest_any_m)
    rules = net.street_rules(layers)
    limit = max(one.max_km for one in rules.values()) * 1000.0
    for row, one in enumerate(near):
        # a degree of latitude is 110 km or more: a cheap sieve before measuring
        close = np.flatnonzero(np.abs(lonlat[far, 1] - lonlat[one, 1]) < limit / 110_000.0)
        others = far[close]
        begin = np.broadcast_to(lonlat[one], (len(others), 2))
        _, _, apart = GEOD.inv(begin[:, 0], begin[:, 1], lonlat[others, 0], lonlat[others, 1])
        apart = np.asarray(apart)
        reach = nearest[one] + nearest[others] + 0.5
        for mode, rule in rules.items():
            across = np.flatnonzero(apart <= np.minimum(reach, rule.max_km * 1000.0 + 0.5))
            leg = net.leg_ms(apart[across], mode) + (snaps.park_ms if mode == "road" else 0)
            ms[row, close[across]] = np.minimum(ms[row, close[across]], leg)
    begin_item, end_item = _on_one_link(snaps, near, far)
    begin_at, end_at = snaps.along[begin_item], snaps.along[end_item]
    if reverse:
        begin_at, end_at = end_at, begin_at
    shared = snaps.link[begin_item]
    foot = snaps.foot[begin_item]
    whole = np.where(end_at < begin_at, snaps.back_ms[begin_item], snaps.there_ms[begin_item])
    ride = np.rint(np.abs(end_at - begin_at) * whole) + np.where(foot, 0, snaps.park_ms)
    total = snaps.leg_ms[begin_item] + snaps.leg_ms[end_item] + ride
    total = np.where(net._tables.oneway[shared] & ~foot & (end_at < begin_at), np.inf, total)
    row_of = np.full(len(nearest), -1)
    row_of[near] = np.arange(len(near))
    column_of = np.full(len(nearest), -1)
    column_of[far] = np.arange(len(far))
    order = np.argsort(-total, kind="stable")  # the fastest is written last
    rows, columns = row_of[snaps.point[begin_item]][order], column_of[snaps.point[end_item]][order]
    faster = total[order] < ms[rows, columns]
    rows, columns, order = rows[faster], columns[faster], order[faster]
    ms[rows, columns] = total[order]
    link[rows, columns] = shared[order]
    return Direct(ms, link)


def _on_one_link(
    snaps: Snaps, near: NDArray[np.int64], far: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of ways of a near and a far point that enter the same link."""
    # each link stands twice for each point, once for each end; one of them is enough
    items = np.flatnonzero(snaps.at_tail)
    of_near = items[np.isin(snaps.point[items], near)]
    of_far = items[np.isin(snaps.point[items], far)]
    left = pd.DataFrame({"link": snaps.link[of_near], "foot": snaps.foot[of_near], "near": of_near})
    right = pd.DataFrame({"link": snaps.link[of_far], "foot": snaps.foot[of_far], "far": of_far})
    pairs = left.merge(right, on=["link", "foot"])
    return pairs["near"].to_numpy(), pairs["far"].to_numpy()


def travel_times(
    net: Network,
    origins: PlaceLike,
    destinations: PlaceLike | None = None,
    cutoff: float | None = None,
    *,
    modes: tuple[str, ...] = MODES,
) -> pd.DataFrame:
    """Measure the time from each origin to each destination, door to door.

    Parameters
    ----------
    net
        The network.
    origins, destinations
        Names, Places, (lon, lat), GeoDataFrames of points, or files; the nodes of the network
        if ``destinations`` is None.
    cutoff
        Minutes; longer times are left out (NaN). Inclusive.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.DataFrame
        Minutes, float64; a row for each origin and a column for each destination, on the
        callers' own indices; NaN where a destination is not reached or a place cannot get onto
        the network.

    Raises
    ------
    InputError
        If the cutoff or a place cannot be used.
    """
    modes = check_modes(modes)
    check_network(net)
    limit = math.inf if cutoff is None else round(check_minutes(cutoff, "cutoff") * MS)
    begin = as_points(origins, "origins")
    check_inside(begin, net, "origins")
    graph = net.graph(modes)
    if destinations is None:
        snaps = snap(net, begin.geometry, modes)
        rows = np.arange(len(begin))
        found = graph.at_nodes(search(graph, snaps, rows, cutoff_ms=limit).ms)
        columns = pd.Index(net._tables.nodes["id"])
        return pd.DataFrame(_minutes(found), begin.index, columns, copy=False)
    end = as_points(destinations, "destinations")
    points = gpd.GeoSeries(
        np.concatenate([np.asarray(begin.geometry.array), np.asarray(end.geometry.array)]),
        crs=begin.crs,
    )
    snaps = snap(net, points, modes)
    lonlat = np.column_stack([points.x, points.y])
    rows, columns = np.arange(len(begin)), len(begin) + np.arange(len(end))
    times = pair_times(net, graph, snaps, lonlat, rows, columns, limit)
    return pd.DataFrame(_minutes(times), begin.index, end.index)


def _minutes(ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Milliseconds to minutes, infinity to NaN, in place."""
    ms /= MS
    ms[np.isinf(ms)] = np.nan
    return ms
