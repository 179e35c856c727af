"""A search that touches only what it reaches, for numba.

It keeps vertices in buckets of time, narrower than most arcs are long, and takes a vertex up again
when a faster way to it shows up within its own bucket (approximate buckets: Cherkassky, Goldberg
and Radzik 1996). Times are exact; only the order in which they are found is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from urbangeo.access.entries import Entries, Packed
from urbangeo.access.machine import compiled
from urbangeo.network.graph import Graph

__all__ = ["Kernels", "Room", "lent_room"]

IntArray = NDArray[np.int64]


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


class Kernels:
    """The four functions above, compiled when first needed."""

    loaded = False
    _lock = threading.Lock()
    _made: tuple[Callable[..., Any], ...] = ()

    @classmethod
    def get(cls) -> tuple[Callable[..., Any], ...]:
        """Give them, always the same."""
        with cls._lock:
            if not cls._made:
                cls._made = compiled((_settle, _tree, _gather, _clear), _try_out)
                cls.loaded = True
        return cls._made


def _try_out(kernels: Sequence[Callable[..., Any]]) -> None:
    """Search a graph of one arc, so that everything is compiled or loaded."""
    one = Packed(np.array([0, 1, 1], np.int32), np.array([[1, 5]], np.int32), 0, 5)
    room = Room(2, 1)
    at = Entries.at([0])
    count = room.settle(kernels, one, at.vertices, at.costs, 9, room.mark, 0)
    kernels[1](
        one.indptr, one.arcs, at.vertices, at.costs, room.label, room.order, count, room.before
    )
    kernels[2](room.label, at.offsets, at.vertices, at.costs, 9, np.empty(1))
    kernels[3](room.label, room.order, count, np.empty(2, np.int64), np.empty(2), 1.0)


class Room:
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
        kernels: Sequence[Callable[..., Any]],
        packed: Packed,
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
def lent_room(graph: Graph) -> Iterator[Room]:
    """Lend a room, kept with the graph for the next search. Lists are safe between threads."""
    rooms: list[Room] = graph._cache.setdefault("rooms", [])
    try:
        room = rooms.pop()
    except IndexError:
        room = Room(graph.n_vertices, graph.n_arcs)
    yield room  # after an error it is not used again: it may hold half a search
    rooms.append(room)
