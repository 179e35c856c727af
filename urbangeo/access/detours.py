"""Fastest ways from a place as a tree, and the ways round each of its arcs.

All detours of one pair are found together (Malik, Mittal and Gupta 1989; Hershberger and Suri
2001): a way round an arc leaves the tree over one arc that crosses into the part behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import depth_first_order

__all__ = ["Tree", "least_over", "passes"]

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tree:
    """The fastest ways from one place, numbered so that what lies behind an arc is one run.

    Attributes
    ----------
    ms, before
        As the search found them; the place itself is vertex ``n``.
    at
        Position of each vertex in the order, -1 if it is not reached; the place is at 0.
    depth
        Number of arcs from the place, by position.
    tail_at, head_at, head
        The arcs that are not of the tree: positions of their ends, and the head itself.
    base
        Milliseconds from the place over the arc to its head.
    """

    ms: FloatArray
    before: NDArray[np.int32]
    at: IntArray
    depth: NDArray[np.int32]
    tail_at: IntArray
    head_at: IntArray
    head: IntArray
    base: FloatArray

    @classmethod
    def of(
        cls,
        ms: FloatArray,
        before: NDArray[np.int32],
        arcs: tuple[IntArray, IntArray, IntArray],
        n_fastest: int,
        ways_in: tuple[IntArray, IntArray],
    ) -> Tree:
        """Number what a search found.

        Parameters
        ----------
        ms, before
            Its times and the vertices before, for each vertex.
        arcs
            Tails, heads and costs of all arcs, parallel ones too.
        n_fastest
            So many arcs come first that are the fastest between their ends.
        ways_in
            Vertices at which the place enters, and milliseconds to each.
        """
        n = len(ms)
        reached = np.flatnonzero(np.isfinite(ms))
        parent = np.full(n + 1, n, dtype=np.int64)
        came = before[reached]
        parent[reached] = np.where((came < 0) | (came >= n), n, came)
        order = reached[np.argsort(parent[reached], kind="stable")]
        indptr = np.zeros(n + 2, dtype=np.int32)
        np.cumsum(np.bincount(parent[reached], minlength=n + 1), out=indptr[1:])
        shape = (n + 1, n + 1)
        children = csr_array((np.ones(len(order)), order.astype(np.int32), indptr), shape=shape)
        sequence = depth_first_order(children, n, return_predecessors=False)
        at = np.full(n + 1, -1, dtype=np.int64)
        at[sequence] = np.arange(len(sequence))
        depth = _depths(at[parent[sequence]])
        tail, head, cost = arcs
        other = np.isfinite(ms[tail])
        # an arc of the tree crosses nothing but on the way itself, where it is what is closed
        other[:n_fastest] &= before[head[:n_fastest]] != tail[:n_fastest]
        tail, head, cost = tail[other], head[other], cost[other]
        vertex, leg = ways_in
        return cls(
            ms=ms,
            before=before,
            at=at[:n],
            depth=depth,
            tail_at=np.concatenate([at[tail], np.zeros(len(vertex), dtype=np.int64)]),
            head_at=at[np.concatenate([head, vertex])],
            head=np.concatenate([head, vertex]),
            base=np.concatenate([ms[tail] + cost, leg.astype(float)]),
        )

    def way(self, last: int) -> IntArray:
        """Vertices of the fastest way to a vertex, the place itself first."""
        n, before = len(self.ms), self.before
        way = [last]
        while 0 <= before[way[-1]] < n:
            way.append(int(before[way[-1]]))
        return np.array([n, *way[::-1]], dtype=np.int64)

    def place_on(self, way: IntArray) -> NDArray[np.int32]:
        """For each position in the order, the last vertex of a way on the way to it.

        What lies behind a vertex is one run that begins with it, so before the way's last vertex
        the place is how many of the way's vertices have come, and after it the least depth since
        tells which of the runs have ended.
        """
        starts = np.concatenate([[0], self.at[way[1:]]])
        last = len(way) - 1
        counts = np.diff(np.append(starts, starts[-1] + 1))
        before = np.repeat(np.arange(len(way), dtype=np.int32), counts)
        since = np.minimum.accumulate(self.depth[starts[-1] + 1 :])
        return np.concatenate([before, np.minimum(since - 1, last).astype(np.int32)])


def _depths(parent: IntArray) -> NDArray[np.int32]:
    """Depth in a tree, by doubling the step; the root is at 0 and its own parent."""
    step = parent.copy()
    step[0] = 0
    depth = np.ones(len(step), dtype=np.int32)
    depth[0] = 0
    while step.any():
        depth += depth[step]
        step = step[step]
    return depth


def least_over(begin: IntArray, end: IntArray, size: int) -> IntArray:
    """For each place the first of the spans ``begin <= place < end`` that cover it.

    ``len(begin)`` where none does. Each span is two runs of a power of two, which are handed
    down to their halves.
    """
    none = len(begin)
    length = end - begin
    level = np.frexp(length.astype(float))[1] - 1
    top = int(level.max()) if none else 0
    table = np.full((top + 1, size), none, dtype=np.int64)
    number = np.arange(none)
    np.minimum.at(table, (level, begin), number)
    np.minimum.at(table, (level, end - (1 << level)), number)
    for one in range(top, 0, -1):
        half = 1 << (one - 1)
        np.minimum(table[one - 1], table[one], out=table[one - 1])
        np.minimum(table[one - 1, half:], table[one, :-half], out=table[one - 1, half:])
    first: IntArray = table[0]
    return first


def passes(
    before: NDArray[np.int32],
    ms: FloatArray,
    start: IntArray,
    tail: IntArray,
    head: IntArray,
) -> NDArray[np.bool_]:
    """Whether the fastest ways from some vertices to the end use arcs, one for each."""
    n = len(ms)
    ms = np.append(ms, -np.inf)  # the end itself
    now = start.copy()
    while (ahead := ms[now] > ms[tail]).any():
        came = before[now[ahead]]
        now[ahead] = np.where((came < 0) | (came >= n), n, came)
    passes: NDArray[np.bool_] = (now == tail) & (before[tail] == head)
    return passes
