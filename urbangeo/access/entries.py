"""Where searches begin and end: by which vertices points enter and leave the graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.snap import NEVER, Snaps

__all__ = ["Entries", "Packed", "entries", "largest_cost", "needed", "packed_arcs", "vertex_lonlat"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_MOST_BUCKETS = 2**20


@dataclass(frozen=True, eq=False)
class Entries:
    """Vertices by which points enter or leave the graph, and what that costs.

    Attributes
    ----------
    offsets
        Those of point ``i`` are ``offsets[i]`` to ``offsets[i + 1]``.
    vertices
        Vertices, ascending for each point and each once.
    costs
        Whole milliseconds, 0 or more.
    """

    offsets: IntArray
    vertices: IntArray
    costs: IntArray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def at(cls, vertices: Sequence[int] | IntArray) -> Entries:
        """Make entries that lie on vertices, one each, at no cost."""
        where = np.asarray(vertices, dtype=np.int64)
        return cls(np.arange(len(where) + 1), where, np.zeros(len(where), dtype=np.int64))

    def part(self, start: int, stop: int) -> Entries:
        """Give those of some points in a row."""
        low, high = self.offsets[start], self.offsets[stop]
        return Entries(
            self.offsets[start : stop + 1] - low, self.vertices[low:high], self.costs[low:high]
        )

    @property
    def rows(self) -> IntArray:
        """Point of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


def entries(snaps: Snaps, points: IntArray, *, leaving: bool) -> Entries:
    """Give the ways of points onto the graph, the fastest to each vertex.

    Parameters
    ----------
    snaps
        How points get onto the graph.
    points
        Rows of the points; a row may stand several times.
    leaving
        Whether times from the point onto the graph are meant, and not the way back.
    """
    legs = snaps.out_ms if leaving else snaps.in_ms
    usable = np.flatnonzero(legs < NEVER)
    order = usable[np.lexsort((legs[usable], snaps.vertex[usable], snaps.point[usable]))]
    point, vertex = snaps.point[order], snaps.vertex[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (point[1:] != point[:-1]) | (vertex[1:] != vertex[:-1])
    order, point = order[fresh], point[fresh]
    low, high = np.searchsorted(point, points), np.searchsorted(point, points, side="right")
    counts = high - low
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    took = order[np.repeat(low - offsets[:-1], counts) + np.arange(offsets[-1])]
    return Entries(offsets, snaps.vertex[took].astype(np.int64), legs[took].astype(np.int64))


def needed(
    graph: Graph, given: Entries, *, leaving: bool, except_arcs: IntArray | None = None
) -> Entries:
    """Leave out entries that are no faster than by another entry and one arc.

    A place on a junction enters its streets at both ends; only the junction itself matters.
    ``except_arcs`` are not counted on.
    """
    packed = packed_arcs(graph, reverse=not leaving)
    rows, vertices = given.rows, given.vertices
    width = np.diff(packed.indptr)[vertices].astype(np.int64)
    ends = np.cumsum(width)
    source = np.repeat(np.arange(len(vertices)), width)
    arc = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - width, width)
    arc += packed.indptr[vertices][source]
    # which entry of the same point, if any, does each arc lead to?
    n = graph.n_vertices
    key = rows * n + vertices  # ascending, as entries are
    sought = rows[source] * n + packed.arcs[arc, 0]
    place = np.minimum(np.searchsorted(key, sought), max(len(key) - 1, 0))
    by_arc = given.costs[source] + packed.arcs[arc, 1]
    worse = (key[place] == sought) & (by_arc <= given.costs[place]) if len(key) else sought > 0
    if except_arcs is not None and len(except_arcs):
        tails = np.searchsorted(graph.indptr, except_arcs, side="right") - 1
        ends_of = (tails, graph.heads[except_arcs])
        near, far = ends_of if leaving else ends_of[::-1]
        worse &= ~np.isin(vertices[source] * n + packed.arcs[arc, 0], near * n + far)
    kept = np.ones(len(vertices), dtype=bool)
    kept[place[worse]] = False
    counts = np.bincount(rows[kept], minlength=len(given))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Entries(offsets, vertices[kept], given.costs[kept])


def vertex_lonlat(node_lonlat: FloatArray, graph: Graph) -> FloatArray:
    """Give degrees of all vertices: a node's own, for halls and platforms their station's.

    Parameters
    ----------
    node_lonlat
        Longitude and latitude of the network's nodes, degrees; shape (nodes, 2).
    graph
        A graph of that network.
    """
    out = np.zeros((graph.n_vertices, 2))
    out[: graph.n_streets] = np.tile(node_lonlat, (len(graph.layers), 1))
    tail = np.repeat(np.arange(graph.n_vertices), np.diff(graph.indptr))
    enter, leave = (graph.kind == one for one in (ArcKind.ENTER, ArcKind.EXIT))
    out[graph.heads[enter]] = out[tail[enter]]
    out[tail[leave]] = out[graph.heads[leave]]
    return out


@dataclass(frozen=True, eq=False)
class Packed:
    """Arcs as the search reads them: head and cost side by side, 8 bytes for each."""

    indptr: NDArray[np.int32]
    arcs: NDArray[np.int32]
    shift: int
    largest: int


def largest_cost(graph: Graph) -> int:
    """Give the cost of the longest arc, milliseconds."""
    if "largest cost" not in graph._cache:
        graph._cache["largest cost"] = int(graph.cost_ms.max(initial=0))
    largest: int = graph._cache["largest cost"]
    return largest


def packed_arcs(graph: Graph, *, reverse: bool) -> Packed:
    """Pack the arcs of a graph, once, or these turned round."""
    key = "packed reverse" if reverse else "packed"
    if key not in graph._cache:
        indptr, heads, cost = graph.indptr, graph.heads, graph.cost_ms
        if reverse:
            shape = (graph.n_vertices, graph.n_vertices)
            turned = csr_array((cost, heads, indptr), shape=shape).tocsc()
            indptr, heads, cost = turned.indptr, turned.indices, turned.data
        arcs = np.empty((len(heads), 2), dtype=np.int32)
        arcs[:, 0], arcs[:, 1] = heads, cost
        mean = float(cost.mean()) if len(cost) else 1.0
        # Buckets half as wide as an arc is long on average: hardly a vertex is taken up twice.
        shift = max(0, int(math.log2(max(1.0, mean / 2))))
        largest = largest_cost(graph)
        while (largest >> shift) > _MOST_BUCKETS:
            shift += 1
        graph._cache[key] = Packed(indptr.astype(np.int32), arcs, shift, largest)
    made: Packed = graph._cache[key]
    return made
