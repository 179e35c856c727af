"""Searches over the graph: as far as a limit, or between listed points, by scipy or by numba."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from urbangeo.access.entries import Entries, largest_cost, packed_arcs
from urbangeo.access.kernels import Kernels, lent_room
from urbangeo.access.machine import available, in_threads
from urbangeo.errors import InputError
from urbangeo.network.graph import Graph

__all__ = [
    "Reached",
    "check_engine",
    "fits_numba",
    "nearest_end",
    "reach",
    "reach_dense",
    "search_table",
    "searching",
]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_BLOCK_BYTES = 256 * 2**20  # dense rows of scipy's searches stay below this
_CHUNK_BYTES = 16 * 2**20
_NO_LIMIT = 2**60
_LARGE_GRAPH = 50_000
_LARGE_WORK = 2_000_000
_WORTH_THREADS = 100_000

_Part = tuple[IntArray, NDArray[np.int32], IntArray, NDArray[np.int32] | None]


# -- which engine ------------------------------------------------------------------------------


def fits_numba(graph: Graph) -> bool:
    """Whether the compiled search can hold the arcs of a graph and their costs."""
    return max(largest_cost(graph), 2 * graph.n_arcs, graph.n_vertices) < 2**31 - 1


def searching(graph: Graph, searches: int) -> str:
    """Choose the engine of some searches: ``scipy`` or ``numba``; the answer is the same.

    Loading numba takes half a second, which scipy needs for some two million vertices; below that,
    scipy searches, unless numba has been loaded before.
    """
    large = graph.n_vertices >= _LARGE_GRAPH or searches * graph.n_vertices >= _LARGE_WORK
    if (large or Kernels.loaded) and "numba" in available() and fits_numba(graph):
        return "numba"
    return "scipy"


def _chosen(engine: str | None, graph: Graph, searches: int) -> str:
    """Take the engine that was asked for, or choose one."""
    if engine is None:
        return searching(graph, searches)
    return check_engine(engine, {"scipy": True, "numba": fits_numba(graph)})


def check_engine(engine: str, fits: Mapping[str, bool]) -> str:
    """Refuse an engine that cannot answer.

    Parameters
    ----------
    engine
        The engine that was asked for.
    fits
        For each engine that might answer, whether it can hold the costs.

    Raises
    ------
    InputError
        If there is no such engine, it is not installed, or it cannot hold the costs.
    """
    if engine not in fits:
        raise InputError(f"engine is {engine!r}; expected one of {', '.join(fits)}, or None.")
    if engine not in available():
        raise InputError(
            f"The engine {engine!r} is not installed: pip install 'urbangeo[scale]', or leave "
            "engine out to take what is there."
        )
    if not fits[engine]:
        raise InputError(
            f"The engine {engine!r} holds arcs of less than 2**31 ms (596 hours) and as many "
            "vertices; this graph has more. Leave engine out."
        )
    return engine


# -- ranges ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reached:
    """What searches reached: no more than that is held.

    Attributes
    ----------
    offsets
        What search ``i`` reached stands at ``offsets[i]`` to ``offsets[i + 1]``.
    vertices
        Vertices, each once for each search, in no order that means anything.
    ms
        Whole milliseconds.
    before
        Vertex before each on its fastest way; ``n_vertices + i`` where the way of search ``i``
        begins. Of several the lowest number, and the beginning before any. None unless asked for.
    n_vertices
        Number of vertices of the graph.
    """

    offsets: IntArray
    vertices: NDArray[np.int32]
    ms: IntArray
    before: NDArray[np.int32] | None
    n_vertices: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def rows(self) -> IntArray:
        """Search of each."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def dense(self) -> FloatArray:
        """Give a row for each search and a column for each vertex, infinite where not reached."""
        out = np.full((len(self), self.n_vertices), np.inf)
        out[self.rows, self.vertices] = self.ms
        return out


def reach(
    graph: Graph,
    starts: Entries,
    *,
    reverse: bool = False,
    limit_ms: float = math.inf,
    paths: bool = False,
    engine: str | None = None,
    threads: int | None = None,
) -> Reached:
    """Search from points over the graph, or towards them, as far as a limit.

    Parameters
    ----------
    graph
        The graph.
    starts
        How each point enters it; leaves it, if ``reverse``.
    reverse
        Search along arcs turned round: times *to* the points.
    limit_ms
        Inclusive.
    paths
        Also give the tree of fastest ways.
    engine
        ``scipy`` or ``numba``; chosen by :func:`searching` if None.
    threads
        At most so many at once; as many as there are cores if None.
    """
    chosen = _chosen(engine, graph, len(starts))
    if chosen == "numba":
        return _reach_numba(graph, starts, reverse, limit_ms, paths, threads)
    parts = [
        _sparse(rows, before)
        for _, rows, before in _scipy_blocks(graph, starts, reverse, limit_ms, paths=paths)
    ]
    return _joined(parts, graph.n_vertices, paths=paths)


def reach_dense(
    graph: Graph,
    starts: Entries,
    *,
    reverse: bool = False,
    limit_ms: float = math.inf,
    columns: int | None = None,
    unit: float = 1.0,
    missing: float = math.inf,
    engine: str | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Search as :func:`reach` does, into a table of all vertices.

    Parameters
    ----------
    graph, starts, reverse, limit_ms, engine, threads
        As for :func:`reach`.
    columns
        Only the first so many vertices; all if None.
    unit
        Milliseconds that count as one.
    missing
        What stands where a vertex is not reached.
    """
    width = graph.n_vertices if columns is None else columns
    out = np.empty((len(starts), width))
    chosen = _chosen(engine, graph, len(starts))
    if chosen != "numba":
        for start, ms, _ in _scipy_blocks(graph, starts, reverse, limit_ms, paths=False):
            block = out[start : start + len(ms)]
            np.divide(ms[:, :width], unit, out=block)
            if not math.isinf(missing):
                block[np.isinf(block)] = missing
        return out
    kernels, packed = Kernels.get(), packed_arcs(graph, reverse=reverse)
    limit, unlisted = _whole(limit_ms), np.empty(0, dtype=np.int64)

    def work(start: int, stop: int) -> None:
        with lent_room(graph) as room:
            for row in range(start, stop):
                one = starts.part(row, row + 1)
                count = room.settle(kernels, packed, one.vertices, one.costs, limit, room.mark, 0)
                out[row] = missing
                kernels[3](room.label, room.order, count, unlisted, out[row], unit)

    if len(starts):
        in_threads(work, len(starts), _worth_threads(graph, len(starts), threads))
    return out


def _sparse(ms: FloatArray, before: NDArray[np.int32] | None) -> _Part:
    row, vertex = np.nonzero(np.isfinite(ms))
    counts = np.bincount(row, minlength=len(ms))
    tree = None if before is None else before[row, vertex]
    return counts, vertex.astype(np.int32), ms[row, vertex].astype(np.int64), tree


def _joined(parts: Sequence[_Part], n_vertices: int, *, paths: bool) -> Reached:
    none = np.empty(0, dtype=np.int32)
    counts = np.concatenate([np.empty(0, np.int64), *(one[0] for one in parts)])
    return Reached(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        vertices=np.concatenate([none, *(one[1] for one in parts)]),
        ms=np.concatenate([none.astype(np.int64), *(one[2] for one in parts)]),
        before=np.concatenate([none, *(one[3] for one in parts if one[3] is not None)])
        if paths
        else None,
        n_vertices=n_vertices,
    )


def _reach_numba(
    graph: Graph,
    starts: Entries,
    reverse: bool,
    limit_ms: float,
    paths: bool,
    threads: int | None,
) -> Reached:
    kernels, packed = Kernels.get(), packed_arcs(graph, reverse=reverse)
    limit, nowhere = _whole(limit_ms), np.empty(0)

    def work(start: int, stop: int) -> list[_Part]:
        found: list[_Part] = []
        with lent_room(graph) as room:
            for row in range(start, stop):
                one = starts.part(row, row + 1)
                count = room.settle(kernels, packed, one.vertices, one.costs, limit, room.mark, 0)
                vertices = room.order[:count].copy()
                tree = None
                if paths:
                    kernels[1](
                        packed.indptr,
                        packed.arcs,
                        one.vertices,
                        one.costs,
                        room.label,
                        room.order,
                        count,
                        room.before,
                    )
                    tree = room.before[vertices]
                    tree[tree < 0] = graph.n_vertices + row
                ms = np.empty(count, dtype=np.int64)
                kernels[3](room.label, room.order, count, ms, nowhere, 1.0)
                found.append((np.array([count]), vertices, ms, tree))
        return found

    if not len(starts):
        return _joined([], graph.n_vertices, paths=paths)
    spans = in_threads(work, len(starts), _worth_threads(graph, len(starts), threads))
    return _joined([one for found in spans for one in found], graph.n_vertices, paths=paths)


def _worth_threads(graph: Graph, searches: int, threads: int | None) -> int | None:
    """One thread where starting a second takes longer than the work."""
    return 1 if searches * graph.n_vertices < _WORTH_THREADS else threads


def _whole(limit_ms: float) -> int:
    return _NO_LIMIT if math.isinf(limit_ms) else math.floor(limit_ms)


# -- tables ------------------------------------------------------------------------------------


def search_table(
    graph: Graph,
    starts: Entries,
    ends: Entries,
    *,
    limit_ms: float = math.inf,
    engine: str | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Give the time from each start to each end by searches from the fewer of them.

    Parameters
    ----------
    graph, limit_ms, engine, threads
        As for :func:`reach`.
    starts, ends
        How points enter the graph and leave it.
    """
    reverse = len(ends) < len(starts)
    near, far = (ends, starts) if reverse else (starts, ends)
    if _chosen(engine, graph, len(near)) == "numba":
        out = _table_numba(graph, near, far, reverse, limit_ms, threads)
    else:
        out = np.full((len(near), len(far)), np.inf)
        for start, ms, _ in _scipy_blocks(graph, near, reverse, limit_ms, paths=False):
            out[start : start + len(ms)] = nearest_end(ms, far)
        out[out > limit_ms] = np.inf
    return out.T if reverse else out


def nearest_end(ms: FloatArray, far: Entries) -> FloatArray:
    """Times at points from times at vertices, each by the best of its vertices."""
    out = np.full((len(ms), len(far)), np.inf)
    some = np.flatnonzero(np.diff(far.offsets))
    if not len(some):
        return out
    step = max(1, _CHUNK_BYTES // (8 * len(far.vertices)))
    for first in range(0, len(ms), step):
        total = ms[first : first + step, far.vertices]
        total += far.costs
        out[first : first + step, some] = np.minimum.reduceat(total, far.offsets[some], axis=1)
    return out


def _table_numba(
    graph: Graph,
    near: Entries,
    far: Entries,
    reverse: bool,
    limit_ms: float,
    threads: int | None,
) -> FloatArray:
    kernels, packed = Kernels.get(), packed_arcs(graph, reverse=reverse)
    limit, nowhere, unlisted = _whole(limit_ms), np.empty(0), np.empty(0, dtype=np.int64)
    out = np.full((len(near), len(far)), np.inf)
    mark = np.zeros(graph.n_vertices, dtype=np.int8)
    mark[far.vertices] = 1
    wanted = int(mark.sum())

    def work(start: int, stop: int) -> None:
        with lent_room(graph) as room:
            for row in range(start, stop):
                one = near.part(row, row + 1)
                count = room.settle(kernels, packed, one.vertices, one.costs, limit, mark, wanted)
                kernels[2](room.label, far.offsets, far.vertices, far.costs, limit, out[row])
                kernels[3](room.label, room.order, count, unlisted, nowhere, 1.0)

    in_threads(work, len(near), _worth_threads(graph, len(near), threads))
    return out


# -- by scipy ----------------------------------------------------------------------------------


def _scipy_blocks(
    graph: Graph, starts: Entries, reverse: bool, limit_ms: float, *, paths: bool
) -> Iterator[tuple[int, FloatArray, NDArray[np.int32] | None]]:
    """Search by scipy, some rows at a time: first row, times, vertices before."""
    n = graph.n_vertices
    matrix = graph.matrix(reverse=reverse)
    # Each point becomes a vertex of its own. Its arcs cost one millisecond more than the entry,
    # taken off again below, because a sparse matrix cannot hold an arc that costs nothing.
    counts = np.diff(starts.offsets)
    indptr = np.concatenate([matrix.indptr, matrix.indptr[-1] + np.cumsum(counts)])
    indices = np.concatenate([matrix.indices, starts.vertices.astype(matrix.indices.dtype)])
    data = np.concatenate([matrix.data, starts.costs + 1.0])
    size = n + len(starts)
    joined = csr_array((data, indices, indptr.astype(indices.dtype)), shape=(size, size))
    block = max(1, _BLOCK_BYTES // (8 * size))
    limit = np.inf if math.isinf(limit_ms) else math.floor(limit_ms) + 1
    for start in range(0, len(starts), block):
        rows = np.arange(start, min(start + block, len(starts)))
        ms = dijkstra(joined, indices=n + rows, limit=limit)[:, :n]
        ms -= 1
        before = None
        if paths:
            before = np.stack(
                [
                    _tree_of(graph, starts.part(row, row + 1), row, one, reverse=reverse)
                    for row, one in zip(rows.tolist(), ms, strict=True)
                ]
            )
        yield start, ms, before


def _tree_of(
    graph: Graph, start: Entries, row: int, ms: FloatArray, *, reverse: bool
) -> NDArray[np.int32]:
    """Vertex before each, from the times alone, so that ties do not hang on the engine."""
    back = graph.matrix(reverse=not reverse)  # the arcs by which each vertex is come to
    head = np.repeat(np.arange(graph.n_vertices), np.diff(back.indptr))
    reached = np.isfinite(ms)
    tight = np.flatnonzero(reached[head] & (ms[back.indices] + back.data == ms[head]))
    before = np.full(graph.n_vertices, -1, dtype=np.int32)
    order = tight[np.lexsort((-back.indices[tight], head[tight]))]
    before[head[order]] = back.indices[order]  # of equal ones the last, the lowest, stays
    begun = start.vertices[ms[start.vertices] == start.costs]
    before[begun] = graph.n_vertices + row
    return before
