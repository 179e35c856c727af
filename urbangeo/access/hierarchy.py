"""Customizable contraction hierarchies (Dibbelt, Strasser and Wagner 2016) by RoutingKit."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.entries import Entries, largest_cost, needed
from urbangeo.access.machine import optional
from urbangeo.access.searches import nearest_end, reach_dense, search_table, searching
from urbangeo.errors import InputError
from urbangeo.network.graph import Graph

__all__ = ["Hierarchy", "fits_cch"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_BLOCK_BYTES = 256 * 2**20  # times at vertices of one block of rows, twice
_CCH_INFINITE = 2**31 - 1  # RoutingKit counts in 31 bits; 596 hours
_KEPT_ORDERS = 8


def fits_cch(graph: Graph) -> bool:
    """Whether a hierarchy can hold the arcs of a graph and their costs."""
    return max(largest_cost(graph), graph.n_arcs, graph.n_vertices) < _CCH_INFINITE


class _Orders:
    """Hierarchies without costs, by the arcs they were made of; the last few are kept."""

    _kept: ClassVar[OrderedDict[bytes, tuple[Any, IntArray]]] = OrderedDict()
    _lock = threading.Lock()

    @classmethod
    def key(cls, graph: Graph) -> bytes:
        if "arcs digest" not in graph._cache:
            digest = hashlib.blake2b(graph.indptr.tobytes(), digest_size=16)
            digest.update(graph.heads.tobytes())
            graph._cache["arcs digest"] = digest.digest()
        made: bytes = graph._cache["arcs digest"]
        return made

    @classmethod
    def known(cls, graph: Graph) -> bool:
        return "hierarchy" in graph._cache or (bool(cls._kept) and cls.key(graph) in cls._kept)

    @classmethod
    def of(cls, graph: Graph, lonlat: FloatArray | None) -> tuple[Any, IntArray]:
        with cls._lock:
            key = cls.key(graph)
            if key not in cls._kept:
                cls._kept[key] = cls._made(graph, lonlat)
                while len(cls._kept) > _KEPT_ORDERS:
                    cls._kept.popitem(last=False)
            cls._kept.move_to_end(key)
            return cls._kept[key]

    @classmethod
    def _made(cls, graph: Graph, lonlat: FloatArray | None) -> tuple[Any, IntArray]:
        kit = optional("routingkit_cch")
        n = graph.n_vertices
        tail = np.repeat(np.arange(n), np.diff(graph.indptr)).tolist()
        head = graph.heads.tolist()
        order = graph._cache.get("order")  # came with the graph from another process
        if order is None:
            if lonlat is None:
                found = kit.compute_order_degree(n, tail, head)
            else:
                lon, lat = np.asarray(lonlat, dtype=float).T
                found = kit.compute_order_inertial(n, tail, head, lat.tolist(), lon.tolist())
            order = np.array(found, dtype=np.int64)
        return kit.CCH(order.tolist(), tail, head, False), order


class Hierarchy:
    """A customizable contraction hierarchy with the costs of one graph.

    The order depends on the arcs alone and is made once for all graphs that have the same ones,
    such as the views of a network at other speeds; costs are then put in within a moment.

    Attributes
    ----------
    graph
        The graph.
    order
        Its vertices in the order in which they are contracted.
    """

    def __init__(self, graph: Graph, lonlat: FloatArray | None = None) -> None:
        if not fits_cch(graph):
            raise InputError(
                "A hierarchy holds arcs of less than 2**31 - 1 ms (596 hours); this graph has "
                "longer ones. Search it with another engine."
            )
        self.graph = graph
        self._kit = optional("routingkit_cch")
        self._base, self.order = _Orders.of(graph, lonlat)
        self._rank = np.empty(len(self.order), dtype=np.int64)
        self._rank[self.order] = np.arange(len(self.order))
        self._metric = self._kit.CCHMetric(self._base, graph.cost_ms.tolist())
        self._lock = threading.RLock()
        self._changes: dict[int, int] = {}
        self._updater: Any = None

    @classmethod
    def of(cls, graph: Graph, lonlat: FloatArray | None = None) -> Hierarchy:
        """Give the hierarchy of a graph, made once.

        Parameters
        ----------
        graph
            The graph.
        lonlat
            Degrees of its vertices (:func:`urbangeo.access.entries.vertex_lonlat`). Without them
            the order is a poor one, which costs time on graphs of more than some thousand vertices.
        """
        if "hierarchy" not in graph._cache:
            graph._cache["hierarchy"] = cls(graph, lonlat)
        made: Hierarchy = graph._cache["hierarchy"]
        return made

    @staticmethod
    def known(graph: Graph) -> bool:
        """Whether the order of a graph is there already, so that a hierarchy is made quickly."""
        return _Orders.known(graph)

    @contextmanager
    def changed(self, costs: Mapping[int, int | None]) -> Iterator[Hierarchy]:
        """Give some arcs other costs for a while; None closes an arc.

        Parameters
        ----------
        costs
            Whole milliseconds above 0, or None, by the arc's number in the graph.
        """
        with self._lock:
            if self._updater is None:
                self._updater = self._kit.CCHMetricPartialUpdater(self._base)
            outer = self._changes
            new = {int(a): _CCH_INFINITE if c is None else int(c) for a, c in costs.items()}
            self._updater.apply(self._metric, new)
            self._changes = {**outer, **new}
            try:
                yield self
            finally:
                own = self.graph.cost_ms
                old = {arc: outer.get(arc, int(own[arc])) for arc in new}
                self._updater.apply(self._metric, old)
                self._changes = outer

    def table(
        self,
        starts: Entries,
        ends: Entries,
        *,
        limit_ms: float = math.inf,
        threads: int | None = None,
    ) -> FloatArray:
        """Give the time from each start to each end; see :func:`urbangeo.access.engine.table`."""
        with self._lock:
            out = self._swept(starts, ends)
            if math.isinf(limit_ms):
                self._check_lost(out, starts, ends, threads)
        out[out > limit_ms] = np.inf
        return out

    def _swept(self, starts: Entries, ends: Entries) -> FloatArray:
        """One sweep for each start, to all vertices by which an end is reached."""
        graph = self.graph
        changed = np.array(sorted(self._changes), dtype=np.int64)
        starts = needed(graph, starts, leaving=True, except_arcs=changed)
        ends = needed(graph, ends, leaving=False, except_arcs=changed)
        out = np.full((len(starts), len(ends)), np.inf)
        # Sweeps that follow each other up nearly the same way find it in the cache.
        above, place = np.unique(-self._rank[ends.vertices], return_inverse=True)
        if not len(above):
            return out
        ends = Entries(ends.offsets, place, ends.costs)
        query = self._kit.CCHOneToMany(self._metric, self.order[-above].tolist())
        begin, cost = starts.vertices.tolist(), starts.costs.tolist()
        offsets = starts.offsets.tolist()
        some = np.flatnonzero(np.diff(starts.offsets))
        some = some[np.argsort(self._rank[starts.vertices[starts.offsets[some]]], kind="stable")]
        block = max(1, _BLOCK_BYTES // (16 * (len(ends.vertices) + 1)))
        for first in range(0, len(some), block):
            rows = some[first : first + block]
            ms = np.empty((len(rows), len(above)))
            for line, row in enumerate(rows.tolist()):
                low, high = offsets[row], offsets[row + 1]
                if high - low == 1 and not cost[low]:
                    ms[line] = query.distances_from(begin[low])
                else:
                    pairs = list(zip(begin[low:high], cost[low:high], strict=True))
                    ms[line] = query.distances_from_multi(pairs)
            ms[np.isnan(ms)] = np.inf  # what is not reached comes as None, which becomes NaN
            out[rows] = nearest_end(ms, ends)
        return out

    def _check_lost(
        self, out: FloatArray, starts: Entries, ends: Entries, threads: int | None
    ) -> None:
        """Search again for what the hierarchy may have lost because it counts in 31 bits."""
        lost = np.isinf(out).any(axis=1)
        if not lost.any() or self._longest(starts, ends) < _CCH_INFINITE:
            return
        graph = self._as_changed()
        for row in np.flatnonzero(lost).tolist():
            engine = searching(graph, 1)
            one = starts.part(row, row + 1)
            out[row] = search_table(graph, one, ends, engine=engine, threads=threads)[0]

    def _longest(self, starts: Entries, ends: Entries) -> int:
        """A bound on every time.

        Within the main component by way of one vertex of it; outside, every arc once. Where arcs
        were changed, all arcs.
        """
        graph = self.graph
        legs = int(starts.costs.max(initial=0)) + int(ends.costs.max(initial=0))
        if self._changes:
            opened = sum(one for one in self._changes.values() if one < _CCH_INFINITE)
            return legs + opened + int(graph.cost_ms.sum())
        if "longest" not in graph._cache:
            main = graph.component == 0
            tail = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
            outside = int(graph.cost_ms[~(main[tail] & main[graph.heads])].sum())
            hub = Entries.at(np.flatnonzero(main)[:1])
            both = 0
            for reverse in (False, True):
                ms = reach_dense(graph, hub, reverse=reverse)[0, main]
                both += int(ms.max(initial=0))
            graph._cache["longest"] = outside + both
        longest: int = graph._cache["longest"]
        return legs + longest

    def _as_changed(self) -> Graph:
        """The graph with the changes in force, closed arcs left out."""
        graph = self.graph
        if not self._changes:
            return graph
        cost = graph.cost_ms.copy()
        cost[list(self._changes)] = list(self._changes.values())
        kept = cost < _CCH_INFINITE
        indptr = np.concatenate([[0], np.cumsum(kept)])[graph.indptr]
        arcs = {name: getattr(graph, name)[kept] for name in ("heads", "kind", "item")}
        return replace(graph, indptr=indptr, cost_ms=cost[kept], _cache={}, **arcs)
