"""The graph that is searched: vertices, arcs, whole milliseconds.

A network's nodes come first among the vertices, with the same numbers; after them stand, for
rail, one concourse for each station and two vertices (arrived, ready to depart) for each call of
each service in each direction. Costs are int64 milliseconds, so that every engine gives the same
answer. Of parallel arcs the fastest counts: a sparse constructor would add them up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from urbangeo.errors import NetworkError

__all__ = ["MS", "ArcKind", "Graph", "build_graph"]

MS = 60_000
"""Milliseconds of a minute."""

IntArray = NDArray[np.int64]


class ArcKind(IntEnum):
    """What an arc stands for."""

    ROAD = 0
    ENTER = 1
    WAIT = 2
    RIDE = 3
    DWELL = 4
    TRANSFER = 5
    EXIT = 6


@dataclass(frozen=True, eq=False)
class Graph:
    """Compressed sparse rows of arcs, each pair of vertices at most once.

    Attributes
    ----------
    n_nodes
        Number of network nodes; vertices below it are nodes.
    indptr, heads
        Rows by tail vertex, heads ascending within a row.
    cost_ms
        Whole milliseconds, all above 0.
    kind
        :class:`ArcKind` of each arc.
    item
        Link row for roads; service row of the call for rail.
    """

    n_nodes: int
    indptr: IntArray
    heads: IntArray
    cost_ms: IntArray
    kind: NDArray[np.int8]
    item: IntArray
    _cache: dict[str, csr_array] = field(default_factory=dict, repr=False, compare=False)

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.indptr) - 1

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return len(self.heads)

    def matrix(self, *, reverse: bool = False) -> csr_array:
        """Give the arcs as a sparse matrix of float64, exact for whole milliseconds < 2**53.

        Parameters
        ----------
        reverse
            Turn every arc round, to search towards a place instead of from it.
        """
        key = "reverse" if reverse else "forward"
        if key not in self._cache:
            shape = (self.n_vertices, self.n_vertices)
            # scipy searches with 32-bit indices and would convert others at every call
            index = np.int32 if max(self.n_arcs, self.n_vertices) < 2**31 else np.int64
            rows, columns = self.indptr.astype(index), self.heads.astype(index)
            forward = csr_array((self.cost_ms.astype(float), columns, rows), shape=shape)
            self._cache[key] = forward.T.tocsr() if reverse else forward
        return self._cache[key]

    def arc(self, tail: int, head: int) -> int:
        """Give the number of the arc between two vertices.

        Raises
        ------
        KeyError
            If there is none.
        """
        low, high = self.indptr[tail], self.indptr[tail + 1]
        place = low + int(np.searchsorted(self.heads[low:high], head))
        if place == high or self.heads[place] != head:
            raise KeyError((tail, head))
        return int(place)

    def slowed(self, factor: float) -> Graph:
        """Give the same graph with every road time multiplied by ``factor``."""
        cost = self.cost_ms.copy()
        road = self.kind == ArcKind.ROAD
        cost[road] = np.maximum(1, np.rint(cost[road] * factor)).astype(np.int64)
        return Graph(self.n_nodes, self.indptr, self.heads, cost, self.kind, self.item)


def build_graph(
    n_nodes: int,
    n_vertices: int,
    tail: IntArray,
    head: IntArray,
    cost_ms: NDArray[np.float64] | IntArray,
    kind: NDArray[np.int8],
    item: IntArray,
) -> Graph:
    """Sort arcs into rows, keeping the fastest of parallel ones.

    Raises
    ------
    NetworkError
        If a cost is NaN, infinite, zero or negative.
    """
    bad = ~(np.isfinite(cost_ms) & (np.asarray(cost_ms) > 0))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise NetworkError(
            f"{int(bad.sum())} arc(s) have no usable cost; the first, from vertex {tail[first]} to "
            f"{head[first]}, costs {cost_ms[first]} ms. Costs must be finite and above 0."
        )
    cost = np.maximum(1, np.rint(cost_ms)).astype(np.int64)
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    first_of_pair = np.ones(len(tail), dtype=bool)
    first_of_pair[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    kept = order[first_of_pair]
    indptr = np.zeros(n_vertices + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail[first_of_pair], minlength=n_vertices), out=indptr[1:])
    return Graph(
        n_nodes=n_nodes,
        indptr=indptr,
        heads=head[first_of_pair].astype(np.int64),
        cost_ms=cost[first_of_pair],
        kind=kind[kept].astype(np.int8),
        item=item[kept].astype(np.int64),
    )
