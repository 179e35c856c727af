"""The graph that is searched: vertices, arcs, whole milliseconds.

A network's nodes come first among the vertices, with the same numbers: once as the street by car
and, where both are asked for, once more as the street on foot. After them stand, for rail, the
halls and platforms of stations. Costs are int64 milliseconds, so that every engine gives the same
answer. Of parallel arcs the fastest counts: a sparse constructor would add them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from urbangeo.errors import NetworkError

if TYPE_CHECKING:
    from urbangeo.network.rail import Rides

__all__ = ["MS", "ArcKind", "Arcs", "Graph", "build_graph"]

MS = 60_000
"""Milliseconds of a minute."""

IntArray = NDArray[np.int64]


class ArcKind(IntEnum):
    """What an arc stands for."""

    ROAD = 0
    WALK = 1
    ENTER = 2
    RIDE = 3
    TRANSFER = 4
    EXIT = 5


@dataclass(frozen=True, eq=False)
class Arcs:
    """Arcs on their way into a graph.

    Attributes
    ----------
    tail, head
        Vertices.
    cost_ms
        Milliseconds.
    kind
        :class:`ArcKind` of each.
    item
        Link row or ride that each stands for, -1 for none.
    """

    tail: IntArray
    head: IntArray
    cost_ms: NDArray[np.float64]
    kind: NDArray[np.int8]
    item: IntArray

    @classmethod
    def of(
        cls,
        tail: IntArray,
        head: IntArray,
        cost_ms: NDArray[np.float64],
        kind: ArcKind,
        item: IntArray | None = None,
    ) -> Arcs:
        """Make arcs of one kind."""
        kinds = np.full(len(tail), kind, dtype=np.int8)
        return cls(tail, head, cost_ms, kinds, np.full(len(tail), -1) if item is None else item)

    @classmethod
    def joined(cls, parts: Sequence[Arcs]) -> Arcs:
        """Put several one after another."""
        columns = ("tail", "head", "cost_ms", "kind", "item")
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in columns))


@dataclass(frozen=True, eq=False)
class Graph:
    """Compressed sparse rows of arcs, each pair of vertices at most once.

    Attributes
    ----------
    n_nodes
        Number of network nodes.
    layers
        Modes of the street's layers: vertices ``i * n_nodes`` to ``(i + 1) * n_nodes - 1`` are the
        nodes by the i-th.
    indptr, heads
        Rows by tail vertex, heads ascending within a row.
    cost_ms
        Whole milliseconds, all above 0.
    kind
        :class:`ArcKind` of each arc.
    item
        Link row for roads, number of the ride for rail, -1 for other arcs.
    rides
        The rides by rail, where there are any.
    """

    n_nodes: int
    layers: tuple[str, ...]
    indptr: IntArray
    heads: IntArray
    cost_ms: IntArray
    kind: NDArray[np.int8]
    item: IntArray
    rides: Rides | None = None
    _cache: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what engines keep with a graph: it can be made anew, and not be pickled."""
        return {**self.__dict__, "_cache": {}}

    @property
    def n_streets(self) -> int:
        """Number of vertices that are nodes by some mode; they come first."""
        return self.n_nodes * len(self.layers)

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
        return replace(self, cost_ms=cost, _cache={})

    def at_nodes(self, ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give times at nodes, by whichever mode is fastest, from times at vertices."""
        if len(self.layers) == 1:
            return ms[..., : self.n_nodes]
        shape = (*ms.shape[:-1], len(self.layers), self.n_nodes)
        fastest: NDArray[np.float64] = ms[..., : self.n_streets].reshape(shape).min(axis=-2)
        return fastest

    @property
    def component(self) -> IntArray:
        """Strongly connected component of each vertex, the largest numbered 0."""
        if "component" not in self._cache:
            count, label = connected_components(self.matrix(), directed=True, connection="strong")
            size = np.bincount(label[: self.n_streets], minlength=count)
            rank = np.empty(count, dtype=np.int64)
            rank[np.lexsort((np.arange(count), -size))] = np.arange(count)
            self._cache["component"] = rank[label]
        made: IntArray = self._cache["component"]
        return made


def build_graph(
    n_nodes: int,
    layers: tuple[str, ...],
    n_vertices: int,
    arcs: Arcs,
    rides: Rides | None = None,
) -> Graph:
    """Sort arcs into rows, keeping the fastest of parallel ones.

    Raises
    ------
    NetworkError
        If a cost is NaN, infinite, zero or negative.
    """
    tail, head, cost_ms = arcs.tail, arcs.head, arcs.cost_ms
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
        layers=layers,
        indptr=indptr,
        heads=head[first_of_pair].astype(np.int64),
        cost_ms=cost[first_of_pair],
        kind=arcs.kind[kept].astype(np.int8),
        item=arcs.item[kept].astype(np.int64),
        rides=rides,
    )
