"""How central places, nodes and links are in a network, by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve_triangular

from urbangeo.access.entries import Entries, entries
from urbangeo.access.opportunities import column_amounts, node_ids
from urbangeo.access.points import PlaceLike, as_points
from urbangeo.access.searches import reach_dense
from urbangeo.access.times import Asked, Direct, direct_times, pair_times
from urbangeo.errors import InputError
from urbangeo.network.graph import MS, ArcKind, Graph
from urbangeo.network.network import MODES, Network, check_modes, check_network
from urbangeo.network.snap import NEVER, Snaps

__all__ = ["betweenness", "closeness"]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_BLOCK_BYTES = 64 * 2**20  # times of one block of places stay below this
_MOST_SOURCES = 20_000  # centrality among more nodes would take hours


def closeness(
    net: Network, places: PlaceLike | None = None, *, modes: Iterable[str] = MODES
) -> pd.Series:
    """Measure how near each place is to all others, in time.

    Parameters
    ----------
    net
        The network.
    places
        The places; every node of the network if None.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.Series
        ``(r / (n - 1)) x (r / sum of minutes)`` with the ``r`` others that are reached, per minute,
        on the places' index or the nodes' ids; 0 where none is reached (Wasserman and Faust 1994).

    Raises
    ------
    InputError
        If there are more nodes than can be searched from; give places then.
    """
    chosen = check_modes(modes)
    check_network(net)
    asked = None if places is None else as_points(places, "places")
    n = len(net._tables.nodes) if asked is None else len(asked)
    total, reached = np.zeros(n), np.zeros(n)
    for first, ms in _sources(net, asked, chosen):
        rows = np.arange(len(ms))
        ms[rows, first + rows] = np.inf  # itself
        good = np.isfinite(ms)
        total[first : first + len(ms)] = np.where(good, ms, 0).sum(axis=1) / MS
        reached[first : first + len(ms)] = good.sum(axis=1)
    share = reached / max(n - 1, 1)
    values = np.divide(share * reached, total, out=np.zeros(n), where=total > 0)
    index = node_ids(net) if asked is None else asked.index
    return pd.Series(values, index=index, name="closeness")


def betweenness(
    net: Network,
    places: PlaceLike | None = None,
    *,
    of: str = "nodes",
    weight: str | None = None,
    modes: Iterable[str] = MODES,
) -> pd.Series:
    """Count how many fastest ways lead through each node, or over each link.

    Parameters
    ----------
    net
        The network.
    places
        Ways between each ordered pair of these places; between all nodes if None.
    of
        ``nodes`` or ``links``.
    weight
        Column of ``places``: a pair counts as the product of both; as one if None.
    modes
        Any of ``road``, ``rail`` and ``walk``.

    Returns
    -------
    pandas.Series
        By node id, ends of ways not counted where nodes are the ends; or by the ids of the view's
        road links. Of several equally fast ways each counts its share. Ways of places that need no
        vertex count for the link that they share, or for none where they lead across.

    Raises
    ------
    InputError
        If ``of`` is neither, a weight cannot be used, or there are too many nodes.

    Notes
    -----
    Brandes (2001), with both of its passes as solutions of triangular systems over the arcs that
    lie on fastest ways, in the order of time.
    """
    if of not in ("nodes", "links"):
        raise InputError(f"of is {of!r}; 'nodes' or 'links' is expected.")
    chosen = check_modes(modes)
    check_network(net)
    graph = net.graph(chosen)
    if places is None:
        if weight is not None:
            raise InputError("weight is a column of places; give places= too.")
        _check_size(net)
        starts = ends = _at_nodes(graph, np.arange(graph.n_nodes))
        mass = np.ones(graph.n_nodes)
        across = None
    else:
        asked = as_points(places, "places")
        mass = column_amounts(asked, weight, "places")
        whole = Asked.of(net, asked, asked, chosen)
        snaps = _once(whole.snaps)
        starts = entries(snaps, whole.begin, leaving=True)
        ends = entries(snaps, whole.end, leaving=False)
        across = replace(whole, snaps=snaps)
    flow = _Flow.of(graph, len(net._tables.links))
    if across is not None:
        flow.leave = _entered(across.snaps, whole.begin, starts, leaving=True)
        flow.arrive = _entered(across.snaps, whole.end, ends, leaving=False)
    for one in range(len(starts)):
        direct = None
        if across is not None:
            direct = _direct_row(net, across, one)
        start, first = starts.part(one, one + 1), int(starts.offsets[one])
        flow.add(one, start, first, ends, mass, direct, at_node=places is None)
    if of == "nodes":
        through = flow.through[: graph.n_streets].reshape(len(graph.layers), -1).sum(axis=0)
        return pd.Series(through, node_ids(net), name="betweenness")
    street = np.isin(graph.kind, (ArcKind.ROAD, ArcKind.WALK))
    t = net._tables
    by_link = flow.partly + np.bincount(
        graph.item[street], weights=flow.over[street], minlength=len(t.links)
    )
    rows = net.link_rows[t.is_road[net.link_rows]]
    return pd.Series(by_link[rows], pd.Index(t.links["id"].iloc[rows], name="id"),
                     name="betweenness")  # fmt: skip


def _check_size(net: Network) -> None:
    n = len(net._tables.nodes)
    if n > _MOST_SOURCES:
        raise InputError(
            f"{net.facts.title} has {n:,} nodes, and a search from each would take too long "
            f"(at most {_MOST_SOURCES:,}). Give places=, for example its towns."
        )


def _sources(
    net: Network, asked: gpd.GeoDataFrame | None, modes: tuple[str, ...]
) -> Iterator[tuple[int, FloatArray]]:
    """Times from each place, or node, to all of them, some at a time."""
    graph = net.graph(modes)
    if asked is None:
        _check_size(net)
        step = max(1, _BLOCK_BYTES // (8 * graph.n_vertices))
        for first in range(0, graph.n_nodes, step):
            ways_in = _at_nodes(graph, np.arange(first, min(first + step, graph.n_nodes)))
            yield first, graph.at_nodes(reach_dense(graph, ways_in))
        return
    whole = Asked.of(net, asked, asked, modes)
    step = max(1, _BLOCK_BYTES // (8 * len(asked)))
    for first in range(0, len(asked), step):
        some = whole.begin[first : first + step]
        yield first, pair_times(net, whole.graph, whole.snaps, whole.lonlat, some, whole.end)


def _at_nodes(graph: Graph, nodes: IntArray) -> Entries:
    """Nodes as beginnings, by every mode of the street."""
    layers = np.arange(len(graph.layers)) * graph.n_nodes
    vertices = (nodes[:, None] + layers).ravel()
    offsets = np.arange(len(nodes) + 1) * len(layers)
    return Entries(offsets, vertices, np.zeros(len(vertices), dtype=np.int64))


def _direct_row(net: Network, whole: Asked, row: int) -> Direct:
    """The ways from one place that need no vertex."""
    return direct_times(
        net, whole.graph.layers, whole.snaps, whole.lonlat, whole.begin[row : row + 1], whole.end,
        reverse=False,
    )  # fmt: skip


def _once(snaps: Snaps) -> Snaps:
    """Leave out the ways that a place has twice.

    One that stands at the end of a road gets to the other end along it, and over the graph too.
    """

    def whole(ms: IntArray, parks: IntArray, against: NDArray[np.bool_]) -> NDArray[np.bool_]:
        ride = ms - snaps.leg_ms - parks
        link = np.where(against, snaps.back_ms, snaps.there_ms)
        found: NDArray[np.bool_] = (snaps.link >= 0) & (ride == link)
        return found

    # At the tail of a one-way road a place has one way out, along it; the other end is looked up.
    keys = list(zip(snaps.point.tolist(), snaps.link.tolist(), snaps.foot.tolist(), strict=True))
    made: dict[str, Any] = {}
    for name, parks in (("out_ms", 0), ("in_ms", snaps.park_ms)):
        ms = getattr(snaps, name)
        against = snaps.at_tail if name == "out_ms" else ~snaps.at_tail
        twice = whole(ms, np.where(snaps.foot, 0, parks), against)
        ends = zip(keys, snaps.at_tail.tolist(), strict=True)
        usable = {end for end, good in zip(ends, ms < NEVER, strict=True) if good}
        ends = zip(keys, snaps.at_tail.tolist(), strict=True)
        other = [(key, not tail) in usable for key, tail in ends]
        made[name] = np.where(twice & np.array(other, dtype=bool), NEVER, ms)
    return replace(snaps, **made)


def _entered(snaps: Snaps, points: IntArray, doors: Entries, *, leaving: bool) -> IntArray:
    """The link that each entry leads along in part, -1 where it leads along none."""
    legs = snaps.out_ms if leaving else snaps.in_ms
    parks = np.where(snaps.foot | leaving, 0, snaps.park_ms)
    rides = legs - snaps.leg_ms - parks > 0
    link = {
        (point, vertex, ms): row if ride else -1
        for point, vertex, ms, row, ride in zip(
            snaps.point.tolist(), snaps.vertex.tolist(), legs.tolist(), snaps.link.tolist(),
            rides.tolist(), strict=True,
        )
    }  # fmt: skip
    owners = points[doors.rows].tolist()
    keys = zip(owners, doors.vertices.tolist(), doors.costs.tolist(), strict=True)
    return np.array([link[key] for key in keys], dtype=np.int64)


@dataclass(eq=False)
class _Flow:
    """What flows through vertices, over arcs and along parts of links, added up."""

    graph: Graph
    tails: IntArray
    through: FloatArray
    over: FloatArray
    partly: FloatArray
    leave: IntArray | None = None
    arrive: IntArray | None = None

    @classmethod
    def of(cls, graph: Graph, n_links: int) -> _Flow:
        tails = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
        arcs, vertices = np.zeros(graph.n_arcs), np.zeros(graph.n_vertices)
        return cls(graph, tails, vertices, arcs, np.zeros(n_links))

    def _ride(self, links: IntArray, load: FloatArray) -> None:
        """Count what rides along a part of each link."""
        some = links >= 0
        np.add.at(self.partly, links[some], load[some])

    def add(
        self,
        source: int,
        start: Entries,
        first: int,
        ends: Entries,
        mass: FloatArray,
        direct: Direct | None,
        *,
        at_node: bool,
    ) -> None:
        """Add the fastest ways from one place to all others; ``first`` numbers its entries."""
        graph, n = self.graph, self.graph.n_vertices
        if not len(start.vertices) or not len(ends.vertices):
            return
        ms = reach_dense(graph, start)[0]
        reached = np.flatnonzero(np.isfinite(ms))
        order = reached[np.argsort(ms[reached], kind="stable")]
        rank = np.full(n, -1, dtype=np.int64)
        rank[order] = np.arange(len(order))
        tail, head = self.tails, graph.heads
        arcs = np.flatnonzero(np.isfinite(ms[tail]) & (ms[tail] + graph.cost_ms == ms[head]))
        shape = (len(order), len(order))
        step = csr_array((np.ones(len(arcs)), (rank[tail[arcs]], rank[head[arcs]])), shape=shape)
        one = eye_array(len(order), format="csr")
        begins = np.zeros(len(order))
        own = np.flatnonzero(ms[start.vertices] == start.costs)  # entered there, not passed
        np.add.at(begins, rank[start.vertices[own]], 1.0)
        lower = csr_array(one - step.T)
        ways = spsolve_triangular(lower, begins, lower=True, unit_diagonal=True)
        ends_at = self._arrivals(source, ends, ms, rank, ways, mass, direct)
        upper = csr_array(one - step)
        each = np.divide(ends_at, ways, out=np.zeros(len(order)), where=ways > 0)
        load = spsolve_triangular(upper, each, lower=False, unit_diagonal=True)
        passing = ways * load
        if at_node:
            passing = passing - ends_at  # ends of ways are not counted
            passing[rank[start.vertices]] = 0.0
        if self.leave is not None:
            self._ride(self.leave[first + own], load[rank[start.vertices[own]]])
        self.through[order] += passing
        self.over[arcs] += ways[rank[tail[arcs]]] * load[rank[head[arcs]]]

    def _arrivals(
        self,
        source: int,
        ends: Entries,
        ms: FloatArray,
        rank: IntArray,
        ways: FloatArray,
        mass: FloatArray,
        direct: Direct | None,
    ) -> FloatArray:
        """What leaves the graph at each vertex that is reached, by its rank."""
        total = ms[ends.vertices] + ends.costs
        rows = ends.rows
        least = np.full(len(ends), np.inf)
        np.minimum.at(least, rows, total)
        used = np.isfinite(total) & (total == least[rows]) & (rows != source)
        if direct is not None:
            near = np.flatnonzero(direct.ms[0] < least)
            near = near[near != source]
            self._ride(direct.link[0, near], mass[source] * mass[near])
            used &= ~(direct.ms[0] < least)[rows]
        place = rank[ends.vertices[used]]
        share = ways[place]
        whole = np.bincount(rows[used], weights=share, minlength=len(ends))
        out = np.zeros(len(ways))
        load = mass[source] * mass[rows[used]] * share / whole[rows[used]]
        np.add.at(out, place, load)
        if self.arrive is not None:
            self._ride(self.arrive[used], load)
        return out
