"""The engines that answer for the graph: which one, why, and the same answer from each.

Costs are whole milliseconds, so every engine must give the same integers, and a test holds them to
it. Three can be asked:

``scipy``
    Dijkstra's algorithm of :mod:`scipy.sparse.csgraph`. Always there.
``numba``
    A search of ours that touches only what it reaches, does not hold Python's lock, and so runs in
    as many threads as there are cores. It needs ``numba`` (extra ``scale``).
``cch``
    Customizable contraction hierarchies (Dibbelt, Strasser and Wagner 2016) by RoutingKit, for
    tables of times. They need ``routingkit-cch`` (extra ``scale``).

The search of ours keeps vertices in buckets of time, narrower than most arcs are long, and takes a
vertex up again when a faster way to it shows up within its own bucket (approximate buckets:
Cherkassky, Goldberg and Radzik 1996). Times are exact; only the order in which they are found is
not.
"""

from __future__ import annotations

import hashlib
import importlib
import math
import os
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from urbangeo.errors import InputError
from urbangeo.network.graph import ArcKind, Graph
from urbangeo.network.snap import NEVER, Snaps

__all__ = [
    "ENGINES",
    "Entries",
    "Hierarchy",
    "Reached",
    "available",
    "choose",
    "entries",
    "nearest_end",
    "needed",
    "reach",
    "reach_dense",
    "table",
    "vertex_lonlat",
]

ENGINES = ("scipy", "numba", "cch")

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_BLOCK_BYTES = 256 * 2**20  # dense rows of scipy's searches stay below this
_CHUNK_BYTES = 16 * 2**20
_NO_LIMIT = 2**60
_LARGE_GRAPH = 50_000
_LARGE_WORK = 2_000_000
_WORTH_THREADS = 100_000
_MANY_SEARCHES = 300
_FEW_SEARCHES = 8
_MOST_BUCKETS = 2**20
_CCH_INFINITE = 2**31 - 1  # RoutingKit counts in 31 bits; 596 hours
_KEPT_ORDERS = 8


# -- which engine ------------------------------------------------------------------------------


def available() -> tuple[str, ...]:
    """Name the engines that can be used here, of :data:`ENGINES`."""
    found = ["scipy"]
    found += ["numba"] if _module("numba") is not None else []
    found += ["cch"] if _module("routingkit_cch") is not None else []
    return tuple(found)


@cache
def _module(name: str) -> Any:
    """Import an optional library; None where it is missing or does not suit this Python."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def choose(graph: Graph, searches: int, *, limit_ms: float = math.inf, is_table: bool) -> str:
    """Choose the engine by the shape of the question.

    Parameters
    ----------
    graph
        The graph that is asked.
    searches
        Number of searches that plain searching takes: the smaller side of a table.
    limit_ms
        Cutoff.
    is_table
        Whether times between listed places are asked for, and not all that is reached.

    Returns
    -------
    str
        One of :data:`ENGINES`. The answer is the same from each; this is about waiting.

    Notes
    -----
    A range touches much of the graph anyway, so it is searched. A table without a cutoff is worth
    a hierarchy when plain searching, about 0.1 µs for each vertex and search, would take longer
    than ordering the graph, about 30 µs for each vertex: from some 300 searches on, or a few once
    the order is there. A cutoff makes searching cheap, so then a hierarchy is used only if it is
    there already. Loading numba takes half a second, which scipy needs for some two million
    vertices; below that, scipy searches, unless numba has been loaded before.
    """
    usable = available()
    if is_table and "cch" in usable and _fits_cch(graph):
        known = _Orders.known(graph)
        if searches >= _FEW_SEARCHES and (
            known or (math.isinf(limit_ms) and searches >= _MANY_SEARCHES)
        ):
            return "cch"
    large = graph.n_vertices >= _LARGE_GRAPH or searches * graph.n_vertices >= _LARGE_WORK
    if "numba" in usable and (large or _Kernels.loaded) and _fits_numba(graph):
        return "numba"
    return "scipy"


def _checked(
    engine: str | None, graph: Graph, searches: int, limit_ms: float, *, table: bool
) -> str:
    """Take the engine that was asked for, or choose one.

    Raises
    ------
    InputError
        If there is no such engine, it is not installed, or it cannot hold the costs.
    """
    if engine is None:
        return choose(graph, searches, limit_ms=limit_ms, is_table=table)
    kinds = ENGINES if table else ENGINES[:2]
    if engine not in kinds:
        raise InputError(f"engine is {engine!r}; expected one of {', '.join(kinds)}, or None.")
    if engine not in available():
        raise InputError(
            f"The engine {engine!r} is not installed: pip install 'urbangeo[scale]', or leave "
            "engine out to take what is there."
        )
    if not {"scipy": True, "numba": _fits_numba(graph), "cch": _fits_cch(graph)}[engine]:
        raise InputError(
            f"The engine {engine!r} holds arcs of less than 2**31 ms (596 hours) and as many "
            "vertices; this graph has more. Leave engine out."
        )
    return engine


def _largest(graph: Graph) -> int:
    if "largest cost" not in graph._cache:
        graph._cache["largest cost"] = int(graph.cost_ms.max(initial=0))
    largest: int = graph._cache["largest cost"]
    return largest


def _fits_numba(graph: Graph) -> bool:
    return max(_largest(graph), 2 * graph.n_arcs, graph.n_vertices) < 2**31 - 1


def _fits_cch(graph: Graph) -> bool:
    return max(_largest(graph), graph.n_arcs, graph.n_vertices) < _CCH_INFINITE


# -- where searches begin and end --------------------------------------------------------------


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
    packed = _packed(graph, reverse=not leaving)
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


# -- a search that touches only what it reaches ------------------------------------------------


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


@dataclass(frozen=True, eq=False)
class _Packed:
    """Arcs as the search reads them: head and cost side by side, 8 bytes for each."""

    indptr: NDArray[np.int32]
    arcs: NDArray[np.int32]
    shift: int
    largest: int


def _packed(graph: Graph, *, reverse: bool) -> _Packed:
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
        largest = _largest(graph)
        while (largest >> shift) > _MOST_BUCKETS:
            shift += 1
        graph._cache[key] = _Packed(indptr.astype(np.int32), arcs, shift, largest)
    made: _Packed = graph._cache[key]
    return made


def _settle(  # pragma: no cover - compiled
    indptr: Any,
    arcs: Any,
    vertices: Any,
    costs: Any,
    limit: int,
    shift: int,
    first: Any,
    label: Any,
    order: Any,
    pool: Any,
    mark: Any,
    wanted: int,
) -> int:
    """Search from entries; the number of vertices that were reached, listed in ``order``.

    ``label`` holds twice the time plus two, and one more while the vertex waits in a bucket; 0 is
    not reached. ``first`` holds the first waiting entry of each bucket, ``pool`` the vertex of
    each entry and the next entry. Once all ``wanted`` marked vertices have been seen, nothing
    slower than the slowest of them is looked for.
    """
    turn = len(first) - 1
    free = -1
    used = 0
    count = 0
    waiting = 0
    now = -1
    for at in range(len(vertices)):
        vertex = vertices[at]
        ms = costs[at]
        old = label[vertex] >> 1
        if ms > limit or (old != 0 and ms + 1 >= old):
            continue
        if old == 0:
            order[count] = vertex
            count += 1
            wanted -= mark[vertex]
        label[vertex] = ((ms + 1) << 1) | 1
        bucket = ms >> shift
        if now < 0 or bucket < now:
            now = bucket
        pool[used, 0] = vertex
        pool[used, 1] = first[bucket & turn]
        first[bucket & turn] = used
        used += 1
        waiting += 1
    hunting = wanted > 0
    while waiting > 0:
        place = now & turn
        while first[place] >= 0:
            entry = first[place]
            first[place] = pool[entry, 1]
            waiting -= 1
            vertex = pool[entry, 0]
            pool[entry, 1] = free
            free = entry
            state = label[vertex]
            if state & 1 == 0:  # was taken up by a faster way
                continue
            label[vertex] = state - 1
            begun = (state >> 1) - 1
            for arc in range(indptr[vertex], indptr[vertex + 1]):
                head = arcs[arc, 0]
                ms = begun + arcs[arc, 1]
                if ms > limit:
                    continue
                old = label[head] >> 1
                if old == 0:
                    order[count] = head
                    count += 1
                    wanted -= mark[head]
                elif ms + 1 >= old:
                    continue
                label[head] = ((ms + 1) << 1) | 1
                if free >= 0:
                    entry = free
                    free = pool[entry, 1]
                else:
                    entry = used
                    used += 1
                bucket = (ms >> shift) & turn
                pool[entry, 0] = head
                pool[entry, 1] = first[bucket]
                first[bucket] = entry
                waiting += 1
        now += 1
        if hunting and wanted <= 0:
            slowest = 0
            for at in range(count):
                if mark[order[at]] != 0:
                    slowest = max(slowest, (label[order[at]] >> 1) - 1)
            limit = min(limit, slowest)
            hunting = False
    return count


def _tree(  # pragma: no cover - compiled
    indptr: Any,
    arcs: Any,
    vertices: Any,
    costs: Any,
    label: Any,
    order: Any,
    count: int,
    before: Any,
) -> None:
    """Give each vertex that was reached the lowest-numbered one before it; -2 at a beginning."""
    for at in range(count):
        before[order[at]] = -1
    for at in range(len(vertices)):
        if label[vertices[at]] >> 1 == costs[at] + 1:
            before[vertices[at]] = -2
    for at in range(count):
        vertex = order[at]
        begun = label[vertex] >> 1
        for arc in range(indptr[vertex], indptr[vertex + 1]):
            head = arcs[arc, 0]
            if begun + arcs[arc, 1] == label[head] >> 1:
                known = before[head]
                if known == -1 or (known >= 0 and vertex < known):
                    before[head] = vertex


def _gather(  # pragma: no cover - compiled
    label: Any, offsets: Any, vertices: Any, costs: Any, limit: int, out: Any
) -> None:
    """Write the least time by one of each point's vertices; what is not reached stays."""
    for point in range(len(offsets) - 1):
        for at in range(offsets[point], offsets[point + 1]):
            state = label[vertices[at]] >> 1
            if state != 0:
                ms = state - 1 + costs[at]
                if ms <= limit and ms < out[point]:
                    out[point] = ms


def _clear(  # pragma: no cover - compiled
    label: Any, order: Any, count: int, ms: Any, row: Any, unit: float
) -> None:
    """Take times out, into a list and into a row of all vertices, and forget them."""
    for at in range(count):
        vertex = order[at]
        one = (label[vertex] >> 1) - 1
        label[vertex] = 0
        if len(ms) > 0:
            ms[at] = one
        if vertex < len(row):
            row[vertex] = one / unit


class _Kernels:
    """The four functions above, compiled when first needed."""

    loaded = False
    _lock = threading.Lock()
    _made: tuple[Callable[..., Any], ...] = ()

    @classmethod
    def get(cls) -> tuple[Callable[..., Any], ...]:
        with cls._lock:
            if not cls._made:
                cls._made = cls._compiled()
                cls.loaded = True
        return cls._made

    @classmethod
    def _compiled(cls) -> tuple[Callable[..., Any], ...]:
        """Compile, keeping the machine code on disk where a place for it can be written to.

        Compiling takes some seconds, loading what was kept a tenth. A library installed
        read-only, for a user without a home, has no such place.
        """
        plain = (_settle, _tree, _gather, _clear)
        jit = _module("numba").njit
        for keep in (True, False):
            try:
                made = tuple(jit(nogil=True, cache=keep)(one) for one in plain)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    _try_out(made)
            except (RuntimeError, OSError):
                if not keep:
                    raise
            else:
                return made
        raise AssertionError


def _try_out(kernels: tuple[Callable[..., Any], ...]) -> None:
    """Search a graph of one arc, so that everything is compiled or loaded."""
    one = _Packed(np.array([0, 1, 1], np.int32), np.array([[1, 5]], np.int32), 0, 5)
    room = _Room(2, 1)
    at = Entries.at([0])
    count = room.settle(kernels, one, at.vertices, at.costs, 9, room.mark, 0)
    kernels[1](
        one.indptr, one.arcs, at.vertices, at.costs, room.label, room.order, count, room.before
    )
    kernels[2](room.label, at.offsets, at.vertices, at.costs, 9, np.empty(1))
    kernels[3](room.label, room.order, count, np.empty(2, np.int64), np.empty(2), 1.0)


class _Room:
    """What one thread needs to search. Memory is taken up only where a search comes by."""

    def __init__(self, n_vertices: int, n_arcs: int) -> None:
        self.label = np.zeros(n_vertices, dtype=np.int64)
        self.order = np.empty(n_vertices, dtype=np.int32)
        self.before = np.empty(n_vertices, dtype=np.int32)
        self.mark = np.zeros(n_vertices, dtype=np.int8)
        # An arc can have put its head into two buckets that have not been emptied yet, no more:
        # its tail is final once its own bucket is empty, and till then changes within its width.
        self.pool = np.empty((2 * n_arcs, 2), dtype=np.int32)
        self.first = np.full(0, -1, dtype=np.int32)

    def settle(
        self,
        kernels: tuple[Callable[..., Any], ...],
        packed: _Packed,
        vertices: IntArray,
        costs: IntArray,
        limit: int,
        mark: NDArray[np.int8],
        wanted: int,
    ) -> int:
        """Search; times are left in ``label`` for the vertices in ``order``."""
        span = max(packed.largest, int(costs.max(initial=0)))
        buckets = 1 << ((span >> packed.shift) + 2).bit_length()
        if len(self.first) < buckets:
            self.first = np.full(buckets, -1, dtype=np.int32)
        if len(self.pool) < 2 * len(packed.arcs) + len(vertices):
            self.pool = np.empty((2 * len(packed.arcs) + len(vertices), 2), dtype=np.int32)
        done: int = kernels[0](
            packed.indptr,
            packed.arcs,
            vertices,
            costs,
            limit,
            packed.shift,
            self.first,
            self.label,
            self.order,
            self.pool,
            mark,
            wanted,
        )
        return done


@contextmanager
def _room(graph: Graph) -> Iterator[_Room]:
    """Lend a room, kept with the graph for the next search. Lists are safe between threads."""
    rooms: list[_Room] = graph._cache.setdefault("rooms", [])
    try:
        room = rooms.pop()
    except IndexError:
        room = _Room(graph.n_vertices, graph.n_arcs)
    yield room  # after an error it is not used again: it may hold half a search
    rooms.append(room)


def _cores() -> int:
    """Cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _in_threads(work: Callable[[int, int], Any], count: int, threads: int | None) -> list[Any]:
    """Do pieces of a range in threads; what each gave, in order."""
    most = _cores() if threads is None else threads
    # several pieces for each thread, so that none waits long for another
    pieces = min(count, most * 4) if most > 1 else 1
    ends = np.linspace(0, count, pieces + 1).astype(int).tolist()
    spans = list(pairwise(ends))
    if most == 1 or len(spans) < 2:
        return [work(start, stop) for start, stop in spans]
    with ThreadPoolExecutor(min(most, len(spans))) as pool:
        return list(pool.map(lambda span: work(*span), spans))


def _threads(graph: Graph, searches: int, threads: int | None) -> int | None:
    """One thread where starting a second takes longer than the work."""
    return 1 if searches * graph.n_vertices < _WORTH_THREADS else threads


def _whole(limit_ms: float) -> int:
    return _NO_LIMIT if math.isinf(limit_ms) else math.floor(limit_ms)


# -- ranges ------------------------------------------------------------------------------------


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
        ``scipy`` or ``numba``; chosen by :func:`choose` if None.
    threads
        At most so many at once; as many as there are cores if None.
    """
    chosen = _checked(engine, graph, len(starts), limit_ms, table=False)
    if chosen == "numba":
        return _reach_numba(graph, starts, reverse, limit_ms, paths, threads)
    parts = [
        _sparse(rows, before)
        for _, rows, before in _scipy_blocks(graph, starts, reverse, limit_ms, paths=paths)
    ]
    return _joined(parts, graph.n_vertices, paths=paths)


_Part = tuple[IntArray, NDArray[np.int32], IntArray, NDArray[np.int32] | None]


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
    kernels, packed = _Kernels.get(), _packed(graph, reverse=reverse)
    limit, nowhere = _whole(limit_ms), np.empty(0)

    def work(start: int, stop: int) -> list[_Part]:
        found: list[_Part] = []
        with _room(graph) as room:
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
    spans = _in_threads(work, len(starts), _threads(graph, len(starts), threads))
    return _joined([one for found in spans for one in found], graph.n_vertices, paths=paths)


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
    chosen = _checked(engine, graph, len(starts), limit_ms, table=False)
    if chosen != "numba":
        for start, ms, _ in _scipy_blocks(graph, starts, reverse, limit_ms, paths=False):
            block = out[start : start + len(ms)]
            np.divide(ms[:, :width], unit, out=block)
            if not math.isinf(missing):
                block[np.isinf(block)] = missing
        return out
    kernels, packed = _Kernels.get(), _packed(graph, reverse=reverse)
    limit, unlisted = _whole(limit_ms), np.empty(0, dtype=np.int64)

    def work(start: int, stop: int) -> None:
        with _room(graph) as room:
            for row in range(start, stop):
                one = starts.part(row, row + 1)
                count = room.settle(kernels, packed, one.vertices, one.costs, limit, room.mark, 0)
                out[row] = missing
                kernels[3](room.label, room.order, count, unlisted, out[row], unit)

    if len(starts):
        _in_threads(work, len(starts), _threads(graph, len(starts), threads))
    return out


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


# -- tables ------------------------------------------------------------------------------------


def table(
    graph: Graph,
    starts: Entries,
    ends: Entries,
    *,
    limit_ms: float = math.inf,
    lonlat: FloatArray | None = None,
    engine: str | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Give the time from each start to each end; milliseconds, infinite where there is no way.

    Parameters
    ----------
    graph
        The graph.
    starts, ends
        How points enter the graph and leave it.
    limit_ms
        Longer times are infinite; inclusive.
    lonlat
        Degrees of the vertices, by which ``cch`` orders them much better than without.
    engine
        One of :data:`ENGINES`; chosen by :func:`choose` if None.
    threads
        At most so many at once; as many as there are cores if None.
    """
    searches = min(len(starts), len(ends))
    chosen = _checked(engine, graph, searches, limit_ms, table=True)
    if not searches:
        return np.full((len(starts), len(ends)), np.inf)
    if chosen == "cch":
        return Hierarchy.of(graph, lonlat).table(starts, ends, limit_ms=limit_ms, threads=threads)
    reverse = len(ends) < len(starts)
    near, far = (ends, starts) if reverse else (starts, ends)
    if chosen == "numba":
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
    kernels, packed = _Kernels.get(), _packed(graph, reverse=reverse)
    limit, nowhere, unlisted = _whole(limit_ms), np.empty(0), np.empty(0, dtype=np.int64)
    out = np.full((len(near), len(far)), np.inf)
    mark = np.zeros(graph.n_vertices, dtype=np.int8)
    mark[far.vertices] = 1
    wanted = int(mark.sum())

    def work(start: int, stop: int) -> None:
        with _room(graph) as room:
            for row in range(start, stop):
                one = near.part(row, row + 1)
                count = room.settle(kernels, packed, one.vertices, one.costs, limit, mark, wanted)
                kernels[2](room.label, far.offsets, far.vertices, far.costs, limit, out[row])
                kernels[3](room.label, room.order, count, unlisted, nowhere, 1.0)

    _in_threads(work, len(near), _threads(graph, len(near), threads))
    return out


# -- hierarchies -------------------------------------------------------------------------------


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
        kit = _module("routingkit_cch")
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
        if not _fits_cch(graph):
            raise InputError(
                "A hierarchy holds arcs of less than 2**31 - 1 ms (596 hours); this graph has "
                "longer ones. Search it with another engine."
            )
        self.graph = graph
        self._kit = _module("routingkit_cch")
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
            Degrees of its vertices (:func:`vertex_lonlat`). Without them the order is a poor one,
            which costs time on graphs of more than some thousand vertices.
        """
        if "hierarchy" not in graph._cache:
            graph._cache["hierarchy"] = cls(graph, lonlat)
        made: Hierarchy = graph._cache["hierarchy"]
        return made

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
        """Give the time from each start to each end, as :func:`table` does."""
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
            engine = choose(graph, 1, is_table=False)
            one = starts.part(row, row + 1)
            out[row] = table(graph, one, ends, engine=engine, threads=threads)[0]

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
